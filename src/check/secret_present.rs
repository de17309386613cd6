//! Are the required secrets there? From the value that was handed in, else from GitHub's lists of names. Never shows a value, its length,
//! a part or a hash of it.

mod around;

use std::collections::BTreeSet;

use futures_util::future::OptionFuture;

pub(super) use around::in_time;

use around::Around;

use super::{Check, Ctx, Need, Scope};
use crate::config::{SecretPolicy, SecretValue};
use crate::report::{Observation, Outcome, Status};
use crate::source::Error;
use crate::task::BoxFuture;

pub(super) struct SecretPresent;

impl Check for SecretPresent {
    fn id(&self) -> &'static str {
        "secret-present"
    }

    fn question(&self) -> &'static str {
        "Are the required secrets present?"
    }

    fn runbook(&self) -> &'static str {
        "secrets-expired-rotation"
    }

    fn scope(&self) -> Scope {
        Scope::Run
    }

    fn explain(&self) -> &'static str {
        "For every secret of the configuration the value of RUNNER_GUARD_SECRET_<NAME> decides; without that variable the names in GitHub's \
         lists do (environment before repository before organisation). Pass: all that are required are present. Warn: an optional one holds only \
         blanks or a placeholder. Fail: a required one is missing (an empty value, or in none of the complete lists), blank or a placeholder. \
         Unknown: a list could not be read, no environment is named while the repository has some, or the run comes from a fork or from \
         Dependabot, which get no secrets of Actions; a 403 or 404 never means missing. Skipped: no secret is named."
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

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            let policies = &ctx.config.secrets;
            if policies.is_empty() {
                return Ok(none_named());
            }
            let value =
                |policy: &SecretPolicy| ctx.secrets.get(&policy.name).map(SecretValue::expose);
            let lists_help = policies.iter().any(|p| value(p).is_none_or(str::is_empty));
            let around: OptionFuture<_> = lists_help.then(|| Around::look(ctx)).into();
            let around = around.await.unwrap_or_default();
            let rows = policies.iter().map(|policy| {
                let found = match value(policy) {
                    None => around.by_name(&policy.name),
                    Some("") => around.empty(&policy.name),
                    Some(value) => by_value(value),
                };
                Row { policy, found }
            });
            Ok(judge(ctx, &rows.collect::<Vec<_>>()))
        })
    }
}

/// The answer of all checks of secrets when there is none.
pub(super) fn none_named() -> Outcome {
    Outcome::skipped("no secret is required")
        .help("name the secrets that the deploy needs: `secrets:` in the file, or the input required-secrets")
}

/// How a secret ended, in the words of the report's table of secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Present,
    Missing,
    Blank,
    Placeholder,
    Malformed,
    Expired,
    /// Whole days that are left.
    ExpiresIn(i64),
    CannotBeKnown,
}

impl State {
    /// The row of the table: the secret's name, the word, and what stands behind it.
    pub(super) fn row(self, name: &str, detail: &str) -> Observation {
        let word = match self {
            Self::Present => "present".to_owned(),
            Self::Missing => "missing".to_owned(),
            Self::Blank => "blank".to_owned(),
            Self::Placeholder => "placeholder".to_owned(),
            Self::Malformed => "malformed".to_owned(),
            Self::Expired => "expired".to_owned(),
            Self::ExpiresIn(1) => "expires in 1 day".to_owned(),
            Self::ExpiresIn(days) => format!("expires in {days} days"),
            Self::CannotBeKnown => "cannot be known here".to_owned(),
        };
        let value = if detail.is_empty() { word } else { format!("{word} ({detail})") };
        Observation { name: name.to_owned(), value, limit: None }
    }
}

/// What was found about one secret.
struct Found {
    state: State,
    detail: String,
    /// What to do about it, when that is not the same for every secret in this state.
    help: Option<String>,
}

impl Found {
    fn new(state: State, detail: impl Into<String>) -> Self {
        Self { state, detail: detail.into(), help: None }
    }

    fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

struct Row<'a> {
    policy: &'a SecretPolicy,
    found: Found,
}

fn by_value(value: &str) -> Found {
    if value.trim().is_empty() {
        Found::new(State::Blank, "only blanks were handed in")
    } else if is_placeholder(value) {
        Found::new(State::Placeholder, "")
    } else {
        Found::new(State::Present, "handed in")
    }
}

/// Words that stand where a secret should be. Compared without case, `-`, `_` and blanks.
const PLACEHOLDERS: &[&str] = &[
    "changeme",
    "changeit",
    "changethis",
    "todo",
    "tbd",
    "fixme",
    "placeholder",
    "dummy",
    "example",
    "secret",
    "password",
    "token",
    "null",
    "none",
    "undefined",
    "nil",
    "na",
    "n/a",
    "replaceme",
    "insertsecrethere",
    "yoursecret",
    "yoursecrethere",
    "yourtoken",
    "yourtokenhere",
    "yourpassword",
    "yourpasswordhere",
    "notset",
    "unset",
    "empty",
];

/// Whether somebody wrote a word where a secret should be.
fn is_placeholder(value: &str) -> bool {
    let value = value.trim();
    let folded: String = value
        .chars()
        .filter(|c| !matches!(c, '-' | '_' | ' '))
        .flat_map(char::to_lowercase)
        .collect();
    let one_character = value.chars().collect::<BTreeSet<char>>().len() == 1;
    let expression = value.starts_with("${") || value.starts_with("{{");
    let bracketed = value.starts_with('<') && value.ends_with('>') && !value.contains('\n');
    PLACEHOLDERS.contains(&folded.as_str()) || one_character || expression || bracketed
}

/// The value that was handed in for a name; `None` when there is none to look at: missing, blank and placeholder are told here alone.
pub(super) fn usable<'a>(ctx: &Ctx<'a>, name: &str) -> Option<&'a str> {
    let value = ctx.secrets.get(name)?.expose();
    (!value.trim().is_empty() && !is_placeholder(value)).then_some(value)
}

fn judge(ctx: &Ctx<'_>, rows: &[Row<'_>]) -> Outcome {
    let required = || rows.iter().filter(|row| !row.policy.optional);
    let bad: Vec<&Row<'_>> = required().filter(|row| row.bad().is_some()).collect();
    let unknown: Vec<&Row<'_>> =
        required().filter(|row| row.found.state == State::CannotBeKnown).collect();
    // An optional secret may be missing; what was stored in its place is worth a look.
    let odd = |row: &&Row<'_>| matches!(row.found.state, State::Blank | State::Placeholder);
    let odd: Vec<&Row<'_>> = rows.iter().filter(odd).collect();
    let mut outcome = if let Some(first) = bad.first() {
        Outcome::new(Status::Fail, sentences(&bad)).help(first.help(&ctx.config.environment))
    } else if let Some(first) = unknown.first() {
        let names: Vec<&str> = unknown.iter().map(|row| row.policy.name.as_str()).collect();
        let what = format!("can not tell whether {} is there", names.join(", "));
        Outcome::unknown(format!("{what}: {}", first.found.detail))
            .help(first.help(&ctx.config.environment))
    } else if let Some(first) = odd.first() {
        Outcome::warn(sentences(&odd)).help(first.help(&ctx.config.environment))
    } else {
        let optional = rows.iter().filter(|row| row.policy.optional);
        let absent = optional.filter(|row| row.found.state == State::Missing).count();
        let total = required().count();
        let note = if absent > 0 { format!("; {absent} optional missing") } else { String::new() };
        Outcome::pass(format!("{total} of {total} required secrets are present{note}"))
    };
    outcome.observations = rows.iter().map(Row::observation).collect();
    outcome
}

fn sentences(rows: &[&Row<'_>]) -> String {
    let said = rows.iter().filter_map(|row| Some(format!("{} is {}", row.policy.name, row.bad()?)));
    few(said.collect())
}

/// The first sentences of a line; the rows of the table say the rest.
pub(super) fn few(mut sentences: Vec<String>) -> String {
    const SHOWN: usize = 3;
    let more = sentences.len().saturating_sub(SHOWN);
    sentences.truncate(SHOWN);
    let line = sentences.join("; ");
    if more > 0 { format!("{line}; and {more} more") } else { line }
}

impl Row<'_> {
    fn bad(&self) -> Option<&'static str> {
        match self.found.state {
            State::Missing => Some("missing"),
            State::Blank => Some("blank"),
            State::Placeholder => Some("a placeholder, not a secret"),
            State::Malformed | State::Expired => Some("unusable"),
            State::Present | State::ExpiresIn(_) | State::CannotBeKnown => None,
        }
    }

    fn observation(&self) -> Observation {
        let optional = if self.policy.optional { "optional" } else { "" };
        let detail = [optional, self.found.detail.as_str()];
        let detail = detail.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
        self.found.state.row(&self.policy.name, &detail.join("; "))
    }

    fn help(&self, environment: &str) -> String {
        let name = &self.policy.name;
        let own = || {
            format!(
                "define it under Settings, Secrets and variables, Actions, or in the environment (`{}`), and pass it as env \
                 RUNNER_GUARD_SECRET_{name}: ${{{{ secrets.{name} }}}}",
                set_again(name, environment)
            )
        };
        self.found.help.clone().unwrap_or_else(own)
    }
}

/// The command that stores a secret; its value comes from a file, never from the command line.
pub(super) fn set_again(name: &str, environment: &str) -> String {
    let scope =
        if environment.is_empty() { String::new() } else { format!(" --env {environment}") };
    format!("gh secret set {name}{scope} < FILE")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_told_from_secrets() {
        for word in [
            "changeme",
            "CHANGE_ME",
            "<your token>",
            "xxxxxxxx",
            "***",
            "${{ secrets.X }}",
            "TODO\n",
            "your-token-here",
        ] {
            assert!(is_placeholder(word), "{word}");
        }
        for word in [
            "hunter2hunter2",
            "-----BEGIN KEY-----\nabc",
            "a8f5f167f44f4964e6c998dee827110c",
            "<a>\nb",
        ] {
            assert!(!is_placeholder(word), "{word}");
        }
    }

    #[test]
    fn the_words_of_the_table_of_secrets_are_fixed() {
        let states = [
            (State::Present, "present"),
            (State::Missing, "missing"),
            (State::Blank, "blank"),
            (State::Placeholder, "placeholder"),
            (State::Malformed, "malformed"),
            (State::Expired, "expired"),
            (State::ExpiresIn(3), "expires in 3 days"),
            (State::CannotBeKnown, "cannot be known here"),
        ];
        for (state, word) in states {
            assert_eq!(state.row("A", "").value, word);
            assert_eq!(state.row("A", "why").value, format!("{word} (why)"));
        }
    }
}
