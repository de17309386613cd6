//! Is the way to the environment free of other deploys? Looks at the concurrency group of the deploy job before the job stands in it.

use super::{Check, Ctx, Need, Scope};
use crate::config::{Level, OptionKind, OptionSpec};
use crate::report::Outcome;
use crate::source::Error;
use crate::source::github::{GitHub, Lock, Member, Run};
use crate::task::BoxFuture;

pub(super) struct DeployLock;

const GROUP: OptionSpec = OptionSpec {
    name: "group",
    kind: OptionKind::Text,
    default: "",
    help: "Concurrency group of the deploy job, as its `concurrency:` names it.",
};

impl Check for DeployLock {
    fn id(&self) -> &'static str {
        "deploy-lock"
    }

    fn question(&self) -> &'static str {
        "Is the way to the environment free of other deploys?"
    }

    fn runbook(&self) -> &'static str {
        "production-deployment-failures"
    }

    fn scope(&self) -> Scope {
        Scope::Run
    }

    fn explain(&self) -> &'static str {
        "Asks GitHub who is in the concurrency group of the deploy job. Pass: nobody, or this run holds it. Warn: another run holds it or waits \
         for it: the deploy would wait, or cancel the other one; says who, since when, and who else waits. Unknown: the token lacks \
         `actions: read`. A group that nobody holds is a 404; it counts as free only when GitHub's list of active groups can be read and lacks \
         it. Skipped: no group is configured, or this server does not tell about groups."
    }

    fn level(&self) -> Level {
        Level::Warn
    }

    fn on_unknown(&self) -> Option<Level> {
        Some(Level::Warn)
    }

    fn needs(&self) -> &'static [Need] {
        &[Need::WorkflowPermission("actions: read")]
    }

    fn options(&self) -> &'static [OptionSpec] {
        const { &[GROUP] }
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            let settings = ctx.config.check(self.id());
            let Some(group) = settings.word(&GROUP) else {
                return Ok(Outcome::skipped("no concurrency group is configured").help(
                    "set checks.deploy-lock.group to the group of the deploy job's `concurrency:`",
                ));
            };
            if group.contains("${{") {
                return Ok(Outcome::unknown(format!("the group `{group}` holds an expression, which is not evaluated in a file"))
                    .help("write the name that the expression gives, as the list of concurrency groups of the run shows it"));
            }
            let repository = &ctx.job.repository;
            if repository.is_empty() {
                return Ok(Outcome::skipped("no repository is named"));
            }
            let (github, now) = (ctx.sources.api()?, ctx.sources.now);
            match github.lock(repository, group, now, ctx.deadline).await? {
                Lock::Free => Ok(Outcome::pass(format!("nobody holds `{group}`"))),
                Lock::NotSupported => Ok(Outcome::skipped(
                    "this GitHub server does not tell about concurrency groups",
                )),
                Lock::Taken(members) => Ok(taken(ctx, github, group, &members).await),
            }
        })
    }
}

async fn taken(ctx: &Ctx<'_>, github: &GitHub, group: &str, members: &[Member]) -> Outcome {
    let own = |m: &&Member| m.run_id.to_string() == ctx.job.run_id;
    let holder = members.iter().find(|m| m.status == "in_progress");
    let waiting: Vec<&Member> =
        members.iter().filter(|m| m.status != "in_progress" && !own(m)).collect();
    if holder.is_some_and(|holder| own(&holder)) {
        let outcome = Outcome::pass(format!("this run holds `{group}`"));
        return outcome.saw("waiting", waiting.len().to_string());
    }
    if holder.is_none() && waiting.is_empty() && members.iter().any(|m| own(&m)) {
        return Outcome::pass(format!("this run is the next in `{group}`"));
    }
    // What makes the answer richer may fail without taking it away.
    let (repository, now) = (&ctx.job.repository, ctx.sources.now);
    let (since, recent) = futures_util::join!(
        github.lock_since(repository, group, ctx.deadline),
        github.recent_runs(repository, now, ctx.deadline),
    );
    let recent = recent.map(|list| list.runs).unwrap_or_default();
    let view = View { group, now, since: since.ok().flatten(), recent: &recent };
    view.outcome(holder, &waiting)
}

/// What is known about a group that others are in.
struct View<'a> {
    group: &'a str,
    now: i64,
    since: Option<i64>,
    recent: &'a [Run],
}

impl View<'_> {
    fn outcome(&self, holder: Option<&Member>, waiting: &[&Member]) -> Outcome {
        let since = self.since.map_or(String::new(), |t| format!(" for {}", self.ago(t)));
        let held = match holder {
            Some(holder) => format!("`{}` is held by {}{since}", self.group, self.who(holder)),
            None if waiting.is_empty() => format!("`{}` was taken this moment", self.group),
            None => format!("nobody holds `{}` yet", self.group),
        };
        let queue = match waiting.len() {
            0 => "nobody waits".to_owned(),
            1 => format!("{} waits", self.who(waiting[0])),
            n => format!("{n} runs wait"),
        };
        let mut outcome = Outcome::warn(format!("{held}; {queue}: the deploy would wait or cancel them")).help(
            "wait for the other deploy and look at what it changed; of those who wait GitHub keeps only the newest unless the group queues them all",
        );
        if let Some(page) = holder.and_then(|h| h.run_html_url.as_deref()) {
            outcome = outcome.saw("holder", page);
        }
        for member in waiting {
            let since = self.run(member).and_then(Run::began);
            let since = since.map_or(String::new(), |t| format!(", started {} ago", self.ago(t)));
            outcome = outcome.saw("waiting", format!("{}{since}", self.who(member)));
        }
        outcome
    }

    fn run(&self, member: &Member) -> Option<&Run> {
        self.recent.iter().find(|run| run.id == member.run_id)
    }

    /// `run 7 (Deploy, job ship) of octocat`.
    fn who(&self, member: &Member) -> String {
        let job = member.job_name.as_deref().map_or(String::new(), |job| format!(", job {job}"));
        let actor = self.run(member).and_then(|run| run.actor.as_ref());
        let actor = actor.map_or(String::new(), |actor| format!(" of {}", actor.login));
        format!("run {} ({}{job}){actor}", member.run_id, member.run_name)
    }

    fn ago(&self, time: i64) -> String {
        format!("{} min", self.now.saturating_sub(time).max(0) / 60)
    }
}
