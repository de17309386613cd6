//! What the files of the workspace add to a run that failed: the lines around the task, handlers that its changes should have notified,
//! hosts of the inventory that it never reached.
//!
//! It says nothing where the files leave a doubt: a name that two lines have, an inventory that is a program.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::handlers;
use super::inventory::Inventory;
use super::model::{Digest, Failure, Run, Source};
use super::places::Checkout;
use super::prefix::cut;

/// Failures that get the lines around their task.
const SHOWN: usize = 200;
/// Lines before and after the task.
const AROUND: u64 = 3;
const LINE_CAP: usize = 200;
/// Hosts that are named as not started.
const NOT_STARTED: usize = 500;

/// Texts of files as they may be shown, `None` for what can not be read.
type Texts = HashMap<PathBuf, Option<String>>;

impl Checkout {
    /// Explains every failed run by the files of the workspace. `clean` gets a whole file before lines of it are taken, so that it sees
    /// secrets that go over several lines; it must keep the number of lines.
    pub fn explain(&self, digest: &mut Digest, clean: impl Fn(&str) -> String) {
        self.place(digest);
        let mut texts = Texts::new();
        for run in digest.runs.iter_mut().filter(|run| run.failed()) {
            let causes = run.failures.iter_mut().filter(|f| f.counts() || f.root_cause);
            for failure in causes.take(SHOWN) {
                failure.source = self.source(failure, &mut texts, &clean);
            }
            let notifies = |task: &str| {
                self.by_name(task).map(|(_, named)| named.notifies.clone()).unwrap_or_default()
            };
            handlers::of_source(&run.waiting, notifies, &mut run.handlers_not_run);
            run.not_started = self.not_started(run).unwrap_or_default();
        }
    }

    fn source(
        &self,
        failure: &Failure,
        texts: &mut Texts,
        clean: impl Fn(&str) -> String,
    ) -> Option<Source> {
        let place = failure.place.as_ref()?;
        let path = PathBuf::from(&place.path);
        let load = |path: &PathBuf| self.text(path).map(|text| clean(&text));
        let text = texts.entry(path).or_insert_with_key(load).as_deref()?;
        let from = place.line.saturating_sub(AROUND).max(1);
        let count = usize::try_from(place.line + AROUND + 1 - from).ok()?;
        let skipped = text.lines().skip(usize::try_from(from - 1).ok()?);
        let lines: Vec<String> = skipped.take(count).map(|l| cut(l, LINE_CAP).to_owned()).collect();
        // A file that is shorter than the place says is not the one that ran.
        let reached = u64::try_from(lines.len()).ok()? > place.line - from;
        reached.then_some(Source { from, lines })
    }

    /// The hosts of the last play's pattern that have no result at all.
    fn not_started(&self, run: &Run) -> Option<Vec<String>> {
        let play = run.last_play.as_deref()?;
        let pattern = self.pattern(play)?;
        let inventory = Inventory::read(&self.text(&self.inventory(run)?)?)?;
        let seen: BTreeSet<&str> = run
            .hosts
            .iter()
            .map(|h| h.name.as_str())
            .chain(run.progress.iter().map(|p| p.host.as_str()))
            .chain(run.failures.iter().map(|f| f.host.as_str()))
            .collect();
        let expected = inventory.matching(pattern)?;
        // Without one host in common it is another inventory.
        let known = expected.iter().any(|host| seen.contains(host));
        let missing = expected.difference(&seen).take(NOT_STARTED).map(|&h| h.to_owned());
        Some(if known { missing.collect() } else { Vec::new() })
    }

    /// The pattern of hosts of the only play with this name.
    fn pattern(&self, play: &str) -> Option<&str> {
        let of_name =
            |name: &str, hosts: &str| if name.is_empty() { hosts == play } else { name == play };
        let mut patterns =
            self.plays().filter(|(name, hosts)| of_name(name, hosts)).map(|(_, hosts)| hosts);
        let first = patterns.next()?;
        patterns.all(|other| other == first).then_some(first)
    }

    /// The inventory that the log names, else the one of `ansible.cfg`.
    fn inventory(&self, run: &Run) -> Option<PathBuf> {
        let of_log = || self.suffix(run.inventory.as_deref()?).map(Path::to_owned);
        let of_config = || {
            let text = self.text(Path::new("ansible.cfg"))?;
            let value = text.lines().find_map(|line| {
                let (key, value) = line.split_once('=')?;
                (key.trim() == "inventory").then(|| value.trim().to_owned())
            })?;
            self.suffix(value.trim_start_matches("./")).map(Path::to_owned)
        };
        of_log().or_else(of_config)
    }
}
