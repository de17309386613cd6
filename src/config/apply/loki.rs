//! The Loki server and what it is asked.

use super::super::Loki;
use super::super::raw::RawLoki;
use super::Build;

/// Most log queries: each may bring 500 lines.
pub(in super::super) const LOG_QUERIES: usize = 10;

/// Log queries when nobody names others: what a runner and the kernel of its host write when something breaks. Lines of the runner's own
/// logs are written as `[2026-11-22 12:00:00Z ERR  Terminal] …`.
const QUERIES: &[&str] = &[
    r#"{job=~".*runner.*"} |~ "(?i)\\b(err|error|crit|fatal|exception)\\b""#,
    r#"{job=~".*runner.*"} |~ "Runner connect error|session for this runner|no longer exists on the server|Runner reconnected""#,
    r#"{job=~".*(journal|kern|syslog).*"} |~ "(?i)out of memory|oom-kill|invoked oom-killer""#,
    r#"{job=~".+"} |~ "No space left on device|Disk quota exceeded|Read-only file system""#,
];

impl Build<'_> {
    pub(super) fn loki(&mut self, raw: RawLoki) -> Option<Loki> {
        if raw.queries.len() > LOG_QUERIES {
            let message = format!("{} log queries are more than {LOG_QUERIES}", raw.queries.len());
            self.wrong("loki.queries", message, "join some of them with `or` or `|~`");
        }
        for (at, query) in raw.queries.iter().enumerate() {
            if !query.trim_start().starts_with('{') {
                let message = format!("`{query}` is not a log query");
                let help = "begin with a selector, as {job=\"gha-runner\"} |= \"error\"";
                self.wrong(&format!("loki.queries[{at}]"), message, help);
            }
        }
        let queries = if raw.queries.is_empty() {
            QUERIES.iter().map(|&q| q.to_owned()).collect()
        } else {
            raw.queries
        };
        self.url("", "loki.url", raw.url).map(|url| Loki { url, queries })
    }
}
