//! Damage that copying, quoting and templating do to any text. What can be undone is undone, so that the rest can still be read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Flaw, Grade, Reading};

/// A text of several lines after its damage was undone.
pub(super) struct Healed {
    pub(super) text: String,
    pub(super) flaws: Vec<Flaw>,
}

const QUOTED: &str = "stands in quotes";
const MARKED: &str = "starts with a byte-order mark";
const NUL: &str = "holds a NUL byte";
const FOREIGN: &str = "holds bytes that are not UTF-8";
const CRLF: &str = "has Windows line ends (CRLF)";

/// Undoes what was done to a file of several lines. `crlf` says what Windows line ends do to such a file.
pub(super) fn heal(value: &str, crlf: Grade) -> Healed {
    let mut flaws = bytes(value);
    let mut text = value.trim_start_matches('\u{feff}').to_owned();
    if let Some(inner) = unquoted(&text) {
        flaws.push(Flaw::broken(QUOTED));
        text = inner.to_owned();
    }
    if text.contains("\\n") && text.trim().lines().count() <= 1 {
        flaws.push(Flaw::broken("has `\\n` in place of its line breaks"));
        text = text.replace("\\r\\n", "\n").replace("\\n", "\n");
    }
    if text.contains('\r') {
        flaws.push(Flaw { grade: crlf, wrong: CRLF, line: None });
        text = text.replace("\r\n", "\n").replace('\r', "\n");
    }
    Healed { text, flaws }
}

/// As [`heal`], for PEM: its frames tell more kinds of damage.
pub(super) fn heal_pem(value: &str, crlf: Grade) -> Healed {
    let Healed { mut text, mut flaws } = heal(value, crlf);
    if let Some(inner) = decoded(&text) {
        let inside = heal_pem(&inner, crlf);
        flaws.push(Flaw::doubtful(
            "is encoded in base64 once more: right only when a step of the job decodes it",
        ));
        flaws.extend(inside.flaws);
        return Healed { text: inside.text, flaws };
    }
    if text.lines().any(|line| line.trim_start() != line && line.contains("-----")) {
        flaws.push(Flaw::broken("has indented lines, or blanks before its first line"));
    }
    if let Some(lines) = broken_again(&text) {
        flaws.push(Flaw::broken("lost its line breaks: all of it stands in one line"));
        text = lines;
    }
    Healed { text, flaws }
}

/// What a base64 text without frames holds, when that has frames.
fn decoded(text: &str) -> Option<String> {
    let packed: String = text.split_whitespace().collect();
    if !packed.starts_with("LS0tLS") {
        return None;
    }
    String::from_utf8(STANDARD.decode(packed).ok()?).ok()
}

/// A PEM text whose BEGIN and END stand in the same line, with its lines put back.
fn broken_again(text: &str) -> Option<String> {
    let one_line = |line: &str| line.contains("-----BEGIN ") && line.contains("-----END ");
    if !text.lines().any(one_line) {
        return None;
    }
    let frame = |part: &str| part.starts_with("BEGIN ") || part.starts_with("END ");
    let parts = text.split("-----").map(str::trim).filter(|part| !part.is_empty());
    let lines = parts.map(|p| if frame(p) { format!("-----{p}-----") } else { p.to_owned() });
    let lines = lines.collect::<Vec<_>>().join("\n");
    Some(lines)
}

fn unquoted(text: &str) -> Option<&str> {
    let text = text.trim();
    ['"', '\'', '`'].iter().find_map(|q| text.strip_prefix(*q)?.strip_suffix(*q))
}

fn bytes(value: &str) -> Vec<Flaw> {
    let flaw = |holds: bool, wrong| holds.then_some(Flaw::broken(wrong));
    [
        flaw(value.starts_with('\u{feff}'), MARKED),
        flaw(value.contains('\0'), NUL),
        flaw(value.contains('\u{fffd}'), FOREIGN),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A value of one line without what was done to it.
pub(super) fn heal_line(value: &str) -> Healed {
    let mut flaws = bytes(value);
    let mut text = value.trim_start_matches('\u{feff}');
    if let Some(inner) = unquoted(text) {
        flaws.push(Flaw::broken(QUOTED));
        text = inner;
    }
    flaws.extend(edges(text, Grade::Doubtful));
    let text = text.trim();
    if text.contains(['\n', '\r']) {
        flaws.push(Flaw::broken("has more than one line"));
    } else if text.contains(char::is_whitespace) {
        flaws.push(Flaw::broken("has a blank in its middle"));
    }
    flaws.extend(template(text));
    Healed { text: text.to_owned(), flaws }
}

/// Blanks and line ends at both ends.
fn edges(text: &str, grade: Grade) -> Option<Flaw> {
    let flaw = |wrong| Some(Flaw { grade, wrong, line: None });
    if text.trim_end_matches(['\r', '\n']) != text {
        return flaw("ends with a line break, which belongs to it for every program that reads it");
    }
    let blank = text.trim() != text;
    if blank { flaw("has blanks at one of its ends") } else { None }
}

/// A template that nobody filled in.
fn template(text: &str) -> Option<Flaw> {
    let between = |open: &str, close: &str| {
        text.split_once(open).is_some_and(|(_, rest)| rest.contains(close))
    };
    if between("${{", "}}") {
        return Some(Flaw::doubtful("holds an expression `${{ … }}` that was never evaluated"));
    }
    if between("$(", ")") {
        return Some(Flaw::doubtful("holds a `$(…)` that was never run"));
    }
    text.contains("***")
        .then_some(Flaw::doubtful("holds `***`: it may have been copied from a masked log"))
}

/// A value about which nobody said what it is: only damage that is rarely meant.
pub(super) fn opaque(value: &str) -> Reading {
    let many_lines = value.trim().contains(['\n', '\r']);
    let mut flaws = bytes(value);
    if unquoted(value).is_some() {
        flaws.push(Flaw::broken(QUOTED));
    }
    if many_lines && value.contains('\r') {
        flaws.push(Flaw::broken(CRLF));
    }
    // A file ends with a line break; a password does not.
    flaws.extend(if many_lines { None } else { edges(value, Grade::Doubtful) });
    flaws.extend(template(value));
    for flaw in &mut flaws {
        flaw.grade = Grade::Doubtful;
    }
    Reading { flaws, ..Reading::of("a text") }
}
