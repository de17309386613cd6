//! Will the secrets last? The end that stands in a value (certificates, tokens), and the age of a secret against the longest that is allowed.
//! GitHub itself knows no end of a secret.

use std::time::Duration;

use futures_util::future::{OptionFuture, join_all};

use super::secret_present::{State, few, in_time, none_named, set_again, usable};
use super::{Check, Ctx, Need, Scope};
use crate::config::{Level, OptionKind, OptionSpec, SecretKind, SecretPolicy};
use crate::report::{Observation, Outcome};
use crate::source::Error;
use crate::source::credential::{self, End};
use crate::source::github::{Auth, GitHub, SecretPlaces};
use crate::task::BoxFuture;

pub(super) struct SecretExpiry;

const WARN_WITHIN: OptionSpec = OptionSpec {
    name: "warn-within",
    kind: OptionKind::Duration,
    default: "14d",
    help: "Time before an end at which it warns.",
};
const PROBE: OptionSpec = OptionSpec {
    name: "probe",
    kind: OptionKind::Text,
    default: "",
    help: "`true` asks GitHub once for each handed-in github-token when it ends, with that token (GET /rate_limit).",
};

/// Clocks differ: something is not called too early before that.
const CLOCKS: i64 = 300;
const DAY: i64 = 86_400;

impl Check for SecretExpiry {
    fn id(&self) -> &'static str {
        "secret-expiry"
    }

    fn question(&self) -> &'static str {
        "Will the secrets last?"
    }

    fn runbook(&self) -> &'static str {
        "secrets-expired-rotation"
    }

    fn scope(&self) -> Scope {
        Scope::Run
    }

    fn explain(&self) -> &'static str {
        "Looks for an end in every value that was handed in: certificates (the earliest of a chain), JSON web tokens, SSH certificates, what a \
         kubeconfig holds; with `max-age` also at the day on which GitHub stored the secret; with `probe` it asks GitHub when a token ends. Pass: \
         no end within warn-within, or no end at all. Warn: an end within it, or an optional secret has expired. Fail: expired, or not valid yet. \
         Unknown: an age is limited and the lists could not be read, or GitHub did not answer the probe. Skipped: no value and no max-age to look \
         at. Measured by the clock of this machine (see clock-skew)."
    }

    fn on_unknown(&self) -> Option<Level> {
        // The workflow's own token can not read the lists, whatever it is granted.
        Some(Level::Warn)
    }

    fn heals(&self) -> bool {
        false
    }

    fn needs(&self) -> &'static [Need] {
        &[
            Need::TokenPermission("Secrets: read (repository)"),
            Need::TokenPermission("Environments: read (repository)"),
        ]
    }

    fn options(&self) -> &'static [OptionSpec] {
        const { &[WARN_WITHIN, PROBE] }
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            let policies = with_pairs(&ctx.config.secrets);
            if policies.is_empty() {
                return Ok(none_named());
            }
            let settings = ctx.config.check(self.id());
            let within = seconds(settings.duration(&WARN_WITHIN));
            let places: OptionFuture<_> =
                policies.iter().any(|p| p.max_age.is_some()).then(|| places(ctx)).into();
            let probe = settings.word(&PROBE) == Some("true");
            let probes = policies.iter().map(|policy| asked(ctx, policy, probe));
            let (places, probes) = futures_util::join!(places, join_all(probes));
            let examined = policies.iter().zip(probes).filter_map(|(policy, probed)| {
                let found = [by_value(ctx, policy), probed, by_age(policy, places.as_ref())];
                Row::of(policy, found.into_iter().flatten().collect(), ctx.sources.now, within)
            });
            Ok(judge(ctx, &examined.collect::<Vec<_>>(), within))
        })
    }
}

/// The secrets, and the other halves that only a pair names.
fn with_pairs(named: &[SecretPolicy]) -> Vec<SecretPolicy> {
    let mut all = named.to_vec();
    for pair in named.iter().filter_map(|policy| policy.pair.clone()) {
        if !all.iter().any(|policy| policy.name == pair) {
            all.push(SecretPolicy { name: pair, ..SecretPolicy::default() });
        }
    }
    all
}

fn seconds(span: Duration) -> i64 {
    i64::try_from(span.as_secs()).unwrap_or(i64::MAX)
}

/// What one way of asking found out.
enum Found {
    /// Nothing in it ends.
    Endless,
    /// An end, and for an age how long it may be.
    Ends(End, Option<i64>),
    /// Its server refuses it.
    Refused(&'static str),
    Unknown(String, String),
}

fn by_value(ctx: &Ctx<'_>, policy: &SecretPolicy) -> Option<Found> {
    let reading = credential::read_end(policy.kind, usable(ctx, &policy.name)?);
    match reading.first_end() {
        Some(end) => {
            Some(Found::Ends(late_start(&reading.ends, ctx.sources.now).unwrap_or(end), None))
        }
        // What is damaged may have lost its end: secret-format tells.
        None if reading.is_broken() => None,
        None => Some(Found::Endless),
    }
}

/// The one of them that is not valid yet.
fn late_start(ends: &[End], now: i64) -> Option<End> {
    ends.iter().copied().find(|end| end.from.is_some_and(|from| from > now + CLOCKS))
}

/// Asks GitHub with the token itself when it ends; only when somebody wants that.
async fn asked(ctx: &Ctx<'_>, policy: &SecretPolicy, probe: bool) -> Option<Found> {
    if !probe || policy.kind != SecretKind::GitHubToken {
        return None;
    }
    let token = usable(ctx, &policy.name)?;
    let deadline = in_time(ctx);
    let answer = async {
        let github = GitHub::new(&ctx.sources.http, &ctx.job.api_url, Auth::token(token))?;
        let tried = format!("ask GitHub when {} ends", policy.name);
        github.reply(&tried, "/rate_limit", deadline).await?;
        Ok::<_, Error>(github.budget().token_ends)
    };
    Some(match answer.await {
        Ok(None) => Found::Endless,
        Ok(Some(text)) => match credential::expiration(&text) {
            Some(at) => Found::Ends(End { what: "the token", from: None, at }, None),
            None => Found::Unknown(
                "GitHub gave its end in a form that is not known".to_owned(),
                "look at the end of the token in GitHub's settings, or turn `probe` off".to_owned(),
            ),
        },
        Err(error) if error.status() == Some(401) => {
            Found::Refused("GitHub refuses it: expired, revoked or mistyped")
        }
        Err(error) => {
            let help = error.help().unwrap_or("look whether GitHub's API can be reached from here");
            Found::Unknown(error.chain(), help.to_owned())
        }
    })
}

async fn places<'a>(ctx: &Ctx<'a>) -> Result<SecretPlaces<'a>, String> {
    let github = ctx.sources.github.as_ref().map_err(Clone::clone)?;
    if ctx.job.repository.is_empty() {
        return Err("no repository is named".to_owned());
    }
    let (environment, deadline) = (&ctx.config.environment, in_time(ctx));
    Ok(github.secret_places(&ctx.job.repository, environment, deadline).await)
}

/// The day on which a secret is too old. A secret that is missing has no age: secret-present tells.
fn by_age(
    policy: &SecretPolicy,
    places: Option<&Result<SecretPlaces<'_>, String>>,
) -> Option<Found> {
    let longest = seconds(policy.max_age?);
    let unknown = |why: String, permission: &str| {
        let help = format!("use a token with {permission}, or leave out its `max-age`");
        Some(Found::Unknown(format!("its age is not known: {why}"), help))
    };
    let places = match places? {
        Ok(places) => places,
        Err(why) => return unknown(why.clone(), "Secrets: read and Environments: read"),
    };
    match places.effective(&policy.name) {
        Err(error) => {
            let permission =
                places.unread().map_or("Secrets: read", |(scope, _)| scope.permission());
            unknown(error.chain(), permission)
        }
        Ok(None) => None,
        Ok(Some((_, secret))) => {
            let stored =
                secret.updated_at.as_deref().and_then(|t| t.parse::<jiff::Timestamp>().ok());
            match stored {
                None => {
                    unknown("GitHub gave no day on which it was stored".to_owned(), "Secrets: read")
                }
                Some(stored) => {
                    let stored = stored.as_second();
                    let at = stored.saturating_add(longest);
                    Some(Found::Ends(End { what: "the age", from: None, at }, Some(longest)))
                }
            }
        }
    }
}

/// How a secret ended, from good to bad.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Lasts,
    Soon,
    Unknown,
    Over,
}

struct Row {
    name: String,
    verdict: Verdict,
    state: State,
    detail: String,
    help: Option<String>,
}

impl Row {
    /// The worst of what was found; `None` when there was nothing to look at.
    fn of(policy: &SecretPolicy, found: Vec<Found>, now: i64, within: i64) -> Option<Self> {
        let rows = found.into_iter().map(|found| Self::one(policy, found, now, within));
        let worst = rows.reduce(|a, b| {
            let sooner = |row: &Self| row.days().map_or(i64::MIN, |days| -days);
            if (b.verdict, sooner(&b)) > (a.verdict, sooner(&a)) { b } else { a }
        });
        worst.map(|mut row| {
            row.verdict = match row.verdict {
                Verdict::Over if policy.optional => Verdict::Soon,
                Verdict::Unknown if policy.optional => Verdict::Lasts,
                Verdict::Lasts | Verdict::Soon | Verdict::Unknown | Verdict::Over => row.verdict,
            };
            row
        })
    }

    fn one(policy: &SecretPolicy, found: Found, now: i64, within: i64) -> Self {
        let row = |verdict, state, detail: String, help| Self {
            name: policy.name.clone(),
            verdict,
            state,
            detail,
            help,
        };
        match found {
            Found::Endless => {
                row(Verdict::Lasts, State::Present, "no end stands in it".to_owned(), None)
            }
            Found::Refused(why) => row(Verdict::Over, State::Expired, why.to_owned(), None),
            Found::Unknown(why, help) => {
                row(Verdict::Unknown, State::CannotBeKnown, why, Some(help))
            }
            Found::Ends(End { what, from, at }, longest) => {
                let (left, day) = (at.saturating_sub(now), day(at));
                if let Some(from) = from.filter(|from| *from > now.saturating_add(CLOCKS)) {
                    let detail = format!("{what} is valid only from {}", self::day(from));
                    return row(Verdict::Over, State::Malformed, detail, None);
                }
                // A short limit must not warn from the first day on.
                let within = longest.map_or(within, |longest| within.min(longest / 4));
                let limit = longest.map(|l| format!(", it may be {} days old", l / DAY));
                let limit = limit.unwrap_or_default();
                if left <= 0 {
                    let detail = format!("{what} ended {day}{limit}");
                    return row(Verdict::Over, State::Expired, detail, None);
                }
                let verdict = if left < within { Verdict::Soon } else { Verdict::Lasts };
                row(
                    verdict,
                    State::ExpiresIn(left / DAY),
                    format!("{what} ends {day}{limit}"),
                    None,
                )
            }
        }
    }

    /// Whole days that are left.
    fn days(&self) -> Option<i64> {
        match self.state {
            State::ExpiresIn(days) => Some(days),
            State::Present
            | State::Missing
            | State::Blank
            | State::Placeholder
            | State::Malformed
            | State::Expired
            | State::CannotBeKnown => None,
        }
    }

    fn sentence(&self) -> String {
        let (name, detail) = (&self.name, &self.detail);
        if let Some(days) = self.days() {
            let days = if days == 1 { "1 day".to_owned() } else { format!("{days} days") };
            return format!("{name} expires in {days}: {detail}");
        }
        match self.verdict {
            Verdict::Unknown => format!("whether {name} lasts is not known: {detail}"),
            Verdict::Lasts | Verdict::Soon | Verdict::Over if self.state == State::Expired => {
                format!("{name} has expired: {detail}")
            }
            Verdict::Lasts | Verdict::Soon | Verdict::Over => {
                format!("{name} can not be used yet: {detail}")
            }
        }
    }
}

fn day(at: i64) -> String {
    let time = jiff::Timestamp::from_second(at);
    time.map_or_else(|_| "beyond the calendar".to_owned(), |time| time.to_string())
}

fn judge(ctx: &Ctx<'_>, rows: &[Row], within: i64) -> Outcome {
    let Some(worst) = rows.iter().rev().max_by_key(|row| row.verdict) else {
        return Outcome::skipped("no value was handed in and no age is limited").help(
            "pass values as env RUNNER_GUARD_SECRET_<NAME>, or set `max-age` of a secret in `secrets:`",
        );
    };
    let alike = rows.iter().filter(|row| row.verdict == worst.verdict);
    let text = few(alike.map(Row::sentence).collect());
    let again = format!(
        "make a new one, store it (`{}`), then revoke the old one; a wrong clock looks the same (see clock-skew)",
        set_again(&worst.name, &ctx.config.environment)
    );
    let help = worst.help.clone().unwrap_or(again);
    let mut outcome = match worst.verdict {
        Verdict::Over => Outcome::fail(text).help(help),
        Verdict::Unknown => Outcome::unknown(text).help(help),
        Verdict::Soon => Outcome::warn(text).help(help),
        Verdict::Lasts => {
            let with = rows.iter().filter(|row| row.days().is_some()).count();
            let none = rows.len() - with;
            Outcome::pass(format!(
                "no secret ends within {} ({with} with an end, {none} without one)",
                span(within)
            ))
        }
    };
    let limit = Some(format!("warns within {}", span(within)));
    outcome.observations = rows
        .iter()
        .map(|row| Observation { limit: limit.clone(), ..row.state.row(&row.name, &row.detail) })
        .collect();
    outcome
}

fn span(seconds: i64) -> String {
    if seconds % DAY == 0 {
        format!("{} days", seconds / DAY)
    } else {
        format!("{} h", seconds / 3600)
    }
}
