//! Takes away what other programs put in front of a line or into it: job-log timestamps, the log file's record head, colours.
//!
//! It changes nothing of the text that Ansible itself printed.

use std::borrow::Cow;

use memchr::memchr_iter;

/// A longer line is cut: results of this size repeat their output several times.
pub(super) const LINE_CAP: usize = 1 << 20;
/// How much of the text is looked at to learn how it is wrapped.
pub(super) const LEARN_CAP: usize = 4 << 20;

/// What the log file's record head says about a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Record {
    /// The text is no log file.
    None,
    /// A record of this process begins.
    Start(u64),
    /// The record goes on.
    Continued,
}

/// One line without its wrappers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// What Ansible printed.
    pub(super) text: Cow<'a, str>,
    /// Place in the log file.
    pub(super) record: Record,
    /// The line as it was, with what stands in front of it.
    raw: &'a str,
}

impl Line<'_> {
    /// The time in front of the line, as it was written.
    pub(super) fn stamp(&self) -> Option<&str> {
        stamp(self.raw)
    }
}

/// Knows how one text is wrapped.
#[derive(Debug, Default)]
pub(super) struct Cleaner {
    lost_escapes: bool,
    wrapper: Option<Vec<Piece>>,
    log_file: bool,
}

/// A part of a learned wrapper: numbers differ from line to line, everything else is literal.
#[derive(Debug, PartialEq, Eq, Clone)]
enum Piece {
    Digits,
    Literal(char),
}

impl Cleaner {
    /// Learns from the first 4 MiB of the text what stands in front of its lines.
    pub(super) fn learn(text: &str) -> Self {
        let head = cut(text, LEARN_CAP);
        let mut cleaner = Self {
            lost_escapes: !head.contains('\u{1b}') && head.contains("[0m"),
            ..Self::default()
        };
        cleaner.wrapper = cleaner.learn_wrapper(head);
        cleaner
    }

    fn learn_wrapper(&self, head: &str) -> Option<Vec<Piece>> {
        let mut seen: Option<Vec<Piece>> = None;
        for line in head.split('\n') {
            let (text, _) = self.unwrapped(line);
            let Some(at) = header_at(&text) else { continue };
            if at == 0 {
                return None;
            }
            let pieces = pieces(text.get(..at)?);
            if seen.as_ref() == Some(&pieces) {
                return seen;
            }
            seen.get_or_insert(pieces);
        }
        None
    }

    /// The line without its wrappers.
    pub(super) fn clean<'a>(&mut self, raw: &'a str) -> Line<'a> {
        let (text, process) = self.unwrapped(raw);
        let record = match process {
            Some(process) => Record::Start(process),
            None if self.log_file => Record::Continued,
            None => Record::None,
        };
        self.log_file |= process.is_some();
        let text = match &self.wrapper {
            Some(wrapper) => without(text, wrapper),
            None => text,
        };
        Line { text, record, raw }
    }

    fn unwrapped<'a>(&self, raw: &'a str) -> (Cow<'a, str>, Option<u64>) {
        let line = cut(raw, LINE_CAP);
        let line = without_job_log(line.trim_start_matches('\u{feff}'));
        let (line, process) = without_record_head(line);
        let line = last_drawn(line);
        (without_colour(line, self.lost_escapes), process)
    }
}

/// The text up to `cap` bytes, never inside a character.
pub(super) fn cut(text: &str, cap: usize) -> &str {
    text.get(..text.floor_char_boundary(cap)).unwrap_or(text)
}

/// The time in front of a line, of a job log or of Ansible's log file.
fn stamp(raw: &str) -> Option<&str> {
    let line = raw.trim_start_matches('\u{feff}');
    let at = |line: &'_ str| {
        let time = shaped(line, "dddd-dd-ddTdd:dd:dd.ddd");
        time.or_else(|| shaped(line, "dddd-dd-dd dd:dd:dd,ddd")).is_some()
    };
    if at(line) {
        return line.get(..23);
    }
    let third = third_column(line)?;
    at(third).then(|| third.get(..23))?
}

/// Removes `job TAB step TAB`, the timestamp of the job log, and GitLab's stream mark.
fn without_job_log(line: &str) -> &str {
    if let Some(rest) = without_time(line) {
        return rest;
    }
    third_column(line).and_then(without_time).unwrap_or(line)
}

/// What stands behind two tabs.
fn third_column(line: &str) -> Option<&str> {
    if !holds(line, b'\t') {
        return None;
    }
    Some(line.splitn(3, '\t').nth(2)?.trim_start_matches('\u{feff}'))
}

/// Whether this ASCII character is in the line: several times faster than to search a `char`.
pub(super) fn holds(line: &str, byte: u8) -> bool {
    line.as_bytes().contains(&byte)
}

/// Removes `2026-01-31T12:00:00.1234567Z ` (the runner's `DateTime.UtcNow.ToString("O")`).
fn without_time(line: &str) -> Option<&str> {
    let rest = shaped(line, "dddd-dd-ddTdd:dd:dd.")?;
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix('Z')?;
    let rest = rest.strip_prefix(' ').unwrap_or(rest);
    let stream = shaped(rest, "ddO").or_else(|| shaped(rest, "ddE"));
    Some(stream.and_then(|r| r.strip_prefix([' ', '+'])).unwrap_or(rest))
}

/// Removes `2026-01-31 12:00:00,123 p=1 u=ci n=ansible | ` (from 2.18 on `… n=ansible INFO| `).
fn without_record_head(line: &str) -> (&str, Option<u64>) {
    record_head(line).map_or((line, None), |(rest, process)| (rest, Some(process)))
}

fn record_head(line: &str) -> Option<(&str, u64)> {
    let rest = shaped(line, "dddd-dd-dd dd:dd:dd,ddd p=")?;
    let end = rest.find(' ')?;
    let process = rest.get(..end)?.parse().ok()?;
    let rest = rest.get(end + 1..)?;
    let rest = rest.strip_prefix("u=").or_else(|| rest.strip_prefix("uid="))?;
    let bar = cut(rest, 300).find('|')?;
    let rest = rest.get(bar + 1..)?;
    Some((rest.strip_prefix(' ').unwrap_or(rest), process))
}

/// What follows after the shape; `d` stands for a digit.
fn shaped<'a>(line: &'a str, shape: &str) -> Option<&'a str> {
    // Nearly every line ends this at its first byte.
    if !line.as_bytes().first()?.is_ascii_digit() {
        return None;
    }
    let head = line.get(..shape.len())?;
    let fits = head
        .bytes()
        .zip(shape.bytes())
        .all(|(b, s)| if s == b'd' { b.is_ascii_digit() } else { b == s });
    if fits { line.get(shape.len()..) } else { None }
}

/// What a terminal shows of a line that was drawn several times.
fn last_drawn(line: &str) -> &str {
    if !holds(line, b'\r') {
        return line;
    }
    let line = line.trim_end_matches('\r');
    line.rsplit('\r').next().unwrap_or(line)
}

fn without_colour(line: &str, lost_escapes: bool) -> Cow<'_, str> {
    let (mark, byte) = if lost_escapes { ('[', b'[') } else { ('\u{1b}', 0x1b) };
    if !holds(line, byte) {
        return Cow::Borrowed(line);
    }
    let mut kept = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(mark) {
        let (before, after) = rest.split_at(at);
        kept.push_str(before);
        let sequence = if lost_escapes { lost_sequence(after) } else { sequence(after) };
        let length = sequence.unwrap_or_else(|| {
            kept.push(mark);
            mark.len_utf8()
        });
        rest = after.get(length..).unwrap_or_default();
    }
    kept.push_str(rest);
    Cow::Owned(kept)
}

/// Length of the escape sequence (`ESC [ digits letter`) at the start.
fn sequence(text: &str) -> Option<usize> {
    let body = text.strip_prefix("\u{1b}[")?;
    let end = body.find(|c: char| !(c.is_ascii_digit() || c == ';' || c == '?'))?;
    body.get(end..)?.starts_with(|c: char| c.is_ascii_alphabetic()).then_some(end + 3)
}

/// Length of a colour sequence whose escape character was lost on the way (`[0;31m`).
fn lost_sequence(text: &str) -> Option<usize> {
    let body = text.strip_prefix('[')?;
    let end = body.find(|c: char| !(c.is_ascii_digit() || c == ';'))?;
    (end > 0 && end < 8 && body.get(end..)?.starts_with('m')).then_some(end + 2)
}

/// Where a header begins that is surely Ansible's, at most 120 bytes into the line.
fn header_at(text: &str) -> Option<usize> {
    let head = cut(text, 160);
    // Asked of every line of every log: one look for the bracket, and none for the banners of a line that is no banner.
    let mut brackets = memchr_iter(b'[', head.as_bytes());
    let fatal = brackets.find_map(|at| head.get(..at)?.strip_suffix("fatal: ").map(str::len));
    if let Some(at) = fatal {
        return (text.contains("! =>") && at <= 120).then_some(at);
    }
    if !text.trim_end().ends_with("***") {
        return None;
    }
    let at = ["PLAY [", "TASK [", "PLAY RECAP *"].iter().filter_map(|h| head.find(h)).min()?;
    (at <= 120).then_some(at)
}

fn pieces(prefix: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for c in prefix.chars() {
        let piece = if c.is_ascii_digit() { Piece::Digits } else { Piece::Literal(c) };
        if piece != Piece::Digits || pieces.last() != Some(&Piece::Digits) {
            pieces.push(piece);
        }
    }
    pieces
}

fn without<'a>(text: Cow<'a, str>, wrapper: &[Piece]) -> Cow<'a, str> {
    let Some(length) = wrapper_length(&text, wrapper) else { return text };
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(length..).unwrap_or_default()),
        Cow::Owned(text) => Cow::Owned(text.get(length..).unwrap_or_default().to_owned()),
    }
}

/// Bytes that the wrapper takes at the start; blanks at its end may be missing when nothing follows.
fn wrapper_length(text: &str, wrapper: &[Piece]) -> Option<usize> {
    let mut rest = text;
    for piece in wrapper {
        let next = match piece {
            Piece::Digits => {
                let next = rest.trim_start_matches(|c: char| c.is_ascii_digit());
                (next.len() < rest.len()).then_some(next)
            }
            Piece::Literal(c) => rest.strip_prefix(*c).or_else(|| {
                (rest.is_empty() && c.is_whitespace() && rest.len() < text.len()).then_some(rest)
            }),
        };
        rest = next?;
    }
    Some(text.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(text: &str) -> Vec<String> {
        let mut cleaner = Cleaner::learn(text);
        text.split('\n').map(|l| cleaner.clean(l).text.into_owned()).collect()
    }

    #[test]
    fn job_log_heads_colours_and_carriage_returns_are_taken_away() {
        let text = "\u{feff}deploy\tUNKNOWN STEP\t2026-01-31T12:00:00.1234567Z \u{1b}[0;31mfatal: [a]\u{1b}[0m\r\n\
                    2026-01-31T12:00:00.1234567Z   indented\n2026-01-31T12:00:00.1234567Z\n10%\r100%\r";
        assert_eq!(clean(text), ["fatal: [a]", "  indented", "", "100%"]);
    }

    #[test]
    fn both_forms_of_the_log_file_head_are_known() {
        let mut cleaner = Cleaner::learn("");
        let old = cleaner.clean("2026-01-31 12:00:00,123 p=77 u=ci n=ansible | PLAY [x] ***");
        assert_eq!((&*old.text, old.record), ("PLAY [x] ***", Record::Start(77)));
        let new = cleaner.clean("2026-01-31 12:00:00,123 p=78 uid=1001 n=ansible INFO| a | b");
        assert_eq!((&*new.text, new.record), ("a | b", Record::Start(78)));
        assert_eq!(cleaner.clean("PLAY [forged] ***").record, Record::Continued);
    }

    #[test]
    fn a_lost_escape_character_is_tolerated_only_where_none_is_left() {
        assert_eq!(clean("[0;31mfatal: [web1][0m"), ["fatal: [web1]"]);
        assert_eq!(clean("\u{1b}[0;31mlist[0m]\u{1b}[0m"), ["list[0m]"]);
        assert_eq!(clean("a [1] b[0m c\u{1b}x"), ["a [1] b[0m c\u{1b}x"]);
    }

    #[test]
    fn a_wrapper_is_learned_from_two_headers_and_numbers_in_it_may_differ() {
        let text = "12:00:01: PLAY [a] ***\n12:00:02: \n12:00:02:\n12:00:03: TASK [b] ***\nother";
        assert_eq!(clean(text), ["PLAY [a] ***", "", "", "TASK [b] ***", "other"]);
        let indented = "PLAY [a] ***\n  TASK [forged] ***\n  TASK [forged] ***";
        assert_eq!(clean(indented), indented.split('\n').collect::<Vec<_>>());
    }

    #[test]
    fn a_line_over_one_mebibyte_is_cut() {
        assert_eq!(clean(&"é".repeat(1 << 20))[0].len(), LINE_CAP);
    }
}
