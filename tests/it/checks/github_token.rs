//! Cases of `github-token`.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::queue_age::{ask, guard, now};
use super::{row, says};
use crate::support::command::Guard;
use crate::support::fake_github::{FakeGitHub, Fault, FaultKind, Script};

const ID: &str = "github-token";
const BUDGET: &str = r#"{"resources": {"core": {"limit": 5000, "remaining": 4999, "reset": 1900000000, "used": 1}}}"#;

fn answers(status: u16, headers: &[(&'static str, &str)], body: &'static str) -> Script {
    let leaked = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
    let headers = headers.iter().map(|(name, value)| (*name, leaked(value))).collect();
    let fault = Fault::on("/rate_limit", 9, FaultKind::Answer(status, headers, body));
    Script { faults: vec![fault], ..Script::default() }
}

fn ends(text: &str) -> Value {
    let header = ("github-authentication-token-expiration", text);
    ask(ID, answers(200, &[header], BUDGET), "")
}

fn at(days: i64, format: &str) -> String {
    let time = Timestamp::from_second(now()).expect("time");
    let time = time + SignedDuration::from_hours(24 * days + 1);
    time.strftime(format).to_string()
}

#[test]
fn the_end_of_the_token_is_seen_before_it_comes() {
    let utc = "%Y-%m-%d %H:%M:%S UTC";
    says("far", &ends(&at(40, utc)), ("pass", "it ends in 40 days", ""));
    says("near", &ends(&at(13, utc)), ("warn", "ends in 13 days", "make a new token"));
    let offset = "%Y-%m-%d %H:%M:%S +0000";
    says("offset", &ends(&at(3, offset)), ("warn", "ends in 3 days", "make a new token"));
    says("past", &ends(&at(-3, utc)), ("fail", "has ended 2 days ago", "make a new token"));
    says("odd", &ends("next week"), ("unknown", "`next week`", "settings of the account"));
    let header = [("github-authentication-token-expiration", at(40, utc))];
    let headers = header.each_ref().map(|(name, value)| (*name, value.as_str()));
    let option = "checks: {github-token: {warn-within: 60d}}\n";
    let early = ask(ID, answers(200, &headers, BUDGET), option);
    says("option", &early, ("warn", "ends in 40 days", "make a new token"));
}

#[test]
fn a_classic_token_that_may_more_than_a_gate_needs_is_warned_about() {
    let scopes = |text: &str| ask(ID, answers(200, &[("x-oauth-scopes", text)], BUDGET), "");
    let wide = scopes("repo, admin:org, delete_repo");
    says("wide", &wide, ("warn", "needs: admin:org, delete_repo", "may only read"));
    let narrow = scopes("repo, read:org, manage_runners:org");
    says("narrow", &narrow, ("pass", "names no end", ""));
}

#[test]
fn the_kind_of_the_token_is_said_and_never_a_part_of_it() {
    for (token, kind) in [
        ("ghs_notARealTokenOfAnybody0123456789abcdef", "installation token"),
        ("github_pat_notARealTokenOfAnybody0123456789", "fine-grained personal access token"),
    ] {
        let github = FakeGitHub::start(Script::default());
        let guard = Guard::preflight("timeout: 5s\n").env("GITHUB_API_URL", &github.url());
        let run = guard.env("GITHUB_TOKEN", token).run();
        says(kind, &run.finding(ID), ("pass", kind, ""));
        assert!(!run.stdout.contains("notAReal") && !run.stderr.contains("notAReal"));
    }
}

#[test]
fn a_token_that_github_does_not_take_fails_and_a_silent_github_is_no_answer() {
    let bad = ask(ID, answers(401, &[], r#"{"message": "Bad credentials"}"#), "");
    says("bad", &bad, ("fail", "does not take the token", "expired, revoked or mistyped"));
    let own = ask(ID, answers(404, &[], r#"{"message": "Rate limiting is not enabled."}"#), "");
    says("no limits", &own, ("pass", "takes the token", ""));
    let denied = ask(ID, answers(403, &[], r#"{"message": "has an IP allow list enabled"}"#), "");
    says("denied", &denied, ("unknown", "IP allow list", "IP allow list"));
}

#[test]
fn an_app_that_is_not_installed_is_no_token_that_github_takes() {
    let made = std::process::Command::new("openssl").args(["genrsa", "2048"]).output();
    let key = String::from_utf8(made.expect("openssl").stdout).expect("text");
    let github = FakeGitHub::start(Script::default());
    let run = guard(&github, "github: {app-id: '7'}\n").env("INPUT_APP-PRIVATE-KEY", &key).run();
    let installation = "find the installation of GitHub App 7";
    says("token", &run.finding(ID), ("unknown", installation, "install GitHub App 7"));
    let budget = run.finding("github-rate-limit");
    says("budget", &budget, ("unknown", installation, "install GitHub App 7"));
}

#[test]
fn without_a_token_nobody_asks_and_a_broken_one_is_named() {
    says("none", &row(ID, ""), ("skipped", "no GitHub token was given", "github-token"));
    let two_lines = Guard::preflight("").env("GITHUB_TOKEN", "not-a-real\ntoken").run();
    let wanted = ("fail", "line break", "correct the input github-token");
    says("two lines", &two_lines.finding(ID), wanted);
    let half = Guard::preflight("github: {app-id: '7'}\n").run();
    says("half", &half.finding(ID), ("fail", "without app-private-key", "app-private-key"));
}
