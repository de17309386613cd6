//! Redacts a text of any length in bounded memory.
//!
//! The text passes through a buffer that is cut at a line end, never inside the last part of it: a secret that begins before the cut
//! is seen whole, and the rest of it beyond the cut is remembered. It does not decide what is a secret.

use std::io;
use std::ops::Range;

use memchr::{memchr, memmem, memrchr};

use super::Counts;
use super::chunk::{Before, Chunk, Found, Knowledge, Room};
use super::number::Numbers;
use super::patterns;
use super::rules;
use super::span::{self, Place, Text};

/// The buffer is worked off when it holds this much, in bytes.
pub(super) const CHUNK: usize = 512 * 1024;
/// What stays in the buffer, in bytes: more than the longest secret that is found as a whole.
pub(super) const KEPT: usize = 32 * 1024;
/// How often a line with a replacement is looked at again at most; two rounds are rare.
const ROUNDS_MAX: usize = 8;

/// A redaction that goes on, with what it has to remember between two chunks.
pub(super) struct Stream<'k> {
    pub(super) with: Knowledge<'k>,
    buffer: String,
    before: Before,
    /// Parts beyond the last cut of secrets that were seen whole before it.
    pending: Vec<Place>,
    counts: Counts,
    pub(super) room: Room,
    /// Memory of finished texts, to be used again.
    spare: Vec<String>,
}

/// Takes finished text.
pub(super) type Sink<'s> = dyn FnMut(&str) -> io::Result<()> + 's;

impl<'k> Stream<'k> {
    pub(super) fn new(with: Knowledge<'k>) -> Self {
        Self {
            with,
            buffer: String::new(),
            before: Before::default(),
            pending: Vec::new(),
            counts: Counts::new(),
            room: Room::default(),
            spare: Vec::new(),
        }
    }

    /// Where the next text goes.
    pub(super) fn buffer(&mut self) -> &mut String {
        &mut self.buffer
    }

    /// The next chunk once there is enough text for one.
    pub(super) fn chunk(&mut self) -> Option<Chunk> {
        if self.buffer.len() < CHUNK + KEPT {
            return None;
        }
        let limit = self.buffer.floor_char_boundary(self.buffer.len() - KEPT);
        let head = self.buffer.get(..limit).unwrap_or_default();
        let cut = memrchr(b'\n', head.as_bytes()).map_or(limit, |newline| newline + 1);
        let mut rest = self.spare.pop().unwrap_or_default();
        rest.reserve(self.buffer.capacity());
        rest.push_str(self.buffer.get(cut..).unwrap_or_default());
        Some(Chunk { text: std::mem::replace(&mut self.buffer, rest), cut })
    }

    /// Looks into the next chunk and hands on what is ready.
    pub(super) fn work_off(&mut self, chunk: Chunk, sink: &mut Sink<'_>) -> io::Result<()> {
        let before = std::mem::take(&mut self.before);
        let found = self.with.find(&chunk, before, &mut self.room);
        self.hand_on(chunk, found, sink)
    }

    /// As [`Self::work_off`] for what was found as if nothing stood before the chunk.
    pub(super) fn take(
        &mut self,
        chunk: Chunk,
        found: Found,
        sink: &mut Sink<'_>,
    ) -> io::Result<()> {
        if self.before.state.is_waiting() {
            return self.work_off(chunk, sink);
        }
        self.hand_on(chunk, found, sink)
    }

    /// Hands on the redacted rest of the text; returns the counts of all of it.
    pub(super) fn end(mut self, sink: &mut Sink<'_>) -> io::Result<Counts> {
        let text = std::mem::take(&mut self.buffer);
        let cut = text.len();
        self.work_off(Chunk { text, cut }, sink)?;
        Ok(self.counts)
    }

    fn hand_on(&mut self, chunk: Chunk, found: Found, sink: &mut Sink<'_>) -> io::Result<()> {
        let Chunk { text, cut } = chunk;
        self.before = found.at_cut;
        let mut places = std::mem::take(&mut self.pending);
        places.extend(found.places);
        let mut places = span::settle(&text, places, rules::is_id, self.with.text);
        self.with.numbers.fill(&text, &mut places);
        self.pending = beyond(&mut places, cut);
        let head = text.get(..cut).unwrap_or_default();
        let mut changed = None;
        if !places.is_empty() {
            let mut once = self.spare.pop().unwrap_or_default();
            span::render(head, &places, &mut self.counts, &mut once);
            changed = Some(match self.with.text {
                Text::Raw => until_stable(once, self.with.numbers, &mut self.counts),
                Text::Page => once,
            });
        }
        if let Some(names) = self.with.names {
            names.learn(changed.as_deref().unwrap_or(head));
            if let Some(now) = names.now() {
                let text = changed.unwrap_or_else(|| head.to_owned());
                changed = Some(now.replace(text, self.with.numbers, &mut self.counts));
            }
        }
        sink(changed.as_deref().unwrap_or(head))?;
        for mut text in changed.into_iter().chain([text]) {
            text.clear();
            self.spare.push(text);
        }
        Ok(())
    }
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
        let mut places = span::settle(&text, places, rules::is_id, Text::Raw);
        if places.is_empty() {
            break;
        }
        numbers.fill(&text, &mut places);
        let mut again = String::new();
        span::render(&text, &places, counts, &mut again);
        text = again;
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
