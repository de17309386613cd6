//! Cases of `github-rate-limit`.

use serde_json::Value;

use super::queue_age::{ask, guard, now};
use super::{row, says};
use crate::support::fake_github::{FakeGitHub, Fault, FaultKind, Rate, Script};

const ID: &str = "github-rate-limit";

fn left(remaining: u32) -> Script {
    let reset = u64::try_from(now() + 37 * 60 - 30).expect("time");
    Script { rate: Rate { limit: 5000, remaining, reset }, ..Script::default() }
}

fn answers(status: u16, body: &'static str) -> Value {
    let fault = Fault::on("/rate_limit", 9, FaultKind::Answer(status, Vec::new(), body));
    ask(ID, Script { faults: vec![fault], ..Script::default() }, "")
}

#[test]
fn what_is_left_is_held_against_the_limit() {
    let wait = "wait 37 min";
    says("plenty", &ask(ID, left(4990), ""), ("pass", "4990 of 5000 API calls of this hour", ""));
    says(
        "few",
        &ask(ID, left(60), ""),
        ("warn", "60 of 5000 API calls of this hour are left", wait),
    );
    says("none", &ask(ID, left(0), ""), ("fail", "0 of 5000", wait));
    let option = "checks: {github-rate-limit: {min-remaining: 10}}\n";
    says("option", &ask(ID, left(60), option), ("pass", "again in 37 min", ""));
}

#[test]
fn the_row_shows_the_whole_budget() {
    let row = ask(ID, left(60), "");
    let seen = row["observations"].to_string();
    for text in ["5000 an hour", "in 37 min", "\"100\"", "4940"] {
        assert!(seen.contains(text), "no {text} in {seen}");
    }
}

#[test]
fn the_budget_and_the_token_cost_one_request_together() {
    let github = FakeGitHub::start(left(60));
    let run = guard(&github, "").run();
    says("token", &run.finding("github-token"), ("pass", "takes the token", ""));
    let asked = github.requests().iter().filter(|r| r.target == "/rate_limit").count();
    assert_eq!(asked, 1);
}

#[test]
fn a_server_without_limits_has_enough_and_one_that_does_not_say_has_no_answer() {
    let own = answers(404, r#"{"message": "Rate limiting is not enabled."}"#);
    says("no limits", &own, ("pass", "sets no limit", ""));
    says("no budget", &answers(200, "{}"), ("unknown", "no budget is in the answer", "ask again"));
    let token = answers(401, r#"{"message": "Bad credentials"}"#);
    says("token", &token, ("unknown", "Bad credentials", "github-token"));
    says("none", &row(ID, ""), ("skipped", "no GitHub token was given", "github-token"));
}
