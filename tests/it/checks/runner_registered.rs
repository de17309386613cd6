//! Cases of `runner-registered`.

use serde_json::Value;

use super::{row, says};
use crate::support::command::Guard;
use crate::support::fake_github::{Denial, FakeGitHub, Fault, FaultKind, Rate, Runner, Script};

const ID: &str = "runner-registered";
/// One candidate and nothing else.
const ONE: &str = "timeout: 5s\nrunners: [{name: a}]\n";

/// The row of a check in a run that asks this GitHub.
pub(super) fn row_with(check: &str, config: &str, script: Script) -> Value {
    asking(config, script).finding(check)
}

/// A run that asks this GitHub.
pub(super) fn asking(config: &str, script: Script) -> crate::support::command::Ended {
    let github = FakeGitHub::start(script);
    Guard::preflight(config)
        .env("GITHUB_API_URL", &github.url())
        .env("GITHUB_TOKEN", "not-a-real-token")
        .env("GITHUB_REPOSITORY", "octo/app")
        .run()
}

/// A GitHub that lists this runner for the repository.
pub(super) fn with(runner: Runner) -> Script {
    Script { repo_runners: vec![runner], ..Script::default() }
}

fn asked(script: Script) -> Value {
    row_with(ID, ONE, script)
}

fn runner(status: &'static str) -> Script {
    with(Runner { status, ..Runner::online("a", &[]) })
}

fn denied(path: &str, denial: Denial) -> Script {
    Script::default().deny(path, denial)
}

#[test]
fn what_github_says_about_the_runner_is_judged() {
    says(
        "online",
        &asked(runner("online")),
        ("pass", "registered for the repository and online", ""),
    );
    says("offline", &asked(runner("offline")), ("fail", "`a` is offline", "restart its service"));
    says("word", &asked(runner("asleep")), ("unknown", "`asleep`", "settings of the repository"));
    let busy = with(Runner { busy: true, ..Runner::online("a", &[]) });
    says("busy is another question", &asked(busy), ("pass", "online", ""));
}

#[test]
fn the_organisation_has_runners_too_and_only_both_lists_prove_absence() {
    let org = Script { org_runners: vec![Runner::online("a", &[])], ..Script::default() };
    says("organisation", &asked(org), ("pass", "registered for the organisation", ""));
    says("nowhere", &asked(Script::default()), ("fail", "registered neither for", "config.sh"));
    let other_case = asked(with(Runner::online("A", &[])));
    says("other case", &other_case, ("fail", "registered neither for", "there is `A`"));
    for scope in ["/repos/octo/app/actions/runners", "/orgs/octo/actions/runners"] {
        let half = asked(denied(scope, Denial::NotFound));
        says(scope, &half, ("unknown", "404", "may mean that the token lacks a permission"));
    }
}

#[test]
fn a_list_that_is_denied_does_not_hide_a_runner_of_the_other() {
    let script = runner("online").deny("/orgs/", Denial::Integration("x=read"));
    says("found", &asked(script), ("pass", "online", ""));
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
fn a_github_that_is_broken_or_far_away_is_no_answer_either() {
    let answer = |status, body| {
        let fault = FaultKind::Answer(status, vec![("retry-after", "0")], body);
        let faults = vec![Fault::on("/actions/runners", 100, fault)];
        asked(Script { faults, ..Script::default() })
    };
    says("down", &answer(502, "Server Error"), ("unknown", "status 502", "status page"));
    says(
        "login page",
        &answer(200, "<html>"),
        ("unknown", "unexpected answer", "a proxy in between"),
    );
    let nobody = Guard::preflight(ONE)
        .env("GITHUB_API_URL", "http://127.0.0.1:9")
        .env("GITHUB_TOKEN", "not-a-real-token")
        .env("GITHUB_REPOSITORY", "octo/app")
        .run()
        .finding(ID);
    says("nobody there", &nobody, ("unknown", "tcp", "endpoint-reachable"));
}

#[test]
fn a_runner_that_is_made_for_one_job_is_never_missed() {
    let ephemeral = "timeout: 5s\nrunners: [{name: a, expect: ephemeral}]\n";
    let asked = |script| row_with(ID, ephemeral, script);
    says("gone", &asked(Script::default()), ("skipped", "not registered now: that is as it", ""));
    says("leaving", &asked(runner("offline")), ("skipped", "it has not started yet", ""));
    says("there", &asked(runner("online")), ("pass", "online", ""));
    let set = "timeout: 5s\nrunners: [{name: a, scale-set: arc-prod}]\n";
    let row = row_with(ID, set, denied("/actions/runners", Denial::BadCredentials));
    says("scale set", &row, ("skipped", "scale set `arc-prod`", "prometheus-url"));
}

#[test]
fn the_runner_of_this_job_is_asked_about_when_no_candidate_is_named() {
    let on = |name: &str| {
        let github = FakeGitHub::start(runner("online"));
        Guard::preflight("timeout: 5s\n")
            .env("GITHUB_API_URL", &github.url())
            .env("GITHUB_TOKEN", "not-a-real-token")
            .env("GITHUB_REPOSITORY", "octo/app")
            .env("RUNNER_NAME", name)
            .run()
            .finding(ID)
    };
    says("own", &on("a"), ("pass", "`a` is registered", ""));
    says("unlisted", &on("b"), ("warn", "but this job runs on `b`", "larger runner of GitHub's"));
    says("hosted", &on("GitHub Actions 3"), ("skipped", "a runner of GitHub's own", "`runners`"));
}

#[test]
fn without_a_token_there_is_no_answer_and_without_a_name_no_question() {
    let config = "runners: [{name: a}]\n";
    let guard = || Guard::preflight(config).env("GITHUB_REPOSITORY", "octo/app");
    let none = guard().run().finding(ID);
    says("no token", &none, ("unknown", "no GitHub token was given", "github-token"));
    let half = Guard::preflight(&format!("{config}github: {{app-id: '7'}}\n"))
        .env("GITHUB_REPOSITORY", "octo/app")
        .run()
        .finding(ID);
    says("half an App", &half, ("unknown", "without app-private-key", "both app-id and"));
    says("no repository", &row(ID, config), ("skipped", "no runner or no repository", "`runners`"));
}
