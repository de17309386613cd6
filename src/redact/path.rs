//! The value behind a chain of keys, `db.admin.pin`: on lines of YAML and of settings by their indentation, in JSON on one line by its braces.
//!
//! It reads no document as a whole, so a log with parts of documents in it is read as well.

use std::ops::Range;

/// Most keys above a value.
const DEPTH: usize = 32;
/// Longest key, in bytes.
const KEY_MAX: usize = 128;
/// Most values of one line.
const VALUES_MAX: usize = 4096;

/// A chain of keys; `*` stands for any one.
pub(super) struct KeyPath(Vec<Vec<u8>>);

impl KeyPath {
    pub(super) fn new(path: &str) -> Result<Self, String> {
        let path = path.strip_prefix("$.").unwrap_or(path);
        let keys: Vec<Vec<u8>> = path.split('.').map(|key| key.trim().into()).collect();
        if keys.iter().any(|key| key.is_empty() || key.len() > KEY_MAX) || keys.len() > DEPTH {
            return Err(format!(
                "a path is at most {DEPTH} keys with dots between them, each of 1 to {KEY_MAX} bytes"
            ));
        }
        if keys.iter().all(|key| key == b"*") {
            return Err("a path must name at least one key".to_owned());
        }
        Ok(Self(keys))
    }

    /// Whether the chain of keys ends with this path, or one of the keys in it does: all below a key is its value.
    pub(super) fn is_above(&self, keys: &[&[u8]]) -> bool {
        (self.0.len()..=keys.len())
            .any(|end| keys.get(end - self.0.len()..end).is_some_and(|part| self.is(part)))
    }

    fn is(&self, keys: &[&[u8]]) -> bool {
        let same = |(own, key): (&Vec<u8>, &&[u8])| own == b"*" || own.eq_ignore_ascii_case(key);
        self.0.len() == keys.len() && self.0.iter().zip(keys).all(same)
    }
}

/// Keys above a value, and where the value is on its line.
type Keyed = (Vec<Vec<u8>>, Range<usize>);

/// Remembers the keys above a line by their indentation.
#[derive(Clone, Default)]
pub(super) struct Tracker(Vec<(usize, Vec<u8>)>);

impl Tracker {
    /// The values on the next line, each with its keys.
    pub(super) fn line(&mut self, line: &[u8]) -> Vec<Keyed> {
        let stamp = stamp(line);
        let indented = line.get(stamp..).unwrap_or_default();
        let mut start = stamp + indented.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        while line.get(start..).is_some_and(|rest| rest.starts_with(b"- ")) {
            start += 2;
        }
        let content = line.get(start..).unwrap_or_default().trim_ascii_end();
        if content.is_empty() {
            return Vec::new();
        }
        self.0.retain(|(of, _)| *of < start);
        let above: Vec<Vec<u8>> = self.0.iter().map(|(_, key)| key.clone()).collect();
        let mut found = Vec::new();
        match key_of(content) {
            Some((key, value)) => {
                let keys: Vec<Vec<u8>> = above.iter().cloned().chain(dotted(key)).collect();
                let opens = |v: &[u8]| matches!(v, b"" | b"{" | b"[" | b"|" | b">" | b"|-" | b">-");
                if content.get(value.clone()).is_some_and(|v| !opens(v)) {
                    found.push((keys, start + value.start..start + value.end));
                }
                if self.0.len() < DEPTH {
                    self.0.extend(dotted(key).map(|key| (start, key)));
                }
            }
            None if !above.is_empty() => found.push((above, start..start + content.len())),
            None => {}
        }
        assignments(line, &mut found);
        braces(line, &mut found);
        found
    }
}

/// `a.b` as two keys.
fn dotted(key: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    key.split(|b| *b == b'.').filter(|part| !part.is_empty()).map(<[u8]>::to_vec)
}

/// The key at the begin of a line and where its value is: `key: value`, `"key": "value",`, `key=value`.
fn key_of(content: &[u8]) -> Option<(&[u8], Range<usize>)> {
    let quote = content.first().copied().filter(|b| matches!(b, b'"' | b'\''));
    let inner = content.get(usize::from(quote.is_some())..)?;
    let width = inner.iter().take(KEY_MAX + 1).take_while(|b| is_key_byte(**b)).count();
    if width == 0 || width > KEY_MAX {
        return None;
    }
    let mut at = usize::from(quote.is_some()) + width;
    if quote.is_some() {
        (content.get(at).copied() == quote).then_some(())?;
        at += 1;
    }
    let key = inner.get(..width)?;
    at += content.get(at..)?.iter().take_while(|b| **b == b' ').count();
    let separator = *content.get(at)?;
    let after = content.get(at + 1);
    let is_separator = separator == b'='
        || separator == b':' && after.is_none_or(|b| matches!(b, b' ' | b'\t' | b'"' | b'\''));
    is_separator.then(|| (key, value_of(content, at + 1)))
}

const fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'/' | b'$' | b'@' | 0x80..)
}

/// The value from here on, without its quotes and what follows them.
fn value_of(content: &[u8], from: usize) -> Range<usize> {
    let rest = content.get(from..).unwrap_or_default();
    let start = from + rest.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    let rest = content.get(start..).unwrap_or_default();
    if let Some(quote) = rest.first().copied().filter(|b| matches!(b, b'"' | b'\'')) {
        return start + 1..start + string_end(rest, quote);
    }
    let comment = rest.windows(2).position(|w| w == b" #").unwrap_or(rest.len());
    let bare = rest.get(..comment).unwrap_or_default().trim_ascii_end();
    start..start + bare.strip_suffix(b",").unwrap_or(bare).len()
}

/// Where a string that begins with its quote ends: at the closing quote, else at the end.
fn string_end(text: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' if quote == b'"' => at += 2,
            b if *b == quote => return at,
            _ => at += 1,
        }
    }
    text.len()
}

/// Adds the values of `key=value` in the middle of a line.
fn assignments(line: &[u8], found: &mut Vec<Keyed>) {
    for (at, _) in line.iter().enumerate().filter(|(_, b)| **b == b'=') {
        let before = line.get(at.saturating_sub(KEY_MAX)..at).unwrap_or_default();
        let width = before.iter().rev().take_while(|b| is_key_byte(**b)).count();
        if width == 0 || found.len() >= VALUES_MAX {
            continue;
        }
        let key = before.get(before.len() - width..).unwrap_or_default();
        let rest = line.get(at + 1..).unwrap_or_default();
        let quote = rest.first().copied().filter(|b| matches!(b, b'"' | b'\''));
        let ends = |b: &u8| b.is_ascii_whitespace() || b",;&\"')}]".contains(b);
        let bare = || rest.iter().position(ends).unwrap_or(rest.len());
        let range = quote.map_or_else(
            || at + 1..at + 1 + bare(),
            |quote| at + 2..at + 1 + string_end(rest, quote),
        );
        if !range.is_empty() {
            found.push((dotted(key).collect(), range));
        }
    }
}

/// Adds the values of JSON that stands on this line, by its braces.
fn braces(line: &[u8], found: &mut Vec<Keyed>) {
    let Some(mut at) = line.iter().position(|b| *b == b'{') else { return };
    let mut open = Open::default();
    while let Some(byte) = line.get(at).copied().filter(|_| found.len() < VALUES_MAX) {
        match byte {
            b'{' => open.object(),
            b'}' => open.close(),
            b'[' => open.lists += 1,
            b']' => open.lists = open.lists.saturating_sub(1),
            b',' if open.lists == 0 => open.key = None,
            b'"' | b'\'' => {
                let end = at + string_end(line.get(at..).unwrap_or_default(), byte);
                let after = line.get(end + 1..).unwrap_or_default().trim_ascii_start();
                if open.key.is_some() {
                    found.push((open.chain(), at + 1..end));
                } else if after.starts_with(b":") {
                    open.key = line.get(at + 1..end).map(<[u8]>::to_vec);
                }
                at = end;
            }
            b'0'..=b'9' | b'-' if open.key.is_some() => {
                let rest = line.get(at..).unwrap_or_default();
                let ends = |b: &u8| matches!(b, b',' | b'}' | b']' | b' ');
                let end = at + rest.iter().position(ends).unwrap_or(rest.len());
                found.push((open.chain(), at..end));
                at = end - 1;
            }
            _ => {}
        }
        at += 1;
    }
}

/// Where a walk through JSON stands.
#[derive(Default)]
struct Open {
    /// Of each object that is open: its key, and in how many lists it stands.
    above: Vec<(Vec<u8>, usize)>,
    key: Option<Vec<u8>>,
    /// How many lists are open within the innermost object.
    lists: usize,
}

impl Open {
    fn object(&mut self) {
        if self.above.len() < DEPTH {
            self.above.push((self.key.take().unwrap_or_default(), self.lists));
            self.lists = 0;
        }
    }

    fn close(&mut self) {
        let (key, lists) = self.above.pop().unwrap_or_default();
        self.lists = lists;
        self.key = (lists > 0).then_some(key);
    }

    fn chain(&self) -> Vec<Vec<u8>> {
        let above = self.above.iter().map(|(key, _)| key);
        above.chain(&self.key).filter(|key| !key.is_empty()).cloned().collect()
    }
}

/// How long the time is that a log has in front of its lines, with the blank behind it.
fn stamp(line: &[u8]) -> usize {
    let width = line.iter().take(40).position(|b| *b == b' ').unwrap_or(0);
    let word = line.get(..width).unwrap_or_default();
    let is_time = word.starts_with(b"20") && word.get(10) == Some(&b'T') && word.ends_with(b"Z");
    if is_time { width + 1 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        let path = KeyPath::new(path).unwrap();
        let mut tracker = Tracker::default();
        let mut out = Vec::new();
        for line in text.lines() {
            for (keys, range) in tracker.line(line.as_bytes()) {
                let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
                if path.is_above(&keys) {
                    out.push(line[range].to_owned());
                }
            }
        }
        out.dedup();
        out
    }

    #[test]
    fn values_are_found_in_every_form_that_keys_have() {
        for (path, text, wanted) in [
            ("db.pin", "db:\n  host: x\n  pin: 1234 # note\nother:\n  pin: 9\n", vec!["1234"]),
            ("db.pin", "{\n  \"db\": {\n    \"pin\": \"12\\\"34\",\n  }\n}", vec!["12\\\"34"]),
            ("db.pin", "x {\"db\": {\"a\": [1, 2], \"pin\": 1234}, \"pin\": 5} y", vec!["1234"]),
            ("a.b", "{\"a\": [{\"c\": 1, \"b\": \"x\"}, {\"b\": \"y\"}]}", vec!["x", "y"]),
            ("db.pin", "set db.pin=1234, done", vec!["1234"]),
            ("db.pin", "2026-11-22T12:00:00.1Z db:\n2026-11-22T12:00:00.2Z   pin: 7", vec!["7"]),
            ("users.*.pin", "users:\n  ann:\n    pin: 1\n  bob:\n    pin: 2", vec!["1", "2"]),
            ("keys", "keys:\n  - one\n  - two\nend: x", vec!["one", "two"]),
            ("note", "note: |\n  first line\n  second\nafter", vec!["first line", "second"]),
        ] {
            assert_eq!(found(path, text), wanted, "{path}: {text}");
        }
    }

    #[test]
    fn a_path_that_names_nothing_is_refused() {
        for path in ["", ".", "a..b", "*", "*.*"] {
            assert!(KeyPath::new(path).is_err(), "{path}");
        }
    }
}
