//! Does GitHub itself work? A broken GitHub looks like broken runners, and no fail-over helps.

use super::{Check, Ctx, Need, Scope};
use crate::config::Level;
use crate::report::{Outcome, Status};
use crate::source::Error;
use crate::source::status_page::{self, Component};
use crate::task::BoxFuture;

pub(super) struct GitHubStatus;

/// What a deploy on a self-hosted runner needs of GitHub: the id on the status page, and a name for people. Names on the page changed
/// before, ids did not.
const NEEDED: [(&str, &str); 3] = [
    ("br0l2tvcx85d", "Actions"),
    ("brv1bkgrwx7q", "API Requests"),
    ("8l4ygp009s5s", "Git Operations"),
];

impl Check for GitHubStatus {
    fn id(&self) -> &'static str {
        "github-status"
    }

    fn question(&self) -> &'static str {
        "Does GitHub itself work?"
    }

    fn runbook(&self) -> &'static str {
        "network-unreachable-troubleshooting"
    }

    fn scope(&self) -> Scope {
        Scope::Run
    }

    fn explain(&self) -> &'static str {
        "Reads GitHub's status page: Actions, API Requests and Git Operations. Pass: all are operational. Warn: one is degraded, partly out or \
         under maintenance. Fail: one has a major outage; even that only warns unless its level is raised, since the page is coarser than one \
         repository. Unknown: the page can not be reached within 3 s or says a word that is not known here; then nothing is held against the \
         deploy. Skipped: an own GitHub server without a status page in github.status-page."
    }

    fn level(&self) -> Level {
        Level::Warn
    }

    fn on_unknown(&self) -> Option<Level> {
        Some(Level::Allow)
    }

    fn needs(&self) -> &'static [Need] {
        &[Need::Address("https://www.githubstatus.com")]
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            let public = ctx.job.api_url == "https://api.github.com";
            let page = match ctx.config.github.status_page.as_deref() {
                Some(page) => page,
                None if public => status_page::GITHUB,
                None => {
                    return Ok(Outcome::skipped("this GitHub server has no public status page")
                        .help("set github.status-page in the configuration when it has one"));
                }
            };
            let http = &ctx.sources.http;
            let components = status_page::components(http, page, ctx.deadline).await?;
            Ok(judge(page, &components))
        })
    }
}

fn judge(page: &str, components: &[Component]) -> Outcome {
    let said: Vec<(&str, &str)> = NEEDED
        .iter()
        .map(|(id, name)| {
            let found = components.iter().find(|c| c.id == *id);
            (*name, found.map_or("not on the page", |c| c.status.as_str()))
        })
        .collect();
    let of = |status: Status| -> Vec<String> {
        let such = said.iter().filter(|(_, word)| meaning(word) == status);
        such.map(|(name, word)| format!("{name}: {}", word.replace('_', " "))).collect()
    };
    let outcome = if let bad = of(Status::Fail)
        && !bad.is_empty()
    {
        Outcome::fail(format!(
            "GitHub has a major outage: {}",
            [bad, of(Status::Warn)].concat().join(", ")
        ))
        .help(format!("read {page} and wait until it is over: another runner does not help"))
    } else if let limping = of(Status::Warn)
        && !limping.is_empty()
    {
        Outcome::warn(format!("GitHub works only in part: {}", limping.join(", "))).help(format!(
            "read {page}: the deploy may run into it half way; wait, unless it can not"
        ))
    } else if let unclear = of(Status::Unknown)
        && !unclear.is_empty()
    {
        Outcome::unknown(format!(
            "the status page says nothing that is known here: {}",
            unclear.join(", ")
        ))
        .help(format!(
            "look at {page} yourself; in the configuration github.status-page names another page"
        ))
    } else {
        Outcome::pass("Actions, API Requests and Git Operations are operational")
    };
    said.iter()
        .fold(outcome, |outcome, (name, word)| outcome.saw_limit(*name, *word, "operational"))
}

fn meaning(word: &str) -> Status {
    match word {
        "operational" => Status::Pass,
        "degraded_performance" | "partial_outage" | "under_maintenance" => Status::Warn,
        "major_outage" => Status::Fail,
        _ => Status::Unknown,
    }
}
