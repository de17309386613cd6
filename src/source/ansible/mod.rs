//! Reads the output of Ansible by its grammar: which task failed where, and why.
//!
//! It reads what a screen, a job log or Ansible's own log file holds, of every release since 2.9: text, and what the callbacks `json` and
//! `jsonl` print. It opens no file and redacts nothing: what it returns comes from outside.

mod finish;
mod grammar;
mod machine;
mod marks;
mod model;
mod payload;
mod prefix;
mod raw;
mod recap;
mod record;
mod render;
mod state;
mod structured;
#[cfg(test)]
mod tests;

pub use model::{Digest, Failure, Host, Kind, Location, Run, Verdict};

use machine::Machine;
use prefix::{Cleaner, Record};
use raw::Trust;

/// How many processes are told apart in one log file; later ones are read as one.
const PROCESSES: usize = 64;

/// Reads `text`; never fails: a text without Ansible output has no runs. Time grows linearly with the text.
pub fn digest(text: &str) -> Digest {
    let mut runs =
        read(text, Trust::Message).or_else(|| read(text, Trust::Header)).unwrap_or_default();
    // Text that shows results of its own may quote a document; text that shows none is only what stood around it.
    if runs.iter().all(|run| run.hosts.is_empty() && run.failures.is_empty()) {
        let documents = structured::runs(text);
        if !documents.is_empty() {
            runs = documents;
        }
    }
    let errors = runs.iter().flat_map(|run| run.errors.iter().cloned()).collect();
    Digest { runs, errors }
}

fn read(text: &str, trust: Trust) -> Option<Vec<Run>> {
    let mut cleaner = Cleaner::learn(text);
    let mut machines: Vec<(u64, Machine)> = vec![(0, Machine::new(trust))];
    let mut current = 0;
    for (number, raw) in (1..).zip(text.split('\n')) {
        let line = cleaner.clean(raw);
        if let Record::Start(process) = line.record {
            current = place(&mut machines, process, trust);
        }
        if let Some((_, machine)) = machines.get_mut(current) {
            machine.feed(number, &line);
        }
    }
    let drafts: Option<Vec<_>> =
        machines.into_iter().map(|(_, machine)| machine.finish()).collect();
    Some(drafts?.into_iter().flatten().filter_map(finish::run).collect())
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
