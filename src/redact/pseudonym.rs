//! Pseudonyms for what is no secret and still nobody's business: hosts, users, addresses. `host-271828` is one host in every file of a run.
//!
//! The number is a keyed hash of the name, so there is no map that could be stored or lost. It hides no secret values.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use aho_corasick::{AhoCorasick, MatchKind};

use super::Counts;
use super::number::Numbers;
use super::rules;
use super::span;
use super::view;

/// Shortest name that gets a pseudonym, in characters.
const NAME_MIN: usize = 3;
/// Most names that are known.
const NAMES_MAX: usize = 10_000;
/// Names that say nothing about anybody.
const COMMON: &[&str] = &[
    "localhost",
    "local",
    "runner",
    "root",
    "admin",
    "ubuntu",
    "github",
    "github.com",
    "api.github.com",
    "actions",
    "nobody",
    "docker",
    "host",
    "hosts",
    "user",
    "deploy",
    "production",
    "staging",
    "primary",
    "secondary",
    "none",
    "unknown",
    "all",
    "127.0.0.1",
    "changed",
    "skipping",
    "failed",
    "fatal",
    "unreachable",
];
/// What Ansible writes in front of the name of a host.
const STATES: &[&str] = &[
    "ok: [",
    "changed: [",
    "fatal: [",
    "failed: [",
    "skipping: [",
    "unreachable: [",
    "rescued: [",
    "ignored: [",
    "included: [",
];

/// For whom the texts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Profile {
    /// The people who run the machines: nothing gets a pseudonym.
    #[default]
    Internal,
    /// A vendor: hosts, users and addresses get one.
    ShareWithVendor,
    /// Everybody: e-mail addresses and hardware addresses get one as well.
    Public,
}

impl Profile {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::ShareWithVendor => "share-with-vendor",
            Self::Public => "public",
        }
    }
}

/// The names that get a pseudonym in a run; every text may add some.
#[derive(Default)]
pub(super) struct Pseudonyms(RwLock<Option<Arc<Names>>>);

impl Pseudonyms {
    /// Gives pseudonyms from now on, to these names as well. The strictest profile of all calls holds.
    pub(super) fn share(&self, profile: Profile, hosts: &[String], users: &[String]) {
        let mut names = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let now = names.as_ref().map_or(profile, |earlier| profile.max(earlier.profile));
        if now == Profile::Internal {
            return;
        }
        let empty = || Arc::new(Names::new(now, BTreeSet::new(), BTreeSet::new()));
        let earlier = names.take().unwrap_or_else(empty);
        *names = Some(Arc::new(earlier.with(now, hosts, users)));
    }

    /// Adds the hosts that Ansible names in a text: they may stand elsewhere without the words around them.
    pub(super) fn learn(&self, text: &str) {
        let Some(names) = self.now() else { return };
        let new = hosts_in(text).into_iter().filter(|name| !names.hosts.contains(name));
        let new: Vec<String> = new.collect();
        if !new.is_empty() && names.hosts.len() < NAMES_MAX {
            self.share(Profile::Internal, &new, &[]);
        }
    }

    /// The names as they are now; `None` when nothing gets a pseudonym.
    pub(super) fn now(&self) -> Option<Arc<Names>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn profile(&self) -> Profile {
        self.now().map_or(Profile::Internal, |names| names.profile)
    }
}

/// The names that get a pseudonym.
pub(super) struct Names {
    profile: Profile,
    hosts: BTreeSet<String>,
    users: BTreeSet<String>,
    automaton: Option<AhoCorasick>,
}

/// A place that gets a pseudonym: its kind, and the name in the form in which it is compared.
struct Found {
    range: Range<usize>,
    kind: &'static str,
    name: String,
}

impl Names {
    fn new(profile: Profile, hosts: BTreeSet<String>, users: BTreeSet<String>) -> Self {
        let all = hosts.iter().chain(&users);
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .ascii_case_insensitive(true)
            .build(all)
            .ok()
            .filter(|_| !hosts.is_empty() || !users.is_empty());
        Self { profile, hosts, users, automaton }
    }

    /// The same with more names.
    fn with(&self, profile: Profile, hosts: &[String], users: &[String]) -> Self {
        let more = |known: &BTreeSet<String>, new: &[String]| {
            let new = new.iter().map(|n| n.trim().to_ascii_lowercase()).filter(|n| is_name(n));
            known.iter().cloned().chain(new).take(NAMES_MAX).collect::<BTreeSet<String>>()
        };
        let hosts = more(&self.hosts, hosts);
        let users = more(&self.users, users).difference(&hosts).cloned().collect();
        Self::new(profile, hosts, users)
    }

    /// The text with pseudonyms.
    pub(super) fn replace(&self, text: String, numbers: &Numbers, counts: &mut Counts) -> String {
        let mut found = Vec::new();
        let visible = visible(&text);
        self.known(&visible, &mut found);
        ansible(&visible, &mut found);
        shapes(&visible, self.profile, &mut found);
        if found.is_empty() {
            return text;
        }
        found.sort_by_key(|f| (f.range.start, usize::MAX - f.range.end));
        let markers = span::markers(text.as_bytes(), rules::is_id);
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for one in found {
            let inside = span::holds(&markers, one.range.start);
            let Some(before) = text.get(at..one.range.start).filter(|_| !inside) else { continue };
            out.push_str(before);
            // Without a number all of a kind are one, and still none is named.
            let number = numbers.of(&one.name).unwrap_or_default();
            out.extend([one.kind, "-", &number.to_string()]);
            *counts.entry(format!("pseudonym-{}", one.kind)).or_default() += 1;
            at = one.range.end;
        }
        out.push_str(text.get(at..).unwrap_or_default());
        out
    }

    fn known(&self, text: &str, found: &mut Vec<Found>) {
        let Some(automaton) = &self.automaton else { return };
        for hit in automaton.find_iter(text).filter(|hit| stands_alone(text, &hit.range())) {
            let name = text.get(hit.range()).unwrap_or_default().to_ascii_lowercase();
            let kind = if self.hosts.contains(&name) { "host" } else { "user" };
            found.push(Found { range: hit.range(), kind, name });
        }
    }
}

/// The text with spaces where colour codes and the line ends of JSON strings are: their letters are no part of the name behind them.
fn visible(text: &str) -> String {
    let mut bytes = view::blanked(text.as_bytes());
    let mut at = 0;
    while let Some(start) = memchr::memchr(b'\\', bytes.get(at..).unwrap_or_default()) {
        let start = at + start;
        let rest = bytes.get(start..).unwrap_or_default();
        let escapes = rest.iter().take_while(|byte| **byte == b'\\').count();
        at = start + escapes;
        if let Some(b'n' | b'r' | b't') = bytes.get(at)
            && let Some(escape) = bytes.get_mut(start..=at)
        {
            escape.fill(b' ');
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// The hosts that Ansible names in a text: results of tasks and the recap.
fn hosts_in(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    ansible(&visible(text), &mut found);
    let mut names: Vec<String> = found.into_iter().map(|f| f.name).collect();
    names.sort();
    names.dedup();
    names
}

fn ansible(text: &str, found: &mut Vec<Found>) {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        for state in STATES {
            let Some(at) = line.find(state).map(|at| at + state.len()) else { continue };
            let rest = line.get(at..).unwrap_or_default();
            let ends = |c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c));
            let width = rest.find(ends).unwrap_or(rest.len());
            push_host(rest.get(..width).unwrap_or_default(), start + at, found);
        }
        let head = |at| line.get(..at)?.trim_end().strip_suffix(':');
        if let Some(head) = line.match_indices("ok=").find_map(|(at, _)| head(at)) {
            let name = head.trim_end();
            let at = name.rfind(char::is_whitespace).map_or(0, |at| at + 1);
            push_host(name.get(at..).unwrap_or_default(), start + at, found);
        }
        start += line.len();
    }
}

fn push_host(name: &str, at: usize, found: &mut Vec<Found>) {
    let lower = name.to_ascii_lowercase();
    let plain = lower.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    if plain && is_name(&lower) && lower.parse::<IpAddr>().is_err() {
        found.push(Found { range: at..at + name.len(), kind: "host", name: lower });
    }
}

/// Whether a name tells anything and is no pseudonym itself.
fn is_name(name: &str) -> bool {
    let pseudonym = ["host-", "user-", "ip-"]
        .iter()
        .any(|kind| name.strip_prefix(kind).is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit())));
    name.chars().count() >= NAME_MIN
        && !pseudonym
        && !COMMON.contains(&name)
        && !name.bytes().all(|b| b.is_ascii_digit())
}

/// Whether no letter or digit goes on before or after it.
fn stands_alone(text: &str, range: &Range<usize>) -> bool {
    let goes_on = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let before = text.get(..range.start).and_then(|t| t.chars().next_back());
    let after = text.get(range.end..).and_then(|t| t.chars().next());
    !before.is_some_and(goes_on) && !after.is_some_and(goes_on)
}

/// Addresses by their shape.
fn shapes(text: &str, profile: Profile, found: &mut Vec<Found>) {
    let is_part = |c: char| c.is_ascii_alphanumeric() || ".:_-@+%".contains(c);
    let mut at = 0;
    while let Some(step) = text.get(at..).and_then(|rest| rest.find(is_part)) {
        let start = at + step;
        let rest = text.get(start..).unwrap_or_default();
        let width = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        word(rest.get(..width).unwrap_or_default(), start, profile, found);
        at = start + width;
    }
}

fn word(word: &str, start: usize, profile: Profile, found: &mut Vec<Found>) {
    let push = |range: Range<usize>, kind, name: String, found: &mut Vec<Found>| {
        found.push(Found { range: start + range.start..start + range.end, kind, name });
    };
    if profile == Profile::Public && is_mail(word) {
        return push(0..word.len(), "email", word.to_ascii_lowercase(), found);
    }
    if profile == Profile::Public && is_hardware(word) {
        return push(0..word.len(), "mac", word.to_ascii_lowercase(), found);
    }
    let bare = word.trim_matches(['.', ':', '-']);
    if let Some(ip) = version_6(bare) {
        let at = word.len() - word.trim_start_matches(['.', ':', '-']).len();
        return push(at..at + bare.len(), "ip", ip, found);
    }
    // What is left are IPv4 addresses, with a user before them or a port behind.
    let digit = |c: char| c.is_ascii_digit() || c == '.';
    let mut at = 0;
    for part in word.split(|c: char| !digit(c)) {
        let range = at..at + part.len();
        at += part.len() + 1;
        let ip = part.trim_end_matches('.');
        let alone = stands_alone(word, &range);
        let parsed = ip.parse::<std::net::Ipv4Addr>().ok();
        if let Some(ip4) = parsed.filter(|a| alone && is_telling(IpAddr::V4(*a))) {
            push(range.start..range.start + ip.len(), "ip", ip4.to_string(), found);
        }
    }
}

fn version_6(text: &str) -> Option<String> {
    let groups = text.split(':').filter(|group| !group.is_empty()).count();
    let tells = groups >= 3 && text.bytes().any(|b| b.is_ascii_digit());
    let address: std::net::Ipv6Addr = text.parse().ok().filter(|_| tells)?;
    is_telling(IpAddr::V6(address)).then(|| address.to_string())
}

/// Whether an address says which machine it is: no loopback, no wildcard, not the one of every cloud's metadata.
fn is_telling(address: IpAddr) -> bool {
    let everywhere = [[255, 255, 255, 255], [169, 254, 169, 254]].map(IpAddr::from);
    !address.is_loopback() && !address.is_unspecified() && !everywhere.contains(&address)
}

fn is_mail(word: &str) -> bool {
    word.trim_end_matches('.').split_once('@').is_some_and(|(user, domain)| {
        let part = |p: &str| !p.is_empty() && !p.contains(['@', ':']);
        part(user) && part(domain) && domain.contains('.') && !domain.starts_with('.')
    })
}

fn is_hardware(word: &str) -> bool {
    let pair = |p: &str| p.len() == 2 && p.bytes().all(|b| b.is_ascii_hexdigit());
    word.len() == 17 && (word.split(':').all(pair) || word.split('-').all(pair))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::Redactor;

    #[test]
    fn a_name_behind_an_escaped_line_end_is_a_name() {
        let redactor = Redactor::new(&[]);
        redactor.share(Profile::ShareWithVendor, &["web-eu-7".to_owned()], &["jdoe".to_owned()]);
        let text = r#"{"msg": "no\nweb-eu-7\r\nby jdoe\\njdoe\t10.20.30.40\n"}"#;
        let out = redactor.redact(text).into_string();
        for name in ["web-eu-7", "jdoe", "10.20.30.40"] {
            assert!(!out.contains(name), "{name}: {out:?}");
        }
        assert!(out.starts_with(r#"{"msg": "no\nhost-"#) && out.ends_with(r#"\n"}"#), "{out}");
    }

    #[test]
    fn colours_hide_no_name_and_no_address() {
        let redactor = Redactor::new(&[]);
        redactor.share(Profile::Public, &["web-eu-7".to_owned()], &[]);
        let recap = "\u{1b}[0;31mdb-eu-1\u{1b}[0m      : \u{1b}[0;32mok=2   \u{1b}[0m changed=1\n";
        let text = format!(
            "{recap}\u{1b}[31mweb-eu-7\u{1b}[0m \u{1b}[31m10.20.30.40\u{1b}[0m \u{1b}[1mann@example.test\u{1b}[0m \\u001b[0;31mdb-eu-1\\u001b[0m"
        );
        let out = redactor.redact(&text).into_string();
        for name in ["db-eu-1", "web-eu-7", "10.20.30.40", "ann@example.test"] {
            assert!(!out.contains(name), "{name}: {out:?}");
        }
        let codes = |text: &str| text.matches("[0;31m").count();
        assert_eq!(codes(&out), codes(&text), "the colours stay: {out:?}");
        assert_eq!(redactor.redact(&out).as_str(), out);
    }
}
