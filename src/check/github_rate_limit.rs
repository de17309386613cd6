//! Is enough of the API budget left? Everybody who uses the same token, or the workflow's token in the same repository, shares it.

use super::{Check, Ctx, Scope};
use crate::config::{Level, OptionKind, OptionSpec};
use crate::report::Outcome;
use crate::source::Error;
use crate::source::github::RateLimit;
use crate::task::BoxFuture;

pub(super) struct GitHubRateLimit;

const MIN_REMAINING: OptionSpec = OptionSpec {
    name: "min-remaining",
    kind: OptionKind::Number,
    default: "100",
    help: "Fewest API calls that must be left in this hour.",
};

impl Check for GitHubRateLimit {
    fn id(&self) -> &'static str {
        "github-rate-limit"
    }

    fn question(&self) -> &'static str {
        "Is enough of the API budget left?"
    }

    fn runbook(&self) -> &'static str {
        "production-deployment-failures"
    }

    fn scope(&self) -> Scope {
        Scope::Run
    }

    fn explain(&self) -> &'static str {
        "Asks what is left of the token's calls in this hour; the question itself is free. Pass: min-remaining or more, or a server of one's \
         own that sets no limit. Warn: less. Fail: nothing is left, so what the gate asks GitHub has no answer; by its level even that only \
         warns. Unknown: GitHub did not say; nothing is held against the deploy. Skipped: there is no token."
    }

    fn level(&self) -> Level {
        Level::Warn
    }

    fn on_unknown(&self) -> Option<Level> {
        Some(Level::Allow)
    }

    fn options(&self) -> &'static [OptionSpec] {
        const { &[MIN_REMAINING] }
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            let github = match &ctx.sources.github {
                Ok(github) => github,
                Err(why) => {
                    return Ok(Outcome::skipped(format!("no token, no budget: {why}"))
                        .help("set the input github-token; the workflow's own token will do"));
                }
            };
            let least = ctx.config.check(self.id()).number(&MIN_REMAINING);
            let found = github.rate_limit(ctx.deadline).await?;
            Ok(found.map_or_else(
                || Outcome::pass("this GitHub server sets no limit"),
                |rate| judge(&rate, least, ctx.sources.now),
            ))
        })
    }
}

fn judge(rate: &RateLimit, least: u64, now: i64) -> Outcome {
    let minutes = rate.reset.saturating_sub(now).max(0).saturating_add(59) / 60;
    let left = format!(
        "{} of {} API calls of this hour are left; the budget is full again in {minutes} min",
        rate.remaining, rate.limit
    );
    let help = format!(
        "wait {minutes} min, look for who else uses this token, or give the gate a GitHub App, which has a budget of its own"
    );
    let outcome = if rate.remaining == 0 {
        Outcome::fail(left).help(help)
    } else if rate.remaining < least {
        Outcome::warn(left).help(help)
    } else {
        Outcome::pass(left)
    };
    outcome
        .saw("limit", format!("{} an hour", rate.limit))
        .saw_limit("remaining", rate.remaining.to_string(), least.to_string())
        .saw("reset", format!("in {minutes} min"))
        .saw("used", rate.used.to_string())
}
