//! Cases of `secret-expiry`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{row, says};
use crate::support::command::Guard;
use crate::support::fake_github::{Denial, FakeGitHub, Fault, FaultKind, Script};
use crate::support::keys;

const ID: &str = "secret-expiry";

fn asked(config: &str, values: &[(&str, &str)]) -> Value {
    let guard = values.iter().fold(Guard::preflight(config), |guard, (name, value)| {
        guard.env(&format!("RUNNER_GUARD_SECRET_{name}"), value)
    });
    guard.run().finding(ID)
}

fn state(row: &Value) -> &str {
    row["observations"][0]["value"].as_str().unwrap_or_default()
}

#[test]
fn a_certificate_lasts_ends_soon_has_ended_or_has_not_begun() {
    let config = "secrets: [{name: TLS, kind: pem-certificate}]\n";
    let between =
        |from: i64, until: i64| asked(config, &[("TLS", &keys::tls(from, until).certificate)]);
    let good = between(-1, 91);
    says("lasts", &good, ("pass", "no secret ends within 14 days (1 with an end", ""));
    assert!(state(&good).starts_with("expires in 90 days (its certificate ends "), "{good:#}");
    let again = "`gh secret set TLS < FILE`";
    let soon = between(-1, 4);
    says("soon", &soon, ("warn", "TLS expires in 3 days: its certificate ends ", again));
    let over = between(-9, -1);
    says("over", &over, ("fail", "TLS has expired: its certificate ended ", again));
    assert!(state(&over).starts_with("expired (its certificate ended "), "{over:#}");
    let early = between(3, 90);
    says(
        "early",
        &early,
        ("fail", "TLS can not be used yet: its certificate is valid only", "clock"),
    );
    let chain = format!("{}{}", keys::tls(-1, 90).certificate, keys::tls(-1, 3).certificate);
    says("chain", &asked(config, &[("TLS", &chain)]), ("warn", "TLS expires in 2 days", again));
}

#[test]
fn tokens_and_ssh_certificates_show_their_end_even_when_nobody_says_what_they_are() {
    let jwt = |days| keys::jwt(&json!({ "exp": keys::days_from_now(days) }));
    let key = keys::ssh(&["-t", "ed25519"], "");
    let tls = keys::tls(-1, 90);
    let config = keys::kubeconfig(&tls.certificate, &keys::tls(-9, -1).certificate, &tls.key);
    let kind = |kind: &str| format!("secrets: [{{name: A, kind: {kind}}}]\n");
    let opaque = kind("opaque");
    let over = ("fail", "A has expired", "gh secret set A");
    says("jwt", &asked(&kind("jwt"), &[("A", &jwt(-1))]), over);
    says("jwt", &asked(&opaque, &[("A", &jwt(-1))]), over);
    says("new token", &asked(&opaque, &[("A", &format!("ghs_1_{}", jwt(-1)))]), over);
    says("certificate", &asked(&opaque, &[("A", &keys::tls(-9, -1).certificate)]), over);
    says("kubeconfig", &asked(&kind("kubeconfig"), &[("A", &config)]), over);
    let ended = keys::ssh_certificate(&key, "-2d:-1d");
    says("ssh certificate", &asked(&opaque, &[("A", &ended)]), over);
    for endless in [keys::ssh_certificate(&key, "always:forever"), key.private, key.public] {
        let row = asked(&opaque, &[("A", &endless)]);
        says("endless", &row, ("pass", "0 with an end, 1 without one", ""));
        assert_eq!(state(&row), "present (no end stands in it)");
    }
}

#[test]
fn the_other_half_of_a_pair_is_looked_at_too() {
    let tls = keys::tls(-9, -1);
    let config = "secrets: [{name: TLS_KEY, kind: pem-key, pair: TLS_CERT}]\n";
    let row = asked(config, &[("TLS_KEY", &tls.key), ("TLS_CERT", &tls.certificate)]);
    says("pair", &row, ("fail", "TLS_CERT has expired", "gh secret set TLS_CERT"));
}

#[test]
fn the_time_of_warning_can_be_chosen_and_an_optional_secret_only_warns() {
    let value = keys::jwt(&json!({ "exp": keys::days_from_now(20) }));
    let within = |span: &str| {
        let options = format!("secrets: [A]\nchecks: {{secret-expiry: {{warn-within: {span}}}}}\n");
        asked(&options, &[("A", &value)])
    };
    says("30 days", &within("30d"), ("warn", "A expires in 20 days", "gh secret set A"));
    says("1 hour", &within("1h"), ("pass", "no secret ends within 1 h", ""));
    let over = keys::jwt(&json!({ "exp": keys::days_from_now(-1) }));
    let optional = asked("secrets: [{name: A, required: false}]\n", &[("A", &over)]);
    says("optional", &optional, ("warn", "A has expired", "gh secret set A"));
}

fn aged(max_age: &str, script: Script) -> Value {
    let github = FakeGitHub::start(script);
    let config = format!("environment: staging\nsecrets: [{{name: A, max-age: {max_age}}}]\n");
    let guard = Guard::preflight(&config).env("GITHUB_API_URL", &github.url());
    let guard = guard.env("GITHUB_TOKEN", "not-a-real-token");
    guard.env("GITHUB_REPOSITORY", "octo/app").run().finding(ID)
}

/// A repository's secret that was stored so many days ago.
fn stored(days: i64) -> Script {
    let at = jiff::Timestamp::from_second(keys::days_from_now(-days)).expect("time").to_string();
    let secret = json!({ "name": "A", "created_at": "2020-01-01T00:00:00Z", "updated_at": at });
    let body = json!({ "total_count": 1, "secrets": [secret] });
    let template = "/repos/{owner}/{repo}/actions/secrets";
    let environments = BTreeMap::from([("staging".to_owned(), Vec::new())]);
    let script = Script { environments, ..Script::default() };
    script.route(template, "/repos/octo/app/actions/secrets", body)
}

#[test]
fn the_age_of_a_secret_is_held_against_the_longest_that_is_allowed() {
    let young = aged("90d", stored(10));
    says("young", &young, ("pass", "no secret ends within 14 days", ""));
    assert!(state(&young).starts_with("expires in 80 days (the age ends "), "{young:#}");
    let again = "gh secret set A --env staging < FILE";
    says("soon", &aged("90d", stored(80)), ("warn", "it may be 90 days old", again));
    says("old", &aged("90d", stored(100)), ("fail", "A has expired: the age ended ", again));
    says("short limit", &aged("8d", stored(3)), ("pass", "no secret ends", ""));
    let help = "Environments: read (repository), or leave out its `max-age`";
    let hidden = aged("90d", stored(1).deny("/environments/", Denial::NotFound));
    says("environment unread", &hidden, ("unknown", "404", help));
    let denied = aged("90d", stored(1).deny("secrets", Denial::Integration("secrets=read")));
    says("denied", &denied, ("unknown", "whether A lasts is not known", "max-age"));
    let config = "secrets: [{name: A, max-age: 90d}]\n";
    says("no token", &row(ID, config), ("unknown", "no GitHub token was given", "max-age"));
    let environments = BTreeMap::from([("staging".to_owned(), Vec::new())]);
    let missing = aged("90d", Script { environments, ..Script::default() });
    says("secret-present tells", &missing, ("skipped", "no value was handed in", "max-age"));
}

#[test]
fn github_is_asked_when_a_token_ends_only_when_somebody_wants_that() {
    let token = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
    let asked = |probe: &str, answer: FaultKind| {
        let faults = vec![Fault::on("/rate_limit", 9, answer)];
        let github = FakeGitHub::start(Script { faults, ..Script::default() });
        let config = format!(
            "secrets: [{{name: A, kind: github-token}}]\nchecks: {{secret-expiry: {{probe: {probe}}}}}\n"
        );
        let guard = Guard::preflight(&config).env("GITHUB_API_URL", &github.url());
        let row = guard.env("RUNNER_GUARD_SECRET_A", token).run().finding(ID);
        let sent = format!("Bearer {token}");
        let with =
            github.requests().into_iter().filter(|r| r.header("authorization") == Some(&sent));
        (row, with.count())
    };
    let ends =
        |text| FaultKind::Answer(200, vec![("github-authentication-token-expiration", text)], "{}");
    let (off, sent) = asked("''", ends("2020-01-01 00:00:00 UTC"));
    says("off", &off, ("pass", "1 without one", ""));
    assert_eq!(sent, 0, "a token is sent nowhere by default");
    let (over, sent) = asked("true", ends("2020-01-01 00:00:00 +0100"));
    says(
        "over",
        &over,
        ("fail", "A has expired: the token ended 2019-12-31T23:00:00Z", "gh secret"),
    );
    assert_eq!(sent, 1);
    let (long, _) = asked("true", ends("2199-01-01 00:00:00 UTC"));
    says("long", &long, ("pass", "1 with an end", ""));
    let (endless, _) = asked("true", FaultKind::Answer(200, Vec::new(), "{}"));
    says("endless", &endless, ("pass", "1 without one", ""));
    let (odd, _) = asked("true", ends("next week"));
    says("odd", &odd, ("unknown", "in a form that is not known", "turn `probe` off"));
    let bad = r#"{"message":"Bad credentials"}"#;
    let (refused, _) = asked("true", FaultKind::Answer(401, Vec::new(), bad));
    says("refused", &refused, ("fail", "A has expired: GitHub refuses it", "gh secret"));
    let (broken, _) = asked("true", FaultKind::Answer(418, Vec::new(), bad));
    says("broken", &broken, ("unknown", "418", "use another token"));
}

#[test]
fn nothing_to_look_at_is_skipped() {
    let help = "required-secrets";
    says("no secret", &row(ID, "{}\n"), ("skipped", "no secret is required", help));
    says("no value", &row(ID, "secrets: [A]\n"), ("skipped", "no age is limited", "max-age"));
    let damaged = asked("secrets: [{name: A, kind: jwt}]\n", &[("A", "n0 token")]);
    says("secret-format tells", &damaged, ("skipped", "no value", "max-age"));
}
