//! Text for programs: outputs of the step. A workflow prints them, so they hold nothing that a terminal obeys or a reader misses.
//!
//! Writes no heredoc (`actions` does); JSON is written by [`crate::redact`], its strings redacted one by one.

use super::clean::clean;

/// The cleaned text as one line, as long as it is.
pub fn output(text: &str) -> String {
    clean(text.trim()).replace(['\n', '\t'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_is_one_line_that_moves_no_terminal() {
        assert_eq!(output(" a\r\nb\u{1b}[31mc\u{9b}1Ad\u{202e}\t"), "a bcd\\u{202e}");
        assert_eq!(output(&"x".repeat(10_000)).len(), 10_000);
    }
}
