//! Settings of checks: a level, what an unknown means, and the options that the check itself declares.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_yaml::Value;

use super::tree::scalar;
use super::value::{parse_bytes, parse_duration};

/// What a bad answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Level {
    /// Show it, nothing else.
    Allow,
    /// The deploy may run; the report warns.
    Warn,
    /// The deploy must not run.
    #[default]
    Deny,
}

impl Level {
    /// The words that users write.
    pub const WORDS: [&'static str; 3] = ["allow", "warn", "deny"];

    /// Reads a level.
    pub fn parse(word: &str) -> Option<Self> {
        match word.trim() {
            "allow" => Some(Self::Allow),
            "warn" => Some(Self::Warn),
            "deny" => Some(Self::Deny),
            _ => None,
        }
    }

    /// The word that users write.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
            Self::Deny => "deny",
        }
    }
}

/// What kind of value an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionKind {
    /// A size: `5 GiB`.
    Bytes,
    /// A time: `2m`.
    Duration,
    /// A whole number from 0 to 100.
    Percent,
    /// A whole number.
    Number,
    /// A text; blank means that nothing is set.
    Text,
    /// Texts, as a YAML list or separated by commas.
    List,
}

impl OptionKind {
    /// Whether `text` is such a value.
    ///
    /// # Errors
    /// A sentence that says what was expected.
    pub fn validate(self, text: &str) -> Result<(), String> {
        match self {
            Self::Bytes => parse_bytes(text).map(drop),
            Self::Duration => parse_duration(text).map(drop),
            Self::Percent => parse_percent(text).map(drop),
            Self::Number => parse_number(text).map(drop),
            Self::Text | Self::List => Ok(()),
        }
    }

    /// The text of a value in the file; the items of a list in lines.
    ///
    /// # Errors
    /// A sentence that says what was expected.
    pub(super) fn read(self, value: &Value) -> Result<String, String> {
        match (self, value) {
            (Self::List, Value::Sequence(items)) => {
                Ok(items.iter().map(scalar).collect::<Vec<_>>().join("\n"))
            }
            (
                Self::Bytes | Self::Duration | Self::Percent | Self::Number | Self::Text,
                Value::Sequence(_),
            )
            | (_, Value::Mapping(_) | Value::Tagged(_) | Value::Null) => {
                Err(format!("{} is expected here", self.words()))
            }
            (_, Value::String(_) | Value::Number(_) | Value::Bool(_)) => {
                let text = scalar(value);
                self.validate(&text).map(|()| text)
            }
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Bytes => "a size, as 5 GiB,",
            Self::Duration => "a time, as 90s,",
            Self::Percent => "a percentage",
            Self::Number => "a whole number",
            Self::Text => "a text",
            Self::List => "a list",
        }
    }
}

fn parse_percent(text: &str) -> Result<u8, String> {
    let number = text.trim().trim_end_matches('%').trim().parse::<u8>().ok();
    number
        .filter(|n| *n <= 100)
        .ok_or_else(|| format!("`{text}` is not a percentage: write a whole number from 0 to 100"))
}

fn parse_number(text: &str) -> Result<u64, String> {
    text.trim().parse().map_err(|_| format!("`{text}` is not a number: write a whole number"))
}

/// An option that a check declares.
#[derive(Debug, Clone, Copy)]
pub struct OptionSpec {
    /// The key under `checks.<id>`.
    pub name: &'static str,
    /// What it takes.
    pub kind: OptionKind,
    /// Its value when nobody sets it; valid for its kind.
    pub default: &'static str,
    /// One sentence for the documentation.
    pub help: &'static str,
}

/// What the configuration must know about a check to validate its settings.
#[derive(Debug, Clone, Copy)]
pub struct KnownCheck {
    /// Its id.
    pub id: &'static str,
    /// Its level when nobody sets it.
    pub level: Level,
    /// What no answer means when nobody sets it; `None` takes the gate's.
    pub on_unknown: Option<Level>,
    /// Its options.
    pub options: &'static [OptionSpec],
}

/// Settings of one check.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckSettings {
    /// What a bad answer means.
    pub level: Level,
    /// What no answer means; `None` takes the gate's.
    pub on_unknown: Option<Level>,
    /// Options that were set, validated against the check's own list.
    pub options: BTreeMap<String, String>,
}

impl CheckSettings {
    fn text<'a>(&'a self, spec: &'a OptionSpec) -> &'a str {
        self.options.get(spec.name).map_or(spec.default, String::as_str)
    }

    /// A size in bytes.
    pub fn bytes(&self, spec: &OptionSpec) -> u64 {
        parse_bytes(self.text(spec)).unwrap_or_default()
    }

    /// A time.
    pub fn duration(&self, spec: &OptionSpec) -> Duration {
        parse_duration(self.text(spec)).unwrap_or_default()
    }

    /// A whole number.
    pub fn number(&self, spec: &OptionSpec) -> u64 {
        parse_number(self.text(spec)).unwrap_or_default()
    }

    /// A text; `None` when it is blank.
    pub fn word<'a>(&'a self, spec: &'a OptionSpec) -> Option<&'a str> {
        Some(self.text(spec).trim()).filter(|text| !text.is_empty())
    }

    /// The items of a list, without blanks.
    pub fn list<'a>(&'a self, spec: &'a OptionSpec) -> Vec<&'a str> {
        self.text(spec).split(['\n', ',']).map(str::trim).filter(|t| !t.is_empty()).collect()
    }

    /// A percentage, 0 to 100.
    pub fn percent(&self, spec: &OptionSpec) -> u8 {
        parse_percent(self.text(spec)).unwrap_or_default()
    }
}
