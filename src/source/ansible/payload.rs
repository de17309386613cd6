//! The result that follows ` => `: one-line JSON, indented JSON or YAML, whole or damaged.
//!
//! A secret masked in the middle of JSON or the end of a log makes it invalid; what can still be read of it is read.

use serde_json::{Map, Value};

use super::class::Class;
use super::prefix::cut;
use super::slim::{self, Slim};

/// The keys that are read; a result holds many more, some of them secret.
pub(super) const KEYS: [&str; 16] = [
    "msg",
    "reason",
    "rc",
    "stdout",
    "stderr",
    "module_stdout",
    "module_stderr",
    "cmd",
    "attempts",
    "item",
    "ansible_loop_var",
    "censored",
    "failed_when_result",
    "skip_reason",
    "evaluated_to",
    "end",
];
const MSG_CAP: usize = 32 << 10;
const TAIL_CAP: usize = 4 << 10;
const TAIL_LINES: usize = 40;
const CMD_CAP: usize = 2 << 10;

/// What is read of one result.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is the presence of one independent key")]
pub(super) struct Payload {
    pub(super) msg: String,
    pub(super) rc: Option<i64>,
    pub(super) stdout: String,
    pub(super) stderr: String,
    pub(super) cmd: Option<String>,
    pub(super) attempts: Option<u64>,
    pub(super) item: Option<Value>,
    pub(super) censored: bool,
    pub(super) failed_when: bool,
    /// Whether it was cut or masked, so that its texts may be incomplete.
    pub(super) damaged: bool,
    /// Whether the host is skipped from now on in name only: `ignore_unreachable` of core 2.9.
    pub(super) skipped: bool,
    /// When the command ended, by the clock of its host.
    pub(super) end: Option<String>,
    /// What keys say about the kind of trouble.
    pub(super) told: Option<Class>,
    /// Whether it holds none of the texts that the `debug` callback prints after it.
    pub(super) bare: bool,
}

/// Reads JSON in one or several lines.
pub(super) fn json(text: &str) -> Payload {
    match serde_json::from_str(text) {
        Ok(Slim(map)) => Payload::of(&map),
        Err(_) => Payload { damaged: true, ..Payload::of(&salvage(text)) },
    }
}

/// Whether the text is a whole JSON object.
pub(super) fn is_json(text: &str) -> bool {
    text.starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// Reads a YAML block, each line without its common indentation.
pub(super) fn yaml(text: &str) -> Payload {
    let mut entries: Vec<(&str, usize)> = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        entries.extend(top_key(line).map(|key| (key, at)));
        at += line.len();
    }
    let ends = entries.iter().skip(1).map(|(_, from)| *from).chain([text.len()]);
    let mut map = Map::new();
    for ((key, from), end) in entries.iter().zip(ends) {
        let is_item = map.get("ansible_loop_var").and_then(Value::as_str) == Some(key);
        if is_item || KEYS.contains(key) {
            map.insert(
                (*key).to_owned(),
                yaml_value(key, text.get(*from..end).unwrap_or_default()),
            );
        }
    }
    Payload::of(&map)
}

/// The key of an entry of the block itself, not of something inside it.
fn top_key(line: &str) -> Option<&str> {
    if line.starts_with([' ', '-', '\n', '#']) {
        return None;
    }
    let (key, rest) = line.split_once(':')?;
    rest.starts_with([' ', '\n']).then_some(key.trim_matches(['\'', '"']))
}

/// The value of one entry; the text itself when a mask made it invalid.
fn yaml_value(key: &str, entry: &str) -> Value {
    let parsed = serde_yaml::from_str::<Map<String, Value>>(entry).ok();
    if let Some(value) = parsed.and_then(|mut map| map.remove(key)) {
        return value;
    }
    let raw = entry.split_once(':').map_or(entry, |(_, raw)| raw).trim();
    let raw = raw.strip_prefix("|-").or_else(|| raw.strip_prefix('|')).unwrap_or(raw);
    Value::String(raw.trim().trim_matches(['"', '\'']).to_owned())
}

/// What can be read of damaged JSON: for every key its first value that parses, a cut string as far as it goes.
fn salvage(text: &str) -> Map<String, Value> {
    let mut map = Map::new();
    for key in KEYS {
        let mark = format!("\"{key}\": ");
        let Some((_, rest)) = text.split_once(&mark) else { continue };
        let value = match slim::value(rest) {
            Some(value) => Some(value),
            None => rest.strip_prefix('"').map(|s| Value::String(unescaped(s))),
        };
        if let Some(value) = value {
            map.insert(key.to_owned(), value);
        }
    }
    map
}

/// The content of a JSON string that may be cut.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('r') => out.push('\r'),
                Some(c) => out.push(c),
                None => break,
            },
            c => out.push(c),
        }
        if out.len() > MSG_CAP {
            break;
        }
    }
    out
}

impl Payload {
    /// What is read of a result.
    pub(super) fn of(map: &Map<String, Value>) -> Self {
        let text = |key: &str| map.get(key).map(words).unwrap_or_default();
        let either =
            |a: &str, b: &str| Some(text(a)).filter(|t| !t.is_empty()).unwrap_or_else(|| text(b));
        let loop_var = map.get("ansible_loop_var").and_then(Value::as_str).unwrap_or("item");
        Self {
            msg: cut(&either("msg", "reason"), MSG_CAP).to_owned(),
            rc: map.get("rc").and_then(Value::as_i64),
            stdout: tail(&either("stdout", "module_stdout")).to_owned(),
            stderr: tail(&either("stderr", "module_stderr")).to_owned(),
            cmd: map.get("cmd").map(command).filter(|c| !c.is_empty()),
            attempts: map.get("attempts").and_then(Value::as_u64),
            item: map.get(loop_var).or_else(|| map.get("item")).cloned(),
            censored: map.contains_key("censored"),
            failed_when: map.get("failed_when_result").and_then(Value::as_bool) == Some(true),
            damaged: false,
            skipped: map.contains_key("skip_reason"),
            end: map.get("end").and_then(Value::as_str).map(|end| cut(end, 23).to_owned()),
            told: told(map),
            bare: !["msg", "stdout", "stderr", "module_stdout"]
                .iter()
                .any(|k| map.contains_key(*k)),
        }
    }
}

/// The playbook itself calls it failed.
fn told(map: &Map<String, Value>) -> Option<Class> {
    let is = |key: &str, value: bool| map.get(key).and_then(Value::as_bool) == Some(value);
    if is("evaluated_to", false) {
        return Some(Class::Assertion);
    }
    is("failed_when_result", true).then_some(Class::FailedWhen)
}

/// A value as text: strings as they are, lists line by line.
fn words(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(words).collect::<Vec<_>>().join("\n"),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

/// A command as one line; arguments with blanks are quoted.
fn command(value: &Value) -> String {
    let line = match value {
        Value::Array(words_of) => {
            words_of.iter().map(|w| quoted(words(w))).collect::<Vec<_>>().join(" ")
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            words(value)
        }
    };
    cut(&line, CMD_CAP).to_owned()
}

fn quoted(word: String) -> String {
    let plain = !word.is_empty()
        && !word.contains(|c: char| c.is_whitespace() || "'\"|&;<>()$`\\*?#~".contains(c));
    if plain { word } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// The last 40 lines, at most 4 KiB.
pub(super) fn tail(text: &str) -> &str {
    let text = text.trim_end();
    let from = text.rmatch_indices('\n').nth(TAIL_LINES - 1).map_or(0, |(at, _)| at + 1);
    let from = from.max(text.ceil_char_boundary(text.len().saturating_sub(TAIL_CAP)));
    text.get(from..).unwrap_or(text)
}

/// The last `lines` lines of a text.
pub(super) fn last_lines(text: &str, lines: usize) -> &str {
    let from = text.rmatch_indices('\n').nth(lines.saturating_sub(1)).map_or(0, |(at, _)| at + 1);
    text.get(from..).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_read_whole() {
        let read = json(
            r#"{"cmd": ["sh", "-c", "exit 5"], "msg": "no", "rc": 5, "stderr": "a\nb", "attempts": 3}"#,
        );
        assert_eq!((read.msg.as_str(), read.rc, read.attempts), ("no", Some(5), Some(3)));
        assert_eq!((read.stderr.as_str(), read.cmd.as_deref()), ("a\nb", Some("sh -c 'exit 5'")));
        assert!(!read.bare && !read.censored);
    }

    #[test]
    fn masked_or_cut_json_still_gives_what_it_holds() {
        let masked = json(r#"{"changed": ***, "msg": "a \"b\"", "rc": 5}"#);
        assert_eq!((masked.msg.as_str(), masked.rc), ("a \"b\"", Some(5)));
        assert_eq!(json(r#"{"msg": "line 1\nli"#).msg, "line 1\nli");
    }

    #[test]
    fn a_missing_message_is_replaced_by_the_reason() {
        assert_eq!(
            json(r#"{"reason": "could not find tasks.yml"}"#).msg,
            "could not find tasks.yml"
        );
        assert_eq!(json(r#"{"msg": ["a", "b"]}"#).msg, "a\nb");
    }

    #[test]
    fn yaml_blocks_lists_and_folded_strings_are_read() {
        let text = "cmd:\n- sh\n- -c\nmsg: |-\n  one\n\n  msg: forged\nrc: 5\nstderr_lines: <omitted>\nstdout: \"a\n  \\ b\"\n";
        let read = yaml(text);
        assert_eq!((read.msg.as_str(), read.rc), ("one\n\nmsg: forged", Some(5)));
        assert_eq!((read.stdout.as_str(), read.cmd.as_deref()), ("a  b", Some("sh -c")));
    }

    #[test]
    fn a_mask_in_yaml_damages_one_entry_only() {
        let read = yaml("msg: *** refused\nrc: 7\n");
        assert_eq!((read.msg.as_str(), read.rc), ("*** refused", Some(7)));
    }

    #[test]
    fn the_loop_variable_is_found_by_its_name_only_when_it_was_read() {
        let read = json(r#"{"ansible_loop_var": "user", "user": {"name": "bob"}}"#);
        assert_eq!(read.item.unwrap()["name"], "bob");
    }

    #[test]
    fn a_tail_is_short_in_lines_and_bytes() {
        assert_eq!(tail(&"x\n".repeat(100)).lines().count(), TAIL_LINES);
        assert!(tail(&"é".repeat(9000)).len() <= TAIL_CAP);
        assert_eq!(last_lines("a\nb\nc", 2), "b\nc");
    }
}
