//! The forms in which a secret value may appear in a text: the value, its parts, and the encodings of both.
//!
//! Pure: it neither searches nor decides whether a value can be masked at all.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::judge;
use super::view;

/// Shortest line of a multi-line value that is a secret of its own, in characters.
const LINE_MIN: usize = 6;
/// Shortest string of a JSON value that is a secret of its own, in characters.
const LEAF_MIN: usize = 8;
/// Shortest core of a base64 form that is searched, in characters: shorter ones are found by chance.
const CORE_MIN: usize = 6;
/// From this length on upper and lower case are the same, in bytes: some tools change the case of host names and keys.
const FOLD_MIN: usize = 12;
/// Longest value that is searched in every encoding, in bytes; longer ones in the raw, the JSON and the base64 forms.
const EVERY_ENCODING_MAX: usize = 8 * 1024;

/// At how many places a text may have been wrapped where wrapping takes something of it away.
const FOLDS_MAX: usize = 12;

/// How a form is compared and how far a match reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Match {
    /// Byte by byte.
    Exact,
    /// Without regard to the case of ASCII letters.
    AnyCase,
    /// As part of a longer run of base64 characters, all of which belongs to the secret.
    Base64,
}

/// All forms of a value, each with the way to compare it.
pub(super) fn forms(value: &str) -> BTreeMap<Vec<u8>, Match> {
    let mut out = BTreeMap::new();
    for part in parts(value) {
        encodings(&part, &mut out);
    }
    out
}

/// The value, and the parts of it that are secrets when they stand alone.
fn parts(value: &str) -> Vec<String> {
    let trimmed = value.trim();
    let mut parts = vec![value.to_owned(), trimmed.to_owned()];
    if let Ok(json @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str::<Value>(trimmed)
    {
        leaves(&json, "", &mut parts);
    }
    if trimmed.contains('\n') {
        let lines = trimmed.lines().map(str::trim).filter(|l| line_is_secret(l));
        parts.extend(lines.map(str::to_owned));
    }
    parts.extend(url_password(trimmed));
    parts.extend(decoded(trimmed));
    parts.sort();
    parts.dedup();
    parts
}

/// A line of a multi-line value is a secret unless everyone has it: frames of PEM, punctuation of JSON.
fn line_is_secret(line: &str) -> bool {
    let letters = line.chars().filter(|c| c.is_alphanumeric()).count();
    let common = line.starts_with("-----") || judge::is_common(line);
    line.chars().count() >= LINE_MIN
        && letters >= LINE_MIN / 2
        && !common
        && !line.ends_with(['{', '['])
}

fn leaves(json: &Value, key: &str, out: &mut Vec<String>) {
    match json {
        Value::String(leaf) => {
            let long = leaf.trim().chars().count() >= LEAF_MIN;
            if long && (judge::key_class(key.as_bytes()).is_some() || !judge::is_describing(leaf)) {
                out.push(leaf.trim().to_owned());
                out.extend(
                    leaf.lines().map(str::trim).filter(|l| line_is_secret(l)).map(str::to_owned),
                );
            }
        }
        Value::Array(items) => items.iter().for_each(|item| leaves(item, key, out)),
        Value::Object(map) => map.iter().for_each(|(key, item)| leaves(item, key, out)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn url_password(value: &str) -> Vec<String> {
    let Some((_, rest)) = value.split_once("://") else { return Vec::new() };
    let Some((userinfo, _)) =
        rest.split(char::is_whitespace).next().unwrap_or_default().rsplit_once('@')
    else {
        return Vec::new();
    };
    let password = userinfo.split_once(':').map_or(userinfo, |(_, password)| password);
    if password.len() < 4 || judge::is_common(password) {
        return Vec::new();
    }
    let plain = percent_encoding::percent_decode_str(password).decode_utf8_lossy().into_owned();
    vec![password.to_owned(), plain]
}

/// What a value says when it is base64 of readable text.
fn decoded(value: &str) -> Option<String> {
    let looks = value.len() >= 12 && value.bytes().all(is_base64);
    let bytes = looks.then(|| STANDARD.decode(value).ok()).flatten()?;
    let text = String::from_utf8(bytes).ok()?;
    let readable = text.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t'));
    (readable && text.trim().len() >= LEAF_MIN).then(|| text.trim().to_owned())
}

/// A byte of one of the two base64 alphabets, or padding.
pub(super) const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=')
}

fn encodings(part: &str, out: &mut BTreeMap<Vec<u8>, Match>) {
    let fold = if part.len() >= FOLD_MIN { Match::AnyCase } else { Match::Exact };
    let json = json_escaped(part);
    add(out, part.as_bytes().to_vec(), fold);
    add(out, json.clone().into_bytes(), fold);
    base64_forms(part, out);
    if part.len() > EVERY_ENCODING_MAX {
        return;
    }
    for text in folded(part) {
        add(out, text, fold);
    }
    add(out, json.replace('/', "\\/").into_bytes(), fold);
    add(out, json_escaped(&json).into_bytes(), fold);
    for text in unicode_escapes(part).into_iter().chain(percent_forms(part)).chain(xml_forms(part))
    {
        add(out, text.into_bytes(), fold);
    }
    for text in shell_forms(part) {
        add(out, text.into_bytes(), fold);
    }
    for hex in [hex(part, ""), hex(part, "\\x"), hex(part, "%"), hex(part, " "), hex(part, ":")] {
        add(out, hex.clone().into_bytes(), Match::AnyCase);
    }
}

/// A text that was wrapped beside a blank, a quote, a comma or a backslash, as it is once the lines are joined: without the blank at
/// which a tool wraps, or without all that the view of joined lines takes for what stands around a line.
fn folded(text: &str) -> Vec<Vec<u8>> {
    let bytes = text.as_bytes();
    let soft = |at: usize| bytes.get(at).is_some_and(|b| view::is_around_lines(*b));
    let runs = (1..bytes.len()).filter(|at| soft(*at) && !soft(at - 1));
    let mut out = Vec::new();
    for start in runs.take(if text.len() >= FOLD_MIN { FOLDS_MAX } else { 0 }) {
        let end = (start..bytes.len()).find(|at| !soft(*at)).unwrap_or(bytes.len());
        for cut in start + 1..=end.min(start + FOLDS_MAX) {
            out.push(
                [bytes.get(..start), bytes.get(cut..)].map(Option::unwrap_or_default).concat(),
            );
        }
    }
    out
}

fn add(out: &mut BTreeMap<Vec<u8>, Match>, form: Vec<u8>, how: Match) {
    if form.len() >= 4 {
        let known = out.entry(form).or_insert(how);
        *known = (*known).max(how);
    }
}

fn json_escaped(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
}

/// JSON escapes of languages that write more characters as `\uXXXX` than they must.
fn unicode_escapes(text: &str) -> Vec<String> {
    let escape = |which: &dyn Fn(char) -> bool| -> String {
        let one = |c: char| {
            if which(c) { utf16_escape(c) } else { json_escaped(c.encode_utf8(&mut [0; 4])) }
        };
        text.chars().map(one).collect()
    };
    let mut forms = vec![
        escape(&|_| true),
        escape(&|c| !c.is_ascii_alphanumeric()),
        escape(&|c| !c.is_ascii()),
        escape(&|c| !c.is_ascii() || matches!(c, '<' | '>' | '&')),
        escape(&|c| !c.is_ascii() || matches!(c, '<' | '>' | '&' | '\'' | '"' | '+')),
    ];
    forms.extend(forms.clone().iter().flat_map(|f| [lower_escapes(f), upper_escapes(f)]));
    forms
}

fn utf16_escape(c: char) -> String {
    let escapes: Vec<String> =
        c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect();
    escapes.concat()
}

fn lower_escapes(text: &str) -> String {
    escapes(text, char::to_ascii_lowercase)
}

fn upper_escapes(text: &str) -> String {
    escapes(text, char::to_ascii_uppercase)
}

/// The text with the hexadecimal digits of its `\uXXXX` and `%XX` escapes changed.
fn escapes(text: &str, change: fn(&char) -> char) -> String {
    let mut digits = 0_u8;
    let mut before = ' ';
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        out.push(if digits > 0 { change(&c) } else { c });
        digits = match c {
            'u' if before == '\\' => 4,
            '%' => 2,
            _ => digits.saturating_sub(1),
        };
        before = c;
    }
    out
}

fn percent_forms(text: &str) -> Vec<String> {
    let encode = |plain: &str| -> String {
        let one = |byte: u8| {
            let keep = byte.is_ascii_alphanumeric() || plain.as_bytes().contains(&byte);
            if keep { char::from(byte).to_string() } else { format!("%{byte:02X}") }
        };
        text.bytes().map(one).collect()
    };
    let mut forms = vec![
        encode("-_.~"),
        encode("-_.~/"),
        encode("-_.~!'()*"),
        encode("-_.~!'()*;/?:@&=+$,#"),
        encode("-_.~!$&'()*+,;="),
        encode(""),
    ];
    forms.extend([encode("-_. ").replace(' ', "+"), encode("-_.* ").replace(' ', "+")]);
    forms.extend(forms.clone().iter().flat_map(|f| [lower_escapes(f), encode_percent_sign(f)]));
    forms
}

/// A percent-encoded text that was percent-encoded once more.
fn encode_percent_sign(text: &str) -> String {
    text.replace('%', "%25")
}

fn xml_forms(text: &str) -> Vec<String> {
    let base = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let quoted = base.replace('"', "&quot;");
    let numeric = base.replace('"', "&#34;");
    vec![
        quoted.replace('\'', "&#39;"),
        quoted.replace('\'', "&#x27;"),
        quoted.replace('\'', "&apos;"),
        numeric.replace('\'', "&#39;"),
        numeric,
        quoted.replace('\n', "&#10;"),
        quoted,
        base,
    ]
}

fn shell_forms(text: &str) -> Vec<String> {
    let escaped = |special: &dyn Fn(char) -> bool| -> String {
        let one = |c: char| if special(c) { format!("\\{c}") } else { c.to_string() };
        text.chars().map(one).collect()
    };
    vec![
        text.replace('\'', r"'\''"),
        text.replace('\'', "'\"'\"'"),
        text.replace('\'', r"\'"),
        text.replace('\'', "''"),
        text.replace('"', "\\\""),
        text.replace('$', "$$"),
        text.replace('\n', r"\n"),
        escaped(&|c| matches!(c, '"' | '\\' | '$' | '`')),
        escaped(&|c| c.is_ascii() && !c.is_ascii_alphanumeric() && !"_-./:=@%+,".contains(c)),
        escaped(&|c| c.is_ascii() && !c.is_ascii_alphanumeric() && c != '_'),
    ]
}

fn hex(text: &str, separator: &str) -> String {
    let pairs: Vec<String> = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    if matches!(separator, "\\x" | "%") {
        format!("{separator}{}", pairs.join(separator))
    } else {
        pairs.join(separator)
    }
}

/// Base64 of the value at every alignment inside a longer text, and base64 of that.
fn base64_forms(part: &str, out: &mut BTreeMap<Vec<u8>, Match>) {
    for core in cores(part.as_bytes()) {
        add(out, url_alphabet(&core), Match::Base64);
        if part.len() <= EVERY_ENCODING_MAX {
            for twice in cores(&core) {
                add(out, twice, Match::Base64);
            }
        }
        add(out, core, Match::Base64);
    }
}

/// The characters of base64 that depend on nothing but these bytes, for each of the three alignments.
fn cores(bytes: &[u8]) -> Vec<Vec<u8>> {
    let core = |shift: usize| {
        let padded = [vec![0; shift], bytes.to_vec()].concat();
        let encoded = STANDARD.encode(&padded).into_bytes();
        let first = (8 * shift).div_ceil(6);
        let last = 8 * padded.len() / 6;
        encoded.get(first..last).filter(|c| c.len() >= CORE_MIN).map(<[u8]>::to_vec)
    };
    (0..3).filter_map(core).collect()
}

fn url_alphabet(core: &[u8]) -> Vec<u8> {
    let one = |byte: &u8| match byte {
        b'+' => b'-',
        b'/' => b'_',
        other => *other,
    };
    core.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::URL_SAFE;

    fn has(value: &str, form: &str) -> bool {
        forms(value).iter().any(|(bytes, how)| match how {
            Match::Exact => bytes == form.as_bytes(),
            Match::AnyCase => bytes.eq_ignore_ascii_case(form.as_bytes()),
            Match::Base64 => form.contains(std::str::from_utf8(bytes).unwrap()),
        })
    }

    #[test]
    fn a_value_is_known_in_the_encodings_of_many_tools() {
        let value = "p@ss/W0rd+&'\"<x> \\é";
        for form in [
            r#"p@ss/W0rd+&'\"<x> \\é"#,
            r#"p@ss\/W0rd+&'\"<x> \\é"#,
            r#"p@ss/W0rd+\u0026'\"\u003cx\u003e \\\u00e9"#,
            "p%40ss%2FW0rd%2B%26%27%22%3Cx%3E%20%5C%C3%A9",
            "p%40ss%2fW0rd%2b%26%27%22%3cx%3e%20%5c%c3%a9",
            "p%40ss/W0rd%2B%26%27%22%3Cx%3E%20%5C%C3%A9",
            "p%40ss%2FW0rd%2B%26%27%22%3Cx%3E+%5C%C3%A9",
            "p@ss/W0rd+&amp;&#39;&quot;&lt;x&gt; \\é",
            "p@ss/W0rd+&'\\''\"<x> \\é",
            "704073732f573072642b2627223c783e205cc3a9",
        ] {
            assert!(has(value, form), "{form}");
        }
    }

    #[test]
    fn base64_is_known_at_every_alignment_and_twice() {
        let value = "correct-horse-7";
        for prefix in ["", "x", "xy"] {
            let once = STANDARD.encode(format!("{prefix}{value}\n"));
            assert!(has(value, &once), "{once}");
            assert!(has(value, &URL_SAFE.encode(format!("{prefix}{value}tail"))));
            for outer in ["", "u", "uv"] {
                let twice = STANDARD.encode(format!("{outer}{once}"));
                assert!(has(value, &twice), "{twice}");
            }
        }
    }

    #[test]
    fn strings_of_a_json_value_are_secrets_but_its_punctuation_and_descriptions_are_not() {
        let value = "{\n  \"type\": \"service_account\",\n  \"key\": \"qW7rT9yU1iOp\",\n  \"uri\": \"https://example.com/auth\"\n}";
        assert!(has(value, "qW7rT9yU1iOp"));
        assert!(!has(value, "service_account"));
        assert!(!has(value, "https://example.com/auth"));
        assert!(!has(value, "{"));
    }

    #[test]
    fn the_password_of_a_url_is_a_secret_both_encoded_and_decoded() {
        assert!(has("http://deploy:p%40ssw0rd@proxy:3128", "p@ssw0rd"));
        assert!(has("http://deploy:p%40ssw0rd@proxy:3128", "p%40ssw0rd"));
    }

    #[test]
    fn each_line_of_a_multi_line_value_is_a_secret_but_not_its_frame() {
        let value = "-----BEGIN THING-----\nabcdEFGH1234\n-----END THING-----\n";
        assert!(has(value, "abcdEFGH1234"));
        assert!(!has(value, "-----BEGIN THING-----"));
    }

    #[test]
    fn what_a_base64_value_says_is_a_secret() {
        assert!(has(&STANDARD.encode("deploy:hunter22"), "deploy:hunter22"));
    }
}
