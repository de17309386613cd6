//! One-line and short renderings of what was read. They are plain text from outside: whoever shows them redacts and escapes first.

use std::fmt::Write as _;

use super::model::{Digest, Failure, Kind, Omitted, Run, Source, Verdict};
use super::payload::last_lines;
use super::prefix::cut;

const EXCERPT_CAP: usize = 4 << 10;
const EXCERPT_LINES: usize = 20;
const LINE_CAP: usize = 240;

/// Words by which programs complain.
const COMPLAINTS: &[&str] = &[
    "error",
    "fatal",
    "failed",
    "fail:",
    "denied",
    "refused",
    "no space",
    "not found",
    "no such",
    "cannot",
    "can't",
    "could not",
    "unable",
    "timed out",
    "invalid",
    "expired",
    "killed",
];

/// The last line that complains; a tool's closing statistics often come after it. Without one, the last line that is not blank.
fn complaint(text: &str) -> Option<&str> {
    let complains = |line: &str| {
        let line = line.to_lowercase();
        COMPLAINTS.iter().any(|word| line.contains(word))
    };
    let lines = || text.lines().filter(|line| !line.trim().is_empty());
    lines().rfind(|line| complains(line)).or_else(|| lines().next_back())
}

impl Failure {
    /// One line: `task "Copy release" on web1: no space left (rc=2)`.
    pub fn headline(&self) -> String {
        let word = if self.handler { "handler" } else { "task" };
        let mut line = if self.task.is_empty() {
            format!("a {word} on {}", one_line(&self.host))
        } else {
            format!("{word} \"{}\" on {}", one_line(&self.task), one_line(&self.host))
        };
        if let Some(delegate) = &self.delegate_to {
            let _ = write!(line, " (delegated to {})", one_line(delegate));
        }
        if let Some(item) = &self.item {
            let label = item.as_str().map_or_else(|| item.to_string(), str::to_owned);
            let _ = write!(line, ", item {}", one_line(&label));
        }
        let _ = write!(line, ": {}", self.reason());
        if let Some(rc) = self.rc {
            let _ = write!(line, " (rc={rc})");
        }
        match self.kind {
            Kind::Failed | Kind::Unreachable => {}
            Kind::Rescued => line.push_str(" (rescued)"),
            Kind::Ignored => line.push_str(" (ignored)"),
        }
        line
    }

    /// What the headline gives as the reason: the message, or the last word of the command when the message says nothing.
    fn reason(&self) -> String {
        if self.no_log {
            return "details hidden by no_log".to_owned();
        }
        let message = self.msg.lines().find(|l| !l.trim().is_empty()).unwrap_or_default();
        let empty = message.is_empty() || message.contains("non-zero return code");
        let output = [&self.stderr_tail, &self.stdout_tail];
        let said = output.iter().find_map(|t| complaint(t));
        match said.filter(|_| empty) {
            Some(said) => one_line(said),
            None if message.is_empty() => "failed without a message".to_owned(),
            None => one_line(message),
        }
    }

    /// Where the task stands: in the repository where that is known, else as Ansible printed it.
    pub fn shown_place(&self) -> Option<String> {
        let found = self.place.as_ref().map(|p| format!("{}:{}", p.path, p.line));
        let printed = || self.location.as_ref().or(self.origin.as_ref());
        found.or_else(|| printed().map(|p| format!("{}:{}", one_line(&p.file), p.line)))
    }

    /// The message, whether the host was there, exit code, command and the last 20 lines of stderr, or of stdout when stderr is empty; at most 4 KiB.
    pub fn excerpt(&self) -> String {
        let mut text = String::new();
        if self.no_log {
            text.push_str("details hidden by no_log\n");
        }
        if !self.msg.is_empty() {
            let _ = writeln!(text, "{}", cut(self.msg.trim_end(), EXCERPT_CAP / 2));
        }
        if self.unreachable {
            text.push_str("unreachable: true\n");
        }
        if let Some(rc) = self.rc {
            let _ = writeln!(text, "rc: {rc}");
        }
        if let Some(cmd) = &self.cmd {
            let _ = writeln!(text, "cmd: {}", cut(cmd, EXCERPT_CAP / 8));
        }
        let (name, output) = match (self.stderr_tail.trim(), self.stdout_tail.trim()) {
            ("", "") => return text,
            ("", stdout) => ("stdout", stdout),
            (stderr, _) => ("stderr", stderr),
        };
        let room = EXCERPT_CAP.saturating_sub(text.len() + name.len() + 3);
        let output = last_lines(output, EXCERPT_LINES);
        let from = output.ceil_char_boundary(output.len().saturating_sub(room));
        let _ = writeln!(text, "{name}:\n{}", output.get(from..).unwrap_or_default());
        text
    }
}

impl Digest {
    /// One line about the runs that were counted only, if there are any.
    pub fn omitted_line(&self) -> Option<String> {
        let Omitted { runs, failed, failures } = self.omitted;
        (runs > 0).then(|| {
            format!(
                "{runs} more runs are not shown, {failed} of them failed, with {failures} failures"
            )
        })
    }
}

impl Source {
    /// The lines with their numbers.
    pub fn numbered(&self) -> impl Iterator<Item = (u64, &str)> {
        (self.from..).zip(self.lines.iter().map(String::as_str))
    }
}

impl Run {
    /// Sentences about what the failure left behind: hosts that never started, handlers that did not run, failures that are not listed.
    pub fn aftermath(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(at) = &self.first_failure {
            let seconds =
                |ms: u64| format!("{}.{} s after the first banner, ", ms / 1000, ms % 1000 / 100);
            let after = self.first_failure_after.map(seconds).unwrap_or_default();
            lines.push(format!("first failure {after}at {}", one_line(at)));
        }
        if !self.not_started.is_empty() {
            lines.push(format!(
                "not started, or left out by a limit: {} of the inventory ({})",
                hosts(self.not_started.len()),
                some(&self.not_started)
            ));
        }
        for unhandled in &self.handlers_not_run {
            let how = if unhandled.by_source {
                " (by the playbook: a task that notifies it changed something)"
            } else {
                ""
            };
            lines.push(format!(
                "handler \"{}\" was notified and did not run on {}{how}",
                one_line(&unhandled.handler),
                some(&unhandled.hosts)
            ));
        }
        if self.more_failures > 0 {
            lines.push(format!(
                "{} more failures are counted here and not listed",
                self.more_failures
            ));
        }
        lines
    }

    /// What was warned of, and why a run that ended well may be wrong.
    pub fn remarks(&self) -> impl Iterator<Item = &str> {
        self.doubts.iter().chain(&self.warnings).map(String::as_str)
    }

    /// One line that says how the run ended: `failed on 2 of 5 hosts: task "Restart app" on web3: unit not found (rc=5); 1 unreachable`.
    pub fn verdict_line(&self) -> String {
        let mut line = match self.verdict {
            Verdict::Ok => self.green_line(),
            Verdict::NoHosts => "no hosts matched: nothing was done".to_owned(),
            Verdict::Failed | Verdict::Unreachable => self.red_line(),
            Verdict::ParseError => self.stopped_line("an error stopped the run"),
            Verdict::UsageError => self.stopped_line("the command line was refused"),
            Verdict::Interrupted => self.cut_line("interrupted"),
            Verdict::Killed => {
                self.cut_line("no PLAY RECAP: the run was killed or its output is incomplete")
            }
        };
        if let Some(code) = self.exit_code.filter(|c| *c != 0) {
            let _ = write!(line, "; exit code {code}{}", self.meaning(code));
        }
        line
    }

    /// Codes 2 and 4 have two meanings each; the text decides.
    fn meaning(&self, code: i64) -> &'static str {
        match (code, self.verdict) {
            (2, Verdict::UsageError) => " (usage error)",
            (2, Verdict::Failed) => " (failed hosts)",
            (4, Verdict::ParseError) => " (parser error)",
            (4, Verdict::Failed | Verdict::Unreachable) => " (unreachable hosts)",
            _ => "",
        }
    }

    fn green_line(&self) -> String {
        let recap = self.hosts.iter().filter(|h| h.changed > 0).count();
        let seen = self.progress.iter().filter(|p| p.changed > 0).count();
        let changed = if self.hosts.is_empty() { seen } else { recap };
        let total = self.hosts.len().max(self.progress.len());
        let mut line = format!("ok on {}, {changed} changed", hosts(total));
        for (kind, word) in [(Kind::Ignored, "ignored"), (Kind::Rescued, "rescued")] {
            let count = self.failures.iter().filter(|f| f.kind == kind).count();
            if count > 0 {
                let _ = write!(line, ", {count} failures {word}");
            }
        }
        line
    }

    fn red_line(&self) -> String {
        let failed =
            self.hosts_with(Kind::Failed).max(self.hosts.iter().filter(|h| h.failed > 0).count());
        let lost = self
            .hosts_with(Kind::Unreachable)
            .max(self.hosts.iter().filter(|h| h.unreachable > 0).count());
        // Without a recap the hosts that have a result are all that is known.
        let total = hosts(self.hosts.len().max(self.progress.len()));
        let mut line = match (failed, lost) {
            (0, lost) => format!("{lost} of {total} unreachable"),
            (failed, 0) => format!("failed on {failed} of {total}"),
            (failed, lost) => format!("failed on {failed} of {total}, {lost} unreachable"),
        };
        if let Some(first) = self.first_cause() {
            let _ = write!(line, ": {}", first.headline());
        }
        line
    }

    /// The failure to show first: task failures before unreachable hosts, where the trouble began before what followed from it.
    fn first_cause(&self) -> Option<&Failure> {
        let rank = |f: &&Failure| (!f.root_cause, f.kind == Kind::Unreachable);
        self.failures.iter().filter(|f| f.counts() || f.root_cause).min_by_key(rank)
    }

    fn hosts_with(&self, kind: Kind) -> usize {
        let mut names: Vec<_> =
            self.failures.iter().filter(|f| f.kind == kind).map(|f| f.host.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names.len()
    }

    fn stopped_line(&self, what: &str) -> String {
        let error = self.errors.first().and_then(|e| e.lines().find(|l| !l.trim().is_empty()));
        error.map_or_else(|| what.to_owned(), |e| format!("{what}: {}", one_line(e)))
    }

    fn cut_line(&self, what: &str) -> String {
        let mut line = what.to_owned();
        if let Some(task) = &self.last_task {
            let _ = write!(line, "; last task \"{}\"", one_line(task));
        }
        if let Some(first) = self.first_cause() {
            let _ = write!(line, "; before that {}", first.headline());
        }
        line
    }
}

/// The first eight names, and how many there are besides.
fn some(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(8).map(|n| one_line(n)).collect();
    let more = names.len() - shown.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

fn hosts(count: usize) -> String {
    format!("{count} {}", if count == 1 { "host" } else { "hosts" })
}

/// The text in one line of at most 240 bytes, without control characters.
fn one_line(text: &str) -> String {
    let short = cut(text.trim(), LINE_CAP);
    let mut line: String = short.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if short.len() < text.trim().len() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::super::{Host, digest};
    use super::*;

    fn failure() -> Failure {
        Failure {
            task: "Copy release".to_owned(),
            host: "web1".to_owned(),
            msg: "no space left".to_owned(),
            rc: Some(2),
            ..Failure::default()
        }
    }

    #[test]
    fn the_reason_is_the_line_that_complains_and_not_the_statistics_after_it() {
        let stderr = "dd: error writing '/dev/full': No space left on device\n1+0 records in\n0 bytes copied\n";
        assert_eq!(
            complaint(stderr),
            Some("dd: error writing '/dev/full': No space left on device")
        );
        assert_eq!(complaint("all\nis well\n\n"), Some("is well"));
        assert_eq!(complaint("\n"), None);
    }

    #[test]
    fn a_headline_names_task_host_reason_and_code() {
        assert_eq!(failure().headline(), "task \"Copy release\" on web1: no space left (rc=2)");
        let delegated = Failure {
            delegate_to: Some("lb1".to_owned()),
            item: Some("blue".into()),
            handler: true,
            kind: Kind::Ignored,
            ..failure()
        };
        assert_eq!(
            delegated.headline(),
            "handler \"Copy release\" on web1 (delegated to lb1), item blue: no space left (rc=2) (ignored)"
        );
    }

    #[test]
    fn a_message_that_says_nothing_gives_way_to_the_last_word_of_the_command() {
        let silent = Failure {
            msg: "non-zero return code".to_owned(),
            stderr_tail: "starting\nunit not found\n\n".to_owned(),
            ..failure()
        };
        assert_eq!(silent.headline(), "task \"Copy release\" on web1: unit not found (rc=2)");
        let hidden = Failure { no_log: true, msg: String::new(), rc: None, ..failure() };
        assert_eq!(hidden.headline(), "task \"Copy release\" on web1: details hidden by no_log");
    }

    #[test]
    fn an_excerpt_prefers_stderr_and_stays_within_its_limit() {
        let both =
            Failure { stderr_tail: "e\n".repeat(30), stdout_tail: "o".to_owned(), ..failure() };
        let text = both.excerpt();
        assert!(text.starts_with("no space left\nrc: 2\nstderr:\ne\n"), "{text}");
        assert_eq!(text.lines().filter(|l| *l == "e").count(), 20);
        let only_stdout =
            Failure { stderr_tail: " \n".to_owned(), stdout_tail: "o".to_owned(), ..failure() };
        assert!(only_stdout.excerpt().ends_with("stdout:\no\n"));
        let huge = Failure { msg: "é".repeat(9000), stderr_tail: "é".repeat(9000), ..failure() };
        assert!(huge.excerpt().len() <= EXCERPT_CAP);
    }

    #[test]
    fn a_verdict_line_says_how_many_hosts_and_why() {
        let host = |name: &str, failed, unreachable| Host {
            name: name.to_owned(),
            failed,
            unreachable,
            ..Host::default()
        };
        let run = Run {
            verdict: Verdict::Failed,
            exit_code: Some(4),
            failures: vec![failure()],
            hosts: vec![host("web1", 1, 0), host("web2", 0, 1), host("web3", 0, 0)],
            ..Run::default()
        };
        assert_eq!(
            run.verdict_line(),
            "failed on 1 of 3 hosts, 1 unreachable: task \"Copy release\" on web1: no space left (rc=2); exit code 4 (unreachable hosts)"
        );
    }

    #[test]
    fn a_verdict_line_of_a_run_that_was_cut_names_its_last_task() {
        let text = "PLAY [p] ***\nTASK [Slow] ***\n";
        assert_eq!(
            digest(text).runs[0].verdict_line(),
            "no PLAY RECAP: the run was killed or its output is incomplete; last task \"Slow\""
        );
        let stopped = digest("ERROR! the role 'x' was not found\n");
        assert_eq!(
            stopped.runs[0].verdict_line(),
            "an error stopped the run: the role 'x' was not found"
        );
    }
}
