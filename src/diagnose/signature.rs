//! One known failure, as its YAML entry describes it.

use serde::Deserialize;

use super::pattern::{Pattern, PatternError};
use crate::report::EvidenceKind;

/// Largest window in lines.
const WIDEST: usize = 50;

/// A known failure.
#[derive(Debug)]
pub struct Signature {
    /// Stable, kebab-case; users write it.
    pub id: String,
    /// The cause in one sentence.
    pub title: String,
    /// `runner`, `resources`, `secrets`, `network`, `ansible` or `deploy`.
    pub category: String,
    /// `critical`, `high`, `medium` or `low`.
    pub severity: String,
    /// How sure it is that this is the cause when it matches, between 0 and 1.
    pub confidence: f64,
    /// The runbook's file stem; the section has the signature's id.
    pub runbook: String,
    /// Who can fix it: `platform`, `app`, `security` or `github`.
    pub owner: String,
    /// `yes`, `after-fix` or `never-auto`: whether to run the job again.
    pub retryable: String,
    /// Ids of failures that are only consequences of this one.
    pub supersedes: Vec<String>,
    /// What to do, most likely first.
    pub remediation: Vec<String>,
    /// Texts that must get this id as the first diagnosis.
    pub examples: Vec<String>,
    /// Texts that look alike and must not get this id.
    pub counter_examples: Vec<String>,
    pub(super) sources: Vec<String>,
    pub(super) window: usize,
    pub(super) any: Vec<Pattern>,
    pub(super) all: Vec<Pattern>,
    pub(super) none: Vec<Pattern>,
    pub(super) extract: Vec<Pattern>,
}

impl Signature {
    /// Whether it is looked for in evidence of this kind.
    pub fn applies_to(&self, kind: EvidenceKind) -> bool {
        self.sources.iter().any(|source| source == kind.word())
    }

    /// The signature of an entry, or what is wrong with it in words that follow its id.
    pub(super) fn new(entry: Entry) -> Result<Self, Wrong> {
        entry.check()?;
        let Match { any, all, none } = entry.matching;
        Ok(Self {
            any: compiled(&any, Pattern::searched)?,
            all: compiled(&all, Pattern::tried)?,
            none: compiled(&none, Pattern::tried)?,
            extract: compiled(&entry.extract, Pattern::tried)?,
            id: entry.id,
            title: entry.title,
            category: entry.category,
            severity: entry.severity,
            confidence: entry.confidence,
            runbook: entry.runbook,
            owner: entry.owner,
            retryable: entry.retryable,
            supersedes: entry.supersedes,
            remediation: entry.remediation,
            examples: entry.examples,
            counter_examples: entry.counter_examples,
            sources: entry.sources,
            window: entry.window_lines,
        })
    }

    /// Compiles every pattern, to know whether each can be.
    pub(super) fn compile(&self) -> Result<(), Wrong> {
        [&self.any, &self.all, &self.none, &self.extract]
            .into_iter()
            .flatten()
            .try_for_each(|pattern| pattern.compile().map_err(|e| Wrong::Pattern(String::new(), e)))
    }
}

/// What is wrong with an entry.
#[derive(Debug, thiserror::Error)]
pub(super) enum Wrong {
    #[error("{field} is {value:?}, not one of {allowed}")]
    Word { field: &'static str, value: String, allowed: String },
    #[error("{0}")]
    Rule(&'static str),
    #[error("pattern {0:?} {1}")]
    Pattern(String, #[source] PatternError),
}

/// A signature as it stands in YAML.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) id: String,
    title: String,
    category: String,
    severity: String,
    confidence: f64,
    runbook: String,
    owner: String,
    retryable: String,
    #[serde(default = "texts_of_a_job")]
    sources: Vec<String>,
    #[serde(rename = "match")]
    matching: Match,
    #[serde(default)]
    window_lines: usize,
    #[serde(default)]
    supersedes: Vec<String>,
    #[serde(default)]
    extract: Vec<String>,
    remediation: Vec<String>,
    examples: Vec<String>,
    #[serde(rename = "counter-examples")]
    counter_examples: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Match {
    any: Vec<String>,
    #[serde(default)]
    all: Vec<String>,
    #[serde(default)]
    none: Vec<String>,
}

fn texts_of_a_job() -> Vec<String> {
    [EvidenceKind::Ansible, EvidenceKind::JobLog, EvidenceKind::RunnerLog]
        .map(|kind| kind.word().to_owned())
        .to_vec()
}

impl Entry {
    fn check(&self) -> Result<(), Wrong> {
        word(
            "category",
            &self.category,
            &["runner", "resources", "secrets", "network", "ansible", "deploy"],
        )?;
        word("severity", &self.severity, &["critical", "high", "medium", "low"])?;
        word("owner", &self.owner, &["platform", "app", "security", "github"])?;
        word("retryable", &self.retryable, &["yes", "after-fix", "never-auto"])?;
        let kinds = ["ansible", "job-log", "runner-log", "metrics", "context"];
        self.sources.iter().try_for_each(|source| word("sources", source, &kinds))?;
        let rules = [
            (kebab(&self.id), "the id is not lower-case words joined by hyphens"),
            (kebab(&self.runbook), "runbook is not the stem of a file name"),
            ((0.0..=1.0).contains(&self.confidence), "confidence is not between 0 and 1"),
            (self.window_lines <= WIDEST, "window_lines is more than 50 lines"),
            (!self.matching.any.is_empty(), "match.any is empty"),
            (!self.remediation.is_empty(), "remediation is empty"),
            (!self.examples.is_empty(), "examples is empty"),
            (!self.counter_examples.is_empty(), "counter-examples is empty"),
        ];
        let broken = rules.into_iter().find(|(holds, _)| !holds);
        broken.map_or(Ok(()), |(_, rule)| Err(Wrong::Rule(rule)))
    }
}

fn word(field: &'static str, value: &str, allowed: &[&str]) -> Result<(), Wrong> {
    if allowed.contains(&value) {
        return Ok(());
    }
    Err(Wrong::Word { field, value: value.to_owned(), allowed: allowed.join(", ") })
}

fn kebab(id: &str) -> bool {
    let part =
        |p: &str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    id.split('-').all(part)
}

fn compiled(
    sources: &[String],
    make: fn(&str) -> Result<Pattern, PatternError>,
) -> Result<Vec<Pattern>, Wrong> {
    sources.iter().map(|s| make(s).map_err(|e| Wrong::Pattern(s.clone(), e))).collect()
}
