//! The rows of a gate's report as people read them: what several runners share stands once, the secrets stand in one table, and every
//! candidate has its health.
//!
//! Escapes nothing, as [`super::story`].

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::{Candidate, Finding, Reason, Report, Status, Verdict};
use crate::redact::Redacted;

/// One answer, for one runner or for all that share it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row<'a> {
    /// The first finding that gave it.
    pub(super) finding: &'a Finding,
    /// The runners that it is about; empty for questions about this run.
    pub(super) runners: Vec<&'a str>,
    /// What was found; a name that differs between the runners is `it`.
    pub(super) summary: Cow<'a, str>,
    /// Whether the verdict names it as a reason for the block.
    pub(super) blocks: bool,
}

impl Row<'_> {
    /// Whether nobody needs to read it.
    pub(super) fn is_quiet(&self) -> bool {
        matches!(self.finding.status, Status::Pass | Status::Skipped)
    }
}

/// All findings: what blocks first, then by answer (fail, unknown, warn, pass, skipped), else in the order of the report. Runners that
/// share an answer share a row.
pub(super) fn ordered(report: &Report) -> Vec<Row<'_>> {
    let blocking = blocking(report);
    let mut rows: Vec<Row<'_>> = Vec::new();
    for finding in &report.findings {
        let runner = finding.runner.as_ref().map(Redacted::as_str);
        let blocks = blocking.contains(&(finding.check, finding.runner.as_ref()));
        let summary = finding.summary.as_str();
        let same = rows.iter_mut().find(|row| {
            row.blocks == blocks
                && (row.finding.check, row.finding.status) == (finding.check, finding.status)
                && runner.is_some()
                && same_words(&row.finding.summary, row.finding.runner.as_ref(), finding)
        });
        match (same, runner) {
            (Some(row), Some(name)) => {
                if row.summary != summary {
                    row.summary = Cow::Owned(nameless(summary, name));
                }
                row.runners.push(name);
            }
            (Some(_) | None, _) => rows.push(Row {
                finding,
                runners: runner.into_iter().collect(),
                summary: Cow::Borrowed(summary),
                blocks,
            }),
        }
    }
    rows.sort_by_key(|row| (!row.blocks, weight(row.finding.status)));
    rows
}

fn blocking(report: &Report) -> BTreeSet<(&str, Option<&Redacted>)> {
    match &report.verdict {
        Some(Verdict::Block { by, .. }) => {
            by.iter().map(|r| (r.check, r.runner.as_ref())).collect()
        }
        Some(Verdict::Proceed | Verdict::ProceedWithWarnings(_)) | None => BTreeSet::new(),
    }
}

fn same_words(one: &Redacted, about: Option<&Redacted>, other: &Finding) -> bool {
    let (Some(about), Some(runner)) = (about, &other.runner) else { return false };
    one == &other.summary
        || nameless(one.as_str(), about.as_str())
            == nameless(other.summary.as_str(), runner.as_str())
}

/// Reasons that say the same of several runners, as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shared<'a> {
    /// The first of them.
    pub(super) reason: &'a Reason,
    /// The runners that they are about.
    pub(super) runners: Vec<&'a str>,
    /// What was found, or of the first runner what was found.
    pub(super) summary: Cow<'a, str>,
    /// What to do now.
    pub(super) help: Option<Cow<'a, str>>,
}

/// What reasons must have in common to be told as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alike {
    /// The help: what to do is the same, whatever was found.
    Help,
    /// Help and summary.
    Answer,
}

/// The reasons in their order, those about several runners that are alike as one.
pub(super) fn shared<'a>(
    reasons: impl IntoIterator<Item = &'a Reason>,
    alike: Alike,
) -> Vec<Shared<'a>> {
    let mut all: Vec<Shared<'a>> = Vec::new();
    for reason in reasons {
        let name = reason.runner.as_ref().map(Redacted::as_str);
        let (summary, help) = (reason.summary.as_str(), reason.help.as_ref().map(Redacted::as_str));
        let same = all.iter_mut().find(|one| {
            let bare = |r: &'a Reason| {
                let name = r.runner.as_ref().map_or("", Redacted::as_str);
                let help = r.help.as_ref().map(|help| nameless(help.as_str(), name));
                let summary = (alike == Alike::Answer).then(|| nameless(r.summary.as_str(), name));
                (r.check, help, summary)
            };
            name.is_some() && one.reason.runner.is_some() && bare(one.reason) == bare(reason)
        });
        match (same, name) {
            (Some(one), Some(name)) => {
                one.runners.push(name);
                if one.summary != summary {
                    one.summary = Cow::Owned(nameless(summary, name));
                }
                if one.help.as_deref() != help {
                    one.help = help.map(|help| Cow::Owned(nameless(help, name)));
                }
            }
            (Some(_) | None, _) => all.push(Shared {
                reason,
                runners: name.into_iter().collect(),
                summary: Cow::Borrowed(summary),
                help: help.map(Cow::Borrowed),
            }),
        }
    }
    all
}

/// The text with `it` wherever the name stands as a word of its own, and with dots where it is quoted, as in a query.
fn nameless(text: &str, name: &str) -> String {
    if name.is_empty() {
        return text.to_owned();
    }
    let part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(name) {
        out.push_str(before);
        let inside = out.chars().next_back().is_some_and(part)
            || after.chars().next().is_some_and(|c| part(c) && c != '.');
        let quoted = out.ends_with(['"', '`', '\'']);
        out.push_str(match (inside, quoted) {
            (true, _) => name,
            (false, true) => "…",
            (false, false) => "it",
        });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The worst answer about a candidate, when there is one to look at.
pub(super) fn worst<'a>(report: &'a Report, candidate: &Candidate) -> Option<&'a Finding> {
    let blocking = blocking(report);
    let about = report.findings.iter().filter(|f| f.runner.as_ref() == Some(&candidate.name));
    about
        .filter(|f| !matches!(f.status, Status::Pass | Status::Skipped))
        .min_by_key(|f| (!blocking.contains(&(f.check, f.runner.as_ref())), weight(f.status)))
}

/// Whether anything at all is known about a candidate.
pub(super) fn is_known(report: &Report, candidate: &Candidate) -> bool {
    let mut about = report.findings.iter().filter(|f| f.runner.as_ref() == Some(&candidate.name));
    about.any(|f| matches!(f.status, Status::Pass | Status::Warn | Status::Fail))
}

/// `busy`, `idle` or `unknown`.
pub(super) fn busy(report: &Report, candidate: &Candidate) -> &'static str {
    let about =
        |f: &&Finding| f.check == "runner-busy" && f.runner.as_ref() == Some(&candidate.name);
    let Some(finding) = report.findings.iter().find(about) else { return "unknown" };
    match (finding.observed("busy"), finding.status) {
        (Some("true"), _) | (None, Status::Fail | Status::Warn) => "busy",
        (Some(_), _) | (None, Status::Pass) => "idle",
        (None, Status::Unknown | Status::Skipped) => "unknown",
    }
}

/// A secret by name and what the three questions about secrets say of it. Holds no part of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Secret<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// Whether it is there.
    pub(super) present: Option<&'a str>,
    /// Whether it is whole.
    pub(super) format: Option<&'a str>,
    /// Whether it lasts.
    pub(super) expiry: Option<&'a str>,
    /// The worst of the three.
    pub(super) worst: Status,
}

/// The checks that speak of secrets by name, in the order of the columns.
const ABOUT_SECRETS: [&str; 3] = ["secret-present", "secret-format", "secret-expiry"];

/// The table of secrets, the worst first, else by name.
pub(super) fn secrets(report: &Report) -> Vec<Secret<'_>> {
    let mut by_name: BTreeMap<&str, Secret<'_>> = BTreeMap::new();
    for (column, check) in ABOUT_SECRETS.into_iter().enumerate() {
        for finding in report.findings.iter().filter(|f| f.check == check) {
            for (name, value, limit) in &finding.observations {
                let secret = by_name.entry(name.as_str()).or_insert_with(|| Secret {
                    name: name.as_str(),
                    present: None,
                    format: None,
                    expiry: None,
                    worst: Status::Skipped,
                });
                let state = Some(value.as_str());
                match column {
                    0 => secret.present = state,
                    1 => secret.format = state,
                    _ => secret.expiry = state,
                }
                let limit = limit.as_ref().map_or("", Redacted::as_str);
                let judged = judge(value.as_str(), limit, finding.status);
                if weight(judged) < weight(secret.worst) {
                    secret.worst = judged;
                }
            }
        }
    }
    let mut all: Vec<_> = by_name.into_values().collect();
    all.sort_by_key(|secret| weight(secret.worst));
    all
}

/// What a state means. The finding speaks for all of its secrets, so the words of the single one decide.
fn judge(state: &str, limit: &str, of_all: Status) -> Status {
    let is = |words: &[&str]| words.iter().any(|word| state.starts_with(word));
    if matches!(of_all, Status::Pass) {
        return Status::Pass;
    }
    if is(&["missing", "blank", "placeholder", "malformed", "expired"]) {
        return Status::Fail;
    }
    if is(&["cannot be known", "can not be known", "unknown", "not known"]) {
        return Status::Unknown;
    }
    if is(&["expires in"]) {
        let (days, most) = (number(state), number(limit));
        let soon = days.zip(most).is_none_or(|(days, most)| days <= most);
        return if soon { Status::Warn } else { Status::Pass };
    }
    if is(&["present", "whole", "ok", "valid"]) { Status::Pass } else { Status::Warn }
}

/// The first whole number in a text.
fn number(text: &str) -> Option<u64> {
    text.split(|c: char| !c.is_ascii_digit()).find_map(|word| word.parse().ok())
}

/// How many findings gave which answer, in the order in which they matter; none that nobody gave.
pub(super) fn tally(report: &Report) -> Vec<(usize, Status)> {
    [Status::Fail, Status::Unknown, Status::Warn, Status::Pass, Status::Skipped]
        .into_iter()
        .map(|status| (report.findings.iter().filter(|f| f.status == status).count(), status))
        .filter(|(n, _)| *n > 0)
        .collect()
}

pub(super) const fn weight(status: Status) -> u8 {
    match status {
        Status::Fail => 0,
        Status::Unknown => 1,
        Status::Warn => 2,
        Status::Pass => 3,
        Status::Skipped => 4,
    }
}

#[cfg(test)]
mod tests;
