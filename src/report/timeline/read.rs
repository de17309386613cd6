//! What the collectors left in the bundle, read as events. Lenient: what is not as expected gives no event.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Lane, ROWS, Severity, TimelineRow};
use crate::redact::{Redacted, Redactor};
use crate::report::{Excerpt, escape};

/// GitHub's list of the jobs and their steps.
const STEPS: &str = "jobs/steps.txt";
/// The states of the listener.
const STATES: &str = "runner-logs/states.txt";
/// The telemetry of the steps in the worker's log.
const WORKER: &str = "runner-logs/steps.json";
/// The snapshot of the metrics, with the alerts.
const SNAPSHOT: &str = "metrics/snapshot.json";

/// Most rows that one source may give.
const MOST: usize = 4 * ROWS;
/// Longest text of an event, in characters.
const TEXT: usize = 240;
/// Longest stamp of a line, in bytes.
const STAMP: usize = 40;

/// Whether [`read`] knows this entry of the bundle.
pub fn is_source(path: &str) -> bool {
    [STEPS, STATES, WORKER, SNAPSHOT].contains(&path)
}

/// The events in an entry of the bundle; none when it is no source.
pub fn read(path: &str, text: &Redacted, redactor: &Redactor) -> Vec<TimelineRow> {
    let mut events = match path {
        STEPS => steps(text.as_str()),
        STATES => states(text.as_str()),
        WORKER => worker(text.as_str()),
        SNAPSHOT => alerts(text.as_str()),
        _ => Vec::new(),
    };
    events.truncate(MOST);
    let row = |(at, lane, words, severity): Event| TimelineRow {
        at,
        lane,
        text: redactor.redact(&escape::cut(&words, TEXT)),
        severity,
    };
    events.into_iter().map(row).collect()
}

/// The failed tasks of a log whose lines carry time stamps: each at the last stamp at or before its line.
pub fn failed_tasks(
    lines: impl Iterator<Item: AsRef<str>>,
    excerpts: &[Excerpt<Redacted>],
) -> Vec<TimelineRow> {
    let mut wanted: BTreeMap<usize, Vec<&Excerpt<Redacted>>> = BTreeMap::new();
    for excerpt in excerpts {
        wanted.entry(excerpt.line).or_default().push(excerpt);
    }
    let Some(last) = wanted.keys().next_back().copied() else { return Vec::new() };
    let mut rows = Vec::new();
    let mut stamped = None;
    for (line, number) in lines.zip(1..=last) {
        stamped = stamp(line.as_ref()).or(stamped);
        let Some(at) = stamped else { continue };
        let row = |excerpt: &&Excerpt<Redacted>| TimelineRow {
            at,
            lane: Lane::Ansible,
            text: excerpt.label.clone(),
            severity: if excerpt.root { Severity::Bad } else { Severity::Look },
        };
        rows.extend(wanted.get(&number).into_iter().flatten().map(row));
        if rows.len() >= MOST {
            break;
        }
    }
    rows
}

/// The gate of the same job: when it began, in seconds since 1970, and what it decided. `report` is the JSON report that it left.
pub fn gate(began: i64, report: &Value, redactor: &Redactor) -> Vec<TimelineRow> {
    let (words, severity) = match report.get("verdict").and_then(Value::as_str) {
        Some("pass") => ("the gate passed", Severity::Info),
        Some("warn") => ("the gate passed with warnings", Severity::Look),
        Some("block") => ("the gate blocked", Severity::Bad),
        Some(_) | None => return Vec::new(),
    };
    let took = report.get("took_ms").and_then(Value::as_i64).unwrap_or(0) / 1000;
    let at = began.saturating_add(took.max(0));
    vec![TimelineRow { at, lane: Lane::Gate, text: redactor.redact(words), severity }]
}

type Event = (i64, Lane, String, Severity);

/// The jobs of `jobs/steps.txt`. GitHub's list gives the times of a job; those of its steps are the job's start and the seconds since.
fn steps(text: &str) -> Vec<Event> {
    let several = text.lines().filter(|line| job_line(line).is_some()).count() > 1;
    let mut events = Vec::new();
    let mut job = JobSoFar::default();
    for line in text.lines() {
        if let Some((name, end)) = job_line(line) {
            let lead = if several { format!("{name}: ") } else { String::new() };
            job = JobSoFar { lead, name, end, ..JobSoFar::default() };
        } else if let Some(runner) = line.strip_prefix("  runner ") {
            job.runner = Some(runner.trim()).filter(|name| *name != "-");
        } else if let Some(at) = line.strip_prefix("  began  ").and_then(whole_stamp) {
            job.at = Some(at);
            let on = job.runner.map(|name| format!(" on runner {name}")).unwrap_or_default();
            events.push((at, Lane::Job, format!("job {} began{on}", job.name), Severity::Info));
        } else if let Some(at) = line.strip_prefix("  ended  ").and_then(whole_stamp) {
            let words = format!("job {} ended: {}", job.name, job.end);
            events.push((at, Lane::Job, words, weight(job.end)));
        } else if let Some(event) = job.step(line) {
            events.push(event);
        }
    }
    events
}

#[derive(Default)]
struct JobSoFar<'a> {
    lead: String,
    name: &'a str,
    end: &'a str,
    runner: Option<&'a str>,
    at: Option<i64>,
}

impl JobSoFar<'_> {
    /// `    4  failure           240  Run ansible-playbook`, as an event at its end.
    fn step(&mut self, line: &str) -> Option<Event> {
        let (number, rest) = line.strip_prefix("  ")?.trim_start().split_once("  ")?;
        number.parse::<u64>().ok()?;
        let (state, rest) = rest.split_once(' ')?;
        let (took, name) = rest.trim_start().split_once("  ")?;
        let at = self.at?.saturating_add(took.parse().unwrap_or(0));
        self.at = Some(at);
        if state == "skipped" || state == "pending" || state == "queued" {
            return None;
        }
        Some((at, Lane::Job, format!("{}{}", self.lead, step_words(name, state)), weight(state)))
    }
}

/// `job "NAME" (id N): END`.
fn job_line(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.strip_prefix("job \"")?.rsplit_once("\" (id ")?;
    Some((name, rest.split_once("): ")?.1))
}

fn step_words(name: &str, state: &str) -> String {
    let word = match state {
        "success" | "succeeded" => "done",
        "failure" | "failed" => "failed",
        other => other,
    };
    format!("step \u{201c}{name}\u{201d}: {word}")
}

fn weight(state: &str) -> Severity {
    match state {
        "failure" | "failed" | "timed_out" | "startup_failure" => Severity::Bad,
        "cancelled" | "abandoned" => Severity::Look,
        _ => Severity::Info,
    }
}

/// `2026-01-31 03:00:01Z  runs a job  (FILE:LINE)` in the section of the listener's states.
fn states(text: &str) -> Vec<Event> {
    let section = text.split_once("# States of the listener\n").map_or("", |(_, rest)| rest);
    let lines = section.lines().take_while(|line| !line.starts_with('#'));
    let event = |line: &str| {
        let (at, rest) = line.split_once("  ")?;
        let words = rest.rsplit_once("  (").map_or(rest, |(words, _)| words);
        Some((whole_stamp(at)?, Lane::Runner, words.to_owned(), state_weight(words)))
    };
    lines.filter_map(event).collect()
}

fn state_weight(words: &str) -> Severity {
    let begins = |all: &[&str]| all.iter().any(|lead| words.starts_with(lead));
    if begins(&["not registered", "refused", "a job ended: Failed", "a job ended: Abandoned"]) {
        Severity::Bad
    } else if begins(&[
        "session conflict",
        "no connection",
        "asked to stop",
        "self-update",
        "ended",
    ]) {
        Severity::Look
    } else {
        Severity::Info
    }
}

fn worker(text: &str) -> Vec<Event> {
    #[derive(Deserialize)]
    struct Telemetry {
        #[serde(default)]
        steps: Vec<Step>,
    }
    #[derive(Deserialize)]
    struct Step {
        name: String,
        result: String,
        started: String,
        seconds: f64,
    }
    let read = serde_json::from_str::<Telemetry>(text).map(|read| read.steps).unwrap_or_default();
    let event = |step: Step| {
        let at = whole_stamp(&step.started)?.saturating_add(whole(step.seconds));
        let words = step_words(&step.name, &step.result);
        (step.result != "skipped").then(|| (at, Lane::Job, words, weight(&step.result)))
    };
    read.into_iter().filter_map(event).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and a step takes no year")]
fn whole(seconds: f64) -> i64 {
    seconds.clamp(0.0, 31_536_000.0) as i64
}

fn alerts(text: &str) -> Vec<Event> {
    #[derive(Deserialize)]
    struct Snapshot {
        #[serde(default)]
        alerts: Value,
    }
    let read = serde_json::from_str::<Snapshot>(text).map(|read| read.alerts).unwrap_or_default();
    let event = |alert: &Value| {
        let at = alert.get("since")?.as_i64()?;
        let word = |pointer| alert.pointer(pointer).and_then(Value::as_str);
        let name = word("/labels/alertname")?;
        let about = word("/annotations/summary").map(|said| format!(": {said}"));
        let severity = match word("/labels/severity") {
            Some("critical" | "page") => Severity::Bad,
            Some(_) | None => Severity::Look,
        };
        Some((at, Lane::Alert, format!("{name} fires{}", about.unwrap_or_default()), severity))
    };
    alerts_of(&read).iter().filter_map(event).collect()
}

fn alerts_of(read: &Value) -> &[Value] {
    read.as_array().map_or(&[], Vec::as_slice)
}

/// Whether lines of this text carry time stamps.
pub(super) fn is_stamped(text: &str) -> bool {
    text.lines().any(|line| stamp(line).is_some())
}

/// The time stamp that a line begins with, in seconds since 1970.
fn stamp(line: &str) -> Option<i64> {
    let line = line.trim_start_matches('\u{feff}');
    let head: &str = line.get(..line.len().min(STAMP)).unwrap_or_default();
    let end = head.find('Z')?;
    whole_stamp(head.get(..=end)?)
}

fn whole_stamp(text: &str) -> Option<i64> {
    let text = text.trim();
    let so = text.len() <= STAMP && text.starts_with(|c: char| c.is_ascii_digit());
    so.then(|| text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second))?
}
