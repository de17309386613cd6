//! The gate's decision and the runner that it chose.

use super::Status;
use crate::redact::Redacted;

/// One reason for a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The check's id, or `selection`.
    pub check: &'static str,
    /// The runner that it is about.
    pub runner: Option<Redacted>,
    /// What the check answered.
    pub status: Status,
    /// One line.
    pub summary: Redacted,
    /// What to do now.
    pub help: Option<Redacted>,
    /// The runbook's file stem.
    pub runbook: &'static str,
}

/// What the gate decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing speaks against the deploy.
    Proceed,
    /// The deploy may run; these should be looked at.
    ProceedWithWarnings(Vec<Reason>),
    /// The deploy must not run.
    Block {
        /// Why: at least one; what weighs most stands first.
        by: Vec<Reason>,
        /// What else should be looked at.
        warnings: Vec<Reason>,
        /// Which class of reason decided.
        class: BlockClass,
    },
}

/// Which class of reason blocked; each has its own exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockClass {
    /// A check answered no.
    Failed,
    /// A check had no answer, and policy fails closed.
    Unknown,
    /// None of the candidates is eligible.
    NoRunner,
}

impl Verdict {
    /// The word in the output `verdict`.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Proceed => "pass",
            Self::ProceedWithWarnings(_) => "warn",
            Self::Block { .. } => "block",
        }
    }

    /// The reasons, those that block first.
    pub fn reasons(&self) -> Vec<&Reason> {
        match self {
            Self::Proceed => Vec::new(),
            Self::ProceedWithWarnings(warnings) => warnings.iter().collect(),
            Self::Block { by, warnings, .. } => by.iter().chain(warnings).collect(),
        }
    }
}

/// One candidate and what was decided about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The runner's name.
    pub name: Redacted,
    /// `primary`, `secondary` or the word of the configuration.
    pub role: Redacted,
    /// Labels for `runs-on`.
    pub labels: Vec<Redacted>,
    /// The host that it is on, when somebody says so.
    pub host: Option<Redacted>,
    /// How healthy it is, 0 to 100; `None` when it can not be used at all.
    pub score: Option<u8>,
    /// Why it can not be used; empty when it is eligible.
    pub why_not: Vec<Redacted>,
    /// Whether it was chosen.
    pub chosen: bool,
}

/// The chosen runner and, for every other candidate, why not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// All candidates in the order of preference.
    pub candidates: Vec<Candidate>,
}

impl Selection {
    /// The chosen one.
    pub fn chosen(&self) -> Option<&Candidate> {
        self.candidates.iter().find(|c| c.chosen)
    }

    /// Whether a candidate other than the first was chosen.
    pub fn failed_over(&self) -> bool {
        self.candidates.first().is_some_and(|first| !first.chosen) && self.chosen().is_some()
    }
}
