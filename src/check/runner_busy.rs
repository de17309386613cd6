//! Is the runner free to take the job? Asked of GitHub's own list, which also says how many others could take it.

use super::runner_registered::{LIST_RUNNERS, listed};
use super::{Check, Ctx, Need, Scope};
use crate::config::{Level, Runner};
use crate::report::Outcome;
use crate::source::Error;
use crate::source::github::{ApiRunner, Registered};
use crate::task::BoxFuture;

pub(super) struct RunnerBusy;

impl Check for RunnerBusy {
    fn id(&self) -> &'static str {
        "runner-busy"
    }

    fn question(&self) -> &'static str {
        "Is the runner free to take the job?"
    }

    fn runbook(&self) -> &'static str {
        "runner-degraded-resources"
    }

    fn scope(&self) -> Scope {
        Scope::Runner
    }

    fn explain(&self) -> &'static str {
        "Reads from GitHub's list whether the runner runs a job now, and how many other runners of that list have the same labels and are \
         online and idle. Pass: idle, or busy with this very job. Warn: busy, so the deploy would wait. Unknown: the token may not list runners; \
         that is only shown by default, since runner-registered warns of it. Skipped: the runner is offline, not listed, or exists only for \
         one job. Needs a token that may list runners."
    }

    fn level(&self) -> Level {
        Level::Warn
    }

    fn on_unknown(&self) -> Option<Level> {
        Some(Level::Allow)
    }

    fn needs(&self) -> &'static [Need] {
        LIST_RUNNERS
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            Ok(match listed(ctx).await? {
                Ok((runner, found)) => judge(&runner, &found, &ctx.job.runner_name),
                Err(outcome) => outcome,
            })
        })
    }
}

fn judge(runner: &Runner, found: &Registered, this_job_is_on: &str) -> Outcome {
    let ApiRunner { name, status, busy, .. } = &found.runner;
    if status == "offline" {
        return Outcome::skipped(format!("`{name}` is offline: it takes no job"))
            .help("see the row of runner-registered");
    }
    let own = *busy && name == this_job_is_on.trim();
    let others = others(runner, found);
    let outcome = match (own, busy) {
        (true, _) => Outcome::pass(format!("`{name}` is busy with this very job{}", others.text)),
        (false, false) => Outcome::pass(format!("`{name}` is idle{}", others.text)),
        (false, true) => {
            Outcome::warn(format!("`{name}` is busy: the deploy would wait{}", others.text))
                .help(others.advice())
        }
    };
    let outcome = outcome.saw("busy", (*busy && !own).to_string());
    if others.all == 0 {
        outcome
    } else {
        outcome.saw("idle", format!("{} of {}", others.idle, others.all))
    }
}

/// Runners that GitHub could give the job to as well: it looks at labels, not at names.
struct Others {
    idle: usize,
    all: usize,
    text: String,
}

impl Others {
    fn advice(&self) -> &'static str {
        if self.idle > 0 {
            "GitHub gives the job to any idle runner with these labels; give the runner a label of its own if it must be this one"
        } else {
            "wait for its job to end (input wait), cancel that job, or add a runner with these labels"
        }
    }
}

fn others(runner: &Runner, found: &Registered) -> Others {
    if runner.labels.is_empty() {
        return Others { idle: 0, all: 0, text: String::new() };
    }
    let alike = |r: &&ApiRunner| runner.labels.iter().all(|label| r.has_label(label));
    let (mut idle, mut all) = (0, 0);
    for other in found.list.iter().filter(alike) {
        all += 1;
        idle += usize::from(other.status == "online" && !other.busy);
    }
    let text = if all > 1 {
        format!("; {idle} of {all} runners with these labels are idle")
    } else {
        String::new()
    };
    Others { idle, all, text }
}
