//! A digest as JSON, written failure by failure: neither a second tree nor the whole text is ever in memory.

use std::cell::RefCell;
use std::io::{self, Write};

use serde::ser::{Error as _, SerializeMap as _, SerializeSeq as _};
use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::ser::{Formatter, PrettyFormatter};

use crate::redact::{Redactor, visible_json};
use crate::source::ansible::{Digest, Failure, Run};

/// Writes the digest; every string and key of it is redacted.
pub(super) fn write(digest: Digest, redactor: &Redactor, out: &mut dyn Write) -> io::Result<()> {
    let mut out = io::BufWriter::with_capacity(1 << 16, out);
    let Digest { runs, errors, omitted } = digest;
    let page = Clean(redactor, RefCell::new(Some((runs, Rest { errors, omitted }))));
    page.serialize(&mut serde_json::Serializer::with_formatter(
        &mut out,
        Visible(PrettyFormatter::new()),
    ))?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Pretty JSON in whose strings nothing is hidden: a workflow prints it.
struct Visible<'a>(PrettyFormatter<'a>);

impl Formatter for Visible<'_> {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        part: &str,
    ) -> io::Result<()> {
        out.write_all(visible_json(part).as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

/// What a digest holds besides its runs.
#[derive(Serialize)]
struct Rest {
    errors: Vec<String>,
    omitted: crate::source::ansible::Omitted,
}

/// A value that is taken apart while it is written.
struct Clean<'a, T>(&'a Redactor, RefCell<Option<T>>);

impl Clean<'_, ()> {
    fn fields<T: Serialize, S: Serializer>(
        redactor: &Redactor,
        value: &T,
    ) -> Result<Value, S::Error> {
        let mut value = serde_json::to_value(value).map_err(S::Error::custom)?;
        redactor.redact_json(&mut value);
        Ok(value)
    }
}

impl Serialize for Clean<'_, (Vec<Run>, Rest)> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let Some((runs, rest)) = self.1.take() else { return map.end() };
        map.serialize_entry("runs", &Clean(self.0, RefCell::new(Some(runs))))?;
        let rest = Clean::<()>::fields::<_, S>(self.0, &rest)?;
        for (key, value) in rest.as_object().into_iter().flatten() {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl Serialize for Clean<'_, Vec<Run>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let runs = self.1.take().unwrap_or_default();
        let mut seq = serializer.serialize_seq(Some(runs.len()))?;
        for run in runs {
            seq.serialize_element(&Clean(self.0, RefCell::new(Some(run))))?;
        }
        seq.end()
    }
}

impl Serialize for Clean<'_, Run> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut run = self.1.take().unwrap_or_default();
        let failures = std::mem::take(&mut run.failures);
        let fields = Clean::<()>::fields::<_, S>(self.0, &run)?;
        let mut map = serializer.serialize_map(None)?;
        let failures = Clean(self.0, RefCell::new(Some(failures)));
        for (key, value) in fields.as_object().into_iter().flatten() {
            if key == "failures" {
                map.serialize_entry(key, &failures)?;
            } else {
                map.serialize_entry(key, value)?;
            }
        }
        map.end()
    }
}

impl Serialize for Clean<'_, Vec<Failure>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let failures = self.1.take().unwrap_or_default();
        let mut seq = serializer.serialize_seq(Some(failures.len()))?;
        for failure in failures {
            seq.serialize_element(&Clean::<()>::fields::<_, S>(self.0, &failure)?)?;
        }
        seq.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::Known;
    use crate::source::ansible;

    #[test]
    fn what_is_written_is_the_digest_without_its_secrets() {
        let text = "PLAY [p] ***\nTASK [t] ***\nfatal: [a]: FAILED! => {\"msg\": \"swordfish\", \"rc\": 3}\nPLAY RECAP ***\n\
            a : ok=0 changed=0 unreachable=0 failed=1\n";
        let redactor = Redactor::new(&[Known::new("A", "swordfish")]);
        let digest = ansible::digest(text);
        let mut whole = serde_json::to_value(&digest).unwrap();
        redactor.redact_json(&mut whole);
        let mut out = Vec::new();
        write(digest, &redactor, &mut out).unwrap();
        let written: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(written, whole);
        assert_eq!(written["runs"][0]["failures"][0]["msg"], "[redacted:known-value#1]");
        let pretty = serde_json::to_string_pretty(&written).unwrap() + "\n";
        assert_eq!(String::from_utf8(out).unwrap(), pretty);
    }

    #[test]
    fn what_is_written_hides_nothing_and_gives_the_runner_no_command() {
        let text = "PLAY [p\u{202e}x] ***\nTASK [##[error]t\u{9b}1A] ***\nfatal: [a]: FAILED! => {\"msg\": \"\\u202e\\u001b[2J ##[error]\u{e0041}\"}\n";
        let digest = ansible::digest(text);
        let whole = serde_json::to_value(&digest).unwrap();
        let mut out = Vec::new();
        write(digest, &Redactor::new(&[]), &mut out).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&out).unwrap(), whole);
        let shown = String::from_utf8(out).unwrap();
        assert!(shown.contains("\\u202e") && !shown.contains("##["), "{shown}");
        assert!(!shown.contains(|c| c != '\n' && crate::redact::unseen::is_unseen(c)), "{shown}");
    }
}
