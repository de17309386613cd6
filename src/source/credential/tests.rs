//! No bytes make a reader panic, and none of them come back in its words.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;

fn kinds() -> impl Iterator<Item = SecretKind> {
    SecretKind::WORDS.iter().filter_map(|word| SecretKind::parse(word))
}

/// Everything that a reading may put into a sentence.
fn words(reading: &Reading) -> String {
    let flaws = reading.flaws.iter().map(|flaw| format!("{} {:?}", flaw.wrong, flaw.line));
    let ends = reading.ends.iter().map(|end| format!("{} {:?} {}", end.what, end.from, end.at));
    let notes = reading.notes.iter().map(|note| (*note).to_owned());
    std::iter::once(reading.what.to_owned()).chain(flaws).chain(ends).chain(notes).collect()
}

fn says_nothing_of(value: &str) {
    let shown: String =
        kinds().map(|kind| words(&read(kind, value)) + &words(&read_end(kind, value))).collect();
    let _ = public_half(value).map(|half| (half.same_key(&half), half.has_fingerprint(value)));
    let long = value.trim().chars().count() >= 8;
    assert!(!long || !shown.contains(value.trim()), "{shown}");
}

/// Values that get deep into a reader before they go wrong.
fn framed() -> impl Strategy<Value = String> {
    let labels = prop::sample::select(vec![
        "OPENSSH PRIVATE KEY",
        "RSA PRIVATE KEY",
        "EC PRIVATE KEY",
        "PRIVATE KEY",
        "CERTIFICATE",
        "PUBLIC KEY",
    ]);
    let magic = prop::sample::select(vec![
        &b"openssh-key-v1\0\0\0\0\x04none\0\0\0\x04none\0\0\0\0\0\0\0\x01\0\0\0\x33\0\0\0\x0bssh-ed25519"[..],
        b"\x30\x82\x01\x0a\x02\x82",
        b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20",
        b"",
    ]);
    (labels, magic, prop::collection::vec(any::<u8>(), 0..200)).prop_map(|(label, magic, tail)| {
        let body = STANDARD.encode([magic, &tail].concat());
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
    })
}

fn prefixed() -> impl Strategy<Value = String> {
    let starts = prop::sample::select(vec![
        "ssh-ed25519 AAAA",
        "ssh-ed25519-cert-v01@openssh.com AAAA",
        "eyJhbGciOiJSUzI1NiJ9.eyJ",
        "ghs_1_eyJhbGciOiJSUzI1NiJ9.",
        "github_pat_",
        "AKIA",
        "https://",
        "postgres://u:",
        "{\"type\":\"service_account\",\"private_key\":\"",
        "clusters: [{name: a, cluster: {",
        "|1|",
        "@cert-authority ",
        "LS0tLS1CRUdJTi",
        "PuTTY-User-Key-File-",
        "\u{feff}\"",
    ]);
    (starts, "(?s).{8,120}").prop_map(|(start, tail)| format!("{start}{tail}"))
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic_or_come_back(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        says_nothing_of(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_text_comes_back(text in "(?s).{8,200}") {
        says_nothing_of(&text);
    }

    #[test]
    fn no_frame_makes_a_reader_panic_or_comes_back(value in framed()) {
        says_nothing_of(&value);
    }

    #[test]
    fn no_value_with_a_known_start_makes_a_reader_panic_or_comes_back(value in prefixed()) {
        says_nothing_of(&value);
    }
}

#[test]
fn the_end_of_a_token_is_read_in_both_forms_of_github() {
    for (text, at) in [
        ("2027-10-12 09:00:00 UTC", Some(1_823_331_600)),
        ("2027-10-12 09:00:00 +0200", Some(1_823_324_400)),
        ("never", None),
        ("", None),
    ] {
        assert_eq!(expiration(text), at, "{text}");
    }
}

#[test]
fn a_document_that_is_nested_without_end_ends_in_an_answer() {
    for open in ["[", "{\"a\":", "{a: ", "- ", "? ", "\"", "-----BEGIN A-----\n"] {
        let value = open.repeat(MAX / open.len());
        says_nothing_of(&value);
        assert!(read(SecretKind::Json, &value).is_broken(), "{open}");
    }
    let larger = "a".repeat(MAX + 1);
    assert!(kinds().all(|kind| !read(kind, &larger).is_broken()));
    let line = |n: u8| format!("a{n}: &a{n} [*a{p}, *a{p}, *a{p}]\n", p = n - 1);
    let bombs = (1..40).map(line).collect::<Vec<_>>().concat();
    assert!(read(SecretKind::Kubeconfig, &format!("a0: &a0 [x]\n{bombs}")).is_broken());
}
