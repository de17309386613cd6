//! What holds for the redactor as a whole: on any text, on text made of the parts of secrets, and for values in any encoding.

use std::io::BufReader;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::stream::CHUNK;
use super::{Known, Redactor};

const SECRET: &str = "Sw0rd/fish+\"chips\" & more";

fn plain() -> Redactor {
    Redactor::new(&[])
}

fn knowing(value: &str) -> Redactor {
    Redactor::new(&[Known::new("A", value)])
}

/// Parts that logs and secrets are made of.
#[rustfmt::skip]
const PARTS: &[&str] = &[
    "password", "DB_PASSWORD", "token", "--token", "-p", "-u", "api_key", "Authorization",
    "Bearer", "basic", "=", ":", " ", "  ", "\n", "\"", "'", "\\\"", "&quot;", ",", "&", "?",
    "@", "://", "https", "mysql", "curl", "is", "generated", "[", "]", "{", "}", "[redacted:",
    "[redacted:jwt]", "[redacted:known-value]", "<", ">", "\u{1b}[1m", "\u{200b}", "-----",
    "BEGIN", "END", "PRIVATE KEY", "$ANSIBLE_VAULT;1.1;AES256", "name:", "value:", "- ", "eyJ",
    "ghp_", "sk_live_", "/", ".", "é", "\r\n", "machine", "login", "docker login", "Cookie",
    "session", "session=", "x-auth-token", "xoxb-", "hooks.slack.com/services/", "pass:", "***",
];

/// A part; long random ones are made here so that no literal looks like a token.
fn fragment() -> impl Strategy<Value = String> {
    let fixed = prop::sample::select(PARTS).prop_map(str::to_owned);
    prop_oneof![5 => fixed, 1 => "[a-z]{1,12}", 2 => "[A-Za-z0-9]{8,44}", 1 => "[A-Za-z0-9+/]{64}", 1 => "[0-9a-f]{40}"]
}

fn soup() -> impl Strategy<Value = String> {
    prop::collection::vec(fragment(), 0..40).prop_map(|parts| parts.concat())
}

/// Every way in which a value may be written that the module promises to know.
fn written(value: &str, way: usize) -> String {
    let json = serde_json::to_string(value).unwrap();
    let bytes = value.as_bytes();
    let each = |b: &dyn Fn(&u8) -> String| bytes.iter().map(b).collect::<Vec<_>>().concat();
    match way {
        0 => value.to_owned(),
        1 => json,
        2 => serde_json::to_string(&json).unwrap(),
        3 => each(&|b| format!("{b:02x}")),
        4 => each(&|b| format!("{b:02X}")),
        5 => each(&|b| format!("%{b:02x}")),
        6 => each(&|b| format!("\\u{b:04X}")),
        7 => STANDARD.encode(value),
        8 => STANDARD.encode(format!("x{value}\n")),
        9 => URL_SAFE_NO_PAD.encode(format!("user:{value}")),
        10 => STANDARD.encode(STANDARD.encode(format!("ab{value}"))),
        11 => value
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;"),
        12 => value.replace('\'', "'\\''"),
        13 => percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC)
            .to_string(),
        14 => with_gap(value, "\u{1b}[0;1m"),
        15 => with_gap(value, "\u{200b}"),
        16 => with_gap(value, "\n"),
        17 => with_gap(value, "\r\n"),
        18 => with_gap(value, "\u{1b}[0m\u{1b}[31m"),
        19 => with_gap(value, "\0"),
        20 => each(&|b| format!("\\x{b:02x}")),
        21 => STANDARD.encode(format!("{{\"a\":\"{value}\"}}")),
        _ => value.to_ascii_uppercase(),
    }
}

const WAYS: usize = 23;

/// What stands between the halves of a value that a tool wrapped and a log prefixed.
const WRAPS: &[&str] = &[
    "\n",
    "\r\n      ",
    "\n2026-11-20T10:11:12.1234567Z ",
    "\nweb-1  | ",
    "\n[pod/web-1/app] ",
    "\n#12 3.456 ",
    "\nNov 20 10:11:12 host-7 unit[77]: ",
    "\",\n    \"",
    "\u{1b}[0m\n2026-11-20T10:11:12.1234567Z \u{1b}[36m",
];

/// The value with something in the middle of it.
fn with_gap(value: &str, gap: &str) -> String {
    let middle = value.floor_char_boundary(value.len() / 2);
    format!("{}{gap}{}", &value[..middle], &value[middle..])
}

#[test]
fn of_a_page_known_values_are_hidden_and_nothing_that_ends_a_text_is_taken_for_one() {
    let redactor = Redactor::new(&[Known::new("A", "swordfish-and-chips")]);
    for page in [
        "| `api_token=` | `swordfish-and-chips` |",
        "`-----BEGIN RSA PRIVATE KEY-----`\n`swordfish-and-chips`",
        "[\"password: \",\"swordfish-and-chips\"]",
    ] {
        let stars = page.replace("swordfish-and-chips", "***");
        assert_eq!(redactor.redact_page(page).starred().as_str(), stars);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_text_can_be_redacted_and_twice_is_once(text in any::<String>()) {
        let once = plain().redact(&text);
        prop_assert_eq!(plain().redact(once.as_str()), once);
    }

    #[test]
    fn text_made_of_the_parts_of_secrets_is_redacted_once_and_keeps_its_lines(text in soup()) {
        let redactor = knowing(SECRET);
        let once = redactor.redact(&text);
        prop_assert_eq!(once.as_str().matches('\n').count(), text.matches('\n').count());
        let twice = redactor.redact(once.as_str());
        prop_assert_eq!(twice.as_str(), once.as_str());
    }

    #[test]
    fn a_known_value_survives_in_no_encoding(value in "[!-~]{12,40}", way in 0..WAYS, before in "[a-z :=\"]{0,12}", after in "[ \n\"]{1}") {
        prop_assume!(!super::judge::is_common(&value));
        let redactor = knowing(&value);
        let written = written(&value, way);
        let text = format!("{before} {written}{after}");
        let out = redactor.redact(&text);
        prop_assert!(!out.as_str().contains(&written), "{} -> {}", text, out);
        prop_assert!(redactor.leaks(text.as_bytes()) == ["A"], "{}", text);
        prop_assert!(redactor.leaks(out.as_str().as_bytes()).is_empty(), "{}", out);
    }

    #[test]
    fn any_bytes_can_be_streamed_and_checked(bytes in prop::collection::vec(any::<u8>(), 0..300), size in 1_usize..9) {
        prop_assume!(!bytes.starts_with(&[0xff, 0xfe]) && !bytes.starts_with(&[0xfe, 0xff]));
        let redactor = knowing(SECRET);
        let mut out = Vec::new();
        redactor.copy(&mut BufReader::with_capacity(size, bytes.as_slice()), &mut out).unwrap();
        let expected = redactor.redact(&String::from_utf8_lossy(&bytes));
        prop_assert_eq!(String::from_utf8(out).unwrap(), expected.as_str());
        redactor.leaks(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_known_value_that_was_wrapped_survives_in_neither_half(value in "[A-Za-z0-9!$%&*/=?@^_-]{16,60}", wrap in 0..WRAPS.len()) {
        prop_assume!(!super::judge::is_common(&value));
        let (head, tail) = value.split_at(value.len() / 2);
        let text = format!("a word {head}{}{tail}\nand more", WRAPS[wrap]);
        let out = knowing(&value).redact(&text);
        prop_assert!(!out.as_str().contains(head) && !out.as_str().contains(tail), "{} -> {}", text, out);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_known_value_survives_at_no_place_of_a_long_stream(value in "[!-~]{12,40}", way in 0..WAYS, back in 0_usize..200, size in 1_usize..CHUNK, lines in any::<bool>()) {
        prop_assume!(!super::judge::is_common(&value));
        let redactor = knowing(&value);
        let written = written(&value, way);
        let filler = if lines { "a line of a log\n" } else { "word " };
        let head = filler.repeat((CHUNK - back) / filler.len());
        let text = format!("{head} {written} {}", filler.repeat(9_000));
        let mut out = Vec::new();
        redactor.copy(&mut BufReader::with_capacity(size, text.as_bytes()), &mut out).unwrap();
        prop_assert!(!String::from_utf8_lossy(&out).contains(&written), "{}", written);
        prop_assert!(redactor.leaks(&out).is_empty(), "{}", written);
    }
}

#[test]
fn a_passphrase_that_was_wrapped_at_a_space_is_found() {
    let out = knowing("correct horse battery staple").redact("> correct horse\n>   battery staple");
    assert!(!out.as_str().contains("horse") && !out.as_str().contains("battery"), "{out}");
}

#[test]
fn a_stream_finds_a_value_at_every_place_around_a_cut() {
    let redactor = knowing(SECRET);
    for shift in (0..60).step_by(7) {
        for filler in ["word ", "a line of a log\n"] {
            let size = 2 * CHUNK + shift;
            let head = filler.repeat(size / filler.len());
            let text =
                format!("{}{SECRET}{}", &head[..size / filler.len() * filler.len() - shift], head);
            let mut out = Vec::new();
            let counts = redactor.copy(&mut text.as_bytes(), &mut out).unwrap();
            assert_eq!(counts.get("known-value"), Some(&1));
            assert!(redactor.leaks(&out).is_empty());
            assert_eq!(out.len(), text.len() - SECRET.len() + "[redacted:known-value#1]".len());
        }
    }
}

#[test]
fn what_one_thread_finds_several_find_as_well() {
    let redactor = Redactor::new(&[Known::new("A", SECRET), Known::new("B", "tiny7")]);
    let line = |n: usize| {
        format!(
            "{n} host=db password=hunter{n}x {SECRET} tiny7 {} https://u:pw{n}@h\n",
            STANDARD.encode(SECRET)
        )
    };
    let lines: Vec<String> = (0..9_000).map(line).collect();
    let small: Vec<String> = lines.iter().map(|line| redactor.redact(line).into_string()).collect();
    let text = lines.concat();
    assert!(text.len() > 2 * CHUNK);
    let mut out = Vec::new();
    redactor.copy(&mut text.as_bytes(), &mut out).unwrap();
    assert!(String::from_utf8(out).unwrap() == small.concat());
    assert!(redactor.redact(&text).as_str() == small.concat());
}

#[test]
fn a_block_that_chunks_divide_is_the_same_for_one_thread_and_for_several() {
    let redactor = knowing(SECRET);
    let key = format!(
        "-----BEGIN PRIVATE KEY-----\n{}-----END PRIVATE KEY-----\nplain\n",
        "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n".repeat(3_000)
    );
    let filler = format!("a plain line\npassword:\n  {SECRET}\n").repeat(2_000);
    let text = format!("{filler}{key}").repeat(9);
    assert!(text.len() > 4 * CHUNK);
    let (mut one, mut several) = (Vec::new(), Vec::new());
    let first = redactor.copy_alone("a.log", &mut text.as_bytes(), &mut one).unwrap();
    let second = redactor.copy(&mut text.as_bytes(), &mut several).unwrap();
    assert!(one == several && first == second);
    let out = String::from_utf8(several).unwrap();
    assert!(!out.contains("MIIEvQ") && !out.contains(SECRET));
    assert_eq!(out.matches("plain\n").count(), text.matches("plain\n").count());
}

#[test]
fn a_reader_or_a_writer_that_fails_in_a_long_text_ends_all_threads_with_its_error() {
    struct Full(usize);
    impl std::io::Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::ConnectionReset.into())
        }
    }
    let text = "a plain line\n".repeat(9 * CHUNK / 13);
    let redactor = knowing(SECRET);
    let error = redactor.copy(&mut text.as_bytes(), &mut Full(3 * CHUNK)).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    let reader = std::io::Read::chain(text.as_bytes(), Broken);
    let mut reader = BufReader::new(reader);
    let error = redactor.copy(&mut reader, &mut std::io::sink()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn a_value_in_utf_16_is_found_and_the_copy_is_utf_8() {
    let redactor = knowing("Schl\u{fc}ssel-9x");
    let text = "a Schl\u{fc}ssel-9x b\r\npassword=hunter22x\r\n";
    for (mark, unit) in
        [([0xff, 0xfe], u16::to_le_bytes as fn(u16) -> [u8; 2]), ([0xfe, 0xff], u16::to_be_bytes)]
    {
        let bytes: Vec<u8> = mark.into_iter().chain(text.encode_utf16().flat_map(unit)).collect();
        let mut out = Vec::new();
        redactor.copy(&mut bytes.as_slice(), &mut out).unwrap();
        let out = super::span::starred(&String::from_utf8(out).unwrap(), super::rules::is_id);
        assert_eq!(out, "a *** b\r\npassword=***\r\n");
    }
}

#[test]
fn a_private_key_longer_than_a_chunk_is_redacted_to_its_end() {
    let line = format!("{}\n", "Ab3/".repeat(16));
    let text = format!(
        "-----BEGIN {0} KEY-----\n{1}-----END {0} KEY-----\nafter\n",
        "PRIVATE",
        line.repeat(20_000)
    );
    let out = plain().redact(&text);
    assert!(!out.as_str().contains("Ab3/"));
    assert!(out.as_str().ends_with("after\n"));
}

#[test]
fn a_secret_split_by_the_end_of_the_buffer_on_an_endless_line_is_found() {
    let token = format!("gh{}_{}", "p", "a1B2".repeat(9));
    let text = format!("{} {token} {}", "x ".repeat(CHUNK), "y ".repeat(CHUNK));
    let out = plain().redact(&text);
    assert!(!out.as_str().contains("a1B2"));
    assert!(out.as_str().contains("[redacted:github-token#"));
}

#[test]
fn what_a_diagnosis_needs_is_not_touched() {
    let sha = "0123456789abcdef".repeat(4);
    for text in [
        "Missing required secret: CLOUD_TASKS_WORKER_AUTH_TOKEN".to_owned(),
        "Input required and not supplied: token".to_owned(),
        "sudo: a password is required".to_owned(),
        "fatal: Authentication failed: token expired; please log in again".to_owned(),
        "[sudo] password for deploy: \nSorry, try again.".to_owned(),
        "  PASSWORD: ${{ secrets.PROD_DB_PASSWORD }}".to_owned(),
        "Authorization: Bearer ***".to_owned(),
        format!("HEAD is now at {}", &sha[..40]),
        format!("image ghcr.io/acme/shop@sha256:{sha} done"),
        "Request ID: 8b52d5ce-0e46-688f-94ee-4551289e6aa2".to_owned(),
        format!("GITHUB_SHA={}", &sha[..40]),
    ] {
        assert_eq!(plain().redact(&text).as_str(), text);
    }
}

#[test]
fn each_class_of_secret_is_replaced_and_named() {
    let random = "q7Rt9Zx2Lk5Vb8Nm4Cd1Wf6Yh3Jp0Sg7Tu2";
    for (text, rule) in [
        (format!("using gh{}_{random}", "s"), "github-token"),
        (format!("x ghs_123_ey{0}.{random}.{random}", format_args!("J{random}")), "github-token"),
        (format!("id ey{}.{random}.{random}", format_args!("J{random}")), "jwt"),
        (format!("key AK{}ABCDEFGHIJKLMNOP", "IA"), "aws-access-key"),
        (format!("AccountKey={random}{random}=="), "azure-key"),
        (format!("postgres://deploy:{random}@db:5432/shop"), "url-password"),
        (format!("Authorization: Bearer {random}"), "auth-header"),
        (format!("DB_PASSWORD={random}"), "keyed-value"),
        (format!("deploy --token {random}"), "cli-flag"),
        (format!("curl -u deploy:{random} https://x"), "cli-password"),
        (format!("curl https://hooks.slack.com/services/{random}"), "webhook"),
        (format!("config gl{}-{random}", "pat"), "vendor-token"),
    ] {
        let (out, counts) = plain().redact_counted(&text);
        assert!(!out.as_str().contains(random), "{out}");
        assert_eq!(counts.keys().collect::<Vec<_>>(), [rule], "{out}");
    }
}

#[test]
fn a_replacement_that_someone_forged_around_a_secret_does_not_protect_it() {
    let out = knowing("swordfish-1").redact("[redacted:swordfish-1] [redacted:swordfish-1]");
    assert!(!out.as_str().contains("swordfish"), "{out}");
}

#[test]
fn values_that_cannot_be_masked_are_named() {
    let redactor = Redactor::new(&[
        Known::new("SHORT", "abc"),
        Known::new("ENV", "production"),
        Known::new("EMPTY", ""),
    ]);
    assert_eq!(redactor.unmaskable(), ["SHORT", "ENV"]);
    assert_eq!(redactor.redact("abc production").as_str(), "abc production");
}
