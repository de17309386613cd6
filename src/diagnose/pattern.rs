//! One pattern of a signature: a regular expression that is compiled when it is first needed, and fixed texts without which it cannot match.

use std::ops::Range;
use std::sync::OnceLock;

use regex::{Captures, Regex, RegexBuilder};
use regex_syntax::hir::{Class, Hir, HirKind};

use super::worded;

/// Shortest fixed text in characters; with less, a pattern would have to be tried on every line.
const SHORTEST: usize = 3;
/// Most alternative fixed texts of one pattern.
const MOST: usize = 24;
/// Largest compiled pattern in bytes.
const SIZE: usize = 1 << 20;

/// A pattern.
#[derive(Debug)]
pub(super) struct Pattern {
    source: String,
    texts: Vec<String>,
    compiled: OnceLock<Option<Regex>>,
}

/// Why a text is no pattern.
#[derive(Debug, thiserror::Error)]
pub(super) enum PatternError {
    #[error("is not a regular expression")]
    Syntax(#[source] Box<regex_syntax::Error>),
    #[error("has no fixed text of at least {SHORTEST} characters")]
    NoFixedText,
    #[error("is larger than {SIZE} bytes when compiled")]
    TooLarge,
}

impl Pattern {
    /// A pattern that is searched by its fixed texts.
    pub(super) fn searched(source: &str) -> Result<Self, PatternError> {
        let texts = required(&parsed(source)?).unwrap_or_default();
        if texts.is_empty() || weight(&texts) < SHORTEST {
            return Err(PatternError::NoFixedText);
        }
        Ok(Self { source: source.to_owned(), texts, compiled: OnceLock::new() })
    }

    /// A pattern that is only tried on few lines, so it may be without fixed text.
    pub(super) fn tried(source: &str) -> Result<Self, PatternError> {
        parsed(source)?;
        Ok(Self { source: source.to_owned(), texts: Vec::new(), compiled: OnceLock::new() })
    }

    /// Compiles it now, to know whether it can be.
    pub(super) fn compile(&self) -> Result<(), PatternError> {
        self.regex().map(|_| ()).ok_or(PatternError::TooLarge)
    }

    /// Lower-case texts; in everything that matches, at least one of them stands (ASCII letters in any case).
    pub(super) fn texts(&self) -> &[String] {
        &self.texts
    }

    /// The byte at which it matches first; a replacement of redacted text counts as a word where it has to.
    pub(super) fn find(&self, text: &str) -> Option<usize> {
        let regex = self.regex()?;
        regex.find(text).map(|m| m.start()).or_else(|| {
            worded::forms(text)
                .find_map(|form| Some(form.origin(&regex.find(&form.text)?.range()).start))
        })
    }

    /// The named groups of the first match that are not empty; a replacement of redacted text counts as a word where it has to.
    pub(super) fn fields<'a>(&'a self, text: &'a str) -> Vec<(&'a str, &'a str)> {
        let Some(regex) = self.regex() else { return Vec::new() };
        let found = |text: &str, origin: &dyn Fn(&Range<usize>) -> Range<usize>| {
            let groups = regex.captures(text)?;
            let place = |name: &'a str| Some((name, origin(&group(&groups, name)?)));
            Some(regex.capture_names().flatten().filter_map(place).collect::<Vec<_>>())
        };
        let places = found(text, &Range::clone).or_else(|| {
            worded::forms(text).find_map(|form| found(&form.text, &|range| form.origin(range)))
        });
        let value = |(name, place)| Some((name, text.get::<Range<usize>>(place)?));
        places.into_iter().flatten().filter_map(value).collect()
    }

    fn regex(&self) -> Option<&Regex> {
        self.compiled
            .get_or_init(|| RegexBuilder::new(&self.source).size_limit(SIZE).build().ok())
            .as_ref()
    }
}

/// Where a group is, without the spaces around it.
fn group(groups: &Captures<'_>, name: &str) -> Option<Range<usize>> {
    let found = groups.name(name)?;
    let start = found.end() - found.as_str().trim_start().len();
    let value = found.as_str().trim();
    (!value.is_empty()).then_some(start..start + value.len())
}

fn parsed(source: &str) -> Result<Hir, PatternError> {
    regex_syntax::parse(source).map_err(|e| PatternError::Syntax(Box::new(e)))
}

/// Texts of which at least one stands in everything that `hir` matches: the set whose shortest text is longest.
fn required(hir: &Hir) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Class(_) => None,
        HirKind::Literal(_) => letters(hir).map(|text| vec![text]),
        HirKind::Repetition(r) if r.min == 0 => None,
        HirKind::Repetition(r) => required(&r.sub),
        HirKind::Capture(c) => required(&c.sub),
        HirKind::Concat(parts) => best_of(parts),
        HirKind::Alternation(parts) => any_of(parts),
    }
}

fn best_of(parts: &[Hir]) -> Option<Vec<String>> {
    let mut run = String::new();
    let mut best: Vec<String> = Vec::new();
    let mut offer = |texts: Vec<String>| {
        if weight(&texts) > weight(&best) {
            best = texts;
        }
    };
    for part in parts {
        if let Some(text) = letters(part) {
            run.push_str(&text);
        } else {
            offer(vec![std::mem::take(&mut run)]);
            offer(required(part).unwrap_or_default());
        }
    }
    offer(vec![run]);
    (!best.is_empty()).then_some(best)
}

fn any_of(parts: &[Hir]) -> Option<Vec<String>> {
    let each: Option<Vec<_>> =
        parts.iter().map(|part| required(part).or_else(|| one(part))).collect();
    each.map(|each| each.concat()).filter(|all| all.len() <= MOST)
}

fn one(part: &Hir) -> Option<Vec<String>> {
    letters(part).map(|text| vec![text])
}

fn weight(texts: &[String]) -> usize {
    texts.iter().map(|text| text.chars().count()).min().unwrap_or(0)
}

/// The lower-case text that is all that `hir` matches, when it is one.
fn letters(hir: &Hir) -> Option<String> {
    match hir.kind() {
        HirKind::Literal(text) => std::str::from_utf8(&text.0).ok().map(str::to_ascii_lowercase),
        HirKind::Class(Class::Unicode(class)) => one_letter(
            class.ranges().iter().filter(|r| r.len() <= 2).flat_map(|r| r.start()..=r.end()),
            class.ranges().iter().map(regex_syntax::hir::ClassUnicodeRange::len).sum(),
        ),
        HirKind::Class(Class::Bytes(_))
        | HirKind::Empty
        | HirKind::Look(_)
        | HirKind::Repetition(_)
        | HirKind::Capture(_)
        | HirKind::Concat(_)
        | HirKind::Alternation(_) => None,
    }
}

/// The letter, when a class holds nothing but its cases (`ſ` and the Kelvin sign are cases of `s` and `k`, and not looked for).
fn one_letter(chars: impl Iterator<Item = char>, size: usize) -> Option<String> {
    let mut found: Option<char> = None;
    let mut seen = 0;
    for char in chars {
        seen += 1;
        let lower = match char {
            '\u{17f}' => 's',
            '\u{212a}' => 'k',
            other => other.to_ascii_lowercase(),
        };
        if *found.get_or_insert(lower) != lower {
            return None;
        }
    }
    (seen == size).then_some(found).flatten().map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<String> {
        Pattern::searched(source).unwrap().texts.clone()
    }

    #[test]
    fn the_longest_text_that_must_stand_in_a_match_is_found() {
        assert_eq!(texts("(?i)no space left on device"), ["no space left on device"]);
        assert_eq!(texts(r"\bENOSPC\b"), ["enospc"]);
        assert_eq!(texts("(?i)vault.{0,120}(?:403|permission denied)"), ["vault"]);
        assert_eq!(texts("(?:dial|listen) tcp: bind(?: again)?"), [" tcp: bind"]);
        let mut both = texts("(?i)WRONGPASS|NOAUTH required");
        both.sort();
        assert_eq!(both, ["noauth required", "wrongpass"]);
    }

    #[test]
    fn a_pattern_without_fixed_text_is_refused() {
        for source in [r"\d+", "a|bcd", "(?:abc)?x.*"] {
            assert!(
                matches!(Pattern::searched(source), Err(PatternError::NoFixedText)),
                "{source}"
            );
        }
    }

    #[test]
    fn a_pattern_that_is_too_large_is_known_when_it_is_compiled() {
        let pattern = Pattern::searched(r"abc\w{900}\w{900}\w{900}").unwrap();
        assert!(matches!(pattern.compile(), Err(PatternError::TooLarge)));
        assert_eq!(pattern.find("abc"), None);
    }

    #[test]
    fn named_groups_become_fields() {
        let pattern = Pattern::tried(r"host (?P<host>\S+) port (?P<port>\d*)").unwrap();
        assert_eq!(pattern.fields("to host web1 port 22"), [("host", "web1"), ("port", "22")]);
        assert_eq!(pattern.fields("to host web1 port "), [("host", "web1")]);
        assert!(pattern.fields("nothing").is_empty());
    }

    #[test]
    fn a_replacement_is_accepted_where_a_pattern_wants_a_word() {
        let pattern =
            Pattern::tried(r"^user (?P<user>\w+) of \[(?P<host>[^\]]+)\] is unknown").unwrap();
        let line = "user [redacted:known-value#3] of [[redacted:known-value#1]] is unknown";
        assert_eq!(pattern.find(line), Some(0));
        let fields = [("user", "[redacted:known-value#3]"), ("host", "[redacted:known-value#1]")];
        assert_eq!(pattern.fields(line), fields);
        assert_eq!(pattern.find("user [redacted:No#3] of [x] is unknown"), None);
    }
}
