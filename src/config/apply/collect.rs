//! What the black box collects, and how much of it.

use std::time::Duration;

use super::super::raw::{RawBudget, RawCollect, Text};
use super::super::value::{parse_bytes, parse_duration};
use super::super::{Budget, Collect};
use super::Build;

const TIMEOUT: Duration = Duration::from_mins(2);
/// Longest age of a file that may still be asked for.
const OLDEST: Duration = Duration::from_hours(24 * 30);
/// Smallest room that holds the report and the end of a log, in bytes.
const SMALLEST: u64 = 64 * 1024;

/// Queries of the metrics snapshot when nobody names others.
const QUERIES: &[&str] = &[
    "up",
    "runner_status",
    "runner_host_memory_available_bytes",
    "runner_host_filesystem_avail_bytes",
    "runner_host_load1",
];

impl Build<'_> {
    pub(super) fn collect(&mut self, raw: RawCollect) -> Collect {
        let queries = if raw.metrics.queries.is_empty() {
            QUERIES.iter().map(|&q| q.to_owned()).collect()
        } else {
            raw.metrics.queries
        };
        let mut ansible_logs = raw.ansible.logs;
        for log in self.inputs.list("ansible-log") {
            let path = format!("collect.ansible.logs[{}]", ansible_logs.len());
            self.origins.set(path, self.inputs.origin("ansible-log"));
            ansible_logs.push(log);
        }
        let socket = raw.runner_logs.docker_socket;
        Collect {
            ansible_logs,
            runner_logs: self.text(
                "runner-logs",
                "collect.runner-logs.folder",
                raw.runner_logs.folder,
            ),
            docker_socket: self.boolean(
                "docker-socket",
                "collect.runner-logs.docker-socket",
                socket,
                false,
            ),
            queries,
            files: raw.files,
            budget: self.budget(raw.budget),
            timeout: self.time("", "collect.timeout", raw.timeout, TIMEOUT),
        }
    }

    fn budget(&mut self, raw: RawBudget) -> Budget {
        let usual = Budget::default();
        let percent = raw.disk_percent.unwrap_or(u64::from(usual.disk_percent));
        let disk_percent = u8::try_from(percent).ok().filter(|n| (1..=100).contains(n));
        if disk_percent.is_none() {
            let message = format!("`{percent}` is not a share of the free disk");
            self.wrong("collect.budget.disk-percent", message, "write a number from 1 to 100");
        }
        if raw.lines == Some(0) {
            let help = "write at least 1, or leave the key out for no limit";
            self.wrong("collect.budget.lines", "no line is no log".to_owned(), help);
        }
        Budget {
            total: self.room("collect.budget.total", raw.total, usual.total),
            item: self.room("collect.budget.item", raw.item, usual.item),
            lines: raw.lines,
            age: self.age(raw.age, usual.age),
            disk_percent: disk_percent.unwrap_or(usual.disk_percent),
        }
    }

    fn room(&mut self, path: &str, raw: Option<Text>, usual: u64) -> u64 {
        let Some(Text(text)) = raw else { return usual };
        let (problem, help) = match parse_bytes(&text) {
            Ok(bytes) if bytes >= SMALLEST => return bytes,
            Ok(bytes) => (format!("{bytes} bytes hold no evidence"), "the least is 64 KiB"),
            Err(problem) => (problem, "write for example 256 MiB"),
        };
        self.wrong(path, problem, help);
        usual
    }

    fn age(&mut self, raw: Option<Text>, usual: Duration) -> Duration {
        let Some(Text(text)) = raw else { return usual };
        let (problem, help) = match parse_duration(&text) {
            Ok(age) if !age.is_zero() && age <= OLDEST => return age,
            Ok(_) => (format!("{text} is no age of a log of this run"), "the longest is 30d"),
            Err(problem) => (problem, "write for example 24h"),
        };
        self.wrong("collect.budget.age", problem, help);
        usual
    }
}
