//! A world in which every source is well, and the ways in which one of them can be broken.

use std::net::SocketAddr;

use rcgen::date_time_ymd;
use serde_json::json;

use crate::support::authority::Authority;
use crate::support::command::Guard;
use crate::support::fake_github::{FakeGitHub, Runner, Script};
use crate::support::http::{Behaviour, closed, exporter_page, serve, serve_tls};

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
            exporter: serve(exporter_page("a", 1, "true")),
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
        ..Script::default()
    }
}

/// Every metric is 1 and fresh.
fn prometheus(line: &str) -> String {
    let now = now();
    let value = if line.contains("timestamp%28") { now } else { 1 };
    let kind = if line.contains("/query_range") { "values" } else { "value" };
    let sample = json!([now, value.to_string()]);
    let sample = if kind == "values" { json!([sample]) } else { sample };
    let labels = json!({ "runner": "a", "authorized_for_prod": "true", "environment": "staging" });
    let kind_of = if kind == "values" { "matrix" } else { "vector" };
    let result = json!([{ "metric": labels, kind: sample }]);
    json!({ "status": "success", "data": { "resultType": kind_of, "result": result } }).to_string()
}

fn status_page() -> String {
    let component = json!({ "id": "1", "name": "Actions", "status": "operational" });
    let status = json!({ "indicator": "none", "description": "All Systems Operational" });
    json!({ "page": { "name": "GitHub" }, "status": status, "components": [component], "incidents": [] })
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
