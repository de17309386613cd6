//! What lies around the values of secrets: whether this run gets any, and what GitHub's lists of names say.

use std::time::Duration;

use futures_util::future::OptionFuture;

use super::super::Ctx;
use super::{Found, State};
use crate::config::SecretPolicy;
use crate::source::github::{GitHub, SecretPlaces};
use crate::task::Deadline;

/// Longest wait for one answer of GitHub.
const GITHUB_LIMIT: Duration = Duration::from_secs(5);

/// When GitHub must have answered: early enough that what the values say is never lost with its answers.
pub(in super::super) fn in_time(ctx: &Ctx<'_>) -> Deadline {
    ctx.deadline.at_most(GITHUB_LIMIT.min(ctx.deadline.remaining() / 2))
}

/// What lies around the values: why this run may get none, and what GitHub's lists say.
#[derive(Default)]
pub(super) struct Around<'a> {
    withheld: Option<Withheld>,
    /// The lists, or why there are none.
    places: Option<Result<SecretPlaces<'a>, String>>,
    /// Environments whose secrets were not looked at, since none is named; or why that is not known.
    others: Option<Result<Vec<String>, String>>,
}

/// Why a run gets no secrets of Actions.
#[derive(Clone, Copy)]
enum Withheld {
    Dependabot,
    Fork,
    PerhapsFork,
}

impl<'a> Around<'a> {
    pub(super) async fn look(ctx: &Ctx<'a>) -> Self {
        let withheld = withheld(ctx).await;
        let github = match &ctx.sources.github {
            Ok(github) if !ctx.job.repository.is_empty() => github,
            Ok(_) => return Self::without(withheld, "no repository is named"),
            Err(why) => return Self::without(withheld, why),
        };
        let (repository, deadline) = (&ctx.job.repository, in_time(ctx));
        let environment = ctx.config.environment.as_str();
        let places = github.secret_places(repository, environment, deadline).await;
        let missing = |p: &SecretPolicy| matches!(places.effective(&p.name), Ok(None));
        let others: OptionFuture<_> = (environment.is_empty()
            && ctx.config.secrets.iter().any(missing))
        .then(|| github.environment_names(repository, deadline))
        .into();
        let others = others.await.map(|names| names.map_err(|e| e.chain()));
        Self { withheld, places: Some(Ok(places)), others }
    }

    fn without(withheld: Option<Withheld>, why: &str) -> Self {
        Self { withheld, places: Some(Err(why.to_owned())), others: None }
    }

    /// A name whose value was not handed in.
    pub(super) fn by_name(&self, name: &str) -> Found {
        if let Some(withheld) = self.withheld {
            return withheld.found();
        }
        let places = match &self.places {
            Some(Ok(places)) => places,
            Some(Err(why)) => return cannot(why.clone(), name, ""),
            None => return cannot("nobody asked".to_owned(), name, ""),
        };
        if let Some(detail) = defined(places, name) {
            return Found::new(State::Present, format!("{detail}; its value was not handed in"));
        }
        if let Some((scope, error)) = places.unread() {
            return cannot(error.chain(), name, scope.permission());
        }
        match &self.others {
            Some(Ok(names)) if !names.is_empty() => {
                let why =
                    format!("no environment is named, and it may be in one of {}", listed(names));
                Found::new(State::CannotBeKnown, why).help(format!(
                    "set the input environment to the one of the deploy job, or pass the value: env RUNNER_GUARD_SECRET_{name}"
                ))
            }
            Some(Err(why)) => cannot(why.clone(), name, "Actions: read (repository)"),
            Some(Ok(_)) | None => {
                Found::new(State::Missing, format!("in none of {}", places.asked()))
            }
        }
    }

    /// A name whose value was handed in and is empty: so GitHub hands in what is not there.
    pub(super) fn empty(&self, name: &str) -> Found {
        if let Some(withheld) = self.withheld {
            return withheld.found();
        }
        let Some(Ok(places)) = &self.places else {
            return Found::new(State::Missing, "the job got an empty value");
        };
        match defined(places, name) {
            Some(place) => {
                let detail = format!("the job got an empty value; defined in {place}");
                Found::new(State::Missing, detail).help(format!(
                    "{name} is defined in {place}, and this job does not get it: give the job its `environment:`, a reusable workflow \
                     `secrets: inherit`, and look for a misspelt name in `env:`"
                ))
            }
            None => Found::new(State::Missing, "the job got an empty value"),
        }
    }
}

fn defined(places: &SecretPlaces<'_>, name: &str) -> Option<String> {
    let all: Vec<String> = places.of(name).iter().map(|(scope, _)| scope.word()).collect();
    let (first, rest) = all.split_first()?;
    Some(if rest.is_empty() { first.clone() } else { format!("{first}, also {}", rest.join(", ")) })
}

fn cannot(why: String, name: &str, permission: &str) -> Found {
    let grant = match permission {
        "" => "or use a token that may read the lists (Secrets: read and Environments: read)"
            .to_owned(),
        permission => format!("or use a token with {permission}"),
    };
    Found::new(State::CannotBeKnown, why).help(format!(
        "pass the value: env RUNNER_GUARD_SECRET_{name}: ${{{{ secrets.{name} }}}}, {grant}"
    ))
}

fn listed(names: &[String]) -> String {
    let shown = names.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > 5 { format!("{shown}, …") } else { shown }
}

impl Withheld {
    fn found(self) -> Found {
        let (why, help) = match self {
            Self::Dependabot => (
                "a run that Dependabot started gets only the secrets of Dependabot",
                "do not deploy from runs of Dependabot, or define it under Settings, Secrets and variables, Dependabot",
            ),
            Self::Fork => (
                "a pull request from a fork gets no secrets",
                "do not deploy from pull requests of forks: start the deploy on push, or by hand",
            ),
            Self::PerhapsFork => (
                "a pull request gets no secrets when it comes from a fork, and where this one comes from could not be read",
                "start the deploy on push; or grant pull-requests: read, so that forks are told apart",
            ),
        };
        Found::new(State::CannotBeKnown, why).help(help)
    }
}

/// Whether this run gets no secrets of Actions at all.
async fn withheld(ctx: &Ctx<'_>) -> Option<Withheld> {
    let job = ctx.job;
    if job.actor == "dependabot[bot]" {
        return Some(Withheld::Dependabot);
    }
    // `pull_request_target` runs in the repository itself, with its secrets.
    let events = ["pull_request", "pull_request_review", "pull_request_review_comment"];
    if !events.contains(&job.event.as_str()) {
        return None;
    }
    let number = job.git_ref.strip_prefix("refs/pull/").and_then(|rest| rest.split('/').next());
    let (Some(number), Ok(github)) = (number, &ctx.sources.github) else {
        return Some(Withheld::PerhapsFork);
    };
    source_of(github, ctx, number).await
}

async fn source_of(github: &GitHub, ctx: &Ctx<'_>, number: &str) -> Option<Withheld> {
    let deadline = in_time(ctx);
    match github.pull_request_source(&ctx.job.repository, number, deadline).await {
        Ok(Some(source)) if source.eq_ignore_ascii_case(&ctx.job.repository) => None,
        Ok(_) => Some(Withheld::Fork),
        Err(_) => Some(Withheld::PerhapsFork),
    }
}
