//! Did the last deploys succeed? Many failures in an hour are rarely cured by one more deploy.

use super::{Check, Ctx, Need, Scope};
use crate::config::{Job, Level, OptionKind, OptionSpec};
use crate::report::Outcome;
use crate::source::Error;
use crate::source::github::{Run, Runs};
use crate::task::BoxFuture;

pub(super) struct FailureRate;

const MAX_FAILURES: OptionSpec = OptionSpec {
    name: "max-failures",
    kind: OptionKind::Number,
    default: "3",
    help: "Most failed runs of this workflow in the last hour.",
};

impl Check for FailureRate {
    fn id(&self) -> &'static str {
        "failure-rate"
    }

    fn question(&self) -> &'static str {
        "Did the last deploys succeed?"
    }

    fn runbook(&self) -> &'static str {
        "production-deployment-failures"
    }

    fn scope(&self) -> Scope {
        Scope::Run
    }

    fn explain(&self) -> &'static str {
        "Counts the runs of this workflow that were started in the last hour and ended with failure, timed_out or startup_failure; cancelled \
         and skipped ones do not count, words that are not known here are listed. Pass: max-failures or fewer. Warn: more: find out why before \
         the next one. Unknown: the token lacks `actions: read`; nothing is held against the deploy. Skipped: no repository or no workflow is \
         named."
    }

    fn level(&self) -> Level {
        Level::Warn
    }

    fn on_unknown(&self) -> Option<Level> {
        Some(Level::Allow)
    }

    fn heals(&self) -> bool {
        false
    }

    fn needs(&self) -> &'static [Need] {
        &[Need::WorkflowPermission("actions: read")]
    }

    fn options(&self) -> &'static [OptionSpec] {
        const { &[MAX_FAILURES] }
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            let repository = &ctx.job.repository;
            let workflow = Workflow::of(ctx.job);
            if repository.is_empty() || workflow.word().is_empty() {
                return Ok(Outcome::skipped("no repository or no workflow is named"));
            }
            let most = ctx.config.check(self.id()).number(&MAX_FAILURES);
            let github = ctx.sources.api()?;
            let recent = github.recent_runs(repository, ctx.sources.now, ctx.deadline).await?;
            Ok(judge(&recent, &workflow, most))
        })
    }
}

/// How the runs of this workflow are told from others: by its file, which is unique, else by its name.
enum Workflow {
    File(String),
    Name(String),
}

impl Workflow {
    fn of(job: &Job) -> Self {
        let path = job.workflow_ref.split_once('@').map_or("", |(path, _)| path);
        let file = path.splitn(3, '/').nth(2).filter(|file| !file.is_empty());
        match file {
            Some(file) => Self::File(file.to_owned()),
            None => Self::Name(job.workflow.clone()),
        }
    }

    /// For people: the name of the file without its folder, else the name.
    fn word(&self) -> &str {
        match self {
            Self::File(path) => path.rsplit('/').next().unwrap_or(path),
            Self::Name(name) => name,
        }
    }

    fn owns(&self, run: &Run) -> bool {
        match self {
            Self::File(file) => run.file() == file,
            Self::Name(name) => run.name.as_ref() == Some(name),
        }
    }
}

/// What the end of a run says about the next one.
#[derive(PartialEq, Eq)]
enum End {
    Good,
    Failed,
    Neither,
    NotKnown,
}

fn end(conclusion: &str) -> End {
    match conclusion {
        "success" => End::Good,
        "failure" | "timed_out" | "startup_failure" => End::Failed,
        "cancelled" | "skipped" | "neutral" | "stale" | "action_required" => End::Neither,
        _ => End::NotKnown,
    }
}

fn judge(recent: &Runs, workflow: &Workflow, most: u64) -> Outcome {
    let ended: Vec<(&Run, &str)> = recent
        .runs
        .iter()
        .filter(|run| workflow.owns(run))
        .filter_map(|run| Some((run, run.conclusion.as_deref()?)))
        .collect();
    let of = |kind: End| ended.iter().filter(move |(_, word)| end(word) == kind);
    let (failed, good) = (of(End::Failed).count(), of(End::Good).count());
    let name = workflow.word();
    let line =
        format!("{failed} of {} finished runs of {name} failed in the last hour", ended.len());
    let outcome = if failed as u64 > most {
        Outcome::warn(format!("{line} (limit {most})"))
            .help("find the cause of these first: one more deploy seldom cures it; roll back when users suffer")
    } else {
        Outcome::pass(line)
    };
    let mut outcome = outcome
        .saw_limit("failed", failed.to_string(), most.to_string())
        .saw("succeeded", good.to_string());
    if let Some((last, word)) = of(End::Failed).next() {
        outcome = outcome.saw("last failure", format!("{word}: {}", last.html_url));
    }
    let odd: Vec<&str> = of(End::NotKnown).map(|(_, word)| *word).collect();
    if !odd.is_empty() {
        outcome = outcome.saw("ends that are not known here", odd.join(", "));
    }
    let (read, all) = (recent.runs.len(), recent.total_count);
    if all <= read {
        return outcome;
    }
    outcome.saw("runs of the last hour", format!("only the newest {read} of {all} were read"))
}
