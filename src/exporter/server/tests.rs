//! The pages over a real socket.

use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::oneshot;

use super::*;
use crate::exporter::{Authorization, metrics};
use crate::source::exposition::parse;
use crate::task::CancelSource;

fn settings() -> Settings {
    Settings {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        roots: vec!["/nonexistent/deploy-9".into()],
        environment: "production".to_owned(),
        authorized_for_prod: Authorization::Authorized,
        hostname: Some("web-1".to_owned()),
    }
}

/// Serves, sends each request on a connection of its own, and stops.
async fn ask(requests: &[&str]) -> Vec<String> {
    let (source, cancel) = CancelSource::new();
    let (ready, address) = oneshot::channel();
    let client = async {
        let address = address.await.unwrap();
        let mut answers = Vec::new();
        for request in requests {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answers.push(answer);
        }
        source.cancel();
        answers
    };
    let server = serve(settings(), &cancel, |address| ready.send(address).unwrap());
    let (end, answers) = tokio::join!(server, client);
    end.unwrap();
    answers
}

fn request(method: &str, path: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n")
}

#[tokio::test]
async fn metrics_are_served_in_the_format_that_the_header_says() {
    let answer = ask(&[&request("GET", "/metrics?x")]).await.remove(0);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{head}");
    let exposition = parse(body).unwrap();
    let status = exposition.find("runner_status").next().unwrap();
    assert_eq!(status.label("hostname"), Some("web-1"));
    assert_eq!(status.label("runner"), Some("deploy-9"));
    assert_eq!(status.label("environment"), Some("production"));
    assert_eq!(status.label("authorized_for_prod"), Some("true"));
    for sample in &exposition.samples {
        assert!(metrics::ALL.iter().any(|metric| metric.name == sample.name), "{sample:?}");
    }
}

#[tokio::test]
async fn other_paths_and_methods_are_refused() {
    let answers = ask(&[
        &request("GET", "/healthz"),
        &request("GET", "/"),
        &request("GET", "/metrics/x"),
        &request("POST", "/metrics"),
        &request("HEAD", "/healthz"),
    ])
    .await;
    assert!(answers[0].ends_with("\r\n\r\nok\n"), "{}", answers[0]);
    assert!(answers[1].contains("<a href=\"/metrics\">"), "{}", answers[1]);
    assert!(answers[2].starts_with("HTTP/1.1 404 "), "{}", answers[2]);
    assert!(
        answers[3].starts_with("HTTP/1.1 405 ") && answers[3].contains("allow: GET, HEAD\r\n"),
        "{}",
        answers[3]
    );
    assert!(
        answers[4].starts_with("HTTP/1.1 200 ") && answers[4].ends_with("\r\n\r\n"),
        "{}",
        answers[4]
    );
}

#[tokio::test]
async fn a_request_with_a_head_beyond_the_cap_is_refused() {
    let flood: String = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "a".repeat(HEAD_BYTES));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: 1\r\n".repeat(HEADERS + 1));
    for answer in ask(&[&flood, &many]).await {
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = taken.local_addr().unwrap();
    let (_source, cancel) = CancelSource::new();
    let error =
        serve(Settings { listen: address, ..settings() }, &cancel, |_| {}).await.unwrap_err();
    assert_eq!(error.to_string(), format!("listen on {address}"));
}

#[test]
fn the_collectors_end_before_prometheus_gives_up() {
    let with = |text: &'static str| {
        limit(&HeaderMap::from_iter([(
            http::HeaderName::from_static("x-prometheus-scrape-timeout-seconds"),
            HeaderValue::from_static(text),
        )]))
    };
    assert_eq!(with("2"), Duration::from_millis(1600));
    for unusable in ["10", "inf", "-1", "x"] {
        assert_eq!(with(unusable), SCRAPE_LIMIT, "{unusable}");
    }
    assert_eq!(with("0"), Duration::from_millis(100));
    assert_eq!(limit(&HeaderMap::new()), SCRAPE_LIMIT);
}
