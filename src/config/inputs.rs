//! The action's inputs: one table, compared with action.yml and with the README by a test.

use std::collections::{BTreeMap, BTreeSet};

use super::origin::Origin;

/// One input.
#[derive(Debug, Clone, Copy)]
pub struct InputSpec {
    /// Its name in the workflow.
    pub name: &'static str,
    /// Its default in action.yml; used too when a runner does not evaluate defaults.
    pub default: &'static str,
    /// One line.
    pub help: &'static str,
}

const fn input(name: &'static str, default: &'static str, help: &'static str) -> InputSpec {
    InputSpec { name, default, help }
}

/// Every input of the action.
pub const INPUTS: &[InputSpec] = &[
    input(
        "mode",
        "auto",
        "auto: gate now and black box at the end of the job; preflight or diagnose: only that one, now.",
    ),
    input(
        "config",
        ".github/runner-guard.yml",
        "Configuration file, relative to the workspace; the default may be missing.",
    ),
    input(
        "environment",
        "",
        "Deployment environment; a name that begins with `prod` fails closed.",
    ),
    input(
        "github-token",
        "${{ github.token }}",
        "Token for the GitHub API; listing runners or secrets needs more than the default one.",
    ),
    input(
        "app-id",
        "",
        "Id or client id of a GitHub App to ask the API as; its installation token is made for this run only.",
    ),
    input("app-private-key", "", "Private key (PEM) of the GitHub App."),
    input("prometheus-url", "", "Base address of Prometheus."),
    input("alertmanager-url", "", "Base address of Alertmanager, to see what is silenced."),
    input(
        "exporter-url",
        "",
        "Address of the runner exporter's /metrics, for a gate without Prometheus.",
    ),
    input(
        "required-secrets",
        "",
        "Names of secrets that must be present, one a line; pass each value as env RUNNER_GUARD_SECRET_<NAME>.",
    ),
    input(
        "required-variables",
        "",
        "Names of configuration variables that must be set, one a line.",
    ),
    input(
        "expected-runner",
        "",
        "Name of the runner that an earlier gate chose; the job must be on it.",
    ),
    input(
        "endpoints",
        "",
        "Addresses that must be reachable, one a line: https://host/path or tcp://host:port.",
    ),
    input(
        "on-unknown",
        "",
        "What a question without an answer means: allow, warn or deny (default: deny for production, else warn).",
    ),
    input("shadow", "", "true: never block, report what would have blocked."),
    input("timeout", "", "Longest time of the gate, for example 60s."),
    input("wait", "", "Longest time to wait until what blocks has healed, for example 10m."),
    input("junit", "", "Write the findings as JUnit XML to this file, relative to the workspace."),
    input("ansible-log", "", "Files with Ansible output, one a line, relative to the workspace."),
    input("runner-logs", "", "Folder with the runner's _diag logs, as seen from the container."),
    input(
        "docker-socket",
        "false",
        "true: read the runner's _diag through the Docker socket (host-root-equivalent power, see SECURITY.md).",
    ),
    input("ca-bundle", "", "Extra certificate authorities: a file in the workspace, or PEM text."),
    input("job-status", "${{ job.status }}", "Status of the job; leave the default."),
    input("upload-artifact", "true", "false: do not upload the bundle."),
    input(
        "artifact-name",
        "",
        "Name of the artifact (default: runner-guard-<job>-<attempt>-<id>).",
    ),
    input("retention-days", "14", "Days to keep the artifact."),
];

/// Values of inputs that are not blank, by name. Expressions that no runner evaluated count as blank.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inputs {
    values: BTreeMap<String, String>,
    /// Those that a flag of the command line gave.
    flags: BTreeSet<String>,
}

impl Inputs {
    /// Takes the values that are not blank.
    pub fn new(values: impl IntoIterator<Item = (String, String)>) -> Self {
        let usable = |(name, value): (String, String)| {
            let trimmed = value.trim();
            (!trimmed.is_empty() && !trimmed.starts_with("${{")).then(|| (name, trimmed.to_owned()))
        };
        Self { values: values.into_iter().filter_map(usable).collect(), flags: BTreeSet::new() }
    }

    /// The value that was given.
    pub fn given(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The value that was given, else the default of the table; `None` when both are blank or an expression.
    pub fn get(&self, name: &str) -> Option<&str> {
        let default = INPUTS
            .iter()
            .find(|i| i.name == name)
            .map(|i| i.default)
            .filter(|d| !d.is_empty() && !d.starts_with("${{"));
        self.given(name).or(default)
    }

    /// Sets a value, as a command-line flag does.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.values.insert(name.to_owned(), value.into());
        self.flags.insert(name.to_owned());
    }

    /// Who gave this value: a flag, or the input itself.
    pub(super) fn origin(&self, name: &str) -> Origin {
        if self.flags.contains(name) {
            Origin::Flag(name.to_owned())
        } else {
            Origin::Input(name.to_owned())
        }
    }

    /// The items of a list input: separated by new lines or commas, without blanks.
    pub fn list(&self, name: &str) -> Vec<String> {
        let items = self.given(name).unwrap_or_default().split(['\n', ',']);
        items.map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }
}
