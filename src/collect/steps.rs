//! The steps of the failed jobs as GitHub knows them: they tell a failed step from a lost machine, also when there is no log.

mod reading;

use std::fmt::Write as _;

use super::{Collector, Ctx, Harvest};
use crate::config::Job;
use crate::report::{BundlePath, Evidence, EvidenceKind};
use crate::source::github::RunJob;
use crate::source::{Cause, Error};
use crate::task::BoxFuture;

pub(super) use reading::{Shape, line, quoted, shape};

pub(super) struct Steps;

/// Most jobs that are written out.
const MOST: usize = 20;

/// What to add when the token may not read jobs.
pub(super) const MAY_NOT: &str = "the token may not read the jobs of this run; add to the job: `permissions: { actions: read, contents: read }`";

impl Collector for Steps {
    fn id(&self) -> &'static str {
        "steps"
    }

    fn explain(&self) -> &'static str {
        "Asks GitHub for the steps of this job and of the failed jobs of the run (of the run that was completed, in a workflow that \
         `workflow_run` started): which step failed, or whether the runner was lost or never came. Needs `actions: read`."
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Harvest, Error>> {
        Box::pin(async move {
            match known(ctx).await? {
                Known::Nothing(why) => Ok(Harvest::Nothing(why)),
                Known::Jobs(run) => Ok(harvest(&run)),
            }
        })
    }
}

/// What GitHub knows about the jobs of the run.
pub(super) enum Known {
    /// The run.
    Jobs(Box<Run>),
    /// Nothing, and why; the sentence ends with the line to add.
    Nothing(String),
}

/// The run that is looked at.
pub(super) struct Run {
    /// Its id and attempt.
    pub(super) id: (u64, u64),
    /// This job, when it is one of that run.
    pub(super) own: Option<RunJob>,
    /// Jobs that ended badly, in the server's order.
    pub(super) failed: Vec<RunJob>,
}

impl Run {
    /// The run for people.
    pub(super) fn name(&self) -> String {
        format!("run {}, attempt {}", self.id.0, self.id.1)
    }
}

/// Asks for the jobs of the run that this job looks at. All who ask share the requests.
pub(super) async fn known(ctx: &Ctx<'_>) -> Result<Known, Error> {
    let own_run = || Some((ctx.job.run_id.parse().ok()?, ctx.job.run_attempt.parse().unwrap_or(1)));
    let Some(id) = ctx.job.subject_run.or_else(own_run) else {
        let add = "no run is known here; add this step to the workflow with `mode: diagnose`";
        return Ok(Known::Nothing(add.to_owned()));
    };
    let github = match &ctx.sources.github {
        Ok(github) => github,
        Err(why) => {
            let add = format!("{why}; add to the step: `github-token: ${{{{ github.token }}}}`");
            return Ok(Known::Nothing(add));
        }
    };
    let jobs = match github.attempt_jobs(&ctx.job.repository, id, ctx.deadline).await {
        Ok(jobs) => jobs,
        Err(error) if may_not(&error) => return Ok(Known::Nothing(MAY_NOT.to_owned())),
        Err(error) => return Err(error),
    };
    let own = if ctx.job.subject_run.is_some() { None } else { own(&jobs, ctx.job).cloned() };
    let failed = failed(&jobs, own.as_ref());
    Ok(Known::Jobs(Box::new(Run { id, own, failed })))
}

/// Whether GitHub refuses for want of a permission; it hides private things behind a 404.
pub(super) fn may_not(error: &Error) -> bool {
    matches!(error.cause(), Cause::Permission { .. }) || error.status() == Some(404)
}

/// This job: the one that runs on this runner now, else the only one with the name of its key.
fn own<'a>(jobs: &'a [RunJob], job: &Job) -> Option<&'a RunJob> {
    let here = |j: &&RunJob| j.status == "in_progress" && j.runner() == Some(&job.runner_name);
    let named = |j: &&RunJob| j.status == "in_progress" && j.name == job.job;
    only(jobs.iter().filter(here)).or_else(|| only(jobs.iter().filter(named)))
}

fn only<'a>(mut found: impl Iterator<Item = &'a RunJob>) -> Option<&'a RunJob> {
    found.next().filter(|_| found.next().is_none())
}

/// The jobs that failed; where none did, those that were cancelled: a job over its limit is one of them on some servers.
fn failed(jobs: &[RunJob], own: Option<&RunJob>) -> Vec<RunJob> {
    let ended = |words: &[&str]| -> Vec<RunJob> {
        let so = |j: &&RunJob| j.conclusion.as_deref().is_some_and(|c| words.contains(&c));
        jobs.iter().filter(so).cloned().collect()
    };
    let failed = ended(&["failure", "timed_out", "startup_failure"]);
    // The others of a matrix are cancelled because this job failed.
    let own_failed = own.is_some_and(|own| matches!(shape(own), Shape::StepFailed(_)));
    if failed.is_empty() && !own_failed { ended(&["cancelled"]) } else { failed }
}

fn harvest(run: &Run) -> Harvest {
    let all: Vec<&RunJob> = run.own.iter().chain(&run.failed).collect();
    let Some(first) = all.iter().find(|job| shape(job) != Shape::Runs).or(all.first()) else {
        return Harvest::Nothing(format!(
            "no job of {} has failed as far as GitHub knows; to look at another run add: `on: {{ workflow_run: {{ types: [completed] }} }}`",
            run.name()
        ));
    };
    let mut text = format!("The jobs of {} that failed, as GitHub knows them.\n", run.name());
    for job in all.iter().take(MOST) {
        text.push('\n');
        text.push_str(&reading::table(job));
    }
    if all.len() > MOST {
        let _ = writeln!(text, "\n[... {} jobs left out ...]", all.len() - MOST);
    }
    let said = line(first);
    let said = said.trim_start_matches("runner-guard: ");
    let note = format!("{} job(s) of {}; {said}", all.len(), run.name());
    let path = BundlePath::new("jobs", "steps.txt");
    let entry = Evidence::new(path, EvidenceKind::Context, "GitHub's list of the jobs", text);
    Harvest::Found { note, entries: vec![entry] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(name: &str, status: &str, conclusion: &str, runner: &str) -> RunJob {
        RunJob {
            name: name.to_owned(),
            status: status.to_owned(),
            conclusion: Some(conclusion.to_owned()).filter(|c| !c.is_empty()),
            runner_name: Some(runner.to_owned()),
            ..RunJob::default()
        }
    }

    #[test]
    fn this_job_is_the_one_that_runs_here_else_the_only_one_of_its_name() {
        let here = Job { job: "deploy".into(), runner_name: "a".into(), ..Job::default() };
        let jobs = [
            job("deploy (1)", "completed", "failure", "a"),
            job("deploy (2)", "in_progress", "", "a"),
            job("deploy", "in_progress", "", "b"),
        ];
        assert_eq!(own(&jobs, &here).unwrap().name, "deploy (2)");
        assert_eq!(own(&jobs[2..], &here).unwrap().name, "deploy");
        assert!(own(&jobs[..1], &here).is_none(), "a job that has ended is not this one");
    }

    #[test]
    fn cancelled_jobs_count_only_where_nothing_failed() {
        let cancelled = job("b", "completed", "cancelled", "x");
        let jobs = [job("a", "completed", "failure", "x"), cancelled];
        let names = |jobs: &[RunJob]| -> Vec<String> {
            failed(jobs, None).into_iter().map(|j| j.name).collect()
        };
        assert_eq!((names(&jobs), names(&jobs[1..])), (vec!["a".into()], vec!["b".into()]));
    }
}
