//! What must be granted, opened and defined before the gate can answer, as Markdown for those who do it. Made from the configuration and
//! from what the checks that it uses say they need.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::check::{Check, Need};
use crate::config::{Config, Endpoint, Level, duration_text};
use crate::report::escape::{cell, prose};

/// The page. Checks that are allowed away, or have nothing to ask about, need nothing.
pub(super) fn markdown(config: &Config, checks: &[&dyn Check]) -> String {
    let used: Vec<&dyn Check> = checks.iter().copied().filter(|c| is_used(config, *c)).collect();
    let needs = Needs::of(&used);
    let environment = match config.environment.as_str() {
        "" => String::new(),
        name => format!(" for the environment {}", cell(name)),
    };
    let mut page = Page(format!(
        "# What runner-guard needs\n\nMade from {}{environment}. {} of {} checks are in use.\n",
        cell(&config.origin),
        used.len(),
        checks.len()
    ));
    page.table(
        "Network",
        "From where the gate runs.",
        &["to", "port", "why"],
        network(config, &needs),
    );
    let rows = needs.rows(|need| match need {
        Need::WorkflowPermission(text) => Some(text),
        Need::TokenPermission(_) | Need::Metric(_) | Need::Mount(_) | Need::Address(_) => None,
    });
    let text = "Keys below `permissions:` of the job, or of the workflow.";
    page.table("Permissions of the workflow", text, &["permission", "why"], rows);
    let rows = needs.rows(|need| match need {
        Need::TokenPermission(text) => Some(text),
        Need::WorkflowPermission(_) | Need::Metric(_) | Need::Mount(_) | Need::Address(_) => None,
    });
    let text = "Of a GitHub App (app-id, app-private-key) or a fine-grained token (github-token). No workflow token has them; without them these checks stay unknown.";
    page.table("Permissions of the token", text, &["permission", "why"], rows);
    page.table("Secrets", "Each is handed to the gate in `env:`.", SECRETS, secrets(config));
    page.table("Variables", "Each is handed to the gate in `env:`.", VARIABLES, variables(config));
    page.table("Runners", "As GitHub must know them.", RUNNERS, runners(config));
    let rows = needs.rows(|need| match need {
        Need::Metric(text) => Some(text),
        Need::WorkflowPermission(_)
        | Need::TokenPermission(_)
        | Need::Mount(_)
        | Need::Address(_) => None,
    });
    let text = "What Prometheus must scrape, or the exporter must show.";
    page.table("Metrics", text, &["metric", "why"], rows);
    page.table(
        "Mounts",
        "Seen from the container of the gate.",
        &["path", "why"],
        mounts(config, &needs),
    );
    page.table(
        "Programs",
        "On the host of the job.",
        &["program", "lowest version"],
        tools(config),
    );
    page.0
}

const SECRETS: &[&str] = &["name", "kind", "needed", "longest age", "define it as", "pass it as"];
const VARIABLES: &[&str] = &["name", "define it as", "pass it as"];
const RUNNERS: &[&str] = &["name", "role", "labels", "group", "host", "may deploy to production"];

fn is_used(config: &Config, check: &dyn Check) -> bool {
    config.check(check.id()).level != Level::Allow && config.lacks(check.id()).is_none()
}

/// Needs, each with the checks that have it.
struct Needs(BTreeMap<Need, BTreeSet<&'static str>>);

impl Needs {
    fn of(checks: &[&dyn Check]) -> Self {
        let mut all: BTreeMap<Need, BTreeSet<&'static str>> = BTreeMap::new();
        for check in checks {
            for need in check.needs() {
                all.entry(*need).or_default().insert(check.id());
            }
        }
        Self(all)
    }

    /// The rows of one kind: what is needed, and why.
    fn rows(&self, wanted: impl Fn(&Need) -> Option<&'static str>) -> Vec<Vec<String>> {
        let row = |(need, why): (&Need, &BTreeSet<&'static str>)| {
            wanted(need).map(|text| vec![cell(text), checks(why)])
        };
        self.0.iter().filter_map(row).collect()
    }
}

fn checks(ids: &BTreeSet<&'static str>) -> String {
    ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ")
}

struct Page(String);

impl Page {
    /// A section with a table; nothing at all without rows.
    fn table(&mut self, title: &str, text: &str, head: &[&str], rows: Vec<Vec<String>>) {
        if rows.is_empty() {
            return;
        }
        let line = vec!["---"; head.len()].join(" | ");
        let _ = writeln!(self.0, "\n## {title}\n\n{text}\n\n| {} |\n| {line} |", head.join(" | "));
        for row in rows {
            let _ = writeln!(self.0, "| {} |", row.join(" | "));
        }
    }
}

fn network(config: &Config, needs: &Needs) -> Vec<Vec<String>> {
    let mut rows = vec![vec![
        "GitHub's API".to_owned(),
        "443".to_owned(),
        "runners, runs and limits are asked there".to_owned(),
    ]];
    let mut add = |address: &str, why: String| {
        let (host, port) = host_and_port(address);
        let row = vec![cell(&host), port, why];
        if !rows.contains(&row) {
            rows.push(row);
        }
    };
    if let Some(prometheus) = &config.prometheus {
        add(&prometheus.url, "`prometheus`".to_owned());
    }
    if let Some(loki) = &config.loki {
        add(&loki.url, "`loki`".to_owned());
    }
    if let Some(url) = &config.alertmanager {
        add(url, "`alertmanager`".to_owned());
    }
    if let Some(url) = config.exporter.as_ref().filter(|_| config.runners.is_empty()) {
        add(url, "`exporter`".to_owned());
    }
    for runner in &config.runners {
        if let Some(url) = &runner.exporter {
            add(url, format!("exporter of {}", cell(&runner.name)));
        }
    }
    for endpoint in &config.endpoints {
        add(&endpoint.text(), "`network.endpoints`".to_owned());
    }
    if let Some(url) = &config.github.status_page {
        add(url, "`github.status-page`".to_owned());
    }
    for row in needs.rows(|need| match need {
        Need::Address(text) => Some(text),
        Need::WorkflowPermission(_)
        | Need::TokenPermission(_)
        | Need::Metric(_)
        | Need::Mount(_) => None,
    }) {
        let [address, why] = row.as_slice() else { continue };
        add(address.trim_matches('`'), why.clone());
    }
    if config.artifact.upload {
        rows.push(vec![
            "GitHub's artifact service and its storage".to_owned(),
            "443".to_owned(),
            "`artifact.upload`; the runner names the address".to_owned(),
        ]);
    }
    rows
}

/// Host and port of an address; the scheme's own port when it names none.
fn host_and_port(address: &str) -> (String, String) {
    if let Ok(Endpoint::Tcp { host, port }) = Endpoint::parse(address) {
        return (host, port.to_string());
    }
    let Ok(uri) = address.parse::<http::Uri>() else {
        return (address.to_owned(), "443".to_owned());
    };
    let port = match (uri.port_u16(), uri.scheme_str()) {
        (Some(port), _) => port,
        (None, Some("http")) => 80,
        (None, Some(_) | None) => 443,
    };
    (uri.host().unwrap_or(address).to_owned(), port.to_string())
}

/// Where a secret or a variable is best defined: what only one environment needs, only that one should hand out.
fn home(config: &Config, what: &str) -> String {
    match config.environment.as_str() {
        "" => format!("{what} of the repository or the organisation"),
        name => format!("{what} of the environment {}", cell(name)),
    }
}

fn secrets(config: &Config) -> Vec<Vec<String>> {
    let row = |secret: &crate::config::SecretPolicy| {
        let needed = if secret.optional { "optional" } else { "yes" };
        vec![
            cell(&secret.name),
            secret.kind.word().to_owned(),
            needed.to_owned(),
            secret.max_age.map_or_else(|| "any".to_owned(), duration_text),
            home(config, "secret"),
            cell(&format!("RUNNER_GUARD_SECRET_{}", secret.name)),
        ]
    };
    config.secrets.iter().map(row).collect()
}

fn variables(config: &Config) -> Vec<Vec<String>> {
    let row = |name: &String| {
        let passed = cell(&format!("RUNNER_GUARD_VARIABLE_{name}"));
        vec![cell(name), home(config, "variable"), passed]
    };
    config.variables.iter().map(row).collect()
}

fn runners(config: &Config) -> Vec<Vec<String>> {
    let or_dash = |text: Option<&String>| text.map_or_else(|| "–".to_owned(), |t| cell(t));
    let row = |runner: &crate::config::Runner| {
        let labels: Vec<String> = runner.labels.iter().map(|l| cell(l)).collect();
        let may = match runner.authorized_for_prod {
            Some(true) => "yes",
            Some(false) => "no",
            None => "as its exporter says",
        };
        vec![
            cell(&runner.name),
            prose(&runner.role).replace('|', "\\|"),
            if labels.is_empty() { "–".to_owned() } else { labels.join(" ") },
            or_dash(runner.group.as_ref()),
            or_dash(runner.host.as_ref()),
            may.to_owned(),
        ]
    };
    config.runners.iter().map(row).collect()
}

fn mounts(config: &Config, needs: &Needs) -> Vec<Vec<String>> {
    let mut rows = needs.rows(|need| match need {
        Need::Mount(text) => Some(text),
        Need::WorkflowPermission(_)
        | Need::TokenPermission(_)
        | Need::Metric(_)
        | Need::Address(_) => None,
    });
    if let Some(folder) = &config.collect.runner_logs {
        rows.push(vec![cell(folder), "`collect.runner-logs.folder`".to_owned()]);
    }
    if config.collect.docker_socket {
        let why = "`collect.runner-logs.docker-socket` (power of root on the host)";
        rows.push(vec![cell("/var/run/docker.sock"), why.to_owned()]);
    }
    rows
}

fn tools(config: &Config) -> Vec<Vec<String>> {
    let row = |tool: &crate::config::Tool| {
        vec![cell(&tool.name), tool.at_least.as_deref().map_or("any".to_owned(), cell)]
    };
    config.tools.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Ctx, Scope};
    use crate::config::{Inputs, KnownCheck, load};
    use crate::report::Outcome;
    use crate::source::Error;
    use crate::task::BoxFuture;

    struct Needy(&'static str, &'static [Need]);

    impl Check for Needy {
        fn id(&self) -> &'static str {
            self.0
        }
        fn question(&self) -> &'static str {
            "?"
        }
        fn runbook(&self) -> &'static str {
            "r"
        }
        fn scope(&self) -> Scope {
            Scope::Run
        }
        fn explain(&self) -> &'static str {
            "."
        }
        fn needs(&self) -> &'static [Need] {
            self.1
        }
        fn run<'a>(&'a self, _: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
            Box::pin(async { Ok(Outcome::skipped("never asked")) })
        }
    }

    const CHECKS: [&dyn Check; 4] = [
        &Needy("queue-age", &[Need::WorkflowPermission("actions: read")]),
        &Needy(
            "runner-online",
            &[Need::Metric("runner_status"), Need::WorkflowPermission("actions: read")],
        ),
        &Needy("runner-group", &[Need::TokenPermission("Self-hosted runners: read")]),
        &Needy("docker-daemon", &[Need::Mount("/var/run/docker.sock")]),
    ];

    fn page(yaml: &str) -> String {
        let known: Vec<KnownCheck> = CHECKS
            .iter()
            .map(|c| KnownCheck { id: c.id(), level: c.level(), on_unknown: None, options: &[] })
            .collect();
        let config = load(Some(("c.yml", yaml)), &Inputs::default(), &known).expect("YAML");
        markdown(&config, &CHECKS)
    }

    #[test]
    fn each_need_stands_once_with_the_checks_that_have_it() {
        let page = page("checks: {docker-daemon: allow}\n");
        assert!(page.contains("| `actions: read` | `queue-age`, `runner-online` |"), "{page}");
        assert!(page.contains("| `runner_status` | `runner-online` |"), "{page}");
        for absent in ["Self-hosted runners", "docker.sock", "## Secrets", "## Mounts"] {
            assert!(!page.contains(absent), "{absent} in\n{page}");
        }
        assert!(page.contains("2 of 4 checks"), "{page}");
    }

    #[test]
    fn what_is_configured_is_listed_and_can_not_break_the_table() {
        let page = page(
            "environment: production\nprometheus: {url: 'http://prom:9090'}\nnetwork: {endpoints: ['tcp://db:5432', 'https://x.example/y']}\nsecrets: [{name: KEY, kind: ssh-private-key, max-age: 90d}]\nvariables: [REGION]\ntools: [ansible >= 2.15]\nrunners: [{name: 'a|b`<x>', labels: ['l|m'], group: g}]\n",
        );
        for row in [
            "| `prom` | 9090 | `prometheus` |",
            "| `db` | 5432 | `network.endpoints` |",
            "| `x.example` | 443 | `network.endpoints` |",
            "| `KEY` | ssh-private-key | yes | 90d | secret of the environment `production` | `RUNNER_GUARD_SECRET_KEY` |",
            "| `REGION` | variable of the environment `production` | `RUNNER_GUARD_VARIABLE_REGION` |",
            "| `ansible` | `2.15` |",
            "| ``a\\|b`<x>`` | primary | `l\\|m` | `g` | – | as its exporter says |",
            "| `Self-hosted runners: read` | `runner-group` |",
        ] {
            assert!(page.contains(row), "no {row} in\n{page}");
        }
    }
}
