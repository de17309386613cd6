//! What a collector brings back: raw text first, redacted text after; only the latter reaches a bundle or a diagnosis.

use std::fmt;

use crate::redact::{Counts, Redacted, Redactor};

/// Text from outside that was not redacted yet. It has no `Display`, and `Debug` prints its size alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Raw(String);

impl Raw {
    /// Wraps text from outside.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Raw({} bytes)", self.0.len())
    }
}

/// A path inside the bundle: generated, never absolute, no `..`, only `A-Z a-z 0-9 . _ -` in its parts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BundlePath(String);

impl BundlePath {
    /// Makes a safe path of `folder` and a name from outside: other characters become `_`, each part is at most 100 bytes.
    pub fn new(folder: &str, name: &str) -> Self {
        let parts: Vec<String> = folder
            .split('/')
            .chain(name.split('/'))
            .map(safe_part)
            .filter(|p| !p.is_empty())
            .collect();
        if parts.is_empty() { Self("unnamed".to_owned()) } else { Self(parts.join("/")) }
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BundlePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn safe_part(part: &str) -> String {
    let allowed =
        |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '_' };
    let cleaned: String = part.chars().map(allowed).take(100).collect();
    cleaned.trim_start_matches(['.', '-']).to_owned()
}

/// Which kind of evidence this is; it decides how much a match in it weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EvidenceKind {
    /// Output of Ansible, read by its grammar.
    Ansible,
    /// The log of a job.
    JobLog,
    /// A listener or worker log of the runner.
    RunnerLog,
    /// Samples of metrics.
    Metrics,
    /// Facts of the job.
    Context,
}

impl EvidenceKind {
    /// The word that signatures use under `sources`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ansible => "ansible",
            Self::JobLog => "job-log",
            Self::RunnerLog => "runner-log",
            Self::Metrics => "metrics",
            Self::Context => "context",
        }
    }
}

/// What was left out of a text because of a cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truncation {
    /// Size of the original in bytes, when it is known.
    pub original: Option<u64>,
    /// The cap in bytes.
    pub cap: u64,
}

/// One structured failure that a parser found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt<T> {
    /// What failed, in one line: `task "Copy release" on web1`.
    pub label: T,
    /// The failure in a few lines: message, return code, tail of stderr.
    pub text: T,
    /// Line of the text at which it stands, from 1.
    pub line: usize,
    /// Whether it is a root cause (not a failure after a failure).
    pub root: bool,
}

/// One piece of evidence.
#[derive(Debug, Clone)]
pub struct Evidence<T> {
    /// Where it lies in the bundle.
    pub path: BundlePath,
    /// Its kind.
    pub kind: EvidenceKind,
    /// Where it came from, for people.
    pub origin: T,
    /// The text.
    pub text: T,
    /// What was left out.
    pub truncated: Option<Truncation>,
    /// Failures that a parser found. `None`: the text has no known structure, all of it may hold the cause.
    /// `Some` and empty: the parser read it, and nothing failed.
    pub excerpts: Option<Vec<Excerpt<T>>>,
    /// Replacements made so far, by rule.
    pub redactions: Counts,
}

impl Evidence<Raw> {
    /// Evidence without structure.
    pub fn new(
        path: BundlePath,
        kind: EvidenceKind,
        origin: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        Self {
            path,
            kind,
            origin: Raw::new(origin),
            text: Raw::new(text),
            truncated: None,
            excerpts: None,
            redactions: Counts::new(),
        }
    }

    /// The same evidence without its secrets.
    pub fn redact(self, redactor: &Redactor) -> Evidence<Redacted> {
        let (text, counts) = redactor.redact_counted(&self.text.0);
        let mut redactions = self.redactions;
        for (rule, count) in counts {
            *redactions.entry(rule).or_default() += count;
        }
        let clean = |raw: &Raw| redactor.redact(&raw.0);
        let excerpt = |e: &Excerpt<Raw>| Excerpt {
            label: clean(&e.label),
            text: clean(&e.text),
            line: e.line,
            root: e.root,
        };
        Evidence {
            path: self.path,
            kind: self.kind,
            origin: clean(&self.origin),
            text,
            truncated: self.truncated,
            excerpts: self.excerpts.map(|all| all.iter().map(excerpt).collect()),
            redactions,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_path_never_leaves_the_bundle() {
        assert_eq!(BundlePath::new("runner", "../../etc/passwd").as_str(), "runner/etc/passwd");
        assert_eq!(BundlePath::new("", "/abs").as_str(), "abs");
        assert_eq!(BundlePath::new("metrics", "host:9101.prom").as_str(), "metrics/host_9101.prom");
        assert_eq!(BundlePath::new("", "..").as_str(), "unnamed");
        assert_eq!(BundlePath::new("a", "x\ny").as_str(), "a/x_y");
    }

    #[test]
    fn raw_text_prints_only_its_size() {
        assert_eq!(format!("{:?}", Raw::new("hunter2")), "Raw(7 bytes)");
    }
}
