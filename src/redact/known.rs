//! Finds the values that the user knows to be secret, in every encoding, also when colour codes or line ends break them.
//!
//! It knows no patterns of secrets; values that are too short or too common are named and not searched.

use std::collections::BTreeMap;
use std::ops::Range;

use super::anchors::{Anchors, Grams};
use super::encode::{self, Match};
use super::judge;
use super::redacted::Known;
use super::seams;
use super::span::{KNOWN_VALUE, Place};
use super::view::{self, Seam, View};

/// Before the names of values that are no user's: they sort behind those, whose numbers stay.
pub(super) const LATER: &str = "~ ";
/// Longest literal, in bytes: longer forms are searched in pieces, so a cut-off value is found too.
const PIECE: usize = 256;
/// From this length on a form is searched across line ends as well, in bytes.
const JOINED_MIN: usize = 8;
/// From this length on a match need not be exact, in bytes.
const FOLD_MIN: usize = 12;

/// The secret values of a run, ready to be searched.
pub(super) struct KnownValues {
    names: Vec<String>,
    /// The numbers of the names in replacements.
    numbers: Vec<u32>,
    unmaskable: Vec<String>,
    /// Literals that are too short to be looked for across line ends.
    short: Literals,
    long: Literals,
    /// What the long literals are made of.
    grams: Grams,
}

/// Literals of about the same length, and the search for them.
struct Literals {
    all: Vec<Literal>,
    anchors: Anchors,
}

struct Literal {
    bytes: Vec<u8>,
    how: Match,
    /// Index of the name.
    value: usize,
}

/// A place where a literal is.
struct Hit<'k> {
    range: Range<usize>,
    literal: &'k Literal,
}

impl KnownValues {
    pub(super) fn new(known: &[Known]) -> Self {
        let (mut hidden, open): (Vec<&Known>, Vec<&Known>) = known
            .iter()
            .filter(|k| !k.value().is_empty())
            .partition(|k| !judge::is_common(k.value()));
        // Of two names with one value the first in the order of the alphabet counts.
        hidden.sort_by_key(|k| k.name());
        let names: Vec<String> = hidden.iter().map(|k| k.name().to_owned()).collect();
        let numbers = numbers(known, &names);
        let unmaskable: Vec<String> = open.iter().map(|k| plain(k.name())).collect();
        let (short, long) =
            literals(&hidden).into_iter().partition(|l: &Literal| l.bytes.len() < JOINED_MIN);
        let (short, long) = (Literals::new(short), Literals::new(long));
        let grams = Grams::new(long.all.iter().map(|l| l.bytes.as_slice()));
        Self { names, numbers, unmaskable, short, long, grams }
    }

    /// Whether there is nothing to search.
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Names of the values that are not searched.
    pub(super) fn unmaskable(&self) -> &[String] {
        &self.unmaskable
    }

    /// Adds the places of all values to `places`. `stripped` is the view of `text` without invisible parts.
    pub(super) fn find(
        &self,
        text: &[u8],
        stripped: &View<'_>,
        room: &mut seams::Room,
        places: &mut Vec<Place>,
    ) {
        self.each_match(text, stripped, room, &mut |range, value| {
            let number = self.numbers.get(value).copied();
            match places.last_mut().filter(|last| last.number == number) {
                Some(last) if last.range.end >= range.start && last.range.start <= range.start => {
                    last.range.end = last.range.end.max(range.end);
                }
                Some(_) | None => places.push(Place { range, rule: KNOWN_VALUE, number }),
            }
        });
    }

    /// Names of the values that occur, sorted.
    pub(super) fn names_in(
        &self,
        text: &[u8],
        room: &mut (view::Room, seams::Room),
        is_shielded: &dyn Fn(&Range<usize>) -> bool,
    ) -> Vec<String> {
        let mut found = vec![false; self.names.len()];
        let stripped = View::stripped_in(std::mem::take(&mut room.0), text);
        self.each_match(text, &stripped, &mut room.1, &mut |range, value| {
            if let Some(flag) = found.get_mut(value).filter(|_| !is_shielded(&range)) {
                *flag = true;
            }
        });
        room.0 = stripped.into_room();
        self.names
            .iter()
            .zip(found)
            .filter(|(_, found)| *found)
            .map(|(name, _)| plain(name))
            .collect()
    }

    fn each_match(
        &self,
        text: &[u8],
        stripped: &View<'_>,
        room: &mut seams::Room,
        each: &mut dyn FnMut(Range<usize>, usize),
    ) {
        if self.is_empty() {
            return;
        }
        for literals in [&self.short, &self.long] {
            literals.search(text, each);
            for part in stripped.around_gaps(PIECE) {
                let bytes = stripped.bytes().get(part.clone()).unwrap_or_default();
                literals.search(bytes, &mut |range, value| {
                    each(stripped.origin_range(&shifted(range, part.start)), value);
                });
            }
        }
        if self.long.all.is_empty() {
            return;
        }
        for part in seams::suspects(stripped.bytes(), &self.grams, PIECE, room) {
            let bytes = stripped.bytes().get(part.clone()).unwrap_or_default();
            for seam in [Seam::Bare, Seam::Padded] {
                let joined = View::joined(bytes, seam);
                self.long.search(joined.bytes(), &mut |range, value| {
                    for piece in joined.origin_pieces(&range) {
                        each(stripped.origin_range(&shifted(piece, part.start)), value);
                    }
                });
            }
        }
    }
}

/// A name as people know it.
fn plain(name: &str) -> String {
    name.strip_prefix(LATER).unwrap_or(name).to_owned()
}

fn shifted(range: Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}

impl Literals {
    fn new(all: Vec<Literal>) -> Self {
        let bytes: Vec<&[u8]> = all.iter().map(|l| l.bytes.as_slice()).collect();
        let anchors = Anchors::new(&bytes);
        Self { all, anchors }
    }

    fn search(&self, text: &[u8], each: &mut dyn FnMut(Range<usize>, usize)) {
        if self.all.is_empty() {
            return;
        }
        let mut wide = 0..0;
        for Hit { range, literal } in self.hits(text) {
            match literal.how {
                Match::Exact | Match::AnyCase => each(range, literal.value),
                Match::Base64 => {
                    if range.end > wide.end {
                        wide = whole_run(text, &range, wide.end);
                    }
                    each(wide.start.min(range.start)..wide.end.max(range.end), literal.value);
                }
            }
        }
    }

    /// Where the literals are, by their ends.
    fn hits(&self, text: &[u8]) -> Vec<Hit<'_>> {
        let bytes = |index: usize| self.all.get(index).map_or(&[][..], |l| l.bytes.as_slice());
        let mut hits = Vec::new();
        self.anchors.search(&bytes, text, &mut |index, start| {
            let Some(literal) = self.all.get(index) else { return };
            let range = start..start + literal.bytes.len();
            if literal.is_at(text, &range) {
                hits.push(Hit { range, literal });
            }
        });
        hits.sort_by_key(|hit| (hit.range.end, hit.range.start));
        hits
    }
}

impl Literal {
    /// Whether the bytes of a match without regard to case are a match for this literal.
    fn is_at(&self, text: &[u8], range: &Range<usize>) -> bool {
        let any_case = self.how == Match::AnyCase || self.bytes.len() >= FOLD_MIN;
        any_case || text.get(range.clone()) == Some(self.bytes.as_slice())
    }
}

/// The run of base64 characters around a range; it looks back no further than `floor`, so all runs together take linear time.
fn whole_run(text: &[u8], range: &Range<usize>, floor: usize) -> Range<usize> {
    let before = text.get(floor.min(range.start)..range.start).unwrap_or_default();
    let before = before.iter().rev().take_while(|b| encode::is_base64(**b)).count();
    let after = text.get(range.end..).unwrap_or_default();
    let after = after.iter().take_while(|b| encode::is_base64(**b)).count();
    range.start - before..range.end + after
}

/// The place, from 1, of each of the names `of` in the sorted list of all names.
fn numbers(known: &[Known], of: &[String]) -> Vec<u32> {
    let mut all: Vec<&str> = known.iter().map(Known::name).collect();
    all.sort_unstable();
    all.dedup();
    let place = |name: &String| all.binary_search(&name.as_str()).map_or(0, |at| at + 1);
    of.iter().map(|name| u32::try_from(place(name)).unwrap_or_default()).collect()
}

/// The literals of all values, every byte string once.
fn literals(known: &[&Known]) -> Vec<Literal> {
    let mut all: BTreeMap<Vec<u8>, (Match, usize)> = BTreeMap::new();
    for (value, secret) in known.iter().enumerate() {
        for (form, how) in encode::forms(secret.value()) {
            for piece in pieces(&form).filter(|p| !is_common(p)) {
                all.entry(piece.to_vec()).or_insert((how, value));
            }
        }
    }
    all.into_iter().map(|(bytes, (how, value))| Literal { bytes, how, value }).collect()
}

fn is_common(form: &[u8]) -> bool {
    std::str::from_utf8(form).is_ok_and(judge::is_common)
}

/// A form in pieces of at most [`PIECE`] bytes; the last one is as long as the others.
fn pieces(form: &[u8]) -> impl Iterator<Item = &[u8]> {
    let whole = form.len() / PIECE * PIECE;
    let last = form.len().saturating_sub(PIECE);
    let starts = (0..whole).step_by(PIECE).chain((whole != form.len()).then_some(last));
    starts.filter_map(|start| form.get(start..form.len().min(start + PIECE)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(secret: &str, text: &str) -> Vec<String> {
        let known = KnownValues::new(&[Known::new("A", secret)]);
        let mut places = Vec::new();
        let stripped = View::stripped(text.as_bytes());
        known.find(text.as_bytes(), &stripped, &mut seams::Room::default(), &mut places);
        places.into_iter().filter_map(|p| text.get(p.range).map(str::to_owned)).collect()
    }

    #[test]
    fn a_value_broken_by_a_colour_code_is_found_with_the_code() {
        let found = covered("swordfish-and-chips", "a sword\u{1b}[1mfish-and-chips b");
        assert_eq!(found, ["sword\u{1b}[1mfish-and-chips"]);
    }

    #[test]
    fn a_value_wrapped_over_lines_is_found_on_both() {
        assert_eq!(
            covered("swordfish-and-chips", "x swordfish\n  -and-chips y"),
            ["swordfish", "-and-chips"]
        );
    }

    #[test]
    fn a_value_is_found_wherever_it_was_wrapped_and_whatever_stands_around_the_lines() {
        let value = r#"it's 3 o'clock, "so" \ they, say"#;
        for lead in ["", "    ", "2026-11-20T10:11:12.1234567Z ", "web-1  | "] {
            for cut in 1..value.len() {
                let (head, tail) = value.split_at(cut);
                for tail in [tail, tail.trim_start()] {
                    for head in [head, head.trim_end()] {
                        let text = format!("{lead}x {head}\n{lead}{tail} y");
                        assert!(!covered(value, &text).is_empty(), "{text}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_base64_match_takes_the_whole_run() {
        assert_eq!(covered("swordfish", "x YXN3b3JkZmlzaGI= y"), ["YXN3b3JkZmlzaGI="]);
    }

    #[test]
    fn short_values_are_compared_with_their_case() {
        assert!(covered("Sword", "a sword").is_empty());
        assert_eq!(covered("SwordfishAndChips", "swordfishandchips").len(), 1);
    }

    #[test]
    fn a_cut_off_long_value_is_found() {
        let value: String = (0..600_u32).filter_map(|n| char::from_digit(n * n % 36, 36)).collect();
        assert!(!covered(&value, &value[..400]).is_empty());
    }

    #[test]
    fn common_values_are_named_and_not_searched() {
        let known = KnownValues::new(&[
            Known::new("A", "true"),
            Known::new("B", "abc"),
            Known::new("C", "{"),
        ]);
        assert_eq!(known.unmaskable(), ["A", "B", "C"]);
        assert!(known.is_empty());
    }
}
