//! Will GitHub still give jobs to the runner's version? A version that has ended is refused at the next poll, in the middle of the night.

use std::time::Duration;

use jiff::Timestamp;

use super::runner_registered::{LIST_RUNNERS, listed};
use super::{Check, Ctx, Need, Scope};
use crate::config::{Level, OptionKind, OptionSpec};
use crate::report::Outcome;
use crate::source::github::{Registered, VersionEnd};
use crate::source::{Cause, Error, prometheus};
use crate::task::BoxFuture;

pub(super) struct RunnerVersion;

const WARN_WITHIN: OptionSpec = OptionSpec {
    name: "warn-within",
    kind: OptionKind::Duration,
    default: "14d",
    help: "Time before the end of a version from which on the gate warns.",
};

/// Longest time for what is only a note.
const NOTE_LIMIT: Duration = Duration::from_secs(2);

impl Check for RunnerVersion {
    fn id(&self) -> &'static str {
        "runner-version"
    }

    fn question(&self) -> &'static str {
        "Will GitHub still give jobs to the runner's version?"
    }

    fn runbook(&self) -> &'static str {
        "runner-offline-restore"
    }

    fn scope(&self) -> Scope {
        Scope::Runner
    }

    fn explain(&self) -> &'static str {
        "Takes the version from GitHub's list of runners and asks when GitHub stops giving jobs to it. Pass: no end is announced, or it is \
         further away than warn-within. Warn: it is nearer. Fail: it has passed, so the runner gets no jobs. Unknown: the token may not list \
         runners, or the runner never told its version; that is only shown by default. Skipped: this server does not say when versions end \
         (GitHub Enterprise Server), or the runner is not listed. Needs a token that may list runners."
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

    fn options(&self) -> &'static [OptionSpec] {
        const { &[WARN_WITHIN] }
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            let found = match listed(ctx).await {
                Ok(Ok((_, found))) => found,
                Ok(Err(outcome)) => return Ok(outcome),
                Err(error) => return Ok(unlisted(&error, by_exporter(ctx).await)),
            };
            let within = ctx.config.check(self.id()).duration(&WARN_WITHIN);
            ask(ctx, &found, within).await
        })
    }
}

/// What the runner's exporter says through Prometheus. Worth a note only: when a version ends is GitHub's to say.
async fn by_exporter(ctx: &Ctx<'_>) -> Option<String> {
    let (prometheus, runner) = (ctx.sources.prometheus.as_ref()?, ctx.runner?);
    let query = format!("runner_info{{runner=\"{}\"}}", prometheus::quote(&runner.name));
    let found = prometheus.query(&query, ctx.deadline.at_most(NOTE_LIMIT)).await.ok()?;
    found.iter().find_map(|series| series.label("version")).map(str::to_owned)
}

fn unlisted(error: &Error, version: Option<String>) -> Outcome {
    let outcome =
        Outcome { help: error.help().map(str::to_owned), ..Outcome::unknown(error.chain()) };
    match version {
        Some(version) => outcome.saw("version, by its exporter", version),
        None => outcome,
    }
}

async fn ask(ctx: &Ctx<'_>, found: &Registered, within: Duration) -> Result<Outcome, Error> {
    let name = &found.runner.name;
    let version = found.runner.version.as_deref().map(|v| v.trim().trim_start_matches('v'));
    let Some(version) = version.filter(|v| !v.is_empty()) else {
        return Ok(Outcome::unknown(format!(
            "GitHub knows no version of `{name}`: it has never connected"
        ))
        .help("start the runner once; its listener tells the version when it connects"));
    };
    let Ok(github) = &ctx.sources.github else {
        return Ok(Outcome::unknown("GitHub was not asked"));
    };
    let asked = github.version_end(&ctx.job.repository, found.scope, version, ctx.deadline).await;
    let outcome = match asked {
        Ok(end) => judge(name, version, &end, ctx.sources.now, within),
        Err(error) if is_missing(&error) => {
            Outcome::skipped(format!("this server does not say when version {version} of the runner ends"))
                .help("compare it with the newest one: `gh api repos/actions/runner/releases/latest --jq .tag_name`")
        }
        Err(error) => return Err(error),
    };
    Ok(outcome.saw("version", version))
}

/// The list of runners was readable, and the same permission opens this path: a 404 means that the server does not have it.
fn is_missing(error: &Error) -> bool {
    matches!(error.cause(), Cause::Status { status: 404, .. })
}

const UPDATE: &str = "update the runner: stop its service, unpack the newest release over its folder, start it; or register it without --disableupdate";

fn judge(name: &str, version: &str, end: &VersionEnd, now: i64, within: Duration) -> Outcome {
    let subject = format!("`{name}` has version {version}");
    let Some(text) = &end.runtime_deprecates_at else {
        return Outcome::pass(format!("{subject}: GitHub announces no end of it"));
    };
    let Ok(ends) = text.trim().parse::<Timestamp>() else {
        return Outcome::unknown(format!("{subject}: GitHub names an end that is no date"))
            .help("look at the list of releases of actions/runner; a newer runner-guard may know the form");
    };
    let left = ends.as_second() - now;
    let days = left.unsigned_abs() / (24 * 3600);
    let day = text.get(..10).unwrap_or(text);
    let warned = i64::try_from(within.as_secs()).unwrap_or(i64::MAX);
    let outcome = if left <= 0 {
        Outcome::fail(format!("{subject}, which gets no jobs since {day} ({days} days)"))
            .help(UPDATE)
    } else if left < warned {
        Outcome::warn(format!("{subject}, which gets no jobs from {day} on ({days} days left)"))
            .help(UPDATE)
    } else {
        Outcome::pass(format!("{subject}, which gets jobs until {day} ({days} days left)"))
    };
    outcome.saw_limit(
        "gets jobs until",
        text,
        format!("{} days from now", within.as_secs() / (24 * 3600)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Status;

    const DAY: i64 = 24 * 3600;
    /// 2026-09-01T00:00:00Z
    const END: i64 = 1_788_220_800;

    fn at(now: i64, end: Option<&str>) -> Outcome {
        let end =
            VersionEnd { runtime_deprecates_at: end.map(str::to_owned), ..VersionEnd::default() };
        judge("a", "2.300.0", &end, now, Duration::from_hours(14 * 24))
    }

    #[test]
    fn the_end_of_a_version_is_counted_in_days() {
        let end = Some("2026-09-01T00:00:00Z");
        let says = |now: i64| (at(now, end).status, at(now, end).summary);
        let (status, text) = says(END - 5 * DAY);
        assert_eq!(status, Status::Warn);
        assert!(text.contains("from 2026-09-01 on (5 days left)"), "{text}");
        assert_eq!(says(END + DAY).0, Status::Fail);
        assert_eq!(says(END).0, Status::Fail);
        assert_eq!(says(END - 14 * DAY).0, Status::Pass);
        assert_eq!(at(END, None).status, Status::Pass);
        assert_eq!(at(END, Some("soon")).status, Status::Unknown);
    }
}
