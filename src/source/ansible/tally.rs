//! What a run did besides failing: what changed, what was tried again, how long tasks took.

use std::rc::Rc;

use super::model::{Retry, Slow};
use super::prefix::cut;
use super::ways::Ways;

const RETRIES: usize = 100;
/// Tasks whose time is kept.
const SLOWEST: usize = 5;

/// The counts of one run while it is read.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) ways: Ways,
    retries: Vec<Retry>,
    pub(super) diffs: u64,
    pub(super) deprecations: u64,
    clock: Clock,
    /// The table of `profile_tasks`, which knows better than the clock.
    table: Vec<Slow>,
}

#[derive(Debug, Default)]
struct Clock {
    first: Option<u64>,
    last: Option<u64>,
    open: Option<(Rc<str>, u64)>,
    slowest: Vec<Slow>,
}

impl Tally {
    /// A line that is nothing else: a retry, a diff, a deprecation, a row of the table of times.
    pub(super) fn remark(&mut self, line: &str, after_recap: bool) {
        match line.as_bytes().first() {
            Some(b'F') => self.retry(line),
            Some(b'N') => self.ways.notice(line),
            Some(b'+') if line.starts_with("+++ after") => self.diffs += 1,
            Some(b'[') if line.starts_with("[DEPRECATION WARNING]: ") => self.deprecations += 1,
            _ if after_recap => self.row(line),
            _ => {}
        }
    }

    /// `FAILED - RETRYING: [web1]: Probe (2 retries left).`
    fn retry(&mut self, line: &str) {
        let Some(rest) = line.strip_prefix("FAILED - RETRYING: ") else { return };
        let Some((name, _)) = rest.rsplit_once(" (").filter(|(_, r)| r.contains("retries left"))
        else {
            return;
        };
        let named = name.strip_prefix('[').and_then(|n| n.split_once("]: "));
        let (host, task) = named.map_or((None, name), |(host, task)| (Some(host), task));
        self.tried(host, task);
    }

    /// A task was tried again.
    pub(super) fn tried(&mut self, host: Option<&str>, task: &str) {
        let known =
            self.retries.iter_mut().rev().find(|r| r.host.as_deref() == host && r.task == task);
        if let Some(known) = known {
            known.count += 1;
        } else if self.retries.len() < RETRIES {
            let (host, task) = (host.map(|h| cut(h, 1024).to_owned()), cut(task, 1024).to_owned());
            self.retries.push(Retry { task, host, count: 1 });
        }
    }

    /// `app : Restart app ---------------------------------- 1.23s`
    fn row(&mut self, line: &str) {
        let Some((name, seconds)) =
            line.trim_end().strip_suffix('s').and_then(|l| l.rsplit_once(' '))
        else {
            return;
        };
        let dashed = name.trim_end_matches('-');
        let known = name.len() - dashed.len() >= 3 && dashed.ends_with(' ');
        if let Some(millis) = millis_of(seconds).filter(|_| known && self.table.len() < SLOWEST) {
            self.table.push(Slow { task: cut(dashed.trim_end(), 1024).to_owned(), millis });
        }
    }

    /// A banner was printed at this time, in milliseconds; it names the task that begins.
    pub(super) fn banner(&mut self, at: Option<u64>, task: Option<&Rc<str>>) {
        let Some(at) = at else { return };
        let clock = &mut self.clock;
        clock.first.get_or_insert(at);
        clock.last = Some(at);
        if let Some((name, since)) = clock.open.take() {
            clock.slowest.push(Slow { task: name.to_string(), millis: at.saturating_sub(since) });
            clock.slowest.sort_by_key(|s| std::cmp::Reverse(s.millis));
            clock.slowest.truncate(SLOWEST);
        }
        clock.open = task.map(|task| (Rc::clone(task), at));
    }

    /// The time of the first banner.
    pub(super) fn began(&self) -> Option<u64> {
        self.clock.first
    }

    /// From the first banner to the last one.
    pub(super) fn millis(&self) -> Option<u64> {
        let (first, last) = (self.clock.first?, self.clock.last?);
        (last > first).then(|| last - first)
    }

    /// The tasks that took longest.
    pub(super) fn take_slowest(&mut self) -> Vec<Slow> {
        let table = std::mem::take(&mut self.table);
        if table.is_empty() { std::mem::take(&mut self.clock.slowest) } else { table }
    }

    pub(super) fn take_retries(&mut self) -> Vec<Retry> {
        std::mem::take(&mut self.retries)
    }
}

/// `12.34` seconds.
fn millis_of(seconds: &str) -> Option<u64> {
    let (whole, part) = seconds.split_once('.')?;
    let digits: String = part.chars().chain("000".chars()).take(3).collect();
    Some(whole.parse::<u64>().ok()?.checked_mul(1000)? + digits.parse::<u64>().ok()?)
}

/// Milliseconds since some day for `2026-01-31T12:00:00.123…` and `2026-01-31 12:00:00,123`.
pub(super) fn millis(stamp: &str) -> Option<u64> {
    let number = |from: usize, to: usize| stamp.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    // Days of the proleptic calendar, with the year beginning in March.
    let (year, month) =
        if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + number(20, 23)?)
}

#[cfg(test)]
mod tests {
    use super::super::digest;
    use super::*;

    const LOG: &str = "\
2026-02-28 23:59:58,000 p=7 u=ci n=ansible INFO| PLAY [p] ***
2026-02-28 23:59:58,100 p=7 u=ci n=ansible INFO| TASK [Pull] ***
2026-02-28 23:59:58,200 p=7 u=ci n=ansible INFO| FAILED - RETRYING: [a]: Pull (2 retries left).
2026-02-28 23:59:59,200 p=7 u=ci n=ansible INFO| FAILED - RETRYING: [a]: Pull (1 retries left).
2026-03-01 00:00:00,200 p=7 u=ci n=ansible INFO| changed: [a] => (item=1)
2026-03-01 00:00:00,201 p=7 u=ci n=ansible INFO| changed: [a] => (item=2)
2026-03-01 00:00:00,202 p=7 u=ci n=ansible INFO| ok: [b]
2026-03-01 00:00:01,100 p=7 u=ci n=ansible INFO| TASK [Restart] ***
2026-03-01 00:00:01,200 p=7 u=ci n=ansible INFO| ok: [b]
";

    #[test]
    fn a_log_that_was_cut_says_what_was_going_on_and_on_which_hosts() {
        let run = digest(LOG).runs.remove(0);
        let running = run.running_at_end.unwrap();
        assert_eq!(
            (running.task.as_str(), running.hosts.as_slice()),
            ("Restart", &["a".to_owned()][..])
        );
        let changed: Vec<_> = run
            .progress
            .iter()
            .map(|p| (p.host.as_str(), p.changed, p.last_task.as_str()))
            .collect();
        assert_eq!(changed, [("a", 1, "Pull"), ("b", 0, "Restart")]);
    }

    #[test]
    fn retries_are_counted_and_times_are_taken_over_midnight() {
        let run = digest(LOG).runs.remove(0);
        assert_eq!((run.retries[0].host.as_deref(), run.retries[0].count), (Some("a"), 2));
        assert_eq!((run.slowest[0].task.as_str(), run.slowest[0].millis), ("Pull", 3000));
        assert_eq!(run.millis, Some(3100));
    }

    #[test]
    fn the_table_of_times_is_read_after_the_recap_only() {
        let row = "app : Restart --------------------------------- 61.50s\n";
        let text = format!(
            "PLAY [p] ***\nTASK [t] ***\n{row}ok: [a]\nPLAY RECAP ***\na : ok=1 changed=0 unreachable=0 failed=0\n\n{}",
            "TASKS RECAP ****\n====\nPull image ---- 1.25s\n"
        );
        let run = digest(&text).runs.remove(0);
        assert_eq!(run.slowest, [Slow { task: "Pull image".to_owned(), millis: 1250 }]);
    }

    #[test]
    fn a_stamp_of_either_form_is_a_time_and_another_text_is_none() {
        let (a, b) = (
            millis("2024-02-29T23:59:59.9990000Z").unwrap(),
            millis("2024-03-01 00:00:00,000").unwrap(),
        );
        assert_eq!(b - a, 1);
        assert_eq!(millis("2024-02-29T23:59:5"), None);
        assert_eq!(millis("0000-01-01T00:00:00.000Z"), None);
    }
}
