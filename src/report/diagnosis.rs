//! A likely cause with its evidence.

use super::BundlePath;
use crate::redact::Redacted;

/// How sure a diagnosis is, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// Confidence below 0.7.
    Possible,
    /// Confidence from 0.7.
    Likely,
    /// Confidence from 0.9.
    Certain,
}

impl Certainty {
    /// The word for a confidence between 0 and 1.
    pub fn of(confidence: f64) -> Self {
        if confidence >= 0.9 {
            Self::Certain
        } else if confidence >= 0.7 {
            Self::Likely
        } else {
            Self::Possible
        }
    }

    /// The word that users see.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}

/// One line that supports a diagnosis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceLine {
    /// The entry of the bundle.
    pub path: BundlePath,
    /// Line in that entry, from 1.
    pub line: usize,
    /// The line itself.
    pub text: Redacted,
}

/// A likely cause.
#[derive(Debug, Clone)]
pub struct Diagnosis {
    /// The signature's stable id.
    pub id: String,
    /// The cause in one sentence; constant text of the signature.
    pub title: String,
    /// `resources`, `network`, `secrets`, …
    pub category: String,
    /// Between 0 and 1.
    pub confidence: f64,
    /// What failed, when a parser knows: `task "Copy release" on web1`.
    pub subject: Option<Redacted>,
    /// The lines that support it, the strongest first; at least one.
    pub evidence: Vec<EvidenceLine>,
    /// The runbook's file stem.
    pub runbook: String,
    /// What to do, most likely first; constant text of the signature.
    pub remediation: Vec<String>,
    /// `yes`, `after-fix` or `never-auto`: whether to run the job again.
    pub retryable: String,
}

impl Diagnosis {
    /// How sure it is, in words.
    pub fn certainty(&self) -> Certainty {
        Certainty::of(self.confidence)
    }
}
