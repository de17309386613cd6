//! The report for machines. Keys, words and units never change meaning within one [`SCHEMA`]; durations are whole milliseconds.
//!
//! Serialises through structs of its own, so that the model may change without the document. Text is redacted and of bounded length, but
//! not cleaned: JSON needs no escaping for a place. The same structs are the published schema, `schema/report.schema.json`.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::Value;

use super::rows::{self, Secret};
use super::timeline::Lane;
use super::units::millis;
use super::{
    ApiUse, Artifact, BlockClass, BundleRow, Candidate, Collected, CollectedRow, Diagnosis,
    EvidenceLine, Excerpt, Finding, Reason, Report, SCHEMA, Selection, Stage, TimelineRow, Verdict,
    escape,
};
use crate::redact::Redacted;

/// The whole report as a JSON document.
pub fn to_json(report: &Report) -> Value {
    let document = Document::new(report);
    // Structs with string keys always serialise; a document that does not is empty, never a panic.
    serde_json::to_value(document).unwrap_or_default()
}

/// The JSON Schema of [`to_json`], for those who read reports.
pub fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    generator.into_root_schema_for::<Document>().to_value()
}

/// What a run of runner-guard found out. Within one `schema` keys, words and units keep their meaning; keys may be added.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Report", title = "runner-guard report")]
struct Document {
    /// Version of this form.
    #[schemars(extend("const" = SCHEMA))]
    schema: u32,
    /// The gate before a deploy, or the black box after it.
    #[schemars(extend("enum" = ["preflight", "diagnose"]))]
    stage: &'static str,
    /// The job that it is about.
    job: Job,
    /// The decision of the gate.
    #[schemars(extend("enum" = ["pass", "warn", "block", null]))]
    verdict: Option<&'static str>,
    /// Which class of reason blocked.
    #[schemars(extend("enum" = ["failed", "unknown", "no_runner", null]))]
    blocked_by: Option<&'static str>,
    /// Why, the most urgent first.
    reasons: Vec<ReasonRow>,
    /// One for every question, or for every question and candidate.
    findings: Vec<FindingRow>,
    /// The candidates and the choice; null without candidates.
    selection: Option<SelectionRow>,
    /// The required secrets by name and state, the worst first; never a value.
    secrets: Vec<SecretRow>,
    /// Whether the gate only watches.
    shadow: bool,
    /// Whether the run was stopped by a signal.
    partial: bool,
    /// What the GitHub API cost; null when it was not asked.
    api: Option<ApiRow>,
    /// Status of the job as the server said it.
    job_status: Option<String>,
    /// Likely causes of a failure, the best first.
    diagnoses: Vec<DiagnosisRow>,
    /// The failures that were read in the evidence, in order.
    failures: Vec<FailureRow>,
    /// When what happened, in the order of time.
    timeline: Vec<EventRow>,
    /// One for every collector.
    collected: Vec<CollectorRow>,
    /// The evidence archive.
    bundle: Option<BundleEntry>,
    /// Sentences that belong to no row.
    notes: Vec<String>,
    /// Address or folder of the runbooks.
    runbooks: String,
    /// Wall time in milliseconds.
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
            selection: report.selection.as_ref().map(|s| SelectionRow::new(report, s)),
            secrets: rows::secrets(report).iter().map(SecretRow::new).collect(),
            shadow: report.shadow,
            partial: report.partial,
            api: report.api.as_ref().map(ApiRow::new),
            job_status: report.job_status.clone(),
            diagnoses: report.diagnoses.iter().map(DiagnosisRow::new).collect(),
            failures: report.failures.iter().map(FailureRow::new).collect(),
            timeline: report.timeline.iter().map(EventRow::new).collect(),
            collected: report.collected.iter().map(CollectorRow::new).collect(),
            bundle: report.bundle.as_ref().map(BundleEntry::new),
            notes: report.notes.iter().map(text).collect(),
            runbooks: report.runbooks.clone(),
            took_ms: millis(report.took),
        }
    }
}

#[derive(Serialize, JsonSchema)]
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

#[derive(Serialize, JsonSchema)]
struct ReasonRow {
    check: &'static str,
    runner: Option<String>,
    #[schemars(extend("enum" = ["pass", "warn", "fail", "unknown", "skipped"]))]
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

#[derive(Serialize, JsonSchema)]
struct FindingRow {
    check: &'static str,
    question: &'static str,
    runner: Option<String>,
    #[schemars(extend("enum" = ["pass", "warn", "fail", "unknown", "skipped"]))]
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

#[derive(Serialize, JsonSchema)]
struct ObservationRow {
    name: String,
    value: String,
    limit: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct SelectionRow {
    chosen: Option<String>,
    failed_over: bool,
    candidates: Vec<CandidateRow>,
}

impl SelectionRow {
    fn new(report: &Report, selection: &Selection) -> Self {
        Self {
            chosen: selection.chosen().map(|c| text(&c.name)),
            failed_over: selection.failed_over(),
            candidates: selection.candidates.iter().map(|c| CandidateRow::new(report, c)).collect(),
        }
    }
}

#[derive(Serialize, JsonSchema)]
struct CandidateRow {
    name: String,
    role: String,
    labels: Vec<String>,
    /// The host that it is on, when somebody says so.
    host: Option<String>,
    /// How healthy it is; null when it can not be used.
    #[schemars(range(max = 100))]
    score: Option<u8>,
    /// The answer that weighs most against it.
    worst: Option<&'static str>,
    /// Whether it runs a job now.
    #[schemars(extend("enum" = ["busy", "idle", "unknown"]))]
    busy: &'static str,
    /// Why it was not chosen.
    why_not: Vec<String>,
    chosen: bool,
}

impl CandidateRow {
    fn new(report: &Report, candidate: &Candidate) -> Self {
        Self {
            name: text(&candidate.name),
            role: text(&candidate.role),
            labels: candidate.labels.iter().map(text).collect(),
            host: candidate.host.as_ref().map(text),
            score: candidate.score,
            worst: rows::worst(report, candidate).map(|finding| finding.check),
            busy: rows::busy(report, candidate),
            why_not: candidate.why_not.iter().map(text).collect(),
            chosen: candidate.chosen,
        }
    }
}

/// A secret by name. The states are words, as `present (repository)` or `expires in 9 days`.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PresenceRow")]
struct SecretRow {
    name: String,
    /// The worst of the three answers.
    #[schemars(extend("enum" = ["pass", "warn", "fail", "unknown", "skipped"]))]
    status: &'static str,
    /// Whether it is there.
    present: Option<String>,
    /// Whether it is whole.
    format: Option<String>,
    /// Whether it lasts.
    expiry: Option<String>,
}

impl SecretRow {
    fn new(secret: &Secret<'_>) -> Self {
        let state = |state: Option<&str>| state.map(|s| escape::cut(s, escape::LINE).into_owned());
        Self {
            name: escape::cut(secret.name, escape::LINE).into_owned(),
            status: secret.worst.word(),
            present: state(secret.present),
            format: state(secret.format),
            expiry: state(secret.expiry),
        }
    }
}

#[derive(Serialize, JsonSchema)]
struct ApiRow {
    /// The kind of token.
    identity: String,
    /// Requests that were sent.
    calls: u32,
    /// Answers that said nothing new and were free.
    not_modified: u32,
    /// What is left of the budget.
    remaining: Option<u64>,
    /// Requests an hour.
    limit: Option<u64>,
    /// When the budget is full again, in seconds since 1970.
    reset: Option<i64>,
}

impl ApiRow {
    fn new(api: &ApiUse) -> Self {
        Self {
            identity: text(&api.identity),
            calls: api.calls,
            not_modified: api.not_modified,
            remaining: api.remaining,
            limit: api.limit,
            reset: api.reset,
        }
    }
}

#[derive(Serialize, JsonSchema)]
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

#[derive(Serialize, JsonSchema)]
struct EvidenceRow {
    path: String,
    line: usize,
    text: String,
}

#[derive(Serialize, JsonSchema)]
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

#[derive(Serialize, JsonSchema)]
struct EventRow {
    /// Seconds since 1970.
    at: i64,
    /// Whose event it is.
    #[schemars(extend("enum" = Lane::ALL.map(Lane::word)))]
    lane: &'static str,
    #[schemars(extend("enum" = ["info", "warn", "fail"]))]
    severity: &'static str,
    text: String,
}

impl EventRow {
    fn new(row: &TimelineRow) -> Self {
        let (lane, severity) = (row.lane.word(), row.severity.word());
        Self { at: row.at, lane, severity, text: text(&row.text) }
    }
}

#[derive(Serialize, JsonSchema)]
struct CollectorRow {
    collector: &'static str,
    #[schemars(extend("enum" = ["ok", "skipped", "failed", "timed_out"]))]
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

#[derive(Serialize, JsonSchema)]
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

#[derive(Serialize, JsonSchema)]
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
mod tests;
