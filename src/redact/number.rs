//! The numbers behind replacements: equal values get equal numbers, and nobody who sees a number can guess the value.
//!
//! A number is a keyed hash, so parallel redactions agree without speaking to each other. The key never leaves this file.

use ring::hmac::{self, HMAC_SHA256, Key};
use ring::rand::{SecureRandom as _, SystemRandom};

use super::judge;
use super::redacted::Known;
use super::span::Place;

/// Numbers are smaller than this: few digits tell little of the hash, and are easy to compare by eye.
const BOUND: u64 = 1_000_000;
/// Shortest known value, in characters, that a key may be made of: a guess of it costs more than a guess of what the number stands for.
const KEY_MIN: usize = 20;
/// Separates the key from any other use of the same values.
const PURPOSE: &[u8] = b"runner-guard numbers of equal values, version 1";

/// Gives out the numbers of a run. Without randomness and without a long known value there are none.
pub(super) struct Numbers(Option<Key>);

impl Numbers {
    /// A key of the known values when one of them is long, so that a run can be repeated exactly; else a random one.
    pub(super) fn new(known: &[Known]) -> Self {
        Self(of_values(known).or_else(random))
    }

    /// The number of a value.
    pub(super) fn of(&self, value: &str) -> Option<u32> {
        let tag = hmac::sign(self.0.as_ref()?, value.trim().as_bytes());
        let head: [u8; 8] = tag.as_ref().get(..8)?.try_into().ok()?;
        u32::try_from(u64::from_be_bytes(head) % BOUND).ok()
    }

    /// Gives a number to every place that has none yet.
    pub(super) fn fill(&self, text: &str, places: &mut [Place]) {
        for place in places.iter_mut().filter(|place| place.number.is_none()) {
            place.number = text.get(place.range.clone()).and_then(|value| self.of(value));
        }
    }
}

fn of_values(known: &[Known]) -> Option<Key> {
    let is_long = |k: &&Known| k.value().chars().count() >= KEY_MIN && !judge::is_common(k.value());
    let mut values: Vec<&str> = known.iter().filter(is_long).map(Known::value).collect();
    if values.is_empty() {
        return None;
    }
    values.sort_unstable();
    values.dedup();
    let mut all = hmac::Context::with_key(&Key::new(HMAC_SHA256, PURPOSE));
    for value in values {
        all.update(&(value.len() as u64).to_be_bytes());
        all.update(value.as_bytes());
    }
    Some(Key::new(HMAC_SHA256, all.sign().as_ref()))
}

fn random() -> Option<Key> {
    let mut bytes = [0_u8; 32];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(Key::new(HMAC_SHA256, &bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: &str = "correct-horse-battery-staple";

    #[test]
    fn runs_with_the_same_long_value_give_the_same_numbers() {
        let of = |value: &str| Numbers::new(&[Known::new("A", value)]).of("hunter2");
        assert_eq!(of(LONG), of(LONG));
        assert_ne!(of(LONG), of("another-horse-battery-staple"));
    }

    #[test]
    fn without_a_long_value_two_runs_share_no_numbers() {
        let values: Vec<String> = (0..8).map(|n| format!("value {n}")).collect();
        let run = |known: &[Known]| -> Vec<Option<u32>> {
            let numbers = Numbers::new(known);
            values.iter().map(|value| numbers.of(value)).collect()
        };
        assert_ne!(run(&[]), run(&[]));
        let short = [Known::new("A", "swordfish")];
        assert_ne!(run(&short), run(&short));
    }

    #[test]
    fn a_number_has_at_most_six_digits_and_tells_values_apart() {
        let numbers = Numbers::new(&[]);
        let all: std::collections::BTreeSet<u32> =
            (0..200).filter_map(|n| numbers.of(&n.to_string())).collect();
        assert!(all.len() > 195 && all.iter().all(|n| *n < 1_000_000), "{all:?}");
    }
}
