//! Secrets that stand on the lines after the one that announces them: private keys, vault blocks, values below their key.
//!
//! A state machine over lines that survives the cuts of a stream; it ends a block as soon as a line does not fit.

use std::ops::Range;

use super::judge::{self, Class};
use super::keyed;
use super::manifest::{self, Manifest};
use super::span::Span;
use super::view;

/// The rule of private keys.
pub(super) const PRIVATE_KEY: &str = "private-key";
/// The rule of Ansible vault blocks.
pub(super) const VAULT: &str = "ansible-vault";
/// The rule of values in a Secret of Kubernetes.
pub(super) const KUBE_DATA: &str = "kube-data";
/// The rule of values on the line below their key.
pub(super) const NEXT_LINE: &str = "next-line";

/// Keywords, in lower case, of lines that may open a block.
pub(super) const KEYWORDS: &[&str] = &[
    "private key",
    "$ansible_vault;",
    "\"-u\"",
    "&quot;-u&quot;",
    "- -u",
    "-p\"",
    "- -p",
    "\"-a\"",
    "\"-w\"",
    "machine ",
];

/// How many lines of other programs a block survives.
const STRANGERS_MAX: usize = 3;

/// What the lines before this one announced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing.
    #[default]
    Open,
    /// The body of a private key or a vault block.
    Body(Body),
    /// One value on one of the next lines, of which so many may be something else.
    Value(Expected, u8),
    /// A manifest of Kubernetes.
    Manifest(Manifest),
}

/// A block of lines of equal width.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Body {
    kind: Kind,
    /// Width of the lines, in bytes, once the first was seen.
    width: usize,
    /// Set after a line that is shorter than the others: it was the last.
    last: bool,
    /// Set after a line that was replaced before: what was left beside it is no part of the block.
    replaced: bool,
    strangers: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    PrivateKey,
    Vault,
}

/// What a value on the next line must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// One random-looking word.
    Word,
    /// The argument of a secret flag.
    Argument,
    /// The argument of a flag of one letter, which is a password for some programs.
    Short,
    /// `password …` below `machine …`.
    Login,
    /// `user:password`.
    UserPassword,
    /// `value: …` below `name: DB_PASSWORD`.
    NamedValue,
}

impl State {
    /// Whether the next line must be looked at.
    pub(super) fn is_waiting(&self) -> bool {
        *self != Self::Open
    }

    /// Looks at a line: adds the secrets that earlier lines announced, and takes note of what this one announces.
    pub(super) fn step(&mut self, line: &[u8], keys: &[usize], spans: &mut Vec<Span>) {
        let before = std::mem::take(self);
        let rest = match before {
            Self::Body(body) => body.step(line, spans),
            Self::Value(expected, more) => {
                let value = expected.value(line);
                // A value that was replaced before has come.
                let waits = value.is_none()
                    && more > 0
                    && !judge::holds_marker(line)
                    && expected.survives(line);
                spans.extend(value.map(|range| Span { range, rule: NEXT_LINE }));
                if waits { Self::Value(expected, more - 1) } else { Self::Open }
            }
            Self::Manifest(manifest) => {
                let (value, next) = manifest.step(line);
                spans.extend(value.map(|range| Span { range, rule: KUBE_DATA }));
                next.map_or(Self::Open, Self::Manifest)
            }
            Self::Open => Self::Open,
        };
        *self = match rest {
            Self::Manifest(_) => rest,
            Self::Open | Self::Body(_) | Self::Value(..) => announced(line, keys).unwrap_or(rest),
        };
    }

    /// Looks for a block that begins on a line, after [`State::step`]; adds the part of it that is on this line.
    pub(super) fn open(&mut self, line: &[u8], spans: &mut Vec<Span>) {
        if let Some(state) = opened(line, spans) {
            *self = state;
        } else if let Some(manifest) = Manifest::of(line) {
            let mut found = Vec::new();
            manifest::in_text(line, &mut found);
            spans.extend(found.into_iter().map(|range| Span { range, rule: KUBE_DATA }));
            if !matches!(self, Self::Manifest(_)) {
                *self = Self::Manifest(manifest);
            }
        }
    }
}

/// The state after a line that opens a block; the part of the block on this line is added.
fn opened(line: &[u8], spans: &mut Vec<Span>) -> Option<State> {
    let (kind, start) = opening(line)?;
    let mut from = start;
    loop {
        let rest = line.get(from..)?;
        let (end, more) = inline_end(rest, kind);
        let body = rest.get(..end)?;
        let solid = body.iter().filter(|b| b.is_ascii_alphanumeric()).count();
        let goes_on = if more { State::Open } else { State::Body(Body::of(kind)) };
        if solid < 20 || judge::holds_marker(body) {
            return Some(goes_on);
        }
        spans.push(Span { range: from..from + end, rule: kind.rule() });
        let Some((_, next)) = opening(line.get(from + end..)?) else { return Some(goes_on) };
        from += end + next;
    }
}

/// The kind of block that a line opens, and where its body may start.
fn opening(line: &[u8]) -> Option<(Kind, usize)> {
    let key = find(line, b"-----BEGIN").and_then(|at| {
        let rest = line.get(at + 10..)?;
        let rest = rest.get(..rest.len().min(90))?;
        let key = find(rest, b"PRIVATE KEY")?;
        let close = find(rest.get(key..)?, b"-----")?;
        Some((Kind::PrivateKey, at + 10 + key + close + 5))
    });
    key.or_else(|| {
        let at = find(line, b"$ANSIBLE_VAULT;")?;
        let rest = line.get(at..)?;
        let width = rest
            .iter()
            .take(120)
            .take_while(|b| {
                b.is_ascii_alphanumeric() || matches!(b, b'$' | b';' | b'.' | b'_' | b'-')
            })
            .count();
        Some((Kind::Vault, at + width))
    })
}

/// Where the body of a block on one line ends, and whether something other than the line end ends it.
fn inline_end(rest: &[u8], kind: Kind) -> (usize, bool) {
    let end = match kind {
        Kind::PrivateKey => find(rest, b"-----END"),
        Kind::Vault => {
            let in_body = |b: &u8| b.is_ascii_hexdigit() || matches!(b, b'\\' | b'n' | b'r' | b' ');
            Some(rest.iter().take_while(|b| in_body(b)).count()).filter(|end| *end < rest.len())
        }
    };
    (end.unwrap_or(rest.len()), end.is_some() && kind == Kind::PrivateKey)
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

impl Kind {
    const fn rule(self) -> &'static str {
        match self {
            Self::PrivateKey => PRIVATE_KEY,
            Self::Vault => VAULT,
        }
    }

    fn is_body(self, word: &[u8]) -> bool {
        match self {
            Self::PrivateKey => {
                word.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='))
            }
            Self::Vault => word.iter().all(u8::is_ascii_hexdigit),
        }
    }
}

/// The part of a word that can belong to a body: some logs put their prefix right in front of it.
fn without_prefix(line: &[u8], word: Range<usize>) -> Range<usize> {
    let text = line.get(word.clone()).unwrap_or_default();
    let prefix = text.iter().rposition(|b| matches!(b, b':' | b']' | b'|' | b'>'));
    word.start + prefix.map_or(0, |at| at + 1)..word.end
}

impl Body {
    const fn of(kind: Kind) -> Self {
        Self { kind, width: 0, last: false, replaced: false, strangers: 0 }
    }

    fn step(mut self, line: &[u8], spans: &mut Vec<Span>) -> State {
        if find(line, b"-----END").is_some() {
            return State::Open;
        }
        if judge::holds_marker(line) {
            self.replaced |= self.width == 0;
            return State::Body(self);
        }
        let word = without_prefix(line, last_word(line));
        let length = word.len();
        let solid = line.get(word.clone()).is_some_and(|w| self.kind.is_body(w));
        let checksum = self.last && length <= 5 && line.get(word.start) == Some(&b'=');
        let fits = match self.width {
            0 => length >= 16 && !self.replaced,
            width => length > 0 && (length <= width && !self.last || checksum),
        };
        if solid && fits {
            spans.push(Span { range: word, rule: self.kind.rule() });
            self.last = self.width > length || self.last;
            self.width = self.width.max(length);
            return State::Body(self);
        }
        self.strangers += usize::from(length > 0);
        let over = self.last || self.strangers > STRANGERS_MAX;
        if over { State::Open } else { State::Body(self) }
    }
}

/// The last word of a line without quotes, commas and escapes around it.
fn last_word(line: &[u8]) -> Range<usize> {
    let mut end = line.len();
    loop {
        let rest = line.get(..end).unwrap_or_default();
        let trimmed = rest.trim_ascii_end();
        let trimmed = trimmed.strip_suffix(b"\\n").unwrap_or(trimmed);
        let kept = trimmed
            .iter()
            .rposition(|b| !matches!(b, b'"' | b'\'' | b',' | b'\\'))
            .map_or(0, |at| at + 1);
        if kept == end {
            break;
        }
        end = kept;
    }
    let rest = line.get(..end).unwrap_or_default();
    let start =
        rest.iter().rposition(|b| matches!(b, b' ' | b'\t' | b'"' | b'\'')).map_or(0, |at| at + 1);
    start..end
}

/// The state after a line that ends with a key, a flag or a sentence about a secret.
fn announced(line: &[u8], keys: &[usize]) -> Option<State> {
    let word = last_word(line);
    let text = line.get(word.clone())?;
    let before = line.get(..word.start)?;
    if matches!(text, b"-u" | b"--user") || line.trim_ascii_end().ends_with(b"&quot;-u&quot;,") {
        return Some(State::Value(Expected::UserPassword, 0));
    }
    let quoted = line.get(word.end).is_some_and(|b| matches!(b, b'"' | b'\''));
    let alone = quoted || before.trim_ascii_end().ends_with(b"-");
    if matches!(text, b"-p" | b"-P" | b"-a" | b"-w") {
        return alone.then_some(State::Value(Expected::Short, 0));
    }
    if before.ends_with(b"machine ") || (before.ends_with(b" login ") && holds(line, b"machine ")) {
        return Some(State::Value(Expected::Login, 1));
    }
    let hit = keys.iter().rev().find(|at| word.contains(at)).or_else(|| keys.last())?;
    if text.starts_with(b"-") && word.contains(hit) {
        let class = judge::key_class(text);
        return class.filter(|_| alone).map(|_| State::Value(Expected::Argument, 0));
    }
    let names = pair_before(before).is_some_and(|(key, _)| {
        matches!(key, b"name" | b"key" | b"option" | b"variable" | b"parameter" | b"property")
    });
    if names && judge::key_class(text).is_some() {
        return Some(State::Value(Expected::NamedValue, 2));
    }
    sentence(line, keys).then_some(State::Value(Expected::Word, 2))
}

fn holds(line: &[u8], what: &[u8]) -> bool {
    find(line, what).is_some()
}

/// The key of the pair whose value begins where `before` ends, and where that is without quotes: `"name": "` or `name: `.
fn pair_before(before: &[u8]) -> Option<(&[u8], usize)> {
    let bare = |text: &[u8]| {
        let last = text.iter().rposition(|b| !matches!(b, b'"' | b'\'' | b' ' | b'\t'));
        last.map_or(0, |at| at + 1)
    };
    let sign = bare(before);
    let rest = before.get(..sign)?.strip_suffix(b":")?;
    let rest = rest.get(..bare(rest))?;
    let width = rest.iter().rev().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
    Some((rest.get(rest.len() - width..)?, before.len()))
}

/// A line about a key or a password whose value comes next: it ends with a colon, or says that something was generated.
fn sentence(line: &[u8], keys: &[usize]) -> bool {
    let text = line.trim_ascii_end();
    let about = |hit: &usize| keyed::at(line, *hit).is_none_or(|keyed| keyed.value.is_none());
    let generated = text.len() >= 9
        && text.get(text.len() - 9..).is_some_and(|end| end.eq_ignore_ascii_case(b"generated"));
    (text.ends_with(b":") || generated) && keys.iter().any(about)
}

impl Expected {
    /// Where the value is on the line, if it is there.
    fn value(self, line: &[u8]) -> Option<Range<usize>> {
        let word = last_word(line);
        let text = line.get(word.clone())?;
        let before = line.get(..word.start)?;
        match self {
            Self::Word => {
                let before = before.get(view::lead_width(line, 0)..).unwrap_or_default();
                let alone = pair_before(before).is_none_or(|(key, _)| key.is_empty());
                let word = without_prefix(line, word);
                let text = line.get(word.clone())?;
                let fits = judge::is_mixed(text, 16) && judge::is_value(text) && is_word(text);
                (alone && fits).then_some(word)
            }
            Self::Argument => {
                let argument = text.strip_prefix(b"- ").unwrap_or(text);
                let fits = judge::is_value(argument) && !argument.starts_with(b"-");
                fits.then(|| whole(line, word))
            }
            Self::Short => (judge::is_argument(text) && judge::is_secret(Class::Named, text))
                .then(|| whole(line, word)),
            Self::Login => {
                let fits = before.ends_with(b"password ") && judge::is_value(text);
                fits.then_some(word)
            }
            // The colon of an earlier replacement parts no user from a password.
            Self::UserPassword if judge::holds_marker(text) => None,
            Self::UserPassword => {
                let colon = text.iter().position(|b| *b == b':')?;
                let password = text.get(colon + 1..)?;
                judge::is_value(password).then_some(word.start + colon + 1..word.end)
            }
            Self::NamedValue => {
                let word = whole(line, word);
                let (key, _) = pair_before(line.get(..word.start)?)?;
                let text = line.get(word.clone())?;
                let fits = judge::is_value(text) && !judge::is_state(text);
                (key.eq_ignore_ascii_case(b"value") && fits).then_some(word)
            }
        }
    }

    /// Whether the value may still come after a line without it.
    fn survives(self, line: &[u8]) -> bool {
        let word = last_word(line);
        match self {
            // An empty line, whatever a log puts in front of it.
            Self::Word => {
                let text = line.get(word.clone()).unwrap_or_default();
                word.start <= 40
                    && (text.is_empty() || text.ends_with(b"]") || text.ends_with(b":"))
                    || view::lead_width(line, 0) + 1 >= line.len()
            }
            Self::NamedValue => pair_before(line.get(..word.start).unwrap_or_default()).is_some(),
            Self::Login => line.get(..word.start).is_some_and(|b| b.ends_with(b"login ")),
            Self::Argument | Self::Short | Self::UserPassword => false,
        }
    }
}

/// The whole of a quoted text of which the last word is known.
fn whole(line: &[u8], word: Range<usize>) -> Range<usize> {
    let Some(quote) = line.get(word.end).filter(|b| matches!(b, b'"' | b'\'')) else { return word };
    let before = line.get(..word.start).unwrap_or_default();
    match before.iter().rposition(|b| b == quote) {
        Some(open) => open + 1..word.end,
        None => word,
    }
}

/// Whether a word has the characters of a key and of nothing else.
fn is_word(text: &[u8]) -> bool {
    text.iter()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'_' | b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(text: &str) -> Vec<String> {
        let mut state = State::default();
        let mut out = Vec::new();
        for line in text.lines() {
            let lower = line.to_ascii_lowercase();
            let mut keys: Vec<usize> = keyed::KEYWORDS
                .iter()
                .flat_map(|k| lower.match_indices(k).map(|(at, _)| at))
                .collect();
            keys.sort_unstable();
            let mut spans = Vec::new();
            state.step(line.as_bytes(), &keys, &mut spans);
            state.open(line.as_bytes(), &mut spans);
            out.extend(spans.into_iter().filter_map(|s| line.get(s.range).map(str::to_owned)));
        }
        out
    }

    fn frame(word: &str) -> String {
        format!("-----{word} RSA {} KEY-----", "PRIVATE")
    }

    const WIDE: &str = "AbcdEFGH1234AbcdEFGH1234";

    #[test]
    fn a_private_key_is_followed_through_log_prefixes_to_its_short_last_line() {
        let text = format!(
            "p | {}\np | {WIDE}\np | {WIDE}\np | abcd==\np | {}\nword",
            frame("BEGIN"),
            frame("END")
        );
        assert_eq!(secrets(&text), [WIDE, WIDE, "abcd=="]);
    }

    #[test]
    fn a_private_key_without_an_end_stops_at_the_first_line_that_does_not_fit() {
        let text = format!("{}\n{WIDE}\nabc=\nDone and well.\n{WIDE}", frame("BEGIN"));
        assert_eq!(secrets(&text), [WIDE, "abc="]);
    }

    #[test]
    fn what_a_first_look_left_is_no_part_of_the_block_at_a_second_one() {
        let done = "[redacted:private-key]";
        for left in [WIDE, "Done\nand well\n"] {
            let text = format!("{}\n{done}\n{done}\n{left}\n{WIDE}", frame("BEGIN"));
            assert!(secrets(&text).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_private_key_that_begins_on_the_line_of_its_frame_is_followed() {
        let text = format!("{}{WIDE}\n{WIDE}\n{WIDE}\n{}", frame("BEGIN"), frame("END"));
        assert_eq!(secrets(&text), [WIDE; 3]);
    }

    #[test]
    fn a_private_key_on_one_line_is_found_between_its_frames() {
        let text = format!("\"{}\\n{WIDE}\\n{}\"", frame("BEGIN"), frame("END"));
        assert_eq!(secrets(&text), [format!("\\n{WIDE}\\n")]);
    }

    #[test]
    fn a_masked_key_and_a_certificate_stay() {
        assert!(secrets(&format!("{}\n***\n{}", frame("BEGIN"), frame("END"))).is_empty());
        assert!(secrets(&format!("-----BEGIN CERTIFICATE-----\n{WIDE}\n")).is_empty());
    }

    #[test]
    fn a_vault_block_is_found_to_its_last_line() {
        let hex = "0123456789abcdef0123456789abcdef";
        let text = format!("$ANSIBLE_VAULT;1.1;AES256\n  {hex}\n  {hex}\n  0123\nnext: 1");
        assert_eq!(secrets(&text), [hex, hex, "0123"]);
    }

    #[test]
    fn a_value_on_the_line_below_is_found() {
        assert_eq!(secrets("your admin password:\nabcd1234efgh5678x"), ["abcd1234efgh5678x"]);
        assert_eq!(secrets("  \"--password\",\n  \"hunter22x\","), ["hunter22x"]);
        assert_eq!(secrets("  \"-u\",\n  \"deploy:hunter22x\","), ["hunter22x"]);
        assert_eq!(secrets("- name: DB_PASSWORD\n  value: hunter22x"), ["hunter22x"]);
        assert!(secrets("  \"-u\",\n x[redacted:known-value]-more1").is_empty());
        assert!(secrets("your password:\n[redacted:next-line#1]\nabcd1234efgh5678x").is_empty());
        assert!(secrets("your password:\nis not what you think").is_empty());
    }
}
