//! May this repository use the group that the runner is in? Groups decide on the server who gets a runner; a label decides nothing.

use super::runner_registered::{subject, whose};
use super::{Check, Ctx, Need, Scope};
use crate::report::Outcome;
use crate::source::Error;
use crate::source::github::{GitHub, Registered, RunnerGroup as Group, RunnerScope};
use crate::task::BoxFuture;

pub(super) struct RunnerGroup;

impl Check for RunnerGroup {
    fn id(&self) -> &'static str {
        "runner-group"
    }

    fn question(&self) -> &'static str {
        "Is the runner in its group, and may this repository and this workflow use that group?"
    }

    fn runbook(&self) -> &'static str {
        "runner-offline-restore"
    }

    fn scope(&self) -> Scope {
        Scope::Runner
    }

    fn explain(&self) -> &'static str {
        "Only with runners[].group: asks the organisation for the groups that this repository may use. Pass: the runner is in that group. \
         Warn: the group is open to public repositories although the environment requires authorised runners, or it is kept for workflows among \
         which this one is not found (a reusable one that it calls may be). Fail: the group is not open to this repository, the runner is in \
         another one, or this workflow may use it only from another ref. Unknown: the token may not list groups or runners. Skipped: no group \
         is configured, or the runner is not listed. Needs a token with Self-hosted runners: read of the organisation."
    }

    fn heals(&self) -> bool {
        false
    }

    fn needs(&self) -> &'static [Need] {
        &[Need::TokenPermission("Self-hosted runners: read (organisation)")]
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(membership(ctx))
    }
}

/// The answer of this check, also for the one that asks whether the runner is authorised.
pub(super) async fn membership<'a>(ctx: &'a Ctx<'a>) -> Result<Outcome, Error> {
    let Some(name) = ctx.runner.and_then(|r| r.group.as_deref()).map(str::trim) else {
        return Ok(Outcome::skipped("no group is configured for this runner")
            .help("name the group that it must be in as runners[].group"));
    };
    let Ok(github) = &ctx.sources.github else {
        return Ok(subject(ctx).err().unwrap_or_else(|| Outcome::unknown("GitHub was not asked")));
    };
    if ctx.job.repository.is_empty() {
        return Ok(Outcome::skipped("no repository is named"));
    }
    ask(ctx, github, name).await
}

async fn ask<'a>(ctx: &'a Ctx<'a>, github: &GitHub, name: &str) -> Result<Outcome, Error> {
    let repository = &ctx.job.repository;
    let groups = github.runner_groups(repository, ctx.deadline).await?;
    let Some(group) = groups.iter().find(|g| g.name.trim() == name) else {
        return Ok(closed(name, repository, &groups));
    };
    // The runners of a scale set are in no list between jobs; that its group is open is all that can be known.
    let member = match subject(ctx) {
        Ok((runner, github)) => {
            github.registered(repository, &runner.name, ctx.deadline).await?.map(|found| {
                let moved = elsewhere(&found, group, &groups);
                (found.runner.name, moved)
            })
        }
        Err(_) => None,
    };
    let outcome = match member {
        Some((_, Some(wrong))) => wrong,
        Some((runner, None)) => open(
            ctx,
            group,
            &format!("`{runner}` is in group `{name}`, which {repository} may use"),
        ),
        None => open(
            ctx,
            group,
            &format!(
                "{repository} may use group `{name}`; GitHub lists no runner now that could be seen in it"
            ),
        ),
    };
    Ok(outcome.saw("group", name).saw("public repositories", yes(group.allows_public_repositories)))
}

fn yes(open: bool) -> &'static str {
    if open { "may use it" } else { "may not use it" }
}

fn closed(name: &str, repository: &str, groups: &[Group]) -> Outcome {
    let known: Vec<&str> = groups.iter().map(|g| g.name.as_str()).collect();
    Outcome::fail(format!("{repository} may not use group `{name}`, or there is no such group"))
        .help("give the repository access in the group's settings (organisation, Actions, Runner groups), or correct runners[].group")
        .saw_limit("groups of this repository", known.join(", "), name)
}

/// What is wrong when the runner is not in the group.
fn elsewhere(found: &Registered, group: &Group, groups: &[Group]) -> Option<Outcome> {
    let runner = &found.runner;
    let wanted = format!("not in group `{}`", group.name);
    let help = "move the runner to the group in its settings, or correct runners[].group";
    match (found.scope, runner.runner_group_id) {
        (RunnerScope::Organization, Some(id)) if id == group.id => None,
        (RunnerScope::Organization, Some(id)) => {
            let other = groups.iter().find(|g| g.id == id).map(|g| format!("`{}`", g.name));
            let other = other.unwrap_or_else(|| format!("another one (id {id})"));
            Some(Outcome::fail(format!("`{}` is {wanted} but in {other}", runner.name)).help(help))
        }
        (RunnerScope::Organization, None) => Some(
            Outcome::unknown(format!("GitHub does not say in which group `{}` is", runner.name))
                .help("look at the runner's group in the settings of the organisation"),
        ),
        (RunnerScope::Repository, _) => {
            let text = format!(
                "`{}` is registered for {}, so it is {wanted}",
                runner.name,
                whose(found.scope)
            );
            Some(
                Outcome::fail(text).help(
                    "register it for the organisation and the group, or remove runners[].group",
                ),
            )
        }
    }
}

/// What an open group still keeps back.
fn open(ctx: &Ctx<'_>, group: &Group, good: &str) -> Outcome {
    let settings = "the group's settings (organisation, Actions, Runner groups)";
    let workflow = ctx.job.workflow_ref.as_str();
    if group.restricted_to_workflows && !workflow.is_empty() {
        let allowed = group.selected_workflows.join(", ");
        let named = match admitted(workflow, &group.selected_workflows) {
            Admitted::Yes => None,
            Admitted::OtherRef => Some(
                Outcome::fail(format!("group `{}` takes this workflow only from another ref: its job would never start", group.name))
                    .help(format!("run it from the ref that is allowed, or add this one in {settings}")),
            ),
            Admitted::NotFound => Some(
                Outcome::warn(format!("group `{}` is kept for workflows among which this one is not found", group.name))
                    .help(format!("fine when the deploy job stands in a reusable workflow of that list; else add this workflow in {settings}")),
            ),
        };
        if let Some(outcome) = named {
            return outcome.saw_limit("workflow", workflow, allowed);
        }
    }
    if group.allows_public_repositories && ctx.config.gate.require_authorized {
        return Outcome::warn(format!("{good}, but public repositories may use it too"))
            .help(format!("a fork's pull request can reach these runners: forbid public repositories in {settings}"));
    }
    Outcome::pass(good)
}

/// Whether a list of workflows holds this one.
#[derive(Debug, PartialEq, Eq)]
enum Admitted {
    Yes,
    /// The file, but from another branch or tag.
    OtherRef,
    /// Not by its name; a workflow that it calls, or a commit, can not be told from here.
    NotFound,
}

fn admitted(workflow: &str, allowed: &[String]) -> Admitted {
    let parts = |text: &str| {
        let (file, at) = text.trim().split_once('@').unwrap_or((text.trim(), ""));
        let short = at.strip_prefix("refs/heads/").or_else(|| at.strip_prefix("refs/tags/"));
        (file.to_ascii_lowercase(), short.unwrap_or(at).to_owned())
    };
    let (file, at) = parts(workflow);
    let same: Vec<String> =
        allowed.iter().map(|a| parts(a)).filter(|(f, _)| *f == file).map(|(_, at)| at).collect();
    let is_commit = |at: &String| at.len() >= 40 && at.bytes().all(|b| b.is_ascii_hexdigit());
    if same.contains(&at) {
        Admitted::Yes
    } else if same.is_empty() || same.iter().any(is_commit) {
        Admitted::NotFound
    } else {
        Admitted::OtherRef
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workflow_is_admitted_by_its_file_and_its_ref_in_either_form() {
        let ours = "octo/app/.github/workflows/deploy.yml@refs/heads/main";
        let admitted = |allowed: &str| admitted(ours, &[allowed.to_owned()]);
        assert_eq!(admitted("octo/app/.github/workflows/deploy.yml@main"), Admitted::Yes);
        assert_eq!(
            admitted("Octo/app/.github/workflows/deploy.yml@refs/heads/main"),
            Admitted::Yes
        );
        assert_eq!(admitted("octo/app/.github/workflows/deploy.yml@v2"), Admitted::OtherRef);
        assert_eq!(admitted("octo/central/.github/workflows/deploy.yml@main"), Admitted::NotFound);
        let commit = format!("octo/app/.github/workflows/deploy.yml@{}", "0f".repeat(20));
        assert_eq!(admitted(&commit), Admitted::NotFound);
    }
}
