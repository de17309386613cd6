//! What the logs mean together, one sentence each, in words that signatures know.

use super::scene::Process;
use super::window::Worker;
use crate::source::runner_files::record::shown;
use crate::source::runner_files::{
    Change, Dispatched, ListenerLog, State, listener_exit, worker_result,
};

/// A listener that waits says a word at least every thirty minutes; one that runs a job, every minute.
const SILENT_IDLE: i64 = 35 * 60;
const SILENT_BUSY: i64 = 180;
/// A lease holds for ten minutes from its renewal.
const LEASE: i64 = 600;
/// So long after a restart the server may still hold the old session.
const SHORT_CONFLICT: i64 = 270;

/// What is known.
pub(super) struct Facts<'a> {
    pub(super) listener: &'a ListenerLog,
    pub(super) worker: Option<&'a Worker>,
    /// The job as the listener saw it.
    pub(super) job: Option<&'a Dispatched>,
    pub(super) never_started: Option<String>,
    /// Whether this process is part of a run.
    pub(super) in_run: bool,
    pub(super) process: Process,
    /// The time up to which silence means something, in seconds since 1970.
    pub(super) until: i64,
}

/// The sentences, the gravest first.
pub(super) fn sentences(facts: &Facts<'_>) -> Vec<String> {
    let mut all = Vec::new();
    all.extend(facts.job.and_then(crash));
    all.extend(facts.job.and_then(shutdown));
    if all.is_empty() {
        all.extend(facts.job.and_then(|job| lease(job, facts)));
    }
    if all.is_empty() {
        all.extend(facts.worker.and_then(|worker| cut_off(worker, facts)));
    }
    all.extend(states(facts));
    all.extend(silence(facts));
    all.extend(facts.never_started.clone());
    all
}

fn crash(job: &Dispatched) -> Option<String> {
    let code = job.code.filter(|code| worker_result(*code).is_none())?;
    let meaning = match code {
        1 => "an exception that nobody caught",
        134 => "it aborted: disk full, out of memory, or a broken .NET",
        137 => "it was killed: by the kernel for memory, or by somebody",
        139 => "segmentation fault",
        143 => "it was told to end (SIGTERM)",
        _ => "no result of a job",
    };
    Some(format!(
        "Return code {code} indicate worker encounter an unhandled exception or app crash: {meaning}; the job {} has no result of its own",
        job.id
    ))
}

fn shutdown(job: &Dispatched) -> Option<String> {
    let (at, reason) = job.shutdown.as_ref()?;
    Some(format!(
        "The runner has received a shutdown signal at {} ({reason}) while the job {} ran",
        shown(*at),
        job.id
    ))
}

/// The arithmetic of the lease: it ends exactly ten minutes after the listener last spoke.
fn lease(job: &Dispatched, facts: &Facts<'_>) -> Option<String> {
    let (renewed, till) = job.lease?;
    let abandoned = job.ended.as_ref().is_some_and(|(_, result)| result == "Abandoned");
    if job.ended.is_some() && !abandoned {
        return None;
    }
    let failed = match job.failed_renewals {
        0 => String::new(),
        1 => "; one renewal failed after it and none was tried again, a known defect of runners up to 2.336.0 (actions/runner issue 4635)".to_owned(),
        count => format!("; {count} renewals failed after it"),
    };
    if abandoned || job.gave_up || facts.until > till {
        return Some(format!(
            "The self-hosted runner lost communication with the server: the listener stopped talking at {}, and the lease of job {}, renewed \
             last at {}, ran out at {}{failed}",
            shown(till - LEASE),
            job.id,
            shown(renewed),
            shown(till)
        ));
    }
    (facts.until - renewed > SILENT_BUSY).then(|| {
        format!(
            "the lease of job {} was not renewed since {}: it ends at {}{failed}",
            job.id,
            shown(renewed),
            shown(till)
        )
    })
}

/// A worker log without its last word. A job that we are a step of has not said it yet.
fn cut_off(worker: &Worker, facts: &Facts<'_>) -> Option<String> {
    let over = worker.later
        || facts.process == Process::Gone
        || facts.job.is_some_and(|job| job.ended.is_some());
    if worker.log.completed || facts.in_run || !over {
        return None;
    }
    let (_, last) = worker.log.words?;
    let step =
        worker.log.under_way.as_ref().map(|step| format!(" in step {step}")).unwrap_or_default();
    Some(format!(
        "the worker log ends at {}{step} without `Job completed.`: the worker was killed, or the machine went down",
        shown(last)
    ))
}

/// The last state, and the trouble that led to it when it is the end.
fn states(facts: &Facts<'_>) -> Vec<String> {
    let mut latest = facts.listener.changes.iter().rev();
    let Some(last) = latest.next() else { return Vec::new() };
    let is_end = matches!(last.state, State::Ended(_) | State::Stopping(_));
    let before =
        latest.find(|change| !matches!(change.state, State::Stopping(_))).filter(|_| is_end);
    [before, Some(last)]
        .into_iter()
        .flatten()
        .filter_map(|change| of_state(change, facts))
        .collect()
}

fn of_state(last: &Change, facts: &Facts<'_>) -> Option<String> {
    let since = shown(last.at);
    let for_how_long = facts.listener.last_word.unwrap_or(last.at).max(last.at) - last.at;
    match &last.state {
        State::Conflict => {
            let short = if for_how_long <= SHORT_CONFLICT {
                ": up to four minutes after a restart are normal"
            } else {
                ""
            };
            Some(format!(
                "A session for this runner already exists: another process has held it since {since}, {} long{short}",
                spoken(for_how_long)
            ))
        }
        State::Deregistered => Some(format!(
            "the runner registration has been deleted from the server: refused since {since}"
        )),
        State::Disconnected => {
            let pause = facts
                .listener
                .pause
                .as_ref()
                .map(|p| format!(", the last pause before a new try {p}"))
                .unwrap_or_default();
            Some(format!(
                "no connection to the server since {since}: {} error(s){pause}",
                facts.listener.errors
            ))
        }
        State::Ended(code) => Some(format!(
            "the listener ended at {since} with code {code}: {}",
            listener_exit(*code)
        )),
        State::Stopping(reason) => {
            Some(format!("the listener was asked to stop at {since} ({reason})"))
        }
        State::Refused => Some(format!(
            "the server refuses this runner since {since}: its version, token or permission; the lines below say which"
        )),
        State::Updating => Some(format!("the listener updates itself since {since}")),
        State::Connecting | State::Listening | State::Running | State::JobEnded(_) => None,
    }
}

/// A listener that should speak and does not.
fn silence(facts: &Facts<'_>) -> Option<String> {
    let last = facts.listener.last()?;
    let word = facts.listener.last_word?;
    let silent = facts.until - word;
    let limit = match &last.state {
        // These say themselves why nothing follows.
        State::Stopping(_)
        | State::Ended(_)
        | State::Updating
        | State::Conflict
        | State::Deregistered
        | State::Refused => return gone(facts, word),
        State::Running => LEASE,
        State::Connecting | State::Listening | State::JobEnded(_) | State::Disconnected => {
            SILENT_IDLE
        }
    };
    if facts.process == Process::Gone {
        return gone(facts, word);
    }
    let state = state_word(&last.state);
    (silent > limit).then(|| {
        let alive = if facts.process == Process::Running { "its process runs" } else { "whether its process runs is not visible here" };
        format!("the listener is wedged: its last word was at {}, {} ago, in the state `{state}`; {alive}, and it asks for no job", shown(word), spoken(silent))
    })
}

fn gone(facts: &Facts<'_>, word: i64) -> Option<String> {
    (facts.process == Process::Gone).then(|| {
        format!(
            "the listener is not running: its last word was at {}, and no process of it is left",
            shown(word)
        )
    })
}

/// A state in words.
pub(super) fn state_word(state: &State) -> String {
    match state {
        State::Connecting => "asks for a session".to_owned(),
        State::Conflict => "session conflict".to_owned(),
        State::Listening => "connected, waits for jobs".to_owned(),
        State::Running => "runs a job".to_owned(),
        State::JobEnded(result) => format!("a job ended: {result}"),
        State::Disconnected => "no connection".to_owned(),
        State::Deregistered => "not registered any more".to_owned(),
        State::Refused => "refused by the server".to_owned(),
        State::Updating => "self-update".to_owned(),
        State::Stopping(reason) => format!("asked to stop: {reason}"),
        State::Ended(code) => format!("ended with code {code}"),
    }
}

/// A duration in the two largest units that it has.
pub(super) fn spoken(seconds: i64) -> String {
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    match seconds {
        ..60 => format!("{} s", seconds.max(0)),
        60..3600 => format!("{minutes} min {} s", seconds % 60),
        3600..172_800 => format!("{hours} h {} min", minutes % 60),
        172_800.. => format!("{} d {} h", hours / 24, hours % 24),
    }
}
