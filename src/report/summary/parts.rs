//! The parts of a summary as data for the templates: which there are, where they stand and what they are worth.
//!
//! Escapes nothing; the templates' functions do.

use serde_json::{Value, json};

use super::sign;
use crate::redact::Redacted;
use crate::report::escape::{self, Place};
use crate::report::story::{self, Piece, Row};
use crate::report::units::{count, millis};
use crate::report::{
    BundleRow, Collected, CollectedRow, Diagnosis, Excerpt, Report, Stage, Status,
};

/// Up to this many findings stand in one open table; above it, those that passed are folded.
const OPEN: usize = 20;

/// Lines of evidence shown for a cause.
const EVIDENCE: usize = 5;

/// One part.
pub(super) struct Part {
    /// What it is called when it is left out.
    pub(super) name: &'static str,
    /// The template's name.
    pub(super) template: &'static str,
    /// Where it stands.
    pub(super) place: u8,
    /// What it is worth: the lowest is kept longest.
    pub(super) rank: u8,
    /// Its rows; a part without rows is not shown.
    pub(super) rows: Vec<Value>,
}

impl Part {
    /// What the template sees: the first `rows` rows, how many there are and how many are missing.
    pub(super) fn data(&self, rows: usize) -> Value {
        let shown: Vec<_> = self.rows.iter().take(rows).collect();
        json!({"rows": shown, "total": self.rows.len(), "more": self.rows.len() - shown.len()})
    }
}

/// Hosts that links may lead to: the server's and the runbooks'.
pub(super) fn hosts(report: &Report) -> Vec<String> {
    [&report.job.run_url, &report.runbooks].into_iter().filter_map(|to| escape::host(to)).collect()
}

/// The headline and the line about the job.
pub(super) fn head(report: &Report) -> Value {
    let headline = story::headline(report);
    json!({
        "sign": sign(headline.mark),
        "pieces": pieces(&headline.pieces),
        "partial": report.partial,
        "shadow": report.shadow,
        "context": pieces(&story::context(report)),
        "run": report.job.run_url,
        "took": millis(report.took),
    })
}

/// All parts that have something to say.
pub(super) fn all(report: &Report) -> Vec<Part> {
    let (findings, passed) = findings(report);
    let all = vec![
        part("what to do now", "do_now", 1, 1, do_now(report)),
        part("findings", "findings", 2, 2, findings),
        part(
            "the cause",
            "cause",
            2,
            2,
            report.diagnoses.iter().take(1).map(|d| cause(report, d)).collect(),
        ),
        part("the last error", "unknown_cause", 2, 2, unknown_cause(report)),
        part(
            "notes",
            "notes",
            3,
            4,
            report.notes.iter().map(|n| json!({"text": n.as_str()})).collect(),
        ),
        part("candidates", "candidates", 4, 5, candidates(report)),
        part(
            "other causes",
            "other_causes",
            5,
            6,
            report.diagnoses.iter().skip(1).map(|d| cause(report, d)).collect(),
        ),
        part("failures", "failures", 6, 7, failures(report)),
        part("collectors", "collectors", 7, 8, report.collected.iter().map(collector).collect()),
        part("findings that passed", "passed", 8, 9, passed),
        part("observations", "observations", 9, 10, observations(report)),
        part("timings", "timings", 10, 11, timings(report)),
        part("the bundle", "bundle", 11, 3, report.bundle.iter().map(bundle).collect()),
    ];
    all.into_iter().filter(|part| !part.rows.is_empty()).collect()
}

fn part(name: &'static str, template: &'static str, place: u8, rank: u8, rows: Vec<Value>) -> Part {
    Part { name, template, place, rank, rows }
}

fn do_now(report: &Report) -> Vec<Value> {
    let row = |(place, step): (usize, story::Step<'_>)| {
        let runbook = step.runbook.map(|stem| runbook(report, stem));
        json!({"place": place + 1, "pieces": pieces(&step.pieces), "runbook": runbook})
    };
    story::steps(report).into_iter().enumerate().map(row).collect()
}

/// The open rows and the folded ones.
fn findings(report: &Report) -> (Vec<Value>, Vec<Value>) {
    let rows = story::ordered(report);
    let few = rows.len() <= OPEN;
    let quiet = |row: &Row<'_>| matches!(row.finding.status, Status::Pass | Status::Skipped);
    let (folded, open): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| !few && quiet(row));
    let all = |rows: Vec<Row<'_>>| rows.into_iter().map(|row| finding(report, row)).collect();
    (all(open), all(folded))
}

fn finding(report: &Report, row: Row<'_>) -> Value {
    let finding = row.finding;
    json!({
        "sign": if row.blocks { sign(story::Mark::Shut) } else { status_sign(finding.status) },
        "word": finding.status.word(),
        "check": finding.check,
        "runbook": runbook(report, finding.runbook),
        "runner": optional(finding.runner.as_ref()),
        "summary": finding.summary.as_str(),
        "took": millis(finding.took),
    })
}

fn cause(report: &Report, diagnosis: &Diagnosis) -> Value {
    json!({
        "title": diagnosis.title,
        "subject": optional(diagnosis.subject.as_ref()),
        "certainty": diagnosis.certainty().word(),
        "percent": story::percent(diagnosis.confidence),
        "id": diagnosis.id,
        "category": diagnosis.category,
        "retry": story::retry_advice(diagnosis),
        "runbook": runbook(report, &diagnosis.runbook),
        "evidence": evidence(diagnosis),
    })
}

fn evidence(diagnosis: &Diagnosis) -> String {
    let line = |e: &crate::report::EvidenceLine| {
        format!("{}:{}: {}", e.path, e.line, escape::one_line(e.text.as_str(), escape::LINE))
    };
    diagnosis.evidence.iter().take(EVIDENCE).map(line).collect::<Vec<_>>().join("\n")
}

fn unknown_cause(report: &Report) -> Vec<Value> {
    if report.stage == Stage::Preflight || !report.diagnoses.is_empty() || story::is_quiet(report) {
        return Vec::new();
    }
    vec![json!({"error": story::last_error(report).map(failure)})]
}

fn failures(report: &Report) -> Vec<Value> {
    report.failures.iter().map(failure).collect()
}

fn failure(excerpt: &Excerpt<Redacted>) -> Value {
    json!({
        "label": excerpt.label.as_str(),
        "line": excerpt.line,
        "kind": if excerpt.root { "a root failure" } else { "after another failure" },
        "text": excerpt.text.as_str(),
    })
}

fn candidates(report: &Report) -> Vec<Value> {
    let row = |c: &crate::report::Candidate| {
        let labels: Vec<_> = c.labels.iter().map(Redacted::as_str).collect();
        json!({
            "sign": if c.chosen { "✅" } else if c.why_not.is_empty() { "➖" } else { "❌" },
            "name": c.name.as_str(),
            "role": c.role.as_str(),
            "labels": labels.join(", "),
            "lot": story::lot(c),
        })
    };
    report.selection.iter().flat_map(|s| &s.candidates).map(row).collect()
}

fn collector(row: &CollectedRow) -> Value {
    let (sign, word, detail) = match &row.collected {
        Collected::Ok { note, entries } => {
            ("✅", count(*entries, "entry").replace("entrys", "entries"), note.as_str())
        }
        Collected::Skipped(reason) => ("⏭️", "skipped".to_owned(), reason.as_str()),
        Collected::Failed(chain) => ("❌", "failed".to_owned(), chain.as_str()),
        Collected::TimedOut => ("⏱️", "timed out".to_owned(), "stopped at its time limit"),
    };
    json!({"sign": sign, "collector": row.collector, "word": word, "detail": detail, "took": millis(row.took)})
}

fn observations(report: &Report) -> Vec<Value> {
    let rows = |row: Row<'_>| {
        let finding = row.finding;
        let seen = |(name, value, limit): &(Redacted, Redacted, Option<Redacted>)| {
            json!({
                "check": finding.check,
                "runner": optional(finding.runner.as_ref()),
                "name": name.as_str(),
                "value": value.as_str(),
                "limit": optional(limit.as_ref()),
            })
        };
        finding.observations.iter().map(seen).collect::<Vec<_>>()
    };
    story::ordered(report).into_iter().flat_map(rows).collect()
}

/// The slowest first.
fn timings(report: &Report) -> Vec<Value> {
    let mut slowest: Vec<_> = report.findings.iter().collect();
    slowest.sort_by_key(|finding| std::cmp::Reverse(finding.took));
    let row = |f: &crate::report::Finding| json!({"check": f.check, "runner": optional(f.runner.as_ref()), "took": millis(f.took)});
    slowest.into_iter().map(row).collect()
}

fn bundle(bundle: &BundleRow) -> Value {
    let (artifact, why_not) = match &bundle.artifact {
        Some(Ok(artifact)) => (
            Some(json!({"name": artifact.name, "url": artifact.url, "digest": artifact.digest})),
            None,
        ),
        Some(Err(why)) => (None, Some(why.as_str())),
        None => (None, None),
    };
    json!({
        "artifact": artifact,
        "why_not": why_not,
        "path": bundle.path,
        "bytes": bundle.bytes,
        "entries": bundle.entries,
        "redactions": bundle.redactions,
    })
}

fn runbook(report: &Report, stem: &str) -> String {
    match escape::runbook(&report.runbooks, stem, &hosts(report)) {
        Place::Address(address) => address,
        Place::Path(path) => path,
    }
}

fn pieces(all: &[Piece<'_>]) -> Vec<Value> {
    let piece = |piece: &Piece<'_>| match piece {
        Piece::Own(words) => json!({"kind": "own", "text": words}),
        Piece::Id(id) => json!({"kind": "id", "text": id}),
        Piece::Prose(words) => json!({"kind": "prose", "text": words}),
        Piece::Foreign(words) => json!({"kind": "foreign", "text": words}),
    };
    all.iter().map(piece).collect()
}

fn optional(text: Option<&Redacted>) -> Option<&str> {
    text.map(Redacted::as_str)
}

const fn status_sign(status: Status) -> &'static str {
    match status {
        Status::Pass => "✅",
        Status::Warn => "⚠️",
        Status::Fail => "❌",
        Status::Unknown => "❔",
        Status::Skipped => "⏭️",
    }
}
