//! Takes a text in pieces and hands its lines to the readers, in bounded memory.

use std::io;

use memchr::{memchr, memrchr};
use std::rc::Rc;

use super::kept::Kept;
use super::machine::Machine;
use super::prefix::{Cleaner, LEARN_CAP, LINE_CAP, Record};
use super::raw::Trust;
use super::state::Room;
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
    room: Rc<Room>,
}

impl Stream {
    pub(super) fn new(trust: Trust) -> Self {
        let room = Rc::default();
        Self {
            trust,
            partial: Vec::new(),
            head: String::new(),
            cleaner: None,
            machines: vec![(0, Machine::new(trust, &room))],
            room,
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
            self.current = self.place(process);
        }
        self.structured.line(self.number, &line.text);
        if let Some((_, machine)) = self.machines.get_mut(self.current) {
            machine.feed(self.number, &line);
        }
    }
}

impl Stream {
    /// The place of the machine that reads this process.
    fn place(&mut self, process: u64) -> usize {
        if let Some((known, _)) = self.machines.get(self.current)
            && *known == process
        {
            return self.current;
        }
        if let Some(place) = self.machines.iter().position(|(p, _)| *p == process) {
            return place;
        }
        if self.machines.len() < PROCESSES {
            self.machines.push((process, Machine::new(self.trust, &self.room)));
        }
        self.machines.len() - 1
    }
}

impl io::Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(last) = memrchr(b'\n', bytes) else {
            self.gather(bytes);
            return Ok(bytes.len());
        };
        let (whole, rest) = bytes.split_at(last);
        // Whole lines of text need no copy; nearly all are.
        match std::str::from_utf8(whole) {
            Ok(mut text) => {
                while let Some((line, rest)) =
                    memchr(b'\n', text.as_bytes()).and_then(|at| text.split_at_checked(at))
                {
                    self.end_of_line(line.as_bytes(), Some(line));
                    text = rest.get(1..).unwrap_or_default();
                }
                self.end_of_line(text.as_bytes(), Some(text));
            }
            Err(_) => whole.split(|b| *b == b'\n').for_each(|line| self.end_of_line(line, None)),
        }
        self.gather(rest.get(1..).unwrap_or_default());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream {
    /// Takes the line, whose beginning may have come before; `text` is the line where it is known to be text.
    fn end_of_line(&mut self, line: &[u8], text: Option<&str>) {
        if !self.partial.is_empty() {
            self.gather(line);
            let whole = std::mem::take(&mut self.partial);
            self.line(&String::from_utf8_lossy(&whole));
        } else if let Some(text) = text {
            self.line(text);
        } else {
            self.line(&String::from_utf8_lossy(line));
        }
    }

    /// Adds to the line that is not complete, up to the length at which lines are cut anyway.
    fn gather(&mut self, bytes: &[u8]) {
        let room = (LINE_CAP + 4).saturating_sub(self.partial.len());
        self.partial.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
    }
}
