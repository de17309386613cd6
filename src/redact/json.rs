//! Redaction of a JSON value in place, by its structure and not by its text.
//!
//! It neither parses nor prints JSON.

use serde_json::{Map, Number, Value};

use super::judge::{self, Class};
use super::keyed::KEYED;
use super::redactor::Redactor;
use super::span::OPEN;

/// Redacts every string and key; below a key of a secret every leaf is replaced as a whole.
pub(super) fn redact(redactor: &Redactor, value: &mut Value) {
    below(redactor, value, None);
}

fn below(redactor: &Redactor, value: &mut Value, class: Option<Class>) {
    match value {
        Value::String(text) => *text = leaf(redactor, text, class),
        Value::Number(number) => {
            if let Some(replaced) = number_leaf(redactor, number, class) {
                *value = Value::String(replaced);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| below(redactor, item, class)),
        Value::Object(map) => *map = entries(redactor, std::mem::take(map), class),
        Value::Null | Value::Bool(_) => {}
    }
}

fn entries(
    redactor: &Redactor,
    map: Map<String, Value>,
    outer: Option<Class>,
) -> Map<String, Value> {
    let mut out = Map::new();
    for (key, mut value) in map {
        below(redactor, &mut value, judge::key_class(key.as_bytes()).or(outer));
        let name = redactor.redact(&key).into_string();
        let name = if out.contains_key(&name) { format!("{name} ({})", out.len()) } else { name };
        out.insert(name, value);
    }
    out
}

fn leaf(redactor: &Redactor, text: &str, class: Option<Class>) -> String {
    let secret =
        class.is_some_and(|class| class != Class::Weak || judge::is_secret(class, text.as_bytes()));
    if secret && !judge::is_placeholder(text.as_bytes()) {
        return format!("{OPEN}{KEYED}]");
    }
    redactor.redact(text).into_string()
}

/// A number is secret below the key of a password (a PIN), or when it is a known value.
fn number_leaf(redactor: &Redactor, number: &Number, class: Option<Class>) -> Option<String> {
    if class == Some(Class::Password) {
        return Some(format!("{OPEN}{KEYED}]"));
    }
    let plain = number.to_string();
    let redacted = redactor.redact(&plain).into_string();
    (redacted != plain).then_some(redacted)
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
        let known = "[redacted:known-value]";
        assert_eq!(
            value,
            json!({
                known: [format!("a {known} b"), 7],
                "password": {"old": "[redacted:keyed-value]", "new": ["[redacted:keyed-value]"]},
                "pin_password": "[redacted:keyed-value]",
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
