//! Reads the output of Ansible by its grammar: which task failed where, and why.
//!
//! It reads what a screen, a job log or Ansible's own log file holds, of every release since 2.9: text, and what the callbacks `json` and
//! `jsonl`, `minimal`, `oneline`, `junit` and `tree` and ansible-runner leave. It redacts nothing: what it returns comes from outside.

mod class;
mod doubts;
mod finish;
mod grammar;
mod handlers;
mod input;
mod inventory;
mod kept;
mod machine;
mod marks;
mod model;
mod payload;
mod places;
mod playbook;
mod prefix;
mod raw;
mod recap;
mod record;
mod render;
mod slim;
mod state;
mod stream;
mod structured;
mod tally;
#[cfg(test)]
mod tests;
mod ways;
mod workspace;

pub use class::Class;
pub use input::Input;
pub use model::{
    Digest, Failure, Form, Host, Kind, Location, Omitted, Place, Progress, Retry, Run, Running,
    Slow, Source, Unhandled, Verdict, Waiting,
};
pub use places::Checkout;
pub use stream::Stream;

use std::io::{self, Write as _};

use raw::Trust;

/// Reads `text`; never fails: a text without Ansible output has no runs. Time grows linearly with the text.
pub fn digest(text: &str) -> Digest {
    read(|stream| stream.write_all(text.as_bytes())).unwrap_or_default()
}

/// Reads what `pass` writes, in bounded memory. `pass` is asked for the whole text once, and a second time when a raw output has no end
/// and the text must be read with less caution.
///
/// # Errors
/// Those of `pass`.
pub fn read(mut pass: impl FnMut(&mut Stream) -> io::Result<()>) -> io::Result<Digest> {
    let mut kept = None;
    for trust in [Trust::Message, Trust::Header] {
        let mut stream = Stream::new(trust);
        pass(&mut stream)?;
        kept = stream.finish();
        if kept.is_some() {
            break;
        }
    }
    let kept = kept.unwrap_or_default();
    let errors = kept.runs.iter().flat_map(|run| run.errors.iter().cloned()).collect();
    Ok(Digest { runs: kept.runs, errors, omitted: kept.omitted })
}
