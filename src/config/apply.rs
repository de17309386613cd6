//! Raw values and inputs -> the configuration; every mistake is recorded, none stops the search for the next.

mod agree;
mod checks;
mod collect;
mod gate;
mod lists;
mod loki;
mod redact;
mod runners;

use std::collections::BTreeMap;
use std::time::Duration;

use super::checks::KnownCheck;
use super::error::ConfigError;
use super::load::{Document, not_one_of};
use super::origin::{Origin, Origins};
use super::raw::{RawArtifact, RawSettings, Text};
use super::tree::Node;
use super::value::{Endpoint, parse_duration};
use super::{Artifact, Config, GitHubAccess, Inputs, Prometheus};

pub(super) use loki::LOG_QUERIES;

/// Longest time that anybody may give a run: a gate that hangs is an outage of its own.
const MAX_TIMEOUT: Duration = Duration::from_mins(30);
const GATE_TIMEOUT: Duration = Duration::from_mins(1);
/// Longest time that GitHub keeps an artifact, in days.
const MAX_RETENTION: u16 = 400;
const RETENTION: u16 = 14;

/// A mistake, and whether the place that it points at lies in the section of an environment.
pub(super) struct Mistake {
    pub(super) error: ConfigError,
    pub(super) in_section: bool,
}

/// The configuration for an environment, with the section laid over the base, and every mistake that was found on the way; with a mistake
/// the defaults stand in its place.
pub(super) fn build(
    document: &Document,
    section: Option<(&str, &Node)>,
    environment: &str,
    inputs: &Inputs,
    known: &[KnownCheck],
) -> (Config, Vec<Mistake>) {
    let base = document.base.clone();
    let tree = section.map_or(base.clone(), |(_, over)| base.overlay(over)).with_settings();
    let mut build = Build {
        document,
        paths: tree.paths(),
        inputs,
        section: section.map(|(name, _)| name),
        mistakes: Vec::new(),
        origins: Origins::default(),
    };
    build.origins = build.of_file();
    if inputs.given("environment").is_some() {
        build.origins.set("environment", inputs.origin("environment"));
    }
    let raw = match serde_yaml::from_value::<RawSettings>(tree.value()) {
        Ok(raw) => raw,
        Err(error) => {
            // The shape was looked at before; what is left is what the schema can not say.
            build.wrong(
                "",
                error.to_string(),
                "see docs/configuration.md for every key and its type",
            );
            RawSettings::default()
        }
    };
    let config = build.config(raw, environment, known);
    (config, build.mistakes)
}

pub(super) struct Build<'a> {
    document: &'a Document,
    /// The path in the file of every path in the tree that holds.
    paths: BTreeMap<String, String>,
    pub(super) inputs: &'a Inputs,
    section: Option<&'a str>,
    mistakes: Vec<Mistake>,
    pub(super) origins: Origins,
}

impl Build<'_> {
    fn config(&mut self, raw: RawSettings, environment: &str, known: &[KnownCheck]) -> Config {
        let mut config = Config {
            environment: environment.to_owned(),
            timeout: self.time("timeout", "timeout", raw.timeout, GATE_TIMEOUT),
            prometheus: self
                .url("prometheus-url", "prometheus.url", raw.prometheus.url)
                .map(|url| Prometheus { url }),
            exporter: self.url("exporter-url", "exporter", raw.exporter),
            runners: self.runners(raw.runners),
            endpoints: self.endpoints(&raw.network.endpoints),
            secrets: self.secrets(raw.secrets),
            variables: self.variables(raw.variables),
            tools: self.tools(&raw.tools),
            alertmanager: self.url("alertmanager-url", "alertmanager.url", raw.alertmanager.url),
            grafana: self.url("", "grafana.url", raw.grafana.url),
            loki: self.loki(raw.loki),
            github: GitHubAccess {
                app_id: self.text("app-id", "github.app-id", raw.github.app_id.map(|t| t.0)),
                status_page: self.url("", "github.status-page", raw.github.status_page),
            },
            expected_runner: self.text("expected-runner", "expected-runner", None),
            gate: self.gate(raw.gate, environment),
            checks: self.checks(raw.checks, known),
            collect: self.collect(raw.collect),
            artifact: self.artifact(raw.artifact),
            redact: self.redact(raw.redact),
            runbooks: self.url("", "runbooks", raw.runbooks),
            ca_bundle: self.text("ca-bundle", "ca-bundle", raw.ca_bundle),
            origin: self.document.name.clone(),
            unused: Vec::new(),
            origins: Origins::default(),
        };
        self.contradictions(&config);
        config.origins = std::mem::take(&mut self.origins);
        config.unused = super::idle::settings(&config);
        config
    }

    /// Who set each value as far as the file goes; inputs follow.
    fn of_file(&self) -> Origins {
        let mut origins = Origins::default();
        if self.document.named.is_some() {
            origins.set("environment", self.file_origin("environment"));
        }
        for (path, from) in self.paths.iter().filter(|(path, _)| !path.is_empty()) {
            origins.set(path.clone(), self.file_origin(from));
        }
        origins
    }

    /// The origin of a value that stands at this path of the file.
    fn file_origin(&self, from: &str) -> Origin {
        let line = self.document.places.find(from).map(|(line, _)| line);
        match self.section.filter(|name| is_in(from, name)) {
            Some(name) => Origin::Environment { name: name.to_owned(), line },
            None => Origin::File { name: self.document.name.clone(), line },
        }
    }

    /// The path in the file of a path in the tree; of the nearest parent when it is not there.
    fn from(&self, path: &str) -> &str {
        let mut path = path;
        loop {
            if let Some(from) = self.paths.get(path) {
                return from;
            }
            match path.rfind(['.', '[']) {
                Some(end) => path = &path[..end],
                None => return "",
            }
        }
    }

    /// Records a mistake at a path of the tree.
    pub(super) fn wrong(
        &mut self,
        path: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let from = self.from(path);
        let in_section = self.section.is_some_and(|name| is_in(from, name));
        let error = self.document.error(from, message).help(help);
        self.mistakes.push(Mistake { error, in_section });
    }

    /// Records a mistake in an input.
    pub(super) fn wrong_input(
        &mut self,
        name: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let error = ConfigError::new(format!("input {name}"), message).help(help);
        self.mistakes.push(Mistake { error, in_section: true });
    }

    /// Records a mistake where the value came from.
    fn wrong_value(&mut self, input: &str, path: &str, message: String, help: impl Into<String>) {
        if self.inputs.given(input).is_some() {
            self.wrong_input(input, message, help);
        } else {
            self.wrong(path, message, help);
        }
    }

    /// The text of an input, else of the file.
    pub(super) fn text(
        &mut self,
        input: &str,
        path: &str,
        from_file: Option<String>,
    ) -> Option<String> {
        let given = self.inputs.given(input).map(str::to_owned);
        if given.is_some() {
            self.origins.set(path, self.inputs.origin(input));
        }
        given.or(from_file).map(|t| t.trim().to_owned()).filter(|t| !t.is_empty())
    }

    pub(super) fn url(
        &mut self,
        input: &str,
        path: &str,
        from_file: Option<String>,
    ) -> Option<String> {
        let url = self.text(input, path, from_file)?;
        let problem = match Endpoint::parse(&url) {
            Ok(Endpoint::Http(_)) => return Some(url.trim_end_matches('/').to_owned()),
            Ok(Endpoint::Tcp { .. }) => {
                format!("`{url}` is not an address: write http://host:port or https://host")
            }
            Err(problem) => problem,
        };
        self.wrong_value(input, path, problem, "give scheme, host and port");
        None
    }

    /// A time that is neither zero nor longer than a run may be.
    pub(super) fn time(
        &mut self,
        input: &str,
        path: &str,
        from_file: Option<Text>,
        default: Duration,
    ) -> Duration {
        let Some(text) = self.text(input, path, from_file.map(|t| t.0)) else { return default };
        let (problem, help) = match parse_duration(&text) {
            Ok(time) if time.is_zero() => {
                ("a time of zero leaves no room for any answer".to_owned(), "write for example 60s")
            }
            Ok(time) if time > MAX_TIMEOUT => (
                format!("{text} is longer than the limit of 30m"),
                if path == "timeout" {
                    "the longest is 30m; use gate.wait to wait longer for a runner"
                } else {
                    "the longest is 30m"
                },
            ),
            Ok(time) => return time,
            Err(problem) => (problem, "write for example 60s"),
        };
        self.wrong_value(input, path, problem, help);
        default
    }

    pub(super) fn boolean(
        &mut self,
        input: &str,
        path: &str,
        from_file: Option<bool>,
        default: bool,
    ) -> bool {
        let Some(given) = self.inputs.given(input).map(str::to_ascii_lowercase) else {
            return from_file.unwrap_or(default);
        };
        self.origins.set(path, self.inputs.origin(input));
        match given.as_str() {
            "true" => true,
            "false" => false,
            other => {
                let (message, help) = not_one_of(other, "true or false", &["true", "false"]);
                self.wrong_input(input, message, help);
                default
            }
        }
    }

    fn artifact(&mut self, raw: RawArtifact) -> Artifact {
        let path = "artifact.retention-days";
        let text = self.text("retention-days", path, raw.retention_days.map(|n| n.to_string()));
        let retention_days = match text.as_deref().map(str::parse::<u16>) {
            None => RETENTION,
            Some(Ok(days)) if days <= MAX_RETENTION => days,
            Some(Ok(_)) => {
                let message =
                    format!("{} days are more than GitHub keeps", text.unwrap_or_default());
                self.wrong_value("retention-days", path, message, "the limit is 400");
                RETENTION
            }
            Some(Err(_)) => {
                let message = format!("`{}` is not a number of days", text.unwrap_or_default());
                self.wrong_value("retention-days", path, message, "write a number from 1 to 400");
                RETENTION
            }
        };
        Artifact {
            upload: self.boolean("upload-artifact", "artifact.upload", raw.upload, true),
            name: self.text("artifact-name", "artifact.name", raw.name),
            retention_days,
        }
    }
}

/// Whether a path of the file lies in the section of this environment.
fn is_in(from: &str, section: &str) -> bool {
    let rest = from.strip_prefix("environments.").and_then(|rest| rest.strip_prefix(section));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}
