//! Finds the line ends at which one of many strings may be broken, and the lines around them.
//!
//! For each line end the bytes on both sides are looked at as if the lines had never been wrapped; only where they may belong to a string
//! the lines are joined and searched. It finds no string itself.

use std::ops::Range;

use memchr::memchr_iter;

use super::anchors::Grams;
use super::view;

/// How many lines away from a line end the bytes beside it are looked for.
const REACH: usize = 16;
/// Bytes on each side of a line end that are looked at.
const SIDE: usize = 3;

/// Most lines that are looked at together: bounds the memory.
const LINES_MAX: usize = 16 * 1024;
/// How many of them are looked at once more together with the next ones: no string is broken over more.
const LINES_AGAIN: usize = LINES_MAX / 4;

/// A line: the whole of it without its line end, and without what wrapping put around it.
#[derive(Debug, Clone)]
struct Line {
    whole: Range<usize>,
    inner: Range<usize>,
    /// Whether it starts with a time stamp: a tool that wraps a text writes none into it.
    stamped: bool,
}

/// Memory of a search, to be used again.
#[derive(Default)]
pub(super) struct Room {
    lines: Vec<Line>,
    /// For each line the length of all before it.
    sums: Vec<usize>,
}

/// The stretches of lines, sorted and apart, in which a string of at most `longest` bytes may be broken over lines.
pub(super) fn suspects(
    text: &[u8],
    grams: &Grams,
    longest: usize,
    room: &mut Room,
) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut start = 0;
    room.lines.clear();
    let mut ends = memchr_iter(b'\n', text).chain([text.len()]).peekable();
    while ends.peek().is_some() {
        let more = LINES_MAX - room.lines.len();
        room.lines.extend(ends.by_ref().take(more).map(|end| {
            let whole = start..end;
            start = end + 1;
            line(text, whole)
        }));
        among(text, grams, longest, room, &mut out);
        room.lines.drain(..room.lines.len().saturating_sub(LINES_AGAIN));
    }
    out
}

/// As [`suspects`], for these lines.
fn among(
    text: &[u8],
    grams: &Grams,
    longest: usize,
    Room { lines, sums }: &mut Room,
    out: &mut Vec<Range<usize>>,
) {
    let mut sum = 0;
    sums.clear();
    sums.extend(lines.iter().map(|line| {
        sum += line.inner.len();
        sum - line.inner.len()
    }));
    for seam in (1..lines.len()).filter(|seam| may_break(text, lines, *seam, grams)) {
        let sum = sums.get(seam).copied().unwrap_or_default();
        let from = sums.partition_point(|s| s + longest <= sum).saturating_sub(1);
        let to = sums.partition_point(|s| *s < sum + longest);
        let start = lines.get(from).map_or(0, |line| line.whole.start);
        let end = lines.get(to.saturating_sub(1)).map_or(text.len(), |line| line.whole.end);
        match out.last_mut() {
            Some(last) if last.end + 1 >= start => last.end = last.end.max(end),
            Some(_) | None => out.push(start..end),
        }
    }
}

fn line(text: &[u8], whole: Range<usize>) -> Line {
    let bytes = text.get(whole.clone()).unwrap_or_default();
    let stamp = view::timestamp_width(bytes);
    let lead = view::lead_width_of(bytes, stamp).min(bytes.len());
    let end = view::tail_start(text, whole.start, whole.end);
    let start = whole.start + lead;
    Line { inner: start..end.max(start), whole, stamped: stamp > 0 }
}

/// Whether the bytes beside the seam in front of a line may belong to a string that goes over it.
fn may_break(text: &[u8], lines: &[Line], seam: usize, grams: &Grams) -> bool {
    let padded = beside(text, lines, seam, |line| line.inner.clone());
    if crosses(padded, grams) {
        return true;
    }
    let here = lines.get(seam);
    let before = seam.checked_sub(1).and_then(|i| lines.get(i));
    let same = here.zip(before).is_some_and(|(here, before)| {
        here.inner.start == here.whole.start && before.inner.end == before.whole.end
    });
    if same || here.is_none_or(|line| line.stamped) {
        return false;
    }
    let carriage = |line: &Line| {
        let cut = line.whole.end > line.whole.start && text.get(line.whole.end - 1) == Some(&b'\r');
        line.whole.start..line.whole.end - usize::from(cut)
    };
    crosses(beside(text, lines, seam, carriage), grams)
}

/// The last bytes before a seam and the first ones after it, in reading order; zeros where the text ends.
fn beside(
    text: &[u8],
    lines: &[Line],
    seam: usize,
    part: impl Fn(&Line) -> Range<usize>,
) -> [u8; 2 * SIDE] {
    let mut out = [0; 2 * SIDE];
    let bytes = |line: &Line| text.get(part(line)).unwrap_or_default();
    let sides = seam.checked_sub(1).and_then(|i| lines.get(i)).zip(lines.get(seam));
    let near = sides.and_then(|(before, after)| {
        bytes(before).last_chunk::<SIDE>().zip(bytes(after).first_chunk::<SIDE>())
    });
    if let Some(([a, b, c], [d, e, f])) = near {
        return [*a, *b, *c, *d, *e, *f];
    }
    let before = lines.get(..seam).unwrap_or_default().iter().rev().take(REACH);
    let before = before.flat_map(|line| bytes(line).iter().rev());
    for (slot, byte) in out.iter_mut().take(SIDE).rev().zip(before) {
        *slot = *byte;
    }
    let after = lines.get(seam..).unwrap_or_default().iter().take(REACH);
    for (slot, byte) in out.iter_mut().skip(SIDE).zip(after.flat_map(bytes)) {
        *slot = *byte;
    }
    out
}

/// Whether one of the stretches of four bytes that begin before the seam and end after it may belong to a string.
fn crosses(beside: [u8; 2 * SIDE], grams: &Grams) -> bool {
    beside.array_windows().any(|gram| grams.may_hold(*gram))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suspected(text: &str) -> Vec<&str> {
        let grams = Grams::new([b"swordfish-and-chips".as_slice()].into_iter());
        let found = suspects(text.as_bytes(), &grams, 19, &mut Room::default());
        found.into_iter().map(|r| &text[r]).collect()
    }

    #[test]
    fn only_the_lines_around_a_suspicious_seam_are_named() {
        let other = "nothing of the kind, and long enough\n";
        let text =
            format!("{other}{other}an x swordf\n   ish-and-chips y and more\n{other}{other}");
        assert_eq!(suspected(&text), [format!("{other}an x swordf\n   ish-and-chips y and more")]);
        assert!(suspected(&other.repeat(9)).is_empty());
    }

    #[test]
    fn a_string_over_many_short_lines_is_in_one_stretch() {
        let text = "x\ns\nw\n\no\nr\nd\nf\ni\ns\nh\n-\na\nn\nd\n-\nc\nh\ni\np\ns\ny";
        assert_eq!(suspected(text), [text]);
    }

    #[test]
    fn a_string_is_suspected_wherever_it_stands_among_many_lines() {
        let broken = "swordf\nish-and-chips";
        for before in [0, LINES_MAX - 2, LINES_MAX - 1, LINES_MAX, 3 * LINES_MAX] {
            let text = format!("{}{broken}{}", "\n".repeat(before), "\n".repeat(99));
            assert!(suspected(&text).iter().any(|part| part.contains(broken)), "{before}");
        }
    }
}
