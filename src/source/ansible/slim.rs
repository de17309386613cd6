//! A result as JSON without what nobody reads: facts, invocations, a second copy of every output. It never becomes a whole tree.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::payload::KEYS;

/// What the structured forms ask for besides.
const MORE_KEYS: [&str; 7] = [
    "failed",
    "unreachable",
    "skipped",
    "changed",
    "exception",
    "results",
    "_ansible_delegated_vars",
];
const LOOP_VAR: &str = "ansible_loop_var";
/// Values that are kept of one result.
const VALUES: usize = 1 << 16;
/// Bytes that are kept of one string, half of them from its end.
const STRING_CAP: usize = 128 << 10;

/// The read keys of a result.
#[derive(Debug, Default)]
pub(super) struct Slim(pub(super) Map<String, Value>);

/// The value at the beginning of a text, bounded.
pub(super) fn value(text: &str) -> Option<Value> {
    let room = Cell::new(VALUES);
    let mut reader = serde_json::Deserializer::from_str(text);
    Bounded { room: &room, keys: Keys::All }.deserialize(&mut reader).ok()
}

impl<'de> Deserialize<'de> for Slim {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let room = Cell::new(VALUES);
        match (Bounded { room: &room, keys: Keys::Read }).deserialize(deserializer)? {
            Value::Object(map) => Ok(Self(map)),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => Err(D::Error::custom("a result is an object")),
        }
    }
}

/// Which keys of an object are kept.
#[derive(Debug, Clone, Copy)]
enum Keys {
    All,
    Read,
}

/// Reads a value, up to a number of values in it; what is beyond is null.
#[derive(Clone, Copy)]
struct Bounded<'a> {
    room: &'a Cell<usize>,
    keys: Keys,
}

/// A key, copied only when it holds escapes.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl Bounded<'_> {
    fn take(self) -> bool {
        let left = self.room.get();
        self.room.set(left.saturating_sub(1));
        left > 0
    }

    /// How the value of this key is read, if it is.
    fn of(self, key: &str, map: &Map<String, Value>) -> Option<Self> {
        let all = Self { keys: Keys::All, ..self };
        match self.keys {
            Keys::All => Some(all),
            Keys::Read if key == "results" => Some(self),
            Keys::Read => {
                let item = map.get(LOOP_VAR).and_then(Value::as_str);
                // Keys are sorted: what stands before the name of the loop variable may be its value.
                let early = item.is_none() && key < LOOP_VAR && !key.starts_with("_ansible");
                let read = KEYS.contains(&key) || MORE_KEYS.contains(&key);
                (read || early || item == Some(key)).then_some(all)
            }
        }
    }
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if !self.take() {
            return IgnoredAny::deserialize(deserializer).map(|_| Value::Null);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(Key(key)) = entries.next_key()? {
            match self.of(&key, &map) {
                Some(seed) => drop(map.insert(key.into_owned(), entries.next_value_seed(seed)?)),
                None => drop(entries.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Value::Object(map))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut kept = Vec::new();
        while let Some(value) = list.next_element_seed(self)? {
            if self.room.get() > 0 {
                kept.push(value);
            }
        }
        Ok(Value::Array(kept))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        if text.len() <= STRING_CAP {
            return Ok(text.into());
        }
        let head = text.get(..text.floor_char_boundary(STRING_CAP / 2)).unwrap_or_default();
        let tail = text.get(text.ceil_char_boundary(text.len() - STRING_CAP / 2)..);
        Ok([head, tail.unwrap_or_default()].concat().into())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slim(text: &str) -> Map<String, Value> {
        serde_json::from_str::<Slim>(text).unwrap().0
    }

    #[test]
    fn facts_and_second_copies_are_left_out_and_items_are_kept_wherever_they_stand() {
        let map = slim(
            r#"{"_pkg": "curl", "ansible_facts": {"a": 1}, "ansible_loop_var": "_pkg", "invocation": {"x": 1}, "msg": "no", "stdout_lines": ["a"]}"#,
        );
        assert_eq!(map.get("_pkg").and_then(Value::as_str), Some("curl"));
        assert!(
            map.contains_key("msg")
                && !map.contains_key("invocation")
                && !map.contains_key("stdout_lines")
        );
        let late = slim(r#"{"ansible_loop_var": "user", "user": {"name": "bob"}, "uid": 1}"#);
        assert!(late["user"]["name"] == "bob" && !late.contains_key("uid"));
        let loops = slim(r#"{"results": [{"failed": true, "item": 1, "diff": {"x": 1}}]}"#);
        assert_eq!(loops["results"][0], serde_json::json!({"failed": true, "item": 1}));
    }

    #[test]
    fn a_result_of_a_million_values_and_a_long_text_stay_small() {
        let text = format!("{{\"msg\": [{}1]}}", "1,".repeat(1_000_000));
        assert!(slim(&text)["msg"].as_array().unwrap().len() <= VALUES);
        let text = format!("{{\"stdout\": \"{}end\"}}", "é".repeat(1 << 20));
        let kept = slim(&text);
        let kept = kept["stdout"].as_str().unwrap();
        assert!(kept.len() <= STRING_CAP + 4 && kept.ends_with("end") && kept.starts_with('é'));
    }

    #[test]
    fn what_is_no_object_is_no_result() {
        assert!(serde_json::from_str::<Slim>("[1]").is_err());
        assert!(serde_json::from_str::<Slim>("{\"msg\": 1} x").is_err());
        assert_eq!(value("[1, 2] and more"), Some(serde_json::json!([1, 2])));
    }
}
