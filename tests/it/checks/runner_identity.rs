//! Cases of `runner-identity`.

use serde_json::Value;

use super::says;
use crate::support::command::Guard;

const ID: &str = "runner-identity";
const TWO: &str = "runners: [{name: a}, {name: b, role: secondary}]\n";

fn asked(expected: &str, own: &str, config: &str) -> Value {
    let guard = Guard::action("runner-guard").file("ws/.github/runner-guard.yml", config);
    let ended = guard.env("RUNNER_NAME", own).env("INPUT_EXPECTED-RUNNER", expected).run();
    let report = ended.left("temp/runner-guard/preflight.json");
    let report: Value = serde_json::from_str(&report).expect("report");
    let rows = report["findings"].as_array().cloned().unwrap_or_default();
    rows.into_iter().find(|f| f["check"] == ID).expect("row")
}

#[test]
fn the_job_must_be_on_the_runner_that_the_gate_chose() {
    says("same", &asked(" a ", "a", TWO), ("pass", "this job is on `a`, as expected", ""));
    let other = asked("a", "b", TWO);
    says(
        "other",
        &other,
        ("fail", "this job is on `b`, the gate chose `a`", "no other runner has"),
    );
    says("case counts", &asked("a", "A", TWO), ("fail", "this job is on `A`", "runs-on"));
    says(
        "nameless",
        &asked("a", "", TWO),
        ("unknown", "does not say on which runner", "RUNNER_NAME"),
    );
}

#[test]
fn when_nothing_was_expected_it_says_where_the_job_is() {
    let how = "expected-runner: ${{ needs.gate.outputs.runner }}";
    says("candidate", &asked("", "b", TWO), ("skipped", "on the candidate `b` (secondary)", how));
    says("stranger", &asked("", "x", TWO), ("skipped", "on `x`, which is no candidate", how));
    says("no candidates", &asked("", "x", "{}\n"), ("skipped", "no runner was expected", how));
}
