//! Ranks what was found: consequences fall away, the surest cause stands first.

use std::collections::BTreeSet;
use std::path::Path;

use super::quote::Quoter;
use super::scan::{Hit, Passage, passages, scan};
use super::signature::Signature;
use super::signatures::Signatures;
use crate::redact::Redacted;
use crate::report::{Diagnosis, Evidence, EvidenceKind, EvidenceLine};

/// Most causes that are named: one, and what else was seen.
const MOST: usize = 3;
/// The signature of a structured failure whose cause is not known.
const UNKNOWN_FAILURE: &str = "ansible-task-failed";
/// What a match in a runner's own log weighs when it is about something else than the runner: the log tells of other jobs too.
const BESIDE: f64 = 0.9;

/// The likely causes, best first, at most three.
///
/// Evidence with excerpts is searched only in its root failures; when none of them is known, the first is named as a failure
/// whose cause is open (confidence below 0.5). Without any match the answer is empty.
pub fn diagnose(evidence: &[Evidence<Redacted>], signatures: &Signatures) -> Vec<Diagnosis> {
    let causes = ranked(&passages(evidence), signatures);
    if causes.is_empty() {
        return Vec::new();
    }
    let quoter = Quoter::new();
    causes.iter().map(|cause| cause.diagnosis(evidence, &quoter)).collect()
}

/// The likely causes of what stands in these passages, best first.
pub(super) fn ranked<'a>(passages: &[Passage<'a>], signatures: &'a Signatures) -> Vec<Cause<'a>> {
    let mut causes: Vec<Cause<'_>> = signatures
        .iter()
        .zip(scan(passages, signatures))
        .filter_map(|(signature, hits)| Cause::new(signature, hits))
        .collect();
    causes.extend(open_failure(passages, signatures, &causes));
    drop_consequences(&mut causes);
    causes.sort_by(|a, b| {
        b.confidence.total_cmp(&a.confidence).then(a.position().cmp(&b.position()))
    });
    causes.truncate(MOST);
    causes
}

/// A signature with the places at which it matches.
pub(super) struct Cause<'a> {
    pub(super) signature: &'a Signature,
    confidence: f64,
    pub(super) hits: Vec<Hit<'a>>,
}

impl<'a> Cause<'a> {
    fn new(signature: &'a Signature, hits: Vec<Hit<'a>>) -> Option<Self> {
        let weight = hits.iter().map(|hit| weight(signature, hit.passage.kind)).reduce(f64::max)?;
        Some(Self { signature, confidence: signature.confidence * weight, hits })
    }

    fn position(&self) -> Option<(usize, usize)> {
        self.hits.first().map(|hit| (hit.passage.evidence, hit.line))
    }

    fn diagnosis(&self, evidence: &[Evidence<Redacted>], quoter: &Quoter) -> Diagnosis {
        let signature = self.signature;
        let line_of = |hit: &Hit<'_>| {
            let path = evidence.get(hit.passage.evidence)?.path.clone();
            Some(EvidenceLine { path, line: hit.line, text: quoter.line(&hit.message, hit.at) })
        };
        let label = self.hits.iter().find_map(|hit| hit.passage.label).cloned();
        let fields = || self.hits.iter().find_map(|hit| quoter.fields(&hit.fields));
        Diagnosis {
            id: signature.id.clone(),
            title: signature.title.clone(),
            category: signature.category.clone(),
            confidence: self.confidence,
            subject: self.in_jobs(evidence, label.or_else(fields), quoter),
            evidence: self.hits.iter().filter_map(line_of).collect(),
            runbook: signature.runbook.clone(),
            remediation: signature.remediation.clone(),
            retryable: signature.retryable.clone(),
        }
    }

    /// The subject, and in how many jobs it was seen when these are several.
    fn in_jobs(
        &self,
        evidence: &[Evidence<Redacted>],
        subject: Option<Redacted>,
        quoter: &Quoter,
    ) -> Option<Redacted> {
        let path = |hit: &Hit<'_>| Some(evidence.get(hit.passage.evidence)?.path.as_str());
        let jobs: BTreeSet<&str> =
            self.hits.iter().filter_map(path).filter(|path| is_job_log(path)).collect();
        if jobs.len() < 2 {
            return subject;
        }
        let what = subject.map(|s| format!("{}, ", s.as_str())).unwrap_or_default();
        Some(quoter.line(&format!("{what}in {} jobs", jobs.len()), 0))
    }
}

/// Whether an entry is the log of a job that GitHub had.
fn is_job_log(path: &str) -> bool {
    path.starts_with("jobs/") && Path::new(path).extension().is_some_and(|e| e == "log")
}

fn weight(signature: &Signature, kind: EvidenceKind) -> f64 {
    let about_the_host = matches!(signature.category.as_str(), "runner" | "resources");
    match kind {
        EvidenceKind::RunnerLog if !about_the_host => BESIDE,
        EvidenceKind::RunnerLog
        | EvidenceKind::Ansible
        | EvidenceKind::JobLog
        | EvidenceKind::Metrics
        | EvidenceKind::Context => 1.0,
    }
}

/// The first structured failure as a cause of its own, when nothing is known about any of them.
fn open_failure<'a>(
    passages: &[Passage<'a>],
    signatures: &'a Signatures,
    causes: &[Cause<'a>],
) -> Option<Cause<'a>> {
    if causes.iter().flat_map(|cause| &cause.hits).any(|hit| hit.passage.label.is_some()) {
        return None;
    }
    let passage = *passages.iter().find(|p| p.label.is_some())?;
    let signature = signatures.get(UNKNOWN_FAILURE)?;
    let said = passage.text.at_hand().lines().find(|line| !line.trim().is_empty());
    let message = said.or(passage.label.map(Redacted::as_str)).unwrap_or_default().to_owned();
    let hit = |passage: Passage<'a>| Hit {
        passage,
        line: passage.first,
        message: message.clone(),
        at: 0,
        fields: Vec::new(),
    };
    // The same failure in the logs of several jobs is one cause.
    let mut same: Vec<Passage<'a>> = passages
        .iter()
        .filter(|p| (p.label, p.text) == (passage.label, passage.text))
        .copied()
        .collect();
    same.dedup_by_key(|p| p.evidence);
    Cause::new(signature, same.into_iter().map(hit).collect())
}

fn drop_consequences(causes: &mut Vec<Cause<'_>>) {
    let superseded: Vec<&String> = causes.iter().flat_map(|c| &c.signature.supersedes).collect();
    causes.retain(|cause| !superseded.contains(&&cause.signature.id));
}
