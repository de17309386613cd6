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

/// A place to be replaced, as byte offsets, and the rule that found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) range: Range<usize>,
    pub(super) rule: &'static str,
}

/// Brings spans into the form in which they can be replaced: on character boundaries, within a line, apart from one another and from
/// earlier replacements, sorted.
pub(super) fn settle(text: &str, spans: Vec<Span>, is_rule: fn(&str) -> bool) -> Vec<Span> {
    if spans.is_empty() {
        return spans;
    }
    let earlier = markers(text.as_bytes(), is_rule);
    let mut parts: Vec<Span> = Vec::with_capacity(spans.len());
    for span in union(spans) {
        for line in lines(text, on_boundaries(text, span.range)) {
            let free = outside(line, &earlier);
            parts.extend(free.into_iter().map(|range| Span { range, rule: span.rule }));
        }
    }
    union(parts)
}

/// Writes the text with its spans replaced, and counts the replacements.
pub(super) fn render(text: &str, spans: &[Span], counts: &mut Counts) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for span in spans {
        out.push_str(text.get(at..span.range.start).unwrap_or_default());
        out.push_str(OPEN);
        out.push_str(span.rule);
        out.push(']');
        *counts.entry(span.rule.to_owned()).or_default() += 1;
        at = span.range.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

/// Sorted, with overlapping and touching spans made one; the rule is `known-value` when it took part, else that of the longest.
fn union(mut spans: Vec<Span>) -> Vec<Span> {
    spans.retain(|span| !span.range.is_empty());
    spans.sort_by_key(|span| (span.range.start, usize::MAX - span.range.end));
    let mut out: Vec<Span> = Vec::with_capacity(spans.len());
    let mut longest = 0;
    for span in spans {
        let length = span.range.len();
        let Some(last) = out.last_mut().filter(|last| span.range.start <= last.range.end) else {
            longest = length;
            out.push(span);
            continue;
        };
        if last.rule != KNOWN_VALUE && (span.rule == KNOWN_VALUE || length > longest) {
            last.rule = span.rule;
            longest = length;
        }
        last.range.end = last.range.end.max(span.range.end);
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

/// The replacements that a text holds already.
pub(super) fn markers(text: &[u8], is_rule: fn(&str) -> bool) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(step) = text.get(at..).and_then(|t| memchr::memmem::find(t, OPEN.as_bytes())) {
        let start = at + step;
        let end = text.get(start..).and_then(|rest| marker_width(rest, is_rule));
        out.extend(end.map(|width| start..start + width));
        at = start + end.unwrap_or(1);
    }
    out
}

/// Whether one of the ranges, which are sorted and apart, holds an offset.
pub(super) fn holds(ranges: &[Range<usize>], at: usize) -> bool {
    let next = ranges.partition_point(|range| range.end <= at);
    ranges.get(next).is_some_and(|range| range.start <= at)
}

fn marker_width(rest: &[u8], is_rule: fn(&str) -> bool) -> Option<usize> {
    let name = rest.strip_prefix(OPEN.as_bytes())?;
    let width = name.iter().take(40).position(|b| *b == b']')?;
    let id = std::str::from_utf8(name.get(..width)?).ok()?;
    is_rule(id).then_some(OPEN.len() + width + 1)
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
        let spans = spans.iter().map(|(a, b, rule)| Span { range: *a..*b, rule }).collect();
        render(text, &settle(text, spans, any), &mut Counts::new())
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
    fn a_span_inside_a_character_takes_the_whole_character() {
        assert_eq!(replaced("aéb", &[(2, 3, "x")]), "a[redacted:x]b");
    }

    #[test]
    fn what_only_looks_like_a_replacement_hides_nothing() {
        let none: fn(&str) -> bool = |_| false;
        let spans = vec![Span { range: 0..18, rule: "x" }];
        let text = "[redacted:hunter2]";
        assert_eq!(settle(text, spans.clone(), none), spans);
    }
}
