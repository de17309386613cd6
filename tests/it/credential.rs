//! What a value is found to be, kind by kind: whole ones, and every way in which copying and storing damages them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use runner_guard::config::SecretKind;
use runner_guard::source::credential::{Grade, Reading, public_half, read};
use serde_json::json;

use crate::support::command::Guard;
use crate::support::keys::{self, Ssh};
use crate::support::sha256;

/// A case: its name, its value, and a part of what must be wrong; a blank means that nothing is.
type Case<'a> = (&'a str, String, &'a str);

fn table(kind: SecretKind, cases: &[Case<'_>]) {
    for (case, value, wrong) in cases {
        let reading = read(kind, value);
        let found = || reading.flaws.iter().map(|flaw| flaw.wrong);
        let right = if wrong.is_empty() {
            reading.flaws.is_empty()
        } else {
            found().any(|found| found.contains(wrong))
        };
        assert!(right, "{case}: {wrong:?} in {reading:?}");
    }
}

fn whole(kind: SecretKind, value: &str) -> Reading {
    let reading = read(kind, value);
    assert!(reading.flaws.is_empty(), "{reading:?}");
    reading
}

fn ed25519() -> Ssh {
    keys::ssh(&["-t", "ed25519"], "")
}

#[test]
fn every_kind_of_key_that_ssh_has_is_read_and_its_public_half_is_that_of_its_file() {
    let kinds: [&[&str]; 7] = [
        &["-t", "ed25519"],
        &["-t", "rsa", "-b", "2048"],
        &["-t", "rsa", "-b", "2048", "-m", "PEM"],
        &["-t", "rsa", "-b", "2048", "-m", "PKCS8"],
        &["-t", "ecdsa", "-b", "256"],
        &["-t", "ecdsa", "-b", "521"],
        &["-t", "ecdsa", "-b", "384", "-m", "PEM"],
    ];
    for kind in kinds {
        let pair = keys::ssh(kind, "");
        let own = whole(SecretKind::SshPrivateKey, &pair.private).public.expect("a public half");
        let public = public_half(&pair.public).expect("a public half");
        assert_eq!(own.same_key(&public), Some(true), "{kind:?}");
        assert_eq!(own.has_fingerprint(&pair.fingerprint), Some(true), "{kind:?}");
        let certified = public_half(&keys::ssh_certificate(&pair, "+1d")).expect("a public half");
        assert_eq!(own.same_key(&certified), Some(true), "{kind:?}");
        let other = ed25519();
        assert_eq!(own.has_fingerprint(&other.fingerprint), Some(false), "{kind:?}");
        assert_eq!(own.same_key(&public_half(&other.public).expect("half")), Some(false));
    }
}

#[test]
fn every_way_to_damage_a_key_for_ssh_is_named() {
    let pair = ed25519();
    let key = pair.private.as_str();
    let lines: Vec<&str> = key.lines().collect();
    let (head, tail) = (lines[0], lines[lines.len() - 1]);
    let body = lines[1..lines.len() - 1].join("\n");
    let cut = format!("{head}\n{}\n{tail}\n", &lines[1][..68]);
    table(
        SecretKind::SshPrivateKey,
        &[
            ("no BEGIN", format!("{body}\n{tail}\n"), "has no BEGIN line"),
            ("no END", format!("{head}\n{body}\n"), "has no END line"),
            ("only its middle", body.clone(), "has no BEGIN line"),
            ("half of END", format!("{head}\n{body}\n-----END OPENSSH\n"), "END line that is cut"),
            ("cut", cut, "cut or damaged"),
            ("foreign characters", key.replace(&body[..4], "!!!!"), "not base64"),
            ("Windows", key.replace('\n', "\r\n"), "CRLF"),
            ("escaped", key.replace('\n', "\\n"), "has `\\n` in place of its line breaks"),
            ("blanks for lines", key.trim().replace('\n', " "), "lost its line breaks"),
            ("no lines", key.replace('\n', ""), "lost its line breaks"),
            ("indented", key.replace('\n', "\n  "), "indented"),
            ("quoted", format!("\"{key}\""), "stands in quotes"),
            ("byte-order mark", format!("\u{feff}{key}"), "byte-order mark"),
            ("base64", STANDARD.encode(key), "base64 once more"),
            ("the public half", pair.public.clone(), "is the public half"),
            ("a certificate", keys::tls(0, 9).certificate, "is a certificate"),
            ("PuTTY", "PuTTY-User-Key-File-3: ssh-ed25519\n".to_owned(), "puttygen"),
            ("passphrase", keys::ssh(&["-t", "ed25519"], "a passphrase").private, "passphrase"),
            (
                "old passphrase",
                keys::ssh(&["-t", "rsa", "-m", "PEM"], "12345 words").private,
                "passphrase",
            ),
        ],
    );
    let bare = whole(SecretKind::SshPrivateKey, key.trim_end());
    assert!(bare.notes[0].contains("last line break"), "{bare:?}");
    let healed = read(SecretKind::SshPrivateKey, &key.trim().replace('\n', " "));
    assert!(healed.public.is_some(), "what can be undone is undone: {healed:?}");
}

#[test]
fn two_halves_that_do_not_belong_together_are_told() {
    let (a, b) = (ed25519(), ed25519());
    let bytes = |key: &Ssh| {
        let body: String = key.private.lines().filter(|line| !line.starts_with("---")).collect();
        STANDARD.decode(body).expect("base64")
    };
    // The public half lies between the head of the container and the private part, at the same place in both.
    let (mut mixed, other) = (bytes(&a), bytes(&b));
    mixed[58..90].copy_from_slice(&other[58..90]);
    let text = STANDARD.encode(mixed);
    let value =
        format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{text}\n-----END OPENSSH PRIVATE KEY-----\n");
    table(SecretKind::SshPrivateKey, &[("mixed", value, "two halves")]);
}

#[test]
fn keys_and_certificates_for_tls_are_read_and_belong_together_or_not() {
    let (one, two) = (keys::tls(-1, 90), keys::tls(-1, 30));
    let chain = format!("{}{}", one.certificate, two.certificate);
    let reading = whole(SecretKind::PemCertificate, &chain);
    assert_eq!(reading.ends.len(), 2);
    assert!(reading.first_end().expect("an end").at < keys::days_from_now(31));
    let own = whole(SecretKind::PemKey, &one.key).public.expect("a public half");
    let half = |pem: &str| public_half(pem).expect("a public half");
    assert_eq!(own.same_key(&half(&one.certificate)), Some(true));
    assert_eq!(own.same_key(&half(&two.certificate)), Some(false));
    let hex = sha256(&one.der);
    let colons: Vec<&str> = (0..32).map(|at| &hex[at * 2..at * 2 + 2]).collect();
    let printed = format!("sha256 Fingerprint={}", colons.join(":").to_uppercase());
    for fingerprint in [&hex, &printed] {
        assert_eq!(half(&chain).has_fingerprint(fingerprint), Some(true), "{fingerprint}");
        assert_eq!(half(&two.certificate).has_fingerprint(fingerprint), Some(false));
        assert_eq!(own.has_fingerprint(fingerprint), None, "a key has no certificate");
    }
    assert_eq!(half(&chain).has_fingerprint("SHA256:nonsense"), None);
    for args in [
        &["genrsa", "-traditional", "2048"][..],
        &["genpkey", "-algorithm", "ed25519"],
        &["ecparam", "-genkey", "-name", "secp384r1"],
    ] {
        assert!(whole(SecretKind::PemKey, &keys::openssl(args)).public.is_some(), "{args:?}");
    }
    let unusual = keys::openssl(&["ecparam", "-genkey", "-name", "secp521r1"]);
    assert_eq!(whole(SecretKind::PemKey, &unusual).notes.len(), 1);
}

#[test]
fn what_is_no_key_or_no_certificate_is_named() {
    let pair = keys::tls(-1, 90);
    let sealed = ["genpkey", "-algorithm", "ed25519", "-aes256", "-pass", "pass:of-a-test"];
    let cut = |pem: &str| {
        let mut lines: Vec<&str> = pem.lines().collect();
        lines.remove(1);
        lines.join("\n")
    };
    let public = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n";
    table(
        SecretKind::PemKey,
        &[
            ("certificate", pair.certificate.clone(), "is a certificate"),
            ("public", public.to_owned(), "is the public half"),
            ("OpenSSH", ed25519().private, "form of OpenSSH"),
            ("passphrase", keys::openssl(&sealed), "passphrase"),
            ("cut", cut(&pair.key), "cut or damaged"),
            ("no frame", "c2VjcmV0".to_owned(), "has no BEGIN line"),
            ("Windows", pair.key.replace('\n', "\r\n"), "CRLF"),
        ],
    );
    table(
        SecretKind::PemCertificate,
        &[
            ("key", pair.key.clone(), "private key where certificates belong"),
            ("both", format!("{}{}", pair.key, pair.certificate), "private key where"),
            ("cut", cut(&pair.certificate), "cut or damaged"),
            ("public", public.to_owned(), "is a public key"),
            ("one line", pair.certificate.replace('\n', " "), "lost its line breaks"),
        ],
    );
    let crlf = read(SecretKind::PemCertificate, &pair.certificate.replace('\n', "\r\n"));
    assert_eq!((crlf.is_broken(), crlf.ends.len()), (false, 1), "openssl reads it: {crlf:?}");
}

#[test]
fn tokens_are_told_apart_and_a_cut_one_is_named() {
    let jwt = keys::jwt(&json!({ "sub": "deploy", "exp": 1_900_000_000, "nbf": 1_700_000_000.5 }));
    let end = whole(SecretKind::Jwt, &jwt).first_end().expect("an end");
    assert_eq!((end.at, end.from), (1_900_000_000, Some(1_700_000_000)));
    let unsigned = format!(
        "{}.{}.",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#),
        URL_SAFE_NO_PAD.encode("{}")
    );
    table(
        SecretKind::Jwt,
        &[
            ("with the word of its header", format!("Bearer {jwt}"), "the word of a header"),
            ("two parts", jwt.rsplit_once('.').expect("dots").0.to_owned(), "three parts"),
            ("encrypted", "a.b.c.d.e".to_owned(), "encrypted token"),
            ("header", format!("x{jwt}"), "header that is cut"),
            ("claims", jwt.replacen('.', ".x", 1), "claims that are cut"),
            ("unsigned", unsigned, "no signature algorithm"),
            ("line break", format!("{jwt}\n"), "ends with a line break"),
            ("two lines", jwt.replacen('.', ".\n", 1), "more than one line"),
        ],
    );
    let tail = "0123456789abcdefghijABCDEFGHIJ012345";
    let fine = format!("github_pat_{}_{}", &tail[..22], &format!("{tail}{tail}")[..59]);
    table(
        SecretKind::GitHubToken,
        &[
            ("classic", format!("ghp_{tail}"), ""),
            ("fine-grained", fine.clone(), ""),
            ("installation", format!("ghs_{tail}"), "lives an hour"),
            ("cut classic", format!("ghp_{}", &tail[1..]), "is cut"),
            ("cut fine-grained", fine[..60].to_owned(), "is cut"),
            ("cut installation", "ghs_12_ab".to_owned(), "is cut"),
            ("no prefix", format!("xyz_{tail}"), "no prefix"),
            ("old form", sha256(b"a")[..40].to_owned(), "before April 2021"),
            ("refresh", format!("ghr_{tail}"), "refresh token"),
            ("App's key", keys::openssl(&["genrsa", "-traditional", "2048"]), "is a private key"),
        ],
    );
    let stateless = read(SecretKind::GitHubToken, &format!("ghs_12345_{jwt}"));
    assert!(!stateless.is_broken(), "{stateless:?}");
    assert_eq!(stateless.first_end().map(|end| end.at), Some(1_900_000_000));
    let secret = "abcdEFGH0123/+abcdEFGH0123/+abcdEFGH0123";
    table(
        SecretKind::AwsAccessKey,
        &[
            ("id", "AKIA0123456789ABCDEF".to_owned(), ""),
            ("secret half", secret.to_owned(), ""),
            ("temporary", "ASIA0123456789ABCDEF".to_owned(), "temporary"),
            ("role", "AROA0123456789ABCDEF".to_owned(), "of a user, role"),
            ("both", format!("AKIA0123456789ABCDEF,{secret}"), "stand in one value"),
            ("cut", secret[1..].to_owned(), "neither the id nor"),
        ],
    );
}

#[test]
fn a_kubeconfig_is_followed_from_its_context_to_its_credentials() {
    let (one, two) = (keys::tls(-1, 90), keys::tls(-1, 30));
    let good = keys::kubeconfig(&one.certificate, &two.certificate, &two.key);
    assert_eq!(whole(SecretKind::Kubeconfig, &good).ends.len(), 2);
    let mixed = keys::kubeconfig(&one.certificate, &two.certificate, &one.key);
    let token = good.split("    client-certificate-data").next().expect("head").to_owned();
    let token = format!(
        "{token}    token: {}\ncontexts: [{{name: prod, context: {{cluster: c, user: u}}}}]\n",
        keys::jwt(&json!({ "exp": 1_900_000_000 }))
    );
    let ends = whole(SecretKind::Kubeconfig, &token).ends;
    assert!(ends.iter().any(|end| end.at == 1_900_000_000), "{ends:?}");
    table(
        SecretKind::Kubeconfig,
        &[
            ("other key", mixed, "not that of its client certificate"),
            ("no context", good.replace("current-context: prod\n", ""), "no `current-context`"),
            (
                "wrong context",
                good.replace("current-context: prod", "current-context: x"),
                "not among its contexts",
            ),
            ("wrong user", good.replace("user: u }", "user: x }"), "user is not among"),
            ("wrong cluster", good.replace("cluster: c,", "cluster: x,"), "cluster is not among"),
            ("no clusters", good.replace("clusters:", "others:"), "names no `clusters`"),
            ("no server", good.replace("server:", "host:"), "without `server`"),
            (
                "damaged",
                good.replace("client-key-data: LS0", "client-key-data: !!!"),
                "`client-key-data` that is damaged",
            ),
            ("no YAML", "a: [".to_owned(), "is not YAML"),
            ("a path", good.replace("client-key-data", "client-key"), "names a file"),
            ("base64", STANDARD.encode(&good), "base64 once more"),
        ],
    );
}

#[test]
fn addresses_documents_and_host_keys_are_read() {
    table(
        SecretKind::Url,
        &[
            ("plain", "https://deploy.example/path".to_owned(), ""),
            ("with credentials", "postgres://app:p%40ss@db.example:5432/app".to_owned(), ""),
            ("no scheme", "deploy.example/path".to_owned(), "no scheme"),
            (
                "slash in a password",
                "postgres://app:p/ss#1@db.example/app".to_owned(),
                "percent-encoded",
            ),
            ("no host", "postgres:///app".to_owned(), "names no host"),
            ("blank", "https://a.example/x y".to_owned(), "blank in its middle"),
        ],
    );
    let account = |key: &str| json!({ "type": "service_account", "private_key": key }).to_string();
    table(
        SecretKind::Json,
        &[
            ("object", r#"{"a": [1, 2]}"#.to_owned(), ""),
            ("cut", r#"{"a": [1, 2]"#.to_owned(), "it is cut"),
            ("single quotes", "{'a': 1}".to_owned(), "is not JSON"),
            ("quoted once more", json!(r#"{"a": 1}"#).to_string(), "encoded once more"),
            ("account", account(&keys::tls(0, 1).key), ""),
            (
                "account with a damaged key",
                account("-----BEGIN PRIVATE KEY-----"),
                "`private_key` that is damaged",
            ),
        ],
    );
    let place = read(SecretKind::Json, "{\n\"a\": 1,\n}");
    assert_eq!(place.flaws[0].line, Some(3), "{place:?}");
    let key = ed25519();
    let public: Vec<&str> = key.public.split_whitespace().collect();
    let line = format!("{} {}", public[0], public[1]);
    table(
        SecretKind::KnownHosts,
        &[
            ("plain", format!("# scan\ndeploy.example,192.0.2.1 {line}\n"), ""),
            (
                "hashed",
                format!("|1|MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=|MTIzNDU2Nzg5MDEyMzQ1Njc4OTA= {line}"),
                "",
            ),
            ("authority", format!("@cert-authority *.example {line} ca"), ""),
            ("half a hash", format!("|1|MTIz {line}"), "hashed host that is cut"),
            ("no host", line.clone(), "without a host"),
            ("cut key", format!("a.example {}", &line[..line.len() - 8]), "key that is cut"),
            ("other kind", format!("a.example ssh-rsa {}", public[1]), "key that is cut"),
            ("unknown kind", format!("a.example ssh-new {}", public[1]), "does not know"),
            ("only comments", "# nothing\n".to_owned(), "holds no host key"),
        ],
    );
    let second = read(SecretKind::KnownHosts, &format!("a.example {line}\nb.example\n"));
    assert_eq!(second.flaws[0].line, Some(2), "{second:?}");
}

#[test]
fn a_text_of_no_kind_is_only_doubted_where_it_was_damaged_by_copying() {
    let cases = [
        ("password", "c0rrect h0rse", ""),
        ("line break", "c0rrect\n", "ends with a line break"),
        ("blank", " c0rrect", "blanks at one of its ends"),
        ("quotes", "'c0rrect'", "stands in quotes"),
        ("mask", "user:***@host", "masked log"),
        ("expression", "a ${{ secrets.X }}", "never evaluated"),
        ("command", "$(cat file)", "never run"),
        ("NUL", "a\0b", "NUL"),
        ("mark", "\u{feff}abc", "byte-order mark"),
        ("foreign", "a\u{fffd}b", "not UTF-8"),
        ("a file", "line 1\nline 2\n", ""),
        ("a Windows file", "line 1\r\nline 2\r\n", "CRLF"),
    ];
    let cases: Vec<Case<'_>> = cases.iter().map(|(c, v, w)| (*c, (*v).to_owned(), *w)).collect();
    table(SecretKind::Opaque, &cases);
    for (case, value, _) in &cases {
        let flaws = read(SecretKind::Opaque, value).flaws;
        assert!(flaws.iter().all(|flaw| flaw.grade == Grade::Doubtful), "{case}");
    }
}

/// A value of every kind, each whole and each damaged.
fn planted() -> Vec<(&'static str, String)> {
    let (ssh, tls) = (ed25519(), keys::tls(-1, 5));
    let tail = "0123456789abcdefghijABCDEFGHIJ012345";
    let whole = [
        ("ssh-private-key", ssh.private.clone()),
        ("pem-certificate", tls.certificate.clone()),
        ("pem-key", tls.key.clone()),
        ("jwt", keys::jwt(&json!({ "sub": "deployer-of-octo", "exp": keys::days_from_now(3) }))),
        ("github-token", format!("ghp_{tail}")),
        ("aws-access-key", "abcdEFGH0123/+abcdEFGH0123/+abcdEFGH0123".to_owned()),
        ("kubeconfig", keys::kubeconfig(&tls.certificate, &tls.certificate, &tls.key)),
        ("url", "postgres://app-user:s3cretOfTheApp@db-host.internal:5432/ledger".to_owned()),
        (
            "json",
            json!({ "client_secret": "s3cretOfTheClient", "tenant": "t3nantOfOcto" }).to_string(),
        ),
        ("known-hosts", format!("deploy-host.internal {}", ssh.public)),
        ("opaque", "c0rrect-h0rse-battery-staple\n".to_owned()),
    ];
    let damaged = whole.iter().map(|(kind, value)| (*kind, format!("'{}'", &value[3..])));
    damaged.chain(whole.clone()).collect()
}

#[test]
fn no_value_of_any_kind_is_in_anything_that_is_given_away() {
    let values = planted();
    let names = |at: usize| format!("PLANTED_{at}");
    let one = |(at, (kind, _)): (usize, &(&str, String))| {
        let (name, pair) = (names(at), names((at + 1) % values.len()));
        format!("- {{name: {name}, kind: {kind}, pair: {pair}, fingerprint: \"SHA256:x\"}}\n")
    };
    let secrets: Vec<String> = values.iter().enumerate().map(one).collect();
    let config = format!("environment: staging\nsecrets:\n{}", secrets.concat());
    let guard =
        Guard::action("runner-guard").file("ws/c.yml", &config).env("INPUT_CONFIG", "c.yml");
    let ended = values.iter().enumerate().fold(guard, |guard, (at, (_, value))| {
        guard.env(&format!("RUNNER_GUARD_SECRET_{}", names(at)), value)
    });
    let ended = ended.run();
    let places = ["commands/summary", "commands/output", "temp/runner-guard/preflight.json"];
    let mut given: Vec<String> = places.iter().map(|place| ended.left(place)).collect();
    given.push(ended.stdout.clone());
    for text in &given {
        assert!(text.contains("PLANTED_") || text.contains("verdict"), "nothing was given: {text}");
    }
    given.push(ended.stderr.clone());
    for (kind, value) in &values {
        // Lines of a frame are no secret, and short ones are words of YAML.
        let lines = value.lines().filter(|line| line.len() >= 16 && !line.contains("-----"));
        let parts = lines.flat_map(|line| line.split_whitespace()).filter(|part| part.len() >= 12);
        let tail = value.trim().get(value.trim().len() - 12..).unwrap_or(value);
        for part in parts.chain([value.as_str(), tail]).filter(|p| !p.contains("-----")) {
            let packed = STANDARD.encode(part);
            let core = &packed[..packed.len() / 4 * 4 - 4];
            let shown = given.iter().find(|text| text.contains(part) || text.contains(core));
            assert!(shown.is_none(), "{kind}: {part} is shown: {shown:?}");
        }
    }
}
