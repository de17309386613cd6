//! What a text of Ansible output holds: plain data, and the questions that are answered from it alone.

use serde::Serialize;
use serde_json::Value;

use super::class::Class;

/// What one text holds: the runs in their order; the last one counts.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Digest {
    /// Every `ansible-playbook` run of the text, also those that an error stopped before their first play.
    pub runs: Vec<Run>,
    /// Errors that stopped a run (syntax, vault, inventory, usage), in the order of the text, each at most 4 KiB.
    pub errors: Vec<String>,
    /// What was counted and not kept, when the text holds more runs than memory should.
    pub omitted: Omitted,
}

/// Runs of a text that are not among [`Digest::runs`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Omitted {
    /// How many.
    pub runs: usize,
    /// How many of them failed.
    pub failed: usize,
    /// How many failures they hold that count.
    pub failures: usize,
}

/// One run of `ansible-playbook`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Run {
    /// How it ended.
    pub verdict: Verdict,
    /// Whether its recap was seen; without one the run was killed or the text is not the whole of it.
    pub complete: bool,
    /// The exit code, when the text is a job log that names it.
    pub exit_code: Option<i64>,
    /// The file given on the command line, shown from `-vv` on.
    pub playbook: Option<String>,
    /// Failures in the order of the log, at most 10 000.
    pub failures: Vec<Failure>,
    /// The recap, in its own order.
    pub hosts: Vec<Host>,
    /// The error that stopped it, if one did.
    pub errors: Vec<String>,
    /// What explains a run that is green and yet wrong: no hosts matched, an inventory that was not read.
    pub warnings: Vec<String>,
    /// Why a run that ended well may have deployed nothing, or less than it should.
    pub doubts: Vec<String>,
    /// The play whose banner was the last one.
    pub last_play: Option<String>,
    /// The inventory file, as the command in a job log or Ansible itself (from `-vvv` on) names it, when it is only one.
    pub inventory: Option<String>,
    /// The task whose banner was the last one, with its role.
    pub last_task: Option<String>,
    /// In which form it was written.
    pub form: Form,
    /// The sums over all hosts of the recap; its name is empty.
    pub totals: Host,
    /// How far every host came that has a result, by name; at most 5,000.
    pub progress: Vec<Progress>,
    /// What was tried again; at most 100 tasks.
    pub retries: Vec<Retry>,
    /// How many differences of files were shown.
    pub diffs: u64,
    /// How many deprecation warnings were shown.
    pub deprecations: u64,
    /// The tasks that took longest, at most five; empty when the text holds no times.
    pub slowest: Vec<Slow>,
    /// Milliseconds from the first banner to the last one, when the text holds times.
    pub millis: Option<u64>,
    /// What was going on when a text without a recap ended.
    pub running_at_end: Option<Running>,
    /// Failures that are not in the list, because it would be too long.
    pub more_failures: u64,
    /// The time of the first failure that counts, as the text shows it.
    pub first_failure: Option<String>,
    /// Milliseconds from the first banner to it, when the text holds times.
    pub first_failure_after: Option<u64>,
    /// Handlers that were notified and did not run, because their host failed or the run ended before.
    pub handlers_not_run: Vec<Unhandled>,
    /// Hosts that no task of the failed play ever reached, as far as the inventory in the workspace tells; at most 500.
    pub not_started: Vec<String>,
    /// What [`super::Checkout`] needs to find handlers that did not run.
    #[serde(skip)]
    pub waiting: Vec<Waiting>,
}

/// A handler that did not run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Unhandled {
    /// Its name, or the topic that it listens to.
    pub handler: String,
    /// Where it did not run.
    pub hosts: Vec<String>,
    /// Whether the playbook in the workspace says that a task which changed something notifies it, and not the log.
    pub by_source: bool,
}

/// What a host changed in its last play, and what that should have led to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Name of the host.
    pub host: String,
    /// Tasks that changed something, at most 32.
    pub changes: Vec<String>,
    /// Handlers that the log shows as notified, at most 32.
    pub notified: Vec<String>,
    /// Handlers that ran, at most 32.
    pub handled: Vec<String>,
}

/// Lines of a file around a place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Source {
    /// Number of the first line, from 1.
    pub from: u64,
    /// The lines, each at most 200 bytes.
    pub lines: Vec<String>,
}

/// In which form a run was written, which decides what can be known of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// What a screen, a job log or Ansible's log file holds.
    #[default]
    Text,
    /// The document of the callback `json`.
    Json,
    /// The events of the callback `jsonl`.
    Jsonl,
    /// The events of ansible-runner.
    Runner,
    /// JUnit XML.
    Junit,
    /// The last result of every host.
    Tree,
    /// The callbacks `minimal` and `oneline`.
    Minimal,
}

impl Form {
    /// What can not be known of a run in this form.
    pub(super) fn limits(self) -> Option<&'static str> {
        match self {
            Self::Text | Self::Json | Self::Jsonl | Self::Runner => None,
            Self::Junit => Some(
                "JUnit files leave unreachable hosts out, show ignored failures as passed and rescued ones as failed: \
                 a run without a failure here may have failed",
            ),
            Self::Tree => Some(
                "only the last result of every host is here, without a mark of failure: earlier failures, the names of the tasks \
                 and whether the run ended can not be known",
            ),
            Self::Minimal => Some(
                "this callback shows no play, no task and no recap: whether a failure was ignored or rescued, and whether the run \
                 ended, can not be known",
            ),
        }
    }
}

/// How far a host came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Name of the host.
    pub host: String,
    /// Tasks that changed something there.
    pub changed: u64,
    /// The last task that has a result there.
    pub last_task: String,
}

/// A task that was tried again on a host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Retry {
    /// Name of the task as it was printed.
    pub task: String,
    /// The host; core 2.9 does not name it.
    pub host: Option<String>,
    /// How often it failed before its last try.
    pub count: u64,
}

/// How long a task took.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Slow {
    /// Name of the task.
    pub task: String,
    /// Milliseconds.
    pub millis: u64,
}

/// The task that had not ended on every host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Running {
    /// Name of the task.
    pub task: String,
    /// Hosts of its play without a result of it; empty when no host of the play has shown itself yet.
    pub hosts: Vec<String>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// No failure that counts.
    #[default]
    Ok,
    /// A task failed on at least one host.
    Failed,
    /// No task failed, but at least one host could not be reached.
    Unreachable,
    /// An error stopped the run: playbook, vault, inventory, role.
    ParseError,
    /// The command line was refused.
    UsageError,
    /// Somebody interrupted it.
    Interrupted,
    /// The output ends before the recap.
    Killed,
    /// No play matched a host: nothing was done.
    NoHosts,
}

/// One failed result of one task on one host, and for a loop of one item.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is one independent fact of the result")]
pub struct Failure {
    /// Name of the play.
    pub play: String,
    /// Name of the task as the banner shows it, with its role (`app : Restart`).
    pub task: String,
    /// The role, when the banner names one.
    pub role: Option<String>,
    /// The inventory host.
    pub host: String,
    /// The host that the task was delegated to.
    pub delegate_to: Option<String>,
    /// The item of the loop: its value when the result holds it, else its label.
    pub item: Option<Value>,
    /// What became of it.
    pub kind: Kind,
    /// Whether the host could not be reached, also when that was ignored.
    pub unreachable: bool,
    /// The exit code of the command or module.
    pub rc: Option<i64>,
    /// The message, or the reason of a failed include; at most 32 KiB.
    pub msg: String,
    /// The command as one line.
    pub cmd: Option<String>,
    /// The end of stdout: at most 40 lines and 4 KiB.
    pub stdout_tail: String,
    /// The end of stderr: at most 40 lines and 4 KiB.
    pub stderr_tail: String,
    /// Whether a handler failed.
    pub handler: bool,
    /// Whether `no_log` hides the details.
    pub no_log: bool,
    /// How often the task was tried, when it had `retries`.
    pub attempts: Option<u64>,
    /// Whether this is where the trouble of its host began.
    pub root_cause: bool,
    /// Where the task stands.
    pub location: Option<Location>,
    /// Where the error itself stands, when Ansible names a more precise place (a template, a condition, a variable).
    pub origin: Option<Location>,
    /// The line of the text, from 1.
    pub line: usize,
    /// What kind of trouble it is, by the words of the message and the output.
    pub class: Option<Class>,
    /// When it was printed, as the text shows it; else the end of the command by the clock of its host.
    pub time: Option<String>,
    /// The same place in the repository, when [`super::Checkout`] found it.
    pub place: Option<Place>,
    /// The lines of the workspace around that place: three before it, three after it.
    pub source: Option<Source>,
}

/// A place in the repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Path from the root of the repository.
    pub path: String,
    /// Line, from 1.
    pub line: u64,
    /// Whether it was found by the name of the task, and not by what Ansible printed.
    pub by_name: bool,
    /// Its address on the server, when the commit is known.
    pub url: Option<String>,
}

/// What became of a failure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It counts.
    #[default]
    Failed,
    /// The host could not be reached.
    Unreachable,
    /// A rescue section took over. Only the recap says so.
    Rescued,
    /// The play goes on as if nothing had happened.
    Ignored,
}

/// A place in a playbook, on the machine that ran Ansible.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Location {
    /// Path as printed.
    pub file: String,
    /// Line, from 1.
    pub line: u64,
    /// Column, from 1.
    pub col: Option<u64>,
}

/// One line of the recap: the number of results by kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Host {
    /// Name of the host.
    pub name: String,
    /// Tasks that went well, changed ones and ignored failures among them.
    pub ok: u64,
    /// Tasks that changed something.
    pub changed: u64,
    /// Times that the host was not reachable.
    pub unreachable: u64,
    /// Failed tasks.
    pub failed: u64,
    /// Skipped tasks.
    pub skipped: u64,
    /// Failures that a rescue section took over.
    pub rescued: u64,
    /// Failures that were ignored.
    pub ignored: u64,
}

impl Digest {
    /// Whether some run failed: a failure or unreachable host that was neither ignored nor rescued, an error that stopped it, or an
    /// end before the recap.
    pub fn failed(&self) -> bool {
        self.omitted.failed > 0 || self.runs.iter().any(Run::failed)
    }

    /// Whether the text holds Ansible output at all.
    pub fn is_ansible(&self) -> bool {
        !self.runs.is_empty()
    }
}

impl Omitted {
    pub(super) fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.failed = self.failed.saturating_add(other.failed);
        self.failures += other.failures;
    }
}

impl Host {
    /// The counts of both, under the name of the first.
    #[must_use]
    pub(super) fn plus(mut self, other: &Self) -> Self {
        self.ok = self.ok.saturating_add(other.ok);
        self.changed = self.changed.saturating_add(other.changed);
        self.unreachable = self.unreachable.saturating_add(other.unreachable);
        self.failed = self.failed.saturating_add(other.failed);
        self.skipped = self.skipped.saturating_add(other.skipped);
        self.rescued = self.rescued.saturating_add(other.rescued);
        self.ignored = self.ignored.saturating_add(other.ignored);
        self
    }
}

impl Run {
    /// Whether this run failed.
    pub fn failed(&self) -> bool {
        self.failures.iter().any(Failure::counts)
            || match self.verdict {
                Verdict::Ok | Verdict::NoHosts => false,
                Verdict::Failed
                | Verdict::Unreachable
                | Verdict::ParseError
                | Verdict::UsageError
                | Verdict::Interrupted
                | Verdict::Killed => true,
            }
    }
}

impl Failure {
    /// Whether it was neither ignored nor rescued.
    pub fn counts(&self) -> bool {
        match self.kind {
            Kind::Failed | Kind::Unreachable => true,
            Kind::Rescued | Kind::Ignored => false,
        }
    }
}
