//! Is the environment protected? Asks GitHub for its rules; they are settings, so nothing is changed.

use super::{Check, Ctx, Need, Scope};
use crate::config::Level;
use crate::report::Outcome;
use crate::source::Error;
use crate::source::github::{Environment, ProtectionRule};
use crate::task::BoxFuture;

pub(super) struct EnvironmentProtection;

impl Check for EnvironmentProtection {
    fn id(&self) -> &'static str {
        "environment-protection"
    }

    fn question(&self) -> &'static str {
        "Is the environment protected?"
    }

    fn runbook(&self) -> &'static str {
        "production-deployment-failures"
    }

    fn scope(&self) -> Scope {
        Scope::Run
    }

    fn explain(&self) -> &'static str {
        "Reads the rules of the named environment. Pass: it has required reviewers, or it is not a production one (its name does not begin with \
         `prod`). Warn: a production environment that nobody has to approve, or an environment that does not exist: GitHub would create it \
         without any protection. Unknown: the token lacks `actions: read`; a 404 alone never means that it does not exist. Skipped: no \
         environment is named. Rules of other Apps are not in this answer."
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

    fn needs(&self) -> &'static [Need] {
        &[Need::WorkflowPermission("actions: read")]
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            let (name, repository) = (&ctx.config.environment, &ctx.job.repository);
            if name.is_empty() {
                return Ok(Outcome::skipped("no environment is named")
                    .help("set the input environment to the one that the deploy job names"));
            }
            if repository.is_empty() {
                return Ok(Outcome::skipped("no repository is named"));
            }
            let (github, now) = (ctx.sources.api()?, ctx.sources.now);
            let found = github.environment(repository, name, now, ctx.deadline).await?;
            Ok(found
                .map_or_else(|| absent(name), |found| judge(&found, ctx.config.is_production())))
        })
    }
}

fn absent(name: &str) -> Outcome {
    Outcome::warn(format!(
        "the environment `{name}` does not exist: GitHub would create it without any protection"
    ))
    .help("create it under Settings, Environments, with required reviewers; or correct the input environment")
}

fn judge(environment: &Environment, production: bool) -> Outcome {
    let name = &environment.name;
    let rule = |kind: &str| environment.protection_rules.iter().find(|r| r.kind == kind);
    let reviewers = rule("required_reviewers").map(reviewers).filter(|names| !names.is_empty());
    let outcome = match &reviewers {
        Some(names) => {
            Outcome::pass(format!("a deploy to `{name}` must be approved by one of {}", names.join(", ")))
        }
        None if production => {
            Outcome::warn(format!("nobody has to approve a deploy to `{name}`: it has no required reviewers"))
                .help("add them under Settings, Environments; does the rule of an App guard it, set checks.environment-protection.level: allow")
        }
        None => Outcome::pass(format!("nobody has to approve a deploy to `{name}`, which is not a production environment")),
    };
    seen(outcome, environment)
}

/// With everything that the environment asks of a deploy.
fn seen(outcome: Outcome, environment: &Environment) -> Outcome {
    let word = |flag: bool| if flag { "yes" } else { "no" };
    let branches = match environment.deployment_branch_policy {
        None => "every branch",
        Some(policy) if policy.protected_branches => "protected branches",
        Some(policy) if policy.custom_branch_policies => "branches of a list",
        Some(_) => "no branch",
    };
    let mut outcome = outcome.saw("branches that may deploy", branches);
    for rule in &environment.protection_rules {
        if let Some(minutes) = rule.wait_timer {
            outcome = outcome.saw("wait timer", format!("{minutes} min"));
        }
        if let Some(prevented) = rule.prevent_self_review {
            outcome = outcome.saw("who starts it may approve it", word(!prevented));
        }
    }
    match environment.can_admins_bypass {
        Some(may) => outcome.saw("administrators may pass by the rules", word(may)),
        None => outcome,
    }
}

fn reviewers(rule: &ProtectionRule) -> Vec<&str> {
    rule.reviewers.iter().flatten().map(|r| r.reviewer.word()).collect()
}
