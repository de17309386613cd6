//! Removes what a terminal would obey and shows what a reader could not see; shortens lines and blocks.
//!
//! Escapes for no language.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

use super::{BLOCK, LINE};
use crate::redact::unseen::{is_hidden, is_noncharacter};

/// Combining marks that may stand in a row; the others are dropped.
const MARKS: usize = 4;

/// Below this limit a line is cut at its end, above it in its middle.
const SHORT: usize = 120;

/// Bytes of a line that are looked at: three quarters from its head, one from its tail.
const RAW: usize = 64 * 1024;

/// Room for the words that tell how much was left out.
const MARKER: usize = 40;

/// The text without terminal sequences (CSI, OSC, DCS and the like; one that never ends stops at the end of its line), with control,
/// bidirectional and invisible characters written out (`\x08`, `\u{202e}`), and with `\n` as its only line end. Linear time.
pub fn clean(text: &str) -> String {
    if text.bytes().all(|b| matches!(b, b' '..=b'~' | b'\n' | b'\t')) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    let (mut marks, mut before) = (0, '\0');
    while let Some(c) = rest.next() {
        marks = if is_mark(c) { marks + 1 } else { 0 };
        match c {
            '\r' => {
                rest.next_if_eq(&'\n');
                out.push('\n');
            }
            '\n' | '\t' => out.push(c),
            '\u{1b}' => skip_escape(&mut rest),
            '\u{9b}' => skip_control_sequence(&mut rest),
            '\u{9d}' => skip_string(&mut rest, ends_command),
            '\u{90}' | '\u{98}' | '\u{9e}' | '\u{9f}' => skip_string(&mut rest, ends_string),
            '\u{fe0f}' if is_symbol(before) => out.push(c),
            _ if marks > MARKS => {}
            _ => show(c, &mut out),
        }
        before = c;
    }
    out
}

/// The cleaned text as one line of at most `max` characters: line ends and tabs become spaces, the ends are trimmed.
pub fn one_line(text: &str, max: usize) -> String {
    let (shown, lost) = bounded(text.trim());
    cut_after(shown.replace(['\n', '\t'], " ").trim(), max, lost).into_owned()
}

/// The cleaned text within `first` and `last` lines of at most [`LINE`] characters and within [`BLOCK`] characters, without empty lines at
/// its ends; what was left out is counted where it stood.
pub fn block(text: &str, first: usize, last: usize) -> String {
    let trimmed = text.trim_matches(['\n', '\r']);
    let lines = || trimmed.lines().flat_map(|line| line.split('\r'));
    let shown = |line: &str| {
        let (shown, gone) = bounded(line);
        cut_after(&shown, LINE, gone).into_owned()
    };
    let total = lines().count();
    let left_out = total.saturating_sub(first + last);
    let head = if left_out == 0 { total } else { first };
    let mut kept: Vec<String> = lines().take(head).map(shown).collect();
    if left_out > 0 {
        kept.push(format!("… {left_out} lines omitted …"));
        kept.extend(lines().skip(total - last).map(shown));
    }
    cut(&kept.join("\n"), BLOCK).into_owned()
}

/// The line within `max` characters: its head, how many characters were left out, its tail. A short limit cuts at the end.
pub fn cut(line: &str, max: usize) -> Cow<'_, str> {
    if line.len() <= max { Cow::Borrowed(line) } else { cut_after(line, max, 0) }
}

/// Like [`cut`], for a line from whose middle `lost` characters are gone already.
fn cut_after(line: &str, max: usize, lost: usize) -> Cow<'_, str> {
    let total = line.chars().count();
    if total <= max && lost == 0 {
        return Cow::Borrowed(line);
    }
    if max < SHORT {
        return Cow::Owned(format!("{}…", head_of(line, max.saturating_sub(1))));
    }
    let head = (max / 4 * 3).min(max - max / 8 - MARKER);
    let tail = (max / 8).min(total.saturating_sub(head));
    let left_out = total.saturating_sub(head + tail) + lost;
    Cow::Owned(format!(
        "{} … {left_out} characters omitted … {}",
        head_of(line, head),
        tail_of(line, tail)
    ))
}

/// The cleaned text, without its middle when it is far longer than anything that is shown, and how many characters that middle has.
fn bounded(text: &str) -> (String, usize) {
    if text.len() <= RAW {
        return (clean(text), 0);
    }
    let (head, rest) = text.split_at(text.floor_char_boundary(RAW / 4 * 3));
    let (middle, tail) = rest.split_at(rest.ceil_char_boundary(rest.len() - RAW / 4));
    // The space stands for one of the lost characters, and cleaning in two keeps a sequence that the head leaves open out of the tail.
    let lost = middle.chars().count().saturating_sub(1);
    (format!("{} {}", clean(head), clean(tail)), lost)
}

/// The longest head of the text that has at most `max` bytes and ends between two characters.
pub fn cut_bytes(text: &str, max: usize) -> &str {
    text.get(..text.floor_char_boundary(max)).unwrap_or_default()
}

fn head_of(line: &str, chars: usize) -> &str {
    line.get(..place(line, chars)).unwrap_or_default()
}

fn tail_of(line: &str, chars: usize) -> &str {
    let from = line.char_indices().rev().nth(chars.saturating_sub(1)).map_or(0, |(at, _)| at);
    line.get(from..).filter(|_| chars > 0).unwrap_or_default()
}

fn place(line: &str, chars: usize) -> usize {
    line.char_indices().nth(chars).map_or(line.len(), |(at, _)| at)
}

/// After ESC: a control sequence, a string, or one letter with the intermediates before it.
fn skip_escape(rest: &mut Peekable<Chars<'_>>) {
    match rest.peek() {
        Some('[') => {
            rest.next();
            skip_control_sequence(rest);
        }
        Some(']') => skip_string(rest, ends_command),
        Some('P' | 'X' | '^' | '_') => skip_string(rest, ends_string),
        _ => {
            while rest.next_if(|c| matches!(c, ' '..='/')).is_some() {}
            rest.next_if(|c| matches!(c, '0'..='~'));
        }
    }
}

fn skip_control_sequence(rest: &mut Peekable<Chars<'_>>) {
    while rest.next_if(|c| matches!(c, ' '..='?')).is_some() {}
    rest.next_if(|c| matches!(c, '@'..='~'));
}

/// Up to and with its end; a line end or the next ESC ends it too and stays, so that a string without an end hides no other line.
fn skip_string(rest: &mut Peekable<Chars<'_>>, ends: fn(char) -> bool) {
    while rest.next_if(|c| !ends(*c) && !matches!(c, '\n' | '\r' | '\u{1b}')).is_some() {}
    rest.next_if(|c| ends(*c));
}

fn ends_command(c: char) -> bool {
    matches!(c, '\u{7}' | '\u{9c}')
}

fn ends_string(c: char) -> bool {
    c == '\u{9c}'
}

fn show(c: char, out: &mut String) {
    match c {
        '\0' => out.push_str("\\0"),
        '\u{1}'..='\u{1f}' | '\u{7f}' => {
            let _ = write!(out, "\\x{:02x}", u32::from(c));
        }
        '\u{80}'..='\u{84}' | '\u{86}'..='\u{9f}' => {}
        _ if is_hidden(c) => out.extend(c.escape_unicode()),
        _ if is_noncharacter(c) => out.push('\u{fffd}'),
        _ => out.push(c),
    }
}

/// Symbols after which U+FE0F asks for the coloured form.
fn is_symbol(c: char) -> bool {
    matches!(c, '\u{203c}' | '\u{2049}' | '\u{2122}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}'
        | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_sequences_vanish_whole() {
        for (raw, shown) in [
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}[38;2;1;2;3mx\u{1b}[?25l", "x"),
            ("\u{1b}]8;;https://evil.example\u{7}Runbook\u{1b}]8;;\u{7}", "Runbook"),
            ("\u{1b}]52;c;cm0=\u{1b}\\y", "y"),
            ("\u{1b}P+q544e\u{1b}\\z", "z"),
            ("\u{9b}31mx\u{9d}8;;u\u{9c}y", "xy"),
            ("\u{1b}(Bok\u{1b}", "ok"),
        ] {
            assert_eq!(clean(raw), shown, "{raw:?}");
        }
    }

    #[test]
    fn a_sequence_without_an_end_hides_no_other_line() {
        assert_eq!(clean("\u{1b}]0;AAAA\nthe real error"), "\nthe real error");
        assert_eq!(clean("\u{1b}PAAAA\rthe real error"), "\nthe real error");
        assert_eq!(clean("\u{1b}[31\nthe real error"), "\nthe real error");
    }

    #[test]
    fn what_a_reader_could_not_see_is_written_out() {
        assert_eq!(clean("Deploy FAILED\rDeploy OK"), "Deploy FAILED\nDeploy OK");
        assert_eq!(clean("a\0b\u{8}c\u{7f}"), "a\\0b\\x08c\\x7f");
        assert_eq!(clean("user\u{202e}\u{2066}x"), "user\\u{202e}\\u{2066}x");
        assert_eq!(clean("pass\u{200b}word\u{feff}"), "pass\\u{200b}word\\u{feff}");
        assert_eq!(clean("ok\u{e0041}"), "ok\\u{e0041}");
        assert_eq!(clean("a\u{2028}b\u{85}c"), "a\\u{2028}b\\u{85}c");
        assert_eq!(clean("a\u{ffff}\u{fdd0}b"), "a\u{fffd}\u{fffd}b");
        assert_eq!(clean(&format!("a{}", "\u{301}".repeat(64))), "a\u{301}\u{301}\u{301}\u{301}");
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for text in ["", "größer als 5 GiB", "日本語 \t x\n", "⚠\u{fe0f} e\u{301}"] {
            assert_eq!(clean(text), text);
        }
        assert_eq!(clean("a\u{fe0f}"), "a\\u{fe0f}");
    }

    #[test]
    fn a_long_line_keeps_its_head_and_its_tail() {
        let line = format!("{}END", "ä".repeat(3_000_000));
        let shown = cut(&line, 4096);
        assert!(shown.chars().count() <= 4096);
        assert!(shown.starts_with("ää") && shown.ends_with("END"));
        assert!(shown.contains(" … 2996419 characters omitted … "), "{}", shown.len());
        assert_eq!(cut("ääää", 4), "ääää");
        assert_eq!(cut("äääää", 4), "äää…");
        assert!(cut(&line, 200).chars().count() <= 200);
        assert_eq!(cut("abc", 0), "…");
    }

    #[test]
    fn a_long_block_keeps_its_first_and_last_lines() {
        assert_eq!(block("\n1\r\n2\r3\n4\n5\n", 1, 2), "1\n… 2 lines omitted …\n4\n5");
        assert_eq!(block("1\n2\n\n4", 1, 3), "1\n2\n\n4");
        assert_eq!(block("", 1, 3), "");
        assert_eq!(block("a\u{1b}]0;x\nthe\terror", 1, 3), "a\nthe\terror");
    }

    #[test]
    fn a_huge_line_is_counted_exactly_without_being_read_whole() {
        let line = one_line(&format!("{}END", "ä".repeat(3_000_000)), 4096);
        assert!(
            line.ends_with("END") && line.contains(" … 2996419 characters omitted … "),
            "{}",
            line.len()
        );
        let nothing = one_line(&"\u{1b}[0m".repeat(1_000_000), 200);
        assert!(nothing.contains("characters omitted"), "{nothing}");
    }

    #[test]
    fn bytes_are_cut_between_characters() {
        assert_eq!(cut_bytes("aä", 2), "a");
        assert_eq!(cut_bytes("aä", 3), "aä");
        assert_eq!(cut_bytes("aä", 99), "aä");
    }

    proptest::proptest! {
        #[test]
        fn cleaned_text_holds_nothing_to_obey(text in "\\PC*|(?s:.*)") {
            let shown = clean(&text);
            assert!(!shown.chars().any(|c| c != '\n' && c != '\t' && (c.is_control() || is_noncharacter(c))));
            assert!(shown.chars().count() <= text.chars().count() * 9);
            assert_eq!(clean(&shown), shown);
        }
    }
}
