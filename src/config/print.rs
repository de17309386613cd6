//! The configuration that holds, as YAML, with the origin of every value behind it. Read back, it is the same configuration.

use std::fmt::Write as _;

use super::checks::{CheckSettings, KnownCheck, OptionKind, OptionSpec};
use super::value::duration_text;
use super::{Config, Expect, Gate, Mode, Origins, Redact, Runner, SecretPolicy};

/// Widest column of the origins, in characters.
const WIDEST: usize = 60;

/// Writes the configuration. What is not set and has no default stands as a comment; certificate text is not repeated.
pub fn print(config: &Config, known: &[KnownCheck]) -> String {
    let mut page = Page { origins: &config.origins, lines: Vec::new() };
    page.head(config);
    page.runners(&config.runners);
    page.open(0, "network");
    let endpoints: Vec<String> = config.endpoints.iter().map(super::Endpoint::text).collect();
    page.list(1, "endpoints", &endpoints, "network.endpoints");
    page.secrets(&config.secrets);
    page.list(0, "variables", &config.variables, "variables");
    let tool = |t: &super::Tool| match &t.at_least {
        Some(version) => format!("{} >= {version}", t.name),
        None => t.name.clone(),
    };
    let tools: Vec<String> = config.tools.iter().map(tool).collect();
    page.list(0, "tools", &tools, "tools");
    page.gate(&config.gate);
    page.open(0, "checks");
    for check in known {
        page.check(check, &config.check(check.id));
    }
    page.tail(config);
    page.text()
}

struct Page<'a> {
    origins: &'a Origins,
    /// A line, and the origin behind it.
    lines: Vec<(String, Option<String>)>,
}

impl Page<'_> {
    fn head(&mut self, config: &Config) {
        self.lines.push(("version: 1".to_owned(), None));
        let named = Some(config.environment.as_str()).filter(|e| !e.is_empty());
        self.optional(0, "environment", named, "environment");
        self.plain(0, "timeout", &duration_text(config.timeout), "timeout");
        self.open(0, "prometheus");
        let url = config.prometheus.as_ref().map(|p| p.url.as_str());
        self.optional(1, "url", url, "prometheus.url");
        self.open(0, "alertmanager");
        self.optional(1, "url", config.alertmanager.as_deref(), "alertmanager.url");
        self.open(0, "grafana");
        self.optional(1, "url", config.grafana.as_deref(), "grafana.url");
        self.open(0, "loki");
        self.optional(1, "url", config.loki.as_ref().map(|l| l.url.as_str()), "loki.url");
        if let Some(loki) = &config.loki {
            self.list(1, "queries", &loki.queries, "loki.queries");
        }
        self.optional(0, "exporter", config.exporter.as_deref(), "exporter");
        self.open(0, "github");
        self.optional(1, "app-id", config.github.app_id.as_deref(), "github.app-id");
        self.optional(1, "status-page", config.github.status_page.as_deref(), "github.status-page");
        if let Some(runner) = &config.expected_runner {
            let origin = self.origins.of("expected-runner").to_string();
            self.lines.push((format!("# expected-runner: {}", quoted(runner)), Some(origin)));
        }
    }

    fn runners(&mut self, runners: &[Runner]) {
        if runners.is_empty() {
            return self.list(0, "runners", &[], "runners");
        }
        self.open(0, "runners");
        for (at, runner) in runners.iter().enumerate() {
            let path = |key: &str| format!("runners[{at}].{key}");
            self.line(1, &format!("- name: {}", quoted(&runner.name)), &path("name"));
            self.plain(2, "role", &quoted(&runner.role), &path("role"));
            self.list(2, "labels", &runner.labels, &path("labels"));
            let authorized = runner.authorized_for_prod.map(|a| a.to_string());
            self.optional_plain(2, "authorized-for-prod", authorized, &path("authorized-for-prod"));
            self.optional(2, "exporter", runner.exporter.as_deref(), &path("exporter"));
            self.optional(2, "group", runner.group.as_deref(), &path("group"));
            self.optional(2, "host", runner.host.as_deref(), &path("host"));
            let expect = match runner.expect {
                Expect::Persistent => "persistent",
                Expect::Ephemeral => "ephemeral",
            };
            self.plain(2, "expect", expect, &path("expect"));
            self.optional(2, "scale-set", runner.scale_set.as_deref(), &path("scale-set"));
        }
    }

    fn secrets(&mut self, secrets: &[SecretPolicy]) {
        if secrets.is_empty() {
            return self.list(0, "secrets", &[], "secrets");
        }
        self.open(0, "secrets");
        for (at, secret) in secrets.iter().enumerate() {
            let item = format!("secrets[{at}]");
            let path = |key: &str| format!("{item}.{key}");
            let short = !self.origins.is_set(&path("name"));
            let name = if short { item.clone() } else { path("name") };
            self.line(1, &format!("- name: {}", quoted(&secret.name)), &name);
            self.plain(2, "kind", secret.kind.word(), &path("kind"));
            self.plain(2, "required", &(!secret.optional).to_string(), &path("required"));
            self.optional_plain(2, "max-age", secret.max_age.map(duration_text), &path("max-age"));
            self.optional(2, "fingerprint", secret.fingerprint.as_deref(), &path("fingerprint"));
            self.optional(2, "pair", secret.pair.as_deref(), &path("pair"));
        }
    }

    fn gate(&mut self, gate: &Gate) {
        self.open(0, "gate");
        let mode = match gate.mode {
            Mode::Enforce => "enforce",
            Mode::Shadow => "shadow",
        };
        for (key, value) in [
            ("mode", mode.to_owned()),
            ("on-unknown", gate.on_unknown.word().to_owned()),
            ("require-authorized", gate.require_authorized.to_string()),
            ("wait", duration_text(gate.wait)),
            ("poll", duration_text(gate.poll)),
            ("stable-for", duration_text(gate.stable_for)),
            ("min-score", gate.min_score.to_string()),
            ("min-idle", gate.min_idle.to_string()),
            ("distinct-hosts", gate.distinct_hosts.to_string()),
        ] {
            self.plain(1, key, &value, &format!("gate.{key}"));
        }
        self.optional(1, "state-file", gate.state_file.as_deref(), "gate.state-file");
    }

    fn check(&mut self, check: &KnownCheck, settings: &CheckSettings) {
        let path = |key: &str| format!("checks.{}.{key}", check.id);
        self.open(1, check.id);
        self.plain(2, "level", settings.level.word(), &path("level"));
        match settings.on_unknown {
            Some(level) => self.plain(2, "on-unknown", level.word(), &path("on-unknown")),
            None => self.comment(2, "on-unknown: as gate.on-unknown"),
        }
        for spec in check.options {
            self.option(spec, settings, &path(spec.name));
        }
    }

    fn option(&mut self, spec: &OptionSpec, settings: &CheckSettings, path: &str) {
        match spec.kind {
            OptionKind::List => {
                let items: Vec<String> =
                    settings.list(spec).into_iter().map(str::to_owned).collect();
                self.list(2, spec.name, &items, path);
            }
            OptionKind::Text => match settings.word(spec) {
                // Left out, the default would come back.
                None if !spec.default.is_empty() => self.plain(2, spec.name, "\"\"", path),
                word => self.optional(2, spec.name, word, path),
            },
            OptionKind::Bytes | OptionKind::Duration | OptionKind::Percent | OptionKind::Number => {
                let text = settings.options.get(spec.name).map_or(spec.default, String::as_str);
                let is_plain = !text.is_empty()
                    && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '.'));
                let text = text.trim();
                let value = if is_plain { text.to_owned() } else { quoted(text) };
                self.plain(2, spec.name, &value, path);
            }
        }
    }

    fn tail(&mut self, config: &Config) {
        let collect = &config.collect;
        self.open(0, "collect");
        self.open(1, "ansible");
        self.list(2, "logs", &collect.ansible_logs, "collect.ansible.logs");
        self.open(1, "runner-logs");
        self.optional(2, "folder", collect.runner_logs.as_deref(), "collect.runner-logs.folder");
        let socket = collect.docker_socket.to_string();
        self.plain(2, "docker-socket", &socket, "collect.runner-logs.docker-socket");
        self.open(1, "metrics");
        self.list(2, "queries", &collect.queries, "collect.metrics.queries");
        self.list(1, "files", &collect.files, "collect.files");
        let budget = &collect.budget;
        self.open(1, "budget");
        self.plain(2, "total", &budget.total.to_string(), "collect.budget.total");
        self.plain(2, "item", &budget.item.to_string(), "collect.budget.item");
        let lines = budget.lines.map(|lines| lines.to_string());
        self.optional_plain(2, "lines", lines, "collect.budget.lines");
        self.plain(2, "age", &duration_text(budget.age), "collect.budget.age");
        let percent = budget.disk_percent.to_string();
        self.plain(2, "disk-percent", &percent, "collect.budget.disk-percent");
        self.plain(1, "timeout", &duration_text(collect.timeout), "collect.timeout");
        let artifact = &config.artifact;
        self.open(0, "artifact");
        self.plain(1, "upload", &artifact.upload.to_string(), "artifact.upload");
        self.optional(1, "name", artifact.name.as_deref(), "artifact.name");
        let days = artifact.retention_days.to_string();
        self.plain(1, "retention-days", &days, "artifact.retention-days");
        self.redact(&config.redact);
        self.optional(0, "runbooks", config.runbooks.as_deref(), "runbooks");
        match config.ca_bundle.as_deref() {
            Some(pem) if pem.contains("-----BEGIN") => {
                let origin = self.origins.of("ca-bundle").to_string();
                self.lines.push(("# ca-bundle: PEM text".to_owned(), Some(origin)));
            }
            path => self.optional(0, "ca-bundle", path, "ca-bundle"),
        }
    }

    fn redact(&mut self, redact: &Redact) {
        self.open(0, "redact");
        self.plain(1, "profile", redact.profile.word(), "redact.profile");
        if redact.rules.is_empty() {
            return self.list(1, "rules", &[], "redact.rules");
        }
        self.open(1, "rules");
        for (at, rule) in redact.rules.iter().enumerate() {
            let path = |key: &str| format!("redact.rules[{at}].{key}");
            self.line(2, &format!("- name: {}", quoted(&rule.name)), &path("name"));
            let key = rule.find.key();
            self.plain(3, key, &quoted(rule.find.text()), &path(key));
            self.optional(3, "files", rule.files.as_deref(), &path("files"));
        }
    }

    fn line(&mut self, depth: usize, text: &str, path: &str) {
        let origin = self.origins.first(path).cloned().unwrap_or_default();
        self.lines.push((format!("{}{text}", "  ".repeat(depth)), Some(origin.to_string())));
    }

    /// A key with a value that needs no quotes.
    fn plain(&mut self, depth: usize, key: &str, value: &str, path: &str) {
        self.line(depth, &format!("{key}: {value}"), path);
    }

    fn optional(&mut self, depth: usize, key: &str, value: Option<&str>, path: &str) {
        self.optional_plain(depth, key, value.map(quoted), path);
    }

    fn optional_plain(&mut self, depth: usize, key: &str, value: Option<String>, path: &str) {
        match value {
            Some(value) => self.plain(depth, key, &value, path),
            None => self.comment(depth, &format!("{key}: not set")),
        }
    }

    fn list(&mut self, depth: usize, key: &str, items: &[String], path: &str) {
        if items.is_empty() {
            return self.plain(depth, key, "[]", path);
        }
        self.open(depth, key);
        for (at, item) in items.iter().enumerate() {
            let own = format!("{path}[{at}]");
            let path = if self.origins.is_set(&own) { &own } else { path };
            self.line(depth + 1, &format!("- {}", quoted(item)), path);
        }
    }

    fn open(&mut self, depth: usize, key: &str) {
        self.lines.push((format!("{}{key}:", "  ".repeat(depth)), None));
    }

    fn comment(&mut self, depth: usize, text: &str) {
        self.lines.push((format!("{}# {text}", "  ".repeat(depth)), None));
    }

    fn text(&self) -> String {
        let wide = |(line, origin): &(String, Option<String>)| {
            origin.is_some().then(|| line.chars().count()).filter(|n| *n <= WIDEST)
        };
        let column = self.lines.iter().filter_map(wide).max().unwrap_or(0);
        let mut text = String::new();
        for (line, origin) in &self.lines {
            text.push_str(line);
            if let Some(origin) = origin {
                let missing = column.saturating_sub(line.chars().count());
                text.push_str(&" ".repeat(missing + 2));
                text.push_str("# ");
                text.push_str(&origin.replace(char::is_control, " "));
            }
            text.push('\n');
        }
        text
    }
}

/// A text as YAML: bare when no reader can take it for anything else, else in double quotes.
fn quoted(text: &str) -> String {
    const WORDS: [&str; 10] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "~"];
    let bare = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/'))
        && !WORDS.contains(&text.to_ascii_lowercase().as_str());
    let is_url = ["http://", "https://"].iter().any(|s| text.starts_with(s))
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "/:._-".contains(c))
        && !text.ends_with(':');
    if bare || is_url {
        return text.to_owned();
    }
    let json = serde_json::Value::String(text.to_owned()).to_string();
    json.chars().fold(String::new(), |mut safe, c| {
        // Neither a terminal nor a reader may be moved by what the file holds.
        if c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}') {
            let _ = write!(safe, "\\u{:04x}", u32::from(c));
        } else {
            safe.push(c);
        }
        safe
    })
}
