//! Runs the rules over the lines of a text: one search finds the lines that hold a keyword, and only the rules of that keyword look.
//!
//! It knows no values of the user and replaces nothing.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use memchr::{memchr, memrchr};

use super::blocks::{self, State};
use super::keyed;
use super::keywords::{Found, Keywords};
use super::manifest;
use super::rules::{self, COMPILED};
use super::span::{self, Span};
use super::view::{self, View};

/// Longest part of a line that a rule looks at in one go, in bytes: bounds the time that a hostile line can cost.
const WINDOW: usize = 16 * 1024;
/// How much of the window before is looked at again, in bytes.
const OVERLAP: usize = 2 * 1024;

/// What a keyword asks for.
#[derive(Debug, Clone, Copy, Default)]
struct Wanted {
    /// One bit for each row of the table.
    rules: u64,
    keyed: bool,
    block: bool,
    /// The keyword opens an earlier replacement.
    marker: bool,
}

struct Prefilter {
    keywords: Keywords,
    /// What each of the keywords asks for.
    wanted: Vec<Wanted>,
}

static PREFILTER: LazyLock<Prefilter> = LazyLock::new(Prefilter::build);

impl Prefilter {
    fn build() -> Self {
        let mut wanted: BTreeMap<&'static str, Wanted> = BTreeMap::new();
        for (index, row) in COMPILED.iter().enumerate() {
            for keyword in row.rule.keywords {
                wanted.entry(keyword).or_default().rules |= 1 << index;
            }
        }
        for keyword in keyed::KEYWORDS {
            wanted.entry(keyword).or_default().keyed = true;
        }
        for keyword in blocks::KEYWORDS.iter().chain(manifest::KEYWORDS) {
            wanted.entry(keyword).or_default().block = true;
        }
        wanted.entry(span::OPEN).or_default().marker = true;
        let keywords = Keywords::new(wanted.keys().copied().collect());
        Self { keywords, wanted: wanted.into_values().collect() }
    }

    fn wanted(&self, found: Found) -> Wanted {
        self.wanted.get(found.word).copied().unwrap_or_default()
    }
}

/// What the keywords on one line ask for, and where the keys are.
#[derive(Default)]
struct Asked {
    wanted: Wanted,
    keys: Vec<usize>,
    /// Earlier replacements: their names are no keywords.
    markers: Vec<Range<usize>>,
}

impl Asked {
    fn add(&mut self, wanted: Wanted, at: usize) {
        self.wanted.rules |= wanted.rules;
        self.wanted.block |= wanted.block;
        self.wanted.marker |= wanted.marker;
        if wanted.keyed {
            self.keys.push(at);
        }
    }

    fn clear(&mut self) {
        self.wanted = Wanted::default();
        self.keys.clear();
        self.markers.clear();
    }

    /// Sorts the keys, and forgets those that stand in earlier replacements on the line.
    fn settle(&mut self, line: &[u8]) {
        self.keys.sort_unstable();
        if self.wanted.marker {
            self.markers = span::markers(line, rules::is_id);
            let markers = &self.markers;
            self.keys.retain(|key| !span::holds(markers, *key));
        }
    }

    /// Whether a match begins or ends in the middle of an earlier replacement.
    fn divides_marker(&self, range: &Range<usize>) -> bool {
        let holds = |at: usize| span::holds(&self.markers, at);
        let inside = |at: usize| at.checked_sub(1).is_some_and(holds) && holds(at);
        inside(range.start) || inside(range.end)
    }

    fn is_empty(&self) -> bool {
        self.wanted.rules == 0 && !self.wanted.block && self.keys.is_empty()
    }
}

/// Adds the secrets of a text to `spans`; `state` is that of the line at its start and becomes that of the line at `cut`.
///
/// `hits` is memory to be used again.
pub(super) fn find(
    (text, stripped): (&[u8], &View<'_>),
    state: &mut State,
    cut: usize,
    hits: &mut Vec<Found>,
    spans: &mut Vec<Span>,
) {
    let bytes = stripped.bytes();
    hits.clear();
    PREFILTER.keywords.find(bytes, hits);
    let mut hits = hits.iter().copied().peekable();
    let mut asked = Asked::default();
    let mut at_cut = None;
    let mut start = 0;
    while start < bytes.len() {
        if !state.is_waiting() {
            let Some(hit) = hits.peek() else { break };
            start = line_start(bytes, start, hit.start);
        }
        let end = line_end(bytes, start);
        asked.clear();
        while let Some(hit) = hits.next_if(|hit| hit.end <= end) {
            asked.add(PREFILTER.wanted(hit), hit.start.saturating_sub(start));
        }
        if at_cut.is_none() && stripped.origin(start) >= cut {
            at_cut = Some(state.clone());
        }
        let line = bytes.get(start..end).unwrap_or_default();
        on_line(text, stripped, (line, start), &mut asked, state, spans);
        start = end + 1;
    }
    if let Some(earlier) = at_cut {
        *state = earlier;
    }
}

/// Adds the secrets of one line of a text to `spans`, as if nothing stood before it.
pub(super) fn find_on_line(text: &str, line: &Range<usize>, spans: &mut Vec<Span>) {
    let bytes = text.get(line.clone()).unwrap_or_default().as_bytes();
    let (mut hits, mut found) = (Vec::new(), Vec::new());
    let stripped = View::stripped(bytes);
    find((bytes, &stripped), &mut State::default(), bytes.len(), &mut hits, &mut found);
    let place = |span: Span| {
        let range = line.start + span.range.start..line.start + span.range.end;
        Span { range, rule: span.rule }
    };
    spans.extend(found.into_iter().map(place));
}

/// Start of the line that holds `at`; nothing before `floor` is looked at.
fn line_start(bytes: &[u8], floor: usize, at: usize) -> usize {
    let before = bytes.get(floor..at).unwrap_or_default();
    memrchr(b'\n', before).map_or(floor, |newline| floor + newline + 1)
}

fn line_end(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    memchr(b'\n', rest).map_or(bytes.len(), |newline| start + newline)
}

fn on_line(
    text: &[u8],
    stripped: &View<'_>,
    (line, start): (&[u8], usize),
    asked: &mut Asked,
    state: &mut State,
    spans: &mut Vec<Span>,
) {
    let mut found = Vec::new();
    asked.settle(line);
    if asked.wanted.block || !asked.keys.is_empty() || state.is_waiting() {
        state.step(line, &asked.keys, &mut found);
    }
    if asked.wanted.block {
        state.open(line, &mut found);
    }
    if !asked.is_empty() {
        look(line, asked, &mut found);
    }
    let place = |span: Span| {
        let range = start + span.range.start..start + span.range.end;
        Span { range: stripped.origin_range(&range), rule: span.rule }
    };
    spans.extend(found.into_iter().map(place));
    let whole = stripped.origin_range(&(start..start + line.len()));
    if whole.len() != line.len() && !asked.is_empty() {
        with_gaps(text, whole, spans);
    }
}

/// Looks once more at a line whose colour codes parted two words, this time with spaces for the codes.
fn with_gaps(text: &[u8], whole: Range<usize>, spans: &mut Vec<Span>) {
    let Some(raw) = text.get(whole.clone()) else { return };
    let line = view::blanked(raw);
    let mut asked = Asked::default();
    let mut hits = Vec::new();
    PREFILTER.keywords.find(&line, &mut hits);
    for hit in hits {
        asked.add(PREFILTER.wanted(hit), hit.start);
    }
    asked.settle(&line);
    let mut found = Vec::new();
    look(&line, &asked, &mut found);
    let place = |span: Span| Span {
        range: whole.start + span.range.start..whole.start + span.range.end,
        rule: span.rule,
    };
    spans.extend(found.into_iter().map(place));
}

/// Applies to a line the rules that its keywords asked for.
fn look(line: &[u8], asked: &Asked, spans: &mut Vec<Span>) {
    let mut left = asked.wanted.rules;
    while left != 0 {
        let index = left.trailing_zeros() as usize;
        left &= left - 1;
        let Some(row) = COMPILED.get(index).filter(|row| row.rule.may_be_on(line)) else {
            continue;
        };
        for window in windows(line.len()) {
            let part = line.get(window.clone()).unwrap_or_default();
            // Hardly any line matches, and groups cost more than the question for a match.
            if !row.shape.is_match(part) {
                continue;
            }
            for found in row.shape.captures_iter(part) {
                let reach = found.get(0).map_or(0..0, |all| all.range());
                if asked.divides_marker(&(window.start + reach.start..window.start + reach.end)) {
                    continue;
                }
                let whole = usize::from(found.len() > 1);
                let groups = found
                    .iter()
                    .skip(whole)
                    .flatten()
                    .filter(|group| row.rule.check.holds(group.as_bytes()));
                spans.extend(groups.map(|group| Span {
                    range: window.start + group.start()..window.start + group.end(),
                    rule: row.rule.id,
                }));
            }
        }
    }
    keyed::scan(line, &asked.keys, spans);
}

/// The parts of a long line that the rules look at one after the other.
fn windows(length: usize) -> impl Iterator<Item = Range<usize>> {
    let last = length.saturating_sub(OVERLAP).max(1);
    (0..last).step_by(WINDOW - OVERLAP).map(move |start| start..length.min(start + WINDOW))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_windows_of_a_line_cover_it_and_overlap() {
        for length in [0, 1, OVERLAP, WINDOW - 1, WINDOW, WINDOW + 1, 10 * WINDOW + 17] {
            let all: Vec<_> = windows(length).collect();
            assert_eq!(all.first().map(|w| w.start), Some(0));
            assert_eq!(all.last().map(|w| w.end), Some(length));
            assert!(all.windows(2).all(|w| w[0].end == w[1].start + OVERLAP || w[1].end == length));
        }
    }
}
