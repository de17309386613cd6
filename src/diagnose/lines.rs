//! Brings a log to the form that signatures are written for: one message per line, without colours, time stamps and escapes.
//!
//! It changes how a line reads, never what it says; the number of the original line is kept.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter, memchr2};

/// Longest line in bytes that is looked at in one piece; what is longer is looked at in pieces.
const LONGEST: usize = 64 * 1024;
/// Longest terminal title (OSC sequence) in bytes that is removed; a longer one is text.
const LONGEST_TITLE: usize = 256;
/// Prefixes that may stand before one message: job and step, time, journal, `_diag` header, its `WRITE LINE`.
const MOST_PREFIXES: usize = 5;

/// One message and the line of the text on which it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Number of the original line.
    pub(super) number: usize,
    /// The message.
    pub(super) text: Cow<'a, str>,
}

/// The messages of a text whose first line has the number `first`. An original line with `\n` escapes gives several messages.
pub(super) fn lines(text: &str, first: usize) -> Vec<Line<'_>> {
    let mut found = Vec::new();
    let mut rest = Some(text);
    for offset in 0.. {
        let Some(left) = rest else { break };
        let end = memchr(b'\n', left.as_bytes());
        let raw = end.map_or(left, |at| left.get(..at).unwrap_or_default());
        rest = end.and_then(|at| left.get(at + 1..));
        let number = first.saturating_add(offset);
        match plain(raw.trim_end_matches('\r')) {
            Cow::Borrowed(text) => add_pieces(&mut found, number, text),
            Cow::Owned(text) => text
                .split('\n')
                .flat_map(pieces)
                .for_each(|piece| found.push(Line { number, text: Cow::Owned(piece.to_owned()) })),
        }
    }
    found
}

fn add_pieces<'a>(found: &mut Vec<Line<'a>>, number: usize, text: &'a str) {
    found.extend(pieces(text).map(|piece| Line { number, text: Cow::Borrowed(piece) }));
}

fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.trim().is_empty() {
            return None;
        }
        let (piece, left) = rest.split_at(rest.floor_char_boundary(LONGEST));
        rest = left;
        Some(piece)
    })
}

fn plain(raw: &str) -> Cow<'_, str> {
    if memchr2(0x1b, b'\\', raw.as_bytes()).is_none() {
        return Cow::Borrowed(without_prefixes(raw));
    }
    let bare = without_colours(raw);
    let unfolded = unfolded(without_prefixes(&bare));
    Cow::Owned(without_colours(&unfolded).into_owned())
}

/// The text without terminal sequences.
fn without_colours(text: &str) -> Cow<'_, str> {
    if !text.contains('\u{1b}') {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    let mut parts = text.split('\u{1b}');
    kept.push_str(parts.next().unwrap_or_default());
    for part in parts {
        kept.push_str(after_sequence(part));
    }
    Cow::Owned(kept)
}

/// What stands behind the terminal sequence that starts `text`; its escape character was already removed.
fn after_sequence(text: &str) -> &str {
    let end = match text.as_bytes().first() {
        Some(b'[') => {
            text.get(1..).and_then(|t| t.find(|c| matches!(c, '@'..='~'))).map(|at| at + 2)
        }
        Some(b']') => text.find('\u{7}').filter(|at| *at <= LONGEST_TITLE).map(|at| at + 1),
        Some(b'(' | b')') => Some(2),
        Some(b'=' | b'>' | b'\\' | b'7' | b'8') => Some(1),
        _ => None,
    };
    end.and_then(|end| text.get(end..)).unwrap_or(text)
}

/// The text with the escapes of JSON strings undone; an escape that is none stays as it is.
fn unfolded(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        plain.push_str(before);
        let (meaning, length) = meaning(escape);
        plain.push_str(meaning);
        rest = escape.get(length..).unwrap_or_default();
    }
    plain.push_str(rest);
    plain
}

/// What an escape at the start of `text` stands for, and its length in bytes.
fn meaning(text: &str) -> (&str, usize) {
    let known = [
        ("\\n", "\n"),
        ("\\r", "\n"),
        ("\\t", "\t"),
        ("\\\"", "\""),
        ("\\'", "'"),
        ("\\\\", "\\"),
        ("\\/", "/"),
        ("\\u001b", "\u{1b}"),
        ("\\u001B", "\u{1b}"),
        ("\\x1b", "\u{1b}"),
    ];
    known
        .into_iter()
        .find(|(escape, _)| text.starts_with(escape))
        .map_or(("\\", 1), |(escape, plain)| (plain, escape.len()))
}

fn without_prefixes(line: &str) -> &str {
    let strippers = [after_job_and_step, after_time, after_journal, after_diag, after_console];
    let mut rest = line.trim_start_matches('\u{feff}');
    for _ in 0..MOST_PREFIXES {
        match strippers.iter().find_map(|strip| strip(rest)) {
            Some(shorter) => rest = shorter,
            None => break,
        }
    }
    rest
}

/// `deploy<TAB>Run playbook<TAB>2026-…`: how `gh run view --log` prints.
fn after_job_and_step(line: &str) -> Option<&str> {
    let mut parts = line.splitn(3, '\t');
    let (_job, _step, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let rest = rest.trim_start_matches('\u{feff}');
    after_time(rest).map(|_| rest)
}

/// `2026-01-31T10:00:00.1234567Z ` of a job log, `2026-01-31 10:00:00,123 p=7 u=ci n=ansible | ` of Ansible's log file.
fn after_time(line: &str) -> Option<&str> {
    let rest = after_digits(line, "dddd-dd-dd")?;
    let rest = after_digits(rest.strip_prefix(['T', ' '])?, "dd:dd:dd")?;
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ','));
    let rest = rest.strip_prefix('Z').or_else(|| after_digits(rest, "+dd:dd")).unwrap_or(rest);
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    let message = rest.strip_prefix(' ')?;
    if !message.starts_with("p=") {
        return Some(message);
    }
    message
        .find(" | ")
        .filter(|at| *at < 120)
        .and_then(|at| message.get(at + 3..))
        .or(Some(message))
}

/// What stands behind a text of this shape, in which `d` is a digit.
fn after_digits<'a>(text: &'a str, shape: &str) -> Option<&'a str> {
    let head = text.as_bytes().get(..shape.len())?;
    let same = head.iter().zip(shape.bytes()).all(|(have, want)| match want {
        b'd' => have.is_ascii_digit(),
        b'+' => matches!(have, b'+' | b'-'),
        want => *have == want,
    });
    same.then(|| text.get(shape.len()..)).flatten()
}

/// `Jan 31 10:00:00 host unit[7]: ` of a journal; also without the time, which another rule may have taken.
fn after_journal(line: &str) -> Option<&str> {
    let head = line.as_bytes().get(..line.len().min(163)).unwrap_or_default();
    let at = memchr_iter(b']', head)
        .find(|at| head.get(*at..).is_some_and(|rest| rest.starts_with(b"]: ")))
        .filter(|at| *at < 160)?;
    let mut words = line.get(..at)?.split_ascii_whitespace().rev();
    let (_unit, pid) = words.next()?.rsplit_once('[')?;
    let few = words.count() <= 4;
    (few && !pid.is_empty() && pid.bytes().all(|b| b.is_ascii_digit()))
        .then(|| line.get(at + 3..))
        .flatten()
}

/// `[2026-01-31 10:00:00Z INFO Worker] ` and `[RUNNER 2026-01-31 …] ` of `_diag`.
fn after_diag(line: &str) -> Option<&str> {
    let head = line.strip_prefix('[')?;
    let head =
        head.strip_prefix("RUNNER ").or_else(|| head.strip_prefix("WORKER ")).unwrap_or(head);
    after_digits(head, "dddd-dd-dd")?;
    let at = line.find("] ").filter(|at| *at < 160)?;
    line.get(at + 2..)
}

/// `WRITE LINE: ` and `WRITE ERROR: `: the console as `_diag` keeps it.
fn after_console(line: &str) -> Option<&str> {
    line.strip_prefix("WRITE LINE: ").or_else(|| line.strip_prefix("WRITE ERROR: "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn messages(text: &str) -> Vec<(usize, String)> {
        lines(text, 1).into_iter().map(|l| (l.number, l.text.into_owned())).collect()
    }

    #[test]
    fn every_known_prefix_is_removed() {
        for line in [
            "2026-01-31T10:00:00.1234567Z it broke",
            "\u{feff}2026-01-31T10:00:00Z it broke",
            "deploy\tRun playbook\t2026-01-31T10:00:00.1Z it broke",
            "2026-01-31 10:00:00Z: it broke",
            "2026-01-31 10:00:00,123 p=7 u=ci n=ansible | it broke",
            "[2026-01-31 10:00:00Z ERR  Terminal] WRITE ERROR: it broke",
            "[RUNNER 2026-01-31 10:00:00Z INFO Listener] it broke",
            "Jan 31 10:00:00 build-3 runsvc.sh[71]: it broke",
            "2026-01-31T10:00:00+01:00 build-3 runsvc.sh[71]: it broke",
            "\u{1b}[31m2026-01-31T10:00:00Z \u{1b}[0mit broke",
        ] {
            assert_eq!(messages(line), [(1, "it broke".to_owned())], "{line:?}");
        }
    }

    #[test]
    fn escapes_of_json_become_lines_that_keep_their_number() {
        let text = "first\nfatal: {\"msg\": \"one \\u001b[31m\\\"two\\\"\\nthree\"}";
        let want = [(1, "first"), (2, "fatal: {\"msg\": \"one \"two\""), (2, "three\"}")];
        assert_eq!(messages(text), want.map(|(n, t)| (n, t.to_owned())));
    }

    #[test]
    fn a_line_that_only_looks_like_a_prefix_stays() {
        for line in ["in the group of hosts list[3]: x is y", "2026-01-31 is a day", "a\tb\tc"] {
            assert_eq!(messages(line), [(1, line.to_owned())]);
        }
    }

    #[test]
    fn a_huge_line_is_looked_at_in_pieces() {
        let pieces = lines(&"ä".repeat(LONGEST), 1).len();
        assert_eq!(pieces, 2);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[\\x1b\\[\\]\\\\0-9TZ: .,+un\t\n\r\u{7}äa]{0,80}") {
            let _ = lines(&text, usize::MAX);
        }
    }
}
