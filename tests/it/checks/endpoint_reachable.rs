//! Cases of `endpoint-reachable`. That DNS, TCP, TLS and HTTP are told apart stands in `gate`; here it is what TLS fails at.
#![expect(clippy::disallowed_methods, reason = "each server lives in a thread of the test")]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, Stream};
use serde_json::Value;

use super::{row, says};
use crate::support::command::Guard;
use crate::support::http::{Behaviour, serve};

const ID: &str = "endpoint-reachable";

/// A server with a certificate that it signed itself; its address and the certificate as PEM.
fn tls(name: &str, change: impl FnOnce(&mut CertificateParams)) -> (String, String) {
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("name");
    change(&mut params);
    let key = KeyPair::generate().expect("key");
    let certificate = params.self_signed(&key).expect("certificate");
    let private = PrivateKeyDer::try_from(key.serialize_der()).expect("key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .expect("configuration");
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let address = listener.local_addr().expect("address");
    std::thread::spawn(move || {
        let config = Arc::new(config);
        for mut socket in listener.incoming().flatten() {
            let mut session = ServerConnection::new(Arc::clone(&config)).expect("session");
            let mut stream = Stream::new(&mut session, &mut socket);
            if stream.read(&mut [0; 4096]).is_ok_and(|bytes| bytes > 0) {
                let _ = stream.write_all(b"HTTP/1.1 204 X\r\nconnection: close\r\n\r\n");
            }
        }
    });
    (format!("https://{address}/"), certificate.pem())
}

/// The row of a run that trusts this certificate too.
fn trusting(pem: &str, endpoint: &str) -> Value {
    let config = format!("ca-bundle: ca.pem\nnetwork: {{endpoints: ['{endpoint}']}}\n");
    Guard::preflight(&config).file("ca.pem", pem).run().finding(ID)
}

fn plainly(endpoint: &str) -> Value {
    row(ID, &format!("network: {{endpoints: ['{endpoint}']}}\n"))
}

#[test]
fn a_private_authority_fails_until_it_is_given() {
    let (address, pem) = tls("127.0.0.1", |_| {});
    says("not given", &plainly(&address), ("fail", "TLS handshake", "input ca-bundle"));
    says("given", &trusting(&pem, &address), ("pass", "2 of 2 endpoints answer", ""));
}

#[test]
fn an_expired_certificate_and_one_for_another_name_have_help_of_their_own() {
    let (expired, pem) = tls("127.0.0.1", |params| params.not_after = date_time_ymd(2020, 1, 1));
    says("expired", &trusting(&pem, &expired), ("fail", "TLS handshake", "clock of this host"));
    let (other, pem) = tls("other.example", |_| {});
    says("other name", &trusting(&pem, &other), ("fail", "TLS handshake", "for another name"));
}

#[test]
fn a_port_that_does_not_speak_tls_is_said_to_be_one() {
    let plain = serve(Behaviour::Answer(200, "text/plain", "no tls here".to_owned()));
    let row = plainly(&format!("https://{plain}/"));
    says("plain", &row, ("fail", "TLS handshake", "may not speak TLS"));
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
    says("502", &status(502), ("fail", "http: status 502", "the server is there and broken"));
    says("407", &status(407), ("fail", "the proxy wants a user", "proxy"));
    assert!(!status(502).to_string().contains("not-to-be-shown"));
}

#[test]
fn every_endpoint_is_counted_and_the_first_failure_is_named() {
    let closed = || TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("port");
    let (a, b) = (closed(), closed());
    let config = format!("network: {{endpoints: ['tcp://{a}', 'tcp://{b}']}}\n");
    let row = row(ID, &config);
    says("two", &row, ("fail", &a.to_string(), "firewall"));
    assert!(row["summary"].as_str().is_some_and(|s| s.ends_with("(and 1 more)")), "{row}");
}
