//! Finds the values that the user knows to be secret, in every encoding, also when colour codes or line ends break them.
//!
//! It knows no patterns of secrets; values that are too short or too common are named and not searched.

use std::collections::BTreeMap;
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::encode::{self, Match};
use super::judge;
use super::redacted::Known;
use super::span::{KNOWN_VALUE, Place};
use super::view::{Seam, View};

/// Longest literal of the automaton, in bytes: longer forms are searched in pieces, so a cut-off value is found too.
const PIECE: usize = 256;
/// From this length on a form is searched across line ends as well, in bytes.
const JOINED_MIN: usize = 8;
/// Up to this many bytes of literals the automaton is the fast and large one (up to 60 MiB while it is built).
const FAST_MAX: usize = 128 * 1024;
/// From this length on a match need not be exact, in bytes.
const FOLD_MIN: usize = 12;

/// The secret values of a run, ready to be searched.
pub(super) struct KnownValues {
    names: Vec<String>,
    /// The numbers of the names in replacements.
    numbers: Vec<u32>,
    unmaskable: Vec<String>,
    literals: Vec<Literal>,
    automaton: Option<AhoCorasick>,
}

struct Literal {
    bytes: Vec<u8>,
    how: Match,
    /// Index of the name.
    value: usize,
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
        let mut unmaskable: Vec<String> = open.iter().map(|k| k.name().to_owned()).collect();
        let literals = literals(&hidden);
        let automaton = automaton(&literals);
        if automaton.is_none() && !literals.is_empty() {
            unmaskable.clone_from(&names);
        }
        Self { names, numbers, unmaskable, literals, automaton }
    }

    /// Whether there is nothing to search.
    pub(super) const fn is_empty(&self) -> bool {
        self.automaton.is_none()
    }

    /// Names of the values that are not searched.
    pub(super) fn unmaskable(&self) -> &[String] {
        &self.unmaskable
    }

    /// Adds the places of all values to `places`. `stripped` is the view of `text` without invisible parts.
    pub(super) fn find(&self, text: &[u8], stripped: &View<'_>, places: &mut Vec<Place>) {
        self.each_match(text, stripped, &mut |range, value| {
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
        is_shielded: &dyn Fn(&Range<usize>) -> bool,
    ) -> Vec<String> {
        let mut found = vec![false; self.names.len()];
        self.each_match(text, &View::stripped(text), &mut |range, value| {
            if let Some(flag) = found.get_mut(value).filter(|_| !is_shielded(&range)) {
                *flag = true;
            }
        });
        self.names
            .iter()
            .zip(found)
            .filter(|(_, found)| *found)
            .map(|(name, _)| name.clone())
            .collect()
    }

    fn each_match(
        &self,
        text: &[u8],
        stripped: &View<'_>,
        each: &mut dyn FnMut(Range<usize>, usize),
    ) {
        let Some(automaton) = &self.automaton else { return };
        self.search(automaton, text, 0, &mut |range, value| each(range, value));
        for seam in [Seam::Bare, Seam::Padded] {
            let joined = View::joined(stripped.bytes(), seam);
            self.search(automaton, joined.bytes(), JOINED_MIN, &mut |range, value| {
                for piece in joined.origin_pieces(&range) {
                    each(stripped.origin_range(&piece), value);
                }
            });
        }
    }

    fn search(
        &self,
        automaton: &AhoCorasick,
        text: &[u8],
        shortest: usize,
        each: &mut dyn FnMut(Range<usize>, usize),
    ) {
        let mut wide = 0..0;
        for found in automaton.find_overlapping_iter(text) {
            let Some(literal) = self.literals.get(found.pattern().as_usize()) else { continue };
            let range = found.range();
            if literal.bytes.len() < shortest || !literal.is_at(text, &range) {
                continue;
            }
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

/// A form in pieces that the automaton can hold; the last one is as long as the others.
fn pieces(form: &[u8]) -> impl Iterator<Item = &[u8]> {
    let whole = form.len() / PIECE * PIECE;
    let last = form.len().saturating_sub(PIECE);
    let starts = (0..whole).step_by(PIECE).chain((whole != form.len()).then_some(last));
    starts.filter_map(|start| form.get(start..form.len().min(start + PIECE)))
}

fn automaton(literals: &[Literal]) -> Option<AhoCorasick> {
    if literals.is_empty() {
        return None;
    }
    let bytes: usize = literals.iter().map(|l| l.bytes.len()).sum();
    let kind =
        if bytes <= FAST_MAX { AhoCorasickKind::DFA } else { AhoCorasickKind::ContiguousNFA };
    let build = |kind| {
        AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .kind(Some(kind))
            .build(literals.iter().map(|l| &l.bytes))
            .ok()
    };
    build(kind).or_else(|| build(AhoCorasickKind::NoncontiguousNFA))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(secret: &str, text: &str) -> Vec<String> {
        let known = KnownValues::new(&[Known::new("A", secret)]);
        let mut places = Vec::new();
        known.find(text.as_bytes(), &View::stripped(text.as_bytes()), &mut places);
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
        assert!(known.automaton.is_none());
    }
}
