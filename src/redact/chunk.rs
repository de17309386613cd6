//! What one chunk of a text holds, found without the chunks around it: the part of redaction that several threads can do at once.
//!
//! It replaces nothing, and decides nothing that lies beyond the chunk.

use std::sync::Arc;

use super::blocks::State;
use super::keywords;
use super::known::KnownValues;
use super::number::Numbers;
use super::path::Tracker;
use super::patterns;
use super::pseudonym::Pseudonyms;
use super::seams;
use super::span::{Place, Text};
use super::user::Rules;
use super::view::{self, View};

/// What one redaction of a text works with.
#[derive(Clone)]
pub(super) struct Knowledge<'k> {
    pub(super) known: Arc<KnownValues>,
    pub(super) numbers: &'k Numbers,
    /// The rules of the user.
    pub(super) rules: Option<&'k Rules>,
    /// What gets a pseudonym.
    pub(super) names: Option<&'k Pseudonyms>,
    /// Where the text lies in the bundle; `None`: nobody knows, so every rule of the user holds.
    pub(super) place: Option<&'k str>,
    /// How many threads a long text may take.
    pub(super) threads: Threads,
    /// What is redacted: in a page the patterns are not looked for.
    pub(super) text: Text,
}

/// How many threads a long text takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Threads {
    /// The caller's: others have texts of their own.
    One,
    /// One for each processor, up to a few.
    Several,
}

/// A part of a text, and where the next part begins: what lies behind the cut is looked at once more with what follows it.
#[derive(Default)]
pub(super) struct Chunk {
    pub(super) text: String,
    pub(super) cut: usize,
}

/// What the lines before a line have announced for it.
#[derive(Clone, Default)]
pub(super) struct Before {
    pub(super) state: State,
    pub(super) tracker: Tracker,
}

/// What was found in a chunk.
pub(super) struct Found {
    pub(super) places: Vec<Place>,
    /// What holds for the line at the cut.
    pub(super) at_cut: Before,
}

/// Memory of a search, to be used for the next chunk.
#[derive(Default)]
pub(super) struct Room {
    view: view::Room,
    seams: seams::Room,
    hits: Vec<keywords::Found>,
}

impl Knowledge<'_> {
    /// Whether what is found in a chunk hardly ever depends on the chunks before it. Keys above a line are no rare case.
    pub(super) fn can_be_shared(&self) -> bool {
        self.threads == Threads::Several
            && !self.rules.is_some_and(|rules| rules.has_paths(self.place))
    }

    /// What a chunk holds when this stands before it.
    pub(super) fn find(&self, chunk: &Chunk, mut before: Before, room: &mut Room) -> Found {
        let text = chunk.text.as_bytes();
        let stripped = View::stripped_in(std::mem::take(&mut room.view), text);
        let mut places = Vec::new();
        self.known.find(text, &stripped, &mut room.seams, &mut places);
        if self.text == Text::Raw {
            let mut spans = Vec::new();
            let state = &mut before.state;
            patterns::find((text, &stripped), state, chunk.cut, &mut room.hits, &mut spans);
            if let Some(rules) = self.rules {
                rules.find(&stripped, self.place, (&mut before.tracker, chunk.cut), &mut spans);
            }
            places.extend(spans.into_iter().map(Place::from));
        }
        room.view = stripped.into_room();
        Found { places, at_cut: before }
    }
}
