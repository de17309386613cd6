//! Secrets of Kubernetes in text form: everything below `data` and `stringData` of a manifest whose kind is `Secret`.
//!
//! Keys often come in the order of the alphabet, so `data` stands before `kind`; until the kind is known only what is base64 is hidden.
//! A manifest on one line is not here.

use std::ops::Range;

use super::judge;

/// Keywords, in lower case, of lines that may begin a manifest.
pub(super) const KEYWORDS: &[&str] = &["kind: secret", "kind\": \"secret", "apiversion"];

/// Longest manifest that is followed, in lines.
const LINES_MAX: u16 = 400;
/// Longest key of a manifest, in bytes.
const KEY_MAX: usize = 253;

/// Where in a manifest a text is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Manifest {
    /// Offset of the outermost keys on their lines.
    column: usize,
    /// Set once the kind is known.
    sure: bool,
    /// Set below `data`.
    inside: bool,
    lines: u16,
}

impl Manifest {
    /// The manifest that begins on a line.
    pub(super) fn of(line: &[u8]) -> Option<Self> {
        let (column, kind) = ["\"apiVersion\"", "apiVersion:", "\"kind\"", "kind:"]
            .iter()
            .find_map(|key| Some((find(line, key)?, key.contains("kind"))))?;
        let sure = kind && is_secret(line.get(column..)?);
        (sure || !kind).then_some(Self { column, sure, inside: false, lines: 0 })
    }

    /// Looks at the next line: where a value of the secret is on it, and the manifest when it goes on.
    pub(super) fn step(mut self, line: &[u8]) -> (Option<Range<usize>>, Option<Self>) {
        self.lines += 1;
        let rest = line.get(self.column..).unwrap_or_default().trim_ascii_end();
        let over = rest.is_empty() || rest.starts_with(b"---") || self.lines > LINES_MAX;
        if over {
            return (None, None);
        }
        if matches!(rest, [b' ' | b'\t', ..]) {
            let value = if self.inside { self.value(rest) } else { None };
            let value = value.map(|v| self.column + v.start..self.column + v.end);
            return (value, Some(self));
        }
        let Some(key) = key(rest) else {
            self.inside = false;
            return (None, matches!(rest, [b'}' | b'{', ..]).then_some(self));
        };
        self.inside = matches!(key, b"data" | b"stringData");
        if key == b"kind" {
            self.sure = is_secret(rest);
            if !self.sure {
                return (None, None);
            }
        }
        (None, Some(self))
    }

    /// The value of a pair, or a line of a text that is the value.
    fn value(&self, rest: &[u8]) -> Option<Range<usize>> {
        let indent = rest.len() - rest.trim_ascii_start().len();
        let body = rest.get(indent..)?;
        let sign = body.iter().take(KEY_MAX).position(|b| *b == b':');
        let of_value = |b: &u8| !matches!(b, b' ' | b'"' | b'\'' | b'\t');
        let from = match sign.and_then(|at| body.get(at + 1..)).map(|after| after.iter()) {
            Some(mut after) => sign? + 1 + after.position(of_value)?,
            None => 0,
        };
        let value = body.get(from..)?;
        let end = value.iter().rposition(|b| !matches!(b, b'"' | b'\'' | b',' | b' '))? + 1;
        let value = value.get(..end)?;
        let hidden = if self.sure { judge::is_value(value) } else { is_encoded(value) };
        hidden.then_some(indent + from..indent + from + end)
    }
}

/// What of a manifest that is one text with escaped line ends is secret.
pub(super) fn in_text(line: &[u8], found: &mut Vec<Range<usize>>) {
    let mut state: Option<Manifest> = None;
    let mut start = 0;
    while start < line.len() {
        let rest = line.get(start..).unwrap_or_default();
        let width = rest.windows(2).position(|w| w == b"\\n");
        let part = rest.get(..width.unwrap_or(rest.len())).unwrap_or_default();
        let part = part.strip_suffix(b"\\").unwrap_or(part);
        if let Some(manifest) = state.take() {
            let (value, next) = manifest.step(part);
            found.extend(value.map(|v| start + v.start..start + v.end));
            state = next;
        }
        if state.is_none() {
            state = Manifest::of(part);
            if let Some(first) = state.as_mut().filter(|_| start == 0) {
                first.column = 0;
            }
        }
        start += width.map_or(rest.len(), |width| width + 2);
    }
}

/// The key at the start of a line.
fn key(rest: &[u8]) -> Option<&[u8]> {
    let quote = usize::from(rest.first() == Some(&b'"'));
    let body = rest.get(quote..)?;
    let of_key = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/');
    let width = body.iter().take(KEY_MAX).take_while(of_key).count();
    let after = body.get(width + quote..)?;
    (width > 0 && after.first() == Some(&b':')).then(|| body.get(..width)).flatten()
}

/// Whether a line says `kind: Secret`.
fn is_secret(rest: &[u8]) -> bool {
    let value = rest.splitn(2, |b| *b == b':').nth(1).unwrap_or_default();
    let word: Vec<u8> = value.iter().copied().filter(u8::is_ascii_alphanumeric).take(7).collect();
    word == b"Secret"
}

/// Base64 that holds more than a plain word.
fn is_encoded(value: &[u8]) -> bool {
    let text = value.trim_ascii_end();
    let any = |of: fn(&u8) -> bool| text.iter().any(of);
    text.len() >= 8
        && text.len().is_multiple_of(4)
        && text.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='))
        && any(u8::is_ascii_uppercase)
        && any(u8::is_ascii_lowercase)
        && (any(|b| !b.is_ascii_alphabetic()) || judge::is_scrambled(text, 12))
}

fn find(line: &[u8], what: &str) -> Option<usize> {
    line.windows(what.len()).position(|window| window == what.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(text: &str) -> Vec<&str> {
        let mut state = None;
        let mut out = Vec::new();
        for line in text.lines() {
            if let Some(manifest) = state.take() {
                let (value, next) = Manifest::step(manifest, line.as_bytes());
                out.extend(value.and_then(|v| line.get(v)));
                state = next;
            }
            state = state.or_else(|| Manifest::of(line.as_bytes()));
        }
        out
    }

    #[test]
    fn all_values_of_a_secret_are_found_whatever_the_order_of_the_keys() {
        let kind_first = "x | kind: Secret\nx | metadata:\nx |   name: shop\nx | data:\nx |   user: c2hvcA==\nx | stringData:\nx |   url: 'a b c'\nx | type: Opaque\nx |   url: no";
        assert_eq!(secrets(kind_first), ["c2hvcA==", "a b c"]);
        let sorted = "apiVersion: v1\ndata:\n  user: c2hvcA==\nkind: Secret\n";
        assert_eq!(secrets(sorted), ["c2hvcA=="]);
        let json = "{\n  \"apiVersion\": \"v1\",\n  \"data\": {\n    \"user\": \"c2hvcA==\"\n  },\n  \"kind\": \"Secret\"\n}\n    \"user\": \"c2hvcA==\"";
        assert_eq!(secrets(json), ["c2hvcA=="]);
    }

    #[test]
    fn values_of_other_kinds_stay() {
        for text in [
            "kind: ConfigMap\ndata:\n  user: c2hvcA==",
            "apiVersion: v1\ndata:\n  level: information\n  mode: production\nkind: ConfigMap",
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: c2hvcA==",
            "kind: Secret\nmetadata:\n  name: shop\n\ndata:\n  a: c2hvcA==",
        ] {
            assert!(secrets(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_manifest_with_escaped_line_ends_is_read_as_lines() {
        let line = br#""stdout": "apiVersion: v1\nkind: Secret\ndata:\n  user: c2hvcA==\nx""#;
        let mut found = Vec::new();
        in_text(line, &mut found);
        let texts: Vec<_> = found.into_iter().filter_map(|range| line.get(range)).collect();
        assert_eq!(texts, [b"c2hvcA==".as_slice()]);
    }
}
