//! Redaction of a JSON value in place, by its structure and not by its text.
//!
//! It neither parses nor prints JSON.

use serde_json::{Map, Number, Value};

use super::judge::{self, Class};
use super::keyed::KEYED;
use super::redactor::Redactor;
use super::rules;
use super::span;

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
}
