//! What a report says first, whatever the place: the headline, what to do now, the findings in the order in which they matter.
//!
//! Escapes nothing: it keeps our own words apart from foreign ones ([`Piece`]), and each renderer treats them by the rules of its place.

use std::borrow::Cow;
use std::collections::HashMap;

use super::rows::{self, Alike, Shared};
use super::units::{clock, count, thousands};
use super::{
    ApiUse, BlockClass, Candidate, Collected, Diagnosis, Excerpt, Reason, Report, Stage, Status,
    Verdict,
};
use crate::redact::Redacted;

/// Most steps under "What to do now".
const STEPS: usize = 3;

/// Most runners that a sentence names.
const RUNNERS: usize = 4;

/// Most obstacles that the lot of a candidate names.
const OBSTACLES: usize = 2;

/// A part of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Constant words, ids and numbers.
    Own(String),
    /// A stable id that deserves to be seen.
    Id(&'a str),
    /// A sentence of ours in which a foreign name may stand.
    Prose(Cow<'a, str>),
    /// Text from outside.
    Foreign(&'a str),
}

/// What kind of headline it is; decides colour and sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// All is well.
    Good,
    /// Look at it.
    Look,
    /// The gate is shut.
    Shut,
    /// Something failed.
    Bad,
    /// Nobody knows.
    Open,
}

/// The first line of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Headline<'a> {
    /// Its kind.
    pub(super) mark: Mark,
    /// Its words.
    pub(super) pieces: Vec<Piece<'a>>,
}

/// One thing to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step<'a> {
    /// Its words.
    pub(super) pieces: Vec<Piece<'a>>,
    /// The runbook's stem and anchor, when there is one.
    pub(super) runbook: Option<String>,
}

/// The first line.
pub(super) fn headline(report: &Report) -> Headline<'_> {
    match report.stage {
        Stage::Preflight => gate(report),
        Stage::Diagnose => outcome(report),
    }
}

/// What to do now, the most urgent first, at most three; empty when there is nothing to do.
pub(super) fn steps(report: &Report) -> Vec<Step<'_>> {
    let mut all = match (report.stage, report.diagnoses.first()) {
        (Stage::Preflight, _) => {
            let reasons = report.verdict.iter().flat_map(Verdict::reasons);
            rows::shared(reasons, Alike::Help).iter().map(reason_step).collect()
        }
        (Stage::Diagnose, Some(best)) => remedies(best),
        (Stage::Diagnose, None) if is_quiet(report) => Vec::new(),
        (Stage::Diagnose, None) => probes(report),
    };
    all.dedup_by(|a, b| a.pieces == b.pieces);
    all.truncate(STEPS);
    all
}

/// Which job it was, as one sentence without an end; what is not known is left out.
pub(super) fn context(report: &Report) -> Vec<Piece<'_>> {
    let job = &report.job;
    let told = [
        ("job ", &job.job),
        (" of ", &job.workflow),
        (" in ", &job.repository),
        (" on runner ", &job.runner),
        (" for environment ", &job.environment),
    ];
    let known = told.into_iter().filter(|(_, name)| !name.as_str().is_empty());
    let mut pieces: Vec<_> =
        known.flat_map(|(words, name)| [own(words), Piece::Foreign(name.as_str())]).collect();
    // Whatever stands first begins the sentence.
    if let Some(Piece::Own(words)) = pieces.first_mut() {
        *words = words.trim_start().to_owned();
    }
    pieces
}

/// How many questions were asked and what came of them; blank when there was none.
pub(super) fn tally(report: &Report) -> String {
    let parts = rows::tally(report).into_iter().map(|(n, status)| match status {
        Status::Fail => format!("{n} failed"),
        Status::Unknown => format!("{n} without an answer"),
        Status::Warn => format!("{n} to look at"),
        Status::Pass => format!("{n} passed"),
        Status::Skipped => format!("{n} skipped"),
    });
    let parts: Vec<_> = parts.collect();
    match report.findings.len() {
        0 => String::new(),
        asked => format!("{}: {}", count(asked, "question"), parts.join(", ")),
    }
}

/// What the GitHub API cost.
pub(super) fn api(api: &ApiUse) -> Vec<Piece<'_>> {
    let calls = count(usize::try_from(api.calls).unwrap_or(usize::MAX), "call");
    let mut pieces =
        vec![Piece::Own(format!("GitHub API: {calls} as ")), prose(api.identity.as_str())];
    if api.not_modified > 0 {
        pieces.push(Piece::Own(format!(" ({} of them free)", api.not_modified)));
    }
    if let Some(left) = api.remaining {
        let limit = api.limit.map(|limit| format!(" of {}", thousands(limit))).unwrap_or_default();
        let until = api.reset.map(|at| format!(" until {} UTC", clock(at))).unwrap_or_default();
        pieces.push(Piece::Own(format!(", {}{limit} left{until}", thousands(left))));
    }
    pieces
}

/// The names of runners, as `a, b and c`; of many the first ones.
pub(super) fn names<'a>(runners: &[&'a str]) -> Vec<Piece<'a>> {
    let (shown, more) = runners.split_at(runners.len().min(RUNNERS));
    let mut pieces = Vec::new();
    for (place, name) in shown.iter().enumerate() {
        if place > 0 {
            let last = place + 1 == shown.len() && more.is_empty();
            pieces.push(own(if last { " and " } else { ", " }));
        }
        pieces.push(Piece::Foreign(name));
    }
    if !more.is_empty() {
        pieces.push(Piece::Own(format!(" and {} more", more.len())));
    }
    pieces
}

/// Why another candidate than the first was chosen, as one sentence; nothing when that did not happen.
pub(super) fn fail_over(report: &Report) -> Option<Vec<Piece<'_>>> {
    let selection = report.selection.as_ref().filter(|s| s.failed_over())?;
    let (first, chosen) = (selection.candidates.first()?, selection.chosen()?);
    let why = first.why_not.first().map_or("see the candidates", Redacted::as_str);
    Some(vec![
        own("failed over from "),
        Piece::Foreign(first.name.as_str()),
        own(" to "),
        Piece::Foreign(chosen.name.as_str()),
        own(": "),
        prose(why),
    ])
}

/// A confidence in whole percent.
pub(super) fn percent(confidence: f64) -> String {
    format!("{:.0}", confidence.clamp(0.0, 1.0) * 100.0)
}

/// The failure to show when no cause is known: the last root failure, else the last one.
pub(super) fn last_error(report: &Report) -> Option<&Excerpt<Redacted>> {
    report.failures.iter().rev().find(|f| f.root).or(report.failures.last())
}

/// The failures without repeats, each with how often it was seen: the jobs of a matrix often fail alike, and one job's output may lie in
/// two logs.
pub(super) fn merged(failures: &[Excerpt<Redacted>]) -> Vec<(&Excerpt<Redacted>, usize)> {
    let mut place = HashMap::new();
    let mut all: Vec<(&Excerpt<Redacted>, usize)> = Vec::new();
    for failure in failures {
        let alike = (failure.root, failure.label.as_str(), failure.text.as_str());
        let at = *place.entry(alike).or_insert(all.len());
        match all.get_mut(at) {
            Some((_, seen)) => *seen += 1,
            None => all.push((failure, 1)),
        }
    }
    all
}

/// Where the bundle lies, as who reads the report finds it: words, and the path behind them.
pub(super) fn lies(path: &str) -> (&'static str, &str) {
    const TEMPORARY: [&str; 2] = ["/github/runner_temp/", "/_work/_temp/"];
    if let Some(rest) = path.strip_prefix("/github/workspace/") {
        return ("In the workspace", rest);
    }
    let inside = TEMPORARY.iter().find_map(|folder| path.split_once(folder));
    match inside {
        Some((_, rest)) => {
            ("In the runner's temporary folder, which is emptied after the job", rest)
        }
        None if path.starts_with('/') => ("On the machine of the job", path),
        None => ("In the working directory", path),
    }
}

/// Whether the black box found nothing that anybody would call a failure.
pub(super) fn is_quiet(report: &Report) -> bool {
    report.diagnoses.is_empty()
        && report.failures.is_empty()
        && matches!(report.job_status.as_deref(), Some("success"))
}

/// What the sentence about another run of the job says.
pub(super) fn retry_advice(diagnosis: &Diagnosis) -> &'static str {
    match diagnosis.retryable.as_str() {
        "yes" => "running the job again may be enough",
        "never-auto" => "do not run the job again before somebody looked at the target",
        _ => "run the job again only after the fix",
    }
}

fn gate(report: &Report) -> Headline<'_> {
    match &report.verdict {
        None => Headline {
            mark: Mark::Open,
            pieces: vec![own(
                "Gate has no decision: the run ended before every question was asked",
            )],
        },
        Some(Verdict::Proceed) => allowed(report, Mark::Good, "Gate passed"),
        Some(Verdict::ProceedWithWarnings(warnings)) => allowed(
            report,
            Mark::Look,
            &format!("Gate passed with {}", count(warnings.len(), "warning")),
        ),
        Some(Verdict::Block { by, class, .. }) => blocked(report, by, *class),
    }
}

fn allowed<'a>(report: &'a Report, mark: Mark, lead: &str) -> Headline<'a> {
    let mut pieces = vec![Piece::Own(format!("{lead}: deploy may run"))];
    let selection = report.selection.as_ref();
    if let Some(chosen) = selection.and_then(|s| s.chosen()) {
        pieces.extend([own(" on "), Piece::Foreign(chosen.name.as_str())]);
    }
    if let Some(first) = selection.filter(|s| s.failed_over()).and_then(|s| s.candidates.first()) {
        pieces.extend([own(", failed over from "), Piece::Foreign(first.name.as_str())]);
    }
    Headline { mark, pieces }
}

fn blocked<'a>(report: &Report, by: &'a [Reason], class: BlockClass) -> Headline<'a> {
    let (mark, lead) = if report.shadow {
        (Mark::Look, "Gate would have blocked (shadow mode)")
    } else {
        (Mark::Shut, "Gate blocked")
    };
    let mut pieces = vec![own(lead)];
    let all = rows::shared(by, Alike::Answer);
    if let Some(first) = all.first() {
        pieces.push(match class {
            BlockClass::Failed => Piece::Own(format!(": {}", first.reason.check)),
            BlockClass::Unknown => Piece::Own(format!(": no answer to {}", first.reason.check)),
            BlockClass::NoRunner => own(": no eligible runner"),
        });
        pieces.extend(about(&first.runners));
        pieces.extend([own(": "), Piece::Prose(first.summary.clone())]);
    }
    if let Some(more) = all.len().checked_sub(1).filter(|n| *n > 0) {
        pieces.push(Piece::Own(format!(" (and {})", count(more, "more reason"))));
    }
    Headline { mark, pieces }
}

fn outcome(report: &Report) -> Headline<'_> {
    if is_quiet(report) {
        return Headline {
            mark: Mark::Good,
            pieces: vec![own("Job succeeded: nothing to explain")],
        };
    }
    let nothing = report.diagnoses.is_empty() && report.failures.is_empty();
    if nothing && report.job_status.is_none() {
        let words = "Job status is unknown, and no failure was found in the evidence";
        return Headline { mark: Mark::Open, pieces: vec![own(words)] };
    }
    let (mark, lead) = match report.job_status.as_deref() {
        Some("success") => (Mark::Look, "Job is green, but something failed"),
        Some("cancelled") => (Mark::Bad, "Deploy was cancelled"),
        Some(_) | None => (Mark::Bad, "Deploy failed"),
    };
    let mut pieces = vec![Piece::Own(format!("{lead}: "))];
    pieces.extend(cause(report));
    Headline { mark, pieces }
}

fn cause(report: &Report) -> Vec<Piece<'_>> {
    let Some(best) = report.diagnoses.first() else {
        let error = last_error(report).map(|e| behind("; last error: ", &e.label));
        return [own("no known cause matched")]
            .into_iter()
            .chain(error.into_iter().flatten())
            .collect();
    };
    let subject = best.subject.as_ref().map(|s| behind(": ", s));
    [prose(&best.title)].into_iter().chain(subject.into_iter().flatten()).collect()
}

fn behind<'a>(words: &str, text: &'a Redacted) -> [Piece<'a>; 2] {
    [own(words), Piece::Foreign(text.as_str())]
}

fn reason_step<'a>(shared: &Shared<'a>) -> Step<'a> {
    let reason = shared.reason;
    let mut pieces = vec![Piece::Id(reason.check)];
    pieces.extend(about(&shared.runners));
    pieces.push(own(": "));
    pieces.push(match (&shared.help, reason.status) {
        (Some(help), _) => Piece::Prose(help.clone()),
        (None, Status::Unknown) => own("find out why there is no answer"),
        (None, Status::Fail | Status::Warn | Status::Pass | Status::Skipped) => {
            own("follow the runbook")
        }
    });
    Step { pieces, runbook: place(reason.runbook, reason.check) }
}

/// Where a runbook speaks of a check; what no check says (the selection) has no section of its own.
pub(super) fn place(runbook: &str, check: &str) -> Option<String> {
    match (runbook, check) {
        ("", _) => None,
        (_, "selection") => Some(runbook.to_owned()),
        _ => Some(format!("{runbook}#{check}")),
    }
}

fn remedies(best: &Diagnosis) -> Vec<Step<'_>> {
    let runbook = place(&best.runbook, &best.id);
    let mut steps: Vec<_> = best
        .remediation
        .iter()
        .map(|line| Step { pieces: vec![prose(line)], runbook: None })
        .collect();
    match steps.first_mut() {
        Some(first) => first.runbook = runbook,
        None => steps.push(Step { pieces: vec![own("Follow the runbook")], runbook }),
    }
    steps
}

/// What makes the next failure explainable: the lines that skipped collectors ask for.
fn probes(report: &Report) -> Vec<Step<'_>> {
    let first = match last_error(report) {
        Some(_) => own("Read the last error below, then the lines before it in the bundle"),
        None => own(
            "Read the end of the job's log: no part of the evidence holds an error that could be read",
        ),
    };
    let mut steps = vec![Step { pieces: vec![first], runbook: None }];
    steps.extend(report.collected.iter().filter_map(|row| match &row.collected {
        Collected::Skipped(reason) => Some(Step {
            pieces: vec![
                Piece::Own(format!("For the next time, {}: ", row.collector)),
                prose(reason.as_str()),
            ],
            runbook: None,
        }),
        Collected::Ok { .. } | Collected::Failed(_) | Collected::TimedOut => None,
    }));
    steps
}

fn about<'a>(runners: &[&'a str]) -> Vec<Piece<'a>> {
    if runners.is_empty() {
        return Vec::new();
    }
    [own(" on ")].into_iter().chain(names(runners)).collect()
}

/// The words of a candidate's lot: chosen, eligible, or why not.
pub(super) fn lot(candidate: &Candidate) -> String {
    if candidate.chosen {
        return "chosen".to_owned();
    }
    if candidate.why_not.is_empty() {
        return "eligible, stands behind the chosen one".to_owned();
    }
    let (shown, more) = candidate.why_not.split_at(candidate.why_not.len().min(OBSTACLES));
    let shown = shown.iter().map(Redacted::as_str).collect::<Vec<_>>().join("; ");
    if more.is_empty() { shown } else { format!("{shown}; and {} more", more.len()) }
}

fn own(words: &str) -> Piece<'static> {
    Piece::Own(words.to_owned())
}

fn prose(words: &str) -> Piece<'_> {
    Piece::Prose(Cow::Borrowed(words))
}
