//! Cases of `runner-registered`.

use serde_json::Value;

use super::{row, says};
use crate::support::command::Guard;
use crate::support::fake_github::{Denial, FakeGitHub, Rate, Runner, Script};

const ID: &str = "runner-registered";

fn asked(script: Script) -> Value {
    let github = FakeGitHub::start(script);
    Guard::preflight("timeout: 5s\nrunners: [{name: a, labels: [self-hosted, gpu]}]\n")
        .env("GITHUB_API_URL", &github.url())
        .env("GITHUB_TOKEN", "not-a-real-token")
        .env("GITHUB_REPOSITORY", "octo/app")
        .run()
        .finding(ID)
}

fn runner(change: impl FnOnce(&mut Runner)) -> Script {
    let mut runner = Runner::online("a", &["self-hosted", "GPU"]);
    change(&mut runner);
    Script { repo_runners: vec![runner], ..Script::default() }
}

fn denied(path: &str, denial: Denial) -> Script {
    Script { denied: vec![(path.to_owned(), denial)], ..Script::default() }
}

#[test]
fn what_github_says_about_the_runner_is_judged() {
    says("idle", &asked(runner(|_| {})), ("pass", "online and idle", ""));
    says("busy", &asked(runner(|r| r.busy = true)), ("warn", "the deploy would wait", ""));
    let offline = asked(runner(|r| r.status = "offline"));
    says("offline", &offline, ("fail", "is offline", "restart its service"));
    let unlabelled = asked(runner(|r| drop(r.labels.pop())));
    says("label", &unlabelled, ("fail", "lacks the labels gpu", "runners[].labels"));
    says("word", &asked(runner(|r| r.status = "asleep")), ("unknown", "`asleep`", ""));
}

#[test]
fn the_organisation_has_runners_too_and_only_both_lists_prove_absence() {
    let own = Runner::online("a", &["self-hosted", "gpu"]);
    let org = Script { org_runners: vec![own], ..Script::default() };
    says("organisation", &asked(org), ("pass", "online and idle", ""));
    says("nowhere", &asked(Script::default()), ("fail", "registered neither for", "config.sh"));
    for scope in ["/repos/octo/app/actions/runners", "/orgs/octo/actions/runners"] {
        let half = asked(denied(scope, Denial::NotFound));
        says(scope, &half, ("unknown", "404", "may mean that the token lacks a permission"));
    }
}

#[test]
fn a_list_that_is_denied_does_not_hide_a_runner_of_the_other() {
    let script = Script {
        denied: vec![("/orgs/".to_owned(), Denial::Integration("x=read"))],
        ..runner(|_| {})
    };
    says("found", &asked(script), ("pass", "online and idle", ""));
}

#[test]
fn a_refusal_is_no_answer_and_its_help_says_what_to_change() {
    let runners = "/actions/runners";
    let lacks = asked(denied(runners, Denial::Integration("administration=read")));
    says(
        "permission",
        &lacks,
        ("unknown", "administration=read", "token with administration=read"),
    );
    let expired = asked(denied(runners, Denial::BadCredentials));
    says("expired", &expired, ("unknown", "Bad credentials", "expired, revoked or mistyped"));
    let slow = asked(denied(runners, Denial::SecondaryLimit(60)));
    says("secondary limit", &slow, ("unknown", "secondary rate limit", "60"));
    let rate = Rate { limit: 5000, remaining: 0, reset: 1_900_000_000 };
    let spent = asked(Script { rate, ..denied(runners, Denial::PrimaryLimit) });
    says("primary limit", &spent, ("unknown", "rate limit", "1900000000"));
}

#[test]
fn without_a_token_there_is_no_answer_and_without_a_name_no_question() {
    let config = "runners: [{name: a}]\n";
    let guard = Guard::preflight(config).env("GITHUB_REPOSITORY", "octo/app");
    let none = guard.run().finding(ID);
    says("no token", &none, ("unknown", "no GitHub token was given", "github-token"));
    says("no repository", &row(ID, config), ("skipped", "no runner or no repository", ""));
}
