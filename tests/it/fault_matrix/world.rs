//! A world in which every source is well, and the ways in which one of them can be broken.

use std::net::SocketAddr;

use rcgen::date_time_ymd;
use serde_json::{Value, json};

use crate::support::authority::Authority;
use crate::support::command::Guard;
use crate::support::fake_github::{FakeGitHub, Runner, Script};
use crate::support::http::{Behaviour, closed, serve, serve_tls};

/// Where the gate looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    GitHub,
    Prometheus,
    Exporter,
    Alertmanager,
    StatusPage,
    Endpoint,
    Identity,
    Docker,
}

/// How a source can be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Refused,
    Hang,
    Drip,
    Broken,
    Forbidden,
    Missing,
    Busy,
    Page,
    Flood,
    Expired,
    OtherName,
    NoName,
    Reset,
}

impl Fault {
    pub(super) const ALL: [Self; 13] = [
        Self::Refused,
        Self::Hang,
        Self::Drip,
        Self::Broken,
        Self::Forbidden,
        Self::Missing,
        Self::Busy,
        Self::Page,
        Self::Flood,
        Self::Expired,
        Self::OtherName,
        Self::NoName,
        Self::Reset,
    ];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Hang => "hang",
            Self::Drip => "drip",
            Self::Broken => "500",
            Self::Forbidden => "403",
            Self::Missing => "404",
            Self::Busy => "429",
            Self::Page => "html",
            Self::Flood => "100 MB",
            Self::Expired => "expired",
            Self::OtherName => "name",
            Self::NoName => "dns",
            Self::Reset => "reset",
        }
    }

    /// What a server with this fault does with a request; `None` when the fault lies before the request.
    pub(super) fn behaviour(self) -> Option<Behaviour> {
        let json = "content-type: application/json\r\n";
        match self {
            Self::Refused | Self::NoName | Self::Expired | Self::OtherName => None,
            Self::Hang => Some(Behaviour::Hang),
            Self::Drip => Some(Behaviour::Drip),
            Self::Broken => Some(Behaviour::Refuse(500, json, r#"{"message":"Server Error"}"#)),
            Self::Forbidden => Some(Behaviour::Refuse(403, json, r#"{"message":"Forbidden"}"#)),
            Self::Missing => Some(Behaviour::Refuse(404, json, r#"{"message":"Not Found"}"#)),
            Self::Busy => Some(Behaviour::Refuse(429, "retry-after: 3600\r\n", "slow down")),
            Self::Page => Some(Behaviour::Refuse(
                200,
                "content-type: text/html\r\n",
                "<!DOCTYPE html><html><head><title>Sign in</title></head></html>",
            )),
            Self::Flood => Some(Behaviour::Flood(100 << 20)),
            Self::Reset => Some(Behaviour::Abort),
        }
    }
}

/// Everything that is well. It is shared by all runs: nothing in it changes.
pub(super) struct World {
    authority: Authority,
    github: FakeGitHub,
    prometheus: SocketAddr,
    exporter: SocketAddr,
    alertmanager: SocketAddr,
    status_page: SocketAddr,
    endpoint: SocketAddr,
    identity: SocketAddr,
}

impl World {
    pub(super) fn new() -> Self {
        let authority = Authority::new();
        let endpoint = Behaviour::Answer(200, "application/json", r#"{"status":"up"}"#.to_owned());
        Self {
            github: FakeGitHub::start(script()),
            prometheus: serve(Behaviour::Asked(prometheus)),
            exporter: serve(page()),
            alertmanager: serve(Behaviour::Asked(|_| "[]".to_owned())),
            status_page: serve(Behaviour::Asked(|_| status_page())),
            endpoint: serve_tls(authority.site("127.0.0.1", |_| {}), endpoint),
            identity: serve(Behaviour::Asked(|_| identity())),
            authority,
        }
    }

    /// A run in which at most one source is broken. The exporter is asked only where there is no Prometheus.
    pub(super) fn guard(&self, asked: Source, fault: Option<Fault>) -> Guard {
        let base = |source: Source| match fault {
            Some(fault) if source == asked => self.broken(fault),
            Some(_) | None => self.healthy(source),
        };
        let runner = "name: a, labels: [self-hosted], authorized-for-prod: true";
        let metrics = if asked == Source::Exporter {
            format!("runners: [{{{runner}, exporter: '{}/metrics'}}]\n", base(Source::Exporter))
        } else {
            format!(
                "prometheus: {{url: '{}'}}\nrunners: [{{{runner}}}]\n",
                base(Source::Prometheus)
            )
        };
        let config = format!(
            "environment: staging\ntimeout: {}s\nca-bundle: ca.pem\nsecrets: [DEPLOY_KEY]\nvariables: [REGION]\n{metrics}\
             alertmanager: {{url: '{}'}}\ngithub: {{status-page: '{}'}}\nnetwork: {{endpoints: ['{}/healthz']}}\n",
            super::TIMEOUT.as_secs(),
            base(Source::Alertmanager),
            base(Source::StatusPage),
            base(Source::Endpoint),
        );
        Guard::preflight(&config)
            .file("ca.pem", &self.authority.pem)
            .env("GITHUB_API_URL", &base(Source::GitHub))
            .env("GITHUB_TOKEN", "not-a-real-token")
            .env("GITHUB_REPOSITORY", "octo/app")
            .env("GITHUB_RUN_ID", "77")
            .env("GITHUB_WORKFLOW_REF", "octo/app/.github/workflows/deploy.yml@refs/heads/main")
            .env("RUNNER_NAME", "a")
            .env("ACTIONS_ID_TOKEN_REQUEST_URL", &format!("{}/token?v=2", base(Source::Identity)))
            .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "not-a-real-token-either")
    }

    fn healthy(&self, source: Source) -> String {
        match source {
            Source::GitHub => self.github.url(),
            Source::Prometheus => format!("http://{}", self.prometheus),
            Source::Exporter => format!("http://{}", self.exporter),
            Source::Alertmanager => format!("http://{}", self.alertmanager),
            Source::StatusPage => format!("http://{}", self.status_page),
            Source::Endpoint => format!("https://{}", self.endpoint),
            Source::Identity => format!("http://{}", self.identity),
            Source::Docker => String::new(),
        }
    }

    fn broken(&self, fault: Fault) -> String {
        if let Some(behaviour) = fault.behaviour() {
            return format!("http://{}", serve(behaviour));
        }
        let well = Behaviour::Answer(200, "application/json", "{}".to_owned());
        let site = match fault {
            Fault::Expired => {
                self.authority.site("127.0.0.1", |c| c.not_after = date_time_ymd(2020, 1, 1))
            }
            Fault::OtherName => self.authority.site("other.example", |_| {}),
            Fault::NoName => return "http://no-such-host.invalid".to_owned(),
            _ => return format!("http://{}", closed()),
        };
        format!("https://{}", serve_tls(site, well))
    }
}

fn script() -> Script {
    Script {
        repo_runners: vec![Runner::online("a", &["self-hosted"])],
        repo_secrets: vec!["DEPLOY_KEY".to_owned()],
        environments: [("staging".to_owned(), Vec::new())].into(),
        routes: routes(),
        ..Script::default()
    }
}

/// What the API says beyond runners and secrets.
fn routes() -> Vec<(String, Value)> {
    let far = "2099-01-01T00:00:00Z";
    let group = json!({ "id": 1, "name": "production", "allows_public_repositories": false });
    let variable = json!({ "name": "REGION", "value": "eu" });
    let environment = json!({ "id": 1, "name": "staging", "protection_rules": [], "deployment_branch_policy": null });
    [
        ("repos/octo/app/actions/runs", json!({ "total_count": 0, "workflow_runs": [] })),
        ("repos/octo/app/actions/variables", json!({ "total_count": 1, "variables": [variable] })),
        (
            "repos/octo/app/actions/organization-variables",
            json!({ "total_count": 0, "variables": [] }),
        ),
        (
            "repos/octo/app/environments/staging/variables",
            json!({ "total_count": 0, "variables": [] }),
        ),
        ("repos/octo/app/environments/staging", environment),
        ("orgs/octo/actions/runner-groups", json!({ "total_count": 1, "runner_groups": [group] })),
        (
            "repos/octo/app/actions/runners/deprecations/2.336.0",
            json!({ "registration_deprecates_at": far, "runtime_deprecates_at": far }),
        ),
    ]
    .map(|(path, body)| (format!("/{path}"), body))
    .into()
}

/// The host of the runner, as metrics show it.
const HOST: [(&str, &str); 4] = [
    ("runner_host_load1", "0.1"),
    ("runner_host_cpus", "4"),
    ("runner_host_memory_total_bytes", "8e9"),
    ("runner_host_memory_available_bytes", "6e9"),
];

/// The page of an exporter: the runner and its host.
fn page() -> Behaviour {
    let labels = r#"hostname="h",environment="staging",authorized_for_prod="true",runner="a""#;
    let host = HOST.map(|(name, value)| format!("{name}{{hostname=\"h\"}} {value}\n")).concat();
    let page = format!("# TYPE runner_status gauge\nrunner_status{{{labels}}} 1\n{host}");
    Behaviour::Answer(200, "text/plain; version=0.0.4", page)
}

/// Every metric is fresh; every one but those of the host is 1.
fn prometheus(line: &str) -> String {
    let now = now();
    let series = |name: &str, value: &str| {
        let labels = json!({ "__name__": name, "runner": "a", "hostname": "h", "authorized_for_prod": "true", "environment": "staging" });
        if line.contains("/query_range") {
            json!({ "metric": labels, "values": [[now, value]] })
        } else {
            json!({ "metric": labels, "value": [now, value] })
        }
    };
    let result: Vec<Value> = if line.contains("__name__") || line.contains("%5F%5Fname%5F%5F") {
        HOST.iter().map(|(name, value)| series(name, value)).collect()
    } else if line.contains("timestamp%28") {
        vec![series("runner_status", &now.to_string())]
    } else {
        vec![series("runner_status", "1")]
    };
    let kind = if line.contains("/query_range") { "matrix" } else { "vector" };
    json!({ "status": "success", "data": { "resultType": kind, "result": result } }).to_string()
}

fn status_page() -> String {
    let parts = [
        ("br0l2tvcx85d", "Actions"),
        ("brv1bkgrwx7q", "API Requests"),
        ("8l4ygp009s5s", "Git Operations"),
    ];
    let components =
        parts.map(|(id, name)| json!({ "id": id, "name": name, "status": "operational" }));
    let status = json!({ "indicator": "none", "description": "All Systems Operational" });
    json!({ "page": { "name": "GitHub" }, "status": status, "components": components, "incidents": [] })
        .to_string()
}

fn identity() -> String {
    use base64::Engine as _;
    let part = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    let claims = json!({ "iss": "https://token.actions.githubusercontent.com", "sub": "repo:octo/app", "aud": "https://github.com/octo", "exp": now() + 300, "iat": now() });
    let token =
        format!("{}.{}.{}", part(r#"{"alg":"none"}"#), part(&claims.to_string()), part("s"));
    json!({ "count": 1, "value": token }).to_string()
}

#[expect(clippy::disallowed_methods, reason = "a fresh sample needs the time of the test")]
fn now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.expect("after 1970").as_secs()
}
