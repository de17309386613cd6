//! Does the runner have every label that the job needs? A job whose labels no runner has waits in the queue until it is given up.

use super::runner_registered::{LIST_RUNNERS, listed};
use super::{Check, Ctx, Need, Scope};
use crate::config::{Level, Runner};
use crate::report::Outcome;
use crate::source::Error;
use crate::source::github::ApiRunner;
use crate::task::BoxFuture;

pub(super) struct RunnerLabels;

impl Check for RunnerLabels {
    fn id(&self) -> &'static str {
        "runner-labels"
    }

    fn question(&self) -> &'static str {
        "Does the runner have every label that the job needs?"
    }

    fn runbook(&self) -> &'static str {
        "runner-offline-restore"
    }

    fn scope(&self) -> Scope {
        Scope::Runner
    }

    fn explain(&self) -> &'static str {
        "Holds runners[].labels, which the gate hands to `runs-on`, against the labels in GitHub's list. Case and blanks around do not count; \
         self-hosted, linux and x64 are labels like others. Pass: it has all. Fail: the missing ones are named; the job would never start. \
         Unknown: the token may not list runners; that is only shown by default, since runner-registered warns of it. Skipped: no labels are \
         configured, or the runner is not listed. Needs a token that may list runners."
    }

    fn on_unknown(&self) -> Option<Level> {
        Some(Level::Allow)
    }

    fn heals(&self) -> bool {
        false
    }

    fn needs(&self) -> &'static [Need] {
        LIST_RUNNERS
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            if ctx.runner.is_none_or(|runner| runner.labels.is_empty()) {
                return Ok(Outcome::skipped("no labels are configured")
                    .help("write what the job has in `runs-on` under runners[].labels"));
            }
            Ok(match listed(ctx).await? {
                Ok((runner, found)) => judge(&runner, &found.runner),
                Err(outcome) => outcome,
            })
        })
    }
}

fn judge(runner: &Runner, found: &ApiRunner) -> Outcome {
    let needed: Vec<&str> = runner.labels.iter().map(|l| l.trim()).collect();
    let missing: Vec<&str> = needed.iter().copied().filter(|l| !found.has_label(l)).collect();
    let has: Vec<&str> = found.labels.iter().map(|l| l.name.as_str()).collect();
    let outcome = if missing.is_empty() {
        Outcome::pass(format!("`{}` has every label of {}", found.name, needed.join(", ")))
    } else {
        Outcome::fail(format!("`{}` lacks the labels {}", found.name, missing.join(", "))).help(
            "add the labels in the runner's settings on GitHub, or correct runners[].labels in the configuration",
        )
    };
    outcome.saw_limit("labels", has.join(", "), needed.join(", "))
}
