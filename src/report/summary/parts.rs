//! The parts of a summary as data for the templates: which there are, where they stand and what they are worth.
//!
//! Escapes nothing; the templates' functions do.

use serde_json::{Value, json};

use super::sign;
use crate::redact::Redacted;
use crate::report::chart::Chart;
use crate::report::escape::{self, Place};
use crate::report::rows::{self, Alike, Row, Secret};
use crate::report::story::{self, Piece};
use crate::report::timeline::{self, Severity};
use crate::report::units::{count, millis};
use crate::report::{
    BundleRow, Candidate, Collected, CollectedRow, Diagnosis, Excerpt, Report, Stage, Status,
    TimelineRow, Verdict,
};

/// Up to this many candidates stand in an open table; more are folded.
const OPEN: usize = 8;

/// Blocks of the bar that shows a share.
const BAR: u128 = 10;

/// Lines of evidence shown for a cause.
const EVIDENCE: usize = 5;

/// Longest line of evidence where there is no room for more, in characters.
const BRIEF: usize = 160;

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
    /// The same in fewer words, for where the rows do not fit.
    pub(super) brief: Vec<Value>,
}

impl Part {
    /// The part in fewer words.
    pub(super) fn in_brief(&self) -> Self {
        let Self { name, template, place, rank, brief, .. } = self;
        part(name, template, *place, *rank, brief.clone())
    }

    /// What the template sees: the first `rows` rows, how many there are and how many are missing.
    pub(super) fn data(&self, rows: usize) -> Value {
        let shown: Vec<_> = self.rows.iter().take(rows).collect();
        json!({"rows": shown, "total": self.rows.len(), "more": self.rows.len() - shown.len()})
    }
}

/// Hosts that links may lead to: the server's, the runbooks', and those where the metrics are.
pub(super) fn hosts(report: &Report) -> Vec<String> {
    let metrics = report.charts.iter().flat_map(|chart| &chart.links).map(|(_, to)| to);
    let own = [&report.job.run_url, &report.runbooks].into_iter();
    own.chain(metrics).filter_map(|to| escape::host(to)).collect()
}

/// The headline and the line about the job.
pub(super) fn head(report: &Report, longest: usize) -> Value {
    let headline = story::headline(report);
    json!({
        "sign": sign(headline.mark),
        "pieces": shortened(&headline.pieces, longest),
        "partial": report.partial,
        "shadow": report.shadow,
        "tally": story::tally(report),
        "context": shortened(&story::context(report), longest),
        "run": report.job.run_url,
        "took": millis(report.took),
    })
}

/// All parts that have something to say.
pub(super) fn all(report: &Report) -> Vec<Part> {
    let mut all = gate_parts(report);
    all.extend(box_parts(report));
    all.into_iter().filter(|part| !part.rows.is_empty()).collect()
}

/// The parts of the gate, and what both have.
fn gate_parts(report: &Report) -> Vec<Part> {
    let (findings, passed) = findings(report);
    let secrets = rows::secrets(report);
    let of_secrets =
        if secrets.iter().any(|s| weighs(s.worst)) { "secrets" } else { "secrets_folded" };
    let candidates = candidates(report);
    let of_candidates = if candidates.len() > OPEN { "candidates_folded" } else { "candidates" };
    vec![
        part("what to do now", "do_now", 1, 1, do_now(report)),
        part("what would have blocked", "would_block", 2, 2, would_block(report)),
        part("findings", "findings", 3, 3, findings),
        part("candidates", of_candidates, 4, 4, candidates),
        part("secrets", of_secrets, 5, 5, secrets.iter().map(secret).collect()),
        part("notes", "notes", 6, 6, report.notes.iter().map(note).collect()),
        part("findings that passed", "passed", 10, 11, passed),
        part("observations", "observations", 11, 12, observations(report)),
        part("timings", "timings", 12, 13, timings(report)),
        part("what the GitHub API cost", "api", 13, 7, report.api.iter().map(api).collect()),
    ]
}

/// The parts of the black box.
fn box_parts(report: &Report) -> Vec<Part> {
    let causes: Vec<Value> = report.diagnoses.iter().map(|d| cause(report, d)).collect();
    let (best, others) = causes.split_at(causes.len().min(1));
    let brief = report.diagnoses.iter().take(1).map(|d| cause_in_brief(report, d)).collect();
    let last = unknown_cause(report);
    let last_in_brief = last.iter().map(|_| json!({"error": null})).collect();
    vec![
        Part { brief, ..part("the cause", "cause", 2, 2, best.to_vec()) },
        Part { brief: last_in_brief, ..part("the last error", "unknown_cause", 2, 2, last) },
        part("other causes", "other_causes", 7, 8, others.to_vec()),
        part("failures", "failures", 8, 9, failures(report)),
        part("the timeline", "timeline", 8, 8, timeline(report)),
        part("metrics", "charts", 8, 10, report.charts.iter().map(chart).collect()),
        part("collectors", "collectors", 9, 10, report.collected.iter().map(collector).collect()),
        part("the bundle", "bundle", 14, 0, report.bundle.iter().map(bundle).collect()),
    ]
}

const fn weighs(status: Status) -> bool {
    matches!(status, Status::Fail | Status::Unknown | Status::Warn)
}

fn note(text: &Redacted) -> Value {
    json!({"text": text.as_str()})
}

fn api(api: &crate::report::ApiUse) -> Value {
    json!({"pieces": pieces(&story::api(api))})
}

fn part(name: &'static str, template: &'static str, place: u8, rank: u8, rows: Vec<Value>) -> Part {
    Part { name, template, place, rank, rows, brief: Vec::new() }
}

fn do_now(report: &Report) -> Vec<Value> {
    let row = |(place, step): (usize, story::Step<'_>)| {
        let runbook = step.runbook.map(|stem| runbook(report, &stem));
        json!({
            "lead": place == 0,
            "second": place == 1,
            "pieces": pieces(&step.pieces),
            "runbook": runbook,
        })
    };
    story::steps(report).into_iter().enumerate().map(row).collect()
}

/// What a watching gate would have stopped the deploy for.
fn would_block(report: &Report) -> Vec<Value> {
    let Some(Verdict::Block { by, .. }) = report.verdict.as_ref().filter(|_| report.shadow) else {
        return Vec::new();
    };
    let row = |shared: rows::Shared<'_>| {
        json!({
            "check": shared.reason.check,
            "runners": pieces(&story::names(&shared.runners)),
            "word": shared.reason.status.word(),
            "summary": shared.summary,
        })
    };
    rows::shared(by, Alike::Answer).into_iter().map(row).collect()
}

/// The open rows and the folded ones.
fn findings(report: &Report) -> (Vec<Value>, Vec<Value>) {
    let (folded, open): (Vec<_>, Vec<_>) =
        rows::ordered(report).into_iter().partition(|row| row.is_quiet() && !row.blocks);
    let all = |rows: Vec<Row<'_>>| rows.iter().map(|row| finding(report, row)).collect();
    (all(open), all(folded))
}

fn finding(report: &Report, row: &Row<'_>) -> Value {
    let finding = row.finding;
    let place = story::place(finding.runbook, finding.check).unwrap_or_default();
    json!({
        "sign": if row.blocks { sign(story::Mark::Shut) } else { status_sign(finding.status) },
        "word": finding.status.word(),
        "check": finding.check,
        "runbook": runbook(report, &place),
        "runner": (!row.runners.is_empty()).then(|| row.runners.join(", ")),
        "summary": row.summary,
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
        "runbook": runbook(report, &story::place(&diagnosis.runbook, &diagnosis.id).unwrap_or_default()),
        "evidence": evidence(diagnosis, EVIDENCE, escape::LINE),
    })
}

/// A cause with a single line of evidence, and that one short.
fn cause_in_brief(report: &Report, diagnosis: &Diagnosis) -> Value {
    let mut brief = cause(report, diagnosis);
    brief["evidence"] = json!(evidence(diagnosis, 1, BRIEF));
    brief["subject"] = json!(diagnosis.subject.as_ref().map(|s| escape::cut(s.as_str(), BRIEF)));
    brief
}

/// The first `lines` lines, none longer than `longest` characters.
fn evidence(diagnosis: &Diagnosis, lines: usize, longest: usize) -> String {
    let line = |e: &crate::report::EvidenceLine| {
        format!("{}:{}: {}", e.path, e.line, escape::one_line(e.text.as_str(), longest))
    };
    diagnosis.evidence.iter().take(lines).map(line).collect::<Vec<_>>().join("\n")
}

fn unknown_cause(report: &Report) -> Vec<Value> {
    if report.stage == Stage::Preflight || !report.diagnoses.is_empty() || story::is_quiet(report) {
        return Vec::new();
    }
    vec![json!({"error": story::last_error(report).map(failure)})]
}

fn failures(report: &Report) -> Vec<Value> {
    let row = |(excerpt, seen): (&Excerpt<Redacted>, usize)| {
        let mut row = failure(excerpt);
        if seen > 1 {
            row["seen"] = json!(seen);
        }
        row
    };
    story::merged(&report.failures).into_iter().map(row).collect()
}

fn timeline(report: &Report) -> Vec<Value> {
    let row = |event: &TimelineRow| {
        json!({
            "time": timeline::time(report, event.at),
            "sign": match event.severity {
                Severity::Info => "",
                Severity::Look => "⚠️",
                Severity::Bad => "❌",
            },
            "lane": event.lane.word(),
            "text": escape::one_line(event.text.as_str(), escape::LINE),
        })
    };
    report.timeline.iter().map(row).collect()
}

fn failure(excerpt: &Excerpt<Redacted>) -> Value {
    json!({
        "label": excerpt.label.as_str(),
        "line": excerpt.line,
        "seen": null,
        "kind": if excerpt.root { "a root failure" } else { "after another failure" },
        "text": excerpt.text.as_str(),
    })
}

fn candidates(report: &Report) -> Vec<Value> {
    let row = |c: &Candidate| {
        let labels: Vec<_> = c.labels.iter().map(Redacted::as_str).collect();
        let (health_sign, health) = health(report, c);
        json!({
            "sign": if c.chosen { "✅" } else if c.why_not.is_empty() { "➖" } else { "❌" },
            "name": c.name.as_str(),
            "role": c.role.as_str(),
            "labels": labels.join(", "),
            "host": optional(c.host.as_ref()),
            "score": c.score.map(|score| score.to_string()),
            "health_sign": health_sign,
            "health": health,
            "busy": rows::busy(report, c),
            "lot": story::lot(c),
        })
    };
    report.selection.iter().flat_map(|s| &s.candidates).map(row).collect()
}

fn health(report: &Report, candidate: &Candidate) -> (&'static str, &'static str) {
    match rows::worst(report, candidate) {
        Some(finding) => (status_sign(finding.status), finding.check),
        None if rows::is_known(report, candidate) => (status_sign(Status::Pass), "healthy"),
        None => (status_sign(Status::Unknown), "nothing known"),
    }
}

fn secret(secret: &Secret<'_>) -> Value {
    json!({
        "sign": status_sign(secret.worst),
        "name": secret.name,
        "present": secret.present.unwrap_or_default(),
        "format": secret.format.unwrap_or_default(),
        "expiry": secret.expiry.unwrap_or_default(),
    })
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
    let mut findings: Vec<_> = report.findings.iter().collect();
    findings.sort_by_key(|finding| rows::weight(finding.status));
    let rows = |finding: &crate::report::Finding| {
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
    findings.into_iter().flat_map(rows).collect()
}

/// The slowest first.
fn timings(report: &Report) -> Vec<Value> {
    let mut slowest: Vec<_> = report.findings.iter().collect();
    slowest.sort_by_key(|finding| std::cmp::Reverse(finding.took));
    let longest = slowest.first().map_or(1, |f| f.took.as_micros().max(1));
    let bar = |took: std::time::Duration| (took.as_micros() * BAR).div_ceil(longest);
    let row = |f: &crate::report::Finding| {
        let bar = "█".repeat(usize::try_from(bar(f.took)).unwrap_or_default());
        json!({"check": f.check, "runner": optional(f.runner.as_ref()), "took": millis(f.took), "bar": bar})
    };
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
    let (lies, path) = story::lies(&bundle.path);
    json!({
        "artifact": artifact,
        "why_not": why_not,
        "page": bundle.page,
        "lies": lies,
        "path": path,
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

/// The pieces with no text of more than `longest` characters.
fn shortened(all: &[Piece<'_>], longest: usize) -> Vec<Value> {
    let mut all = pieces(all);
    for piece in &mut all {
        if let Some(Value::String(words)) = piece.get_mut("text") {
            *words = escape::cut(words, longest).into_owned();
        }
    }
    all
}

fn chart(chart: &Chart) -> Value {
    let link = |(name, to): &(String, String)| json!({"name": name, "to": to});
    json!({"chart": chart, "links": chart.links.iter().map(link).collect::<Vec<_>>()})
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
