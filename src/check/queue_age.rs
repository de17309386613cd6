//! Do runners take the jobs that wait? A job with our labels that nobody takes is proof that no runner works, and needs no privileged
//! token.

use std::time::Duration;

use super::{Check, Ctx, Need, Scope};
use crate::config::{Level, OptionKind, OptionSpec, Runner};
use crate::report::Outcome;
use crate::source::Error;
use crate::source::github::{GitHub, Run, RunJob, Runs};
use crate::task::BoxFuture;

pub(super) struct QueueAge;

const MAX_WAIT: OptionSpec = OptionSpec {
    name: "max-wait",
    kind: OptionKind::Duration,
    default: "5m",
    help: "Longest time that a job may wait for a runner; twice as long is a no.",
};

/// Most runs whose jobs are looked at: each costs a request.
const MOST_RUNS: usize = 3;

/// Labels that GitHub gives to every Linux runner by itself; a configuration need not repeat them.
const GIVEN: [&str; 3] = ["self-hosted", "linux", "x64"];

impl Check for QueueAge {
    fn id(&self) -> &'static str {
        "queue-age"
    }

    fn question(&self) -> &'static str {
        "Do runners take the jobs that wait?"
    }

    fn runbook(&self) -> &'static str {
        "runner-offline-restore"
    }

    fn scope(&self) -> Scope {
        Scope::Run
    }

    fn explain(&self) -> &'static str {
        "Looks at the runs of the last hour that are queued, the three that wait longest, without this one, and at their jobs that a candidate \
         could take by its labels (without candidates: every job for self-hosted runners). Pass: none waits for max-wait or longer. Warn: one \
         does. Fail: one waits for twice as long: no runner takes work; by its level even that only warns, since busy runners look the same. \
         Unknown: the token lacks `actions: read`; nothing is held against the deploy. Skipped: no repository is named."
    }

    fn level(&self) -> Level {
        Level::Warn
    }

    fn on_unknown(&self) -> Option<Level> {
        Some(Level::Allow)
    }

    fn needs(&self) -> &'static [Need] {
        &[Need::WorkflowPermission("actions: read")]
    }

    fn options(&self) -> &'static [OptionSpec] {
        const { &[MAX_WAIT] }
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            let (repository, now) = (&ctx.job.repository, ctx.sources.now);
            if repository.is_empty() {
                return Ok(Outcome::skipped("no repository is named"));
            }
            let github = ctx.sources.api()?;
            let limit = ctx.config.check(self.id()).duration(&MAX_WAIT);
            let recent = github.recent_runs(repository, now, ctx.deadline).await?;
            let queue = Queue { candidates: &ctx.config.runners, now, limit };
            let old = queue.old_runs(&recent, &ctx.job.run_id);
            let longest = queue.longest(github, ctx, &old).await?;
            Ok(queue.judge(&recent, &old, longest))
        })
    }
}

struct Queue<'a> {
    candidates: &'a [Runner],
    now: i64,
    limit: Duration,
}

/// A job that nobody takes, and for how many seconds.
type Waiting = (RunJob, i64);

impl Queue<'_> {
    /// Queued runs that are older than the limit, the oldest first.
    fn old_runs<'r>(&self, recent: &'r Runs, own: &str) -> Vec<&'r Run> {
        let age = |run: &Run| run.began().map_or(0, |began| self.now - began);
        let queued = |run: &&Run| run.status.as_deref() == Some("queued");
        let others = recent.runs.iter().filter(queued).filter(|run| run.id.to_string() != own);
        let mut old: Vec<&Run> = others.filter(|run| self.over(age(run), 1)).collect();
        old.sort_by_key(|run| -age(run));
        old
    }

    fn over(&self, seconds: i64, times: u32) -> bool {
        u64::try_from(seconds).is_ok_and(|s| s >= self.limit.as_secs() * u64::from(times))
    }

    async fn longest(
        &self,
        github: &GitHub,
        ctx: &Ctx<'_>,
        old: &[&Run],
    ) -> Result<Option<Waiting>, Error> {
        let mut longest: Option<Waiting> = None;
        for run in old.iter().take(MOST_RUNS) {
            let jobs = github.run_jobs(&ctx.job.repository, run.id, ctx.deadline).await?;
            let ours = jobs.into_iter().filter(|job| job.status == "queued" && self.is_ours(job));
            let waiting = ours.map(|job| {
                let since = job.ready().or(run.began()).unwrap_or(self.now);
                (job, self.now - since)
            });
            longest = waiting.chain(longest).max_by_key(|(_, seconds)| *seconds);
        }
        Ok(longest.filter(|(_, seconds)| self.over(*seconds, 1)))
    }

    /// Whether a candidate could take the job: it has every label that the job asks for.
    fn is_ours(&self, job: &RunJob) -> bool {
        let is = |a: &str, b: &str| a.trim().eq_ignore_ascii_case(b.trim());
        let given = |label: &str| GIVEN.iter().any(|g| is(g, label));
        if self.candidates.iter().all(|c| c.labels.is_empty()) {
            return job.labels.iter().any(|l| is(l, "self-hosted"));
        }
        let has = |c: &Runner, label: &str| given(label) || c.labels.iter().any(|l| is(l, label));
        let takes = |c: &Runner| job.labels.iter().all(|label| has(c, label));
        !job.labels.is_empty() && self.candidates.iter().any(|c| !c.labels.is_empty() && takes(c))
    }

    fn judge(&self, recent: &Runs, old: &[&Run], longest: Option<Waiting>) -> Outcome {
        let limit = match self.limit.as_secs() {
            seconds @ ..120 => format!("{seconds} s"),
            seconds => format!("{} min", seconds / 60),
        };
        let outcome = match longest {
            None if old.is_empty() => {
                Outcome::pass(format!("no run of the last hour is queued for {limit} or longer"))
            }
            None => Outcome::pass(format!(
                "no job that waits for {limit} or longer could run on our runners"
            )),
            Some((job, seconds)) => self.stuck(&job, seconds),
        };
        let outcome =
            outcome.saw_limit("queued runs", old.len().to_string(), format!("older than {limit}"));
        let looked_at = old.len().min(MOST_RUNS);
        let outcome = outcome.saw("runs whose jobs were looked at", looked_at.to_string());
        if recent.total_count <= recent.runs.len() {
            return outcome;
        }
        let read = recent.runs.len();
        outcome.saw(
            "runs of the last hour",
            format!("the newest {read} of {} were read", recent.total_count),
        )
    }

    fn stuck(&self, job: &RunJob, seconds: i64) -> Outcome {
        let line = format!(
            "the job `{}` ({}) waits for {} min: no runner takes it",
            job.name,
            job.labels.join(", "),
            seconds / 60
        );
        let outcome = if self.over(seconds, 2) { Outcome::fail(line) } else { Outcome::warn(line) };
        let outcome = outcome.help(
            "look whether a runner with these labels is online and idle; all busy: wait or add one; idle but not chosen: its group may not \
             serve this repository",
        );
        match &job.html_url {
            Some(page) => outcome.saw("job", page),
            None => outcome,
        }
    }
}
