//! A digest as JSON, written failure by failure: neither a second tree nor the whole text is ever in memory.

use std::cell::RefCell;
use std::io::{self, Write};

use serde::ser::{Error as _, SerializeMap as _, SerializeSeq as _};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::redact::Redactor;
use crate::source::ansible::{Digest, Failure, Run};

/// Writes the digest; every string and key of it is redacted.
pub(super) fn write(digest: Digest, redactor: &Redactor, out: &mut dyn Write) -> io::Result<()> {
    let mut out = io::BufWriter::with_capacity(1 << 16, out);
    let Digest { runs, errors, omitted } = digest;
    let page = Clean(redactor, RefCell::new(Some((runs, Rest { errors, omitted }))));
    serde_json::to_writer_pretty(&mut out, &page)?;
    out.write_all(b"\n")?;
    out.flush()
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
    }
}
