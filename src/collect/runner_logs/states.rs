//! `runner-logs/states.txt`: when the listener was in which state, what that means, and the lines that tell of trouble which has not healed.

use super::sentences::{Facts, spoken, state_word};
use super::window::Worker;
use crate::source::runner_files::record::shown;

/// Most changes that are shown, the latest.
const CHANGES: usize = 60;

/// The whole text. A state that has passed is told in words that no signature takes for a cause.
pub(super) fn render(facts: &Facts<'_>, sentences: &[String], journal: &[&str]) -> String {
    let mut text = String::from("# What the logs of the runner mean (times are UTC)\n");
    if sentences.is_empty() {
        text.push_str("nothing in them explains a failure\n");
    }
    add(&mut text, sentences);
    text.push_str("\n# States of the listener\n");
    add(&mut text, timeline(facts));
    if let Some(job) = facts.job.filter(|job| !job.lines.is_empty()) {
        text.push_str("\n# Lines about the job in the listener's log\n");
        add(&mut text, &job.lines);
    }
    if !facts.listener.trouble.is_empty() {
        text.push_str("\n# Lines of the listener since its last good word\n");
        add(&mut text, &facts.listener.trouble);
    }
    if !journal.is_empty() {
        text.push_str("\n# Lines of the service's journal since its last good word\n");
        add(&mut text, journal);
    }
    if let Some(worker) = facts.worker {
        of_worker(&mut text, worker);
    }
    text
}

fn add<T: AsRef<str>>(text: &mut String, lines: impl IntoIterator<Item = T>) {
    for line in lines {
        text.push_str(line.as_ref());
        text.push('\n');
    }
}

fn timeline(facts: &Facts<'_>) -> Vec<String> {
    let changes = &facts.listener.changes;
    let from = changes.len().saturating_sub(CHANGES);
    let line = |change: &crate::source::runner_files::Change| {
        let (log, line) = &change.place;
        format!("{}  {}  ({log}:{line})", shown(change.at), state_word(&change.state))
    };
    let mut lines: Vec<String> = changes.range(from..).map(line).collect();
    let last = changes.back().map(|last| {
        let word = facts.listener.last_word.unwrap_or(last.at);
        let long = spoken(facts.until.max(last.at) - last.at);
        format!(
            "last state: {}, since {} ({long}); last word at {}",
            state_word(&last.state),
            shown(last.at),
            shown(word)
        )
    });
    lines.push(last.unwrap_or_else(|| "no log of the listener tells a state".to_owned()));
    lines
}

fn of_worker(text: &mut String, worker: &Worker) {
    let log = &worker.log;
    add(text, [String::new(), format!("# This job's worker ({})", worker.file.name)]);
    add(text, log.result.iter().map(|result| format!("result of the job: {result}")));
    add(
        text,
        log.under_way.iter().map(|step| format!("step under way at the end of the log: {step}")),
    );
    let failed = log.steps.iter().filter(|step| !matches!(&*step.result, "succeeded" | "skipped"));
    for step in failed {
        let uses = if step.uses.is_empty() { String::new() } else { format!(" ({})", step.uses) };
        let (name, result, seconds) = (&step.name, &step.result, step.seconds);
        add(text, [format!("step {name}{uses}: {result} after {seconds:.0} s")]);
        add(
            text,
            step.errors.iter().flat_map(|error| error.lines()).map(|line| format!("    {line}")),
        );
    }
    add(
        text,
        log.orphans
            .iter()
            .map(|orphan| format!("process left behind and ended by the runner: {orphan}")),
    );
    if !log.errors.is_empty() {
        text.push_str("errors in its log:\n");
        add(text, &log.errors);
    }
}
