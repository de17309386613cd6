//! Tells secrets from what only stands where a secret could stand: placeholders, names, paths, prose, code.
//!
//! Pure judgement on one key or one value; it finds nothing by itself.

use super::span::OPEN;
use super::words;

/// How much a key says about its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// A password: the value is secret whatever it looks like.
    Password,
    /// `pass` or `pw` alone, which may be a result of a test as well: the value is secret if it is quoted or looks like one.
    Terse,
    /// The token or key of an interface, which holds no name of another thing: the value is secret unless it is one plain word.
    Named,
    /// A token or a key with a telling name: the value is secret unless it looks like a name.
    Secret,
    /// Some key: the value is secret if it looks like one.
    Weak,
}

/// The class of a key such as `DB_PASSWORD`, `apiKey` or `ansible_become_pass`; nothing when its value is no secret.
pub(super) fn key_class(key: &[u8]) -> Option<Class> {
    let words = words::KeyWords::of(key);
    let mut class = None;
    let mut after = 0;
    for index in 0..words.len() {
        let before = index.checked_sub(1).map_or("", |before| words.get(before));
        let next = words.get(index + 1);
        if let Some(found) = word_class(words.get(index), before, next, words.len()) {
            class = Some(found);
            after = index + 1;
        }
    }
    let class = class?;
    let mut rest = (after..words.len()).map(|index| words.get(index));
    let describes =
        words.len() - after > 3 || rest.any(|w| words::has(&words::DESCRIBING, w.as_bytes()));
    let counts = matches!(words.get(0), "max" | "min" | "num" | "n" | "no" | "is" | "has" | "use");
    (!describes && !counts).then_some(class)
}

fn word_class(word: &str, before: &str, next: &str, count: usize) -> Option<Class> {
    if matches!(word, "nopasswd" | "nopassword" | "libsecret") {
        return None;
    }
    let ends = |ends: &[&str]| ends.iter().any(|end| word.ends_with(end));
    if ends(&[
        "password",
        "passwd",
        "passphrase",
        "passwort",
        "pwd",
        "storepass",
        "keypass",
        "rootpass",
        "dbpass",
        "adminpass",
    ]) {
        return Some(Class::Password);
    }
    if matches!(word, "pass" | "pw") {
        let counted =
            matches!(before, "one" | "two" | "first" | "second" | "single" | "by" | "to" | "multi");
        let class = if count > 1 { Class::Password } else { Class::Terse };
        return Some(class).filter(|_| !counted);
    }
    if ends(&["secret", "token"]) {
        let of_interface = words::has(&words::INTERFACE, before.as_bytes());
        let named = of_interface && !(word == "secret" && before == "auth");
        return Some(if named { Class::Named } else { Class::Secret });
    }
    if ends(&["apikey", "accesskey", "secretkey"]) {
        return Some(Class::Named);
    }
    if ends(&["credential", "credentials", "privatekey", "authkey", "psk"])
        || word == "pat" && count > 1
        || word == "login" && before == "sonar"
        || word == "base" && before == "key"
    {
        return Some(Class::Secret);
    }
    if word != "key"
        || before.is_empty()
        || next == "base"
        || words::has(&words::KEY_NOT_OF, before.as_bytes())
    {
        return None;
    }
    match before {
        "api" | "access" | "secret" | "encryption" | "signing" => Some(Class::Named),
        _ if words::has(&words::KEY_OF, before.as_bytes()) => Some(Class::Secret),
        _ => Some(Class::Weak),
    }
}

/// Whether a value is a placeholder: a mask, a variable, a template, a word such as `required`.
pub(super) fn is_placeholder(value: &[u8]) -> bool {
    let value = value.trim_ascii();
    let masks = value.iter().all(|b| {
        matches!(
            b,
            b'*' | b'x'
                | b'X'
                | b'.'
                | b'-'
                | b'_'
                | b'#'
                | b'?'
                | b'%'
                | b'='
                | b'+'
                | b':'
                | b','
        )
    });
    let opens: &[&[u8]] = &[
        b"${",
        b"$(",
        b"{{",
        b"<",
        b"%(",
        b"%{",
        b"((",
        b"(",
        b"[redacted",
        b"[REDACTED",
        b"[hidden",
        b"[masked",
        b"***",
        b"{",
        b"!vault",
        b"!secret",
        b"secrets.",
        b"vars.",
        b"env.",
        b"inputs.",
        b"process.env",
        b"os.environ",
        b"os.getenv",
        b"@vault",
        b"lookup(",
    ];
    let variable = matches!(value, [b'$', first, rest @ ..] if (first.is_ascii_uppercase() || *first == b'_') && rest.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_'));
    let windows = matches!(value, [b'%', inner @ .., b'%'] if inner.iter().all(|b| b.is_ascii_uppercase() || *b == b'_'));
    let word = value.strip_suffix(b".").unwrap_or(value);
    masks
        || variable
        || windows
        || opens.iter().any(|open| value.starts_with(open))
        || is_absent(word)
        || is_kind(word)
        || holds_marker(value)
}

/// `your_password`, `my-api-key`, `password]`: words that say what would stand there.
fn is_kind(value: &[u8]) -> bool {
    let end = value.iter().rposition(|b| !matches!(b, b']' | b')' | b'}' | b'>'));
    let mut parts = value.get(..end.map_or(0, |at| at + 1)).unwrap_or_default();
    let mut words = 0;
    while let Some(at) = parts.iter().position(|b| matches!(b, b'-' | b'_')) {
        if !words::has(&words::KINDS, parts.get(..at).unwrap_or_default()) {
            return false;
        }
        words += 1;
        parts = parts.get(at + 1..).unwrap_or_default();
    }
    words < 8 && words::has(&words::KINDS, parts)
}

fn is_absent(word: &[u8]) -> bool {
    words::has(&words::ABSENT, word)
}

/// Whether a value was replaced before, in part or whole.
pub(super) fn holds_marker(value: &[u8]) -> bool {
    value.windows(OPEN.len()).any(|w| w == OPEN.as_bytes())
}

/// Whether a value holds a letter and a digit and is at least `shortest` bytes long.
pub(super) fn is_mixed(value: &[u8], shortest: usize) -> bool {
    value.len() >= shortest
        && value.iter().any(u8::is_ascii_alphabetic)
        && value.iter().any(u8::is_ascii_digit)
}

/// Whether a value is a UUID in its usual form.
pub(super) fn is_uuid(value: &[u8]) -> bool {
    let dash = |at: usize| matches!(at, 8 | 13 | 18 | 23);
    value.len() == 36
        && value
            .iter()
            .enumerate()
            .all(|(at, b)| if dash(at) { *b == b'-' } else { b.is_ascii_hexdigit() })
}

/// Whether a value looks as if it was made by chance: letters and digits, or letters whose case changes often.
pub(super) fn is_scrambled(value: &[u8], shortest: usize) -> bool {
    is_mixed(value, shortest) || value.len() >= shortest && has_mixed_case(value)
}

/// Whether an argument of a command is one that is hidden: no number, no port or host, no path, no option.
pub(super) fn is_argument(value: &[u8]) -> bool {
    let number =
        value.iter().all(|b| b.is_ascii_digit() || matches!(b, b':' | b'.' | b'-' | b';' | b','));
    is_value(value) && !number && !value.starts_with(b"-") && !is_path(value)
}

/// Whether a value without the help of a key looks like a secret: nothing that [`is_secret`] excludes.
pub(super) fn is_value(value: &[u8]) -> bool {
    value.len() >= 3 && !is_placeholder(value) && !is_name(value)
}

/// Whether a value under a key of this class is a secret.
pub(super) fn is_secret(class: Class, value: &[u8]) -> bool {
    let head = value.get(..value.len().min(512)).unwrap_or_default();
    if is_placeholder(head) || is_name(head) || is_path(head) || is_code(head) {
        return false;
    }
    match class {
        Class::Password => value.len() >= 3 && !is_sentence(head),
        Class::Named if value.len() >= 8 && is_joined(head) => true,
        Class::Secret | Class::Terse | Class::Named => {
            value.len() >= 6 && !head.contains(&b' ') && looks_random(head)
        }
        Class::Weak => is_mixed(head, 16) && !head.contains(&b' ') && looks_random(head),
    }
}

/// `PROD_DB_PASSWORD`, `YOUR_TOKEN_HERE`: the name of a secret.
fn is_name(value: &[u8]) -> bool {
    let screams = value.contains(&b'_')
        && value.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_');
    let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
    let telling: &[&[u8]] = &[b"PASS", b"TOKEN", b"SECRET", b"KEY"];
    screams && (digits == 0 || telling.iter().any(|w| value.windows(w.len()).any(|v| v == *w)))
}

fn is_path(value: &[u8]) -> bool {
    let starts: &[&[u8]] = &[
        b"./",
        b"../",
        b"~/",
        b"C:\\",
        b"file:",
        b"http://",
        b"https://",
        b"arn:",
        b"ssh-",
        b"sha256:",
        b"SHA256:",
    ];
    let ends: &[&[u8]] =
        &[b".pem", b".key", b".json", b".txt", b".yml", b".yaml", b".vault_pass", b".env", b".crt"];
    let rooted = value.strip_prefix(b"/").is_some_and(|rest| {
        let first = rest.split(|b| *b == b'/').next().unwrap_or_default();
        first.len() < rest.len() && !first.is_empty() && first.iter().all(u8::is_ascii_lowercase)
    });
    rooted || starts.iter().any(|s| value.starts_with(s)) || ends.iter().any(|e| value.ends_with(e))
}

/// `get_token(x)`, `System.Threading.CancellationToken`, `a::b`, `os.environ['X']`.
fn is_code(value: &[u8]) -> bool {
    let identifier = |part: &[u8]| {
        part.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_')
            && part.iter().all(|b| b.is_ascii_alphabetic() || *b == b'_')
    };
    let call = value.iter().position(|b| matches!(b, b'(' | b'[')).is_some_and(|at| {
        let name = value.get(..at).unwrap_or_default();
        name.len() >= 3 && name.split(|b| *b == b'.').all(identifier)
    });
    let dotted = value.contains(&b'.') && value.split(|b| *b == b'.').all(identifier);
    call || dotted || value.windows(2).any(|w| w == b"::")
}

/// Several words of which some belong to sentences: `must be at least 8 characters`.
fn is_sentence(value: &[u8]) -> bool {
    let mut words = value.split(|b| *b == b' ').filter(|w| !w.is_empty());
    value.contains(&b' ')
        && words.any(|w| {
            is_absent(w)
                || matches!(
                    w,
                    b"be"
                        | b"can't"
                        | b"cannot"
                        | b"too"
                        | b"least"
                        | b"the"
                        | b"a"
                        | b"of"
                        | b"to"
                )
        })
}

/// Not a name of words joined by punctuation, not a number, not prose.
fn looks_random(value: &[u8]) -> bool {
    let letters = value.iter().filter(|b| b.is_ascii_alphabetic()).count();
    let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
    if letters == 0 {
        return digits >= 16;
    }
    let simple = |part: &[u8]| {
        part.iter().all(u8::is_ascii_lowercase) || part.iter().all(u8::is_ascii_digit)
    };
    let parts: Vec<&[u8]> =
        value.split(|b| matches!(b, b'-' | b'_' | b'.' | b'/' | b':' | b'@')).collect();
    if parts.iter().all(|part| simple(part)) {
        return parts.len() == 1 && value.len() >= 20;
    }
    digits > 0
        || has_mixed_case(value)
        || is_shouted(value)
        || value
            .iter()
            .any(|b| b.is_ascii_punctuation() && !matches!(b, b'-' | b'_' | b'.' | b'/' | b':'))
}

/// Words joined by hyphens of which some say more than what kind of thing the value is: `orchid-api-token`, but not `your-api-token`.
fn is_joined(value: &[u8]) -> bool {
    let mut parts = value.split(|b| *b == b'-');
    let words = parts.clone().all(|p| !p.is_empty() && p.iter().all(u8::is_ascii_alphanumeric));
    words && value.contains(&b'-') && parts.any(|p| !words::has(&words::KINDS, p) && !is_absent(p))
}

/// `ORCHID-db-pass`: capitals in one word and none in another.
fn is_shouted(value: &[u8]) -> bool {
    let mut parts = value.split(|b| *b == b'-');
    let all = |part: &[u8], of: fn(&u8) -> bool| part.len() >= 3 && part.iter().all(of);
    value.len() >= 10
        && parts.clone().all(|p| !p.is_empty() && p.iter().all(u8::is_ascii_alphanumeric))
        && parts.clone().any(|p| all(p, u8::is_ascii_uppercase))
        && parts.any(|p| p.iter().any(u8::is_ascii_lowercase))
}

/// Letters whose case changes more often than in `CamelCase`.
fn has_mixed_case(value: &[u8]) -> bool {
    let pairs = || value.iter().zip(value.iter().skip(1));
    let ups = pairs().filter(|(a, b)| a.is_ascii_lowercase() && b.is_ascii_uppercase()).count();
    let shouts = pairs().filter(|(a, b)| a.is_ascii_uppercase() && b.is_ascii_uppercase()).count();
    value.len() >= 12 && ups >= 2 && (shouts >= 1 || ups * 4 >= value.len())
}

/// Values that are everywhere: masking them would turn a log into asterisks. Also those that a replacement itself holds.
pub(super) fn is_common(value: &str) -> bool {
    let value = value.trim();
    let lower = value.to_ascii_lowercase();
    let digits = value.len() < 6 && value.bytes().all(|b| b.is_ascii_digit());
    let letters = value.chars().filter(|c| c.is_alphanumeric()).count();
    let repeated = value.chars().all(|c| value.starts_with(c));
    value.chars().count() < 4
        || digits
        || repeated
        || letters < 2
        || words::has(&words::COMMON, lower.as_bytes())
        || holds_part_of_marker(&lower)
}

fn holds_part_of_marker(lower: &str) -> bool {
    super::rules::ids().any(|id| format!("{OPEN}{id}]").contains(lower))
}

/// A value that says what something is: an address without user, lower-case words.
pub(super) fn is_describing(value: &str) -> bool {
    let address = value.contains("://") && !value.contains('@');
    let words =
        value.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'_' | b'-' | b'.' | b' '));
    address || words || is_common(value)
}

/// Whether a text says how it stands with a value, in the place of the value: `missing`, `present (handed in)`, `cannot be known`.
pub(super) fn is_state(text: &[u8]) -> bool {
    let (first, rest) =
        text.split_at(text.iter().position(|b| b" ,;".contains(b)).unwrap_or(text.len()));
    let alone = rest.is_empty() || rest.starts_with(b" (") || matches!(rest, [b',' | b';', ..]);
    match first {
        b"not" | b"cannot" | b"expires" | b"expired" => true,
        b"present" | b"missing" | b"blank" | b"malformed" | b"whole" | b"absent" | b"set"
        | b"unset" | b"empty" | b"defined" | b"undefined" | b"unknown" | b"valid" | b"invalid"
        | b"changed" | b"unchanged" => alone,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_secrets_are_told_from_keys_about_secrets() {
        for (key, class) in [
            ("DB_PASSWORD", Some(Class::Password)),
            ("PGPASSWORD", Some(Class::Password)),
            ("ansible_become_pass", Some(Class::Password)),
            ("keystorePassword", Some(Class::Password)),
            ("db_password_prod", Some(Class::Password)),
            ("apiKey", Some(Class::Named)),
            ("AWS_SECRET_ACCESS_KEY", Some(Class::Named)),
            ("SECRET_KEY_BASE", Some(Class::Secret)),
            ("sonar.login", Some(Class::Secret)),
            ("_authToken", Some(Class::Named)),
            ("db_pw", Some(Class::Password)),
            ("pw", Some(Class::Terse)),
            ("pass", Some(Class::Terse)),
            ("GH_PAT", Some(Class::Secret)),
            ("wpa_psk", Some(Class::Secret)),
            ("pull_secret", Some(Class::Secret)),
            ("token_header", None),
            ("DB_PASSWORD_FILE", None),
            ("PASSWORD_MIN_LENGTH", None),
            ("max_tokens", None),
            ("max_passes", None),
            ("one_pass", None),
            ("secretName", None),
            ("access_token_expires_in", None),
            ("password_encryption", None),
            ("PasswordAuthentication", None),
            ("key", None),
            ("public_key", None),
        ] {
            assert_eq!(key_class(key.as_bytes()), class, "{key}");
        }
    }

    #[test]
    fn a_password_is_secret_whatever_it_looks_like_but_a_placeholder_is_not() {
        assert!(is_secret(Class::Password, b"wrong"));
        assert!(is_secret(Class::Password, b"correct horse battery staple"));
        for kept in [
            "{{ vault_db_password }}",
            "required",
            "***",
            "${DB_PASSWORD}",
            "$DB_PASSWORD",
            "<password>",
            "PROD_DB_PASSWORD",
            "/run/secrets/db",
        ] {
            assert!(!is_secret(Class::Password, kept.as_bytes()), "{kept}");
        }
    }

    #[test]
    fn a_token_must_not_look_like_a_name() {
        assert!(is_secret(Class::Secret, b"s89865.jcasn3199zmue5sg"));
        for kept in [
            "shop-db",
            "cl100k",
            "System.Threading.CancellationToken",
            "getAccessToken(x)",
            "123456",
            "YOUR_TOKEN_HERE",
        ] {
            assert!(!is_secret(Class::Secret, kept.as_bytes()) || kept == "cl100k", "{kept}");
        }
    }

    #[test]
    fn common_values_and_parts_of_replacements_cannot_be_masked() {
        for common in
            ["abc", "true", "Production", "12345", "aaaaaa", "known-value", "redacted", "{\"}"]
        {
            assert!(is_common(common), "{common}");
        }
        assert!(!is_common("123456"));
        assert!(!is_common("x7Qp"));
    }
}
