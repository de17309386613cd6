//! What the log of the listener says about its own state and about its jobs, read line by line in bounded memory.
//!
//! Trouble that ended well is forgotten: the lines that are kept are those since the listener's last good word.

use std::collections::VecDeque;

use super::super::brief::brief;
use super::record::{self, Record};

/// Changes, jobs and lines that are kept, the latest.
const CHANGES: usize = 200;
const JOBS: usize = 20;
const LINES: usize = 60;
/// The longest line that is kept, in bytes.
const LONGEST: usize = 600;

/// What the listener is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It asks for a session.
    Connecting,
    /// Another process holds the session of this runner.
    Conflict,
    /// It waits for jobs.
    Listening,
    /// It runs a job.
    Running,
    /// A job ended and it has not asked for the next one yet; how the job ended.
    JobEnded(String),
    /// It cannot reach the server.
    Disconnected,
    /// The server does not know this runner any more.
    Deregistered,
    /// The server refuses this runner: its version, its token or its permission.
    Refused,
    /// It replaces itself by a new version.
    Updating,
    /// It was asked to stop; by what.
    Stopping(String),
    /// It ended with this exit code.
    Ended(i32),
}

/// A change of state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// When, in seconds since 1970.
    pub at: i64,
    /// The state from then on.
    pub state: State,
    /// Name of the log and number of the line.
    pub place: (String, usize),
}

/// One job as the listener saw it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dispatched {
    /// Its id.
    pub id: String,
    /// When it was received, in seconds since 1970.
    pub received: i64,
    /// When its lease was last renewed, and until when it is valid then.
    pub lease: Option<(i64, i64)>,
    /// Failed renewals since the last one that worked.
    pub failed_renewals: usize,
    /// Whether the listener gave up renewing.
    pub gave_up: bool,
    /// Exit code of the worker.
    pub code: Option<i32>,
    /// When it ended, and how.
    pub ended: Option<(i64, String)>,
    /// The signal that reached the listener while the job ran.
    pub shutdown: Option<(i64, String)>,
    /// The lines that tell of trouble with it, as they stand in the log.
    pub lines: Vec<String>,
}

/// What the logs of one listener say.
#[derive(Debug, Clone, Default)]
pub struct ListenerLog {
    /// Changes of state, the oldest first.
    pub changes: VecDeque<Change>,
    /// The jobs, the oldest first.
    pub jobs: VecDeque<Dispatched>,
    /// Errors in reaching the server since the last good word, and the longest pause between two tries as the log words it.
    pub errors: usize,
    /// The last pause before a new try, in the words of the log.
    pub pause: Option<String>,
    /// Time of the last line.
    pub last_word: Option<i64>,
    /// Lines of trouble since the last good word.
    pub trouble: VecDeque<String>,
    name: String,
    line: usize,
    keeping: bool,
}

impl ListenerLog {
    /// Goes on with the text of the next log, in the order of their names.
    pub fn read(&mut self, name: &str, text: &str) {
        name.clone_into(&mut self.name);
        for (number, line) in text.lines().enumerate() {
            self.line = number + 1;
            match record::record(line) {
                Some(record) => self.take(&record, line),
                None if self.keeping => self.keep(line),
                None => {}
            }
        }
    }

    /// The last state and since when it holds: repeated entries count from the first.
    pub fn last(&self) -> Option<&Change> {
        self.changes.back()
    }

    /// The last job with this id; without an id the last one.
    pub fn job(&self, id: Option<&str>) -> Option<&Dispatched> {
        self.jobs.iter().rev().find(|job| id.is_none_or(|id| job.id == id))
    }

    fn take(&mut self, record: &Record<'_>, line: &str) {
        self.last_word = Some(record.at);
        let said = record.message;
        self.keeping = record.trouble;
        if self.of_job(record, line) {
            return;
        }
        if let Some(state) = state_of(said) {
            self.enter(record.at, state);
        }
        if is_good(said) {
            self.good();
        } else if record.trouble || self.is_bad() {
            self.keeping = true;
            self.keep(line);
        }
        if said.contains("Catch exception during") || said.contains("Runner connect error") {
            self.errors += 1;
        }
        if let Some((_, pause)) =
            said.split_once("Back off ").or_else(|| said.split_once("Sleeping for "))
        {
            self.pause = pause.split(" before").next().map(cut);
        }
    }

    fn good(&mut self) {
        self.trouble.clear();
        self.errors = 0;
        self.pause = None;
        self.keeping = false;
    }

    fn is_bad(&self) -> bool {
        match self.last().map(|change| &change.state) {
            Some(
                State::Conflict
                | State::Deregistered
                | State::Refused
                | State::Disconnected
                | State::Updating
                | State::Stopping(_)
                | State::Ended(_),
            ) => true,
            Some(State::Connecting | State::Listening | State::Running | State::JobEnded(_))
            | None => false,
        }
    }

    fn keep(&mut self, line: &str) {
        // The beginning tells the cause and the end tells where it led to: what goes is the middle.
        if self.trouble.len() >= 2 * LINES {
            self.trouble.remove(LINES);
        }
        self.trouble.push_back(cut(line));
    }

    fn enter(&mut self, at: i64, state: State) {
        // A new attempt in the middle of the same trouble is not a new state.
        let same = self.last().is_some_and(|last| {
            let retry = state == State::Connecting
                && matches!(
                    last.state,
                    State::Conflict | State::Disconnected | State::Deregistered | State::Refused
                );
            last.state == state
                || retry
                || (last.state == State::Conflict && state == State::Disconnected)
        });
        if same {
            return;
        }
        if self.changes.len() == CHANGES {
            self.changes.pop_front();
        }
        self.changes.push_back(Change { at, state, place: (self.name.clone(), self.line) });
    }

    fn begin(&mut self, at: i64, id: &str) {
        if self.jobs.len() == JOBS {
            self.jobs.pop_front();
        }
        let id = cut(id);
        self.jobs.push_back(Dispatched { id, received: at, ..Dispatched::default() });
    }

    /// Notes what the line says about a job; whether it was about nothing else.
    fn of_job(&mut self, record: &Record<'_>, line: &str) -> bool {
        let (at, said) = (record.at, record.message);
        let received = said.starts_with("Job request ") && said.ends_with("received.");
        if let Some(rest) = after(said, " job ").filter(|_| received) {
            self.begin(at, rest.split(' ').next().unwrap_or_default());
            self.enter(at, State::Running);
            self.good();
            return true;
        }
        if let Some(id) = named_job(said)
            && self.jobs.back().is_none_or(|last| last.id != id)
        {
            // The log begins in the middle of a job.
            self.begin(at, id);
        }
        let Some(job) = self.jobs.back_mut().filter(|job| job.ended.is_none()) else {
            return false;
        };
        let renewed = said.starts_with("Successfully renew job");
        if let Some(till) = after(said, "job is valid till ").filter(|_| renewed) {
            job.lease = record::time(till).map(|till| (at, till));
            job.failed_renewals = 0;
            job.lines.clear();
            self.good();
            return true;
        }
        if let Some(result) = after(said, "completed with result: ") {
            let result: String = result.chars().take_while(char::is_ascii_alphabetic).collect();
            job.ended = Some((at, result.clone()));
            self.enter(at, State::JobEnded(result));
            return true;
        }
        let of_job = job.note(at, said);
        let crashed = job.code.is_some_and(|code| worker_result(code).is_none());
        if of_job && (record.trouble || crashed) && job.lines.len() < LINES {
            job.lines.push(cut(line));
        }
        of_job
    }
}

impl Dispatched {
    /// Notes a line that was said while the job ran; whether it was about the job alone.
    fn note(&mut self, at: i64, said: &str) -> bool {
        if said.contains("Catch exception during renew runner job") {
            self.failed_renewals += 1;
            return true;
        }
        if said.contains("Lock renewal has run out of retry")
            || said.contains("stop renew job request")
        {
            self.gave_up = true;
            return true;
        }
        let finished =
            after(said, "Worker finished for job ").and_then(|rest| after(rest, "Code: "));
        if let Some(code) = finished {
            self.code = code.trim_end_matches('.').parse().ok();
            return true;
        }
        if let Some(reason) = stop_of(said) {
            self.shutdown = self.shutdown.take().or(Some((at, reason)));
            return false;
        }
        said.contains("indicate worker encounter")
            || said.contains("Unhandled exception happened in worker")
    }
}

/// The job that a line of the dispatcher is about.
fn named_job(said: &str) -> Option<&str> {
    let about = [
        "Start renew job request ",
        "Send job request message to worker for job ",
        "Worker finished for job ",
    ];
    let rest =
        about.iter().any(|start| said.starts_with(start)).then(|| after(said, " for job "))??;
    rest.split([' ', ',']).next().map(|id| id.trim_end_matches('.')).filter(|id| !id.is_empty())
}

fn after<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    text.split_once(mark).map(|(_, rest)| rest)
}

fn cut(line: &str) -> String {
    brief(line, LONGEST)
}

/// Words after which the listener is well.
const GOOD: &[&str] = &[
    "Listening for Jobs",
    "Runner reconnected",
    "No message retrieved",
    "BrokerMigration message received",
];

fn is_good(said: &str) -> bool {
    GOOD.iter().any(|word| said.contains(word))
}

fn state_of(said: &str) -> Option<State> {
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if let Some(code) = after(said, "Runner execution has finished with return code ") {
        return code.trim_end_matches('.').parse().ok().map(State::Ended);
    }
    if let Some(reason) = stop_of(said) {
        return Some(State::Stopping(reason));
    }
    if has(CONFLICT) {
        return Some(State::Conflict);
    }
    if has(DEREGISTERED) || (has(&["Registration "]) && has(&["was not found"])) {
        return Some(State::Deregistered);
    }
    if has(REFUSED) {
        return Some(State::Refused);
    }
    if has(UPDATING) {
        return Some(State::Updating);
    }
    if is_good(said) {
        return Some(State::Listening);
    }
    if has(LOST) {
        return Some(State::Disconnected);
    }
    has(&[
        "Attempt to create session",
        "Connecting to the Broker Server",
        "Connecting to the Runner Server",
    ])
    .then_some(State::Connecting)
}

const CONFLICT: &[&str] = &[
    "session for this runner already exists",
    "already has an active session",
    "SessionConflictException",
    "Runner connect error: Error: Conflict",
    "Runner connect error: Conflict",
    "HTTP Status: Conflict",
];

const DEREGISTERED: &[&str] = &[
    "runner registration has been deleted from the server",
    "The runner no longer exists on the server",
];

const REFUSED: &[&str] = &[
    "is deprecated and cannot receive messages",
    "OAuth token has been revoked",
    "Access denied. System:ServiceIdentity",
];

const UPDATING: &[&str] = &[
    "An update is available",
    "Runner update in progress",
    "Generate and execute update script",
    "Runner will exit shortly for update",
];

const LOST: &[&str] = &[
    "Catch exception during get next message",
    "Catch exception during create session",
    "Runner connect error: ",
];

/// Who asked the listener to stop.
fn stop_of(said: &str) -> Option<String> {
    if let Some(reason) = after(said, "Runner will be shutdown for ") {
        return Some(reason.chars().take_while(char::is_ascii_alphanumeric).collect());
    }
    said.contains("Received Ctrl-C signal").then(|| "SIGINT or SIGTERM".to_owned())
}

/// What the exit code of a worker says about the job: 100 and the result. `None` is a crash.
pub fn worker_result(code: i32) -> Option<&'static str> {
    match code {
        100 => Some("Succeeded"),
        101 => Some("SucceededWithIssues"),
        102 => Some("Failed"),
        103 => Some("Canceled"),
        104 => Some("Skipped"),
        105 => Some("Abandoned"),
        _ => None,
    }
}

/// What the exit code of a listener means.
pub fn listener_exit(code: i32) -> &'static str {
    match code {
        0 => "stopped in order",
        1 => "a terminating error: the service does not start it again",
        2 => "an error that is tried again",
        3 | 4 => "left for an update",
        5 => "session conflict: the service does not start it again",
        6 => "left to read its new configuration",
        7 => "its version is deprecated",
        _ => "no code of the runner: it was killed or crashed",
    }
}

#[cfg(test)]
#[path = "listener_log_tests.rs"]
mod tests;
