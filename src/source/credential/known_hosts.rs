//! Host keys as `ssh-keyscan` prints them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::text::heal;
use super::{Flaw, Grade, Reading, ssh};

/// Lines of `known_hosts`.
pub(super) fn read(value: &str) -> Reading {
    let healed = heal(value, Grade::Doubtful);
    let mut reading = Reading::of("host keys");
    let lines = healed.text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    let mut count = 0_usize;
    for (at, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        count += 1;
        if let Err(wrong) = entry(line) {
            reading.flaws.push(Flaw::broken(wrong).at(at));
        }
    }
    if count == 0 {
        reading.flaws.push(Flaw::broken("holds no host key, only comments"));
    }
    reading.flaws.truncate(3);
    reading.after(healed.flaws)
}

fn entry(line: &str) -> Result<(), &'static str> {
    let mut words = line.split_whitespace();
    let mut hosts = words.next().unwrap_or_default();
    if hosts.starts_with('@') {
        if !matches!(hosts, "@cert-authority" | "@revoked") {
            return Err("has a marker that ssh does not know");
        }
        hosts = words.next().unwrap_or_default();
    }
    if ssh::is_kind(hosts) {
        return Err("has a key without a host before it, as in a .pub file");
    }
    let hashed = hosts.strip_prefix("|1|");
    if hashed
        .is_some_and(|rest| rest.split('|').filter(|p| STANDARD.decode(p).is_ok()).count() != 2)
    {
        return Err("has a hashed host that is cut or damaged");
    }
    let (Some(kind), Some(key)) = (words.next(), words.next()) else {
        return Err("has not the three parts host, kind and key");
    };
    if !ssh::is_kind(kind) {
        return Err("has a kind of key that ssh does not know");
    }
    if ssh::is_key(kind, key) { Ok(()) } else { Err("has a key that is cut or damaged") }
}
