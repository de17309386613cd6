//! Is the network path open, to GitHub and to what the deploy talks to? DNS, TCP, TLS and HTTP are told apart.

use std::time::Duration;

use futures_util::future::join_all;

use super::{Check, Ctx, Scope};
use crate::config::{Endpoint, OptionKind, OptionSpec};
use crate::report::{Observation, Outcome, Status};
use crate::source::net::{self, Probe};
use crate::source::{Cause, Error};
use crate::task::{BoxFuture, Deadline};

pub(super) struct EndpointReachable;

const TIMEOUT: OptionSpec = OptionSpec {
    name: "timeout",
    kind: OptionKind::Duration,
    default: "5s",
    help: "Longest time for one endpoint, all stages together.",
};

impl Check for EndpointReachable {
    fn id(&self) -> &'static str {
        "endpoint-reachable"
    }

    fn question(&self) -> &'static str {
        "Is the network path open?"
    }

    fn runbook(&self) -> &'static str {
        "network-unreachable-troubleshooting"
    }

    fn scope(&self) -> Scope {
        Scope::Run
    }

    fn explain(&self) -> &'static str {
        "Walks to GitHub's API and to every configured endpoint: DNS, TCP, TLS, HTTP. Pass: every stage works; an HTTP status below 500 means \
         that somebody answered. Fail: names the stage that failed. Behind a proxy the stages below HTTP are the proxy's."
    }

    fn options(&self) -> &'static [OptionSpec] {
        const { &[TIMEOUT] }
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            let mut endpoints = ctx.config.endpoints.clone();
            if !ctx.job.api_url.is_empty() {
                endpoints.insert(0, Endpoint::Http(ctx.job.api_url.clone()));
            }
            if endpoints.is_empty() {
                return Ok(Outcome::skipped("no endpoint is named"));
            }
            let limit = ctx.config.check(self.id()).duration(&TIMEOUT);
            let deadline = ctx.deadline.at_most(limit.min(almost(ctx.deadline)));
            let probes =
                join_all(endpoints.iter().map(|e| net::probe(&ctx.sources.http, e, deadline)))
                    .await;
            Ok(judge(&endpoints, &probes))
        })
    }
}

/// A little before the deadline, so that the answer names the endpoint that hangs instead of the check that ran out of time.
fn almost(deadline: Deadline) -> Duration {
    deadline.remaining().mul_f32(0.9)
}

fn judge(endpoints: &[Endpoint], probes: &[Result<Probe, Error>]) -> Outcome {
    let mut seen = Vec::new();
    let mut failed: Vec<(String, Option<String>)> = Vec::new();
    for (endpoint, probe) in endpoints.iter().zip(probes) {
        let name = net::without_query(&endpoint.text()).to_owned();
        let (value, failure) = one(&name, probe);
        seen.push(Observation { name, value, limit: None });
        failed.extend(failure);
    }
    let mut outcome = match failed.first() {
        None => {
            Outcome::pass(format!("{} of {} endpoints answer", endpoints.len(), endpoints.len()))
        }
        Some((first, help)) => {
            let more = if failed.len() > 1 {
                format!(" (and {} more)", failed.len() - 1)
            } else {
                String::new()
            };
            let outcome = Outcome::new(Status::Fail, format!("{first}{more}"));
            outcome.help(help.clone().unwrap_or_else(|| {
                "check DNS, routes, firewall and proxy of this host for that endpoint".to_owned()
            }))
        }
    };
    outcome.observations = seen;
    outcome
}

/// What was seen of one endpoint, and the failure with its help.
fn one(name: &str, probe: &Result<Probe, Error>) -> (String, Option<(String, Option<String>)>) {
    match probe {
        Ok(probe) => {
            let stages: Vec<String> = probe
                .stages
                .iter()
                .map(|(stage, took)| format!("{stage} {} ms", took.as_millis()))
                .collect();
            let via = if probe.proxied { " through a proxy" } else { "" };
            let status = probe.status.map(|s| format!(", status {s}")).unwrap_or_default();
            let failure = match probe.status {
                Some(407) => {
                    Some((format!("{name}: http: status 407, the proxy wants a user"), None))
                }
                Some(status) if status >= 500 => Some((
                    format!("{name}: http: status {status}"),
                    Some("the server is there and broken".to_owned()),
                )),
                Some(_) | None => None,
            };
            (format!("{}{status}{via}", stages.join(", ")), failure)
        }
        Err(error) => {
            let stage = match error.cause() {
                Cause::Dns(_) => "dns",
                Cause::Connect(_) => "tcp",
                Cause::Tls(_) => "tls",
                Cause::Timeout(_) => "timeout",
                _ => "http",
            };
            let text = format!("{name}: {}", error.chain());
            (format!("failed at {stage}"), Some((text, error.help().map(str::to_owned))))
        }
    }
}
