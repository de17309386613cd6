//! Redaction of a JSON value in place, by its structure and not by its text; and JSON text in which nothing is hidden from a reader.
//!
//! It does not parse JSON.

use std::fmt::Write as _;

use serde_json::{Map, Number, Value};

use super::judge::{self, Class};
use super::keyed::KEYED;
use super::redactor::Redactor;
use super::rules;
use super::span;
use super::unseen::is_unseen;

/// Redacts every string and key; below a key of a secret every leaf is replaced as a whole.
pub(super) fn redact(redactor: &Redactor, value: &mut Value) {
    Walk { redactor, keys: Vec::new() }.below(value, None);
}

struct Walk<'r> {
    redactor: &'r Redactor,
    /// The keys above, outermost first.
    keys: Vec<String>,
}

/// Why every leaf below a key is replaced.
#[derive(Clone, Copy)]
enum Hidden {
    Keyed(Class),
    /// By the rule of the user of this name.
    Rule(&'static str),
}

impl Walk<'_> {
    fn below(&mut self, value: &mut Value, hidden: Option<Hidden>) {
        match value {
            Value::String(text) => *text = self.leaf(text, hidden),
            Value::Number(number) => {
                if let Some(replaced) = self.number_leaf(number, hidden) {
                    *value = Value::String(replaced);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.below(item, hidden)),
            Value::Object(map) => *map = self.entries(std::mem::take(map), hidden),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn entries(&mut self, map: Map<String, Value>, outer: Option<Hidden>) -> Map<String, Value> {
        let mut out = Map::new();
        for (key, mut value) in map {
            self.keys.push(key.clone());
            let by_rule = self.redactor.path_rule(&self.keys).map(Hidden::Rule);
            let by_key = judge::key_class(key.as_bytes()).map(Hidden::Keyed);
            self.below(&mut value, by_rule.or(by_key).or(outer));
            self.keys.pop();
            let name = self.redactor.redact(&key).into_string();
            let name =
                if out.contains_key(&name) { format!("{name} ({})", out.len()) } else { name };
            out.insert(name, value);
        }
        out
    }

    fn leaf(&self, text: &str, hidden: Option<Hidden>) -> String {
        let redacted = self.redactor.redact(text).into_string();
        let (rule, secret) = match hidden {
            None => return redacted,
            Some(Hidden::Rule(rule)) => (rule, true),
            Some(Hidden::Keyed(class)) => {
                let sure = !matches!(class, Class::Weak | Class::Terse);
                (KEYED, sure || judge::is_secret(class, text.as_bytes()))
            }
        };
        let is_replaced = span::is_marker(text, rules::is_id);
        if secret && !is_replaced && !judge::is_placeholder(text.as_bytes()) {
            return self.redactor.marker(rule, text);
        }
        redacted
    }

    /// A number is secret below the key of a password (a PIN), or when it is a known value.
    fn number_leaf(&self, number: &Number, hidden: Option<Hidden>) -> Option<String> {
        let plain = number.to_string();
        match hidden {
            Some(Hidden::Keyed(Class::Password)) => {
                return Some(self.redactor.marker(KEYED, &plain));
            }
            Some(Hidden::Rule(rule)) => return Some(self.redactor.marker(rule, &plain)),
            Some(Hidden::Keyed(_)) | None => {}
        }
        let redacted = self.redactor.redact(&plain).into_string();
        (redacted != plain).then_some(redacted)
    }
}

/// A JSON text that means the same, in which control, bidirectional and invisible characters are written as JSON escapes (`\u202e`).
/// They can stand in its strings alone: all of its syntax is ASCII. The same goes for `##[`, which the Actions runner obeys anywhere.
pub fn visible(text: &str) -> String {
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
    use crate::redact::Known;
    use serde_json::json;

    #[test]
    fn every_string_and_key_is_redacted_and_secret_keys_hide_all_below_them() {
        let redactor = Redactor::new(&[Known::new("A", "swordfish")]);
        let mut value = json!({
            "swordfish": ["a swordfish b", 7],
            "password": {"old": "x y", "new": ["z"]},
            "pin_password": 1234,
            "max_tokens": 4096,
            "token": "${TOKEN}",
            "note": null
        });
        redactor.redact_json(&mut value);
        let known = "[redacted:known-value#1]";
        let keyed = |value: &str| redactor.marker("keyed-value", value);
        assert_eq!(
            value,
            json!({
                known: [format!("a {known} b"), 7],
                "password": {"old": keyed("x y"), "new": [keyed("z")]},
                "pin_password": keyed("1234"),
                "max_tokens": 4096,
                "token": "${TOKEN}",
                "note": null
            })
        );
    }

    #[test]
    fn keys_that_become_equal_lose_no_value() {
        let redactor =
            Redactor::new(&[Known::new("A", "swordfish"), Known::new("B", "cuttlefish")]);
        let mut value = json!({"swordfish": 1, "cuttlefish": 2});
        redactor.redact_json(&mut value);
        assert_eq!(value.as_object().map(Map::len), Some(2));
    }

    #[test]
    fn json_means_the_same_and_hides_nothing() {
        let value = json!({"a\u{200b}": ["\u{9b}31m\u{7f}\u{202e}\u{e0041}\u{ffff}", "größer ✅ \n", "##[error]x"]});
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let shown = visible(&text);
            assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
            assert!(shown.contains("\\u009b31m\\u007f\\u202e\\udb40\\udc41\\uffff"), "{shown}");
            assert!(shown.contains("größer ✅") && !shown.contains("##["), "{shown}");
        }
    }
}
