//! Are the runner's metrics fresh? A green number from twenty minutes ago says nothing about now.

use super::runner_online::{no_source, subject};
use super::{Check, Ctx, Scope};
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
    help: "Oldest sample that still says something about now.",
};

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
        "Reads the age of the newest runner_status sample and `up` of its target. Pass: younger than max-age and scraped. Fail: older, or the \
         target is down. Unknown: never seen in six hours. Skipped: neither Prometheus nor an exporter is named."
    }

    fn options(&self) -> &'static [OptionSpec] {
        const { &[MAX_AGE] }
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            let Some(subject) = subject(ctx) else { return Ok(no_source()) };
            let limit = ctx.config.check(self.id()).duration(&MAX_AGE).as_secs_f64();
            let fresh = runner_status::freshness(ctx.sources, &subject, ctx.deadline).await?;
            Ok(judge(&fresh, limit))
        })
    }
}

fn judge(fresh: &Freshness, limit: f64) -> Outcome {
    let help = "check the exporter on the runner's host: `systemctl status runner-guard-exporter`, `curl -s localhost:9101/healthz`";
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
        Outcome::fail(format!("the newest sample is {age:.0} s old")).help(help)
    } else {
        Outcome::pass(format!("the newest sample is {age:.0} s old"))
    };
    let up = fresh.up.map_or("not known", |up| if up { "1" } else { "0" });
    outcome
        .saw_limit("age", format!("{age:.0} s"), format!("{limit:.0} s"))
        .saw("up", up)
        .saw("source", &fresh.via)
}
