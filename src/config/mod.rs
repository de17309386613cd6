//! Configuration: raw YAML and inputs in, one validated [`Config`] or errors with file, line, key and suggestion out.
//!
//! Reads no file and no environment: the callers hand in text and values.

mod apply;
mod checks;
mod error;
mod idle;
mod inputs;
mod job;
mod load;
mod locate;
mod origin;
mod print;
mod raw;
mod redaction;
mod schema;
mod secrets;
mod shape;
mod stray;
mod tree;
mod value;

pub use checks::{CheckSettings, KnownCheck, Level, OptionKind, OptionSpec};
pub use error::{ConfigError, ConfigErrors};
pub use inputs::{INPUTS, InputSpec, Inputs};
pub use job::{IdentityRequest, Job, SecretValue, SecretValues};
pub use load::{DEFAULT_FILE, defaults, load};
pub use origin::{Origin, Origins};
pub use print::print;
pub use redaction::{Profile, Redact, RedactFind, RedactRule, salvaged};
pub use schema::schema;
pub use secrets::{SecretKind, SecretPolicy};
pub use value::{Endpoint, bytes_text, duration_text, parse_bytes, parse_duration};

use std::collections::BTreeMap;
use std::time::Duration;

/// Everything that a run needs to know, validated.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Name of the deployment environment; empty when none was named.
    pub environment: String,
    /// Longest wall time of the gate.
    pub timeout: Duration,
    /// Where Prometheus answers.
    pub prometheus: Option<Prometheus>,
    /// Address of an exporter for the runner of this job, when no candidates are named.
    pub exporter: Option<String>,
    /// Candidates in the order of preference.
    pub runners: Vec<Runner>,
    /// Endpoints that must be reachable, besides GitHub's own.
    pub endpoints: Vec<Endpoint>,
    /// Secrets that the deploy needs, and what is known about them.
    pub secrets: Vec<SecretPolicy>,
    /// Names of configuration variables that the deploy needs.
    pub variables: Vec<String>,
    /// Programs that the deploy needs on the host.
    pub tools: Vec<Tool>,
    /// Where Alertmanager answers.
    pub alertmanager: Option<String>,
    /// Where Grafana shows its pages.
    pub grafana: Option<String>,
    /// Where Loki answers, and what it is asked.
    pub loki: Option<Loki>,
    /// How we show ourselves to GitHub, and where its status page is.
    pub github: GitHubAccess,
    /// The runner that this job must be on, when an earlier gate chose one.
    pub expected_runner: Option<String>,
    /// How findings become a verdict.
    pub gate: Gate,
    /// Settings of every check, by id.
    pub checks: BTreeMap<String, CheckSettings>,
    /// What the black box collects.
    pub collect: Collect,
    /// The artifact.
    pub artifact: Artifact,
    /// What is removed from texts besides secrets.
    pub redact: Redact,
    /// Where runbooks live; `None` takes the action's own.
    pub runbooks: Option<String>,
    /// An extra bundle of certificates: a path, or PEM text.
    pub ca_bundle: Option<String>,
    /// Where the configuration came from, for people.
    pub origin: String,
    /// Settings that matched nothing, as sentences.
    pub unused: Vec<String>,
    /// Who set each value.
    pub origins: Origins,
}

/// The Prometheus server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prometheus {
    /// Base address without a trailing slash.
    pub url: String,
}

/// The Loki server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loki {
    /// Base address without a trailing slash.
    pub url: String,
    /// Log queries in `LogQL`.
    pub queries: Vec<String>,
}

/// A candidate for the deploy job.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Runner {
    /// Its name, as registered.
    pub name: String,
    /// `primary`, `secondary` or any other word.
    pub role: String,
    /// Labels for `runs-on`.
    pub labels: Vec<String>,
    /// Whether it may deploy to production; `None` leaves it to the exporter's label.
    pub authorized_for_prod: Option<bool>,
    /// Address of its exporter's `/metrics`.
    pub exporter: Option<String>,
    /// The runner group that it must be in.
    pub group: Option<String>,
    /// The host that it is on; `None` leaves it to the exporter's label.
    pub host: Option<String>,
    /// Whether a runner of this name exists between jobs.
    pub expect: Expect,
    /// Name of the scale set (Actions Runner Controller), as its listener's metrics call it.
    pub scale_set: Option<String>,
}

/// Whether a runner exists between jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Expect {
    /// Always there.
    #[default]
    Persistent,
    /// Made for one job: no runner between jobs is nothing bad.
    Ephemeral,
}

/// A program that must be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// The program's name.
    pub name: String,
    /// The lowest version that will do.
    pub at_least: Option<String>,
}

/// How we show ourselves to GitHub.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GitHubAccess {
    /// Id or client id of a GitHub App; its key comes as an input.
    pub app_id: Option<String>,
    /// Base address of the status page; `None` takes GitHub's own, and none on an own server.
    pub status_page: Option<String>,
}

/// How findings become a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// Whether the verdict is only reported.
    pub mode: Mode,
    /// What a question without an answer means, when its check does not say otherwise.
    pub on_unknown: Level,
    /// Whether a runner must be authorised for production to be chosen.
    pub require_authorized: bool,
    /// Longest time to wait until what blocks has healed; zero does not wait.
    pub wait: Duration,
    /// Time between two looks while it waits.
    pub poll: Duration,
    /// How long a candidate must have been healthy before it is preferred again.
    pub stable_for: Duration,
    /// The score, 0 to 100, below which a candidate is chosen only when there is no better one.
    pub min_score: u8,
    /// How many candidates of the first role must be idle; fewer, and another role is preferred.
    pub min_idle: usize,
    /// Whether candidates of different roles must be on different hosts.
    pub distinct_hosts: bool,
    /// File that keeps what the gate saw before, relative to the workspace.
    pub state_file: Option<String>,
}

/// Whether the gate decides or watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A blocked deploy fails the step.
    Enforce,
    /// The step passes; the report says what would have blocked.
    Shadow,
}

/// What the black box collects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collect {
    /// Files that hold Ansible output, relative to the workspace.
    pub ansible_logs: Vec<String>,
    /// Folder with the runner's `_diag` logs.
    pub runner_logs: Option<String>,
    /// Whether the Docker socket may be used to read `_diag`.
    pub docker_socket: bool,
    /// `PromQL` expressions for the metrics snapshot.
    pub queries: Vec<String>,
    /// Patterns of other files that go into the bundle, relative to the workspace.
    pub files: Vec<String>,
    /// How much is kept.
    pub budget: Budget,
    /// Longest wall time of the black box.
    pub timeout: Duration,
}

/// How much evidence is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Of all texts together, in bytes before compression.
    pub total: u64,
    /// Of one text, in bytes; of a longer one the beginning and the end.
    pub item: u64,
    /// Of one text, in lines from its end; `None` for no limit.
    pub lines: Option<u64>,
    /// Files that were not written to for longer are left out, unless they are named.
    pub age: Duration,
    /// Share of the free disk that all texts may take, in percent.
    pub disk_percent: u8,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            total: 256 << 20,
            item: 64 << 20,
            lines: None,
            age: Duration::from_hours(24),
            disk_percent: 25,
        }
    }
}

/// The artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Whether to upload.
    pub upload: bool,
    /// Its name; `None` derives one from the job.
    pub name: Option<String>,
    /// Days to keep it.
    pub retention_days: u16,
}

impl Config {
    /// The settings of a check; unknown ids get the settings of a check that nobody configured.
    pub fn check(&self, id: &str) -> CheckSettings {
        self.checks.get(id).cloned().unwrap_or_default()
    }

    /// Whether the environment is a production one: its name begins with `prod`.
    pub fn is_production(&self) -> bool {
        is_production(&self.environment)
    }
}

/// Whether an environment's name says production: it begins with `prod`, whatever the case.
pub(crate) fn is_production(environment: &str) -> bool {
    environment.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("prod"))
}
