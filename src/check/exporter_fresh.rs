//! Are the runner's metrics fresh? A green number from twenty minutes ago says nothing about now.

use std::time::Duration;

use super::runner_online::{between_jobs, no_source, subject};
use super::{Check, Ctx, Need, Scope};
use crate::config::{OptionKind, OptionSpec};
use crate::report::Outcome;
use crate::source::Error;
use crate::source::runner_status::{self, Freshness};
use crate::task::BoxFuture;

pub(super) struct ExporterFresh;

const MAX_AGE: OptionSpec = OptionSpec {
    name: "max-age",
    kind: OptionKind::Duration,
    default: "2m",
    help: "Oldest sample that still says something about now; it holds for every check that reads runner_status.",
};

/// The oldest sample that still says something about now.
pub(super) fn max_age(ctx: &Ctx<'_>) -> Duration {
    ctx.config.check(ExporterFresh.id()).duration(&MAX_AGE)
}

impl Check for ExporterFresh {
    fn id(&self) -> &'static str {
        "exporter-fresh"
    }

    fn question(&self) -> &'static str {
        "Are the runner's metrics fresh?"
    }

    fn runbook(&self) -> &'static str {
        "runner-offline-restore"
    }

    fn scope(&self) -> Scope {
        Scope::Runner
    }

    fn explain(&self) -> &'static str {
        "Reads the age of the newest runner_status sample and `up` of its target; when Prometheus is late or blind, the exporter itself. Pass: \
         younger than max-age and scraped. Fail: older, or the target is down. Unknown: never seen in six hours. Skipped: neither Prometheus nor \
         an exporter is named, or the runner is made for one job. Needs prometheus.url, or runners[].exporter."
    }

    fn needs(&self) -> &'static [Need] {
        const { &[Need::Metric("runner_status"), Need::Metric("up")] }
    }

    fn options(&self) -> &'static [OptionSpec] {
        const { &[MAX_AGE] }
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            if let Some(skipped) = between_jobs(ctx) {
                return Ok(skipped);
            }
            let Some(subject) = subject(ctx) else { return Ok(no_source()) };
            let limit = subject.max_age.as_secs_f64();
            let fresh = runner_status::freshness(ctx.sources, &subject, ctx.deadline).await?;
            Ok(judge(&fresh, limit))
        })
    }
}

fn judge(fresh: &Freshness, limit: f64) -> Outcome {
    let help = "check the exporter on the runner's host: `systemctl status runner-guard-exporter`, `curl -s localhost:9101/healthz`; then the target's error on the page /targets of Prometheus";
    let Some(age) = fresh.age else {
        return Outcome::unknown("no sample of runner_status in the last 6 h")
            .saw("source", &fresh.via)
            .help(help);
    };
    let outcome = if fresh.up == Some(false) {
        Outcome::fail(format!(
            "the exporter can not be scraped; the newest sample is {age:.0} s old"
        ))
        .help(help)
    } else if age > limit {
        Outcome::fail(format!(
            "the newest sample is {age:.0} s old, older than the limit of {limit:.0} s"
        ))
        .help(help)
    } else {
        Outcome::pass(format!("the newest sample is {age:.0} s old"))
    };
    let up = fresh.up.map_or("not known", |up| if up { "1" } else { "0" });
    outcome
        .saw_limit("age", format!("{age:.0} s"), format!("{limit:.0} s"))
        .saw("up", up)
        .saw("source", &fresh.via)
}
