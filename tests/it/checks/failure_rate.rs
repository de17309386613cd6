//! Cases of `failure-rate`.

use serde_json::{Value, json};

use super::queue_age::{ask, guard, run, with_runs};
use super::{row, says};
use crate::support::fake_github::{Denial, FakeGitHub, Fault, FaultKind, Script};

const ID: &str = "failure-rate";
const HELP: &str = "find the cause";

fn ended(words: &[&str]) -> Vec<Value> {
    (1..).zip(words).map(|(id, word)| run(id, "completed", Some(word), 9)).collect()
}

fn asked(runs: &[Value], config: &str) -> Value {
    ask(ID, with_runs(Script::default(), runs), config)
}

#[test]
fn more_failures_than_the_limit_warn() {
    let three = ended(&["failure", "success", "timed_out", "startup_failure"]);
    let text = "3 of 4 finished runs of deploy.yml failed";
    says("three", &asked(&three, ""), ("pass", text, ""));
    let four = ended(&["failure", "failure", "failure", "failure"]);
    says("four", &asked(&four, ""), ("warn", "4 of 4", HELP));
    let option = "checks: {failure-rate: {max-failures: 0}}\n";
    let one = asked(&ended(&["timed_out"]), option);
    says("option", &one, ("warn", "1 of 1", HELP));
    let seen = one["observations"].to_string();
    assert!(seen.contains("timed_out: https://github.com/octo/app/actions/runs/1"), "{seen}");
}

#[test]
fn runs_that_did_not_fail_by_themselves_do_not_count() {
    let words = ["cancelled", "skipped", "neutral", "stale", "action_required"];
    let option = "checks: {failure-rate: {max-failures: 0}}\n";
    says("neither", &asked(&ended(&words), option), ("pass", "0 of 5", ""));
    let running = [run(1, "in_progress", None, 1)];
    says("running", &asked(&running, option), ("pass", "0 of 0", ""));
    let odd = asked(&ended(&["exploded"]), option);
    says("odd", &odd, ("pass", "0 of 1", ""));
    assert!(odd["observations"].to_string().contains("exploded"), "{odd:#}");
}

#[test]
fn only_runs_of_this_workflow_count() {
    let option = "checks: {failure-rate: {max-failures: 0}}\n";
    let mut other = run(1, "completed", Some("failure"), 9);
    other["path"] = json!(".github/workflows/ci.yml");
    says("other", &asked(&[other], option), ("pass", "0 of 0", ""));
    let mut branch = run(1, "completed", Some("failure"), 9);
    branch["path"] = json!(".github/workflows/deploy.yml@main");
    says("with branch", &asked(&[branch], option), ("warn", "1 of 1", HELP));
    let mut named = run(1, "completed", Some("failure"), 9);
    named["name"] = json!("Ship it");
    let github = FakeGitHub::start(with_runs(Script::default(), &[named]));
    let guard = guard(&github, option).env("GITHUB_WORKFLOW_REF", "");
    let by_name = guard.env("GITHUB_WORKFLOW", "Ship it").run().finding(ID);
    says("by name", &by_name, ("warn", "1 of 1 finished runs of Ship it", HELP));
}

#[test]
fn a_list_that_is_longer_than_a_page_says_so() {
    let body = json!({ "total_count": 250, "workflow_runs": ended(&["success"]) });
    let (template, path) = ("/repos/{owner}/{repo}/actions/runs", "/repos/octo/app/actions/runs");
    let row = ask(ID, Script::default().route(template, path, body), "");
    says("long", &row, ("pass", "0 of 1", ""));
    assert!(row["observations"].to_string().contains("only the newest 1 of 250"), "{row:#}");
}

#[test]
fn a_list_that_can_not_be_read_is_no_answer() {
    let denied = Script::default().deny("/actions/runs", Denial::Integration("actions=read"));
    says("denied", &ask(ID, denied, ""), ("unknown", "actions=read", "actions: read"));
    let faults = vec![Fault::on("/actions/runs", 9, FaultKind::Answer(418, Vec::new(), "tea"))];
    let odd = ask(ID, Script { faults, ..Script::default() }, "");
    says("odd", &odd, ("unknown", "status 418", "use another token"));
    says("hidden", &ask(ID, Script::default(), ""), ("unknown", "404", "actions: read"));
    says("nowhere", &row(ID, ""), ("skipped", "no repository or no workflow", ""));
}
