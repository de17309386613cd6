//! The report for machines. Keys, words and units never change meaning within one [`SCHEMA`]; durations are whole milliseconds.
//!
//! Serialises through structs of its own, so that the model may change without the document. Text is redacted and of bounded length, but
//! not cleaned: JSON needs no escaping for a place.

use serde::Serialize;
use serde_json::Value;

use super::units::millis;
use super::{
    Artifact, BlockClass, BundleRow, Candidate, Collected, CollectedRow, Diagnosis, EvidenceLine,
    Excerpt, Finding, Reason, Report, SCHEMA, Selection, Stage, Verdict, escape,
};
use crate::redact::Redacted;

/// The whole report as a JSON document.
pub fn to_json(report: &Report) -> Value {
    let document = Document::new(report);
    // Structs with string keys always serialise; a document that does not is empty, never a panic.
    serde_json::to_value(document).unwrap_or_default()
}

#[derive(Serialize)]
struct Document {
    schema: u32,
    stage: &'static str,
    job: Job,
    verdict: Option<&'static str>,
    blocked_by: Option<&'static str>,
    reasons: Vec<ReasonRow>,
    findings: Vec<FindingRow>,
    selection: Option<SelectionRow>,
    shadow: bool,
    partial: bool,
    job_status: Option<String>,
    diagnoses: Vec<DiagnosisRow>,
    failures: Vec<FailureRow>,
    collected: Vec<CollectorRow>,
    bundle: Option<BundleEntry>,
    notes: Vec<String>,
    runbooks: String,
    took_ms: u64,
}

impl Document {
    fn new(report: &Report) -> Self {
        Self {
            schema: SCHEMA,
            stage: match report.stage {
                Stage::Preflight => "preflight",
                Stage::Diagnose => "diagnose",
            },
            job: Job::new(report),
            verdict: report.verdict.as_ref().map(Verdict::word),
            blocked_by: report.verdict.as_ref().and_then(class),
            reasons: report.verdict.as_ref().map(reasons).unwrap_or_default(),
            findings: report.findings.iter().map(FindingRow::new).collect(),
            selection: report.selection.as_ref().map(SelectionRow::new),
            shadow: report.shadow,
            partial: report.partial,
            job_status: report.job_status.clone(),
            diagnoses: report.diagnoses.iter().map(DiagnosisRow::new).collect(),
            failures: report.failures.iter().map(FailureRow::new).collect(),
            collected: report.collected.iter().map(CollectorRow::new).collect(),
            bundle: report.bundle.as_ref().map(BundleEntry::new),
            notes: report.notes.iter().map(text).collect(),
            runbooks: report.runbooks.clone(),
            took_ms: millis(report.took),
        }
    }
}

#[derive(Serialize)]
struct Job {
    repository: String,
    workflow: String,
    #[serde(rename = "job")]
    key: String,
    runner: String,
    environment: String,
    run_url: String,
}

impl Job {
    fn new(report: &Report) -> Self {
        let job = &report.job;
        Self {
            repository: text(&job.repository),
            workflow: text(&job.workflow),
            key: text(&job.job),
            runner: text(&job.runner),
            environment: text(&job.environment),
            run_url: job.run_url.clone(),
        }
    }
}

fn class(verdict: &Verdict) -> Option<&'static str> {
    match verdict {
        Verdict::Proceed | Verdict::ProceedWithWarnings(_) => None,
        Verdict::Block { class, .. } => Some(match class {
            BlockClass::Failed => "failed",
            BlockClass::Unknown => "unknown",
            BlockClass::NoRunner => "no_runner",
        }),
    }
}

fn reasons(verdict: &Verdict) -> Vec<ReasonRow> {
    let blocking = match verdict {
        Verdict::Proceed | Verdict::ProceedWithWarnings(_) => 0,
        Verdict::Block { by, .. } => by.len(),
    };
    let row = |(place, reason)| ReasonRow::new(reason, place < blocking);
    verdict.reasons().into_iter().enumerate().map(row).collect()
}

#[derive(Serialize)]
struct ReasonRow {
    check: &'static str,
    runner: Option<String>,
    status: &'static str,
    summary: String,
    help: Option<String>,
    runbook: &'static str,
    blocks: bool,
}

impl ReasonRow {
    fn new(reason: &Reason, blocks: bool) -> Self {
        Self {
            check: reason.check,
            runner: reason.runner.as_ref().map(text),
            status: reason.status.word(),
            summary: text(&reason.summary),
            help: reason.help.as_ref().map(text),
            runbook: reason.runbook,
            blocks,
        }
    }
}

#[derive(Serialize)]
struct FindingRow {
    check: &'static str,
    question: &'static str,
    runner: Option<String>,
    status: &'static str,
    summary: String,
    observations: Vec<ObservationRow>,
    help: Option<String>,
    runbook: &'static str,
    took_ms: u64,
}

impl FindingRow {
    fn new(finding: &Finding) -> Self {
        let seen = |(name, value, limit): &(Redacted, Redacted, Option<Redacted>)| ObservationRow {
            name: text(name),
            value: text(value),
            limit: limit.as_ref().map(text),
        };
        Self {
            check: finding.check,
            question: finding.question,
            runner: finding.runner.as_ref().map(text),
            status: finding.status.word(),
            summary: text(&finding.summary),
            observations: finding.observations.iter().map(seen).collect(),
            help: finding.help.as_ref().map(text),
            runbook: finding.runbook,
            took_ms: millis(finding.took),
        }
    }
}

#[derive(Serialize)]
struct ObservationRow {
    name: String,
    value: String,
    limit: Option<String>,
}

#[derive(Serialize)]
struct SelectionRow {
    chosen: Option<String>,
    failed_over: bool,
    candidates: Vec<CandidateRow>,
}

impl SelectionRow {
    fn new(selection: &Selection) -> Self {
        Self {
            chosen: selection.chosen().map(|c| text(&c.name)),
            failed_over: selection.failed_over(),
            candidates: selection.candidates.iter().map(CandidateRow::new).collect(),
        }
    }
}

#[derive(Serialize)]
struct CandidateRow {
    name: String,
    role: String,
    labels: Vec<String>,
    why_not: Vec<String>,
    chosen: bool,
}

impl CandidateRow {
    fn new(candidate: &Candidate) -> Self {
        Self {
            name: text(&candidate.name),
            role: text(&candidate.role),
            labels: candidate.labels.iter().map(text).collect(),
            why_not: candidate.why_not.iter().map(text).collect(),
            chosen: candidate.chosen,
        }
    }
}

#[derive(Serialize)]
struct DiagnosisRow {
    id: String,
    title: String,
    category: String,
    confidence: f64,
    certainty: &'static str,
    subject: Option<String>,
    evidence: Vec<EvidenceRow>,
    runbook: String,
    remediation: Vec<String>,
    retryable: String,
}

impl DiagnosisRow {
    fn new(diagnosis: &Diagnosis) -> Self {
        let line = |e: &EvidenceLine| EvidenceRow {
            path: e.path.to_string(),
            line: e.line,
            text: text(&e.text),
        };
        Self {
            id: diagnosis.id.clone(),
            title: diagnosis.title.clone(),
            category: diagnosis.category.clone(),
            confidence: diagnosis.confidence,
            certainty: diagnosis.certainty().word(),
            subject: diagnosis.subject.as_ref().map(text),
            evidence: diagnosis.evidence.iter().map(line).collect(),
            runbook: diagnosis.runbook.clone(),
            remediation: diagnosis.remediation.clone(),
            retryable: diagnosis.retryable.clone(),
        }
    }
}

#[derive(Serialize)]
struct EvidenceRow {
    path: String,
    line: usize,
    text: String,
}

#[derive(Serialize)]
struct FailureRow {
    label: String,
    text: String,
    line: usize,
    root: bool,
}

impl FailureRow {
    fn new(excerpt: &Excerpt<Redacted>) -> Self {
        Self {
            label: text(&excerpt.label),
            text: escape::cut(excerpt.text.as_str(), escape::BLOCK).into_owned(),
            line: excerpt.line,
            root: excerpt.root,
        }
    }
}

#[derive(Serialize)]
struct CollectorRow {
    collector: &'static str,
    status: &'static str,
    detail: String,
    entries: usize,
    took_ms: u64,
}

impl CollectorRow {
    fn new(row: &CollectedRow) -> Self {
        let (status, detail, entries) = match &row.collected {
            Collected::Ok { note, entries } => ("ok", text(note), *entries),
            Collected::Skipped(reason) => ("skipped", text(reason), 0),
            Collected::Failed(chain) => ("failed", text(chain), 0),
            Collected::TimedOut => ("timed_out", String::new(), 0),
        };
        Self { collector: row.collector, status, detail, entries, took_ms: millis(row.took) }
    }
}

#[derive(Serialize)]
struct BundleEntry {
    path: String,
    bytes: u64,
    entries: usize,
    redactions: usize,
    artifact: Option<ArtifactRow>,
    artifact_error: Option<String>,
}

impl BundleEntry {
    fn new(bundle: &BundleRow) -> Self {
        let (artifact, artifact_error) = match &bundle.artifact {
            Some(Ok(artifact)) => (Some(ArtifactRow::new(artifact)), None),
            Some(Err(why)) => (None, Some(text(why))),
            None => (None, None),
        };
        Self {
            path: bundle.path.clone(),
            bytes: bundle.bytes,
            entries: bundle.entries,
            redactions: bundle.redactions,
            artifact,
            artifact_error,
        }
    }
}

#[derive(Serialize)]
struct ArtifactRow {
    name: String,
    id: String,
    url: String,
    digest: String,
}

impl ArtifactRow {
    fn new(artifact: &Artifact) -> Self {
        let Artifact { name, id, url, digest } = artifact.clone();
        Self { name, id, url, digest }
    }
}

/// At most [`escape::LINE`] characters.
fn text(text: &Redacted) -> String {
    escape::cut(text.as_str(), escape::LINE).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::sample::{blocked, failed, text as redacted};
    use super::*;

    #[test]
    fn the_keys_of_the_document_are_these() {
        let document = to_json(&blocked());
        let keys: Vec<_> = document.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            [
                "schema",
                "stage",
                "job",
                "verdict",
                "blocked_by",
                "reasons",
                "findings",
                "selection",
                "shadow",
                "partial",
                "job_status",
                "diagnoses",
                "failures",
                "collected",
                "bundle",
                "notes",
                "runbooks",
                "took_ms"
            ]
        );
        assert_eq!(document["schema"], 1);
    }

    #[test]
    fn a_gate_tells_its_verdict_and_which_reasons_block() {
        let document = to_json(&blocked());
        assert_eq!(document["verdict"], "block");
        assert_eq!(document["blocked_by"], "failed");
        let blocks: Vec<_> =
            document["reasons"].as_array().unwrap().iter().map(|r| r["blocks"].clone()).collect();
        assert_eq!(blocks, [json!(true), json!(true), json!(false)]);
        assert_eq!(
            document["findings"][3]["observations"],
            json!([{"name": "free", "value": "1.2 GiB", "limit": "5 GiB"}])
        );
        assert_eq!(document["findings"][3]["took_ms"], 42);
        assert_eq!(document["selection"]["chosen"], Value::Null);
    }

    #[test]
    fn a_black_box_tells_cause_evidence_and_bundle() {
        let document = to_json(&failed());
        assert_eq!(
            document["diagnoses"][0],
            json!({
                "id": "disk-full", "title": "Disk is full on the runner or target", "category": "resources", "confidence": 0.97,
                "certainty": "certain", "subject": "task \"Copy release\" on web1",
                "evidence": [
                    {"path": "ansible/play.log", "line": 42, "text": "cannot write /srv/app: no space is left"},
                    {"path": "ansible/play.log", "line": 40, "text": "TASK [Copy release]"}
                ],
                "runbook": "disk-space",
                "remediation": failed().diagnoses[0].remediation,
                "retryable": "after-fix"
            })
        );
        let status: Vec<_> =
            document["collected"].as_array().unwrap().iter().map(|c| c["status"].clone()).collect();
        assert_eq!(status, ["ok", "failed", "skipped", "timed_out"]);
        assert_eq!(document["bundle"]["artifact"]["id"], "77");
        assert_eq!(document["bundle"]["artifact_error"], Value::Null);
    }

    #[test]
    fn a_text_of_any_size_is_bounded() {
        let mut report = failed();
        report.notes = vec![redacted(&"ä".repeat(1_000_000))];
        report.failures[0].text = redacted(&"ä".repeat(1_000_000));
        let document = to_json(&report);
        assert!(document["notes"][0].as_str().unwrap().chars().count() <= escape::LINE);
        assert!(document["failures"][0]["text"].as_str().unwrap().chars().count() <= escape::BLOCK);
    }
}
