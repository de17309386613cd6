//! The redactor: no known value survives in any encoding, twice is once, lines stay, and the pieces of a stream do not matter.
//!
//! An input is: one byte (which value), one byte (the size of the pieces), text. From [`OWN`] on the value is the text up to the first
//! NUL. `0x01` and a letter in the text stand for the value in the way of that letter.

use std::io::BufReader;

use super::secrets::{Secret, WAYS, written};

/// From this first byte on the input brings its own value.
const OWN: u8 = 0xc0;

/// Longest value of an input, in bytes.
const LONGEST: usize = 80;

/// Panics when a promise of the redactor does not hold for this input.
pub fn check(data: &[u8]) {
    let [which, pieces, rest @ ..] = data else { return };
    if *which < OWN {
        return hold(Secret::fixed(*which), usize::from(*pieces), rest);
    }
    let at = rest.iter().position(|byte| *byte == 0).unwrap_or(0);
    let value = String::from_utf8_lossy(&rest[..at.min(LONGEST)]).trim().to_owned();
    // A shorter value is not searched in every encoding, and says so nowhere.
    if value.chars().count() >= 12
        && value.bytes().all(|byte| byte.is_ascii_graphic())
        && let Some(secret) = Secret::of(&value)
    {
        hold(&secret, usize::from(*pieces), &rest[at + 1..]);
    }
}

fn hold(secret: &Secret, pieces: usize, rest: &[u8]) {
    let (text, ways) = filled(secret, rest);
    let once = secret.redactor.redact(&text);
    let shown = once.as_str();
    let lines = |text: &str| text.matches('\n').count();
    assert_eq!(lines(&text), lines(shown), "the number of lines changed: {text:?} -> {shown:?}");
    let twice = secret.redactor.redact(shown);
    assert_eq!(twice.as_str(), shown, "redacting twice changed it: {text:?}");
    let leaks = secret.redactor.leaks(shown.as_bytes());
    assert!(leaks.is_empty(), "it is still there: {text:?} -> {shown:?}");
    for way in ways {
        let form = written(&secret.value, way);
        // A terminal takes the first letter of a value for the end of a code that was left open before it, and shows less than the value.
        if text.contains("\u{1b}[") && form.contains('\n') {
            continue;
        }
        assert!(!shown.contains(&form), "way {way} survived: {text:?} -> {shown:?}");
    }
    let mut copied = Vec::new();
    let mut reader = BufReader::with_capacity(pieces + 1, text.as_bytes());
    secret.redactor.copy(&mut reader, &mut copied).expect("memory can be written to");
    assert_eq!(
        String::from_utf8_lossy(&copied),
        shown,
        "pieces of {} differ: {text:?}",
        pieces + 1
    );
    if let Ok(value) = serde_json::from_str::<serde_json::Value>(&text) {
        let json = secret.redactor.json(value).into_string();
        serde_json::from_str::<serde_json::Value>(&json).expect("JSON stays JSON");
        assert!(secret.redactor.leaks(json.as_bytes()).is_empty(), "{text:?} -> {json}");
    }
}

/// The text with the value where the input asks for it, and the ways that it asked for.
pub fn filled(secret: &Secret, data: &[u8]) -> (String, Vec<u8>) {
    let (mut text, mut ways) = (String::new(), Vec::new());
    let mut parts = data.split(|byte| *byte == 1);
    text.push_str(&String::from_utf8_lossy(parts.next().unwrap_or_default()));
    for part in parts {
        if let [letter, rest @ ..] = part {
            let way = letter.wrapping_sub(b'a') % WAYS;
            text.push_str(&written(&secret.value, way));
            ways.push(way);
            text.push_str(&String::from_utf8_lossy(rest));
        }
    }
    (text, ways)
}
