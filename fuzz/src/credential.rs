//! Values of secrets read as what they should be: keys, certificates, tokens, documents.
//!
//! An input is: one byte (the kind), the value.

use runner_guard::config::SecretKind;
use runner_guard::source::credential::{expiration, public_half, read, read_end};

/// Panics when a reader breaks a promise on this value.
pub fn check(data: &[u8]) {
    let [kind, value @ ..] = data else { return };
    let value = String::from_utf8_lossy(value);
    // A document that ends too early is wrong in the line after its last one.
    let lines = value.split(['\n', '\r']).count();
    let words = SecretKind::WORDS;
    let kind = SecretKind::parse(words[usize::from(*kind) % words.len()]).expect("a known word");
    for reading in [read(kind, &value), read_end(kind, &value)] {
        for flaw in &reading.flaws {
            assert!(flaw.line.is_none_or(|line| (1..=lines + 1).contains(&line)), "{flaw:?}");
        }
        assert!(reading.flaws.is_sorted_by_key(|flaw| flaw.grade), "{:?}", reading.flaws);
        assert_eq!(reading.first_end().is_some(), !reading.ends.is_empty());
    }
    public_half(&value);
    expiration(&value);
}
