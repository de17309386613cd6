//! The evidence collectors: one file each, one table. A collector that finds nothing says which line to add; none of them can stop the
//! others.

mod allot;
mod ansible;
pub mod bundle;
mod containers;
mod context;
mod files;
mod host;
mod job_logs;
mod log;
mod loki;
mod metrics;
mod plan;
mod runner_logs;
mod sealing;
mod steps;

pub use log::{log_evidence, log_file};
pub use metrics::SNAPSHOT;
pub use plan::{Planned, plan};
pub use sealing::Room;

use std::sync::Arc;
use std::time::Duration;

use crate::config::{Config, Job};
use crate::redact::{Redacted, Redactor};
use crate::report::{Collected, CollectedRow, Evidence, Raw};
use crate::source::{Error, Sources};
use crate::task::{self, BoxFuture, Cancel, Deadline, Ended, Timed};

/// Every collector. Adding one is one new file, its `mod` line and its line here.
pub const ALL: &[&dyn Collector] = &[
    &runner_logs::RunnerLogs,
    &job_logs::JobLogs,
    &steps::Steps,
    &ansible::Ansible,
    &metrics::Metrics,
    &host::Host,
    &containers::Containers,
    &loki::Loki,
    &files::Files,
    &context::Context,
];

/// The collectors that can tell whether the deploy itself failed: all that a green job is asked.
pub const OUTCOME: &[&dyn Collector] = &[&ansible::Ansible];

/// Longest time of one collector; the total deadline may cut it shorter.
const COLLECT_LIMIT: Duration = Duration::from_secs(30);

/// One kind of evidence.
pub trait Collector: Sync {
    /// Stable, kebab-case.
    fn id(&self) -> &'static str;
    /// What it brings and where from, in a short paragraph.
    fn explain(&self) -> &'static str;
    /// Ids of checks about the same thing: when one of them did not pass, this evidence gets its share of the budget first.
    fn about(&self) -> &'static [&'static str] {
        &[]
    }
    /// Collects. An error means that a source that should be there could not be read.
    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Harvest, Error>>;
}

/// What a collector may look at.
#[derive(Clone, Copy)]
pub struct Ctx<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The job.
    pub job: &'a Job,
    /// The outside.
    pub sources: &'a Sources,
    /// Removes secrets; for collectors that shorten or rearrange what they read.
    pub redactor: &'a Arc<Redactor>,
    /// When the collector must be done.
    pub deadline: Deadline,
}

/// What a collector brought back, not redacted yet.
#[derive(Debug)]
pub enum Harvest {
    /// These entries, and a sentence about where they came from.
    Found {
        /// Where the evidence came from, or what was not reachable.
        note: String,
        /// The entries.
        entries: Vec<Evidence<Raw>>,
    },
    /// Nothing, and why; the sentence ends with the line to add.
    Nothing(String),
}

/// What all collectors brought back.
#[derive(Debug, Default)]
pub struct Collection {
    /// One row for every collector.
    pub rows: Vec<CollectedRow>,
    /// The evidence, redacted.
    pub evidence: Vec<Evidence<Redacted>>,
    /// What was left out, and why.
    pub left: Vec<bundle::Withheld>,
}

/// Collects from all of `which` at once and seals it. Every collector has one row, whatever happens.
///
/// # Cancel safety
/// Not cancel-safe: stop it through `cancel`.
pub async fn run(
    ctx: Ctx<'_>,
    which: &[&dyn Collector],
    room: &Room,
    cancel: &Cancel,
) -> Collection {
    let ended = ask(ctx, which, cancel).await;
    let mut rows = Vec::new();
    let mut found = Vec::new();
    for (place, (collector, timed)) in which.iter().zip(ended).enumerate() {
        let (row, entries) = row(*collector, timed, ctx.redactor);
        let rank = room.rank(place, collector.about());
        found.extend(entries.into_iter().map(|entry| sealing::Waiting { place, rank, entry }));
        rows.push(row);
    }
    sealing::seal_all(ctx, rows, found, room, cancel).await
}

/// What every collector answers, in the order given.
async fn ask(
    ctx: Ctx<'_>,
    which: &[&dyn Collector],
    cancel: &Cancel,
) -> Vec<Timed<Result<Harvest, Error>>> {
    let ctx = Ctx { deadline: ctx.deadline.at_most(COLLECT_LIMIT), ..ctx };
    let jobs =
        which.iter().map(|c| task::Job { limit: COLLECT_LIMIT, work: c.run(&ctx) }).collect();
    task::run_all(jobs, which.len(), ctx.deadline, cancel).await
}

fn row(
    collector: &dyn Collector,
    timed: Timed<Result<Harvest, Error>>,
    redactor: &Redactor,
) -> (CollectedRow, Vec<Evidence<Raw>>) {
    let (collected, entries) = match timed.ended {
        Ended::Done(Ok(Harvest::Found { note, entries })) => {
            (Collected::Ok { note: redactor.redact(&note), entries: entries.len() }, entries)
        }
        Ended::Done(Ok(Harvest::Nothing(why))) => {
            (Collected::Skipped(redactor.redact(&why)), Vec::new())
        }
        Ended::Done(Err(error)) => {
            (Collected::Failed(redactor.redact(&with_help(&error))), Vec::new())
        }
        Ended::TimedOut => (Collected::TimedOut, Vec::new()),
        Ended::Cancelled => {
            (Collected::Skipped(redactor.redact("the run was cancelled")), Vec::new())
        }
    };
    (CollectedRow { collector: collector.id(), collected, took: timed.took }, entries)
}

fn with_help(error: &Error) -> String {
    error.help().map_or_else(|| error.chain(), |help| format!("{}; help: {help}", error.chain()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_names_of_their_files() {
        let sources = include_str!("mod.rs");
        for collector in ALL {
            assert!(
                sources.contains(&format!("mod {};", collector.id().replace('-', "_"))),
                "{}",
                collector.id()
            );
            assert!(!collector.explain().is_empty());
        }
    }
}
