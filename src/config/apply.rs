//! Raw values and inputs -> the configuration; every mistake is recorded, none stops the search for the next.

use std::collections::BTreeMap;
use std::time::Duration;

use super::checks::{CheckSettings, KnownCheck, Level};
use super::error::{ConfigError, suggest};
use super::load::Source;
use super::raw::{RawArtifact, RawCollect, RawConfig, RawGate, RawRunner};
use super::value::{Endpoint, parse_duration};
use super::{
    Artifact, Collect, Config, Expect, Gate, GitHubAccess, Inputs, Mode, Prometheus, Runner, Tool,
    is_production,
};

/// Longest time that anybody may give a run: a gate that hangs is an outage of its own.
const MAX_TIMEOUT: Duration = Duration::from_mins(30);
const GATE_TIMEOUT: Duration = Duration::from_mins(1);
const COLLECT_TIMEOUT: Duration = Duration::from_mins(2);
const POLL: Duration = Duration::from_secs(15);
const SHORTEST_POLL: Duration = Duration::from_secs(1);
const STABLE_FOR: Duration = Duration::from_mins(10);
/// Longest time that a job may wait for a runner to heal.
const LONGEST_SPAN: Duration = Duration::from_hours(6);

/// Queries of the metrics snapshot when nobody names others.
const QUERIES: &[&str] = &[
    "up",
    "runner_status",
    "runner_host_memory_available_bytes",
    "runner_host_filesystem_avail_bytes",
    "runner_host_load1",
];

/// The configuration, and every mistake that was found on the way; with a mistake the defaults stand in its place.
pub(super) fn build(
    raw: RawConfig,
    source: &Source<'_>,
    inputs: &Inputs,
    known: &[KnownCheck],
) -> (Config, Vec<ConfigError>) {
    let mut build = Build { source, inputs, errors: Vec::new() };
    if let Some(version) = raw.version.filter(|v| *v != 1) {
        build.wrong(&["version"], format!("version {version} is not known"), "write `version: 1`");
    }
    let environment = build.text("environment", raw.environment).unwrap_or_default();
    let timeout = build.time("timeout", &["timeout"], raw.timeout, GATE_TIMEOUT);
    let config = Config {
        timeout,
        prometheus: build
            .url("prometheus-url", &["prometheus", "url"], raw.prometheus.url)
            .map(|url| Prometheus { url }),
        exporter: build.url("exporter-url", &["exporter"], raw.exporter),
        runners: build.runners(raw.runners),
        endpoints: build.endpoints(&raw.network.endpoints),
        secrets: build.secrets(raw.secrets),
        variables: build.names("required-variables", &["variables"], raw.variables),
        tools: raw.tools.iter().filter_map(|text| build.tool(text)).collect(),
        alertmanager: build.url("alertmanager-url", &["alertmanager", "url"], raw.alertmanager.url),
        github: GitHubAccess {
            app_id: build.text("app-id", raw.github.app_id),
            status_page: build.url("", &["github", "status-page"], raw.github.status_page),
        },
        expected_runner: build.text("expected-runner", None),
        gate: build.gate(&raw.gate, &environment),
        checks: build.checks(raw.checks, known),
        collect: build.collect(raw.collect),
        artifact: build.artifact(raw.artifact),
        runbooks: build.url("", &["runbooks"], raw.runbooks),
        ca_bundle: build.text("ca-bundle", raw.ca_bundle),
        origin: source.name.to_owned(),
        unused: Vec::new(),
        environment,
    };
    (config, build.errors)
}

pub(super) struct Build<'a> {
    source: &'a Source<'a>,
    pub(super) inputs: &'a Inputs,
    errors: Vec<ConfigError>,
}

impl Build<'_> {
    pub(super) fn wrong(
        &mut self,
        path: &[&str],
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.errors.push(self.source.error(path, message).help(help));
    }

    fn wrong_input(&mut self, name: &str, message: impl Into<String>) {
        self.errors.push(ConfigError::new(format!("input {name}"), message));
    }

    fn text(&self, input: &str, from_file: Option<String>) -> Option<String> {
        self.inputs
            .given(input)
            .map(str::to_owned)
            .or(from_file)
            .map(|t| t.trim().to_owned())
            .filter(|t| !t.is_empty())
    }

    fn url(&mut self, input: &str, path: &[&str], from_file: Option<String>) -> Option<String> {
        let url = self.text(input, from_file)?;
        let problem = match Endpoint::parse(&url) {
            Ok(Endpoint::Http(_)) => return Some(url.trim_end_matches('/').to_owned()),
            Ok(Endpoint::Tcp { .. }) => {
                format!("`{url}` is not an address: write http://host:port or https://host")
            }
            Err(problem) => problem,
        };
        if self.inputs.given(input).is_some() {
            self.wrong_input(input, problem);
        } else {
            self.wrong(path, problem, "give scheme, host and port");
        }
        None
    }

    fn time(
        &mut self,
        input: &str,
        path: &[&str],
        from_file: Option<String>,
        default: Duration,
    ) -> Duration {
        let given = self.inputs.given(input).map(str::to_owned);
        let by_input = given.is_some();
        let Some(text) = given.or(from_file) else { return default };
        let problem = match parse_duration(&text) {
            Ok(time) if time.is_zero() => "a time of zero leaves no room for any answer".to_owned(),
            Ok(time) if time > MAX_TIMEOUT => format!("{text} is longer than the limit of 30m"),
            Ok(time) => return time,
            Err(problem) => problem,
        };
        if by_input {
            self.wrong_input(input, problem);
        } else {
            self.wrong(path, problem, "write for example 60s");
        }
        default
    }

    fn boolean(&mut self, input: &str, from_file: Option<bool>, default: bool) -> bool {
        match self.inputs.given(input).map(str::to_ascii_lowercase).as_deref() {
            None => from_file.unwrap_or(default),
            Some("true") => true,
            Some("false") => false,
            Some(other) => {
                self.wrong_input(input, format!("`{other}` is neither true nor false"));
                default
            }
        }
    }

    fn runners(&mut self, raw: Vec<RawRunner>) -> Vec<Runner> {
        let mut runners: Vec<Runner> = Vec::new();
        for (place, one) in raw.into_iter().enumerate() {
            if one.name.trim().is_empty() {
                self.wrong(
                    &["runners", "name"],
                    "a runner without a name",
                    "write the name as registered",
                );
            }
            if runners.iter().any(|r| r.name == one.name) {
                self.wrong(
                    &["runners"],
                    format!("the runner `{}` is named twice", one.name),
                    "one host can not be primary and secondary",
                );
            }
            let exporter = self.url("", &["runners", "exporter"], one.exporter);
            let role = one
                .role
                .unwrap_or_else(|| if place == 0 { "primary" } else { "secondary" }.to_owned());
            let labels =
                one.labels.iter().map(|l| l.trim().to_owned()).filter(|l| !l.is_empty()).collect();
            let expect = match one.expect.as_deref() {
                None | Some("persistent") => Expect::Persistent,
                Some("ephemeral") => Expect::Ephemeral,
                Some(other) => {
                    let help = suggest(other, &["persistent", "ephemeral"]);
                    self.wrong(&["runners", "expect"], format!("`{other}` is not known"), help);
                    Expect::Persistent
                }
            };
            runners.push(Runner {
                name: one.name,
                role,
                labels,
                authorized_for_prod: one.authorized_for_prod,
                exporter,
                group: one.group,
                host: one.host,
                expect,
                scale_set: one.scale_set,
            });
        }
        runners
    }

    fn endpoints(&mut self, from_file: &[String]) -> Vec<Endpoint> {
        let from_input = self.inputs.list("endpoints");
        let mut endpoints = Vec::new();
        for text in from_file {
            match Endpoint::parse(text) {
                Ok(endpoint) => endpoints.push(endpoint),
                Err(problem) => {
                    self.wrong(&["network", "endpoints"], problem, "one endpoint an item");
                }
            }
        }
        for text in &from_input {
            match Endpoint::parse(text) {
                Ok(endpoint) => endpoints.push(endpoint),
                Err(problem) => self.wrong_input("endpoints", problem),
            }
        }
        endpoints
    }

    fn gate(&mut self, raw: &RawGate, environment: &str) -> Gate {
        let production = is_production(environment);
        let mode = match raw.mode.as_deref() {
            None | Some("enforce") => Mode::Enforce,
            Some("shadow") => Mode::Shadow,
            Some(other) => {
                self.wrong(
                    &["gate", "mode"],
                    format!("`{other}` is not a mode"),
                    suggest(other, &["enforce", "shadow"]),
                );
                Mode::Enforce
            }
        };
        let shadow = self.boolean("shadow", Some(mode == Mode::Shadow), false);
        let default = if production { Level::Deny } else { Level::Warn };
        let on_unknown = match (self.inputs.given("on-unknown"), raw.on_unknown.as_deref()) {
            (Some(word), _) => Level::parse(word).unwrap_or_else(|| {
                self.errors.push(
                    ConfigError::new("input on-unknown", format!("`{word}` is not a level"))
                        .help(suggest(word, &Level::WORDS)),
                );
                default
            }),
            (None, Some(word)) => self.level(&["gate", "on-unknown"], word, default),
            (None, None) => default,
        };
        let mode = if shadow { Mode::Shadow } else { Mode::Enforce };
        let wait = raw.wait.clone();
        Gate {
            mode,
            on_unknown,
            require_authorized: raw.require_authorized.unwrap_or(production),
            wait: self.span("wait", &["gate", "wait"], wait, Duration::ZERO),
            poll: self.span("", &["gate", "poll"], raw.poll.clone(), POLL).max(SHORTEST_POLL),
            stable_for: self.span("", &["gate", "stable-for"], raw.stable_for.clone(), STABLE_FOR),
            min_score: raw.min_score.unwrap_or(50).min(100),
            min_idle: raw.min_idle.unwrap_or(0),
            distinct_hosts: raw.distinct_hosts.unwrap_or(true),
            state_file: raw.state_file.clone(),
        }
    }

    /// A time that may be zero and may be longer than a run.
    fn span(
        &mut self,
        input: &str,
        path: &[&str],
        from_file: Option<String>,
        default: Duration,
    ) -> Duration {
        let given = self.inputs.given(input).map(str::to_owned);
        let by_input = given.is_some();
        let Some(text) = given.or(from_file) else { return default };
        match parse_duration(&text) {
            Ok(time) if time <= LONGEST_SPAN => return time,
            Ok(_) => self.wrong(
                path,
                format!("{text} is longer than the limit of 6h"),
                "write for example 10m",
            ),
            Err(problem) if by_input => self.wrong_input(input, problem),
            Err(problem) => self.wrong(path, problem, "write for example 10m"),
        }
        default
    }

    /// Names of variables from the file and from an input.
    fn names(&mut self, input: &str, path: &[&str], from_file: Vec<String>) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for name in from_file.into_iter().chain(self.inputs.list(input)) {
            let name = name.trim().to_ascii_uppercase();
            let right = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if name.is_empty() || !name.chars().all(right) {
                self.wrong(path, format!("`{name}` is not a name"), "only letters, digits and `_`");
            } else if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// `ansible` or `ansible >= 2.15`.
    fn tool(&mut self, text: &str) -> Option<Tool> {
        let (name, at_least) = match text.split_once(">=") {
            Some((name, version)) => (name.trim(), Some(version.trim().to_owned())),
            None => (text.trim(), None),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+');
        let version = at_least
            .as_deref()
            .is_none_or(|v| v.starts_with(|c: char| c.is_ascii_digit()) && v.chars().all(plain));
        if name.is_empty() || name.starts_with('-') || !name.chars().all(plain) || !version {
            let message = format!("`{text}` is not a program");
            self.wrong(&["tools"], message, "write `rsync` or `ansible >= 2.15`");
            return None;
        }
        Some(Tool { name: name.to_owned(), at_least })
    }

    fn level(&mut self, path: &[&str], word: &str, default: Level) -> Level {
        Level::parse(word).unwrap_or_else(|| {
            self.wrong(path, format!("`{word}` is not a level"), suggest(word, &Level::WORDS));
            default
        })
    }

    fn checks(
        &mut self,
        raw: BTreeMap<String, serde_yaml::Value>,
        known: &[KnownCheck],
    ) -> BTreeMap<String, CheckSettings> {
        let unset = |k: &KnownCheck| {
            (
                k.id.to_owned(),
                CheckSettings {
                    level: k.level,
                    on_unknown: k.on_unknown,
                    ..CheckSettings::default()
                },
            )
        };
        let mut settings: BTreeMap<String, CheckSettings> = known.iter().map(unset).collect();
        for (id, value) in raw {
            let Some(check) = known.iter().find(|k| k.id == id) else {
                let ids: Vec<&str> = known.iter().map(|k| k.id).collect();
                self.wrong(&["checks", &id], format!("unknown check `{id}`"), suggest(&id, &ids));
                continue;
            };
            settings.insert(id, self.check(check, value));
        }
        settings
    }

    fn check(&mut self, check: &KnownCheck, value: serde_yaml::Value) -> CheckSettings {
        let mut settings = CheckSettings {
            level: check.level,
            on_unknown: check.on_unknown,
            ..CheckSettings::default()
        };
        let path = ["checks", check.id];
        match value {
            serde_yaml::Value::String(word) => {
                settings.level = self.level(&path, &word, check.level);
            }
            serde_yaml::Value::Mapping(options) => {
                for (key, value) in options {
                    let (key, value) = (scalar(&key), listed(&value));
                    self.option(check, &mut settings, &key, value);
                }
            }
            serde_yaml::Value::Null
            | serde_yaml::Value::Bool(_)
            | serde_yaml::Value::Number(_)
            | serde_yaml::Value::Sequence(_)
            | serde_yaml::Value::Tagged(_) => {
                let message = format!("`{}` takes a level or a map of options", check.id);
                self.wrong(
                    &path,
                    message,
                    "write allow, warn or deny, or `level:` and options below it",
                );
            }
        }
        settings
    }

    fn option(
        &mut self,
        check: &KnownCheck,
        settings: &mut CheckSettings,
        key: &str,
        value: String,
    ) {
        let path = ["checks", check.id, key];
        match (key, check.options.iter().find(|o| o.name == key)) {
            ("level", _) => settings.level = self.level(&path, &value, check.level),
            ("on-unknown", _) => settings.on_unknown = Some(self.level(&path, &value, Level::Deny)),
            (_, Some(spec)) => match spec.kind.validate(&value) {
                Ok(()) => drop(settings.options.insert(key.to_owned(), value)),
                Err(problem) => {
                    self.wrong(&path, problem, format!("the default is {}", spec.default));
                }
            },
            (_, None) => {
                let mut names = vec!["level", "on-unknown"];
                names.extend(check.options.iter().map(|o| o.name));
                self.wrong(
                    &path,
                    format!("unknown key `{key}` of check `{}`", check.id),
                    suggest(key, &names),
                );
            }
        }
    }

    fn collect(&mut self, raw: RawCollect) -> Collect {
        let mut ansible_logs = raw.ansible.logs;
        ansible_logs.extend(self.inputs.list("ansible-log"));
        let queries = if raw.metrics.queries.is_empty() {
            QUERIES.iter().map(|&q| q.to_owned()).collect()
        } else {
            raw.metrics.queries
        };
        Collect {
            ansible_logs,
            runner_logs: self.text("runner-logs", raw.runner_logs.folder),
            docker_socket: self.boolean(
                "docker-socket",
                Some(raw.runner_logs.docker_socket),
                false,
            ),
            queries,
            timeout: self.time("", &["collect", "timeout"], raw.timeout, COLLECT_TIMEOUT),
        }
    }

    fn artifact(&mut self, raw: RawArtifact) -> Artifact {
        let retention_days = match self.inputs.given("retention-days") {
            None => raw.retention_days.unwrap_or(14),
            Some(text) => text.parse().unwrap_or_else(|_| {
                self.wrong_input("retention-days", format!("`{text}` is not a number of days"));
                14
            }),
        };
        if retention_days > 400 {
            self.wrong(
                &["artifact", "retention-days"],
                format!("{retention_days} days are more than GitHub keeps"),
                "the limit is 400",
            );
        }
        Artifact {
            upload: self.boolean("upload-artifact", raw.upload, true),
            name: self.text("artifact-name", raw.name),
            retention_days,
        }
    }
}

/// As [`scalar`]; the items of a list in lines.
fn listed(value: &serde_yaml::Value) -> String {
    match value {
        serde_yaml::Value::Sequence(items) => {
            items.iter().map(scalar).collect::<Vec<_>>().join("\n")
        }
        serde_yaml::Value::String(_)
        | serde_yaml::Value::Number(_)
        | serde_yaml::Value::Bool(_)
        | serde_yaml::Value::Null
        | serde_yaml::Value::Mapping(_)
        | serde_yaml::Value::Tagged(_) => scalar(value),
    }
}

pub(super) fn scalar(value: &serde_yaml::Value) -> String {
    match value {
        serde_yaml::Value::String(text) => text.clone(),
        serde_yaml::Value::Number(number) => number.to_string(),
        serde_yaml::Value::Bool(flag) => flag.to_string(),
        serde_yaml::Value::Null
        | serde_yaml::Value::Sequence(_)
        | serde_yaml::Value::Mapping(_)
        | serde_yaml::Value::Tagged(_) => String::new(),
    }
}
