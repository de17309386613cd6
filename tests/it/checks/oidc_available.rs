//! Cases of `oidc-available`.

use base64::Engine as _;
use serde_json::{Value, json};

use super::queue_age::now;
use super::{row, says};
use crate::support::command::{Ended, Guard};
use crate::support::http::{Behaviour, serve};

const ID: &str = "oidc-available";
const SUBJECT: &str = "repo:octo/app:environment:production";
const SIGNATURE: &str = "not-a-real-signature";

fn token(change: impl FnOnce(&mut Value)) -> String {
    let mut claims = json!({
        "aud": "sts.amazonaws.com", "sub": SUBJECT, "exp": now() + 300,
        "iss": "https://token.actions.githubusercontent.com",
    });
    change(&mut claims);
    let part = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{SIGNATURE}", part(r#"{"alg":"RS256"}"#), part(&claims.to_string()))
}

fn gives(token: &str) -> Behaviour {
    let body = json!({ "count": token.len(), "value": token });
    Behaviour::Answer(200, "application/json", body.to_string())
}

fn run(service: Option<Behaviour>, options: &str) -> Ended {
    let config = format!("timeout: 5s\nchecks: {{oidc-available: {{{options}}}}}\n");
    let guard = Guard::preflight(&config).env("GITHUB_RUN_ID", "77");
    let Some(service) = service else { return guard.run() };
    let url = format!("http://{}/token?api-version=2.0", serve(service));
    guard
        .env("ACTIONS_ID_TOKEN_REQUEST_URL", &url)
        .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "not-a-real-request-token")
        .run()
}

fn asked(service: Option<Behaviour>, options: &str) -> Value {
    run(service, options).finding(ID)
}

#[test]
fn a_token_that_says_what_the_other_side_trusts_passes() {
    for (case, options) in [
        ("audience", "audience: sts.amazonaws.com"),
        ("subject", "audience: sts.amazonaws.com, subject: 'repo:octo/*:environment:production'"),
        ("issuer", "issuer: 'https://token.actions.githubusercontent.com/'"),
        ("only the permission", ""),
    ] {
        says(case, &asked(Some(gives(&token(|_| {}))), options), ("pass", SUBJECT, ""));
    }
    let many = token(|claims| claims["aud"] = json!(["other", "sts.amazonaws.com"]));
    let many = asked(Some(gives(&many)), "audience: sts.amazonaws.com");
    says("many audiences", &many, ("pass", SUBJECT, ""));
}

#[test]
fn in_a_job_the_token_is_hidden_from_the_log_before_anything_is_said_about_it() {
    let token = token(|_| {});
    let url = format!("http://{}/token?api-version=2.0", serve(gives(&token)));
    let ended = Guard::action("runner-guard")
        .file("ws/.github/runner-guard.yml", "timeout: 5s\n")
        .env("ACTIONS_ID_TOKEN_REQUEST_URL", &url)
        .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "not-a-real-request-token")
        .run();
    assert!(ended.stdout.starts_with(&format!("::add-mask::{token}\n")), "{}", ended.stdout);
    assert_eq!(ended.stdout.matches(SIGNATURE).count(), 1, "{}", ended.stdout);
}

#[test]
fn a_token_that_the_other_side_would_refuse_fails() {
    let with = |options: &str| asked(Some(gives(&token(|_| {}))), options);
    let audience = with("audience: vault");
    says("audience", &audience, ("fail", "for sts.amazonaws.com, not for vault", "audience"));
    let subject = with("subject: 'repo:octo/app:ref:*'");
    says("subject", &subject, ("fail", "not of repo:octo/app:ref:*", "job with an `environment:`"));
    let issuer = with("issuer: 'https://ghes.example/_services/token'");
    says("issuer", &issuer, ("fail", "not from https://ghes.example", "trust this issuer"));
    let ended = asked(Some(gives(&token(|claims| claims["exp"] = json!(now() - 60)))), "");
    says("clock", &ended, ("warn", "has ended already", "set the clock"));
}

#[test]
fn a_job_without_the_permission_fails_only_where_a_token_is_asked_for() {
    let lacks = asked(None, "audience: vault");
    says("asked for", &lacks, ("fail", "lacks the permission", "id-token: write"));
    says("not asked for", &asked(None, ""), ("skipped", "nothing asks", "audience"));
    let outside = row(ID, "checks: {oidc-available: {audience: vault}}\n");
    says("outside", &outside, ("skipped", "only inside of a workflow", "from a job"));
}

#[test]
fn a_service_that_does_not_answer_well_is_no_answer() {
    let text = |status, body: &str| Behaviour::Answer(status, "application/json", body.to_owned());
    for (case, service, said) in [
        ("refuses", text(403, "{}"), "status 403"),
        ("not JSON", text(200, "<html>"), "not JSON"),
        ("no token", text(200, r#"{"count": 1}"#), "holds no token"),
        ("not a token", text(200, r#"{"value": "abc"}"#), "has no claims"),
        ("cut", Behaviour::Reset, "token service"),
    ] {
        let row = asked(Some(service), "audience: vault");
        assert_eq!(row["status"], "unknown", "{case}: {row:#}");
        assert!(row["summary"].as_str().unwrap_or_default().contains(said), "{case}: {row:#}");
        assert!(row["help"].as_str().is_some_and(|h| h.contains("again")), "{case}: {row:#}");
    }
}

#[test]
fn the_tokens_appear_nowhere() {
    let token = token(|_| {});
    let leaks = Behaviour::Answer(500, "application/json", json!({ "value": token }).to_string());
    for (service, options) in
        [(gives(&token), ""), (gives(&token), "audience: vault"), (leaks, "audience: vault")]
    {
        let run = run(Some(service), options);
        let parts = token.split('.').chain(["not-a-real-request-token"]);
        for part in parts {
            assert!(!run.stdout.contains(part) && !run.stderr.contains(part), "{part}");
        }
    }
}
