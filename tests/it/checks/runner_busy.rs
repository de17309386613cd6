//! Cases of `runner-busy`.

use serde_json::Value;

use super::runner_registered::{row_with, with};
use super::says;
use crate::support::command::Guard;
use crate::support::fake_github::{Denial, FakeGitHub, Runner, Script};

const ID: &str = "runner-busy";
const LABELLED: &str = "timeout: 5s\nrunners: [{name: a, labels: [Self-Hosted, prod]}]\n";

fn runner(name: &str, busy: bool) -> Runner {
    Runner { busy, ..Runner::online(name, &["self-hosted", "prod"]) }
}

fn asked(runners: Vec<Runner>) -> Value {
    row_with(ID, LABELLED, Script { repo_runners: runners, ..Script::default() })
}

fn saw(row: &Value, name: &str) -> Value {
    let all = row["observations"].as_array().cloned().unwrap_or_default();
    let found = all.into_iter().find(|o| o["name"] == name);
    found.map(|o| o["value"].clone()).unwrap_or_default()
}

#[test]
fn an_idle_runner_passes_and_a_busy_one_warns() {
    let idle = asked(vec![runner("a", false)]);
    says("idle", &idle, ("pass", "`a` is idle", ""));
    assert_eq!(saw(&idle, "busy"), "false");
    let busy = asked(vec![runner("a", true)]);
    says("busy", &busy, ("warn", "`a` is busy: the deploy would wait", "input wait"));
    assert_eq!(saw(&busy, "busy"), "true");
}

#[test]
fn the_other_runners_with_its_labels_are_counted() {
    let other = Runner::online("d", &["self-hosted"]);
    let gone = Runner { status: "offline", ..runner("c", false) };
    let row = asked(vec![runner("a", true), runner("b", false), gone, other]);
    let counted = "1 of 3 runners with these labels are idle";
    says("one is idle", &row, ("warn", counted, "label of its own"));
    assert_eq!(saw(&row, "idle"), "1 of 3");
}

#[test]
fn a_runner_that_is_busy_with_this_very_job_is_free_for_it() {
    let github = FakeGitHub::start(with(runner("a", true)));
    let row = Guard::preflight(LABELLED)
        .env("GITHUB_API_URL", &github.url())
        .env("GITHUB_TOKEN", "not-a-real-token")
        .env("GITHUB_REPOSITORY", "octo/app")
        .env("RUNNER_NAME", "a")
        .run()
        .finding(ID);
    says("own", &row, ("pass", "busy with this very job", ""));
    assert_eq!(saw(&row, "busy"), "false");
}

#[test]
fn what_is_not_there_is_not_busy_and_a_refusal_is_no_answer() {
    let offline = Runner { status: "offline", ..runner("a", false) };
    says("offline", &asked(vec![offline]), ("skipped", "takes no job", "runner-registered"));
    says("absent", &asked(vec![]), ("skipped", "lists no runner `a`", "runner-registered"));
    let one_job = "timeout: 5s\nrunners: [{name: a, expect: ephemeral}]\n";
    says("one job", &row_with(ID, one_job, Script::default()), ("skipped", "lists no runner", ""));
    let denied = Script::default().deny("/actions/runners", Denial::Integration("x=read"));
    says("denied", &row_with(ID, LABELLED, denied), ("unknown", "needs x=read", "x=read"));
}
