//! Is the runner authorised for this environment? The allow-list has up to three entries, and none may contradict the others.
//!
//! The gate has its own rule and the last word; this is the row that explains it.

use super::runner_group::membership;
use super::runner_online::subject;
use super::{Check, Ctx, Scope};
use crate::config::Runner;
use crate::report::{Outcome, Status};
use crate::source::Error;
use crate::source::runner_status;
use crate::task::BoxFuture;

pub(super) struct RunnerAuthorized;

impl Check for RunnerAuthorized {
    fn id(&self) -> &'static str {
        "runner-authorized"
    }

    fn question(&self) -> &'static str {
        "Is the runner authorised for this environment?"
    }

    fn runbook(&self) -> &'static str {
        "runner-offline-restore"
    }

    fn scope(&self) -> Scope {
        Scope::Runner
    }

    fn explain(&self) -> &'static str {
        "Only where authorised runners are required (gate.require-authorized; by default in production). Compares authorized-for-prod of the \
         configuration, the label authorized_for_prod of runner_status, and the group when one is configured. Pass: somebody says yes and nobody \
         says no. Warn: the label is neither true nor false. Fail: somebody says no, or nobody says yes. Unknown: a source that would have to \
         say it can not be read. Skipped: not required here, or no candidates and no exporter."
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            if !ctx.config.gate.require_authorized {
                return Ok(Outcome::skipped("this environment takes every runner").help(
                    "write `gate: {require-authorized: true}` to require authorised runners",
                ));
            }
            let label = label(ctx).await;
            let Some(runner) = ctx.runner else { return own(ctx, label) };
            let outcome = judge(runner, &label);
            if !matches!(outcome.status, Status::Pass | Status::Warn) {
                return Ok(outcome);
            }
            Ok(with_group(outcome, membership(ctx).await))
        })
    }
}

/// What the exporter's label says.
enum Label {
    Says(String),
    /// There is a sample without the label, or no sample.
    Silent,
    /// There is nowhere to ask.
    Nowhere,
    Unread(Error),
}

async fn label(ctx: &Ctx<'_>) -> Label {
    let Some(subject) = subject(ctx) else { return Label::Nowhere };
    match runner_status::read(ctx.sources, &subject, ctx.deadline).await {
        Ok(reading) => {
            reading.and_then(|r| r.authorized_for_prod).map_or(Label::Silent, Label::Says)
        }
        Err(error) => Label::Unread(error),
    }
}

/// The runner of this job, when no candidates are named: the configuration can not speak of it.
fn own(ctx: &Ctx<'_>, label: Label) -> Result<Outcome, Error> {
    let name = &ctx.job.runner_name;
    match label {
        Label::Says(word) if word == "true" => Ok(by_label(name)),
        Label::Says(word) => Ok(denied_by(&word, name)),
        Label::Silent => {
            Ok(Outcome::unknown(format!("nobody says whether `{name}` is authorised"))
                .help(HOW_TO_SAY))
        }
        Label::Nowhere => Ok(Outcome::skipped(
            "no candidates are named and there is no exporter to ask",
        )
        .help(
            "name the runners that may take the deploy under `runners`, with authorized-for-prod",
        )),
        Label::Unread(error) => Err(error),
    }
}

const HOW_TO_SAY: &str = "set authorized-for-prod: true for this runner in the configuration, or start its exporter with that label";

/// In step with the gate: a no of either side counts, and silence of both is no permission.
fn judge(runner: &Runner, label: &Label) -> Outcome {
    let name = &runner.name;
    let outcome = match (runner.authorized_for_prod, label) {
        (Some(false), _) => Outcome::fail(format!(
            "`{name}` is not authorised: the configuration says authorized-for-prod: false"
        ))
        .help("deploy from another runner; whoever is responsible for production may change authorized-for-prod"),
        (Some(true), Label::Says(word)) if word == "false" => denied_by(word, name),
        (Some(true), Label::Says(word)) if word != "true" => Outcome::warn(format!(
            "`{name}` is authorised by the configuration, but its exporter says authorized_for_prod=\"{word}\""
        ))
        .help("let the exporter say true or false"),
        (Some(true), Label::Says(_)) => {
            Outcome::pass(format!("`{name}` is authorised: the configuration and its exporter say so"))
        }
        (Some(true), Label::Silent | Label::Nowhere | Label::Unread(_)) => {
            Outcome::pass(format!("`{name}` is authorised: the configuration says so"))
        }
        (None, Label::Says(word)) if word == "true" => by_label(name),
        (None, Label::Says(word)) => denied_by(word, name),
        (None, Label::Silent | Label::Nowhere) => Outcome::fail(format!(
            "`{name}` is not authorised: neither the configuration nor its exporter says so"
        ))
        .help(HOW_TO_SAY),
        (None, Label::Unread(error)) => Outcome::unknown(error.chain())
            .help(error.own_help().unwrap_or(HOW_TO_SAY)),
    };
    let says =
        runner.authorized_for_prod.map_or("nothing", |yes| if yes { "true" } else { "false" });
    outcome.saw_limit("configuration", says, "true").saw_limit("exporter", word(label), "true")
}

fn word(label: &Label) -> &str {
    match label {
        Label::Says(word) => word,
        Label::Silent => "nothing",
        Label::Nowhere => "not asked",
        Label::Unread(_) => "not readable",
    }
}

fn by_label(name: &str) -> Outcome {
    Outcome::pass(format!("`{name}` is authorised: its exporter says authorized_for_prod=\"true\""))
}

fn denied_by(word: &str, name: &str) -> Outcome {
    Outcome::fail(format!(
        "`{name}` is not authorised: its exporter says authorized_for_prod=\"{word}\""
    ))
    .help("deploy from another runner, or correct the label where the exporter is started")
}

/// The group is the third entry of the allow-list; the row of runner-group has the details.
fn with_group(outcome: Outcome, group: Result<Outcome, Error>) -> Outcome {
    let group = match group {
        Ok(group) => group,
        Err(error) => {
            let help = error.help().map(str::to_owned);
            Outcome { help, ..Outcome::unknown(error.chain()) }
        }
    };
    match group.status {
        Status::Pass | Status::Warn => outcome.saw("group", group.summary),
        Status::Skipped => outcome,
        Status::Fail | Status::Unknown => {
            let mut joined =
                Outcome { help: group.help, ..Outcome::new(group.status, group.summary) };
            joined.observations = outcome.observations;
            joined
        }
    }
}
