//! Text for programs: outputs of the step and JSON. A workflow prints them, so they hold nothing that a terminal obeys or a reader misses.
//!
//! Writes no heredoc (`actions` does) and builds no JSON.

use std::fmt::Write as _;

use super::clean::clean;
use crate::redact::unseen::is_unseen;

/// The cleaned text as one line, as long as it is.
pub fn output(text: &str) -> String {
    clean(text.trim()).replace(['\n', '\t'], " ")
}

/// A JSON text that means the same, in which control, bidirectional and invisible characters are written as JSON escapes (`\u202e`).
/// They can stand in its strings alone: all of its syntax is ASCII. The same goes for `##[`, which the Actions runner obeys anywhere.
pub fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.replace("##[", "#\\u0023[").chars() {
        if c.is_ascii_graphic() || matches!(c, ' ' | '\n') || !is_unseen(c) {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_is_one_line_that_moves_no_terminal() {
        assert_eq!(output(" a\r\nb\u{1b}[31mc\u{9b}1Ad\u{202e}\t"), "a bcd\\u{202e}");
        assert_eq!(output(&"x".repeat(10_000)).len(), 10_000);
    }

    #[test]
    fn json_means_the_same_and_hides_nothing() {
        let value = serde_json::json!({"a\u{200b}": ["\u{9b}31m\u{7f}\u{202e}\u{e0041}\u{ffff}", "größer ✅ \n", "##[error]x"]});
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let shown = json(&text);
            assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
            assert!(shown.contains("\\u009b31m\\u007f\\u202e\\udb40\\udc41\\uffff"), "{shown}");
            assert!(shown.contains("größer ✅") && !shown.contains("##["), "{shown}");
        }
    }
}
