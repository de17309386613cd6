//! The type that says whether redaction happened, and the values a user knows to be secret.
//!
//! Only the redactor makes a [`Redacted`]; this file does not redact.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::{rules, span};

/// Text in which every known secret value and every pattern of a secret was replaced.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(transparent)]
pub struct Redacted(String);

impl Redacted {
    /// Marks text as redacted; for the redactor alone.
    pub(super) const fn sealed(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text with `***` for every replacement: for summaries, annotations and logs, where people read in passing.
    #[must_use]
    pub fn starred(&self) -> Self {
        Self(span::starred(&self.0, rules::is_id))
    }

    /// The text, by value.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl AsRef<str> for Redacted {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A secret value that must appear nowhere, with the name under which the user knows it. `Debug` prints no value.
#[derive(Clone)]
pub struct Known {
    name: String,
    value: String,
}

impl Known {
    /// A known secret value.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn value(&self) -> &str {
        &self.value
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Known({}, ***)", self.name)
    }
}

/// How many replacements were made, by rule id (`known-value` or the id of a pattern).
pub type Counts = BTreeMap<String, usize>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_of_a_known_value_prints_its_name_alone() {
        let known = Known::new("DB", "horse-battery");
        assert_eq!(format!("{known:?}"), "Known(DB, ***)");
    }

    #[test]
    fn every_replacement_becomes_three_stars_and_nothing_else_changes() {
        let text = "a [redacted:jwt#12] b [redacted:known-value] [redacted:hunter2] c";
        let stars = "a *** b *** [redacted:hunter2] c";
        assert_eq!(Redacted::sealed(text.to_owned()).starred().as_str(), stars);
    }

    #[test]
    fn redacted_text_serialises_as_a_plain_string() {
        let json = serde_json::to_string(&Redacted::sealed("a\"b".to_owned())).unwrap();
        assert_eq!(json, r#""a\"b""#);
    }
}
