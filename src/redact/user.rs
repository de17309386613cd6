//! The rules of the user: a literal, an expression, or the path of a key, each with a name and the files for which it holds.
//!
//! It reads no configuration. The engine takes linear time and a bounded size, so no expression can hang a run.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::RwLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use regex::bytes::{Regex, RegexBuilder};

use super::glob;
use super::path::{KeyPath, Tracker};
use super::rules;
use super::span::{self, NAME_MAX, Span};
use super::view::View;

/// Most rules of a user.
pub const RULES_MAX: usize = 64;
/// Largest compiled expression, in bytes.
const SIZE_MAX: usize = 1 << 20;
/// Most names that a process keeps: each stays for its life.
const NAMES_MAX: usize = 1024;
/// Longest part of a line that an expression looks at in one go, and how much of it is looked at twice, in bytes.
const WINDOW: usize = 16 * 1024;
const OVERLAP: usize = 2 * 1024;

/// A rule of the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRule {
    /// Stands in the replacement: lower-case letters, digits, `.`, `_` and `-`, at most 40 bytes, and not the name of a built-in rule.
    pub name: String,
    /// What it finds.
    pub find: Find,
    /// The paths in the bundle for which it holds (`*`, `**`, `?`); `None`: all.
    pub files: Option<String>,
}

/// What a rule finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Find {
    /// This text, case and all.
    Literal(String),
    /// What the expression matches on a line; its groups alone when it has any.
    Regex(String),
    /// The value behind this chain of keys, `key.path`; `*` stands for any key.
    Path(String),
}

/// Why a rule can not be used, in words that hold nothing of what it finds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("redaction rule `{name}`: {problem}")]
pub struct RuleError {
    /// Its name.
    pub name: String,
    /// What is wrong with it.
    pub problem: String,
}

/// The rules of a run.
pub(super) struct Rules(Vec<Rule>);

struct Rule {
    name: &'static str,
    finder: Finder,
    files: Option<String>,
    /// How often it found anything.
    hits: AtomicUsize,
}

enum Finder {
    Shape(Regex),
    Path(KeyPath),
}

impl Rules {
    pub(super) fn new(rules: &[UserRule]) -> Result<Self, RuleError> {
        if let Some(over) = rules.get(RULES_MAX) {
            let problem = format!("{} rules are more than {RULES_MAX}", rules.len());
            return Err(RuleError { name: over.name.clone(), problem });
        }
        rules.iter().map(Rule::new).collect::<Result<_, _>>().map(Self)
    }

    /// Whether one of the rules for this path looks for keys.
    pub(super) fn has_paths(&self, place: Option<&str>) -> bool {
        self.0.iter().any(|rule| rule.holds(place) && matches!(rule.finder, Finder::Path(_)))
    }

    /// Adds what the rules find in a text; `tracker` knows the keys above its first line and becomes that of the line at `cut`.
    pub(super) fn find(
        &self,
        stripped: &View<'_>,
        place: Option<&str>,
        (tracker, cut): (&mut Tracker, usize),
        spans: &mut Vec<Span>,
    ) {
        let holding: Vec<&Rule> = self.0.iter().filter(|rule| rule.holds(place)).collect();
        let has_paths = self.has_paths(place);
        let text = stripped.bytes();
        let mut at_cut = None;
        let mut start = 0;
        while start < text.len() && !holding.is_empty() {
            let rest = text.get(start..).unwrap_or_default();
            let end = memchr::memchr(b'\n', rest).map_or(text.len(), |n| start + n);
            let line = text.get(start..end).unwrap_or_default();
            if at_cut.is_none() && stripped.origin(start) >= cut {
                at_cut = Some(tracker.clone());
            }
            let keyed = if has_paths { tracker.line(line) } else { Vec::new() };
            for rule in &holding {
                for range in rule.on_line(line, &keyed) {
                    rule.hits.fetch_add(1, Ordering::Relaxed);
                    let range = stripped.origin_range(&(start + range.start..start + range.end));
                    spans.push(Span { range, rule: rule.name });
                }
            }
            start = end + 1;
        }
        if let Some(earlier) = at_cut {
            *tracker = earlier;
        }
    }

    /// The rule for the value below these keys.
    pub(super) fn of_keys(&self, keys: &[String], place: Option<&str>) -> Option<&'static str> {
        let keys: Vec<&[u8]> = keys.iter().map(String::as_bytes).collect();
        let of = |rule: &&Rule| match &rule.finder {
            Finder::Path(path) => rule.holds(place) && path.is_above(&keys),
            Finder::Shape(_) => false,
        };
        let rule = self.0.iter().find(of)?;
        rule.hits.fetch_add(1, Ordering::Relaxed);
        Some(rule.name)
    }

    /// Names of the rules with how often each found anything, in the order of the configuration.
    pub(super) fn hits(&self) -> Vec<(&'static str, usize)> {
        self.0.iter().map(|rule| (rule.name, rule.hits.load(Ordering::Relaxed))).collect()
    }
}

impl Rule {
    fn new(rule: &UserRule) -> Result<Self, RuleError> {
        let wrong = |problem: String| RuleError { name: rule.name.clone(), problem };
        let name = registered(&rule.name).map_err(wrong)?;
        let finder = match &rule.find {
            Find::Literal(text) if text.trim().chars().count() < 3 => {
                return Err(wrong("a literal of less than 3 characters is everywhere".to_owned()));
            }
            Find::Literal(text) => Finder::Shape(compiled(&regex::escape(text)).map_err(wrong)?),
            Find::Regex(pattern) => Finder::Shape(compiled(pattern).map_err(wrong)?),
            Find::Path(path) => Finder::Path(KeyPath::new(path).map_err(wrong)?),
        };
        Ok(Self { name, finder, files: rule.files.clone(), hits: AtomicUsize::new(0) })
    }

    fn holds(&self, place: Option<&str>) -> bool {
        match (&self.files, place) {
            (Some(files), Some(place)) => glob::matches(files, place),
            (Some(_) | None, None) | (None, Some(_)) => true,
        }
    }

    fn on_line(&self, line: &[u8], keyed: &[(Vec<Vec<u8>>, Range<usize>)]) -> Vec<Range<usize>> {
        match &self.finder {
            Finder::Shape(shape) => windows(line.len())
                .flat_map(|window| {
                    let part = line.get(window.clone()).unwrap_or_default();
                    let found = matches(shape, part);
                    found.into_iter().map(move |r| window.start + r.start..window.start + r.end)
                })
                .filter(|range| line.get(range.clone()).is_some_and(is_open))
                .collect(),
            Finder::Path(path) => {
                let above = |keys: &Vec<Vec<u8>>| {
                    path.is_above(&keys.iter().map(Vec::as_slice).collect::<Vec<_>>())
                };
                let found = keyed.iter().filter(|(keys, _)| above(keys));
                found.map(|(_, range)| range.clone()).collect()
            }
        }
    }
}

/// The matches in a part of a line, or their groups when the expression has any.
fn matches(shape: &Regex, part: &[u8]) -> Vec<Range<usize>> {
    let whole = usize::from(shape.captures_len() > 1);
    let of = |found: regex::bytes::Captures<'_>| -> Vec<Range<usize>> {
        found.iter().skip(whole).flatten().map(|group| group.range()).collect()
    };
    shape.captures_iter(part).flat_map(of).filter(|range| !range.is_empty()).collect()
}

/// Whether a match is more than an earlier replacement.
fn is_open(found: &[u8]) -> bool {
    span::markers(found, rules::is_id).first().is_none_or(|marker| marker.len() != found.len())
}

fn windows(length: usize) -> impl Iterator<Item = Range<usize>> {
    let last = length.saturating_sub(OVERLAP).max(1);
    (0..last).step_by(WINDOW - OVERLAP).map(move |start| start..length.min(start + WINDOW))
}

fn compiled(pattern: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(pattern).size_limit(SIZE_MAX).dfa_size_limit(SIZE_MAX).build();
    let shape = built.map_err(|error| error.to_string())?;
    if shape.is_match(b"") {
        return Err("the expression matches the empty text".to_owned());
    }
    Ok(shape)
}

/// The names that rules of users have in this process: a replacement by one of them is one wherever it is met.
static NAMES: RwLock<BTreeSet<&'static str>> = RwLock::new(BTreeSet::new());

/// Whether a rule of the user has this name.
pub(super) fn is_name(name: &str) -> bool {
    NAMES.read().is_ok_and(|names| names.contains(name))
}

fn registered(name: &str) -> Result<&'static str, String> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= NAME_MAX
        && name.bytes().all(plain);
    if !is_name {
        let most = format!("at most {NAME_MAX} of them");
        return Err(format!("a name has lower-case letters, digits, `.`, `_` and `-`, {most}"));
    }
    if rules::ids().any(|id| id == name) {
        return Err("a built-in rule has this name".to_owned());
    }
    let mut names = NAMES.write().map_err(|_| "the names are not at hand".to_owned())?;
    if let Some(known) = names.get(name) {
        return Ok(known);
    }
    if names.len() >= NAMES_MAX {
        return Err(format!("more than {NAMES_MAX} names"));
    }
    let kept: &'static str = Box::leak(name.to_owned().into_boxed_str());
    names.insert(kept);
    Ok(kept)
}
