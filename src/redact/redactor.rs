//! The public face of redaction: text, bytes, JSON and streams without their secrets.
//!
//! It reads no environment and writes nowhere but to the writer it is given.

use std::io::{BufRead, ErrorKind, Write};
use std::ops::Range;

use serde_json::Value;

use super::decode::Decoder;
use super::known::KnownValues;
use super::redacted::{Counts, Known, Redacted};
use super::stream::{CHUNK, KEPT, Stream};
use super::{json, rules, span};

/// Replaces secrets in text by `[redacted:RULE]`. Redacting twice changes nothing, and the number of lines never changes.
pub struct Redactor {
    known: KnownValues,
}

impl Redactor {
    /// A redactor for these values and the built-in patterns.
    pub fn new(known: &[Known]) -> Self {
        Self { known: KnownValues::new(known) }
    }

    /// The text without its secrets.
    pub fn redact(&self, text: &str) -> Redacted {
        self.redact_counted(text).0
    }

    /// The text without its secrets, and how many were replaced by which rule.
    pub fn redact_counted(&self, text: &str) -> (Redacted, Counts) {
        let mut stream = Stream::new(&self.known);
        let mut out = String::new();
        let mut rest = text;
        while rest.len() > CHUNK {
            let (head, tail) = rest.split_at(rest.floor_char_boundary(CHUNK));
            out.push_str(&stream.push(head));
            rest = tail;
        }
        out.push_str(&stream.push(rest));
        let (last, counts) = stream.finish();
        out.push_str(&last);
        (Redacted::sealed(out), counts)
    }

    /// Redacts every string and every key of a JSON value; what stands under a key such as `password` is replaced as a whole.
    pub fn redact_json(&self, value: &mut Value) {
        json::redact(self, value);
    }

    /// The value as JSON text in one line, every string and key of it without secrets; the syntax stays intact.
    pub fn json(&self, mut value: Value) -> Redacted {
        self.redact_json(&mut value);
        Redacted::sealed(value.to_string())
    }

    /// As [`Self::json`], over several lines, for people.
    pub fn pretty_json(&self, mut value: Value) -> Redacted {
        self.redact_json(&mut value);
        Redacted::sealed(format!("{value:#}\n"))
    }

    /// Names of the known values that still occur in these bytes in any encoding; empty when the bytes may leave.
    pub fn leaks(&self, bytes: &[u8]) -> Vec<String> {
        let mut names = Vec::new();
        let mut start = 0;
        loop {
            let end = bytes.len().min(start + CHUNK + KEPT);
            let part = bytes.get(start..end).unwrap_or_default();
            let markers = span::markers(part, rules::is_id);
            let shielded = |range: &Range<usize>| {
                span::holds(&markers, range.start) && span::holds(&markers, range.end - 1)
            };
            names.extend(self.known.names_in(part, &shielded));
            if end == bytes.len() {
                break;
            }
            start += CHUNK;
        }
        names.sort();
        names.dedup();
        names
    }

    /// Names of known values that are too short or too common to be masked safely.
    pub fn unmaskable(&self) -> &[String] {
        self.known.unmaskable()
    }

    /// Copies `reader` to `writer` without its secrets, in bounded memory (about 4 MiB); UTF-16 with a byte order mark becomes UTF-8,
    /// bytes that are no text become U+FFFD.
    ///
    /// # Errors
    /// Whatever reading or writing returns.
    pub fn copy(
        &self,
        reader: &mut dyn BufRead,
        writer: &mut dyn Write,
    ) -> std::io::Result<Counts> {
        let mut stream = Stream::new(&self.known);
        let mut decoder = Decoder::default();
        let mut sink = |ready: &str| writer.write_all(ready.as_bytes());
        loop {
            let bytes = match reader.fill_buf() {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if bytes.is_empty() {
                break;
            }
            let part = bytes.get(..CHUNK / 2).unwrap_or(bytes);
            stream.fill(|text| decoder.push(part, text), &mut sink)?;
            let taken = part.len();
            reader.consume(taken);
        }
        stream.fill(|text| decoder.finish(text), &mut sink)?;
        stream.end(&mut sink)
    }
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor(***)")
    }
}
