//! The redactor on a text that is longer than its buffer: wherever the buffer is cut, the output is the same and nothing survives.
//!
//! An input is: one byte (which value), one byte (what stands around), two bytes (where the text begins), text as in
//! [`super::redactor`].

use super::redactor::filled;
use super::secrets::Secret;

/// What stands around the text: lines, one line without end, and what may belong to a secret.
const AROUND: [&str; 4] =
    ["a line of a log\n", "word ", "Ab3/", "-----BEGIN THING-----\nAb3/Ab3/Ab3/Ab3/\n"];

/// Where the buffer is cut when it is filled by `redact` and by `copy`, in bytes.
const CUTS: [usize; 2] = [992 << 10, 736 << 10];

/// Panics when the output depends on the cut, or the value survives it.
pub fn check(data: &[u8]) {
    let [which, around, high, low, rest @ ..] = data else { return };
    let secret = Secret::fixed(*which);
    let around_text = AROUND[usize::from(*around) % AROUND.len()];
    let cut = CUTS[usize::from(*around) / AROUND.len() % CUTS.len()];
    // At most 32 KiB before the cut: the text lies across it, or in what is kept behind it.
    let begins = cut - usize::from(u16::from_be_bytes([*high, *low])) / 2;
    let (middle, ways) = filled(secret, rest);
    let mut text = around_text.repeat(begins / around_text.len() + 1);
    text.truncate(text.floor_char_boundary(begins));
    text.push_str(&middle);
    text.push_str(&around_text.repeat((48 << 10) / around_text.len()));

    let once = secret.redactor.redact(&text).into_string();
    let lines = |text: &str| text.bytes().filter(|byte| *byte == b'\n').count();
    assert_eq!(lines(&text), lines(&once), "the number of lines changed");
    assert!(secret.redactor.leaks(once.as_bytes()).is_empty(), "the value survived {ways:?}");
    let mut copied = Vec::new();
    secret.redactor.copy(&mut text.as_bytes(), &mut copied).expect("memory can be written to");
    // Of a run of base64 without an end, the part in the buffer is hidden when it holds a value: that depends on the cut.
    let endless = !around_text.contains([' ', '\n']);
    assert!(secret.redactor.leaks(&copied).is_empty(), "the value survived the copy {ways:?}");
    if copied.len() != once.len() && endless {
        return;
    }
    if copied != once.as_bytes() {
        let copied = String::from_utf8_lossy(&copied);
        let differs = copied.bytes().zip(once.bytes()).position(|(a, b)| a != b).unwrap_or(0);
        let near = |text: &str| {
            let start = text.floor_char_boundary(differs.saturating_sub(80));
            text[start..text.ceil_char_boundary((differs + 80).min(text.len()))].to_owned()
        };
        panic!("copy gives {:?}, redact {:?}", near(&copied), near(&once));
    }
}
