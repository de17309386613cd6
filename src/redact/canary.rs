//! The proof that redaction works in this very process: a random value that nobody knows is planted in every encoding, and one random
//! secret in the shape of every rule. What survives is named by its form.
//!
//! The encodings are written here once more and not taken from the search: a form that the search forgot would be forgotten here as well.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::{SecureRandom as _, SystemRandom};

/// Characters of a planted form that may not be seen in a row, beyond what stands there by chance.
const PIECE: usize = 8;
/// Random letters and digits of a planted secret.
const RANDOM: usize = 128;

/// A random value that a redactor knows as if it were a secret of the user.
pub(super) struct Canary {
    value: String,
    random: String,
}

/// A text with something planted in it.
pub(super) struct Planted {
    /// The name of the form.
    pub(super) form: &'static str,
    pub(super) text: String,
    /// What must not survive.
    secret: String,
}

impl Canary {
    /// A new one; `None` when the system has no randomness.
    pub(super) fn new() -> Option<Self> {
        let mut bytes = [0_u8; 2 * RANDOM];
        SystemRandom::new().fill(&mut bytes).ok()?;
        let random: String = STANDARD
            .encode(bytes)
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(RANDOM)
            .enumerate()
            .map(mixed)
            .collect();
        // Signs that each encoding writes in its own way, and letters so that no rule of a word list takes it for common.
        let mut value = String::new();
        for (at, c) in random.chars().take(20).enumerate() {
            value.push(c);
            value.push_str(match at % 10 {
                3 => "\"",
                6 => "&",
                9 => "/",
                _ => "",
            });
        }
        Some(Self { value, random })
    }

    pub(super) fn value(&self) -> &str {
        &self.value
    }

    /// The value in every encoding.
    pub(super) fn encoded(&self) -> Vec<Planted> {
        let value = &self.value;
        let json = in_json(value);
        let each = |form: &dyn Fn(u8) -> String| value.bytes().map(form).collect::<String>();
        let middle = value.floor_char_boundary(value.len() / 2);
        let (head, tail) = value.split_at(middle);
        let forms = [
            ("plain", value.clone()),
            ("json", json.clone()),
            ("json-in-json", in_json(&json)),
            ("hex", each(&|b| format!("{b:02x}"))),
            ("hex-upper", each(&|b| format!("{b:02X}"))),
            ("percent", each(&|b| format!("%{b:02X}"))),
            ("percent-lower", each(&|b| format!("%{b:02x}"))),
            ("unicode-escapes", each(&|b| format!("\\u{b:04x}"))),
            ("base64", STANDARD.encode(value)),
            ("base64-of-line", STANDARD.encode(format!("{value}\n"))),
            ("base64-shifted-by-1", STANDARD.encode(format!("x{value}"))),
            ("base64-shifted-by-2", STANDARD.encode(format!("xy{value}"))),
            ("base64-url", URL_SAFE_NO_PAD.encode(value)),
            ("base64-twice", STANDARD.encode(STANDARD.encode(value))),
            ("xml", value.replace('&', "&amp;").replace('"', "&quot;")),
            ("shell", value.replace('"', "\\\"")),
            ("upper-case", value.to_ascii_uppercase()),
            ("lower-case", value.to_ascii_lowercase()),
            ("split-by-colours", format!("{head}\u{1b}[1;31m{tail}")),
            ("split-by-invisible", format!("{head}\u{200b}{tail}")),
            ("split-by-line", format!("{head}\n{tail}")),
        ];
        let plant = |(form, secret): (&'static str, String)| Planted {
            form,
            text: format!("before {secret} after\n"),
            secret,
        };
        forms.into_iter().map(plant).collect()
    }

    /// A random secret in the shape of each rule.
    pub(super) fn shaped(&self) -> Vec<Planted> {
        let upper: String = self.random.chars().map(base32).collect();
        let hex: String =
            self.random.bytes().filter_map(|b| char::from_digit(u32::from(b & 15), 16)).collect();
        let plant = |(form, pattern): &(&'static str, &str)| {
            let (before, rest) = pattern.split_once('<').unwrap_or((pattern, ">"));
            let (hole, after) = rest.split_once('>').unwrap_or((rest, ""));
            let (kind, width) = hole.split_at(1.min(hole.len()));
            let source = match kind {
                "U" => &upper,
                "x" => &hex,
                _ => &self.random,
            };
            let width = width.parse().unwrap_or(32).min(RANDOM);
            let secret = source.get(..width).unwrap_or(source).to_owned();
            Planted { form, text: format!("{before}{secret}{after}\n"), secret }
        };
        SHAPES.iter().map(plant).collect()
    }
}

impl Planted {
    /// Whether a part of what was planted is still there.
    pub(super) fn survives(&self, out: &str) -> bool {
        let secret: Vec<char> = self.secret.chars().filter(|c| !c.is_control()).collect();
        let out: String = out.chars().filter(|c| !c.is_control()).collect();
        secret.windows(PIECE).any(|piece| out.contains(&piece.iter().collect::<String>()))
    }
}

/// A digit and a small letter in every few places: a password that is a word by chance would be taken for one.
fn mixed((at, c): (usize, char)) -> char {
    let of = |from: u8, count: u32| char::from_u32(u32::from(from) + u32::from(c) % count);
    match at % 8 {
        2 | 6 => of(b'0', 10).unwrap_or('7'),
        4 => of(b'a', 26).unwrap_or('q'),
        _ => c,
    }
}

fn in_json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
}

/// A letter or digit of the base32 alphabet for each character.
fn base32(c: char) -> char {
    match c.to_ascii_uppercase() {
        upper @ 'A'..='Z' => upper,
        '0' | '1' | '8' | '9' => 'Q',
        digit => digit,
    }
}

/// A sample of every rule: what stands around the secret, and in angle brackets its alphabet (`a`: letters and digits, `U`: base32, `x`: hex) and
/// its length.
const SHAPES: &[(&str, &str)] = &[
    ("github-token", "using ghs_<a36> now"),
    ("fine-grained-token", "using github_pat_<a82> now"),
    ("jwt", "id eyJhbGciOiJub25lIn0.<a40> now"),
    ("aws-access-key", "key AKIA<U16> now"),
    ("aws-session-token", "FwoGZXIvYXdzE<a80> now"),
    ("url-parameter", "GET /blob?sig=<a40>&x=1"),
    ("azure-key", "AccountKey=<a86>=="),
    ("gcp-key", "AIza<a35> now"),
    ("url-password", "postgres://ann:<a24>@db/shop"),
    ("url-token", "https://<a32>@host/x"),
    ("dsn-password", "ann:<a24>@tcp(db:3306)/shop"),
    ("auth-header", "Authorization: Bearer <a40>"),
    ("bearer-token", "with bearer <a40> now"),
    ("basic-auth", "with basic <a40> now"),
    ("key-header", "X-Acme-Key: <a32>"),
    ("cookie", "Set-Cookie: sid=<a32>; Path=/"),
    ("cli-password", "curl -u ann:<a24> https://host"),
    ("argv-password", "['tool', '-u', 'ann:<a24>']"),
    ("sql-password", "CREATE USER ann IDENTIFIED BY '<a24>'"),
    ("sentence", "the passphrase is <a24>"),
    ("credential-pair", "get(url, auth=('ann', '<a24>'))"),
    ("config-value", "requirepass <a24>"),
    ("password-hash", "ann:$6$saltsalt$<a86>:19000:"),
    ("netrc", "machine host login ann password <a24>"),
    ("pgpass", "host:5432:shop:ann:<a24>"),
    ("webhook", "https://hooks.slack.com/services/<a40>"),
    ("telegram-token", "bot 123456789:AA<a33> now"),
    ("discord-token", "discord bot MTIzNDU2Nzg5MDEyMzQ1Njc4.abcdef.<a30> now"),
    ("vendor-token", "login glpat-<a24> now"),
    ("registry-auth", "{\"auth\": \"<a40>\"}"),
    ("kube-key", "client-key-data: <a64>"),
    ("rsa-parameter", "{\"d\": \"<a120>\"}"),
    ("keyed-value", "DB_PASSWORD=<a24>"),
    ("cli-flag", "deploy --token <a24>"),
    ("private-key", "-----BEGIN PRIVATE KEY-----\n<a64>"),
    ("ansible-vault", "$ANSIBLE_VAULT;1.1;AES256\n<x80>"),
    ("kube-data", "kind: Secret\ndata:\n  a: <a24>"),
    ("next-line", "password:\n<a24>"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::redact::span::KNOWN_VALUE;
    use crate::redact::{Redactor, rules};

    #[test]
    fn every_rule_has_a_sample_that_it_finds() {
        let canary = Canary::new().unwrap();
        let redactor = Redactor::new(&[]);
        for planted in canary.shaped() {
            let (out, counts) = redactor.redact_counted(&planted.text);
            assert!(!planted.survives(out.as_str()), "{}: {out}", planted.form);
            assert!(counts.contains_key(planted.form), "{}: {counts:?}", planted.form);
        }
        let sampled: BTreeSet<&str> = SHAPES.iter().map(|(id, _)| *id).collect();
        let all: BTreeSet<&str> = rules::ids().filter(|id| *id != KNOWN_VALUE).collect();
        assert_eq!(sampled, all);
    }

    #[test]
    fn no_canary_is_taken_for_a_word_by_chance() {
        let redactor = Redactor::new(&[]);
        for _ in 0..300 {
            for planted in Canary::new().unwrap().shaped() {
                let out = redactor.redact(&planted.text);
                assert!(!planted.survives(out.as_str()), "{}: {}", planted.form, planted.text);
            }
        }
    }

    #[test]
    fn what_is_not_replaced_is_seen() {
        let canary = Canary::new().unwrap();
        for planted in canary.encoded().iter().chain(&canary.shaped()) {
            assert!(planted.survives(&planted.text), "{}", planted.form);
        }
    }

    #[test]
    fn two_canaries_have_nothing_in_common() {
        let value = || Canary::new().unwrap().value;
        assert_ne!(value(), value());
    }
}
