//! Redacts a text of any length in bounded memory.
//!
//! The text passes through a buffer that is cut at a line end, never inside the last part of it: a secret that begins before the cut
//! is seen whole, and the rest of it beyond the cut is remembered. It does not decide what is a secret.

use std::ops::Range;
use std::{io, panic, thread};

use memchr::{memchr, memmem, memrchr};

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

/// Takes finished text.
pub(super) type Sink<'s> = dyn FnMut(&str) -> io::Result<()> + 's;

impl<'k> Stream<'k> {
    pub(super) fn new(known: &'k KnownValues) -> Self {
        let (buffer, state, pending, counts) =
            (String::new(), State::default(), Vec::new(), Counts::new());
        Self { known, buffer, state, pending, counts }
    }

    /// Takes text; returns the redacted text that is ready.
    pub(super) fn push(&mut self, text: &str) -> String {
        let mut out = String::new();
        let pushed = self.fill(|buffer| buffer.push_str(text), &mut |ready| {
            out.push_str(ready);
            Ok(())
        });
        debug_assert!(pushed.is_ok(), "a string takes everything");
        out
    }

    /// Lets `more` add text at the end of the buffer, and hands on what is ready, without a copy of what holds no secret.
    pub(super) fn fill(
        &mut self,
        more: impl FnOnce(&mut String),
        sink: &mut Sink<'_>,
    ) -> io::Result<()> {
        more(&mut self.buffer);
        if self.buffer.len() < CHUNK + KEPT {
            return Ok(());
        }
        let limit = self.buffer.floor_char_boundary(self.buffer.len() - KEPT);
        let head = self.buffer.get(..limit).unwrap_or_default();
        let cut = memrchr(b'\n', head.as_bytes()).map_or(limit, |newline| newline + 1);
        self.work_off(cut, sink)
    }

    /// The redacted rest of the text, and the counts of all of it.
    pub(super) fn finish(self) -> (String, Counts) {
        let mut out = String::new();
        let counts = self.end(&mut |ready| {
            out.push_str(ready);
            Ok(())
        });
        (out, counts.unwrap_or_default())
    }

    /// Hands on the redacted rest of the text; returns the counts of all of it.
    pub(super) fn end(mut self, sink: &mut Sink<'_>) -> io::Result<Counts> {
        self.work_off(self.buffer.len(), sink)?;
        Ok(self.counts)
    }

    fn work_off(&mut self, cut: usize, sink: &mut Sink<'_>) -> io::Result<()> {
        let text = self.buffer.as_str();
        let spans =
            found(self.known, text, &mut self.state, cut, std::mem::take(&mut self.pending));
        let mut spans = span::settle(text, spans, rules::is_id);
        self.pending = beyond(&mut spans, cut);
        let head = text.get(..cut).unwrap_or_default();
        if spans.is_empty() {
            sink(head)?;
        } else {
            let counts = &mut self.counts;
            sink(&until_stable(span::render(head, &spans, counts), counts))?;
        }
        self.buffer.drain(..cut);
        Ok(())
    }
}

/// Adds to `spans` what both searches find; in a long text they run side by side, which changes nothing but the time.
fn found(
    known: &KnownValues,
    text: &str,
    state: &mut State,
    cut: usize,
    mut spans: Vec<Span>,
) -> Vec<Span> {
    let text = text.as_bytes();
    let stripped = View::stripped(text);
    let search_known = || {
        let mut spans = Vec::new();
        known.find(text, &stripped, &mut spans);
        spans
    };
    let mut search_patterns = || {
        let mut spans = Vec::new();
        patterns::find(text, &stripped, state, cut, &mut spans);
        spans
    };
    if known.is_empty() || text.len() < CHUNK {
        spans.extend(search_known());
        spans.extend(search_patterns());
        return spans;
    }
    thread::scope(|scope| {
        let worker = thread::Builder::new().spawn_scoped(scope, search_known);
        let shapes = search_patterns();
        spans.extend(match worker {
            Ok(worker) => worker.join().unwrap_or_else(|cause| panic::resume_unwind(cause)),
            Err(_) => search_known(),
        });
        spans.extend(shapes);
    });
    spans
}

/// Looks again at the lines with a replacement: without the replaced text they may show what the first look did not see.
fn until_stable(mut text: String, counts: &mut Counts) -> String {
    for _ in 0..ROUNDS_MAX {
        let mut spans = Vec::new();
        let mut next = 0;
        for at in memmem::find_iter(text.as_bytes(), span::OPEN) {
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
    let (before, after) = text.as_bytes().split_at(at);
    let start = memrchr(b'\n', before).map_or(0, |end| end + 1);
    start..memchr(b'\n', after).map_or(text.len(), |width| at + width)
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
