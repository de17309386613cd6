//! What the callback `json` prints, as a run: its parts come one after another from [`Document`].

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::document::{self, Document, Part};
use super::{Named, Reader, mended, parse};
use crate::source::ansible::grammar::Section;
use crate::source::ansible::model::Form;
use crate::source::ansible::slim::Slim;
use crate::source::ansible::state::Draft;

#[derive(Deserialize)]
struct Task {
    task: Named,
}

impl Reader {
    /// Takes a line of the document that is open; `false` when there is none, or when the line shows that it is no document.
    pub(super) fn document_line(&mut self, line: &str) -> bool {
        let Some((from, document)) = self.open.take() else { return false };
        if document.is_new() && !document::begins(line) {
            return false;
        }
        self.document(from, document, line);
        true
    }

    /// Reads a line of a document that began on the line `from`.
    pub(super) fn document(&mut self, from: usize, mut document: Document, line: &str) {
        if document.is_new() {
            self.end();
            self.draft.form = Form::Json;
        }
        let mut over = line == "}";
        document.take(line, |part, text| over |= self.part(from, part, text));
        if !over {
            self.open = Some((from, document));
        } else if document.is_counted() {
            self.end();
        } else {
            self.abandon();
        }
    }

    /// Forgets a document without counts: only they say which failures were ignored.
    pub(super) fn abandon(&mut self) {
        self.draft = Draft::default();
    }

    fn part(&mut self, line: usize, part: Part, text: &str) -> bool {
        match part {
            Part::Play => {
                if let Some(play) = parse::<Named>(text) {
                    self.play(&play);
                }
            }
            Part::Task => self.task_part(line, &mended(text)),
            Part::Stats => {
                if let Some(stats) = parse::<Map<String, Value>>(text) {
                    self.stats(&stats);
                }
            }
            Part::Lost => self.draft.warn("a task with results of more than 8 MiB was not read"),
            Part::End => return true,
        }
        false
    }

    /// The name of a task stands behind its results, so it is looked for first.
    fn task_part(&mut self, line: usize, text: &str) {
        let Ok(Task { task }) = serde_json::from_str::<Task>(text) else {
            return self
                .draft
                .warn("a task could not be read, perhaps because a mask stands in its JSON");
        };
        self.task(&task, Section::Task);
        let mut reader = serde_json::Deserializer::from_str(text);
        let hosts = Hosts { reader: self, line, inside: false };
        // Valid JSON by the look before; what is no result in it is passed over.
        drop(hosts.deserialize(&mut reader));
    }
}

/// The results of a task, taken up one by one.
struct Hosts<'a> {
    reader: &'a mut Reader,
    line: usize,
    inside: bool,
}

impl<'de> DeserializeSeed<'de> for Hosts<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Hosts<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a task, or the results of its hosts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Self { reader, line, inside } = self;
        while let Some(key) = entries.next_key::<String>()? {
            if inside {
                let Slim(result) = entries.next_value()?;
                reader.result(line, &key, &result);
            } else if key == "hosts" {
                entries.next_value_seed(Hosts { reader: &mut *reader, line, inside: true })?;
            } else {
                entries.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}
