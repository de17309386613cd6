//! Takes a text in pieces and hands its lines to the readers, in bounded memory.

use std::io;

use super::kept::Kept;
use super::machine::Machine;
use super::prefix::{Cleaner, LEARN_CAP, LINE_CAP, Record};
use super::raw::Trust;
use super::structured::Reader;

/// How many processes are told apart in one log file; later ones are read as one.
const PROCESSES: usize = 64;

/// One reading of a text; what is written to it is read. Bytes that are no text are replaced.
pub struct Stream {
    trust: Trust,
    /// The line whose end has not come yet; of a longer one the beginning.
    partial: Vec<u8>,
    /// The beginning of the text, until it is known how its lines are wrapped.
    head: String,
    cleaner: Option<Cleaner>,
    machines: Vec<(u64, Machine)>,
    current: usize,
    number: usize,
    structured: Reader,
}

impl Stream {
    pub(super) fn new(trust: Trust) -> Self {
        Self {
            trust,
            partial: Vec::new(),
            head: String::new(),
            cleaner: None,
            machines: vec![(0, Machine::new(trust))],
            current: 0,
            number: 0,
            structured: Reader::default(),
        }
    }

    /// The runs; `None` when a raw output has no end and the text must be read with less caution.
    pub(super) fn finish(mut self) -> Option<Kept> {
        let last = std::mem::take(&mut self.partial);
        self.line(&String::from_utf8_lossy(&last));
        self.learn();
        let mut text = Kept::default();
        for (_, machine) in self.machines {
            text = text.join(machine.finish()?);
        }
        // Text that shows results of its own may quote a document; text that shows none is only what stood around it.
        let shows_results = text.omitted.runs > 0
            || text.runs.iter().any(|r| !r.hosts.is_empty() || !r.failures.is_empty());
        let (documents, adhoc) = self.structured.finish();
        if shows_results {
            return Some(text);
        }
        if !documents.runs.is_empty() {
            return Some(documents);
        }
        let began = text.runs.iter().any(|run| run.last_task.is_some());
        let adhoc = adhoc.filter(|_| !began);
        Some(if adhoc.is_some() { Kept::default().close(adhoc) } else { text })
    }

    fn line(&mut self, line: &str) {
        if self.cleaner.is_some() {
            self.feed(line);
            return;
        }
        if !self.head.is_empty() || self.number > 0 {
            self.head.push('\n');
        }
        self.number = 1;
        self.head.push_str(line);
        if self.head.len() > LEARN_CAP {
            self.learn();
        }
    }

    /// Learns how the lines are wrapped, and reads what has gathered meanwhile.
    fn learn(&mut self) {
        if self.cleaner.is_some() {
            return;
        }
        let head = std::mem::take(&mut self.head);
        self.cleaner = Some(Cleaner::learn(&head));
        self.number = 0;
        for line in head.split('\n') {
            self.feed(line);
        }
    }

    fn feed(&mut self, raw: &str) {
        self.number += 1;
        let Some(cleaner) = &mut self.cleaner else { return };
        let line = cleaner.clean(raw);
        if let Record::Start(process) = line.record {
            self.current = place(&mut self.machines, process, self.trust);
        }
        self.structured.line(self.number, &line.text);
        if let Some((_, machine)) = self.machines.get_mut(self.current) {
            machine.feed(self.number, &line);
        }
    }
}

impl io::Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|b| *b == b'\n') {
            let (line, after) = (rest.get(..end).unwrap_or_default(), rest.get(end + 1..));
            if self.partial.is_empty() {
                self.line(&String::from_utf8_lossy(line));
            } else {
                self.gather(line);
                let whole = std::mem::take(&mut self.partial);
                self.line(&String::from_utf8_lossy(&whole));
            }
            rest = after.unwrap_or_default();
        }
        self.gather(rest);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream {
    /// Adds to the line that is not complete, up to the length at which lines are cut anyway.
    fn gather(&mut self, bytes: &[u8]) {
        let room = (LINE_CAP + 4).saturating_sub(self.partial.len());
        self.partial.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
    }
}

/// The place of the machine that reads this process.
fn place(machines: &mut Vec<(u64, Machine)>, process: u64, trust: Trust) -> usize {
    if let Some(place) = machines.iter().position(|(p, _)| *p == process) {
        return place;
    }
    if machines.len() < PROCESSES {
        machines.push((process, Machine::new(trust)));
    }
    machines.len() - 1
}
