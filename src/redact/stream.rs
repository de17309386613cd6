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
use super::number::Numbers;
use super::path::Tracker;
use super::patterns;
use super::pseudonym::Pseudonyms;
use super::rules;
use super::span::{self, Place};
use super::user::Rules;
use super::view::View;

/// The buffer is worked off when it holds this much, in bytes.
pub(super) const CHUNK: usize = 512 * 1024;
/// What stays in the buffer, in bytes: more than the longest secret that is found as a whole.
pub(super) const KEPT: usize = 32 * 1024;
/// How often a line with a replacement is looked at again at most; two rounds are rare.
const ROUNDS_MAX: usize = 8;

/// What one redaction of a text works with.
#[derive(Clone)]
pub(super) struct Knowledge<'k> {
    pub(super) known: &'k KnownValues,
    pub(super) numbers: &'k Numbers,
    /// The rules of the user.
    pub(super) rules: Option<&'k Rules>,
    /// What gets a pseudonym.
    pub(super) names: Option<&'k Pseudonyms>,
    /// Where the text lies in the bundle; `None`: nobody knows, so every rule of the user holds.
    pub(super) place: Option<&'k str>,
    /// How many threads a long text may take.
    pub(super) threads: Threads,
}

/// How many threads a long text takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Threads {
    /// The caller's: others have texts of their own.
    One,
    /// One for values and one for shapes.
    Two,
}

/// A redaction that goes on, with what it has to remember between two chunks.
pub(super) struct Stream<'k> {
    with: Knowledge<'k>,
    buffer: String,
    state: State,
    tracker: Tracker,
    /// Parts beyond the last cut of secrets that were seen whole before it.
    pending: Vec<Place>,
    counts: Counts,
}

/// Takes finished text.
pub(super) type Sink<'s> = dyn FnMut(&str) -> io::Result<()> + 's;

impl<'k> Stream<'k> {
    pub(super) fn new(with: Knowledge<'k>) -> Self {
        Self {
            with,
            buffer: String::new(),
            state: State::default(),
            tracker: Tracker::default(),
            pending: Vec::new(),
            counts: Counts::new(),
        }
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
        let mut places = std::mem::take(&mut self.pending);
        found(&self.with, text, (&mut self.state, &mut self.tracker), cut, &mut places);
        let mut places = span::settle(text, places, rules::is_id);
        self.with.numbers.fill(text, &mut places);
        self.pending = beyond(&mut places, cut);
        let head = text.get(..cut).unwrap_or_default();
        let mut changed = None;
        if !places.is_empty() {
            let once = span::render(head, &places, &mut self.counts);
            changed = Some(until_stable(once, self.with.numbers, &mut self.counts));
        }
        if let Some(names) = self.with.names {
            names.learn(changed.as_deref().unwrap_or(head));
            if let Some(now) = names.now() {
                let text = changed.unwrap_or_else(|| head.to_owned());
                changed = Some(now.replace(text, self.with.numbers, &mut self.counts));
            }
        }
        sink(changed.as_deref().unwrap_or(head))?;
        self.buffer.drain(..cut);
        Ok(())
    }
}

/// Adds to `places` what both searches find; in a long text they run side by side, which changes nothing but the time.
fn found(
    with: &Knowledge<'_>,
    text: &str,
    (state, tracker): (&mut State, &mut Tracker),
    cut: usize,
    places: &mut Vec<Place>,
) {
    let text = text.as_bytes();
    let stripped = View::stripped(text);
    let search_known = || {
        let mut places = Vec::new();
        with.known.find(text, &stripped, &mut places);
        places
    };
    let mut search_patterns = || {
        let mut spans = Vec::new();
        patterns::find(text, &stripped, state, cut, &mut spans);
        if let Some(rules) = with.rules {
            rules.find(&stripped, with.place, (tracker, cut), &mut spans);
        }
        spans.into_iter().map(Place::from)
    };
    if with.known.is_empty() || text.len() < CHUNK || with.threads == Threads::One {
        places.extend(search_known());
        places.extend(search_patterns());
        return;
    }
    thread::scope(|scope| {
        let worker = thread::Builder::new().spawn_scoped(scope, search_known);
        let shapes = search_patterns();
        places.extend(match worker {
            Ok(worker) => worker.join().unwrap_or_else(|cause| panic::resume_unwind(cause)),
            Err(_) => search_known(),
        });
        places.extend(shapes);
    });
}

/// Looks again at the lines with a replacement: without the replaced text they may show what the first look did not see.
fn until_stable(mut text: String, numbers: &Numbers, counts: &mut Counts) -> String {
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
        let places = spans.into_iter().map(Place::from).collect();
        let mut places = span::settle(&text, places, rules::is_id);
        if places.is_empty() {
            break;
        }
        numbers.fill(&text, &mut places);
        text = span::render(&text, &places, counts);
    }
    text
}

fn line_around(text: &str, at: usize) -> Range<usize> {
    let (before, after) = text.as_bytes().split_at(at);
    let start = memrchr(b'\n', before).map_or(0, |end| end + 1);
    start..memchr(b'\n', after).map_or(text.len(), |width| at + width)
}

/// Takes what lies beyond the cut out of `places`, as offsets from the cut.
///
/// Only the rest of a secret that the cut divides is kept: the others are found again, with more text after them.
fn beyond(places: &mut Vec<Place>, cut: usize) -> Vec<Place> {
    let first = places.partition_point(|place| place.range.end <= cut);
    let mut rest = places.split_off(first);
    let mut pending = Vec::new();
    for place in &mut rest {
        let range = place.range.start.max(cut) - cut..place.range.end - cut;
        pending.push(Place { range, ..place.clone() });
        place.range.end = cut;
    }
    places.extend(rest.into_iter().filter(|place| place.range.start < cut));
    pending
}
