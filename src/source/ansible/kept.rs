//! The runs of a text that are kept in full; a text may hold more of them than memory should.

use super::model::{Omitted, Run};

/// Runs that are kept in full, besides the last ones.
const RUNS: usize = 200;
/// Bytes that the kept runs may take.
const BYTES: usize = 12 << 20;
/// What the fields of one failure, host or note take besides their texts.
const ENTRY: usize = 400;

/// Runs that are over, in their order, and the count of those that were left out.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) runs: Vec<Run>,
    pub(super) omitted: Omitted,
    bytes: usize,
}

impl Kept {
    /// Takes up a run; where there is no room a failed one takes the place of one that went well.
    pub(super) fn add(&mut self, run: Run) {
        let needed = weight(&run);
        while !self.has_room(needed) && run.failed() {
            let Some(green) = self.runs.iter().rposition(|r| !r.failed()) else { break };
            let green = self.runs.remove(green);
            self.bytes -= weight(&green);
            self.omit(&green);
        }
        if self.has_room(needed) {
            self.bytes += needed;
            self.runs.push(run);
        } else {
            self.omit(&run);
        }
    }

    /// Takes up the last runs of a text, which always count.
    pub(super) fn close(mut self, last: impl IntoIterator<Item = Run>) -> Self {
        self.runs.extend(last);
        self
    }

    /// The runs of both.
    pub(super) fn join(mut self, other: Self) -> Self {
        self.runs.extend(other.runs);
        self.omitted.add(&other.omitted);
        self
    }

    fn has_room(&self, needed: usize) -> bool {
        self.runs.len() < RUNS && self.bytes + needed <= BYTES
    }

    fn omit(&mut self, run: &Run) {
        self.omitted.add(&Omitted {
            runs: 1,
            failed: usize::from(run.failed()),
            failures: run.failures.iter().filter(|f| f.counts()).count(),
        });
    }
}

fn weight(run: &Run) -> usize {
    let failures: usize = run
        .failures
        .iter()
        .map(|f| {
            f.msg.len() + f.stdout_tail.len() + f.stderr_tail.len() + f.task.len() + f.play.len()
        })
        .sum();
    let entries = 4 * run.failures.len() + run.hosts.len() + run.progress.len() + 4;
    failures + ENTRY * entries
}

#[cfg(test)]
mod tests {
    use super::super::model::{Failure, Verdict};
    use super::*;

    fn run(verdict: Verdict) -> Run {
        Run { verdict, failures: vec![Failure::default()], ..Run::default() }
    }

    #[test]
    fn a_failed_run_takes_the_place_of_a_green_one_and_what_is_left_out_is_counted() {
        let green = || Run { failures: Vec::new(), ..run(Verdict::Ok) };
        let mut kept = Kept::default();
        (0..RUNS + 5).for_each(|_| kept.add(green()));
        assert_eq!((kept.runs.len(), kept.omitted.runs, kept.omitted.failed), (RUNS, 5, 0));
        kept.add(run(Verdict::Failed));
        assert_eq!((kept.runs.len(), kept.omitted.runs), (RUNS, 6));
        assert!(kept.runs.last().is_some_and(Run::failed));
        (0..RUNS).for_each(|_| kept.add(run(Verdict::Failed)));
        assert_eq!((kept.runs.len(), kept.omitted.failed, kept.omitted.failures), (RUNS, 1, 1));
    }
}
