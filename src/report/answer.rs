//! What a check answers, before redaction.

use std::time::Duration;

/// The answer to a question. `Unknown` means that there is no answer: it is never a failure and never lost; policy decides what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Yes.
    Pass,
    /// Yes, but look at it.
    Warn,
    /// No.
    Fail,
    /// The question has no answer: a source was silent or refused.
    Unknown,
    /// Nobody asked: the check does not apply here.
    Skipped,
}

impl Status {
    /// The word that users see in outputs and reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::Skipped => "skipped",
        }
    }
}

/// One thing that was seen, with its unit and the limit it was held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// What was looked at: `runner_status`, `free`, `authorized_for_prod`.
    pub name: String,
    /// What was seen, with its unit.
    pub value: String,
    /// The limit, with its unit.
    pub limit: Option<String>,
}

/// What a check answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The answer.
    pub status: Status,
    /// One line: what was found.
    pub summary: String,
    /// What was seen.
    pub observations: Vec<Observation>,
    /// What to do now, when the answer is not `Pass`.
    pub help: Option<String>,
}

impl Outcome {
    /// An answer with this line.
    pub fn new(status: Status, summary: impl Into<String>) -> Self {
        Self { status, summary: summary.into(), observations: Vec::new(), help: None }
    }

    /// `Pass` with this line.
    pub fn pass(summary: impl Into<String>) -> Self {
        Self::new(Status::Pass, summary)
    }

    /// `Warn` with this line.
    pub fn warn(summary: impl Into<String>) -> Self {
        Self::new(Status::Warn, summary)
    }

    /// `Fail` with this line.
    pub fn fail(summary: impl Into<String>) -> Self {
        Self::new(Status::Fail, summary)
    }

    /// `Unknown` with this line.
    pub fn unknown(summary: impl Into<String>) -> Self {
        Self::new(Status::Unknown, summary)
    }

    /// `Skipped` with this line.
    pub fn skipped(summary: impl Into<String>) -> Self {
        Self::new(Status::Skipped, summary)
    }

    /// With what to do now.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With one thing that was seen.
    #[must_use]
    pub fn saw(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.observations.push(Observation { name: name.into(), value: value.into(), limit: None });
        self
    }

    /// With one thing that was seen and its limit.
    #[must_use]
    pub fn saw_limit(
        mut self,
        name: impl Into<String>,
        value: impl Into<String>,
        limit: impl Into<String>,
    ) -> Self {
        self.observations.push(Observation {
            name: name.into(),
            value: value.into(),
            limit: Some(limit.into()),
        });
        self
    }
}

/// A row of the report before redaction: who asked what about whom, and the answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The check's stable id.
    pub check: &'static str,
    /// The question.
    pub question: &'static str,
    /// The runbook's file stem.
    pub runbook: &'static str,
    /// The runner that was asked about; `None` for questions about this run.
    pub runner: Option<String>,
    /// The answer.
    pub outcome: Outcome,
    /// Wall time.
    pub took: Duration,
}
