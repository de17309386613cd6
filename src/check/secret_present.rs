//! Are the required secrets there? From the value that was handed in, else from GitHub's lists of names. Never shows a value, its length,
//! a part or a hash of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Check, Ctx, Scope};
use crate::report::{Observation, Outcome, Status};
use crate::source::Error;
use crate::source::github::{ApiSecret, SecretScope};
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
        "For every required name: the value of RUNNER_GUARD_SECRET_<NAME> decides, blank or a placeholder means missing. Without that variable \
         the names in GitHub's lists decide (repository, organisation, environment). Fail: missing for certain. Unknown: a list could not be \
         read; a 403 or 404 never means missing. Skipped: nothing is required."
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            let required = &ctx.config.secrets;
            if required.is_empty() {
                return Ok(Outcome::skipped("no secret is required"));
            }
            let handed_in = |name: &&String| ctx.secrets.contains_key(*name);
            let (by_value, by_name): (Vec<&String>, Vec<&String>) =
                required.iter().map(|policy| &policy.name).partition(handed_in);
            let mut rows: Vec<(String, Presence)> =
                by_value.into_iter().map(|n| (n.clone(), by_its_value(ctx, n))).collect();
            if !by_name.is_empty() {
                let lists = Lists::read(ctx).await;
                rows.extend(by_name.into_iter().map(|name| (name.clone(), lists.presence(name))));
            }
            Ok(judge(rows))
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Presence {
    Present(&'static str),
    Missing(&'static str),
    Blank,
    Placeholder,
    CannotKnow(String),
}

fn by_its_value(ctx: &Ctx<'_>, name: &str) -> Presence {
    let value = ctx.secrets.get(name).map_or("", |v| v.expose()).trim();
    if value.is_empty() {
        Presence::Blank
    } else if is_placeholder(value) {
        Presence::Placeholder
    } else {
        Presence::Present("handed in")
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
    "notset",
    "unset",
    "empty",
];

fn is_placeholder(value: &str) -> bool {
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

/// What GitHub's lists say; an unreadable list keeps its reason.
struct Lists {
    names: BTreeSet<String>,
    unread: Option<String>,
}

impl Lists {
    async fn read(ctx: &Ctx<'_>) -> Self {
        let none = |why: String| Self { names: BTreeSet::new(), unread: Some(why) };
        let github = match &ctx.sources.github {
            Ok(github) if !ctx.job.repository.is_empty() => github,
            Ok(_) => return none("no repository is named".to_owned()),
            Err(why) => return none(why.clone()),
        };
        let repository = &ctx.job.repository;
        let environment = async {
            if ctx.config.environment.is_empty() {
                return Ok(Arc::default());
            }
            let scope = SecretScope::Environment(&ctx.config.environment);
            github.secrets(repository, scope, ctx.deadline).await
        };
        let (a, b, c) = futures_util::join!(
            github.secrets(repository, SecretScope::Repository, ctx.deadline),
            github.secrets(repository, SecretScope::Organization, ctx.deadline),
            environment,
        );
        let lists: [Result<Arc<Vec<ApiSecret>>, Error>; 3] = [a, b, c];
        let unread = lists.iter().find_map(|list| list.as_ref().err().map(Error::chain));
        let names = lists
            .iter()
            .flatten()
            .flat_map(|list| list.iter())
            .map(|secret| secret.name.to_ascii_uppercase())
            .collect();
        Self { names, unread }
    }

    fn presence(&self, name: &str) -> Presence {
        if self.names.contains(name) {
            return Presence::Present("defined; its value was not handed in");
        }
        match &self.unread {
            Some(why) => Presence::CannotKnow(why.clone()),
            None => Presence::Missing(
                "in none of the lists of repository, organisation and environment",
            ),
        }
    }
}

fn judge(rows: Vec<(String, Presence)>) -> Outcome {
    let total = rows.len();
    let bad: Vec<String> = rows
        .iter()
        .filter_map(|(name, p)| bad_word(p).map(|word| format!("{name} is {word}")))
        .collect();
    let unknown: Vec<&str> = rows
        .iter()
        .filter(|(_, p)| matches!(p, Presence::CannotKnow(_)))
        .map(|(n, _)| n.as_str())
        .collect();
    let why = rows.iter().find_map(|(_, p)| {
        if let Presence::CannotKnow(why) = p { Some(why.clone()) } else { None }
    });
    let mut outcome = if !bad.is_empty() {
        Outcome::new(Status::Fail, bad.join("; "))
            .help("define it under Settings, Secrets and variables, Actions (or in the environment), and pass it as env RUNNER_GUARD_SECRET_<NAME>")
    } else if let Some(name) = unknown.first() {
        let help =
            format!("pass the value: env RUNNER_GUARD_SECRET_{name}: ${{{{ secrets.{name} }}}}");
        Outcome::unknown(format!(
            "can not tell whether {} is there: {}",
            unknown.join(", "),
            why.unwrap_or_default()
        ))
        .help(help)
    } else {
        Outcome::pass(format!("{total} of {total} required secrets are present"))
    };
    outcome.observations = rows
        .into_iter()
        .map(|(name, presence)| Observation { name, value: word(&presence), limit: None })
        .collect();
    outcome
}

fn bad_word(presence: &Presence) -> Option<&'static str> {
    match presence {
        Presence::Present(_) | Presence::CannotKnow(_) => None,
        Presence::Missing(_) => Some("missing"),
        Presence::Blank => Some("missing or blank"),
        Presence::Placeholder => Some("a placeholder, not a secret"),
    }
}

fn word(presence: &Presence) -> String {
    match presence {
        Presence::Present(how) => format!("present ({how})"),
        Presence::Missing(where_) => format!("missing ({where_})"),
        Presence::Blank => "missing or blank".to_owned(),
        Presence::Placeholder => "placeholder".to_owned(),
        Presence::CannotKnow(_) => "can not be known here".to_owned(),
    }
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
            "${{ secrets.X }}",
            "TODO",
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
    fn an_unreadable_list_never_makes_a_secret_missing() {
        let lists = Lists { names: BTreeSet::new(), unread: Some("status 404".to_owned()) };
        let outcome = judge(vec![("A".to_owned(), lists.presence("A"))]);
        assert_eq!(outcome.status, Status::Unknown);
        assert!(
            outcome.summary.contains("status 404")
                && outcome.help.unwrap().contains("RUNNER_GUARD_SECRET_A")
        );
    }

    #[test]
    fn complete_lists_prove_that_a_secret_is_missing() {
        let lists = Lists { names: BTreeSet::from(["B".to_owned()]), unread: None };
        let outcome = judge(vec![
            ("A".to_owned(), lists.presence("A")),
            ("B".to_owned(), lists.presence("B")),
        ]);
        assert_eq!(outcome.status, Status::Fail);
        assert_eq!(outcome.summary, "A is missing");
    }
}
