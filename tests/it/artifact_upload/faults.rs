//! What goes wrong between a runner and the artifact service, and that the bytes survive it or the error says what happened.

use std::time::{Duration, Instant};

use super::{BLOCK, Case, NUMBERS, UUIDS, act, bytes, github};
use crate::support::client;
use crate::support::fake_github::{FakeGitHub, Fault, FaultKind};
use crate::support::http::{Behaviour, serve};

#[tokio::test]
async fn every_passing_fault_is_outlived() {
    let page = "<html>502 from a proxy</html>";
    let damage = vec![("x-ms-error-code", "Md5Mismatch"), ("retry-after", "0")];
    let damaged = Fault::on("comp=block&", 2, FaultKind::Answer(400, damage, ""));
    let early = r#"{"code":"not_found","msg":"workflow run not found"}"#;
    let cases = [
        Fault::status("CreateArtifact", 2, 503),
        Fault::status("FinalizeArtifact", 1, 500),
        Fault::status("comp=block&", 3, 429),
        Fault::status("comp=block&", 2, 503),
        Fault::status("comp=blocklist", 2, 504),
        Fault::on("CreateArtifact", 1, FaultKind::Answer(502, vec![], page)),
        Fault::on("CreateArtifact", 2, FaultKind::Reset),
        Fault::on("comp=block&", 2, FaultKind::Reset),
        Fault::on("comp=block&", 1, FaultKind::LoseAnswer),
        Fault::on("comp=blocklist", 1, FaultKind::LoseAnswer),
        Fault::on("FinalizeArtifact", 1, FaultKind::LoseAnswer),
        Fault::on("comp=block&", 1, FaultKind::Hang),
        Fault::on("ListArtifacts", 9, FaultKind::Reset),
        Fault::on("ListArtifacts", 9, FaultKind::Hang),
        damaged,
        Fault::on("CreateArtifact", 1, FaultKind::Answer(404, vec![], early)),
        Fault::on("CreateArtifact", 1, FaultKind::Drip(Duration::from_micros(200))),
        Fault::on("comp=block&", 1, FaultKind::Delay(Duration::from_millis(100))),
        Fault::status("FinalizeArtifact", 2, 403),
    ];
    for fault in cases {
        let server = github(vec![fault]);
        let case = Case::of(bytes(BLOCK + 1));
        let uploaded = case.run(&server, UUIDS).await.unwrap_or_else(|e| panic!("{}", e.chain()));
        assert_eq!(uploaded.name, "box");
        assert!(server.artifact("box").is_some_and(|stored| stored == case.bytes));
    }
}

#[tokio::test]
async fn a_block_is_never_sent_twice_to_a_server_that_would_append_it_twice() {
    for kind in [FaultKind::LoseAnswer, FaultKind::Reset, FaultKind::Answer(503, vec![], "")] {
        let server = act(vec![Fault::on("comp=block&", 1, kind)]);
        let case = Case::of(bytes(2 * BLOCK + 1));
        case.run(&server, NUMBERS).await.expect("uploaded");
        assert!(server.artifact("box").is_some_and(|stored| stored == case.bytes));
        let created =
            server.requests().iter().filter(|r| r.target.ends_with("CreateArtifact")).count();
        assert_eq!(created, 2, "the whole artifact starts anew");
    }
}

#[tokio::test]
async fn a_name_burnt_by_a_refused_finalization_is_replaced() {
    let server = github(vec![Fault::status("FinalizeArtifact", 3, 403)]);
    let case = Case::of(bytes(10));
    let uploaded = case.run(&server, UUIDS).await.expect("uploaded");
    assert_eq!(uploaded.name, "box-2");
    assert!(server.artifact("box").is_none() && server.artifact("box-2").is_some());
}

#[tokio::test]
async fn a_lost_answer_to_the_first_call_costs_the_name_but_not_the_upload() {
    let server = github(vec![Fault::on("CreateArtifact", 1, FaultKind::LoseAnswer)]);
    let uploaded = Case::of(bytes(10)).run(&server, UUIDS).await.expect("uploaded");
    assert_eq!(uploaded.name, "box-2");
}

#[tokio::test]
async fn an_answer_of_200_to_a_block_is_not_taken_for_success() {
    let server = github(vec![Fault::on("comp=block&", 9, FaultKind::Answer(200, vec![], ""))]);
    let error = Case::of(bytes(10)).run(&server, UUIDS).await.expect_err("nothing was stored");
    assert_eq!(error.status(), Some(200));
    assert!(server.requests().iter().all(|r| !r.target.contains("Finalize")));
}

#[tokio::test]
async fn a_refusal_by_a_proxy_is_final_and_keeps_its_status() {
    let page = "<html><body>forbidden by policy</body></html>";
    let server = github(vec![Fault::on("CreateArtifact", 9, FaultKind::Answer(403, vec![], page))]);
    let error = Case::of(bytes(10)).run(&server, UUIDS).await.expect_err("refused");
    assert_eq!(server.requests().len(), 1);
    let host = server.url().replace("http://", "");
    assert_eq!(
        error.chain(),
        format!(
            "upload artifact `box`: call CreateArtifact: {host} answered status 403: forbidden by policy"
        )
    );
}

#[tokio::test]
async fn a_server_that_insists_on_a_type_gets_one() {
    let body = r#"{"code":"invalid_argument","msg":"mime_type a valid mime_type is required for this artifact version"}"#;
    let server = github(vec![Fault::on("CreateArtifact", 1, FaultKind::Answer(400, vec![], body))]);
    Case::of(bytes(10)).run(&server, UUIDS).await.expect("uploaded");
    assert_eq!(form(&server, 1), (7.into(), "application/zip".into()));
    let server = github(vec![Fault::on("CreateArtifact", 2, FaultKind::Answer(400, vec![], body))]);
    Case::of(bytes(10)).run(&server, UUIDS).await.expect("uploaded");
    assert_eq!(form(&server, 2), (7.into(), "application/octet-stream".into()));
}

fn form(server: &FakeGitHub, at: usize) -> (serde_json::Value, serde_json::Value) {
    let body: serde_json::Value =
        serde_json::from_slice(&server.requests()[at].body).expect("JSON");
    (body["version"].clone(), body["mime_type"].clone())
}

#[tokio::test]
async fn no_error_shows_a_signature() {
    for (route, kind) in [
        (
            "comp=block&",
            FaultKind::Answer(403, vec![("x-ms-error-code", "AuthenticationFailed")], ""),
        ),
        ("comp=blocklist", FaultKind::Answer(400, vec![], "")),
        ("comp=block&", FaultKind::Reset),
        (
            "comp=block&",
            FaultKind::Answer(302, vec![("location", "http://127.0.0.1:1/?sig=a%2Fb")], ""),
        ),
    ] {
        let server = github(vec![Fault::on(route, 99, kind)]);
        let case = Case::of(bytes(10));
        let error = case.run(&server, UUIDS).await.expect_err("refused");
        let shown = format!("{} {error:?}", error.chain());
        assert!(!shown.contains("sig=") && !shown.contains("a%2Fb"), "{shown}");
        assert!(shown.contains("comp=block"), "it says what was tried: {shown}");
    }
}

#[tokio::test]
async fn the_deadline_holds_whatever_the_server_does() {
    for route in ["CreateArtifact", "comp=block&", "FinalizeArtifact"] {
        let server = github(vec![Fault::on(route, 99, FaultKind::Hang)]);
        let case = Case { limit: Duration::from_millis(400), ..Case::of(bytes(10)) };
        let start = Instant::now();
        let error = case.run(&server, UUIDS).await.expect_err("no time");
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        assert!(error.chain().contains("deadline"), "{}", error.chain());
    }
}

#[tokio::test]
async fn a_wait_beyond_the_deadline_is_not_begun() {
    let headers = vec![("retry-after", "3600")];
    let server = github(vec![Fault::on("CreateArtifact", 9, FaultKind::Answer(429, headers, ""))]);
    let start = Instant::now();
    let error = Case::of(bytes(10)).run(&server, UUIDS).await.expect_err("too long");
    assert_eq!(error.status(), Some(429));
    assert!(error.chain().ends_with("status 429, asks to wait 3600 s"), "{}", error.chain());
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_wait_within_the_deadline_is_kept() {
    let headers = vec![("x-ms-retry-after-ms", "300")];
    let server = github(vec![Fault::on("comp=block&", 1, FaultKind::Answer(429, headers, ""))]);
    let start = Instant::now();
    Case::of(bytes(10)).run(&server, UUIDS).await.expect("uploaded");
    assert!(start.elapsed() >= Duration::from_millis(300), "{:?}", start.elapsed());
}

#[tokio::test]
async fn an_answer_that_trickles_is_waited_for_as_long_as_something_comes() {
    for route in ["CreateArtifact", "FinalizeArtifact"] {
        // Each takes longer than nothing may move.
        let drip =
            FaultKind::Drip(Duration::from_millis(if route.starts_with('C') { 8 } else { 60 }));
        let server = github(vec![Fault::on(route, 1, drip)]);
        let start = Instant::now();
        let uploaded = Case::of(bytes(10)).run(&server, UUIDS).await.expect("uploaded");
        assert_eq!(uploaded.name, "box", "it was asked once: {route}");
        assert!(start.elapsed() > Duration::from_millis(1500), "{:?}", start.elapsed());
        assert_eq!(server.requests().len(), 5);
    }
}

#[tokio::test]
async fn a_wait_until_a_time_is_kept_by_the_clock_of_the_server() {
    // Its clock has nothing to do with ours.
    let times = vec![
        ("date", "Mon, 06 Jan 2020 15:59:58 GMT"),
        ("retry-after", "Mon, 06 Jan 2020 16:00:00 GMT"),
    ];
    for route in ["CreateArtifact", "comp=block&"] {
        let server = github(vec![Fault::on(route, 1, FaultKind::Answer(429, times.clone(), ""))]);
        let start = Instant::now();
        Case::of(bytes(10)).run(&server, UUIDS).await.expect("uploaded");
        let took = start.elapsed();
        assert!(took >= Duration::from_secs(2) && took < Duration::from_secs(10), "{took:?}");
    }
}

#[tokio::test]
async fn an_address_that_has_expired_is_replaced_by_that_of_another_name_with_other_blocks() {
    let expired = vec![("x-ms-error-code", "AuthenticationFailed")];
    for route in ["comp=block&", "comp=blocklist"] {
        let answer = FaultKind::Answer(403, expired.clone(), "");
        let server = github(vec![Fault::on(route, 1, answer)]);
        let case = Case::of(bytes(BLOCK + 1));
        let uploaded = case.run(&server, UUIDS).await.unwrap_or_else(|e| panic!("{}", e.chain()));
        assert_eq!(uploaded.name, "box-2");
        assert!(server.artifact("box-2").is_some_and(|stored| stored == case.bytes));
        let requests = server.requests();
        let ids = requests.iter().filter_map(|r| r.target.split("blockid=").nth(1));
        let uploads: std::collections::BTreeSet<&str> = ids.map(|id| &id[..40]).collect();
        assert_eq!(uploads.len(), 2, "{uploads:?}");
    }
}

#[tokio::test]
async fn an_artifact_that_the_server_holds_with_another_digest_is_sent_again() {
    let other = r#"{"artifacts":[{"database_id":"1001","name":"box","digest":"sha256:00"}]}"#;
    let server = github(vec![Fault::on("ListArtifacts", 1, FaultKind::Answer(200, vec![], other))]);
    let uploaded = Case::of(bytes(10)).run(&server, UUIDS).await.expect("uploaded");
    assert_eq!(uploaded.name, "box-2");
    let always =
        github(vec![Fault::on("ListArtifacts", 9, FaultKind::Answer(200, vec![], EVERY_ID))]);
    let error = Case::of(bytes(10)).run(&always, UUIDS).await.expect_err("damaged each time");
    assert!(error.chain().contains("it holds sha256:00, sent was sha256:"), "{}", error.chain());
}

/// The ids of all three names, each with a digest that is wrong.
const EVERY_ID: &str = r#"{"artifacts":[{"database_id":1001,"digest":"sha256:00"},
    {"databaseId":"1002","digest":"sha256:00"},{"database_id":"1003","digest":"sha256:00"}]}"#;

#[tokio::test]
async fn a_quota_is_named_with_what_to_do_and_not_asked_again() {
    let words = r#"{"code":"resource_exhausted","msg":"insufficient usage to create artifact"}"#;
    for answer in [FaultKind::Answer(429, vec![], words), FaultKind::Answer(413, vec![], "")] {
        let server = github(vec![Fault::on("CreateArtifact", 9, answer)]);
        let error = Case::of(bytes(10)).run(&server, UUIDS).await.expect_err("no room");
        assert_eq!(server.requests().len(), 1);
        let help = error.help().unwrap_or_default();
        assert!(help.contains("quota") && help.contains("retention-days"), "{help}");
    }
}

#[tokio::test]
async fn a_proxy_that_asks_for_a_login_is_named_and_asked_once() {
    let page =
        "<html><head><style>b{}</style><title>Login</title></head><body>ask the desk</body></html>";
    let headers = "proxy-authenticate: Basic realm=\"x\"\r\ncontent-type: text/html\r\n";
    let proxy = serve(Behaviour::Refuse(407, headers, page));
    let through = through(proxy);
    for (url, status) in [("http://results.test/", Some(407)), ("https://results.test/", None)] {
        let case = Case { limit: Duration::from_secs(4), ..Case::of(bytes(10)) };
        let error = case.run_through(&through, url, UUIDS).await.expect_err("refused");
        assert_eq!(error.status(), status, "{}", error.chain());
        assert!(error.help().is_some_and(|h| h.contains("HTTPS_PROXY")), "{}", error.chain());
        assert!(status.is_none() || error.chain().ends_with("status 407: Login ask the desk"));
        assert!(!error.chain().contains("deadline"), "it is final: {}", error.chain());
    }
}

/// A client that sends everything through this proxy.
#[expect(clippy::disallowed_methods, reason = "tests talk to their own servers")]
fn through(proxy: std::net::SocketAddr) -> reqwest::Client {
    drop(client());
    let proxy = reqwest::Proxy::all(format!("http://{proxy}")).expect("address");
    reqwest::Client::builder().proxy(proxy).build().expect("client")
}

#[tokio::test]
async fn an_endless_answer_is_read_up_to_the_cap_only() {
    let flood = Box::leak(" ".repeat(1024 * 1024).into_boxed_str());
    let server =
        github(vec![Fault::on("CreateArtifact", 1, FaultKind::Answer(200, vec![], flood))]);
    let error = Case::of(bytes(10)).run(&server, UUIDS).await.expect_err("not JSON");
    assert!(error.chain().contains("65536 bytes"), "{}", error.chain());
}

#[tokio::test]
async fn a_zip_that_is_shorter_than_announced_is_never_finalized() {
    let server = github(vec![]);
    let case = Case { says_size: Some(11), ..Case::of(bytes(10)) };
    let error = case.run(&server, UUIDS).await.expect_err("short");
    assert!(error.chain().contains("it has not the size any more"), "{}", error.chain());
    assert!(server.requests().is_empty(), "nothing of it was sent");
}

#[tokio::test]
async fn a_server_that_does_not_listen_is_named_with_what_to_change() {
    let stopped = github(vec![]).url();
    let case = Case { limit: Duration::from_secs(2), ..Case::of(bytes(10)) };
    let error = case.run_at(&stopped, UUIDS).await.expect_err("nobody listens");
    assert!(error.chain().contains(&stopped.replace("http://", "")), "{}", error.chain());
    assert!(error.help().is_some_and(|h| h.contains("firewall")));
}
