//! JSON documents; the key in a service account of Google is looked at too.

use serde_json::Value;

use super::text::heal;
use super::{Flaw, Grade, Reading, tls};

/// A JSON document.
pub(super) fn json(value: &str) -> Reading {
    const WHAT: &str = "a JSON document";
    let text = value.trim_start_matches('\u{feff}');
    let mut reading = match serde_json::from_str::<Value>(text) {
        Err(error) if error.line() > 0 => {
            let flaw = Flaw::broken(if error.is_eof() {
                "ends in its middle: it is cut"
            } else {
                "is not JSON"
            });
            Reading::of(WHAT).with(flaw.at(error.line()))
        }
        Err(_) => Reading::broken(WHAT, "is not JSON"),
        // A whole document that was quoted once more, by a tool or by hand.
        Ok(Value::String(inner)) if serde_json::from_str::<Value>(&inner).is_ok() => {
            let wrong = "is a quoted text that holds JSON: it was encoded once more";
            Reading::of(WHAT).with(Flaw::doubtful(wrong))
        }
        Ok(Value::Object(fields)) => inside(&fields),
        Ok(_) => Reading::of(WHAT),
    };
    if text.len() != value.len() {
        reading.flaws.push(Flaw::broken("starts with a byte-order mark"));
    }
    if reading.is_broken() {
        reading.flaws.extend(heal(text, Grade::Doubtful).flaws);
    }
    reading
}

fn inside(fields: &serde_json::Map<String, Value>) -> Reading {
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    if text("type") != Some("service_account") {
        return Reading::of("a JSON document");
    }
    let mut reading = Reading::of("a service account of Google");
    match text("private_key") {
        Some(key) if !tls::key(key).is_broken() => {}
        Some(_) => reading.flaws.push(Flaw::broken("holds a `private_key` that is damaged")),
        None => reading.flaws.push(Flaw::broken("lacks its `private_key`")),
    }
    reading
}
