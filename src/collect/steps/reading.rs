//! What the steps of a job say about how it ended: its own fault, a lost machine, or never begun. Pure.
//!
//! The words in front of the second colon of a line are what signatures look for; names from outside stand behind them.

use std::fmt::Write as _;

use crate::source::github::{RunJob, Step};

/// A job that was cancelled after a shorter wait for a runner, in seconds, says nothing about runners.
const SHORT_WAIT: i64 = 300;
/// Most steps of one job that are listed.
const MOST_STEPS: usize = 200;

/// How a job ended, as its steps tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::collect) enum Shape<'a> {
    /// A step failed; the first that did.
    StepFailed(&'a Step),
    /// No step failed, and from this one on none ended: the machine or its connection was lost.
    Lost(Option<&'a Step>),
    /// No runner ever took it.
    NeverAssigned,
    /// It ran longer than its limit, and was in this step.
    TimedOut(Option<&'a Step>),
    /// Somebody or something cancelled it, in this step.
    Cancelled(Option<&'a Step>),
    /// It still runs, and no step has failed.
    Runs,
    /// It failed, and no step says why.
    Unclear,
}

/// How this job ended.
pub(in crate::collect) fn shape(job: &RunJob) -> Shape<'_> {
    let is = |step: &&Step, word: &str| step.conclusion.as_deref() == Some(word);
    let failed = job.steps.iter().find(|step| is(step, "failure"));
    let open = job.steps.iter().find(|step| step.conclusion.is_none() || is(step, "cancelled"));
    let conclusion = job.conclusion.as_deref().unwrap_or_default();
    if conclusion == "timed_out" {
        return Shape::TimedOut(open.or(failed));
    }
    if let Some(step) = failed {
        return Shape::StepFailed(step);
    }
    let begun = job.runner().is_some() || !job.steps.is_empty();
    match conclusion {
        "" => Shape::Runs,
        "cancelled" if !begun && waited(job) >= SHORT_WAIT => Shape::NeverAssigned,
        "cancelled" => Shape::Cancelled(open),
        "failure" | "startup_failure" if !begun => Shape::NeverAssigned,
        "failure" if open.is_some() || job.steps.is_empty() => Shape::Lost(open),
        _ => Shape::Unclear,
    }
}

fn waited(job: &RunJob) -> i64 {
    job.ended().zip(job.ready()).map_or(0, |(ended, ready)| ended - ready)
}

/// The same in one line.
pub(in crate::collect) fn line(job: &RunJob) -> String {
    let name = quoted(&job.name);
    let runner = job.runner().map(|r| format!(" on {}", one_line(r))).unwrap_or_default();
    let step = |step: Option<&Step>| {
        step.map(|s| format!(", in step {} {}", s.number, quoted(&s.name))).unwrap_or_default()
    };
    match shape(job) {
        Shape::StepFailed(failed) => format!(
            "runner-guard: step failed: job {name}{runner}{}: the fault of the step, the machine answered",
            step(Some(failed))
        ),
        Shape::Lost(at) => format!(
            "runner-guard: runner lost: job {name}{runner}{}: no step failed, and what began there never ended",
            step(at)
        ),
        Shape::NeverAssigned => format!(
            "runner-guard: never assigned: job {name} ended without a runner (labels {})",
            one_line(&job.labels.join(", "))
        ),
        Shape::TimedOut(at) => format!(
            "runner-guard: time limit: job {name}{runner} ran longer than it may{}",
            step(at)
        ),
        Shape::Cancelled(at) => {
            format!("runner-guard: cancelled: job {name}{runner}{}", step(at))
        }
        Shape::Runs => {
            format!("runner-guard: running: job {name}{runner}: no step has failed so far")
        }
        Shape::Unclear => {
            format!("runner-guard: unclear: job {name}{runner} failed, and none of its steps did")
        }
    }
}

/// The job with its steps as a table, and the reading of it below.
pub(super) fn table(job: &RunJob) -> String {
    let end = job.conclusion.as_deref().or(Some(&job.status)).unwrap_or_default();
    let mut text = format!("job {} (id {}): {}\n", quoted(&job.name), job.id, one_line(end));
    let group = job.runner_group_name.as_deref().filter(|group| !group.is_empty());
    for (what, value) in [
        ("runner", job.runner()),
        ("group", group),
        ("began", job.started_at.as_deref()),
        ("ended", job.completed_at.as_deref()),
    ] {
        let _ = writeln!(text, "  {what:<7}{}", value.map_or("-".to_owned(), one_line));
    }
    let _ = writeln!(text, "  labels {}", one_line(&job.labels.join(", ")));
    let _ = writeln!(text, "\n  {:>3}  {:<12} {:>8}  step", "#", "state", "seconds");
    for step in job.steps.iter().take(MOST_STEPS) {
        let state = step.conclusion.as_deref().unwrap_or(&step.status);
        let took = step.took().map_or("-".to_owned(), |seconds| seconds.to_string());
        let (state, name) = (one_line(state), one_line(&step.name));
        let _ = writeln!(text, "  {:>3}  {state:<12} {took:>8}  {name}", step.number);
    }
    let _ = writeln!(text, "\n{}", line(job));
    text
}

/// A name from outside in quotes, on one line.
pub(in crate::collect) fn quoted(name: &str) -> String {
    format!("\"{}\"", one_line(name))
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(number: u64, conclusion: &str) -> Step {
        let ended = (!conclusion.is_empty()).then(|| conclusion.to_owned());
        let status = if ended.is_some() { "completed" } else { "in_progress" };
        Step {
            number,
            name: format!("Step\n{number}"),
            status: status.to_owned(),
            conclusion: ended,
            ..Step::default()
        }
    }

    fn job(conclusion: &str, runner: &str, steps: &[&str]) -> RunJob {
        let steps = (1..).zip(steps).map(|(number, word)| step(number, word)).collect();
        let at = |hour: u32| Some(format!("2026-11-22T{hour:02}:00:00Z"));
        RunJob {
            name: "deploy (eu)".to_owned(),
            conclusion: Some(conclusion.to_owned()).filter(|c| !c.is_empty()),
            runner_name: Some(runner.to_owned()),
            labels: vec!["self-hosted".to_owned(), "prod".to_owned()],
            created_at: at(9),
            completed_at: at(10),
            steps,
            ..RunJob::default()
        }
    }

    fn kind(job: &RunJob) -> String {
        line(job).split(": ").nth(1).unwrap_or_default().to_owned()
    }

    #[test]
    fn the_shape_of_the_steps_tells_the_fault_of_a_step_from_a_lost_machine() {
        for (want, conclusion, runner, steps) in [
            ("step failed", "failure", "a", &["success", "failure", "skipped"][..]),
            ("step failed", "", "a", &["success", "failure", ""]),
            ("runner lost", "failure", "a", &["success", "", ""]),
            ("runner lost", "failure", "a", &["success", "cancelled", "cancelled"]),
            ("runner lost", "failure", "a", &[]),
            ("never assigned", "failure", "", &[]),
            ("never assigned", "cancelled", "", &[]),
            ("time limit", "timed_out", "a", &["success", "cancelled"]),
            ("time limit", "timed_out", "a", &["success", "failure"]),
            ("cancelled", "cancelled", "a", &["success", "cancelled", "skipped"]),
            ("running", "", "a", &["success", ""]),
            ("unclear", "failure", "a", &["success", "success"]),
            ("unclear", "action_required", "", &[]),
        ] {
            let job = job(conclusion, runner, steps);
            assert_eq!(kind(&job), want, "{conclusion} {runner} {steps:?}");
        }
    }

    #[test]
    fn a_job_that_was_cancelled_soon_did_not_want_for_a_runner() {
        let created_at = Some("2026-11-22T09:59:00Z".to_owned());
        assert_eq!(kind(&RunJob { created_at, ..job("cancelled", "", &[]) }), "cancelled");
    }

    #[test]
    fn the_line_names_the_step_at_which_it_stopped_and_stays_one_line() {
        assert_eq!(
            line(&job("failure", "prod-a", &["success", "", ""])),
            "runner-guard: runner lost: job \"deploy (eu)\" on prod-a, in step 2 \"Step 2\": no step failed, and what began there never ended"
        );
    }

    #[test]
    fn a_table_has_a_row_for_every_step() {
        let mut job = job("failure", "prod-a", &["success", "failure"]);
        job.steps[0].started_at = Some("2026-11-22T09:00:00Z".to_owned());
        job.steps[0].completed_at = Some("2026-11-22T09:00:07Z".to_owned());
        let text = table(&job);
        assert!(text.contains("\n    1  success             7  Step 1\n"), "{text}");
        assert!(text.contains("\n    2  failure             -  Step 2\n"), "{text}");
        assert!(text.ends_with("the machine answered\n"), "{text}");
    }
}
