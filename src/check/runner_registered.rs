//! Does GitHub know the runner, is it online there, and does it have the labels that the job asks for?

use super::{Check, Ctx, Scope};
use crate::config::{Level, Runner};
use crate::report::Outcome;
use crate::source::Error;
use crate::source::github::{ApiRunner, GitHub};
use crate::task::BoxFuture;

pub(super) struct RunnerRegistered;

impl Check for RunnerRegistered {
    fn id(&self) -> &'static str {
        "runner-registered"
    }

    fn question(&self) -> &'static str {
        "Is the runner registered with GitHub, online, and labelled as the job needs?"
    }

    fn runbook(&self) -> &'static str {
        "runner-offline-restore"
    }

    fn scope(&self) -> Scope {
        Scope::Runner
    }

    fn explain(&self) -> &'static str {
        "Looks the runner up in the repository's and the organisation's lists. Pass: online and free. Warn: busy, so the deploy would wait. \
         Fail: offline, not registered, or a label is missing. Unknown: the token may not list runners (the workflow's own token never may); \
         the missing permission is named. Without an answer it warns by default, since most workflows have no such token."
    }

    fn on_unknown(&self) -> Option<Level> {
        Some(Level::Warn)
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            let own = Runner { name: ctx.job.runner_name.clone(), ..Runner::default() };
            let runner = ctx.runner.unwrap_or(&own);
            if runner.name.is_empty() || ctx.job.repository.is_empty() {
                return Ok(Outcome::skipped("no runner or no repository is named"));
            }
            let github = match &ctx.sources.github {
                Ok(github) => github,
                Err(why) => {
                    return Ok(Outcome::unknown(why.clone())
                        .help("set the input github-token to a token that may list runners"));
                }
            };
            ask(github, ctx, runner).await
        })
    }
}

async fn ask(github: &GitHub, ctx: &Ctx<'_>, runner: &Runner) -> Result<Outcome, Error> {
    let found = github.runner(&ctx.job.repository, &runner.name, ctx.deadline).await?;
    Ok(found.map_or_else(|| absent(runner, &ctx.job.repository), |found| judge(runner, &found)))
}

fn absent(runner: &Runner, repository: &str) -> Outcome {
    Outcome::fail(format!("`{}` is registered neither for {repository} nor for its organisation", runner.name))
        .help("register it again (./config.sh), or correct the name; GitHub removes runners that were offline for 14 days")
}

fn judge(runner: &Runner, found: &ApiRunner) -> Outcome {
    let has = |label: &&String| {
        found.labels.iter().any(|l| l.name.trim().eq_ignore_ascii_case(label.trim()))
    };
    let missing: Vec<&str> = runner.labels.iter().filter(|l| !has(l)).map(String::as_str).collect();
    let labels: Vec<&str> = found.labels.iter().map(|l| l.name.as_str()).collect();
    let outcome = match found.status.as_str() {
        "online" if !missing.is_empty() => Outcome::fail(format!("`{}` lacks the labels {}", found.name, missing.join(", ")))
            .help("add the labels in the runner's settings, or correct runners[].labels"),
        "online" if found.busy => Outcome::warn(format!("`{}` is online and busy: the deploy would wait", found.name)),
        "online" => Outcome::pass(format!("`{}` is online and idle", found.name)),
        "offline" => Outcome::fail(format!("GitHub says that `{}` is offline", found.name))
            .help("restart its service; if it stays offline, its registration or its network path to GitHub is broken"),
        other => Outcome::unknown(format!("GitHub says `{other}` about `{}`, a word that is not known here", found.name)),
    };
    outcome
        .saw_limit("status", &found.status, "online")
        .saw("busy", found.busy.to_string())
        .saw("labels", labels.join(", "))
}
