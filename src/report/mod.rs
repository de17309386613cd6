//! What a run found out: plain data that travels between the parts, and its renderings. Decides nothing, reads nothing, writes nothing.

pub mod annotations;
pub mod answer;
pub mod chart;
pub mod diagnosis;
pub mod diff;
pub mod escape;
pub mod evidence;
pub mod finding;
pub mod html;
pub mod json;
pub mod junit;
pub mod play;
pub mod redaction;
mod rows;
#[cfg(test)]
mod sample;
mod story;
pub mod summary;
pub mod text;
pub mod timeline;
mod units;
pub mod verdict;

pub use answer::{Answer, Observation, Outcome, Status};
pub use diagnosis::{Certainty, Diagnosis, EvidenceLine};
pub use evidence::{
    Allowance, BundlePath, Evidence, EvidenceKind, Excerpt, Look, Open, Opened, Raw, Seal,
    Structure, Truncation,
};
pub use finding::Finding;
pub use play::{Play, PlayHost};
pub use timeline::TimelineRow;
pub use verdict::{BlockClass, Candidate, Reason, Selection, Verdict};

use std::time::Duration;

use crate::redact::Redacted;

/// Version of the JSON report; it grows only when a field changes meaning.
pub const SCHEMA: u32 = 1;

/// What one collector brought back. Every collector of the table has exactly one.
#[derive(Debug, Clone)]
pub struct CollectedRow {
    /// The collector's stable id.
    pub collector: &'static str,
    /// How it ended.
    pub collected: Collected,
    /// Wall time.
    pub took: Duration,
}

/// How a collector ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Collected {
    /// It brought these entries, with a sentence about where they came from.
    Ok {
        /// Where the evidence came from, or what was not reachable.
        note: Redacted,
        /// Number of entries.
        entries: usize,
    },
    /// There was nothing to collect, or nobody asked; the reason ends with the line to add.
    Skipped(Redacted),
    /// It could not be read; the chain of causes.
    Failed(Redacted),
    /// It was stopped at its limit.
    TimedOut,
}

/// Where the bundle lies and whether it was uploaded.
#[derive(Debug, Clone, Default)]
pub struct BundleRow {
    /// Path of the `tar.gz`; empty when none could be written.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Number of entries without the manifest.
    pub entries: usize,
    /// Replacements made by the redactor in all entries.
    pub redactions: usize,
    /// Name, id and address of the uploaded artifact, or why there is none.
    pub artifact: Option<Result<Artifact, Redacted>>,
    /// Address of the report as a page, where the server shows one.
    pub page: Option<String>,
}

/// An uploaded artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Its name in the run.
    pub name: String,
    /// Its id, as the server gave it.
    pub id: String,
    /// Address on the run page.
    pub url: String,
    /// `sha256:` and the lower-case hex digest of the uploaded zip.
    pub digest: String,
}

/// What the job was, as far as it is known; all of it already redacted.
#[derive(Debug, Clone, Default)]
pub struct JobRow {
    /// `owner/name`.
    pub repository: Redacted,
    /// Name of the workflow.
    pub workflow: Redacted,
    /// Key of the job in its file.
    pub job: Redacted,
    /// Name of the runner.
    pub runner: Redacted,
    /// The deployment environment, empty when none was named.
    pub environment: Redacted,
    /// Address of the run, empty outside of a workflow.
    pub run_url: String,
}

/// Which of the two programs made a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The gate before the deploy.
    Preflight,
    /// The black box after it.
    Diagnose,
}

/// What the GitHub API cost a run, and what is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiUse {
    /// How we showed ourselves: the kind of token.
    pub identity: Redacted,
    /// Requests that were sent, repeats included.
    pub calls: u32,
    /// Answers that said nothing new and were free.
    pub not_modified: u32,
    /// What is left of the budget.
    pub remaining: Option<u64>,
    /// Requests an hour.
    pub limit: Option<u64>,
    /// When the budget is full again, in seconds since 1970.
    pub reset: Option<i64>,
}

/// Everything that a run found out.
#[derive(Debug, Clone)]
pub struct Report {
    /// Which program made it.
    pub stage: Stage,
    /// The job.
    pub job: JobRow,
    /// One row for every check and runner (pre-flight).
    pub findings: Vec<Finding>,
    /// The decision (pre-flight).
    pub verdict: Option<Verdict>,
    /// The chosen runner and why not the others (pre-flight).
    pub selection: Option<Selection>,
    /// Whether the gate only watches.
    pub shadow: bool,
    /// Likely causes, best first (black box).
    pub diagnoses: Vec<Diagnosis>,
    /// One row for every collector (black box).
    pub collected: Vec<CollectedRow>,
    /// The job's status as the server said it, when it is known (black box).
    pub job_status: Option<String>,
    /// The structured failures themselves, in order (black box).
    pub failures: Vec<Excerpt<Redacted>>,
    /// Metrics around the failure (black box).
    pub charts: Vec<chart::Chart>,
    /// When what happened, in the order of time (black box).
    pub timeline: Vec<TimelineRow>,
    /// The bundle (black box).
    pub bundle: Option<BundleRow>,
    /// Whether the run was cut short by a signal.
    pub partial: bool,
    /// What the GitHub API cost this run; `None` when it was not asked.
    pub api: Option<ApiUse>,
    /// Sentences for the reader that belong to no row: missing command files, unmaskable secrets, unused settings.
    pub notes: Vec<Redacted>,
    /// Where runbooks live: an address or a folder, without a trailing slash.
    pub runbooks: String,
    /// Wall time.
    pub took: Duration,
}
