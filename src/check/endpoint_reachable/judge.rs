//! From walks to an answer: what was seen of each endpoint, and the worst of it in one line.

use std::sync::Arc;

use super::{Target, Whose};
use crate::report::{Observation, Outcome, Status};
use crate::source::Error;
use crate::source::http::Reply;
use crate::source::net::{self, Failure, Probe};

/// Adds what the shared request to the API showed to the walk to its host.
pub(super) fn take_in(probe: &mut Probe, reply: &Result<Arc<Reply>, Error>) {
    // The stage that failed below HTTP says more than the request that failed with it.
    if probe.failure.is_some() {
        return;
    }
    match reply {
        Ok(reply) => {
            probe.status = Some(reply.status);
            probe.from_github = net::from_github(|name| reply.header(name).is_some());
        }
        Err(error) => match error.status() {
            Some(status) => {
                probe.status = Some(status);
                // The client keeps no headers of a refusal; that it understood the refusal is as good.
                probe.from_github = true;
            }
            None => probe.failure = Some(Failure::of(error.clone())),
        },
    }
}

/// What is wrong with one endpoint.
struct Wrong {
    status: Status,
    text: String,
    help: String,
}

pub(super) fn judge(targets: &[Target], probes: &[Probe]) -> Outcome {
    let (mut seen, mut wrong) = (Vec::new(), Vec::new());
    for (target, probe) in targets.iter().zip(probes) {
        seen.push(Observation { name: name(target), value: story(probe), limit: None });
        wrong.extend(what_is_wrong(target, probe));
    }
    // The first of the worst: in the order in which the reader would look.
    let worst = wrong.iter().find(|w| w.status == Status::Fail).or(wrong.first());
    let mut outcome = match worst {
        None => Outcome::pass(format!("{} of {} endpoints answer", targets.len(), targets.len())),
        Some(first) => {
            let others = wrong.len() - 1;
            let more = if others > 0 { format!(" (and {others} more)") } else { String::new() };
            Outcome::new(first.status, format!("{}{more}", first.text)).help(first.help.clone())
        }
    };
    outcome.observations = seen;
    outcome
}

fn name(target: &Target) -> String {
    match target.purpose {
        "" => target.name.clone(),
        purpose => format!("{} ({purpose})", target.name),
    }
}

fn what_is_wrong(target: &Target, probe: &Probe) -> Option<Wrong> {
    let (kind, text, help) = fault(target, probe)?;
    let name = name(target);
    let (status, help) = if target.essential {
        (Status::Fail, help)
    } else {
        let host = target.name.split('/').nth(2).unwrap_or_default();
        let more = format!("; blocked on purpose: name {host} in checks.endpoint-reachable.except");
        (Status::Warn, help + &more)
    };
    Some(Wrong { status, text: format!("{name}: {kind}: {text}"), help })
}

/// The kind of the fault in the user's words, what happened, what to do.
fn fault(target: &Target, probe: &Probe) -> Option<(&'static str, String, String)> {
    if let Some(Failure { kind, error }) = &probe.failure {
        let help = error.help().unwrap_or("check DNS, routes, firewall and proxy of this host");
        return Some((kind.word(), error.chain(), help.to_owned()));
    }
    let status = probe.status?;
    if status == 407 {
        let help = "give the proxy a user: https_proxy=http://USER:PASSWORD@proxy:3128 in the environment of the runner, or add the host to no_proxy";
        return Some((
            "proxy-refused",
            "status 407, the proxy wants a user".to_owned(),
            help.to_owned(),
        ));
    }
    if target.proves_itself && !probe.from_github {
        let text = format!("something answered, but not GitHub (status {status})");
        let help = "a proxy or a captive portal answers in its place: ask the network team, or set the proxy of the site; `curl -sI` must show x-github-request-id";
        return Some(("wrong-answer", text, help.to_owned()));
    }
    // Of GitHub's hosts without a page that proves itself it is not said what they answer here.
    let answers_freely = target.whose == Whose::GitHub && !target.proves_itself;
    if status >= 500 && !answers_freely {
        let help = "the server is there and broken: look at it, or at its status page";
        return Some(("http-status", format!("status {status}"), help.to_owned()));
    }
    None
}

/// What was seen of one endpoint, in one line.
fn story(probe: &Probe) -> String {
    let stages =
        probe.stages.iter().map(|(stage, took)| format!("{stage} {} ms", took.as_millis()));
    let mut parts: Vec<String> = stages.collect();
    parts.extend(probe.status.map(|status| format!("status {status}")));
    if probe.from_github {
        parts.push("GitHub answered".to_owned());
    }
    parts.extend(probe.banner.as_ref().map(|banner| format!("says `{banner}`")));
    parts.extend(probe.failure.as_ref().map(|failure| format!("failed: {}", failure.kind.word())));
    let via = probe.via.as_ref().map(|via| format!(" through the proxy {via}"));
    parts.join(", ") + &via.unwrap_or_default()
}
