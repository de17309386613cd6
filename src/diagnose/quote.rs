//! Cuts evidence to what a reader can take in; what it returns may be shown.

use crate::redact::{Redacted, Redactor};

/// Longest quoted line in characters.
const LONGEST: usize = 300;
/// Longest value of a field in characters.
const LONGEST_VALUE: usize = 64;

/// Makes quotes. A quote is cut out of redacted text but its escapes were undone, so it is redacted once more.
pub(super) struct Quoter(Redactor);

impl Quoter {
    /// A quoter.
    pub(super) fn new() -> Self {
        Self(Redactor::new(&[]))
    }

    /// The message around the byte `at`.
    pub(super) fn line(&self, message: &str, at: usize) -> Redacted {
        self.0.redact(&around(message, at))
    }

    /// `host web1, port 22`: what the patterns of `extract` found; `None` when they found nothing.
    pub(super) fn fields(&self, fields: &[(String, String)]) -> Option<Redacted> {
        let shown: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name} {}", short(value))).collect();
        (!shown.is_empty()).then(|| self.0.redact(&shown.join(", ")))
    }
}

fn around(message: &str, at: usize) -> String {
    let message = message.trim_end();
    if message.chars().count() <= LONGEST {
        return message.trim_start().to_owned();
    }
    let start = message.floor_char_boundary(at.saturating_sub(LONGEST / 4));
    let tail = message.get(start..).unwrap_or_default();
    let cut: String = tail.chars().take(LONGEST).collect();
    let before = if start > 0 { "…" } else { "" };
    let after = if cut.len() < tail.len() { "…" } else { "" };
    format!("{before}{cut}{after}")
}

fn short(value: &str) -> String {
    value.chars().filter(|c| !c.is_control()).take(LONGEST_VALUE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_is_cut_around_the_match() {
        let message = format!("{}no space left{}", "ä".repeat(4000), "ö".repeat(4000));
        let quote = around(&message, 8000);
        assert!(quote.starts_with('…') && quote.ends_with('…') && quote.contains("no space left"));
        assert_eq!(quote.chars().count(), LONGEST + 2);
    }

    #[test]
    fn a_short_message_is_quoted_whole() {
        assert_eq!(around("  no space left \r", 2), "no space left");
    }

    #[test]
    fn fields_are_short_and_without_control_characters() {
        let fields =
            [("host".to_owned(), "web\u{7}1".to_owned()), ("path".to_owned(), "x".repeat(99))];
        let text = Quoter::new().fields(&fields).unwrap();
        assert_eq!(text.as_str(), format!("host web1, path {}", "x".repeat(64)));
        assert!(Quoter::new().fields(&[]).is_none());
    }
}
