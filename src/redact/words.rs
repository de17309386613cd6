//! The word lists behind the judgement on keys and values: lower case, separated by spaces. And the words of a key.
//!
//! Words only; what they mean for a key or a value is decided elsewhere.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Last words of keys that describe a secret and do not hold it.
pub(super) static DESCRIBING: Words = LazyLock::new(|| {
    words(
        "\
    file files path paths dir name names id ids url urls uri ttl length len type types keytype policy \
    policies expires expiry expiration expire in count limit max min size encryption encrypted required \
    enabled disabled rotation auth authentication reset prompt provider manager source sources scope \
    scopes version alg algorithm format hint field env var status error errors usage host port user \
    username client server endpoint arn ref store class mode method age date at time timeout refresh \
    cache mount engine public pub budget permissions authenticator generator rule rules check stdin \
    helper complexity history change changed lock lockout strength quality index set exists valid \
    audience issuer subject header headers prefix suffix column kind service process handler factory parser validator validation fingerprint \
    fingerprints label labels annotation description help title update add create task role",
    )
});

/// Words in front of `key` that make it a secret.
pub(super) static KEY_OF: Words = LazyLock::new(|| {
    words(
        "\
    api access secret private client account master encryption signing integration routing app auth \
    shared storage license deploy service session webhook crypto vault unseal recovery ssl tls \
    application",
    )
});

/// Words in front of `token` or `secret` that make it one of an interface, and no other thing such as an object of that name.
pub(super) static INTERFACE: Words = LazyLock::new(|| {
    words(
        "\
    api access auth refresh bearer session deploy bot vault github gh gitlab npm slack oauth personal jwt \
    client app application webhook hmac consumer signing encryption admin root private cookie",
    )
});

/// Words that say what kind of thing a value is, and nothing of the value.
pub(super) static KINDS: Words = LazyLock::new(|| {
    words(
        "\
    your my the a an api access auth client token tokens secret secrets key keys value here name id user \
    only header cookie session app config env file json jwt oauth mode managed base64 encoded example \
    new old this github gitlab cloud service account authorization authentication type url \
    pass password passwd passphrase &str",
    )
});

/// Words in front of `key` that make it public or a mere index.
pub(super) static KEY_NOT_OF: Words = LazyLock::new(|| {
    words(
        "\
    cache public pub host primary foreign sort partition object kms idempotency group hash unique ssh \
    gpg registry path email restore map dedup dict json config row lock",
    )
});

/// Values that stand for a secret that is not there.
pub(super) static ABSENT: Words = LazyLock::new(|| {
    words(
        "\
    bearer basic negotiate digest required optional none null nil true false yes no on off empty missing \
    invalid incorrect expired changed unset set present absent string undefined masked hidden redacted \
    given provided not unknown denied failed inherit str text bytes object number boolean bool prompt \
    ask default omitted placeholder read write admin error ok is was for from must and or \
    value_specified_in_no_log_parameter configured found supplied used in using with has sensitive amd64 arm64",
    )
});

/// Values that are everywhere.
pub(super) static COMMON: Words = LazyLock::new(|| {
    words(
        "\
    true false null none prod production main master stage staging test testing develop development \
    local localhost root admin user deploy runner github actions default info debug error warn warning \
    latest linux ubuntu http https auto always never name value password secret token changed failed \
    success failure host port disabled enabled yes undefined 127.0.0.1 0.0.0.0",
    )
});

/// A list of words.
pub(super) type Words = LazyLock<HashSet<&'static [u8]>>;

/// Longest word of a list, in bytes.
const LONGEST: usize = 48;

fn words(list: &'static str) -> HashSet<&'static [u8]> {
    list.split(' ').map(str::as_bytes).collect()
}

/// Whether a list holds a word, whatever the case of the word.
pub(super) fn has(list: &Words, word: &[u8]) -> bool {
    let mut lower = [0; LONGEST];
    let Some(lower) = lower.get_mut(..word.len()) else { return false };
    lower.copy_from_slice(word);
    lower.make_ascii_lowercase();
    list.contains(&*lower)
}

/// The words of a key in lower case: cut at punctuation, at digits' ends and where the case changes.
pub(super) struct KeyWords {
    /// One behind the other.
    letters: String,
    ends: Vec<usize>,
}

impl KeyWords {
    /// Takes a key apart.
    pub(super) fn of(key: &[u8]) -> Self {
        let (mut letters, mut ends) = (String::with_capacity(key.len()), Vec::new());
        let mut before = b'A';
        for (index, byte) in key.iter().enumerate() {
            let next_is_lower = key.get(index + 1).is_some_and(u8::is_ascii_lowercase);
            let new_word = byte.is_ascii_uppercase()
                && (before.is_ascii_lowercase() || (next_is_lower && before.is_ascii_uppercase()));
            if new_word || !byte.is_ascii_alphanumeric() {
                ends.push(letters.len());
            }
            if byte.is_ascii_alphabetic() {
                letters.push(char::from(byte.to_ascii_lowercase()));
            }
            before = *byte;
        }
        ends.push(letters.len());
        // An end where nothing was added is that of no word.
        ends.dedup();
        ends.retain(|end| *end > 0);
        Self { letters, ends }
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The word at this place, or nothing behind the last.
    pub(super) fn get(&self, index: usize) -> &str {
        let start = index.checked_sub(1).and_then(|i| self.ends.get(i)).copied().unwrap_or(0);
        let end = self.ends.get(index).copied().unwrap_or(start);
        self.letters.get(start..end).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_words_with_single_spaces_between_them() {
        for list in [&DESCRIBING, &KEY_OF, &INTERFACE, &KINDS, &KEY_NOT_OF, &ABSENT, &COMMON] {
            for word in list.iter() {
                assert!((1..LONGEST).contains(&word.len()) && **word == *word.to_ascii_lowercase());
            }
        }
        assert!(has(&ABSENT, b"Required"));
        assert!(!has(&ABSENT, b"requir"));
    }
}
