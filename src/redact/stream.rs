//! Redacts a text of any length in bounded memory.
//!
//! The text passes through a buffer that is cut at a line end, never inside the last part of it: a secret that begins before the cut
//! is seen whole, and the rest of it beyond the cut is remembered. It does not decide what is a secret.

use std::ops::Range;

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
        let mut places = std::mem::take(&mut self.pending);
        self.with.known.find(text.as_bytes(), &stripped, &mut places);
        let mut spans = Vec::new();
        patterns::find(text.as_bytes(), &stripped, &mut self.state, cut, &mut spans);
        if let Some(rules) = self.with.rules {
            rules.find(&stripped, self.with.place, (&mut self.tracker, cut), &mut spans);
        }
        places.extend(spans.into_iter().map(Place::from));
        let mut places = span::settle(text, places, rules::is_id);
        self.with.numbers.fill(text, &mut places);
        self.pending = beyond(&mut places, cut);
        let head = text.get(..cut).unwrap_or_default();
        let mut out = if places.is_empty() {
            head.to_owned()
        } else {
            let once = span::render(head, &places, &mut self.counts);
            until_stable(once, self.with.numbers, &mut self.counts)
        };
        if let Some(names) = self.with.names {
            names.learn(&out);
            if let Some(now) = names.now() {
                out = now.replace(out, self.with.numbers, &mut self.counts);
            }
        }
        self.buffer.drain(..cut);
        out
    }
}

/// Looks again at the lines with a replacement: without the replaced text they may show what the first look did not see.
fn until_stable(mut text: String, numbers: &Numbers, counts: &mut Counts) -> String {
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
    let start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
    let rest = text.get(at..).and_then(|after| after.find('\n'));
    start..rest.map_or(text.len(), |width| at + width)
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
