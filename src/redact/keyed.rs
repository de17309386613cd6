//! Values that are secret because of the key, flag or tag in front of them: `password=…`, `"api_key": "…"`, `--token …`.
//!
//! Written by hand and not as one expression: keys are common in logs, and the value ends differently after each separator.

use std::ops::Range;

use super::judge::{self, Class};
use super::span::Span;

/// The rule of values behind a key.
pub(super) const KEYED: &str = "keyed-value";
/// The rule of values behind a flag on a command line.
pub(super) const FLAG: &str = "cli-flag";

/// Parts of keys, in lower case, that the line scanner looks for.
pub(super) const KEYWORDS: &[&str] = &[
    "pass",
    "pwd",
    "secret",
    "token",
    "key",
    "credential",
    "sonar.login",
    "_pw",
    "pw=",
    "pw:",
    "pw\"",
    "pw'",
    "pw\\",
    "psk",
    "_pat=",
    "_pat:",
    "_pat\"",
];

/// Longest key, in bytes.
const KEY_MAX: usize = 100;
/// Most blanks between key, separator and value.
const BLANKS_MAX: usize = 40;
/// How much of a value is judged, in bytes: bounds the time that a hostile line can cost.
const JUDGED_MAX: usize = 1024;

/// A key and what follows it on its line.
pub(super) struct Keyed {
    pub(super) class: Class,
    /// Set when the key is a flag of a command line.
    pub(super) flag: bool,
    /// Where the value is; nothing when the line ends after the key and its separator.
    pub(super) value: Option<Value>,
}

/// A value that stands behind a key.
pub(super) struct Value {
    range: Range<usize>,
    quoted: bool,
    sign: Sign,
    /// Set when the value goes on after what is judged of it.
    cut: bool,
}

/// What stands between a key and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// `:`, as in prose.
    Colon,
    /// `=`, `=>`, `:=`, or the blank after a flag.
    Equals,
    /// `>` of an element.
    Tag,
    /// What parts words that have nothing to do with each other as well: `ENV KEY value`, `| key | value |`, `("key", "value")`.
    Loose,
}

/// Adds the secret values on a line to `spans`, given the places of [`KEYWORDS`] on it.
pub(super) fn scan(line: &[u8], hits: &[usize], spans: &mut Vec<Span>) {
    let mut done = 0;
    for hit in hits.iter().copied() {
        if hit < done {
            continue;
        }
        done = key_around(line, hit).end;
        let Some(Keyed { class, flag, value: Some(value) }) = at(line, hit) else { continue };
        if is_secret(line, class, &value) {
            let end = if value.cut { bare_end(line, value.range.end) } else { value.range.end };
            let rule = if flag { FLAG } else { KEYED };
            spans.push(Span { range: value.range.start..end, rule });
            done = end;
        }
    }
}

/// The key around a keyword, and its value.
pub(super) fn at(line: &[u8], hit: usize) -> Option<Keyed> {
    let key = key_around(line, hit);
    let name = line.get(key.clone())?;
    let class = judge::key_class(name).or_else(|| two_words(line, &key))?;
    let flag = is_flag(line, &key);
    let rest = line.get(key.end..)?;
    let quote = quote_width(rest);
    let rest_start = key.end + quote;
    let rest = line.get(rest_start..)?;
    let (separator, sign) = separator(rest, flag, quote > 0, class).or_else(|| {
        let width = loose(rest, before(line, &key, quote > 0), quote > 0)?;
        let variable = name.contains(&b'_') || name.starts_with(b"PG");
        let variable = variable && !name.iter().any(u8::is_ascii_lowercase);
        let variable = variable || before(line, &key, false).ends_with(b"ENV ");
        Some((width, if variable { Sign::Equals } else { Sign::Loose }))
    })?;
    // A word in capitals with a colon is a heading or a result: `PASS: 12`.
    if class == Class::Terse && sign == Sign::Colon && !name.iter().all(u8::is_ascii_lowercase) {
        return None;
    }
    let start = rest_start + separator;
    Some(Keyed { class, flag, value: value_at(line, start, sign, is_query(line, &key)) })
}

/// What stands before a key, without its quote.
fn before<'l>(line: &'l [u8], key: &Range<usize>, quoted: bool) -> &'l [u8] {
    let before = line.get(key.start.saturating_sub(KEY_MAX)..key.start).unwrap_or_default();
    if !quoted {
        return before;
    }
    let quote = before.iter().rposition(|b| !matches!(b, b'"' | b'\'' | b'`' | b'\\'));
    before.get(..quote.map_or(0, |at| at + 1)).unwrap_or_default()
}

/// Width of what parts a key and its value when only what stands before the key says that there is a value.
fn loose(rest: &[u8], before: &[u8], quoted: bool) -> Option<usize> {
    let blanks = blanks(rest);
    match rest.get(blanks..)? {
        [b'|', after @ ..] if before.trim_ascii_end().ends_with(b"|") => {
            let more = self::blanks(after);
            let cell = after.get(more..)?.split(|b| *b == b'|').next()?;
            let closed = after.len() > more + cell.len();
            let one_word = !cell.trim_ascii().contains(&b' ');
            (more > 0 && closed && one_word).then_some(blanks + 1 + more)
        }
        [b',', after @ ..] if quoted && before.ends_with(b"(") => {
            let more = self::blanks(after);
            (quote_width(after.get(more..)?) > 0).then_some(blanks + 1 + more)
        }
        [_, ..] if !quoted && blanks > 0 => {
            let word = before.strip_suffix(b" ")?.rsplit(|b| !is_key_byte(*b)).next()?;
            SETTERS.contains(&word).then_some(blanks)
        }
        _ => None,
    }
}

/// Words in front of a key and, without a sign between them, its value.
const SETTERS: &[&[u8]] =
    &[b"ENV", b"ARG", b"set", b"setx", b"SETX", b"setenv", b"-x", b"-gx", b"-Ux"];

fn is_secret(line: &[u8], class: Class, value: &Value) -> bool {
    let Some(bytes) = line.get(value.range.clone()) else { return false };
    let class = match class {
        Class::Terse if value.quoted => Class::Password,
        Class::Password if value.sign == Sign::Loose => Class::Secret,
        other => other,
    };
    if !judge::is_secret(class, bytes) || value.quoted && is_between_strings(bytes) {
        return false;
    }
    let after = line.get(value.range.end..).unwrap_or_default().trim_ascii_start();
    let prose = value.sign == Sign::Colon
        && !value.quoted
        && after.first().is_some_and(u8::is_ascii_alphanumeric)
        && !next_is_key(after);
    !prose || judge::is_mixed(bytes, 6)
}

/// Whether a quoted value is what stands between two strings: the first quote closed a string that ended with `password:`.
fn is_between_strings(bytes: &[u8]) -> bool {
    bytes.starts_with(b", ")
        || bytes.starts_with(b"}")
        || !bytes.iter().any(u8::is_ascii_alphanumeric)
}

/// Whether the next word is `key=…` or `key:…`, so that the value before it was one word and not prose.
fn next_is_key(after: &[u8]) -> bool {
    let word = after.iter().take(KEY_MAX).take_while(|b| is_key_byte(**b)).count();
    matches!(after.get(word), Some(b'=' | b':'))
}

const fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}

fn key_around(line: &[u8], hit: usize) -> Range<usize> {
    let before = line.get(hit.saturating_sub(KEY_MAX)..hit).unwrap_or_default();
    let before = before.iter().rev().take_while(|b| is_key_byte(**b)).count();
    let after = line.get(hit..).unwrap_or_default();
    let after = after.iter().take(KEY_MAX).take_while(|b| is_key_byte(**b)).count();
    let mut start = hit - before;
    let escape = start > 0
        && line.get(start - 1) == Some(&b'\\')
        && matches!(line.get(start), Some(b'n' | b't' | b'r'));
    start += usize::from(escape);
    start..(hit + after).max(start)
}

/// `API key`, `Secret Key`: a key of two words.
fn two_words(line: &[u8], key: &Range<usize>) -> Option<Class> {
    let name = line.get(key.clone())?;
    let before = line.get(..key.start)?.strip_suffix(b" ")?;
    if !name.eq_ignore_ascii_case(b"key") {
        return None;
    }
    let width = before.iter().rev().take(20).take_while(|b| b.is_ascii_alphabetic()).count();
    let word = before.get(before.len() - width..)?;
    judge::key_class(&[word, b"_key"].concat()).filter(|class| *class != Class::Weak)
}

/// A key behind `-` or `--` at the start of a word.
fn is_flag(line: &[u8], key: &Range<usize>) -> bool {
    let name = line.get(key.clone()).unwrap_or_default();
    let boundary = key.start.checked_sub(1).and_then(|at| line.get(at));
    name.starts_with(b"-")
        && boundary.is_none_or(|b| {
            matches!(b, b' ' | b'\t' | b'"' | b'\'' | b'[' | b',' | b'(' | b'=' | b'`' | b';')
        })
}

fn is_query(line: &[u8], key: &Range<usize>) -> bool {
    key.start.checked_sub(1).and_then(|at| line.get(at)).is_some_and(|b| matches!(b, b'?' | b'&'))
}

/// Quotes of more than one byte: entities, and how a shell writes a quote between quotes.
const QUOTES: &[&[u8]] = &[b"&quot;", b"&#34;", b"&#39;", b"&apos;", b"%22", b"'\"'\"'", br"'\''"];

/// Line ends as entities, where an unquoted value ends.
const LINE_ENDS: &[&[u8]] = &[b"&#10;", b"&#13;", b"&#xA;", b"&#xD;"];

/// Width of the quote at the start of `rest`, with its backslashes or as an entity.
fn quote_width(rest: &[u8]) -> usize {
    if let Some(entity) = QUOTES.iter().find(|q| rest.starts_with(q)) {
        return entity.len();
    }
    let slashes = rest.iter().take(8).take_while(|b| **b == b'\\').count();
    match rest.get(slashes) {
        Some(b'"' | b'\'' | b'`') => slashes + 1,
        Some(_) | None => 0,
    }
}

/// Width of the separator between key and value with the blanks around it, and what it is.
fn separator(rest: &[u8], flag: bool, quoted: bool, class: Class) -> Option<(usize, Sign)> {
    let close = usize::from(quoted && rest.first() == Some(&b']'));
    let rest = rest.get(close..)?;
    let blanks = blanks(rest);
    let sign = rest.get(blanks..)?;
    let (width, kind) = match sign {
        [b'=', b'>' | b'=', ..] | [b':', b'=', ..] => (2, Sign::Equals),
        [b':', b':' | b'?' | b'+', ..] => return None,
        [b'=', ..] => (1, Sign::Equals),
        [b':', ..] => (1, Sign::Colon),
        [b'>', ..] if blanks == 0 && !flag && is_element(sign) => (1, Sign::Tag),
        [b',', ..] if flag && quoted => (1, Sign::Equals),
        // The columns of a help text are further apart.
        _ if flag && blanks == 1 && !quoted => (0, Sign::Equals),
        _ => {
            let width = other_separator(rest, quoted, class)?;
            return Some((close + width, Sign::Equals));
        }
    };
    let after = sign.get(width..)?;
    Some((close + blanks + width + self::blanks(after), kind))
}

/// Whether a `>` is followed by what ends the element, within what is judged of a value.
fn is_element(rest: &[u8]) -> bool {
    rest.iter().take(JUDGED_MAX).any(|b| *b == b'<')
}

/// `", "value": ` and `" value=` (pairs of name and value), `password 'x'`, `password "x"`.
fn other_separator(rest: &[u8], quoted: bool, class: Class) -> Option<usize> {
    if quoted {
        let skipped = before_value(rest)?;
        let tail = rest.get(skipped + 5..)?;
        let quote = quote_width(tail);
        let sign = tail.get(quote..)?;
        let before = blanks(sign);
        matches!(sign.get(before)?, b':' | b'=').then_some(())?;
        let after = blanks(sign.get(before + 1..)?);
        return Some(skipped + 5 + quote + before + 1 + after);
    }
    let before = blanks(rest);
    let quote = matches!(rest.get(before), Some(b'\'' | b'"'));
    (class == Class::Password && before > 0 && before < 3 && quote).then_some(before)
}

/// Where the key `value` begins in what follows the name of a pair; a pair or two may stand between them.
fn before_value(rest: &[u8]) -> Option<usize> {
    let mut at = 0;
    for _ in 0..3 {
        let tail = rest.get(at..)?;
        let between = |b: &&u8| matches!(b, b',' | b' ' | b'"' | b'\'' | b'\\' | b'\t');
        at += tail.iter().take(BLANKS_MAX).take_while(between).count();
        let tail = rest.get(at..)?;
        if tail.get(..5)?.eq_ignore_ascii_case(b"value") {
            return Some(at);
        }
        // Another pair: its key, its sign, and its value up to the comma.
        let key = tail.iter().take(KEY_MAX).take_while(|b| is_key_byte(**b)).count();
        let sign = tail.get(key..)?;
        let sign = sign.get(quote_width(sign)..)?.trim_ascii_start();
        let is_pair = key > 0 && matches!(sign.first(), Some(b':' | b'='));
        let comma = sign.iter().take(KEY_MAX).position(|b| matches!(b, b',' | b'}' | b'>'))?;
        if !is_pair || sign.get(comma) != Some(&b',') {
            return None;
        }
        at = rest.len() - sign.len() + comma;
    }
    None
}

fn blanks(bytes: &[u8]) -> usize {
    bytes.iter().take(BLANKS_MAX).take_while(|b| matches!(b, b' ' | b'\t')).count()
}

/// What stands around a value in the notation of some languages.
const WRAPPERS: &[&[u8]] = &[b"Some(", b"Ok(", b"!!str ", b"!!binary ", b"["];

fn value_at(line: &[u8], start: usize, sign: Sign, query: bool) -> Option<Value> {
    let rest = line.get(start..)?;
    let wrapper = WRAPPERS.iter().find(|w| rest.starts_with(w)).map_or(0, |w| w.len());
    let quoted = rest.get(wrapper..).is_some_and(|rest| quote_width(rest) > 0);
    let wrapper = if quoted || wrapper > 1 { wrapper } else { 0 };
    let rest = rest.get(wrapper..)?;
    let start = start + wrapper;
    let prefix = usize::from(matches!(rest, [b'u' | b'b', b'\'' | b'"', ..]));
    let rest = rest.get(prefix..)?;
    let start = start + prefix;
    let quote = quote_width(rest);
    if quote > 0 {
        let body = rest.get(quote..)?;
        let head = body.get(..body.len().min(JUDGED_MAX))?;
        let closed = closing(head, rest.get(..quote)?);
        let range = start + quote..start + quote + closed.unwrap_or(head.len());
        return Some(Value {
            range,
            quoted: true,
            sign,
            cut: closed.is_none() && head.len() < body.len(),
        });
    }
    let head = rest.get(..rest.len().min(JUDGED_MAX))?;
    let element = (sign == Sign::Tag).then(|| head.iter().position(|b| *b == b'<')).flatten();
    let width = element.unwrap_or_else(|| head.iter().take_while(|b| !ends_bare(**b)).count());
    let cut = width == JUDGED_MAX;
    let mut bare = head.get(..width)?;
    let entity = |at: &usize| {
        bare.get(*at..).is_some_and(|b| QUOTES.iter().chain(LINE_ENDS).any(|q| b.starts_with(q)))
    };
    let ends = |at: &usize| matches!(bare.get(*at), Some(b'&')) && query || entity(at);
    if let Some(at) = (0..bare.len()).find(ends) {
        bare = bare.get(..at)?;
    }
    while let Some(shorter) =
        bare.strip_suffix(b",").or_else(|| bare.strip_suffix(b";")).or_else(|| unmatched(bare))
    {
        bare = shorter;
    }
    let cut = cut && bare.len() == width;
    (!bare.is_empty()).then(|| Value { range: start..start + bare.len(), quoted: false, sign, cut })
}

/// Where a value ends that was cut while it was judged.
fn bare_end(line: &[u8], from: usize) -> usize {
    let rest = line.get(from..).unwrap_or_default();
    from + rest.iter().take_while(|b| !ends_bare(**b)).count()
}

const fn ends_bare(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'"' | b'\'' | b'<' | b'>' | b'\\' | b'`')
}

/// A value without a closing bracket that opens outside of it.
fn unmatched(bare: &[u8]) -> Option<&[u8]> {
    let (open, close) = match bare.last()? {
        b')' => (b'(', b')'),
        b']' => (b'[', b']'),
        b'}' => (b'{', b'}'),
        _ => return None,
    };
    let depth =
        |depth: isize, byte: &u8| depth + isize::from(*byte == open) - isize::from(*byte == close);
    (bare.iter().fold(0, depth) < 0).then(|| bare.get(..bare.len() - 1)).flatten()
}

/// Length of a quoted value: up to the same quote with the same number of backslashes; nothing when it is not closed.
fn closing(body: &[u8], quote: &[u8]) -> Option<usize> {
    if QUOTES.contains(&quote) {
        return body.windows(quote.len()).position(|w| w == quote);
    }
    let (mark, own) = quote.split_last()?;
    let mut slashes = 0;
    for (at, byte) in body.iter().enumerate() {
        if byte == mark && slashes <= own.len() {
            return Some(at - slashes);
        }
        slashes = if *byte == b'\\' { slashes + 1 } else { 0 };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(line: &str) -> Vec<&str> {
        let lower = line.to_ascii_lowercase();
        let mut hits: Vec<usize> =
            KEYWORDS.iter().flat_map(|k| lower.match_indices(k).map(|(at, _)| at)).collect();
        hits.sort_unstable();
        let mut spans = Vec::new();
        scan(line.as_bytes(), &hits, &mut spans);
        spans.into_iter().filter_map(|s| line.get(s.range)).collect()
    }

    #[test]
    fn the_value_ends_where_its_notation_ends() {
        for (line, secret) in [
            ("DB_PASSWORD=hunter22x next", "hunter22x"),
            (r#""db_password": "two words", "user": "x""#, "two words"),
            (r#"{\"db_password\": \"hunter22x\", \"a\": 1}"#, "hunter22x"),
            ("db_password => 'hunter22x'", "hunter22x"),
            ("<password>hunter22x</password>", "hunter22x"),
            ("&quot;login_password&quot;: &quot;hunter22x&quot;,", "hunter22x"),
            ("host=db password=&hun%er22&& user=x", "&hun%er22&&"),
            ("deploy --token a1b2c3d4e5 --force", "a1b2c3d4e5"),
            (r#"["deploy", "--token", "a1b2c3d4e5"]"#, "a1b2c3d4e5"),
            ("-Dadmin_pass=hunter22x", "hunter22x"),
            ("ALTER ROLE x PASSWORD 'hunter22x'", "hunter22x"),
            (r#"{"name": "DB_PASSWORD", "value": "hunter22x"}"#, "hunter22x"),
            ("API key: a1b2c3d4e5", "a1b2c3d4e5"),
            ("ansible_become_pass: wrong", "wrong"),
            ("password                     = \"hunter22x\"", "hunter22x"),
            (r"msg\npassword=hunter22x", "hunter22x"),
        ] {
            assert_eq!(secrets(line), [secret], "{line}");
        }
    }

    #[test]
    fn text_that_a_diagnosis_needs_is_no_value() {
        for line in [
            "Missing required secret: CLOUD_TASKS_WORKER_AUTH_TOKEN",
            "Input required and not supplied: token",
            "sudo: a password is required",
            "password: changed 3 days ago",
            "password: required",
            "DB_PASSWORD_FILE=/run/secrets/db",
            "max_tokens: 4096  tokenizer: cl100k_base",
            "cancellation token: System.Threading.CancellationToken was triggered",
            "const accessToken = await getAccessToken(clientId);",
            "PASSWORD: ${{ secrets.PROD_DB_PASSWORD }}",
            r#"{"msg": "sorry, try again.\npassword:", "role": null}"#,
            "[sudo] password:&#10;Sorry, try again.",
            "primary key: orders_pkey",
            "--private-key PRIVATE_KEY_FILE",
            "[sudo] password for deploy: ",
        ] {
            assert!(secrets(line).is_empty(), "{line}: {:?}", secrets(line));
        }
    }
}
