//! Text of a configuration file and inputs -> a validated configuration, or every mistake with its place.

use super::apply::build;
use super::checks::KnownCheck;
use super::error::{ConfigError, ConfigErrors, suggest};
use super::raw::RawConfig;
use super::{Config, Inputs};

/// Where the file lies when nobody says otherwise; it may be missing.
pub const DEFAULT_FILE: &str = ".github/runner-guard.yml";

/// Largest configuration file in bytes.
const MAX_BYTES: usize = 256 * 1024;

/// Reads a configuration. `file` is the name and text of the file, or `None` when there is none; inputs win over the file.
///
/// # Errors
/// All mistakes that could be found, each with file, line, key and what would be right.
pub fn load(
    file: Option<(&str, &str)>,
    inputs: &Inputs,
    known: &[KnownCheck],
) -> Result<Config, ConfigErrors> {
    let (name, text) = file.unwrap_or(("defaults", ""));
    let raw = parse(name, text).map_err(|e| ConfigErrors(vec![e]))?;
    let source = Source { name, text };
    let (config, errors) = build(raw, &source, inputs, known);
    if errors.is_empty() { Ok(config) } else { Err(ConfigErrors(errors)) }
}

/// What holds when nobody configures anything.
pub fn defaults(known: &[KnownCheck]) -> Config {
    build(RawConfig::default(), &Source { name: "defaults", text: "" }, &Inputs::default(), known).0
}

/// The file that a mistake is reported against.
pub(super) struct Source<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a str,
}

impl Source<'_> {
    /// A mistake at the key with this path (`["checks", "disk-space", "min-free"]`).
    pub(super) fn error(&self, path: &[&str], message: impl Into<String>) -> ConfigError {
        ConfigError::new(self.name, message).at(locate(self.text, path))
    }
}

fn parse(name: &str, text: &str) -> Result<RawConfig, ConfigError> {
    if text.len() > MAX_BYTES {
        return Err(ConfigError::new(
            name,
            format!("the file has {} bytes, the limit is {MAX_BYTES}", text.len()),
        ));
    }
    let text = text.trim_start_matches('\u{feff}');
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(RawConfig::default());
    }
    serde_yaml::from_str(text).map_err(|error| explain(name, text, &error))
}

/// Turns the parser's words into file, line, key and suggestion.
fn explain(name: &str, text: &str, error: &serde_yaml::Error) -> ConfigError {
    let message = error.to_string();
    let position = error.location().map(|l| (l.line(), l.column()));
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    if message.contains("unknown field") && !quoted.is_empty() {
        let position = quoted.first().and_then(|key| near(text, key, position)).or(position);
        let known = quoted.get(1..).unwrap_or_default();
        return ConfigError::new(name, format!("unknown key `{}`", quoted[0]))
            .at(position)
            .help(suggest(quoted[0], known));
    }
    if message.contains("duplicate") && !quoted.is_empty() {
        let position = second_of(text, quoted[0]);
        return ConfigError::new(name, format!("the key `{}` stands here twice", quoted[0]))
            .at(position)
            .help("keep one of the two");
    }
    let short = message.split(" at line ").next().unwrap_or_default();
    ConfigError::new(name, short)
        .at(position)
        .help("see docs/configuration.md for every key and its type")
}

/// The place of the second of two keys of this name below the same parent.
fn second_of(text: &str, key: &str) -> Option<(usize, usize)> {
    let mut first: Option<usize> = None;
    for (index, line) in text.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        match (key_column(line, key), first) {
            (Some(column), Some(before)) if column == before => return Some((index + 1, column)),
            (Some(column), None) => first = Some(column),
            (Some(column), Some(before)) if column < before => first = Some(column),
            // The parent of the first one ended: what follows is somebody else's.
            (None, Some(before)) if indent + 1 < before => first = None,
            (Some(_) | None, _) => {}
        }
    }
    None
}

/// The place of a key: at the line that the parser named, else the first line that holds it.
fn near(text: &str, key: &str, hint: Option<(usize, usize)>) -> Option<(usize, usize)> {
    let found = |line: usize| {
        text.lines().nth(line.checked_sub(1)?).and_then(|l| key_column(l, key)).map(|c| (line, c))
    };
    hint.and_then(|(line, _)| found(line)).or_else(|| locate(text, &[key]))
}

/// Line and column of the key with this path, by indentation; good enough to point at a line, never needed for meaning.
fn locate(text: &str, path: &[&str]) -> Option<(usize, usize)> {
    let mut lines = text.lines().enumerate();
    let mut found = None;
    for key in path {
        found = lines
            .by_ref()
            .find_map(|(index, line)| key_column(line, key).map(|column| (index + 1, column)));
        found?;
    }
    found
}

fn key_column(line: &str, key: &str) -> Option<usize> {
    let start = line.find(|c: char| !matches!(c, ' ' | '-' | '"' | '\''))?;
    let rest = line[start..].strip_prefix(key)?.trim_start_matches(['"', '\'']).trim_start();
    (rest.is_empty() || rest.starts_with(':')).then_some(start + 1)
}
