//! Keys, certificates and tokens that are made for one test and thrown away.
#![expect(
    clippy::disallowed_methods,
    reason = "tests start the tools of the trade and read what they write"
)]

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Both halves of a key for SSH.
#[derive(Clone)]
pub(crate) struct Ssh {
    pub(crate) private: String,
    pub(crate) public: String,
    /// As `ssh-keygen -lf` prints it.
    pub(crate) fingerprint: String,
}

/// A certificate and its key, in PEM.
pub(crate) struct Tls {
    pub(crate) key: String,
    pub(crate) certificate: String,
    pub(crate) der: Vec<u8>,
}

/// Runs a tool in a folder; a tool that is missing fails the test.
fn run(folder: &TempDir, tool: &str, args: &[&str]) -> String {
    let output = Command::new(tool).args(args).current_dir(folder.path()).output();
    let output = output.unwrap_or_else(|e| panic!("{tool} must be installed: {e}"));
    assert!(output.status.success(), "{tool} {args:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn read(folder: &TempDir, name: &str) -> String {
    std::fs::read_to_string(folder.path().join(name)).expect("what the tool wrote")
}

/// A key that ssh-keygen makes: `["-t", "ed25519"]`; `passphrase` may be blank.
pub(crate) fn ssh(kind: &[&str], passphrase: &str) -> Ssh {
    let folder = TempDir::new().expect("folder");
    let args = [&["-q", "-N", passphrase, "-C", "deploy@example", "-f", "key"], kind].concat();
    run(&folder, "ssh-keygen", &args);
    let listed = run(&folder, "ssh-keygen", &["-lf", "key.pub"]);
    let fingerprint = listed.split_whitespace().nth(1).expect("a fingerprint").to_owned();
    Ssh { private: read(&folder, "key"), public: read(&folder, "key.pub"), fingerprint }
}

/// A certificate over the public half of a key; `validity` as `-V` takes it.
pub(crate) fn ssh_certificate(key: &Ssh, validity: &str) -> String {
    let folder = TempDir::new().expect("folder");
    std::fs::write(folder.path().join("key.pub"), &key.public).expect("file");
    run(&folder, "ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", "ca"]);
    let sign = ["-q", "-s", "ca", "-I", "deploy", "-n", "deploy", "-V", validity, "key.pub"];
    run(&folder, "ssh-keygen", &sign);
    read(&folder, "key-cert.pub")
}

/// A private key that openssl makes: `["genrsa", "-traditional", "2048"]`.
pub(crate) fn openssl(args: &[&str]) -> String {
    run(&TempDir::new().expect("folder"), "openssl", args)
}

/// A certificate that signs itself, valid from and until so many days from now.
pub(crate) fn tls(from: i64, until: i64) -> Tls {
    let mut params = CertificateParams::new(vec!["app.example".to_owned()]).expect("name");
    let midnight = |(year, month, day)| rcgen::date_time_ymd(year, month, day);
    (params.not_before, params.not_after) = (midnight(date(from)), midnight(date(until)));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("key");
    let certificate = params.self_signed(&key).expect("certificate");
    Tls {
        key: key.serialize_pem(),
        certificate: certificate.pem(),
        der: certificate.der().to_vec(),
    }
}

/// Seconds since 1970, so many days from now and half a day more: no test stands on the edge of a day.
pub(crate) fn days_from_now(days: i64) -> i64 {
    jiff::Timestamp::now().as_second() + days * 86_400 + 43_200
}

/// Year, month and day, so many days from today.
fn date(days: i64) -> (i32, u8, u8) {
    let at = jiff::Timestamp::from_second(days_from_now(days) - 43_200).expect("time");
    let date = at.to_zoned(jiff::tz::TimeZone::UTC).date();
    let part = |number: i8| u8::try_from(number).expect("part of a date");
    (date.year().into(), part(date.month()), part(date.day()))
}

/// A JSON web token with these claims, signed by nobody.
pub(crate) fn jwt(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = json!({ "alg": "RS256", "typ": "JWT", "kid": STANDARD.encode(claims.to_string()) });
    format!("{}.{}.{}", part(&head), part(claims), URL_SAFE_NO_PAD.encode([7_u8; 64]))
}

/// A configuration of kubectl with a client certificate.
pub(crate) fn kubeconfig(authority: &str, certificate: &str, key: &str) -> String {
    let packed = |pem: &str| STANDARD.encode(pem);
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: prod\nclusters:\n- name: c\n  cluster:\n    server: https://k8s.example:6443\n    \
         certificate-authority-data: {}\nusers:\n- name: u\n  user:\n    client-certificate-data: {}\n    client-key-data: {}\ncontexts:\n\
         - name: prod\n  context: {{ cluster: c, user: u }}\n",
        packed(authority),
        packed(certificate),
        packed(key)
    )
}
