//! Views of a text with parts left out, and the way back to the offsets of the text.
//!
//! A secret that is broken by colour codes, zero-width characters or line ends is whole in a view. Nothing here knows what a secret is.

use std::ops::Range;

use memchr::memchr;

/// Longest control string (title, hyperlink) that is left out as a whole, in bytes.
const STRING_LIMIT: usize = 512;
/// Longest part of a line that a log puts in front of it, in bytes.
const LEAD_MAX: usize = 160;

/// What is left out between two lines of a joined view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seam {
    /// The line end alone: a tool wrapped the text.
    Bare,
    /// Also what logs put around lines: time stamps, names of containers, indentation, quotes of a list.
    Padded,
}

impl Seam {
    /// Whether a line that starts here is no continuation: a tool that wraps a text writes no time stamp into it. A line between two
    /// such places is left out, so that the bare view of a log with time stamps is short.
    fn parts(self, text: &[u8], start: usize) -> bool {
        match self {
            Self::Bare => {
                timestamp_width(text.get(start..text.len().min(start + 40)).unwrap_or_default()) > 0
            }
            Self::Padded => false,
        }
    }

    /// The part to leave out around a line end; the line starts at `start`.
    fn around(self, text: &[u8], start: usize, end: usize) -> Range<usize> {
        match self {
            Self::Bare => {
                let carriage = end > start && text.get(end - 1) == Some(&b'\r');
                end - usize::from(carriage)..end + 1
            }
            Self::Padded => tail_start(text, start, end)..end + 1 + lead_width(text, end + 1),
        }
    }
}

/// Bytes of a text without some parts, with the offsets they come from.
pub(super) struct View<'t> {
    /// The text, when nothing was left out.
    whole: Option<&'t [u8]>,
    room: Room,
}

/// Memory of a view, to be used again.
#[derive(Default)]
pub(super) struct Room {
    kept: Vec<u8>,
    /// Starts of kept slices: offset in the view, offset in the text. Empty when nothing was left out.
    slices: Vec<(usize, usize)>,
}

impl<'t> View<'t> {
    /// The text without terminal codes, zero-width characters and control characters; line ends and tabs stay.
    pub(super) fn stripped(text: &'t [u8]) -> Self {
        Self::stripped_in(Room::default(), text)
    }

    /// As [`Self::stripped`], in memory that another view left.
    pub(super) fn stripped_in(room: Room, text: &'t [u8]) -> Self {
        let mut builder = Builder::new(room, text);
        let mut at = 0;
        while let Some(step) = text.get(at..).and_then(first_suspicious) {
            let found = at + step;
            let width = invisible(text, found);
            if width > 0 {
                builder.leave_out(found..found + width);
            }
            at = found + width.max(1);
        }
        builder.finish()
    }

    /// The text as if its lines had never been wrapped: without line ends, and as the seam says without what stands around them.
    pub(super) fn joined(text: &'t [u8], seam: Seam) -> Self {
        let mut builder = Builder::new(Room::default(), text);
        let mut at = 0;
        let mut alone = seam.parts(text, 0);
        while let Some(step) = text.get(at..).and_then(|t| memchr(b'\n', t)) {
            let end = at + step;
            let before = alone;
            alone = seam.parts(text, end + 1);
            let left_out = match (before, alone) {
                (true, true) => at..end,
                (false, true) => end..end,
                (_, false) => seam.around(text, at, end),
            };
            at = left_out.end.max(end + 1);
            builder.leave_out(left_out);
        }
        builder.finish()
    }

    /// The bytes of the view.
    pub(super) fn bytes(&self) -> &[u8] {
        self.whole.unwrap_or(&self.room.kept)
    }

    /// Its memory, for the next view.
    pub(super) fn into_room(self) -> Room {
        self.room
    }

    /// The stretches of the view, sorted and apart, within `reach` bytes of a place where something was left out.
    pub(super) fn around_gaps(&self, reach: usize) -> Vec<Range<usize>> {
        let mut out: Vec<Range<usize>> = Vec::new();
        for (gap, _) in
            self.room.slices.iter().skip(usize::from(self.room.slices.first() == Some(&(0, 0))))
        {
            let range = gap.saturating_sub(reach)..self.bytes().len().min(gap + reach);
            match out.last_mut() {
                Some(last) if last.end >= range.start => last.end = range.end,
                Some(_) | None => out.push(range),
            }
        }
        out
    }

    /// The offset in the text of an offset in the view.
    pub(super) fn origin(&self, at: usize) -> usize {
        match self.room.slices.partition_point(|(view, _)| *view <= at).checked_sub(1) {
            Some(index) => self
                .room
                .slices
                .get(index)
                .map_or(at, |(view, text)| text + at.saturating_sub(*view)),
            None => at,
        }
    }

    /// The range in the text that starts and ends with the bytes of a range of the view; what was left out between them is inside.
    pub(super) fn origin_range(&self, range: &Range<usize>) -> Range<usize> {
        if range.is_empty() {
            return self.origin(range.start)..self.origin(range.start);
        }
        self.origin(range.start)..self.origin(range.end - 1) + 1
    }

    /// The ranges in the text that hold the bytes of a range of the view; what was left out between them is outside.
    pub(super) fn origin_pieces(&self, range: &Range<usize>) -> Vec<Range<usize>> {
        let first = self.room.slices.partition_point(|(view, _)| *view <= range.start);
        let inner = self.room.slices.get(first..).unwrap_or_default();
        let inner = inner.iter().map(|(view, _)| *view).take_while(|view| *view < range.end);
        let mut starts = vec![range.start];
        starts.extend(inner);
        let ends = starts.iter().skip(1).copied().chain([range.end]);
        starts.iter().copied().zip(ends).map(|(from, to)| self.origin_range(&(from..to))).collect()
    }
}

/// The text of which nothing but the visible bytes are kept at their places; every invisible byte is a space.
pub(super) fn blanked(text: &[u8]) -> Vec<u8> {
    let mut out = text.to_vec();
    let mut at = 0;
    while at < text.len() {
        let width = invisible(text, at);
        if let Some(part) = out.get_mut(at..at + width) {
            part.fill(b' ');
        }
        at += width.max(1);
    }
    out
}

struct Builder<'t> {
    text: &'t [u8],
    room: Room,
    next: usize,
}

impl<'t> Builder<'t> {
    fn new(mut room: Room, text: &'t [u8]) -> Self {
        room.kept.clear();
        room.slices.clear();
        Self { text, room, next: 0 }
    }

    fn leave_out(&mut self, part: Range<usize>) {
        if part.is_empty() {
            return;
        }
        self.keep_until(part.start);
        self.next = part.end.min(self.text.len());
    }

    fn keep_until(&mut self, end: usize) {
        // Once, instead of by doubling: nearly all of the text is kept.
        self.room.kept.reserve(self.text.len() - self.room.kept.len().min(self.text.len()));
        if let Some(slice) = self.text.get(self.next..end).filter(|s| !s.is_empty()) {
            self.room.slices.push((self.room.kept.len(), self.next));
            self.room.kept.extend_from_slice(slice);
        }
    }

    fn finish(mut self) -> View<'t> {
        if self.next == 0 && self.room.kept.is_empty() {
            return View { whole: Some(self.text), room: self.room };
        }
        self.keep_until(self.text.len());
        View { whole: None, room: self.room }
    }
}

/// The first byte that may begin something invisible; eight bytes at a time, as most text has none.
fn first_suspicious(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(eight) = text.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        if may_be_suspicious(u64::from_le_bytes(*eight))
            && let Some(step) = eight.iter().position(|b| suspicious(*b))
        {
            return Some(at + step);
        }
        at += 8;
    }
    text.get(at..)?.iter().position(|b| suspicious(*b)).map(|step| at + step)
}

/// Whether one of eight bytes is a control character, a backslash or no ASCII.
const fn may_be_suspicious(eight: u64) -> bool {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * EACH;
    let plain = eight & !HIGH;
    let control = !((plain | HIGH) - 0x20 * EACH);
    let delete = plain + EACH;
    let backslash = HIGH - (plain ^ (0x5c * EACH));
    (eight | control | delete | backslash) & HIGH != 0
}

const fn suspicious(byte: u8) -> bool {
    matches!(byte, 0..=8 | 11 | 12 | 14..=31 | 127 | b'\\' | 0xc2 | 0xe2 | 0xef)
}

/// How many bytes at this place show nothing on a terminal; zero for everything visible.
fn invisible(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    match rest {
        [0x1b, b'[', parameters @ ..] | [0xc2, 0x9b, parameters @ ..] => {
            2 + control_sequence(parameters)
        }
        [0x1b, b']' | b'P' | b'X' | b'^' | b'_', string @ ..] => 2 + control_string(string),
        [0x1b, 0x20..=0x7e, ..] | [0xc2, 0xad, ..] => 2,
        [0xe2, 0x80, 0x8b..=0x8f | 0xaa..=0xae, ..]
        | [0xe2, 0x81, 0xa0..=0xa9, ..]
        | [0xef, 0xbb, 0xbf, ..] => 3,
        [0..=8 | 11 | 12 | 14..=31 | 127, ..] => 1,
        [b'\\', ..] => escaped(rest),
        _ => 0,
    }
}

/// How an escape character is written where it can not stand itself: in JSON, in the output of a shell, in a program's source.
const ESCAPES: &[&[u8]] = &[b"u001b", b"u001B", b"x1b", b"x1B", b"033", b"e"];

/// The same for characters without a width.
const ZERO_WIDTH: &[&[u8]] = &[
    b"u200b", b"u200B", b"u200c", b"u200C", b"u200d", b"u200D", b"u2060", b"ufeff", b"uFEFF",
    b"u00ad", b"u00AD",
];

/// Width of a terminal code or zero-width character that is written in escaped form, however often it was escaped again.
fn escaped(rest: &[u8]) -> usize {
    let slashes = rest.iter().take(16).take_while(|b| **b == b'\\').count();
    let word = rest.get(slashes..).unwrap_or_default();
    if let Some(form) = ZERO_WIDTH.iter().find(|form| word.starts_with(form)) {
        return slashes + form.len();
    }
    let Some(form) = ESCAPES.iter().find(|form| word.starts_with(form)) else { return 0 };
    let code = word.get(form.len()..).unwrap_or_default();
    match code {
        // Only a complete code of colour, style or cursor: `\\e[` alone may be anybody's text.
        [b'[', parameters @ ..] => {
            let width = control_sequence(parameters);
            let ends = width.checked_sub(1).and_then(|last| parameters.get(last));
            let complete = ends.is_some_and(|b| matches!(b, b'm' | b'K' | b'G' | b'H' | b'J'));
            if complete { slashes + form.len() + 1 + width } else { 0 }
        }
        _ => 0,
    }
}

fn control_sequence(rest: &[u8]) -> usize {
    let parameters = rest.iter().take(64).take_while(|b| (0x20..=0x3f).contains(*b)).count();
    let has_final = rest.get(parameters).is_some_and(|b| (0x40..=0x7e).contains(b));
    parameters + usize::from(has_final)
}

fn control_string(rest: &[u8]) -> usize {
    let limit = rest.iter().take(STRING_LIMIT).take_while(|b| **b != b'\n').count();
    let string = rest.get(..limit).unwrap_or_default();
    match string.iter().position(|b| matches!(b, 0x07 | 0x1b)) {
        Some(end) if string.get(end) == Some(&0x07) => end + 1,
        Some(end) if string.get(end + 1) == Some(&b'\\') => end + 2,
        Some(_) | None => 0,
    }
}

/// Whether a byte is one that wrapping puts around a line: a blank, a quote, a comma, a backslash.
pub(super) fn is_around_lines(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'"' | b'\'' | b',' | b'\\')
}

/// Where the wrapping at the end of a line starts.
pub(super) fn tail_start(text: &[u8], start: usize, end: usize) -> usize {
    let line = text.get(start..end).unwrap_or_default();
    let kept = line.iter().rposition(|b| !is_around_lines(*b));
    kept.map_or(start, |last| start + last + 1)
}

/// How many bytes at the start of a line were put there by a log: time stamp, name of a container, indentation, a quote.
pub(super) fn lead_width(text: &[u8], start: usize) -> usize {
    let line = text.get(start..text.len().min(start + LEAD_MAX)).unwrap_or_default();
    let line = line.get(..memchr(b'\n', line).unwrap_or(line.len())).unwrap_or_default();
    lead_width_of(line, timestamp_width(line))
}

/// As [`lead_width`] for a line that is at hand, with the width of its time stamp.
pub(super) fn lead_width_of(line: &[u8], stamp: usize) -> usize {
    let line = line.get(..LEAD_MAX).unwrap_or(line);
    let mut width = stamp;
    width += container_width(line.get(width..).unwrap_or_default());
    width += blanks_width(line.get(width..).unwrap_or_default());
    width += source_width(line.get(width..).unwrap_or_default());
    width + blanks_width(line.get(width..).unwrap_or_default())
}

fn blanks_width(line: &[u8]) -> usize {
    line.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'"' | b'\'')).count()
}

/// Width of what names the source of a line: `[pod/web-1] `, `#12 3.456 `, `Nov 20 10:11:12 host unit[77]: `, `stderr: `, `> `.
fn source_width(line: &[u8]) -> usize {
    let after = |end: [u8; 2]| line.array_windows().position(|w| *w == end).map_or(0, |at| at + 2);
    match line {
        [b'[', ..] => after(*b"] "),
        [b'#', b'0'..=b'9', ..] => {
            let words = line.splitn(3, |b| *b == b' ').collect::<Vec<_>>();
            let number = |b: &u8| b.is_ascii_digit() || *b == b'.';
            match words.as_slice() {
                [step, time, _] if time.iter().all(number) => step.len() + time.len() + 2,
                _ => 0,
            }
        }
        [b'>' | b'|' | b'+', b' ', ..] => 2,
        [_, _, _, b' ', _, _, b' ', _, _, b':', _, _, b':', ..] => after(*b": "),
        _ if line.starts_with(b"stderr: ") || line.starts_with(b"stdout: ") => 8,
        _ => 0,
    }
}

/// Width of `2026-11-20T10:11:12.1234567Z ` at the start of a line.
pub(super) fn timestamp_width(line: &[u8]) -> usize {
    let Some(date) = line.first_chunk::<10>().filter(|date| date.get(4) == Some(&b'-')) else {
        return 0;
    };
    let digits = date.iter().filter(|b| b.is_ascii_digit()).count();
    match memchr(b' ', line.get(..line.len().min(40)).unwrap_or_default()) {
        Some(width) if digits == 8 && width >= 19 => width + 1,
        Some(_) | None => 0,
    }
}

/// Width of `web-1  | ` at the start of a line.
fn container_width(line: &[u8]) -> usize {
    let head = line.get(..line.len().min(64)).unwrap_or_default();
    let Some(bar) = memchr(b'|', head) else { return 0 };
    let before = head.get(..bar).unwrap_or_default();
    let name = before.trim_ascii_end();
    let of_name = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let fits = (1..=40).contains(&name.len()) && name.len() < bar && name.iter().all(of_name);
    if fits { bar + 1 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_in_escaped_form_are_left_out_however_often_they_were_escaped() {
        for text in [
            r"ab\u001b[31mcd\u001b[0mef",
            r"ab\\u001b[1;31mcdef",
            r"ab\x1b[Kcdef",
            r"ab\033[0mcdef",
            r"abc\u200bdef",
            r"ab\e[32mcdef",
        ] {
            assert_eq!(View::stripped(text.as_bytes()).bytes(), b"abcdef", "{text}");
        }
        for text in [r"ab\ncd", r"ab\u0041cd", r"C:\e[x", r"ab\"] {
            assert_eq!(View::stripped(text.as_bytes()).bytes(), text.as_bytes(), "{text}");
        }
    }

    #[test]
    fn colour_codes_and_zero_width_characters_are_left_out_and_offsets_lead_back() {
        let text = "ab\u{1b}[1;31mcd\u{200b}ef".as_bytes();
        let view = View::stripped(text);
        assert_eq!(view.bytes(), b"abcdef");
        assert_eq!(view.origin_range(&(1..3)), 1..10);
        assert_eq!(text.get(view.origin(5)), Some(&b'f'));
    }

    #[test]
    fn a_text_without_invisible_parts_is_borrowed() {
        let text = "plain é\n".as_bytes();
        assert_eq!(View::stripped(text).whole, Some(text));
    }

    #[test]
    fn wrapped_lines_are_joined_without_time_stamps_container_names_and_quotes() {
        let text = b"2026-11-20T10:11:12.1234567Z web-1  | abc\",\r\n2026-11-20T10:11:12.1234567Z web-1  |  \"def";
        let view = View::joined(text, Seam::Padded);
        assert!(view.bytes().ends_with(b"| abcdef"));
        let start = view.bytes().len() - 6;
        let pieces = view.origin_pieces(&(start..start + 6));
        let texts: Vec<_> = pieces.into_iter().filter_map(|r| text.get(r)).collect();
        assert_eq!(texts, [b"abc".as_slice(), b"def".as_slice()]);
    }

    #[test]
    fn what_names_the_source_of_a_line_is_not_part_of_what_it_says() {
        for (prefix, rest) in [
            ("[pod/web-1/app] ", "def"),
            ("#12 3.456 ", "def"),
            ("Nov 20 10:11:12 host-7 unit[77]: ", "def"),
            ("stderr: ", "def"),
            ("2026-11-20T10:11:12.1234567Z web-1  | > ", "def"),
            ("", "[def"),
            ("", "#1def"),
        ] {
            let line = format!("{prefix}{rest}");
            assert_eq!(lead_width(line.as_bytes(), 0), prefix.len(), "{line}");
        }
    }

    #[test]
    fn an_unfinished_control_string_hides_nothing() {
        let view = View::stripped(b"\x1b]0;secret");
        assert_eq!(view.bytes(), b"0;secret");
    }

    #[test]
    fn blanking_keeps_the_length() {
        let text = "a\u{1b}[0mb\u{feff}c".as_bytes();
        assert_eq!(blanked(text), b"a    b   c");
    }
}
