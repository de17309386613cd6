//! Is the network path open, to GitHub and to what the deploy talks to? DNS, TCP, proxy, TLS and HTTP are told apart.

mod judge;

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};

use super::{Check, Ctx, Need, Scope};
use crate::config::{Endpoint, OptionKind, OptionSpec};
use crate::report::Outcome;
use crate::source::Error;
use crate::source::http::Reply;
use crate::source::net::{self, Depth, Probe};
use crate::task::{BoxFuture, Deadline};

pub(super) struct EndpointReachable;

const ID: &str = "endpoint-reachable";

const TIMEOUT: OptionSpec = OptionSpec {
    name: "timeout",
    kind: OptionKind::Duration,
    default: "5s",
    help: "Longest time for one endpoint, all stages together.",
};
const GITHUB_HOSTS: OptionSpec = OptionSpec {
    name: "github-hosts",
    kind: OptionKind::Text,
    default: "on",
    help: "`off` asks of GitHub only the API; on, a workflow on github.com asks every host that a runner talks to.",
};
const EXCEPT: OptionSpec = OptionSpec {
    name: "except",
    kind: OptionKind::List,
    default: "",
    help: "Hosts of GitHub that this site blocks on purpose, as `ghcr.io`.",
};

/// Most endpoints that are walked to at once.
const AT_ONCE: usize = 16;

impl Check for EndpointReachable {
    fn id(&self) -> &'static str {
        ID
    }

    fn question(&self) -> &'static str {
        "Is the network path open to GitHub and to what the deploy talks to?"
    }

    fn runbook(&self) -> &'static str {
        "network-unreachable-troubleshooting"
    }

    fn scope(&self) -> Scope {
        Scope::Run
    }

    fn explain(&self) -> &'static str {
        "Walks to GitHub's API, in a workflow on github.com to every host that a runner talks to, and to every configured endpoint: DNS, TCP, \
         proxy, TLS, HTTP. Pass: every stage works; an HTTP status below 500 means that somebody answered, and where GitHub is meant a header \
         must show that it was GitHub. Warn: a host of GitHub that only some jobs need does not answer. Fail: names the kind: dns-failure, \
         refused, unreachable, timeout, tls-invalid, tls-untrusted, tls-expired, wrong-name, proxy-refused, wrong-answer, broken-off or \
         http-status. Port 22 must say an SSH banner. Skipped: nothing is named."
    }

    fn needs(&self) -> &'static [Need] {
        &[
            Need::Address("https://api.github.com"),
            Need::Address("https://github.com"),
            Need::Address("https://codeload.github.com"),
            Need::Address("https://*.actions.githubusercontent.com"),
        ]
    }

    fn options(&self) -> &'static [OptionSpec] {
        const { &[TIMEOUT, GITHUB_HOSTS, EXCEPT] }
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            let targets = targets(ctx);
            if targets.is_empty() {
                return Ok(Outcome::skipped("no endpoint is named")
                    .help("name what the deploy talks to in network.endpoints"));
            }
            let walks = probes(ctx, &targets);
            let (mut probes, reply) = futures_util::join!(walks, api_reply(ctx));
            if let (Some(reply), Some(at)) =
                (reply, targets.iter().position(|t| t.whose == Whose::Api))
                && let Some(probe) = probes.get_mut(at)
            {
                judge::take_in(probe, &reply);
            }
            Ok(judge::judge(&targets, &probes))
        })
    }
}

/// Whose endpoint it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// The API of this workflow.
    Api,
    /// Another host of GitHub.
    GitHub,
    /// One that the configuration names.
    Configured,
}

/// An endpoint and what is wanted of it.
pub(super) struct Target {
    pub(super) name: String,
    pub(super) endpoint: Endpoint,
    pub(super) whose: Whose,
    depth: Depth,
    /// Whether an answer must carry a header of GitHub's.
    proves_itself: bool,
    /// Whether the deploy can not do without.
    essential: bool,
    purpose: &'static str,
}

impl Target {
    fn new(endpoint: Endpoint, whose: Whose) -> Self {
        Self {
            name: net::without_query(&endpoint.text()).to_owned(),
            endpoint,
            whose,
            depth: Depth::Answer,
            proves_itself: false,
            essential: true,
            purpose: "",
        }
    }

    /// Whether TLS is spoken there.
    pub(super) fn is_https(&self) -> bool {
        matches!(&self.endpoint, Endpoint::Http(url) if url.starts_with("https://"))
    }
}

/// Everything that must be reachable from here: the API, GitHub's other hosts, what the configuration names.
pub(super) fn targets(ctx: &Ctx<'_>) -> Vec<Target> {
    let job = ctx.job;
    let mut targets = Vec::new();
    if !job.api_url.is_empty() {
        let shared = ctx.sources.github.is_ok();
        targets.push(Target {
            depth: if shared { Depth::Way } else { Depth::Answer },
            proves_itself: net::is_githubs_own(&job.api_url),
            ..Target::new(Endpoint::Http(job.api_url.clone()), Whose::Api)
        });
    }
    let settings = ctx.config.check(ID);
    let wanted = !matches!(settings.word(&GITHUB_HOSTS), Some("off" | "false" | "no"));
    if wanted && !job.run_id.is_empty() {
        targets.extend(of_github(ctx, &settings.list(&EXCEPT)));
    }
    let configured = ctx.config.endpoints.iter().cloned();
    targets.extend(configured.map(|endpoint| Target::new(endpoint, Whose::Configured)));
    targets
}

fn of_github(ctx: &Ctx<'_>, except: &[&str]) -> Vec<Target> {
    let parts = net::parts(&ctx.job.api_url).iter().map(|part| Target {
        proves_itself: part.proves_itself,
        essential: part.essential,
        purpose: part.purpose,
        ..Target::new(Endpoint::Http(part.url.to_owned()), Whose::GitHub)
    });
    let blocked = |target: &Target| {
        let host = target.name.split('/').nth(2).unwrap_or_default();
        except.iter().any(|name| name.eq_ignore_ascii_case(host))
    };
    let mut targets: Vec<Target> = parts.filter(|target| !blocked(target)).collect();
    // An own server, or one with data residency, has one more address that jobs talk to: its pages, where code is checked out.
    let (api, server) = (&ctx.job.api_url, &ctx.job.server_url);
    let own = api.strip_suffix("/api/v3").is_some_and(|base| base == server)
        || api.replacen("://api.", "://", 1) == *server;
    if targets.is_empty() && own && net::parts(api).is_empty() {
        let server = Target::new(Endpoint::Http(server.clone()), Whose::GitHub);
        targets.push(Target { purpose: "checkout", ..server });
    }
    targets
}

/// Walks to all of them, in their order. Other checks of this round that ask get the same walks.
pub(super) async fn probes(ctx: &Ctx<'_>, targets: &[Target]) -> Vec<Probe> {
    let limit = ctx.config.check(ID).duration(&TIMEOUT);
    let all = ctx.deadline.at_most(almost(ctx.deadline));
    // Each has its own time from its own start: those that hang first must not take it from those that wait for their turn.
    let walk = |target| async move { walk(ctx, target, all.at_most(limit)).await };
    let walks: Vec<_> = targets.iter().map(walk).collect();
    stream::iter(walks).buffered(AT_ONCE).collect().await
}

async fn walk(ctx: &Ctx<'_>, target: &Target, deadline: Deadline) -> Probe {
    net::probe(&ctx.sources.http, &target.endpoint, target.depth, deadline).await
}

/// The API's answer that the check of its budget asks for too; `None` when nobody can ask.
pub(super) async fn api_reply(ctx: &Ctx<'_>) -> Option<Result<Arc<Reply>, Error>> {
    let github = ctx.sources.github.as_ref().ok()?;
    let deadline = ctx.deadline.at_most(almost(ctx.deadline));
    Some(github.reply("read the API budget", "/rate_limit", deadline).await)
}

/// A little before the deadline, so that the answer names the endpoint that hangs instead of the check that ran out of time.
fn almost(deadline: Deadline) -> Duration {
    deadline.remaining().mul_f32(0.9)
}
