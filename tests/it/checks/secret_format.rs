//! Cases of `secret-format`. Kind by kind, `tests/it/credential.rs` tells whole values from damaged ones.

use serde_json::Value;

use super::{row, says};
use crate::support::command::Guard;
use crate::support::keys::{self, Ssh};
use crate::support::sha256;

const ID: &str = "secret-format";

fn asked(config: &str, values: &[(&str, &str)]) -> Value {
    let guard = values.iter().fold(Guard::preflight(config), |guard, (name, value)| {
        guard.env(&format!("RUNNER_GUARD_SECRET_{name}"), value)
    });
    guard.run().finding(ID)
}

fn ed25519() -> Ssh {
    keys::ssh(&["-t", "ed25519"], "")
}

const KEY: &str = "secrets: [{name: DEPLOY_KEY, kind: ssh-private-key}]\n";

#[test]
fn a_whole_key_passes_and_a_damaged_one_fails_and_says_how_to_store_it_again() {
    let pair = ed25519();
    let one = |value: &str| asked(KEY, &[("DEPLOY_KEY", value)]);
    let good = one(&pair.private);
    says("whole", &good, ("pass", "1 of 1 secrets that were handed in are whole", ""));
    let seen = "present (an ed25519 private key)";
    assert_eq!(good["observations"][0]["value"], seen, "{good:#}");
    let again = "`gh secret set DEPLOY_KEY < FILE`";
    let flat = one(&pair.private.trim().replace('\n', " "));
    says("flat", &flat, ("fail", "DEPLOY_KEY is malformed: it lost its line breaks", again));
    let said = flat["observations"][0]["value"].as_str().unwrap_or_default();
    assert!(said.starts_with("malformed (it lost its line breaks"), "{flat:#}");
    says("public", &one(&pair.public), ("fail", "the private one belongs here", again));
    let sealed = keys::ssh(&["-t", "ed25519"], "of-a-test").private;
    says("passphrase", &one(&sealed), ("warn", "DEPLOY_KEY may be wrong: it is encrypted", again));
    let staging = asked(&format!("environment: staging\n{KEY}"), &[("DEPLOY_KEY", "not a key")]);
    says("environment", &staging, ("fail", "has no BEGIN line", "DEPLOY_KEY --env staging < FILE"));
}

#[test]
fn the_fingerprint_that_is_expected_is_compared_and_only_that_one_is_printed() {
    let (pair, other) = (ed25519(), ed25519());
    let config = |fingerprint: &str| {
        format!(
            "secrets: [{{name: DEPLOY_KEY, kind: ssh-private-key, fingerprint: \"{fingerprint}\"}}]\n"
        )
    };
    let value = [("DEPLOY_KEY", pair.private.as_str())];
    says("right", &asked(&config(&pair.fingerprint), &value), ("pass", "1 of 1", ""));
    let wrong = asked(&config(&other.fingerprint), &value);
    says("wrong", &wrong, ("fail", &other.fingerprint, "after a rotation"));
    assert!(!wrong.to_string().contains(&pair.fingerprint), "{wrong:#}");
    let odd = asked(&config("SHA256:nonsense"), &value);
    says("unreadable", &odd, ("unknown", "no public half", "ssh-keygen -lf"));
    let tls = keys::tls(-1, 90);
    let config = |hex: &str| {
        format!("secrets: [{{name: TLS, kind: pem-certificate, fingerprint: \"{hex}\"}}]\n")
    };
    let value = [("TLS", tls.certificate.as_str())];
    let hex = sha256(&tls.der);
    says("certificate", &asked(&config(&hex), &value), ("pass", "1 of 1", ""));
    let wrong = asked(&config(&sha256(b"another")), &value);
    says("other certificate", &wrong, ("fail", "has not the fingerprint", "rotation"));
}

#[test]
fn both_halves_of_a_pair_must_belong_together() {
    let (one, two) = (keys::tls(-1, 90), keys::tls(-1, 90));
    let config = "secrets: [{name: TLS_KEY, kind: pem-key, pair: TLS_CERT}]\n";
    let pair = |key: &str, certificate: &str| {
        asked(config, &[("TLS_KEY", key), ("TLS_CERT", certificate)])
    };
    says("pair", &pair(&one.key, &one.certificate), ("pass", "1 of 1", ""));
    let mixed = pair(&one.key, &two.certificate);
    says("mixed", &mixed, ("fail", "does not belong to TLS_CERT", "gh secret set TLS_CERT"));
    let no_half = pair(&one.key, "n0 certificate");
    says("no half", &no_half, ("fail", "no other half in TLS_CERT", "gh secret set TLS_CERT"));
    let alone = asked(config, &[("TLS_KEY", &one.key)]);
    says("alone", &alone, ("unknown", "TLS_CERT, which was not handed in", "SECRET_TLS_CERT:"));
    let unusual = keys::openssl(&["ecparam", "-genkey", "-name", "secp521r1"]);
    let unusual = pair(&unusual, &one.certificate);
    says("unusual", &unusual, ("unknown", "can not be compared with TLS_CERT", "openssl pkey"));
    let key = ed25519();
    let config = "secrets: [{name: DEPLOY_KEY, kind: ssh-private-key, pair: DEPLOY_CERT}]\n";
    for (half, status) in [
        (keys::ssh_certificate(&key, "+1d"), "pass"),
        (key.public.clone(), "pass"),
        (keys::ssh_certificate(&ed25519(), "+1d"), "fail"),
    ] {
        let row = asked(config, &[("DEPLOY_KEY", &key.private), ("DEPLOY_CERT", &half)]);
        assert_eq!(row["status"], status, "{row:#}");
    }
}

#[test]
fn a_kind_whose_value_was_not_handed_in_has_no_answer() {
    let help = "env RUNNER_GUARD_SECRET_DEPLOY_KEY: ${{ secrets.DEPLOY_KEY }}";
    says("kind", &row(ID, KEY), ("unknown", "DEPLOY_KEY was not handed in", help));
    let optional = "secrets: [{name: DEPLOY_KEY, kind: json, required: false}]\n";
    says("optional", &row(ID, optional), ("skipped", "no value was handed in", "kind"));
    says("no kind", &row(ID, "secrets: [DEPLOY_KEY]\n"), ("skipped", "no value", "kind"));
    says("no secret", &row(ID, "{}\n"), ("skipped", "no secret is required", "required-secrets"));
    for told_elsewhere in ["", "  ", "changeme"] {
        let row = asked(KEY, &[("DEPLOY_KEY", told_elsewhere)]);
        says("secret-present tells", &row, ("skipped", "no value was handed in", "kind"));
    }
}

#[test]
fn the_worst_secret_decides_and_an_optional_one_only_warns() {
    let config = "secrets: [{name: A, kind: url}, {name: B, kind: json}, {name: C, kind: json}]\n";
    let both = asked(config, &[("A", "https://a.example\n"), ("B", "{'b'}")]);
    says("all", &both, ("fail", "B is malformed: it is not JSON", "gh secret set B"));
    let states: Vec<&str> = both["observations"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|o| o["value"].as_str())
        .collect();
    assert!(states[0].starts_with("present (an address; it ends with a line break"), "{states:?}");
    assert!(states[2].starts_with("cannot be known here ("), "{states:?}");
    let optional = "secrets: [{name: A, kind: json, required: false}]\n";
    let row = asked(optional, &[("A", "{'a'}")]);
    says("optional", &row, ("warn", "A may be wrong: it is not JSON", "gh secret set A"));
}
