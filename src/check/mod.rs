//! The pre-flight questions: one file each, one table. A check asks one question and answers it; it does not decide, print, retry or
//! read the environment.

mod clock_skew;
mod cpu_pressure;
mod deploy_lock;
mod disk_inodes;
mod disk_space;
mod docker_daemon;
mod endpoint_reachable;
mod environment_protection;
mod exporter_fresh;
mod failure_rate;
mod firing_alerts;
mod github_rate_limit;
mod github_status;
mod github_token;
mod host_memory;
mod oidc_available;
mod queue_age;
mod runner_authorized;
mod runner_busy;
mod runner_group;
mod runner_identity;
mod runner_labels;
mod runner_online;
mod runner_registered;
mod runner_resources;
mod runner_steady;
mod runner_version;
mod secret_expiry;
mod secret_format;
mod secret_present;
mod sources_agree;
mod tls_expiry;
mod tools_present;
mod variable_present;

use std::time::Duration;

use crate::config::{Config, Job, KnownCheck, Level, OptionSpec, Runner, SecretValues};
use crate::report::{Answer, Outcome};
use crate::source::{self, Sources};
use crate::task::{self, BoxFuture, Cancel, Deadline, Ended};

/// Every check. Adding one is one new file, its `mod` line and its line here.
pub const ALL: &[&dyn Check] = &[
    &runner_online::RunnerOnline,
    &runner_registered::RunnerRegistered,
    &runner_busy::RunnerBusy,
    &runner_labels::RunnerLabels,
    &runner_group::RunnerGroup,
    &runner_authorized::RunnerAuthorized,
    &runner_version::RunnerVersion,
    &exporter_fresh::ExporterFresh,
    &sources_agree::SourcesAgree,
    &runner_steady::RunnerSteady,
    &runner_resources::RunnerResources,
    &runner_identity::RunnerIdentity,
    &disk_space::DiskSpace,
    &disk_inodes::DiskInodes,
    &host_memory::HostMemory,
    &cpu_pressure::CpuPressure,
    &clock_skew::ClockSkew,
    &docker_daemon::DockerDaemon,
    &tools_present::ToolsPresent,
    &endpoint_reachable::EndpointReachable,
    &tls_expiry::TlsExpiry,
    &github_status::GitHubStatus,
    &github_rate_limit::GitHubRateLimit,
    &github_token::GitHubToken,
    &oidc_available::OidcAvailable,
    &environment_protection::EnvironmentProtection,
    &deploy_lock::DeployLock,
    &queue_age::QueueAge,
    &failure_rate::FailureRate,
    &firing_alerts::FiringAlerts,
    &secret_present::SecretPresent,
    &secret_format::SecretFormat,
    &secret_expiry::SecretExpiry,
    &variable_present::VariablePresent,
];

/// Longest time of one check; the total deadline may cut it shorter.
const CHECK_LIMIT: Duration = Duration::from_secs(10);

/// Most checks that run at once.
const AT_ONCE: usize = 32;

/// What a check asks about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// This run: its host, network and secrets. Asked once.
    Run,
    /// A candidate runner. Asked for each.
    Runner,
}

/// Something that a check needs from somebody else before it can answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// A key of the workflow's `permissions:`, as `actions: read`.
    WorkflowPermission(&'static str),
    /// A permission of a GitHub App or fine-grained token, as `Administration: read (repository)`.
    TokenPermission(&'static str),
    /// Metrics in Prometheus, named by their first words, as `runner_status`.
    Metric(&'static str),
    /// A place that must be mounted or seen, as `/var/run/docker.sock`.
    Mount(&'static str),
    /// An address that must be open from where the gate runs.
    Address(&'static str),
}

/// One question.
pub trait Check: Sync {
    /// Stable, kebab-case; users write it.
    fn id(&self) -> &'static str;
    /// `Is the runner online?`
    fn question(&self) -> &'static str;
    /// File stem of the runbook.
    fn runbook(&self) -> &'static str;
    /// What it asks about.
    fn scope(&self) -> Scope;
    /// What each answer means and what is needed for one, in a short paragraph.
    fn explain(&self) -> &'static str;
    /// What a bad answer means when nobody configures it.
    fn level(&self) -> Level {
        Level::Deny
    }
    /// What no answer means when nobody configures it; `None` takes the gate's.
    fn on_unknown(&self) -> Option<Level> {
        None
    }
    /// Whether waiting may change a bad answer: a runner comes back, a missing secret does not.
    fn heals(&self) -> bool {
        true
    }
    /// What must be granted or opened for an answer, for those who grant it.
    fn needs(&self) -> &'static [Need] {
        &[]
    }
    /// Its own options.
    fn options(&self) -> &'static [OptionSpec] {
        &[]
    }
    /// Asks. An error means that there is no answer.
    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, source::Error>>;
}

/// What a check may look at.
#[derive(Clone, Copy)]
pub struct Ctx<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The job.
    pub job: &'a Job,
    /// The runner that is asked about, for checks of that scope.
    pub runner: Option<&'a Runner>,
    /// The outside.
    pub sources: &'a Sources,
    /// Values of secrets that were handed in.
    pub secrets: &'a SecretValues,
    /// When this check must be done.
    pub deadline: Deadline,
}

/// What the configuration must know about every check.
pub fn known() -> Vec<KnownCheck> {
    ALL.iter()
        .map(|c| KnownCheck {
            id: c.id(),
            level: c.level(),
            on_unknown: c.on_unknown(),
            options: c.options(),
        })
        .collect()
}

/// Whether waiting may change a bad answer of this check. What no check says (the selection: an authorisation, a host) does not heal.
pub fn heals(id: &str) -> bool {
    ALL.iter().find(|c| c.id() == id).is_some_and(|c| c.heals())
}

/// Asks everything at once. Every check has one answer for the run, or one for each candidate, whatever happens.
///
/// # Cancel safety
/// Not cancel-safe: stop it through `cancel`.
pub async fn run(ctx: Ctx<'_>, candidates: &[Runner], cancel: &Cancel) -> Vec<Answer> {
    let asked: Vec<(&dyn Check, Option<&Runner>)> =
        ALL.iter().flat_map(|check| subjects(*check, candidates)).collect();
    let contexts: Vec<Ctx<'_>> = asked
        .iter()
        .map(|(_, runner)| Ctx {
            runner: *runner,
            deadline: ctx.deadline.at_most(CHECK_LIMIT),
            ..ctx
        })
        .collect();
    let jobs = asked
        .iter()
        .zip(&contexts)
        .map(|((check, _), ctx)| task::Job { limit: CHECK_LIMIT, work: check.run(ctx) })
        .collect();
    let ended = task::run_all(jobs, AT_ONCE, ctx.deadline, cancel).await;
    asked
        .into_iter()
        .zip(ended)
        .map(|((check, runner), timed)| answer(check, runner, timed))
        .collect()
}

fn subjects<'a>(
    check: &'static dyn Check,
    candidates: &'a [Runner],
) -> Vec<(&'static dyn Check, Option<&'a Runner>)> {
    match check.scope() {
        Scope::Runner if !candidates.is_empty() => {
            candidates.iter().map(|r| (check, Some(r))).collect()
        }
        Scope::Runner | Scope::Run => vec![(check, None)],
    }
}

fn answer(
    check: &dyn Check,
    runner: Option<&Runner>,
    timed: task::Timed<Result<Outcome, source::Error>>,
) -> Answer {
    let outcome = match timed.ended {
        Ended::Done(Ok(outcome)) => outcome,
        Ended::Done(Err(error)) => unknown(&error),
        Ended::TimedOut => {
            Outcome::unknown(format!("no answer within {:.1} s", timed.took.as_secs_f64()))
                .help("raise the input timeout, or look why the source hangs")
        }
        Ended::Cancelled => Outcome::unknown("the run was cancelled before the answer came"),
    };
    Answer {
        check: check.id(),
        question: check.question(),
        runbook: check.runbook(),
        runner: runner.map(|r| r.name.clone()),
        outcome,
        took: timed.took,
    }
}

/// A source that could not be read means that the question has no answer.
fn unknown(error: &source::Error) -> Outcome {
    let outcome = Outcome::unknown(error.chain());
    match error.help() {
        Some(help) => outcome.help(help),
        None => outcome,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_unique_kebab_case_and_the_names_of_their_files() {
        let ids: BTreeSet<&str> = ALL.iter().map(|c| c.id()).collect();
        assert_eq!(ids.len(), ALL.len());
        let sources = include_str!("mod.rs");
        for id in ids {
            assert!(id.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{id}");
            assert!(sources.contains(&format!("mod {};", id.replace('-', "_"))), "{id}");
        }
    }

    #[test]
    fn every_default_of_an_option_is_valid() {
        for option in ALL.iter().flat_map(|c| c.options()) {
            assert_eq!(option.kind.validate(option.default), Ok(()), "{}", option.name);
        }
    }
}
