//! The logs of the jobs that failed, fetched from GitHub. The log of a job that still runs can not be had.

mod clean;

use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};

use super::steps::{self, Known, Run, Shape};
use super::{Collector, Ctx, Harvest, log_evidence};
use crate::report::{BundlePath, Evidence, EvidenceKind, Raw, Truncation};
use crate::source::Error;
use crate::source::github::{GitHub, JobLog, LogAnswer, RunJob};
use crate::task::{self, BoxFuture, Deadline};

pub(super) struct JobLogs;

/// Most of one log that is kept, in bytes: its beginning and its end.
const JOB_CAP: usize = 8 << 20;
/// Most of all logs together, in bytes.
const TOTAL_CAP: usize = 32 << 20;
/// Most logs that are fetched.
const MOST: usize = 20;
/// How many are fetched at a time.
const AT_ONCE: usize = 4;
/// How long after the end of a job its log may still be on its way, in seconds.
const FRESH: i64 = 60;
/// How often, and after which wait, such a log is asked for again.
const TRIES: usize = 3;
const WAIT: Duration = Duration::from_secs(3);
/// A log that goes on for longer than this after its job's end, in seconds, was written by a runner that GitHub had given up.
const LATE: i64 = 60;

impl Collector for JobLogs {
    fn id(&self) -> &'static str {
        "job-logs"
    }

    fn explain(&self) -> &'static str {
        "Fetches the logs of at most twenty failed jobs of the run (of the run that was completed, in a workflow that `workflow_run` started), \
         of each the beginning and the end. A job that still runs has no log there: a separate job with `if: failure()` can read it. Needs \
         `actions: read`."
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Harvest, Error>> {
        Box::pin(async move {
            match (steps::known(ctx).await?, &ctx.sources.github) {
                (Known::Jobs(run), Ok(github)) => collect(ctx, github, *run).await,
                (Known::Nothing(why), _) => Ok(Harvest::Nothing(why)),
                (Known::Jobs(_), Err(why)) => Ok(Harvest::Nothing(why.clone())),
            }
        })
    }
}

/// The answer to the question for one log.
type Answer = (RunJob, Result<LogAnswer, Error>);

async fn collect(ctx: &Ctx<'_>, github: &GitHub, run: Run) -> Result<Harvest, Error> {
    let begun = |job: &&RunJob| job.runner().is_some() || !job.steps.is_empty();
    let wanted: Vec<RunJob> = run.failed.iter().filter(begun).take(MOST).cloned().collect();
    if wanted.is_empty() {
        return Ok(Harvest::Nothing(without(ctx, &run)));
    }
    let cap = JOB_CAP.min(TOTAL_CAP / wanted.len());
    // What was fetched must still be read and redacted.
    let deadline = ctx.deadline.at_most(ctx.deadline.remaining() * 2 / 3);
    let fetch = |job: RunJob| async move {
        let answer = fetched(ctx, github, &job, cap, deadline).await;
        (job, answer)
    };
    let answers: Vec<Answer> = stream::iter(wanted).map(fetch).buffered(AT_ONCE).collect().await;
    match nothing_came(&answers) {
        Some(error) if steps::may_not(error) => {
            return Ok(Harvest::Nothing(steps::MAY_NOT.to_owned()));
        }
        Some(error) => return Err(error.clone()),
        None => {}
    }
    let read = task::blocking(move || harvest(answers, &run)).await;
    let stopped = || crate::source::Cause::Other("the reader stopped".to_owned());
    read.ok_or_else(|| Error::new("read the logs of the failed jobs", stopped()))
}

/// The first error, when there is nothing else.
fn nothing_came(answers: &[Answer]) -> Option<&Error> {
    let first = answers.first()?.1.as_ref().err()?;
    answers.iter().all(|(_, answer)| answer.is_err()).then_some(first)
}

/// A log; one that may still be on its way is asked for again.
async fn fetched(
    ctx: &Ctx<'_>,
    github: &GitHub,
    job: &RunJob,
    cap: usize,
    deadline: Deadline,
) -> Result<LogAnswer, Error> {
    let fresh = job.ended().is_some_and(|ended| ctx.sources.now - ended < FRESH);
    let mut tries = if fresh { TRIES } else { 1 };
    loop {
        let answer = github.job_log(&ctx.job.repository, job.id, cap, deadline).await;
        tries -= 1;
        let again = matches!(answer, Ok(LogAnswer::Absent)) && deadline.remaining() > 2 * WAIT;
        if tries == 0 || !again {
            return answer;
        }
        tokio::time::sleep(WAIT).await;
    }
}

/// Why there is no log to fetch, and the line to add.
fn without(ctx: &Ctx<'_>, run: &Run) -> String {
    if let Some(job) = run.failed.first() {
        let said = steps::line(job);
        return format!(
            "no failed job of {} has a log ({said}); add a runner, or look at jobs/steps.txt",
            run.name(),
            said = said.trim_start_matches("runner-guard: ")
        );
    }
    let key = if ctx.job.job.is_empty() { "deploy" } else { &ctx.job.job };
    format!(
        "no other job of {} has failed, and the log of a job can not be read while it runs; add a separate job: `needs: [{key}]`, \
         `if: failure()`, with a step of `mode: diagnose`",
        run.name()
    )
}

fn harvest(answers: Vec<Answer>, run: &Run) -> Harvest {
    let (mut entries, mut notes) = (Vec::new(), Vec::new());
    for (job, answer) in answers {
        match answer {
            Ok(LogAnswer::Read(log)) => {
                let text = clean::text(&log.bytes);
                notes.extend(late(&job, &text));
                let ended = log.broken.as_ref().map(|e| format!("cut: {}", e.chain()));
                notes.extend(ended.map(|why| format!("the log of job {} was {why}", name(&job))));
                entries.push(entry(&job, &log, text));
            }
            Ok(LogAnswer::Absent) => notes.push(absent(&job)),
            Ok(LogAnswer::Expired) => notes.push(format!(
                "the log of job {} was deleted: it was too old, or somebody did it",
                name(&job)
            )),
            Err(error) => notes.push(format!("no log of job {}: {}", name(&job), error.chain())),
        }
    }
    if run.own.is_some() {
        let own = "the log of this job can not be read while it runs; a separate job with `if: failure()` can read it";
        notes.push(own.to_owned());
    }
    let found =
        format!("{} of {} failed job(s) of {}", entries.len(), run.failed.len(), run.name());
    let shown = notes.iter().map(|n| n.trim_start_matches("runner-guard: "));
    let note = [found.as_str()].into_iter().chain(shown).collect::<Vec<_>>().join("; ");
    if !notes.is_empty() {
        let path = BundlePath::new("jobs", "notes.txt");
        let text = notes.join("\n") + "\n";
        let origin = "what was noticed while the logs were fetched";
        entries.push(Evidence::new(path, EvidenceKind::Context, origin, text));
    }
    Harvest::Found { note, entries }
}

fn name(job: &RunJob) -> String {
    steps::quoted(&job.name)
}

/// The log of one job: its name in the bundle says which.
fn entry(job: &RunJob, log: &JobLog, text: String) -> Evidence<Raw> {
    let short: String = job.name.replace('/', "-").chars().take(60).collect();
    let path = BundlePath::new("jobs", &format!("{short}-{}.log", job.id));
    let origin = format!("the log of job {} (id {})", name(job), job.id);
    let cap = u64::try_from(log.bytes.len()).unwrap_or(u64::MAX);
    Evidence {
        truncated: (log.truncated || log.broken.is_some())
            .then_some(Truncation { original: Some(log.original), cap }),
        ..log_evidence(path, &origin, text)
    }
}

/// What it means that there is no log.
fn absent(job: &RunJob) -> String {
    if matches!(steps::shape(job), Shape::Lost(_)) {
        return format!(
            "runner-guard: runner lost: the log of job {} never came: the machine was gone before it could send it",
            name(job)
        );
    }
    format!("the log of job {} is not there: not yet, or its runner could not send it", name(job))
}

/// A log that goes on after GitHub took the job for ended. The clock of the runner is set by the beginning of both.
fn late(job: &RunJob, text: &str) -> Option<String> {
    let (first, last) = clean::span(text)?;
    let ahead = (first - job.began()?).max(0);
    let after = last - ahead - job.ended()?;
    (after > LATE).then(|| {
        format!(
            "runner-guard: runner lost: job {} wrote to its log for {after} s after GitHub had given it up: it ran on without a connection",
            name(job)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> RunJob {
        RunJob {
            name: "deploy / eu".to_owned(),
            id: 7,
            started_at: Some("2026-11-22T09:00:00Z".to_owned()),
            completed_at: Some("2026-11-22T09:10:00Z".to_owned()),
            ..RunJob::default()
        }
    }

    #[test]
    fn a_log_that_outlives_its_job_tells_of_a_lost_connection_and_a_wrong_clock_does_not() {
        let log = |first: &str, last: &str| format!("{first} begin\n{last} end\n");
        let alive = log("2026-11-22T09:00:02.0000000Z", "2026-11-22T09:20:00.0000000Z");
        assert!(late(&job(), &alive).unwrap().contains("for 598 s after"));
        let skewed = log("2026-11-22T09:10:02.0000000Z", "2026-11-22T09:20:00.0000000Z");
        assert_eq!(late(&job(), &skewed), None);
        let usual = log("2026-11-22T09:00:02.0000000Z", "2026-11-22T09:10:01.0000000Z");
        assert_eq!(late(&job(), &usual), None);
    }

    #[test]
    fn an_entry_is_named_by_its_job_and_lies_in_one_folder() {
        let log = JobLog { bytes: Vec::new(), original: 0, truncated: false, broken: None };
        let entry = entry(&job(), &log, String::new());
        assert_eq!(entry.path.as_str(), "jobs/deploy_-_eu-7.log");
    }
}
