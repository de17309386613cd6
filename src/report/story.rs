//! What a report says first, whatever the place: the headline, what to do now, the findings in the order in which they matter.
//!
//! Escapes nothing: it keeps our own words apart from foreign ones ([`Piece`]), and each renderer treats them by the rules of its place.

use std::collections::BTreeSet;

use super::units::count;
use super::{
    BlockClass, Candidate, Collected, Diagnosis, Excerpt, Finding, Reason, Report, Stage, Status,
    Verdict,
};
use crate::redact::Redacted;

/// Most steps under "What to do now".
const STEPS: usize = 3;

/// A part of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Constant words, ids and numbers.
    Own(String),
    /// A stable id that deserves to be seen.
    Id(&'a str),
    /// A sentence of ours in which a foreign name may stand.
    Prose(&'a str),
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
    /// The runbook's stem, when there is one.
    pub(super) runbook: Option<&'a str>,
}

/// A finding and whether it is a reason for the block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    /// The finding.
    pub(super) finding: &'a Finding,
    /// Whether the verdict names it.
    pub(super) blocks: bool,
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
            report.verdict.iter().flat_map(Verdict::reasons).map(reason_step).collect()
        }
        (Stage::Diagnose, Some(best)) => remedies(best),
        (Stage::Diagnose, None) if is_quiet(report) => Vec::new(),
        (Stage::Diagnose, None) => probes(report),
    };
    all.dedup_by(|a, b| a.pieces == b.pieces);
    all.truncate(STEPS);
    all
}

/// All findings: what blocks first, then by answer (fail, unknown, warn, pass, skipped), else in the order of the report.
pub(super) fn ordered(report: &Report) -> Vec<Row<'_>> {
    let blocking: BTreeSet<_> = match &report.verdict {
        Some(Verdict::Block { by, .. }) => {
            by.iter().map(|r| (r.check, r.runner.as_ref())).collect()
        }
        Some(Verdict::Proceed | Verdict::ProceedWithWarnings(_)) | None => BTreeSet::new(),
    };
    let row = |finding: &'static str, runner| blocking.contains(&(finding, runner));
    let mut rows: Vec<_> = report
        .findings
        .iter()
        .map(|finding| Row { finding, blocks: row(finding.check, finding.runner.as_ref()) })
        .collect();
    rows.sort_by_key(|row| (!row.blocks, weight(row.finding.status)));
    rows
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
    known.flat_map(|(words, name)| [own(words), Piece::Foreign(name.as_str())]).collect()
}

/// A confidence in whole percent.
pub(super) fn percent(confidence: f64) -> String {
    format!("{:.0}", confidence.clamp(0.0, 1.0) * 100.0)
}

/// The failure to show when no cause is known: the last root failure, else the last one.
pub(super) fn last_error(report: &Report) -> Option<&Excerpt<Redacted>> {
    report.failures.iter().rev().find(|f| f.root).or(report.failures.last())
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
    if let Some(first) = by.first() {
        pieces.push(match class {
            BlockClass::Failed => Piece::Own(format!(": {}", first.check)),
            BlockClass::Unknown => Piece::Own(format!(": no answer to {}", first.check)),
            BlockClass::NoRunner => own(": no eligible runner"),
        });
        pieces.extend(about(first.runner.as_ref()));
        pieces.extend([own(": "), Piece::Foreign(first.summary.as_str())]);
    }
    if let Some(more) = by.len().checked_sub(1).filter(|n| *n > 0) {
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
    [Piece::Prose(&best.title)].into_iter().chain(subject.into_iter().flatten()).collect()
}

fn behind<'a>(words: &str, text: &'a Redacted) -> [Piece<'a>; 2] {
    [own(words), Piece::Foreign(text.as_str())]
}

fn reason_step(reason: &Reason) -> Step<'_> {
    let mut pieces = vec![Piece::Id(reason.check)];
    pieces.extend(about(reason.runner.as_ref()));
    pieces.push(own(": "));
    pieces.push(match (&reason.help, reason.status) {
        (Some(help), _) => Piece::Prose(help.as_str()),
        (None, Status::Unknown) => own("find out why there is no answer"),
        (None, Status::Fail | Status::Warn | Status::Pass | Status::Skipped) => {
            own("follow the runbook")
        }
    });
    Step { pieces, runbook: Some(reason.runbook).filter(|r| !r.is_empty()) }
}

fn remedies(best: &Diagnosis) -> Vec<Step<'_>> {
    let runbook = Some(best.runbook.as_str()).filter(|r| !r.is_empty());
    let mut steps: Vec<_> = best
        .remediation
        .iter()
        .map(|line| Step { pieces: vec![Piece::Prose(line)], runbook: None })
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
                Piece::Prose(reason.as_str()),
            ],
            runbook: None,
        }),
        Collected::Ok { .. } | Collected::Failed(_) | Collected::TimedOut => None,
    }));
    steps
}

fn about(runner: Option<&Redacted>) -> Vec<Piece<'_>> {
    runner.map(|name| vec![own(" on "), Piece::Foreign(name.as_str())]).unwrap_or_default()
}

fn weight(status: Status) -> u8 {
    match status {
        Status::Fail => 0,
        Status::Unknown => 1,
        Status::Warn => 2,
        Status::Pass => 3,
        Status::Skipped => 4,
    }
}

/// The words of a candidate's lot: chosen, eligible, or why not.
pub(super) fn lot(candidate: &Candidate) -> String {
    if candidate.chosen {
        return "chosen".to_owned();
    }
    if candidate.why_not.is_empty() {
        return "eligible, stands behind the chosen one".to_owned();
    }
    candidate.why_not.iter().map(Redacted::as_str).collect::<Vec<_>>().join("; ")
}

fn own(words: &str) -> Piece<'static> {
    Piece::Own(words.to_owned())
}
