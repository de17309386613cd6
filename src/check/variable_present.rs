//! Are the required configuration variables set? From the value that was handed in, else from GitHub's lists of names.

use super::{Check, Ctx, Need, Scope};
use crate::report::{Observation, Outcome};
use crate::source::github::VariableScope;
use crate::source::{Cause, Error};
use crate::task::BoxFuture;

pub(super) struct VariablePresent;

impl Check for VariablePresent {
    fn id(&self) -> &'static str {
        "variable-present"
    }

    fn question(&self) -> &'static str {
        "Are the required variables set?"
    }

    fn runbook(&self) -> &'static str {
        "secrets-expired-rotation"
    }

    fn scope(&self) -> Scope {
        Scope::Run
    }

    fn explain(&self) -> &'static str {
        "For every required name: the value of RUNNER_GUARD_VARIABLE_<NAME> decides, blank means that it is missing. Without it GitHub's lists \
         of names decide (environment, repository, organisation), and where it is defined is said. Fail: missing for certain. Unknown: a list \
         could not be read; the workflow's own token never can, and a 403 or 404 never means missing. Skipped: none is required."
    }

    fn heals(&self) -> bool {
        false
    }

    fn needs(&self) -> &'static [Need] {
        &[
            Need::TokenPermission("Variables: read (repository)"),
            Need::TokenPermission("Environments: read (repository)"),
        ]
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            let required = &ctx.config.variables;
            if required.is_empty() {
                return Ok(Outcome::skipped("no variable is required")
                    .help("name those that the deploy needs in the input required-variables"));
            }
            let by_value: Vec<Option<Presence>> =
                required.iter().map(|name| by_its_value(ctx, name)).collect();
            let lists = if by_value.iter().all(Option::is_some) {
                Lists::default()
            } else {
                Lists::read(ctx).await
            };
            let rows = required.iter().zip(by_value);
            let rows = rows.map(|(name, known)| {
                (name.as_str(), known.unwrap_or_else(|| lists.presence(name)))
            });
            Ok(judge(&rows.collect::<Vec<_>>(), &lists))
        })
    }
}

enum Presence {
    Present(String),
    Blank,
    Missing,
    CannotKnow,
}

fn by_its_value(ctx: &Ctx<'_>, name: &str) -> Option<Presence> {
    let handed_in = ctx.job.variables.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
    handed_in.map(|(_, value)| match value.trim() {
        "" => Presence::Blank,
        _ => Presence::Present("handed in".to_owned()),
    })
}

/// A list that could not be read, by the name of its scope.
type Unread = (String, Error);

/// What GitHub's lists say, the strongest scope first, and why some could not be read.
#[derive(Default)]
struct Lists {
    read: Vec<(String, Vec<String>)>,
    unread: Vec<Unread>,
}

impl Lists {
    async fn read(ctx: &Ctx<'_>) -> Self {
        let unread = |error| Self { unread: vec![("GitHub".to_owned(), error)], ..Self::default() };
        let github = match ctx.sources.api() {
            Ok(_) if ctx.job.repository.is_empty() => {
                let cause = Cause::Other("no repository is named".to_owned());
                let error = Error::new("list the variables", cause);
                return unread(error.with_help("ask from a job, or set GITHUB_REPOSITORY"));
            }
            Ok(github) => github,
            Err(error) => return unread(error),
        };
        let (repository, environment) = (&ctx.job.repository, ctx.config.environment.as_str());
        let names = async |scope: VariableScope<'_>| {
            (scope.word(), github.variables(repository, scope, ctx.deadline).await)
        };
        let of_environment = async {
            if environment.is_empty() {
                return None;
            }
            Some(names(VariableScope::Environment(environment)).await)
        };
        let (a, b, c) = futures_util::join!(
            of_environment,
            names(VariableScope::Repository),
            names(VariableScope::Organization),
        );
        let mut lists = Self::default();
        for (scope, list) in a.into_iter().chain([b, c]) {
            match list {
                Ok(names) => lists.read.push((scope, names)),
                Err(error) => lists.unread.push((scope, error)),
            }
        }
        lists
    }

    fn presence(&self, name: &str) -> Presence {
        let has = |names: &[String]| names.iter().any(|n| n.eq_ignore_ascii_case(name));
        match self.read.iter().find(|(_, names)| has(names)) {
            Some((scope, _)) => Presence::Present(format!("defined in the {scope}")),
            // Only complete lists prove absence.
            None if self.unread.is_empty() => Presence::Missing,
            None => Presence::CannotKnow,
        }
    }
}

fn judge(rows: &[(&str, Presence)], lists: &Lists) -> Outcome {
    let bad: Vec<String> = rows
        .iter()
        .filter_map(|(name, presence)| match presence {
            Presence::Blank => Some(format!("{name} is missing or blank")),
            Presence::Missing => Some(format!("{name} is missing")),
            Presence::Present(_) | Presence::CannotKnow => None,
        })
        .collect();
    let unknown: Vec<&str> = rows
        .iter()
        .filter(|(_, p)| matches!(p, Presence::CannotKnow))
        .map(|(name, _)| *name)
        .collect();
    let outcome = if !bad.is_empty() {
        Outcome::fail(bad.join("; ")).help(
            "define it under Settings, Secrets and variables, Actions, Variables (or in the environment that the job names)",
        )
    } else if let Some(name) = unknown.first() {
        cannot_know(name, &unknown.join(", "), &lists.unread)
    } else {
        Outcome::pass(format!("{0} of {0} required variables are set", rows.len()))
    };
    let mut outcome = outcome;
    outcome.observations = rows.iter().map(|(name, presence)| seen(name, presence)).collect();
    outcome
}

/// Which lists could not be read and why, each reason once: three lists are mostly refused for the same one.
fn cannot_know(first: &str, names: &str, unread: &[Unread]) -> Outcome {
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    for (list, error) in unread {
        let chain = error.chain();
        let own = chain.split_once(&format!("({list}): "));
        let why = own.map_or(chain.as_str(), |(_, why)| why).to_owned();
        match reasons.iter_mut().find(|(reason, _)| *reason == why) {
            Some((_, lists)) => lists.push(list),
            None => reasons.push((why, vec![list])),
        }
    }
    let told = reasons.iter().map(|(why, lists)| format!("{}: {why}", lists.join(", ")));
    let told = told.collect::<Vec<_>>().join("; ");
    let mut helps: Vec<&str> = unread.iter().filter_map(|(_, error)| error.help()).collect();
    helps.dedup();
    Outcome::unknown(format!("can not tell whether {names} is set ({told})")).help(format!(
        "pass the value: env RUNNER_GUARD_VARIABLE_{first}: ${{{{ vars.{first} }}}}; or {}",
        helps.join("; or ")
    ))
}

fn seen(name: &str, presence: &Presence) -> Observation {
    let value = match presence {
        Presence::Present(how) => format!("set ({how})"),
        Presence::Blank => "missing or blank".to_owned(),
        Presence::Missing => "missing (in none of the lists of GitHub)".to_owned(),
        Presence::CannotKnow => "can not be known here".to_owned(),
    };
    Observation { name: name.to_owned(), value, limit: None }
}
