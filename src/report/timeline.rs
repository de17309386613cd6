//! When what happened: the steps of the job, the states of the listener, failed tasks, alerts and the marks of the charts, in one order of
//! time. Pure: it reads what the collectors left in the bundle and asks nobody. What has no time of its own gets none and is not here.

mod read;

#[cfg(test)]
mod tests;

use std::io::BufRead;

use super::chart::Chart;
use super::{Evidence, Report};
use crate::redact::{Redacted, Redactor};

pub use read::{failed_tasks, gate, is_source, read};

/// Most rows of a timeline.
pub const ROWS: usize = 80;

/// How long before the job's first word a state of the listener still matters, in seconds.
const BEFORE: i64 = 3600;

/// How far apart two sources may put the same event, in seconds.
const SAME: i64 = 5;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineRow {
    /// When, in seconds since 1970.
    pub at: i64,
    /// Who tells it.
    pub lane: Lane,
    /// What happened, in one line.
    pub text: Redacted,
    /// How much it weighs.
    pub severity: Severity,
}

/// Whose event it is; the order is that of the lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// The gate before the deploy.
    Gate,
    /// The job and its steps, as GitHub or the runner knows them.
    Job,
    /// The listener and the worker of the runner.
    Runner,
    /// Tasks of Ansible.
    Ansible,
    /// Alerts that fire.
    Alert,
    /// Marks of the charts.
    Metrics,
}

impl Lane {
    /// All lanes in their order.
    pub const ALL: [Self; 6] =
        [Self::Gate, Self::Job, Self::Runner, Self::Ansible, Self::Alert, Self::Metrics];

    /// Its name.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Gate => "gate",
            Self::Job => "job",
            Self::Runner => "runner",
            Self::Ansible => "ansible",
            Self::Alert => "alert",
            Self::Metrics => "metrics",
        }
    }
}

/// How much an event weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It happened as it should.
    Info,
    /// Worth a look.
    Look,
    /// Something failed.
    Bad,
}

impl Severity {
    /// Its word in the JSON report.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Look => "warn",
            Self::Bad => "fail",
        }
    }
}

/// Most of a source that is read, in bytes.
const SOURCE: usize = 4 << 20;

/// The timeline of a bundle: every source in it, the failed tasks of logs with time stamps, the marks of the charts.
pub fn of(
    evidence: &[Evidence<Redacted>],
    charts: &[Chart],
    redactor: &Redactor,
) -> Vec<TimelineRow> {
    let of_one = |one: &Evidence<Redacted>| {
        let path = one.path.as_str();
        let mut rows = Vec::new();
        if is_source(path) {
            rows.extend(read(path, &one.text.text(SOURCE), redactor));
        }
        let failed = one.excerpts.as_deref().filter(|all| !all.is_empty());
        // A log whose end has no times has none: it is not read for nothing.
        if let Some(excerpts) = failed.filter(|_| read::is_stamped(one.text.tail().as_str())) {
            // What can not be unpacked again has no times.
            let tasks = one.text.read(|text| Ok(failed_tasks(beginnings(text), excerpts)));
            rows.extend(tasks.unwrap_or_default());
        }
        rows
    };
    ordered(evidence.iter().flat_map(of_one).chain(of_charts(charts, redactor)).collect())
}

/// Most of a line that is kept: its time stamp stands in front, in bytes.
const BEGINNING: usize = 128;

/// The beginnings of the lines of a text; a line of any length costs no more memory than a short one.
fn beginnings(text: &mut dyn BufRead) -> impl Iterator<Item = String> {
    std::iter::from_fn(move || {
        let mut line: Option<Vec<u8>> = None;
        loop {
            let piece = text.fill_buf().ok()?;
            if piece.is_empty() {
                return line.map(|line| String::from_utf8_lossy(&line).into_owned());
            }
            let end = piece.iter().position(|byte| *byte == b'\n');
            let (used, part) = end
                .map_or((piece.len(), piece), |at| (at + 1, piece.get(..at).unwrap_or_default()));
            let kept = line.get_or_insert_default();
            let room = BEGINNING.saturating_sub(kept.len()).min(part.len());
            kept.extend_from_slice(part.get(..room).unwrap_or_default());
            text.consume(used);
            if end.is_some() {
                return line.map(|line| String::from_utf8_lossy(&line).into_owned());
            }
        }
    })
}

/// The marks of the charts: when the job began, and the failure at their end.
pub fn of_charts(charts: &[Chart], redactor: &Redactor) -> Vec<TimelineRow> {
    let Some(chart) = charts.first() else { return Vec::new() };
    let row = |at, words, severity| TimelineRow {
        at,
        lane: Lane::Metrics,
        text: redactor.redact(words),
        severity,
    };
    let began = chart.job.map(|at| row(at, "the job started (mark of the charts)", Severity::Info));
    let end = row(chart.end(), "the charts end: the time of the failure", Severity::Bad);
    began.into_iter().chain([end]).collect()
}

/// The rows in the order of time, each event once, at most [`ROWS`]: what weighs least and is oldest is given up first.
pub fn ordered(mut rows: Vec<TimelineRow>) -> Vec<TimelineRow> {
    let begin = rows.iter().filter(|row| row.lane == Lane::Job).map(|row| row.at).min();
    rows.retain(|row| {
        row.lane != Lane::Runner || begin.is_none_or(|at| row.at >= at.saturating_sub(BEFORE))
    });
    rows.sort_by_key(|row| (row.at, row.lane));
    let mut kept: Vec<TimelineRow> = Vec::new();
    for row in rows {
        let near = kept.iter().rev().take_while(|old| old.at >= row.at.saturating_sub(SAME));
        if !near.into_iter().any(|old| old.lane == row.lane && old.text == row.text) {
            kept.push(row);
        }
    }
    let mut by_weight: Vec<(Severity, i64)> =
        kept.iter().map(|row| (row.severity, row.at)).collect();
    by_weight.sort_unstable_by(|a, b| b.cmp(a));
    if let Some(least) = by_weight.get(ROWS - 1).copied() {
        kept.retain(|row| (row.severity, row.at) >= least);
        kept.truncate(ROWS);
    }
    kept
}

/// Whether the timeline spans more than a day, so that a time of day alone would mislead.
pub(super) fn needs_days(report: &Report) -> bool {
    let days = |row: Option<&TimelineRow>| row.map(|row| row.at.div_euclid(86_400));
    days(report.timeline.first()) != days(report.timeline.last())
}

/// `14:05:09`, with the day in front when `days` says so; UTC.
pub(super) fn time(report: &Report, at: i64) -> String {
    let format = if needs_days(report) { "%Y-%m-%d %H:%M:%S" } else { "%H:%M:%S" };
    jiff::Timestamp::from_second(at)
        .map_or_else(|_| "at no time that can be".to_owned(), |at| at.strftime(format).to_string())
}
