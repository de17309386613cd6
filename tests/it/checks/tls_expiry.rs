//! Cases of `tls-expiry`, with certificates made for each.

use rcgen::date_time_ymd;
use serde_json::Value;

use super::{row, says};
use crate::support::command::Guard;
use crate::support::tls::{self, Identity, answer, for_days, issued, self_signed};

const ID: &str = "tls-expiry";

/// The row of a run that trusts this certificate, with more of a configuration.
fn asked(identity: &Identity, config: &str) -> Value {
    let at = tls::serve(identity, answer(""));
    let config = format!("ca-bundle: ca.pem\nnetwork: {{endpoints: ['https://{at}/']}}\n{config}");
    Guard::preflight(&config).file("ca.pem", &identity.pem).run().finding(ID)
}

fn own(days: u64) -> Identity {
    self_signed(&["127.0.0.1"], for_days(days))
}

#[test]
fn the_days_that_are_left_decide() {
    says("long", &asked(&own(90), ""), ("pass", "its certificate ends in 90 days", ""));
    says("soon", &asked(&own(5), ""), ("warn", "its certificate ends in 5 days", "renew"));
    let modest = "checks: {tls-expiry: {warn-within: 2d}}\n";
    says("modest", &asked(&own(5), modest), ("pass", "ends in 5 days", ""));
}

#[test]
fn an_expired_certificate_fails_and_says_since_when() {
    let expired = self_signed(&["127.0.0.1"], |p| p.not_after = date_time_ymd(2020, 1, 1));
    let row = asked(&expired, "");
    says("expired", &row, ("fail", "days ago (2020-01-01)", "clock of this host"));
}

#[test]
fn an_issuer_that_ends_before_its_certificate_is_named() {
    let row = asked(&issued("127.0.0.1", 80, 6), "");
    says("issuer", &row, ("warn", "the certificate of its issuer (", "renew"));
    assert!(row["summary"].as_str().is_some_and(|s| s.contains("ends in 6 days")), "{row}");
    says(
        "both",
        &asked(&issued("127.0.0.1", 80, 90), ""),
        ("pass", "its certificate ends in 80", ""),
    );
}

#[test]
fn a_certificate_that_is_not_accepted_says_nothing_about_its_end() {
    let other = self_signed(&["other.example"], for_days(90));
    says("name", &asked(&other, ""), ("unknown", "(wrong-name)", "endpoint-reachable"));
    let at = tls::serve(&own(90), answer(""));
    let row = row(ID, &format!("network: {{endpoints: ['https://{at}/']}}\n"));
    says("issuer", &row, ("unknown", "(tls-untrusted)", "endpoint-reachable"));
}

#[test]
fn behind_a_proxy_the_certificate_is_seen_through_the_tunnel() {
    let identity = self_signed(&["deploy.example"], for_days(5));
    let (proxy, _) = tls::proxy(&identity, |_| None, answer(""));
    let seen = |proxy: String| {
        Guard::preflight("ca-bundle: ca.pem\nnetwork: {endpoints: ['https://deploy.example/']}\n")
            .file("ca.pem", &identity.pem)
            .env("HTTPS_PROXY", &proxy)
            .run()
            .finding(ID)
    };
    says("tunnel", &seen(format!("http://{proxy}")), ("warn", "ends in 5 days", "renew"));
    let other = seen(format!("https://{proxy}"));
    assert_eq!(other["status"], "unknown", "{other}");
}

#[test]
fn all_checks_of_a_run_share_one_walk() {
    let identity = self_signed(&["deploy.example"], for_days(90));
    let (proxy, heads) = tls::proxy(&identity, |_| None, answer(""));
    Guard::preflight("ca-bundle: ca.pem\nnetwork: {endpoints: ['https://deploy.example/']}\n")
        .file("ca.pem", &identity.pem)
        .env("HTTPS_PROXY", &format!("http://{proxy}"))
        .run();
    let heads = heads.lock().expect("heads");
    let asked = heads.iter().filter(|head| head.starts_with("GET ")).count();
    assert_eq!(asked, 1, "{heads:?}");
}

#[test]
fn without_https_there_is_nothing_to_last() {
    let nothing = row(ID, "network: {endpoints: ['tcp://127.0.0.1:9']}\n");
    says("tcp", &nothing, ("skipped", "no endpoint is asked over HTTPS", "network.endpoints"));
}
