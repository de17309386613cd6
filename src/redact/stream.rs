//! Redacts a text of any length in bounded memory.
//!
//! The text passes through a buffer that is cut at a line end, never inside the last part of it: a secret that begins before the cut
//! is seen whole, and the rest of it beyond the cut is remembered. It does not decide what is a secret.

use std::ops::Range;

use super::Counts;
use super::blocks::State;
use super::known::KnownValues;
use super::patterns;
use super::rules;
use super::span::{self, Span};
use super::view::View;

/// The buffer is worked off when it holds this much, in bytes.
pub(super) const CHUNK: usize = 512 * 1024;
/// What stays in the buffer, in bytes: more than the longest secret that is found as a whole.
pub(super) const KEPT: usize = 32 * 1024;
/// How often a line with a replacement is looked at again at most; two rounds are rare.
const ROUNDS_MAX: usize = 8;

/// A redaction that goes on, with what it has to remember between two chunks.
pub(super) struct Stream<'k> {
    known: &'k KnownValues,
    buffer: String,
    state: State,
    /// Parts beyond the last cut of secrets that were seen whole before it.
    pending: Vec<Span>,
    counts: Counts,
}

impl<'k> Stream<'k> {
    pub(super) fn new(known: &'k KnownValues) -> Self {
        let (buffer, state, pending, counts) =
            (String::new(), State::default(), Vec::new(), Counts::new());
        Self { known, buffer, state, pending, counts }
    }

    /// Takes text; returns the redacted text that is ready.
    pub(super) fn push(&mut self, text: &str) -> String {
        self.buffer.push_str(text);
        if self.buffer.len() < CHUNK + KEPT {
            return String::new();
        }
        let limit = self.buffer.floor_char_boundary(self.buffer.len() - KEPT);
        let head = self.buffer.get(..limit).unwrap_or_default();
        let cut = head.rfind('\n').map_or(limit, |newline| newline + 1);
        self.work_off(cut)
    }

    /// The redacted rest of the text, and the counts of all of it.
    pub(super) fn finish(mut self) -> (String, Counts) {
        let rest = self.work_off(self.buffer.len());
        (rest, self.counts)
    }

    fn work_off(&mut self, cut: usize) -> String {
        let text = self.buffer.as_str();
        let stripped = View::stripped(text.as_bytes());
        let mut spans = std::mem::take(&mut self.pending);
        self.known.find(text.as_bytes(), &stripped, &mut spans);
        patterns::find(text.as_bytes(), &stripped, &mut self.state, cut, &mut spans);
        let mut spans = span::settle(text, spans, rules::is_id);
        self.pending = beyond(&mut spans, cut);
        let head = text.get(..cut).unwrap_or_default();
        let out = if spans.is_empty() {
            head.to_owned()
        } else {
            until_stable(span::render(head, &spans, &mut self.counts), &mut self.counts)
        };
        self.buffer.drain(..cut);
        out
    }
}

/// Looks again at the lines with a replacement: without the replaced text they may show what the first look did not see.
fn until_stable(mut text: String, counts: &mut Counts) -> String {
    for _ in 0..ROUNDS_MAX {
        let mut spans = Vec::new();
        let mut next = 0;
        for (at, _) in text.match_indices(span::OPEN) {
            if at >= next {
                let line = line_around(&text, at);
                next = line.end;
                patterns::find_on_line(&text, &line, &mut spans);
            }
        }
        let spans = span::settle(&text, spans, rules::is_id);
        if spans.is_empty() {
            break;
        }
        text = span::render(&text, &spans, counts);
    }
    text
}

fn line_around(text: &str, at: usize) -> Range<usize> {
    let start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
    let rest = text.get(at..).and_then(|after| after.find('\n'));
    start..rest.map_or(text.len(), |width| at + width)
}

/// Takes what lies beyond the cut out of `spans`, as offsets from the cut.
///
/// Only the rest of a secret that the cut divides is kept: the others are found again, with more text after them.
fn beyond(spans: &mut Vec<Span>, cut: usize) -> Vec<Span> {
    let first = spans.partition_point(|span| span.range.end <= cut);
    let mut rest = spans.split_off(first);
    let mut pending = Vec::new();
    for span in &mut rest {
        pending.push(Span {
            range: span.range.start.max(cut) - cut..span.range.end - cut,
            rule: span.rule,
        });
        span.range.end = cut;
    }
    spans.extend(rest.into_iter().filter(|span| span.range.start < cut));
    pending
}
