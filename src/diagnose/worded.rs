//! A line as the author of a pattern had it in mind: a plain word where redaction put a replacement.
//!
//! A pattern is written for `user deploy`; in redacted text the line may say `user [redacted:known-value#3]`, which is no `\w+` and closes
//! no bracket where the author thought. This file does not know what was replaced, and nothing of what it makes is shown.

use std::ops::Range;

use memchr::memmem;

/// How a replacement begins.
const OPEN: &str = "[redacted:";
/// Longest rule with its number, in bytes; what is longer is text.
const LONGEST: usize = 80;
/// What stands for a replacement: some patterns want capital letters, others small ones.
const WORDS: [&str; 2] = ["REDACTED", "redacted"];

/// A line with a word for every replacement.
#[derive(Debug)]
pub(super) struct Worded {
    pub(super) text: String,
    /// Where each word stands in the text, and where its replacement stands in the line.
    words: Vec<(Range<usize>, Range<usize>)>,
}

/// The forms of a line in which a pattern may be looked for when it is not in the line itself; none when nothing was replaced there.
pub(super) fn forms(line: &str) -> impl Iterator<Item = Worded> {
    let replaced = replaced(line);
    let words = if replaced.is_empty() { &WORDS[..0] } else { &WORDS[..] };
    words.iter().map(move |word| Worded::new(line, &replaced, word))
}

/// Where the replacements are.
fn replaced(line: &str) -> Vec<Range<usize>> {
    let end = |start: usize| {
        let rest = line.as_bytes().get(start + OPEN.len()..)?;
        let width = rest.iter().take(LONGEST).position(|b| !is_of_rule(*b))?;
        (width > 0 && rest.get(width) == Some(&b']')).then_some(start + OPEN.len() + width + 1)
    };
    let starts = memmem::find_iter(line.as_bytes(), OPEN);
    starts.filter_map(|start| Some(start..end(start)?)).collect()
}

const fn is_of_rule(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'#')
}

impl Worded {
    fn new(line: &str, replaced: &[Range<usize>], word: &str) -> Self {
        let mut text = String::with_capacity(line.len());
        let mut words = Vec::with_capacity(replaced.len());
        let mut from = 0;
        for place in replaced {
            text.push_str(line.get(from..place.start).unwrap_or_default());
            let start = text.len();
            text.push_str(word);
            words.push((start..text.len(), place.clone()));
            from = place.end;
        }
        text.push_str(line.get(from..).unwrap_or_default());
        Self { text, words }
    }

    /// Where in the line stands what is at `range` in the text; a part of a word is the whole replacement.
    pub(super) fn origin(&self, range: &Range<usize>) -> Range<usize> {
        self.before(range.start)..self.behind(range.end)
    }

    fn before(&self, at: usize) -> usize {
        match self.last_from(at) {
            Some((word, place)) if at < word.end => place.start,
            Some((word, place)) => place.end + (at - word.end),
            None => at,
        }
    }

    fn behind(&self, at: usize) -> usize {
        match self.last_from(at) {
            Some((word, place)) if at == word.start => place.start,
            Some((word, place)) => place.end + at.saturating_sub(word.end),
            None => at,
        }
    }

    /// The last word that does not start behind `at`.
    fn last_from(&self, at: usize) -> Option<&(Range<usize>, Range<usize>)> {
        self.words.get(self.words.partition_point(|(word, _)| word.start <= at).checked_sub(1)?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LINE: &str = "user [redacted:known-value#3] on [redacted:jwt]!";

    #[test]
    fn each_replacement_is_a_word_in_both_cases() {
        let texts: Vec<String> = forms(LINE).map(|form| form.text).collect();
        assert_eq!(texts, ["user REDACTED on REDACTED!", "user redacted on redacted!"]);
    }

    #[test]
    fn a_line_without_a_replacement_has_no_other_form() {
        for line in ["", "plain", "[redacted:]", "[redacted:A]", "[redacted:x", "[redacted: x]"] {
            assert_eq!(forms(line).count(), 0, "{line}");
        }
        assert_eq!(forms(&format!("[redacted:{}]", "x".repeat(LONGEST))).count(), 0);
    }

    #[test]
    fn a_place_in_the_text_is_a_place_in_the_line() {
        let form = forms(LINE).next().unwrap();
        let origin = |range| LINE.get(form.origin(&range)).unwrap();
        assert_eq!(origin(5..13), "[redacted:known-value#3]");
        assert_eq!(origin(6..7), "[redacted:known-value#3]");
        assert_eq!(origin(0..5), "user ");
        assert_eq!(origin(13..17), " on ");
        assert_eq!(origin(17..26), "[redacted:jwt]!");
        assert_eq!(origin(0..26), LINE);
    }

    proptest! {
        #[test]
        fn every_place_of_any_line_is_a_place_in_it(line in "([a-z ä\\]]|\\[redacted:[a-z#0-9]{0,3}\\]?){0,9}") {
            for form in forms(&line) {
                for (start, _) in form.text.char_indices() {
                    for end in (start..=form.text.len()).filter(|at| form.text.is_char_boundary(*at)) {
                        prop_assert!(line.get(form.origin(&(start..end))).is_some());
                    }
                }
            }
        }
    }
}
