//! Shortens what others said before anybody has looked for secrets in it.
//!
//! Redaction finds whole values and their encodings. A value of which a limit left the first half is none of them, so the word that a
//! limit divides is left out as a whole.

/// The first words of a text, at most so many characters, and a sign when something is missing.
pub(super) fn brief(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let Some((end, _)) = text.char_indices().nth(most) else { return text.to_owned() };
    let head = text.get(..end).unwrap_or_default();
    let divided = !text.get(end..).is_some_and(|rest| rest.starts_with(char::is_whitespace));
    let whole = if divided { head.rfind(char::is_whitespace).unwrap_or(0) } else { end };
    format!("{} …", head.get(..whole).unwrap_or_default().trim_end()).trim_start().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_is_divided() {
        assert_eq!(brief("one two", 7), "one two");
        assert_eq!(brief("one two", 6), "one …");
        assert_eq!(brief("one two", 3), "one …");
        assert_eq!(brief("one two", 2), "…");
        assert_eq!(brief("zwölf\tä", 6), "zwölf …");
        assert_eq!(brief("", 0), "");
    }
}
