//! Places in a text that are to be replaced, and what stands there afterwards.
//!
//! A replacement never spans a line end (line numbers stay true) and never touches an earlier replacement (redacting twice changes
//! nothing). It does not decide what is a secret.

use std::ops::Range;

use super::Counts;

/// Opens every replacement.
pub(super) const OPEN: &str = "[redacted:";
/// The rule of values that the user named.
pub(super) const KNOWN_VALUE: &str = "known-value";

/// Most digits of a number in a replacement.
const DIGITS: usize = 6;
/// Longest name of a rule in a replacement, in bytes.
pub(super) const NAME_MAX: usize = 40;
/// What stands for a replacement where people read in passing.
const STARS: &str = "***";

/// What is redacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    /// What a tool wrote.
    Raw,
    /// Markdown, HTML, XML or JSON that was put together of escaped texts: what ends an escaped text must stay where it is.
    Page,
}

/// What ends an escaped text, a link, a cell or a tag in a page.
const SYNTAX: &[u8] = b"`<>|\"'\\[](){}";

/// What a rule found, as byte offsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) range: Range<usize>,
    pub(super) rule: &'static str,
}

/// A place to be replaced, the rule that found it, and the number that tells equal values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) range: Range<usize>,
    pub(super) rule: &'static str,
    pub(super) number: Option<u32>,
}

impl From<Span> for Place {
    fn from(span: Span) -> Self {
        Self { range: span.range, rule: span.rule, number: None }
    }
}

/// Brings spans into the form in which they can be replaced: on character boundaries, within a line, apart from one another and from
/// earlier replacements, sorted. In a [`Text::Page`] also without the syntax in them.
pub(super) fn settle(
    text: &str,
    places: Vec<Place>,
    is_rule: fn(&str) -> bool,
    kind: Text,
) -> Vec<Place> {
    if places.is_empty() {
        return places;
    }
    let earlier = markers(text.as_bytes(), is_rule);
    let mut parts: Vec<Place> = Vec::with_capacity(places.len());
    for place in union(places) {
        for line in lines(text, on_boundaries(text, place.range)) {
            for free in outside(line, &earlier) {
                let ranges = match kind {
                    Text::Raw => vec![free],
                    Text::Page => between_syntax(text.as_bytes(), free),
                };
                let part = |range| Place { range, rule: place.rule, number: place.number };
                parts.extend(ranges.into_iter().map(part));
            }
        }
    }
    union(parts)
}

/// Adds the text with its places replaced to `out`, and counts the replacements.
pub(super) fn render(text: &str, places: &[Place], counts: &mut Counts, out: &mut String) {
    out.reserve(text.len());
    let mut at = 0;
    for place in places {
        out.push_str(text.get(at..place.range.start).unwrap_or_default());
        out.push_str(&marker(place.rule, place.number));
        *counts.entry(place.rule.to_owned()).or_default() += 1;
        at = place.range.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
}

/// What stands in the place of a value.
pub(super) fn marker(rule: &str, number: Option<u32>) -> String {
    match number {
        Some(number) => format!("{OPEN}{rule}#{number}]"),
        None => format!("{OPEN}{rule}]"),
    }
}

/// Whether the text is one replacement and nothing else.
pub(super) fn is_marker(text: &str, is_rule: fn(&str) -> bool) -> bool {
    marker_width(text.as_bytes(), is_rule) == Some(text.len())
}

/// The text with three stars for every replacement.
pub(super) fn starred(text: &str, is_rule: fn(&str) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for marker in markers(text.as_bytes(), is_rule) {
        out.push_str(text.get(at..marker.start).unwrap_or_default());
        out.push_str(STARS);
        at = marker.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

/// Sorted, with overlapping and touching places made one. A known value names the whole, else the longest does: by its rule and, when
/// nothing else took part, by its number.
fn union(mut places: Vec<Place>) -> Vec<Place> {
    places.retain(|place| !place.range.is_empty());
    places.sort_by_key(|place| (place.range.start, usize::MAX - place.range.end));
    let mut out: Vec<Place> = Vec::with_capacity(places.len());
    let mut longest = (false, 0);
    for place in places {
        let rank = (place.rule == KNOWN_VALUE, place.range.len());
        let Some(last) = out.last_mut().filter(|last| place.range.start <= last.range.end) else {
            longest = rank;
            out.push(place);
            continue;
        };
        if rank > longest {
            (last.rule, last.number, longest) = (place.rule, place.number, rank);
        }
        last.range.end = last.range.end.max(place.range.end);
    }
    out
}

fn on_boundaries(text: &str, range: Range<usize>) -> Range<usize> {
    text.floor_char_boundary(range.start)..text.ceil_char_boundary(range.end)
}

/// The parts of a range that lie on one line each.
fn lines(text: &str, range: Range<usize>) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut start = range.start;
    for line in text.get(range).unwrap_or_default().split_inclusive('\n') {
        let content = line.trim_end_matches(['\n', '\r']);
        out.push(start..start + content.len());
        start += line.len();
    }
    out
}

/// The parts of a range that hold no syntax.
fn between_syntax(text: &[u8], range: Range<usize>) -> Vec<Range<usize>> {
    let mut start = range.start;
    let parts = text.get(range).unwrap_or_default().split(|byte| SYNTAX.contains(byte));
    parts
        .map(|part| {
            let free = start..start + part.len();
            start = free.end + 1;
            free
        })
        .collect()
}

/// The replacements that a text holds already.
pub(super) fn markers(text: &[u8], is_rule: fn(&str) -> bool) -> Vec<Range<usize>> {
    let width = |start| Some(start..start + marker_width(text.get(start..)?, is_rule)?);
    memchr::memmem::find_iter(text, OPEN).filter_map(width).collect()
}

/// Whether one of the ranges, which are sorted and apart, holds an offset.
pub(super) fn holds(ranges: &[Range<usize>], at: usize) -> bool {
    let next = ranges.partition_point(|range| range.end <= at);
    ranges.get(next).is_some_and(|range| range.start <= at)
}

fn marker_width(rest: &[u8], is_rule: fn(&str) -> bool) -> Option<usize> {
    let name = rest.strip_prefix(OPEN.as_bytes())?;
    let width = name.iter().take(NAME_MAX + DIGITS + 2).position(|b| *b == b']')?;
    let inside = std::str::from_utf8(name.get(..width)?).ok()?;
    let (id, number) = inside.split_once('#').unwrap_or((inside, "0"));
    let plain = (1..=DIGITS).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    (plain && is_rule(id)).then_some(OPEN.len() + width + 1)
}

/// The parts of a range that no earlier replacement holds.
fn outside(range: Range<usize>, earlier: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut start = range.start;
    let first = earlier.partition_point(|marker| marker.end <= range.start);
    for marker in earlier.iter().skip(first).take_while(|marker| marker.start < range.end) {
        if start < marker.start {
            out.push(start..marker.start);
        }
        start = start.max(marker.end);
    }
    if start < range.end {
        out.push(start..range.end);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn any(_: &str) -> bool {
        true
    }

    fn replaced(text: &str, spans: &[(usize, usize, &'static str)]) -> String {
        let of = |(a, b, rule): &(usize, usize, &'static str)| Span { range: *a..*b, rule }.into();
        let places = spans.iter().map(of).collect();
        let mut out = String::new();
        render(text, &settle(text, places, any, Text::Raw), &mut Counts::new(), &mut out);
        out
    }

    #[test]
    fn overlapping_spans_become_one_and_a_known_value_names_it() {
        assert_eq!(
            replaced("0123456789", &[(1, 6, "jwt"), (4, 8, KNOWN_VALUE)]),
            "0[redacted:known-value]89"
        );
    }

    #[test]
    fn a_span_over_lines_is_cut_at_the_line_ends() {
        assert_eq!(replaced("ab\r\ncd", &[(0, 6, "x")]), "[redacted:x]\r\n[redacted:x]");
    }

    #[test]
    fn an_earlier_replacement_is_left_alone() {
        let text = "a=[redacted:jwt] b";
        assert_eq!(replaced(text, &[(2, 16, "x")]), text);
    }

    #[test]
    fn in_a_page_the_syntax_inside_a_span_stays_and_all_else_goes() {
        let page = "`a b` | `c<d` |\n\"e\"]f\\|g";
        let places = vec![Place { range: 0..page.len(), rule: "x", number: None }];
        let mut out = String::new();
        render(page, &settle(page, places, any, Text::Page), &mut Counts::new(), &mut out);
        let out = starred(&out, any);
        assert_eq!(out, "`***`***|***`***<***`***|\n\"***\"]***\\|***");
    }

    #[test]
    fn a_span_inside_a_character_takes_the_whole_character() {
        assert_eq!(replaced("aéb", &[(2, 3, "x")]), "a[redacted:x]b");
    }

    #[test]
    fn what_only_looks_like_a_replacement_hides_nothing() {
        let none: fn(&str) -> bool = |_| false;
        let places = vec![Place { range: 0..18, rule: "x", number: None }];
        let text = "[redacted:hunter2]";
        assert_eq!(settle(text, places.clone(), none, Text::Raw), places);
    }

    #[test]
    fn only_a_rule_with_at_most_six_digits_behind_it_is_a_replacement() {
        let is_jwt: fn(&str) -> bool = |id| id == "jwt";
        let text = "[redacted:jwt] [redacted:jwt#7] [redacted:jwt#123456]";
        assert_eq!(starred(text, is_jwt), "*** *** ***");
        for text in [
            "[redacted:jwt#]",
            "[redacted:jwt#1234567]",
            "[redacted:jwt#hunter2]",
            "[redacted:jwt#1#2]",
            "[redacted:other#1]",
            "[redacted:jwt",
        ] {
            assert_eq!(starred(text, is_jwt), text);
        }
    }

    #[test]
    fn the_longest_known_value_gives_the_number() {
        let place = |range, number| Place { range, rule: KNOWN_VALUE, number: Some(number) };
        let places = vec![place(0..4, 1), place(0..9, 2), place(3..6, 3)];
        assert_eq!(union(places), [place(0..9, 2)]);
    }
}
