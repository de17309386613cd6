//! Finds every signature that matches somewhere in the evidence, in time linear in its size. It does not rank.

use std::collections::HashMap;

use super::lines::{Line, lines};
use super::pattern::Pattern;
use super::signature::Signature;
use super::signatures::Signatures;
use crate::redact::Redacted;
use crate::report::{Evidence, EvidenceKind, Excerpt};

/// Most hits of one signature that are kept of the first entries: more would not be read. Of each further entry one is kept.
const MOST_HITS: usize = 3;
/// Most hits of one signature in all.
const MOST_PLACES: usize = 16;
/// Bytes of one passage on which one pattern may be tried in vain; then it is left alone there.
const VAIN: usize = 512 * 1024;

/// A text in which signatures are looked for: a whole text, or one structured failure.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passage<'a> {
    /// Place of its evidence.
    pub(super) evidence: usize,
    /// Kind of its evidence.
    pub(super) kind: EvidenceKind,
    /// What failed, when it is a structured failure.
    pub(super) label: Option<&'a Redacted>,
    /// The text.
    pub(super) text: &'a str,
    /// Number of its first line.
    pub(super) first: usize,
}

/// The passages of all evidence, in order.
pub(super) fn passages(evidence: &[Evidence<Redacted>]) -> Vec<Passage<'_>> {
    evidence.iter().enumerate().flat_map(|(place, e)| passages_of(place, e)).collect()
}

fn passages_of(evidence: usize, from: &Evidence<Redacted>) -> Vec<Passage<'_>> {
    let kind = from.kind;
    let Some(excerpts) = &from.excerpts else {
        return vec![Passage { evidence, kind, label: None, text: from.text.as_str(), first: 1 }];
    };
    let passage = |e| structured(evidence, kind, e);
    excerpts.iter().filter(|e| e.root).map(passage).collect()
}

fn structured(evidence: usize, kind: EvidenceKind, failure: &Excerpt<Redacted>) -> Passage<'_> {
    let Excerpt { label, text, line, .. } = failure;
    Passage { evidence, kind, label: Some(label), text: text.as_str(), first: *line }
}

/// One place at which a signature matches.
#[derive(Debug, Clone)]
pub(super) struct Hit<'a> {
    /// Where it was found.
    pub(super) passage: Passage<'a>,
    /// Number of the line in the evidence.
    pub(super) line: usize,
    /// The message on that line.
    pub(super) message: String,
    /// The byte of the message at which the pattern matched.
    pub(super) at: usize,
    /// What the patterns of `extract` found around it.
    pub(super) fields: Vec<(String, String)>,
}

/// The hits of each signature, by its place; empty where it did not match.
pub(super) fn scan<'a>(passages: &[Passage<'a>], signatures: &Signatures) -> Vec<Vec<Hit<'a>>> {
    let mut hits: Vec<Vec<Hit<'a>>> = signatures.iter().map(|_| Vec::new()).collect();
    for passage in passages {
        Scanner::new(*passage, signatures).run(&mut hits);
    }
    hits
}

/// Whether no more hits in this passage are kept.
fn is_full(kept: &[Hit<'_>], passage: &Passage<'_>) -> bool {
    let seen_here = kept.iter().any(|hit| hit.passage.evidence == passage.evidence);
    kept.len() >= MOST_PLACES || (kept.len() >= MOST_HITS && (seen_here || !is_of_a_job(passage)))
}

/// Whether a hit adds nothing: the same message in the same entry, or once more in the log of a runner. In the log of another job it
/// says that this job has the cause too.
fn says_the_same(kept: &Hit<'_>, hit: &Hit<'_>) -> bool {
    let elsewhere = kept.passage.evidence != hit.passage.evidence && is_of_a_job(&hit.passage);
    kept.message == hit.message && !elsewhere
}

fn is_of_a_job(passage: &Passage<'_>) -> bool {
    matches!(passage.kind, EvidenceKind::JobLog | EvidenceKind::Ansible)
}

struct Scanner<'a, 's> {
    passage: Passage<'a>,
    lines: Vec<Line<'a>>,
    signatures: &'s Signatures,
    /// For each pattern: the last line on which it was tried, and the bytes on which it was tried in vain.
    tried: HashMap<(usize, usize), (usize, usize)>,
}

impl<'a, 's> Scanner<'a, 's> {
    fn new(passage: Passage<'a>, signatures: &'s Signatures) -> Self {
        let lines = lines(passage.text, passage.first);
        Self { passage, lines, signatures, tried: HashMap::new() }
    }

    fn run(mut self, hits: &mut [Vec<Hit<'a>>]) {
        for place in 0..self.lines.len() {
            self.run_line(place, hits);
        }
    }

    fn run_line(&mut self, place: usize, hits: &mut [Vec<Hit<'a>>]) {
        let Some(text) = self.lines.get(place).map(|line| line.text.clone()) else { return };
        for (owner, number) in self.signatures.candidates(&text) {
            let Some((signature, kept)) = self.signatures.at(owner).zip(hits.get_mut(owner)) else {
                continue;
            };
            if is_full(kept, &self.passage) || !signature.applies_to(self.passage.kind) {
                continue;
            }
            if !self.may_try((owner, number), place, text.len()) {
                continue;
            }
            let found = signature.any.get(number).and_then(|pattern| pattern.find(&text));
            if let Some(hit) = found.and_then(|at| self.hit(signature, place, at))
                && kept.iter().all(|k| !says_the_same(k, &hit))
            {
                kept.push(hit);
            }
        }
    }

    /// Whether a pattern is still to be tried on this line; counts the try.
    fn may_try(&mut self, pattern: (usize, usize), place: usize, bytes: usize) -> bool {
        let (last, spent) = self.tried.entry(pattern).or_insert((usize::MAX, 0));
        if *last == place || *spent > VAIN {
            return false;
        }
        *last = place;
        *spent = spent.saturating_add(bytes);
        true
    }

    fn hit(&self, signature: &Signature, place: usize, at: usize) -> Option<Hit<'a>> {
        let window = self.window(place, signature.window);
        let holds = |pattern: &Pattern| window.iter().any(|l| pattern.find(&l.text).is_some());
        if !signature.all.iter().all(holds) || signature.none.iter().any(holds) {
            return None;
        }
        let line = self.lines.get(place)?;
        let mut fields: Vec<(String, String)> = Vec::new();
        for (name, value) in signature.extract.iter().flat_map(|p| p.fields(&line.text)) {
            if fields.iter().all(|(have, _)| have != name) {
                fields.push((name.to_owned(), value.to_owned()));
            }
        }
        let message = line.text.clone().into_owned();
        Some(Hit { passage: self.passage, line: line.number, message, at, fields })
    }

    /// The line and `width` lines before and after it.
    fn window(&self, place: usize, width: usize) -> &[Line<'a>] {
        let end = place.saturating_add(width).saturating_add(1).min(self.lines.len());
        self.lines.get(place.saturating_sub(width)..end).unwrap_or_default()
    }
}
