//! The YAML file as it is written: the shape that the parser and the JSON Schema share. The comments here are what editors show.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::secrets::SecretKind;
use super::tree::scalar;

/// A time: `90s`, `5m`, `1h30m`, or a bare number of seconds.
pub(super) const TIME: &str = r"^\s*([0-9]+|([0-9]+\s*(ms|s|m|min|h|d)\s*)+)\s*$";
/// A size: `5 GiB`, `500MB`, or a bare number of bytes.
pub(super) const SIZE: &str =
    r"^\s*[0-9]+(\.[0-9]+)?\s*([bB]|[kKmMgGtT]|[kKmMgGtT][bB]|[kKmMgGtT][iI][bB])?\s*$";
const ADDRESS: &str = r"^\s*https?://[^@/]+(/.*)?$";
const ENDPOINT: &str =
    r"^\s*(https?://[^@/]+(/.*)?|(tcp://)?\[?[A-Za-z0-9._:-]+\]?:[0-9]{1,5})\s*$";
/// A log query begins with its selector; a metric query with a function.
const LOG_QUERY: &str = r"^\s*\{";
const NAME: &str = r"^\s*[A-Za-z0-9_]+\s*$";
const TOOL: &str = r"^\s*[A-Za-z0-9_.+][A-Za-z0-9_.+-]*\s*(>=\s*[0-9][A-Za-z0-9_.+-]*\s*)?$";

/// A text that may be written as a bare number too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text(pub(super) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        serde_yaml::Value::deserialize(from).map(|value| Self(scalar(&value)))
    }
}

/// Everything that may stand in the file and, without the first three keys, in the section of an environment.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[schemars(rename = "settings")]
pub(super) struct RawSettings {
    /// Longest time of the gate for all questions together, at most 30m. What has no answer by then is unknown.
    #[schemars(schema_with = "time", extend("default" = "60s"))]
    pub(super) timeout: Option<Text>,
    /// The Prometheus server that scrapes the runners.
    pub(super) prometheus: RawPrometheus,
    /// Alertmanager, to leave out alerts that are silenced.
    pub(super) alertmanager: RawAlertmanager,
    /// Grafana, to link to from the metrics of the black box.
    pub(super) grafana: RawGrafana,
    /// Loki, to collect log lines around a failure from.
    pub(super) loki: RawLoki,
    /// Address of `/metrics` of this runner's exporter, for a gate without candidates and without Prometheus.
    #[schemars(schema_with = "address")]
    pub(super) exporter: Option<String>,
    /// How the gate shows itself to GitHub, and where GitHub's status page is.
    pub(super) github: RawGitHub,
    /// The candidates for the deploy job, the preferred one first. The first eligible one whose score is good enough is chosen.
    pub(super) runners: Vec<RawRunner>,
    /// What must be reachable.
    pub(super) network: RawNetwork,
    /// Secrets that the deploy needs: names, or names with what is known about them. Never a value.
    #[schemars(with = "Vec<RawSecret>")]
    pub(super) secrets: Vec<serde_yaml::Value>,
    /// Names of configuration variables that the deploy needs.
    #[schemars(schema_with = "names")]
    pub(super) variables: Vec<String>,
    /// Programs that the deploy needs on the host, each with its lowest version when there is one: `rsync`, `ansible >= 2.15`.
    #[schemars(schema_with = "tools")]
    pub(super) tools: Vec<String>,
    /// How answers become a verdict, and how a runner is chosen.
    pub(super) gate: RawGate,
    /// Settings of checks, by id: a level, or a level with what no answer means and the check's own limits.
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub(super) checks: BTreeMap<String, serde_yaml::Value>,
    /// What the black box reads after a failure.
    pub(super) collect: RawCollect,
    /// The artifact with the evidence.
    pub(super) artifact: RawArtifact,
    /// What is removed from every text besides secrets.
    pub(super) redact: RawRedact,
    /// Base address of runbooks; the action's own when it is not given.
    #[schemars(schema_with = "address")]
    pub(super) runbooks: Option<String>,
    /// Certificate authorities to trust besides the built-in ones: a file in the workspace, or PEM text.
    pub(super) ca_bundle: Option<String>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[schemars(rename = "prometheus")]
pub(super) struct RawPrometheus {
    /// Base address, without `/api`: `http://prometheus.internal:9090`.
    #[schemars(schema_with = "address")]
    pub(super) url: Option<String>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[schemars(rename = "alertmanager")]
pub(super) struct RawAlertmanager {
    /// Base address, without `/api`: `http://alertmanager.internal:9093`.
    #[schemars(schema_with = "address")]
    pub(super) url: Option<String>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[schemars(rename = "grafana")]
pub(super) struct RawGrafana {
    /// Base address: `https://grafana.internal`.
    #[schemars(schema_with = "address")]
    pub(super) url: Option<String>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[schemars(rename = "loki")]
pub(super) struct RawLoki {
    /// Base address, without `/loki/api`: `http://loki.internal:3100`.
    #[schemars(schema_with = "address")]
    pub(super) url: Option<String>,
    /// Log queries in `LogQL` for the time of the job, at most ten, in place of the four basic ones.
    #[schemars(schema_with = "log_queries")]
    pub(super) queries: Vec<String>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[schemars(rename = "github")]
pub(super) struct RawGitHub {
    /// Id or client id of a GitHub App to ask the API as. Its key comes as the input `app-private-key`, never in this file.
    #[schemars(schema_with = "text_or_number")]
    pub(super) app_id: Option<Text>,
    /// Base address of the status page; GitHub's own when it is not given, none on an own server.
    #[schemars(schema_with = "address")]
    pub(super) status_page: Option<String>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[schemars(rename = "runner", extend("required" = ["name"]))]
pub(super) struct RawRunner {
    /// Name as registered with GitHub; also the label `runner` of its metrics.
    #[schemars(length(min = 1))]
    pub(super) name: String,
    /// `primary`, `secondary` or any other word; shown in reports and in the output `role`. Without it the first candidate is the primary
    /// and the others are secondaries.
    pub(super) role: Option<String>,
    /// Labels for `runs-on`; GitHub must know all of them.
    pub(super) labels: Vec<String>,
    /// Whether it may deploy to production. Without it the exporter's label decides; a no from either side is final.
    pub(super) authorized_for_prod: Option<bool>,
    /// Address of its exporter's `/metrics`, for a gate without Prometheus.
    #[schemars(schema_with = "address")]
    pub(super) exporter: Option<String>,
    /// The runner group that it must be in.
    pub(super) group: Option<String>,
    /// The host that it is on. Candidates of different roles must be on different hosts.
    pub(super) host: Option<String>,
    /// `ephemeral` when a runner of this name exists only while it works: none between jobs is nothing bad.
    #[schemars(schema_with = "expect", extend("default" = "persistent"))]
    pub(super) expect: Option<String>,
    /// Name of the scale set (Actions Runner Controller), as its listener's metrics call it.
    pub(super) scale_set: Option<String>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[schemars(rename = "network")]
pub(super) struct RawNetwork {
    /// Addresses that must answer from where the gate runs: `https://host/path`, `http://host`, `tcp://host:port`. GitHub's API is always
    /// asked in a workflow.
    #[schemars(schema_with = "endpoints")]
    pub(super) endpoints: Vec<String>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[schemars(rename = "gate")]
pub(super) struct RawGate {
    /// `shadow` blocks nothing and reports what would have been blocked.
    #[schemars(schema_with = "mode", extend("default" = "enforce"))]
    pub(super) mode: Option<String>,
    /// What a question without an answer means: `deny` for production, else `warn`, when it is not given. A check may say otherwise.
    #[schemars(schema_with = "level")]
    pub(super) on_unknown: Option<String>,
    /// Whether a candidate must be authorised for production to be chosen; true for production when it is not given.
    pub(super) require_authorized: Option<bool>,
    /// Longest time to wait until what blocks has healed, at most 6h; 0s decides at once.
    #[schemars(schema_with = "time", extend("default" = "0s"))]
    pub(super) wait: Option<Text>,
    /// Time between two looks while it waits, at least 1s.
    #[schemars(schema_with = "time", extend("default" = "15s"))]
    pub(super) poll: Option<Text>,
    /// How long a candidate must have been well before it is preferred again; until then its score is 60 lower.
    #[schemars(schema_with = "time", extend("default" = "10m"))]
    pub(super) stable_for: Option<Text>,
    /// The first candidate whose score, 0 to 100, is at least this is chosen; when there is none, the one with the best score.
    #[schemars(range(min = 0, max = 100), extend("default" = 50))]
    pub(super) min_score: Option<u64>,
    /// How many candidates of the first role must be idle; when fewer are, the score of each of them is 60 lower.
    #[schemars(range(min = 0), extend("default" = 0))]
    pub(super) min_idle: Option<u64>,
    /// Whether candidates of different roles must be on different hosts.
    #[schemars(extend("default" = true))]
    pub(super) distinct_hosts: Option<bool>,
    /// File that keeps what the gate saw before, relative to the workspace; without it only Prometheus knows how long a runner was well.
    pub(super) state_file: Option<String>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[schemars(rename = "collect")]
pub(super) struct RawCollect {
    /// Ansible's output.
    pub(super) ansible: RawAnsible,
    /// The runner's own logs.
    pub(super) runner_logs: RawRunnerLogs,
    /// The metrics snapshot.
    pub(super) metrics: RawMetrics,
    /// Other files for the bundle, relative to the workspace: paths, with `*` and `?` in their parts and `**` for any folders.
    pub(super) files: Vec<String>,
    /// How much is kept.
    pub(super) budget: RawBudget,
    /// Longest time of the black box, at most 30m.
    #[schemars(schema_with = "time", extend("default" = "2m"))]
    pub(super) timeout: Option<Text>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[schemars(rename = "budget")]
pub(super) struct RawBudget {
    /// Most of all texts together, before compression; what is unhealthy comes first.
    #[schemars(schema_with = "size", extend("default" = "256 MiB"))]
    pub(super) total: Option<Text>,
    /// Most of one text: of a longer one the beginning and the end.
    #[schemars(schema_with = "size", extend("default" = "64 MiB"))]
    pub(super) item: Option<Text>,
    /// Most lines of one text, from its end; without it no limit.
    #[schemars(range(min = 1))]
    pub(super) lines: Option<u64>,
    /// Files that were not written to for longer are left out, unless they are named without a pattern; at most 30d.
    #[schemars(schema_with = "time", extend("default" = "24h"))]
    pub(super) age: Option<Text>,
    /// Most of the free disk that all texts together may take, in percent.
    #[schemars(range(min = 1, max = 100), extend("default" = 25))]
    pub(super) disk_percent: Option<u64>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[schemars(rename = "ansible")]
pub(super) struct RawAnsible {
    /// Files with Ansible output, relative to the workspace; without them `ANSIBLE_LOG_PATH`, else a search.
    pub(super) logs: Vec<String>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[schemars(rename = "runner-logs")]
pub(super) struct RawRunnerLogs {
    /// Folder with `_diag` logs, as it is seen from the container.
    pub(super) folder: Option<String>,
    /// Whether the Docker socket may be used to read `_diag` from the host (host-root-equivalent power).
    #[schemars(extend("default" = false))]
    pub(super) docker_socket: Option<bool>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[schemars(rename = "metrics")]
pub(super) struct RawMetrics {
    /// Expressions in `PromQL` of the snapshot, in place of the five basic ones.
    pub(super) queries: Vec<String>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[schemars(rename = "artifact")]
pub(super) struct RawArtifact {
    /// Whether the bundle is uploaded.
    #[schemars(extend("default" = true))]
    pub(super) upload: Option<bool>,
    /// Name of the artifact; `runner-guard-<job>-<attempt>-<id>` when it is not given.
    pub(super) name: Option<String>,
    /// Days to keep it, at most 400, and at most what the repository keeps.
    #[schemars(range(min = 0, max = 400), extend("default" = 14))]
    pub(super) retention_days: Option<u64>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[schemars(rename = "redact")]
pub(super) struct RawRedact {
    /// For whom the bundle and the summary are. `share-with-vendor` gives hosts, users and addresses pseudonyms, `public` also e-mail and
    /// hardware addresses.
    #[schemars(schema_with = "profile", extend("default" = "internal"))]
    pub(super) profile: Option<String>,
    /// Rules of your own, at most 64: each has a name and one of `literal`, `regex` and `path`.
    #[schemars(length(max = 64))]
    pub(super) rules: Vec<RawRedactRule>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[schemars(rename = "redact-rule", extend("required" = ["name"]))]
pub(super) struct RawRedactRule {
    /// Stands in the replacement: `[redacted:NAME#N]`.
    #[schemars(schema_with = "rule_name")]
    pub(super) name: String,
    /// A text of at least 3 characters, compared with its case.
    #[schemars(schema_with = "text_or_number")]
    pub(super) literal: Option<Text>,
    /// An expression for a part of a line; when it has groups, they alone are replaced. No look-around, no back-references.
    pub(super) regex: Option<String>,
    /// A chain of keys with dots, `db.admin.pin`, in YAML, JSON and settings; `*` stands for any key. All below it is replaced.
    pub(super) path: Option<String>,
    /// The paths in the bundle for which it holds: `ansible/**`. Without it, and in texts outside of the bundle, it holds everywhere.
    pub(super) files: Option<String>,
}

/// A secret as the schema describes it; it is read by hand, key by key, to name every mistake.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "secret")]
#[expect(dead_code, reason = "only its shape is used")]
enum RawSecret {
    /// A name; letters, digits and `_`.
    Name(#[schemars(schema_with = "name")] String),
    /// A name with what is known.
    Policy(RawPolicy),
}

#[derive(Default, JsonSchema)]
#[schemars(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    rename = "secret-policy",
    extend("required" = ["name"])
)]
struct RawPolicy {
    /// Its name; letters, digits and `_`.
    #[schemars(schema_with = "name")]
    name: String,
    /// What it is, which says what its value must look like.
    #[schemars(schema_with = "kind", extend("default" = "opaque"))]
    kind: Option<String>,
    /// false when the deploy can do without it.
    #[schemars(extend("default" = true))]
    required: Option<bool>,
    /// Longest time since it was stored: `90d`.
    #[schemars(schema_with = "time")]
    max_age: Option<String>,
    /// The fingerprint that it must have: `SHA256:…` as ssh-keygen and openssl print it.
    fingerprint: Option<String>,
    /// Name of the secret that holds the other half: the certificate of this key.
    #[schemars(schema_with = "name")]
    pair: Option<String>,
}

pub(super) fn time(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["string", "integer"], "pattern": TIME, "minimum": 0})
}

fn size(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["string", "integer"], "pattern": SIZE, "minimum": 0})
}

fn address(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "pattern": ADDRESS})
}

fn text_or_number(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["string", "integer"]})
}

fn profile(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "enum": super::redaction::Profile::WORDS})
}

fn rule_name(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "pattern": "^[a-z][a-z0-9._-]{0,39}$"})
}

fn expect(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "enum": ["persistent", "ephemeral"]})
}

fn mode(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "enum": ["enforce", "shadow"]})
}

pub(super) fn level(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "enum": super::checks::Level::WORDS})
}

fn kind(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "enum": SecretKind::WORDS})
}

fn name(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "pattern": NAME})
}

fn names(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "array", "items": {"type": "string", "pattern": NAME}})
}

fn tools(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "array", "items": {"type": "string", "pattern": TOOL}})
}

fn log_queries(_: &mut SchemaGenerator) -> Schema {
    let most = super::apply::LOG_QUERIES;
    json_schema!({"type": "array", "maxItems": most, "items": {"type": "string", "pattern": LOG_QUERY}})
}

fn endpoints(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "array", "items": {"type": "string", "pattern": ENDPOINT}})
}
