//! A row of the report: an answer whose every text was redacted.

use std::time::Duration;

use super::{Answer, Status};
use crate::redact::{Redacted, Redactor};

/// An [`Answer`] that may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The check's stable id.
    pub check: &'static str,
    /// The question.
    pub question: &'static str,
    /// The runbook's file stem.
    pub runbook: &'static str,
    /// The runner that was asked about; `None` for questions about this run.
    pub runner: Option<Redacted>,
    /// The answer.
    pub status: Status,
    /// One line: what was found.
    pub summary: Redacted,
    /// What was seen: name, value with unit, limit with unit.
    pub observations: Vec<(Redacted, Redacted, Option<Redacted>)>,
    /// What to do now.
    pub help: Option<Redacted>,
    /// Wall time.
    pub took: Duration,
}

impl Finding {
    /// The row without its secrets.
    pub fn new(answer: Answer, redactor: &Redactor) -> Self {
        let text = |raw: &str| redactor.redact(raw);
        let outcome = answer.outcome;
        Self {
            check: answer.check,
            question: answer.question,
            runbook: answer.runbook,
            runner: answer.runner.as_deref().map(text),
            status: outcome.status,
            summary: text(&outcome.summary),
            observations: outcome
                .observations
                .iter()
                .map(|o| (text(&o.name), text(&o.value), o.limit.as_deref().map(text)))
                .collect(),
            help: outcome.help.as_deref().map(text),
            took: answer.took,
        }
    }

    /// The value of an observation, by its name.
    pub fn observed(&self, name: &str) -> Option<&str> {
        self.observations
            .iter()
            .find(|(n, _, _)| n.as_str() == name)
            .map(|(_, value, _)| value.as_str())
    }
}
