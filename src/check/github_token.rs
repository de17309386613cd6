//! Is the token of the gate valid for long enough, and may it no more than it needs? Never shows a part of it.

use std::time::Duration;

use jiff::Timestamp;

use super::{Check, Ctx, Scope};
use crate::config::{Level, OptionKind, OptionSpec};
use crate::report::Outcome;
use crate::source::Error;
use crate::source::github::TokenFacts;
use crate::task::BoxFuture;

pub(super) struct GitHubToken;

const WARN_WITHIN: OptionSpec = OptionSpec {
    name: "warn-within",
    kind: OptionKind::Duration,
    default: "14d",
    help: "Time before its end from which on the token is warned about.",
};

const DAY: i64 = 86_400;

impl Check for GitHubToken {
    fn id(&self) -> &'static str {
        "github-token"
    }

    fn question(&self) -> &'static str {
        "Is the gate's own GitHub token valid for long enough, and may it no more than it needs?"
    }

    fn runbook(&self) -> &'static str {
        "secrets-expired-rotation"
    }

    fn scope(&self) -> Scope {
        Scope::Run
    }

    fn explain(&self) -> &'static str {
        "Shows the token to GitHub and reads what comes back about it; says which kind was used. Pass: taken, and not near its end. Warn: it \
         ends within warn-within, or it is a classic token with scopes that a gate never needs. Fail: expired, revoked or mistyped; then most \
         of what the gate asks GitHub has no answer, but the deploy may use another token, so by its level it warns. Unknown: GitHub did not \
         answer. Skipped: no token was given."
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

    fn options(&self) -> &'static [OptionSpec] {
        const { &[WARN_WITHIN] }
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            let github = match &ctx.sources.github {
                Ok(github) => github,
                Err(why) => return Ok(without(why)),
            };
            let kind = github.identity();
            match github.token_facts(ctx.deadline).await {
                Ok(facts) => {
                    let within = ctx.config.check(self.id()).duration(&WARN_WITHIN);
                    Ok(judge(&kind, &facts, within, ctx.sources.now))
                }
                Err(error) if error.status() == Some(401) => Ok(refused(&kind, &error)),
                Err(error) => Err(error),
            }
        })
    }
}

fn without(why: &str) -> Outcome {
    if why.contains("no GitHub token was given") {
        return Outcome::skipped("no GitHub token was given").help(
            "set the input github-token; with the workflow's own token and `permissions: actions: read` the gate sees more",
        );
    }
    Outcome::fail(format!("the gate can not show itself to GitHub: {why}"))
        .help("correct the input github-token, or app-id together with app-private-key")
}

fn refused(kind: &str, error: &Error) -> Outcome {
    let help = error.help().unwrap_or("renew the secret behind github-token");
    Outcome::fail(format!("GitHub does not take the token ({kind}): {}", error.chain()))
        .help(help)
        .saw("token", kind)
}

fn judge(kind: &str, facts: &TokenFacts, within: Duration, now: i64) -> Outcome {
    let wide: Vec<&str> = facts.scopes.iter().map(String::as_str).filter(|s| is_wide(s)).collect();
    let soon = i64::try_from(within.as_secs()).unwrap_or(i64::MAX);
    let ends = facts.ends.as_deref();
    let left = ends.and_then(end).map(|end| end.saturating_sub(now));
    let renew = "make a new token and store it as the secret behind github-token before this one ends; a GitHub App needs no such date";
    let outcome = match (ends, left) {
        (Some(_), Some(left)) if left <= 0 => {
            Outcome::fail(format!("the token ({kind}) has ended {} ago", span(-left))).help(renew)
        }
        (Some(_), Some(left)) if left < soon => {
            Outcome::warn(format!("the token ({kind}) ends in {}", span(left))).help(renew)
        }
        _ if !wide.is_empty() => {
            Outcome::warn(format!("the token ({kind}) may more than a gate needs: {}", wide.join(", ")))
                .help("use a GitHub App or a fine-grained token that may only read; who steals this one can do all of that")
        }
        (Some(text), None) => {
            Outcome::unknown(format!("GitHub takes the token ({kind}), but its end `{text}` is not a time that is known here"))
                .help("look at its end in the settings of the account that it belongs to")
        }
        (_, Some(left)) => Outcome::pass(format!("GitHub takes the token ({kind}); it ends in {}", span(left))),
        (None, None) => Outcome::pass(format!("GitHub takes the token ({kind}) and names no end of it")),
    };
    let outcome = outcome.saw("token", kind);
    let outcome = match ends {
        Some(ends) => outcome.saw_limit("ends", ends, format!("{} before it", span(soon))),
        None => outcome,
    };
    if facts.scopes.is_empty() { outcome } else { outcome.saw("scopes", facts.scopes.join(", ")) }
}

/// Scopes of a classic token that let it administer, delete or manage; reading needs `repo`, `read:org` or `manage_runners`.
fn is_wide(scope: &str) -> bool {
    ["admin:", "delete", "site_admin", "write:org"].iter().any(|start| scope.starts_with(start))
}

/// `2027-10-12 09:00:00 UTC`, `2027-10-12 09:00:00 +0200` or RFC 3339, in seconds since 1970.
fn end(text: &str) -> Option<i64> {
    let text = text.trim().replace(" UTC", " +0000");
    let read = Timestamp::strptime("%Y-%m-%d %H:%M:%S %z", &text);
    read.or_else(|_| text.parse()).ok().map(Timestamp::as_second)
}

fn span(seconds: i64) -> String {
    match seconds {
        ..5400 => format!("{} min", seconds / 60),
        5400..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / DAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_read_in_every_form_that_github_writes() {
        let utc = end("2027-10-12 09:00:00 UTC");
        assert_eq!(utc, Some(1_823_331_600));
        assert_eq!(end("2027-10-12 11:00:00 +0200"), utc);
        assert_eq!(end("2027-10-12T09:00:00Z"), utc);
        assert_eq!(end("next week"), None);
    }

    #[test]
    fn spans_read_like_words() {
        for (seconds, words) in [(90, "1 min"), (7200, "2 h"), (12 * DAY, "12 days")] {
            assert_eq!(span(seconds), words);
        }
    }

    #[test]
    fn what_a_gate_needs_is_not_too_wide() {
        assert!(["admin:org", "delete_repo", "site_admin"].iter().all(|s| is_wide(s)));
        assert!(!["repo", "read:org", "workflow", "manage_runners:org"].iter().any(|s| is_wide(s)));
    }
}
