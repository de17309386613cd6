//! Cases of `endpoint-reachable`: what TLS fails at, what a proxy does to the way, and whether it was GitHub that answered.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use rcgen::date_time_ymd;
use serde_json::Value;

use super::{Machine, row, says, tells};
use crate::support::command::Guard;
use crate::support::fake_github::{FakeGitHub, Script};
use crate::support::http::{Behaviour, serve};
use crate::support::tls::{self, Identity, answer, self_signed};

const ID: &str = "endpoint-reachable";
const GITHUB: &str = "x-github-request-id: C0DE:1\r\n";
/// Every name that a workflow on github.com asks for.
const NAMES: &[&str] = &[
    "*.github.com",
    "github.com",
    "*.actions.githubusercontent.com",
    "ghcr.io",
    "*.githubusercontent.com",
];

fn https(identity: &Identity) -> String {
    format!("https://{}/", tls::serve(identity, answer("")))
}

/// The row of a run that trusts this certificate too.
fn trusting(pem: &str, endpoint: &str) -> Value {
    let config = format!("ca-bundle: ca.pem\nnetwork: {{endpoints: ['{endpoint}']}}\n");
    Guard::preflight(&config).file("ca.pem", pem).run().finding(ID)
}

fn plainly(endpoint: &str) -> Value {
    row(ID, &format!("network: {{endpoints: ['{endpoint}']}}\n"))
}

/// A job of a workflow on github.com behind this proxy, with more of a configuration.
fn on_github(identity: &Identity, proxy: SocketAddr, config: &str) -> Guard {
    let config = format!("ca-bundle: ca.pem\n{config}");
    Guard::preflight(&config)
        .file("ca.pem", &identity.pem)
        .env("GITHUB_API_URL", "https://api.github.com")
        .env("GITHUB_RUN_ID", "77")
        .env("HTTPS_PROXY", &format!("http://user:not-to-be-shown@{proxy}"))
}

fn seen(row: &Value) -> String {
    row["observations"].to_string()
}

#[test]
fn a_private_authority_fails_until_it_is_given() {
    let identity = self_signed(&["127.0.0.1"], |_| {});
    let address = https(&identity);
    says(
        "not given",
        &plainly(&address),
        ("fail", "tls-untrusted: TLS handshake", "input ca-bundle"),
    );
    says("given", &trusting(&identity.pem, &address), ("pass", "2 of 2 endpoints answer", ""));
}

#[test]
fn an_expired_certificate_and_one_for_another_name_have_help_of_their_own() {
    let expired = self_signed(&["127.0.0.1"], |p| p.not_after = date_time_ymd(2020, 1, 1));
    let row = trusting(&expired.pem, &https(&expired));
    says("expired", &row, ("fail", "tls-expired: TLS handshake", "clock of this host"));
    let early = self_signed(&["127.0.0.1"], |p| p.not_before = date_time_ymd(3000, 1, 1));
    let row = trusting(&early.pem, &https(&early));
    says("early", &row, ("fail", "tls-not-yet-valid", "clock of this host first"));
    let other = self_signed(&["other.example"], |_| {});
    let row = trusting(&other.pem, &https(&other));
    says("other name", &row, ("fail", "wrong-name: TLS handshake", "for another name"));
}

#[test]
fn a_port_that_does_not_speak_tls_is_said_to_be_one() {
    let plain = serve(Behaviour::Answer(200, "text/plain", "no tls here".to_owned()));
    let row = plainly(&format!("https://{plain}/"));
    says("plain", &row, ("fail", "tls-invalid: TLS handshake", "may not speak TLS"));
}

#[test]
fn somebody_who_refuses_is_there_and_somebody_who_is_broken_is_not() {
    let status = |status: u16| {
        let at = serve(Behaviour::Answer(status, "text/plain", "words".to_owned()));
        plainly(&format!("http://{at}/?key=not-to-be-shown"))
    };
    for refusal in [200, 401, 403, 404] {
        says(&refusal.to_string(), &status(refusal), ("pass", "2 of 2 endpoints answer", ""));
    }
    says(
        "502",
        &status(502),
        ("fail", "http-status: status 502", "the server is there and broken"),
    );
    says("407", &status(407), ("fail", "proxy-refused: status 407", "https_proxy"));
    assert!(!status(502).to_string().contains("not-to-be-shown"));
}

#[test]
fn an_answer_of_any_length_is_an_answer() {
    let flood = serve(Behaviour::Flood(50 << 20));
    says("flood", &plainly(&format!("http://{flood}/")), ("pass", "2 of 2 endpoints answer", ""));
}

#[test]
fn every_endpoint_is_counted_and_the_first_failure_is_named() {
    let closed = || TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("port");
    let (a, b) = (closed(), closed());
    let config = format!("network: {{endpoints: ['tcp://{a}', 'tcp://{b}']}}\n");
    let row = row(ID, &config);
    says("two", &row, ("fail", &format!("tcp://{a}: refused: connect"), "firewall"));
    assert!(row["summary"].as_str().is_some_and(|s| s.ends_with("(and 1 more)")), "{row}");
}

#[test]
fn the_kinds_below_tls_are_told_apart() {
    let unknown = plainly("tcp://no-such-host.invalid:22");
    says("name", &unknown, ("fail", "dns-failure: resolve no-such-host.invalid", "getent hosts"));
    let hangs = serve(Behaviour::Hang);
    let config = format!(
        "network: {{endpoints: ['http://{hangs}/']}}\nchecks: {{endpoint-reachable: {{timeout: 500ms}}}}\n"
    );
    says("silent", &row(ID, &config), ("fail", "timeout: GET", "firewall that drops"));
}

#[tokio::test]
async fn without_an_endpoint_nothing_is_asked() {
    let nothing = Machine::with(&[]).asked(ID, "").await;
    tells("nothing", &nothing, ("skipped", "no endpoint is named", "network.endpoints"));
}

#[test]
fn the_way_through_a_proxy_is_seen_and_its_password_is_not() {
    let identity = self_signed(&["deploy.example"], |_| {});
    let asked = |status: Option<u16>| {
        let (proxy, heads) = tls::proxy(&identity, move |_| status, answer(""));
        let row = Guard::preflight(
            "ca-bundle: ca.pem\nnetwork: {endpoints: ['https://deploy.example/']}\n",
        )
        .file("ca.pem", &identity.pem)
        .env("HTTPS_PROXY", &format!("http://user:not-to-be-shown@{proxy}"))
        .run()
        .finding(ID);
        assert!(!row.to_string().contains("not-to-be-shown"), "{row}");
        // What the proxy is told: `user:not-to-be-shown`.
        let user = "Proxy-Authorization: Basic dXNlcjpub3QtdG8tYmUtc2hvd24=";
        assert!(heads.lock().expect("heads").iter().any(|head| head.contains(user)));
        (row, proxy)
    };
    let (open, proxy) = asked(None);
    says("open", &open, ("pass", "2 of 2 endpoints answer", ""));
    assert!(seen(&open).contains(&format!("through the proxy {proxy}")), "{open}");
    assert!(seen(&open).contains("tls "), "{open}");
    let (user, _) = asked(Some(407));
    says("user", &user, ("fail", "proxy-refused: ask the proxy", "https_proxy"));
    says("closed", &asked(Some(403)).0, ("fail", "does not let this through", "no_proxy"));
}

#[test]
fn on_github_every_host_of_a_runner_is_asked_and_must_be_github() {
    let identity = self_signed(NAMES, |_| {});
    let (proxy, _) = tls::proxy(&identity, |_| None, answer(GITHUB));
    let all = on_github(&identity, proxy, "").run().finding(ID);
    says("all", &all, ("pass", "9 of 9 endpoints answer", ""));
    assert!(seen(&all).contains("GitHub answered"), "{all}");
    let (portal, _) = tls::proxy(&identity, |_| None, answer(""));
    let row = on_github(&identity, portal, "").run().finding(ID);
    says("portal", &row, ("fail", "https://api.github.com: wrong-answer", "captive portal"));
    let off = "checks: {endpoint-reachable: {github-hosts: 'off'}}\n";
    let row = on_github(&identity, proxy, off).run().finding(ID);
    says("off", &row, ("pass", "1 of 1 endpoints answer", ""));
}

#[test]
fn a_host_that_only_some_jobs_need_warns_until_it_is_excepted() {
    let identity = self_signed(NAMES, |_| {});
    let closed = |name: &'static str| {
        let refuse = move |head: &str| head.starts_with(&format!("CONNECT {name}:")).then_some(403);
        tls::proxy(&identity, refuse, answer(GITHUB)).0
    };
    let some = on_github(&identity, closed("ghcr.io"), "").run().finding(ID);
    says(
        "some",
        &some,
        ("warn", "ghcr.io/v2/ (container images): proxy-refused", "endpoint-reachable.except"),
    );
    let except = "checks: {endpoint-reachable: {except: [ghcr.io]}}\n";
    let row = on_github(&identity, closed("ghcr.io"), except).run().finding(ID);
    says("excepted", &row, ("pass", "8 of 8 endpoints answer", ""));
    let all = on_github(&identity, closed("codeload.github.com"), "").run().finding(ID);
    says("all", &all, ("fail", "codeload.github.com/_ping (downloads of actions)", "proxy"));
}

#[test]
fn a_host_of_github_is_broken_only_where_it_is_known_what_it_answers() {
    let identity = self_signed(NAMES, |_| {});
    let broken = |name: &'static str| {
        let answer = Arc::new(move |head: &str| {
            let status = if head.contains(name) { 503 } else { 204 };
            format!("HTTP/1.1 {status} X\r\nconnection: close\r\n{GITHUB}\r\n")
        });
        tls::proxy(&identity, |_| None, answer).0
    };
    let health = on_github(&identity, broken("results-receiver."), "").run().finding(ID);
    says("health", &health, ("fail", "caches): http-status: status 503", "status page"));
    let jobs = on_github(&identity, broken("broker."), "").run().finding(ID);
    says("jobs", &jobs, ("pass", "9 of 9 endpoints answer", ""));
}

#[test]
fn with_a_token_the_api_is_not_asked_a_second_time() {
    let identity = self_signed(NAMES, |_| {});
    let (proxy, heads) = tls::proxy(&identity, |_| None, answer(GITHUB));
    let off = "checks: {endpoint-reachable: {github-hosts: 'off'}}\n";
    let guard = on_github(&identity, proxy, off).env("GITHUB_TOKEN", "not-a-real-token");
    let row = guard.run().finding(ID);
    says("shared", &row, ("pass", "1 of 1 endpoints answer", ""));
    assert!(seen(&row).contains("GitHub answered"), "{row}");
    let heads = heads.lock().expect("heads");
    assert!(!heads.iter().any(|head| head.starts_with("GET / ")), "{heads:?}");
    assert_eq!(heads.iter().filter(|head| head.starts_with("GET /rate_limit ")).count(), 1);
}

#[test]
fn an_own_server_is_asked_at_its_own_addresses_only() {
    let server = serve(Behaviour::Answer(200, "text/html", "pages".to_owned()));
    let row = Guard::preflight("")
        .env("GITHUB_API_URL", &format!("http://{server}/api/v3"))
        .env("GITHUB_SERVER_URL", &format!("http://{server}"))
        .env("GITHUB_RUN_ID", "77")
        .run()
        .finding(ID);
    says("own", &row, ("pass", "2 of 2 endpoints answer", ""));
    assert!(seen(&row).contains("(checkout)") && !seen(&row).contains("github.com"), "{row}");
}

#[test]
fn an_api_that_refuses_the_token_is_reachable() {
    let github = FakeGitHub::start(Script::default());
    let row = Guard::preflight("")
        .env("GITHUB_API_URL", &github.url())
        .env("GITHUB_TOKEN", "not-a-real-token")
        .run()
        .finding(ID);
    says("answers", &row, ("pass", "1 of 1 endpoints answer", ""));
    let refuses = serve(Behaviour::Answer(401, "application/json", "{}".to_owned()));
    let row = Guard::preflight("")
        .env("GITHUB_API_URL", &format!("http://{refuses}"))
        .env("GITHUB_TOKEN", "not-a-real-token")
        .run()
        .finding(ID);
    says("refuses", &row, ("pass", "1 of 1 endpoints answer", ""));
}
