//! The parts of the gate's report in a terminal: findings, candidates, secrets, what passed, what it cost.

use super::{FOREIGN, NAME, Page, Paint, line, name, sentence};
use crate::report::rows::{self, Alike, Row, Secret};
use crate::report::{Candidate, Report, Status, Verdict, escape, story, units};

/// Checks named as the slowest.
const SLOWEST: usize = 3;

impl Page {
    /// What a watching gate would have stopped the deploy for.
    pub(super) fn would_block(&mut self, report: &Report) {
        let Some(Verdict::Block { by, .. }) = report.verdict.as_ref().filter(|_| report.shadow)
        else {
            return;
        };
        let row = |shared: rows::Shared<'_>| {
            let about = on(&shared.runners);
            let check = shared.reason.check;
            let summary = escape::terminal_line(&shared.summary, FOREIGN);
            (Paint::of(shared.reason.status), "-".to_owned(), format!("{check}{about}: {summary}"))
        };
        let rows = rows::shared(by, Alike::Answer).into_iter().map(row).collect();
        self.rows("Would have blocked", rows);
    }

    /// What somebody should read.
    pub(super) fn findings(&mut self, report: &Report) {
        let row = |row: Row<'_>| {
            let status = row.finding.status;
            let word = status.word();
            let word = if row.blocks { format!("{word} (blocks)") } else { word.to_owned() };
            let summary = escape::terminal_line(&row.summary, FOREIGN);
            let answer = format!("{}{}: {summary}", row.finding.check, on(&row.runners));
            (Paint::of(status), word, answer)
        };
        let loud = |row: &Row<'_>| !row.is_quiet() || row.blocks;
        self.rows("Findings", rows::ordered(report).into_iter().filter(loud).map(row).collect());
    }

    /// The candidates: first what was decided, then what is known.
    pub(super) fn candidates(&mut self, report: &Report) {
        let row = |c: &Candidate| {
            let paint = match (c.chosen, c.why_not.is_empty()) {
                (true, _) => Paint::Green,
                (false, true) => Paint::None,
                (false, false) => Paint::Red,
            };
            let lot = escape::terminal_line(&story::lot(c), FOREIGN);
            (paint, name(&c.name), format!("{} ({}): {lot}", name(&c.role), known(report, c)))
        };
        let rows = report.selection.iter().flat_map(|s| &s.candidates).map(row).collect();
        self.rows("Runner candidates", rows);
    }

    /// The secrets by name, each with what is known of it.
    pub(super) fn secrets(&mut self, report: &Report) {
        let row = |secret: Secret<'_>| {
            let format = secret.format.map(|state| format!("format: {}", words(state)));
            let expiry = secret.expiry.map(|state| format!("expiry: {}", words(state)));
            let parts: Vec<String> =
                [secret.present.map(words), format, expiry].into_iter().flatten().collect();
            let name = escape::terminal_line(secret.name, NAME);
            (Paint::of(secret.worst), name, parts.join("; "))
        };
        self.rows("Secrets", rows::secrets(report).into_iter().map(row).collect());
    }

    /// What nobody needs to read, by name alone.
    pub(super) fn quiet(&mut self, report: &Report) {
        let quiet: Vec<Row<'_>> =
            rows::ordered(report).into_iter().filter(|row| row.is_quiet() && !row.blocks).collect();
        let named = |status: Status| {
            let mut checks: Vec<(&str, usize)> = Vec::new();
            for row in quiet.iter().filter(|row| row.finding.status == status) {
                let times = row.runners.len().max(1);
                match checks.iter_mut().find(|(check, _)| *check == row.finding.check) {
                    Some((_, n)) => *n += times,
                    None => checks.push((row.finding.check, times)),
                }
            }
            let words = |(check, n): &(&str, usize)| match n {
                1 => (*check).to_owned(),
                n => format!("{check} ({n})"),
            };
            let names: Vec<String> = checks.iter().map(words).collect();
            (!names.is_empty())
                .then(|| (Paint::of(status), status.word().to_owned(), names.join(", ")))
        };
        let rows = [Status::Pass, Status::Skipped].into_iter().filter_map(named).collect();
        self.rows("Passed and skipped", rows);
    }

    /// What took longest, and what the GitHub API cost.
    pub(super) fn cost(&mut self, report: &Report) {
        let mut slowest: Vec<_> = report.findings.iter().collect();
        slowest.sort_by_key(|finding| std::cmp::Reverse(finding.took));
        let words = slowest.iter().take(SLOWEST).map(|f| {
            let about = f.runner.as_ref().map(|r| format!(" on {}", name(r))).unwrap_or_default();
            format!("{}{about} {}", f.check, units::duration(f.took))
        });
        let words: Vec<String> = words.collect();
        let slowest =
            (!words.is_empty()).then(|| (Paint::Grey, "slowest".to_owned(), words.join(", ")));
        let api = report.api.as_ref().map(|api| {
            let told = sentence(&story::api(api));
            let told = told.strip_prefix("GitHub API: ").unwrap_or(&told).to_owned();
            (Paint::Grey, "GitHub API".to_owned(), told)
        });
        self.rows("What it cost", slowest.into_iter().chain(api).collect());
    }
}

fn on(runners: &[&str]) -> String {
    if runners.is_empty() {
        return String::new();
    }
    format!(" on {}", sentence(&story::names(runners)))
}

/// `score 92, on host h1, idle, worst runner-steady (warn)`.
fn known(report: &Report, candidate: &Candidate) -> String {
    let score = candidate.score.map(|score| format!("score {score}"));
    let host = candidate.host.as_ref().map(|host| format!("host {}", line(host)));
    let busy = rows::busy(report, candidate);
    let busy = (busy != "unknown").then(|| busy.to_owned());
    let health = match rows::worst(report, candidate) {
        Some(finding) => format!("worst {} ({})", finding.check, finding.status.word()),
        None if rows::is_known(report, candidate) => "healthy".to_owned(),
        None => "nothing known".to_owned(),
    };
    let parts: Vec<String> = [score, host, busy, Some(health)].into_iter().flatten().collect();
    parts.join(", ")
}

fn words(state: &str) -> String {
    escape::terminal_line(state, FOREIGN)
}

#[cfg(test)]
mod tests {
    use crate::report::sample::large;
    use crate::report::text::{Style, to_text};

    #[test]
    fn a_large_gate_shows_what_to_read_and_names_the_rest() {
        let shown = to_text(&large(), Style::Plain);
        for part in [
            "\n  2.  runner-online on prod-a and prod-b: start the service of it:",
            "\n  fail (blocks)  runner-online on prod-a and prod-b: it is offline:",
            "\n  prod-a  primary (host host-1, idle, worst runner-online (fail)): runner-online: it is offline;",
            "\nSecrets\n  VAULT_TOKEN  missing (in none of the 3 lists)\n",
            "\n  CERT         present (handed in); expiry: expires in 9 days (it ends 2026-12-03)\n",
            "\nPassed and skipped\n  pass     runner-busy (2), disk-inodes,",
            "\n  GitHub API  4 calls as the job's GITHUB_TOKEN (1 of them free), 4,996 of 5,000 left until",
        ] {
            assert!(shown.contains(part), "{part}\n{shown}");
        }
        assert!(shown.lines().count() < 50, "{shown}");
    }
}
