//! Does GitHub know the runner, and is it online there? What the other questions about GitHub's word on a runner share lies here too.

use std::borrow::Cow;

use super::{Check, Ctx, Need, Scope};
use crate::config::{Expect, Level, Runner};
use crate::report::{Outcome, Status};
use crate::source::Error;
use crate::source::github::{ApiRunner, GitHub, Registered, RunnerScope};
use crate::task::BoxFuture;

pub(super) struct RunnerRegistered;

/// What listing runners takes.
pub(super) const LIST_RUNNERS: &[Need] = &[
    Need::TokenPermission("Administration: read (repository)"),
    Need::TokenPermission("Self-hosted runners: read (organisation)"),
];

impl Check for RunnerRegistered {
    fn id(&self) -> &'static str {
        "runner-registered"
    }

    fn question(&self) -> &'static str {
        "Is the runner registered with GitHub and online there?"
    }

    fn runbook(&self) -> &'static str {
        "runner-offline-restore"
    }

    fn scope(&self) -> Scope {
        Scope::Runner
    }

    fn explain(&self) -> &'static str {
        "Looks the runner up in the repository's list, else in the organisation's. Pass: it is there and online. Warn: it is not, but \
         this very job runs on it. Fail: offline, or in neither list. Unknown: the token may not list runners (the workflow's own token never may; the missing permission is named), or GitHub uses \
         a word that is not known here. Skipped: a runner that exists only for one job (`expect: ephemeral`, `scale-set`) is not there now. \
         Without an answer it warns by default, since most workflows have no such token. Needs a token that may list runners."
    }

    fn on_unknown(&self) -> Option<Level> {
        Some(Level::Warn)
    }

    fn needs(&self) -> &'static [Need] {
        LIST_RUNNERS
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            let (runner, github) = match subject(ctx) {
                Ok(subject) => subject,
                Err(outcome) => return Ok(outcome),
            };
            let repository = &ctx.job.repository;
            let found = github.registered(repository, &runner.name, ctx.deadline).await?;
            let outcome = match found {
                Some(found) => judge(&runner, &found),
                None => absent(&runner, repository, namesake(github, ctx, &runner).await),
            };
            let this_job = runner.name.trim() == ctx.job.runner_name.trim();
            Ok(if this_job { contradicted(outcome, &runner.name) } else { outcome })
        })
    }
}

/// Whom to ask about and where; else what every question to GitHub about a runner answers.
pub(super) fn subject<'a>(ctx: &'a Ctx<'a>) -> Result<(Cow<'a, Runner>, &'a GitHub), Outcome> {
    let own = || Runner { name: ctx.job.runner_name.clone(), ..Runner::default() };
    let runner = ctx.runner.map_or_else(|| Cow::Owned(own()), Cow::Borrowed);
    let name_them =
        "name the runners that may take the deploy under `runners` in the configuration";
    if runner.name.trim().is_empty() || ctx.job.repository.is_empty() {
        return Err(Outcome::skipped("no runner or no repository is named").help(name_them));
    }
    if ctx.runner.is_none() && is_githubs_own(&runner.name) {
        let why = format!("`{}` is a runner of GitHub's own: it is in no list", runner.name);
        return Err(Outcome::skipped(why).help(name_them));
    }
    if let Some(set) = &runner.scale_set {
        let why = format!("the runners of scale set `{set}` exist only while they run a job");
        let help = "what a scale set can take is read from its listener's metrics: set the input prometheus-url";
        return Err(Outcome::skipped(why).help(help));
    }
    match &ctx.sources.github {
        Ok(github) => Ok((runner, github)),
        Err(why) => Err(Outcome::unknown(why.clone()).help(access(why))),
    }
}

/// The names that GitHub gives to its hosted runners.
fn is_githubs_own(name: &str) -> bool {
    name.starts_with("GitHub Actions ") || name == "Hosted Agent"
}

fn access(why: &str) -> &'static str {
    if why.contains("read the input app-private-key") {
        "store the whole .pem file that GitHub offered when the key was made, with its BEGIN and END lines"
    } else if why.contains("line break") {
        "store the secret behind github-token again, without a line break in its middle"
    } else if why.contains("app-") {
        "give both app-id and app-private-key of a GitHub App that may list runners"
    } else {
        "set the input github-token to a token that may list runners"
    }
}

/// The runner as GitHub lists it, for the questions that only a listed runner raises; else what they answer.
pub(super) async fn listed<'a>(
    ctx: &'a Ctx<'a>,
) -> Result<Result<(Cow<'a, Runner>, Registered), Outcome>, Error> {
    let (runner, github) = match subject(ctx) {
        Ok(subject) => subject,
        Err(outcome) => return Ok(Err(outcome)),
    };
    let found = github.registered(&ctx.job.repository, &runner.name, ctx.deadline).await?;
    let absent = || Outcome::skipped(format!("GitHub lists no runner `{}`", runner.name));
    Ok(match found {
        Some(found) => Ok((runner, found)),
        None if runner.expect == Expect::Ephemeral => Err(absent()),
        None => Err(absent().help("see the row of runner-registered")),
    })
}

/// Whose list, for people.
pub(super) fn whose(scope: RunnerScope) -> &'static str {
    match scope {
        RunnerScope::Repository => "the repository",
        RunnerScope::Organization => "the organisation",
    }
}

/// A runner whose name differs only in its case, from the lists that were just read.
async fn namesake(github: &GitHub, ctx: &Ctx<'_>, runner: &Runner) -> Option<String> {
    let own = github.repository_runners(&ctx.job.repository, ctx.deadline).await.ok()?;
    let shared = github.organization_runners(ctx.job.owner(), ctx.deadline).await.ok()?;
    let alike = |r: &&ApiRunner| r.name.eq_ignore_ascii_case(runner.name.trim());
    own.iter().chain(shared.iter()).find(alike).map(|r| r.name.clone())
}

fn absent(runner: &Runner, repository: &str, namesake: Option<String>) -> Outcome {
    let name = &runner.name;
    match runner.expect {
        Expect::Ephemeral => Outcome::skipped(format!(
            "`{name}` is made for one job (expect: ephemeral) and not registered now: that is as it should be"
        )),
        Expect::Persistent => Outcome::fail(format!(
            "`{name}` is registered neither for {repository} nor for its organisation"
        ))
        .help(namesake.map_or_else(
            || REGISTER.to_owned(),
            |name| format!("there is `{name}`: write the name exactly so under `runners`"),
        )),
    }
}

const REGISTER: &str = "register it again (./config.sh), or correct the name; GitHub removes runners that were offline for 14 days. \
             A runner that is made for each job: write `expect: ephemeral`; one of the enterprise is in neither list: write \
             `checks: {runner-registered: allow}`";

/// That this very job runs there is the better witness: GitHub's list is late, and has no runners of GitHub's own or of an enterprise.
fn contradicted(outcome: Outcome, name: &str) -> Outcome {
    if outcome.status != Status::Fail {
        return outcome;
    }
    let text = format!("{}; but this job runs on `{name}`", outcome.summary);
    let help = "nothing to do when it is a larger runner of GitHub's or one of the enterprise, or when it came back just now";
    Outcome { observations: outcome.observations, ..Outcome::warn(text).help(help) }
}

fn judge(runner: &Runner, found: &Registered) -> Outcome {
    let ApiRunner { name, status, .. } = &found.runner;
    let outcome = match (status.as_str(), runner.expect) {
        ("online", Expect::Persistent | Expect::Ephemeral) => {
            Outcome::pass(format!("`{name}` is registered for {} and online", whose(found.scope)))
        }
        ("offline", Expect::Persistent) => Outcome::fail(format!("GitHub says that `{name}` is offline"))
            .help("restart its service; if it stays offline, its registration or its network path to GitHub is broken"),
        ("offline", Expect::Ephemeral) => Outcome::skipped(format!(
            "`{name}` is made for one job (expect: ephemeral) and offline: it has not started yet, or it is done"
        )),
        (other, Expect::Persistent | Expect::Ephemeral) => {
            Outcome::unknown(format!("GitHub says `{other}` about `{name}`, a word that is not known here"))
                .help("look at the runner in the settings of the repository or the organisation; a newer runner-guard may know the word")
        }
    };
    outcome.saw_limit("status", status, "online").saw("registered for", whose(found.scope))
}
