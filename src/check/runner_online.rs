//! Is the runner online? Asked of its own exporter, through Prometheus or directly.

use super::{Check, Ctx, Scope};
use crate::report::Outcome;
use crate::source::Error;
use crate::source::runner_status::{self, Reading};
use crate::task::BoxFuture;

pub(super) struct RunnerOnline;

impl Check for RunnerOnline {
    fn id(&self) -> &'static str {
        "runner-online"
    }

    fn question(&self) -> &'static str {
        "Is the runner online?"
    }

    fn runbook(&self) -> &'static str {
        "runner-offline-restore"
    }

    fn scope(&self) -> Scope {
        Scope::Runner
    }

    fn explain(&self) -> &'static str {
        "Reads runner_status of the runner from Prometheus, else from its exporter. Pass: 1. Fail: 0, the runner's listener does not run. \
         Unknown: no sample, so the host may be dead or the name is not the exporter's. Skipped: neither Prometheus nor an exporter is named. \
         Needs prometheus.url, or runners[].exporter."
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            let Some(subject) = subject(ctx) else { return Ok(no_source()) };
            let reading = runner_status::read(ctx.sources, &subject, ctx.deadline).await?;
            Ok(reading.map_or_else(|| silent(&subject), |reading| judge(&subject, &reading)))
        })
    }
}

/// Whom to ask about and where; `None` when there is nowhere to ask.
pub(super) fn subject(ctx: &Ctx<'_>) -> Option<runner_status::Subject> {
    let name = ctx.runner.map_or(ctx.job.runner_name.as_str(), |r| r.name.as_str());
    let exporter = ctx.runner.map_or(ctx.config.exporter.clone(), |r| r.exporter.clone());
    let known = !name.is_empty() || exporter.is_some();
    let somewhere = ctx.sources.prometheus.is_some() || exporter.is_some();
    (known && somewhere).then(|| runner_status::Subject { name: name.to_owned(), exporter })
}

pub(super) fn no_source() -> Outcome {
    Outcome::skipped("neither Prometheus nor an exporter is configured for this runner")
        .help("set the input prometheus-url, or runners[].exporter in the configuration")
}

fn silent(subject: &runner_status::Subject) -> Outcome {
    Outcome::unknown(format!("no current sample of runner_status for `{}`", subject.name))
        .help("the host or its exporter may be down, or the runner has another name there: query runner_status without a name")
}

fn judge(subject: &runner_status::Subject, reading: &Reading) -> Outcome {
    let name = if subject.name.is_empty() { "the runner" } else { &subject.name };
    let outcome = if reading.online {
        Outcome::pass(format!("{name} is online"))
    } else {
        Outcome::fail(format!("{name} is offline: its exporter reports runner_status 0"))
            .help("start the runner's service on its host: `systemctl restart 'actions.runner.*'`")
    };
    let outcome = outcome
        .saw_limit("runner_status", if reading.online { "1" } else { "0" }, "1")
        .saw("source", &reading.via);
    match &reading.authorized_for_prod {
        Some(word) => outcome.saw("authorized_for_prod", word),
        None => outcome,
    }
}
