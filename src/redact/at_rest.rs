//! What a file of credentials holds: the secrets that its text shows by their shape, as values to be known.
//!
//! It opens no file, and hides nothing itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::blocks::State;
use super::judge;
use super::patterns;
use super::redacted::Known;
use super::view::View;

/// Shortest value that is taken, in bytes; a shorter one may be a word of the log.
const SHORTEST: usize = 8;
/// From this length on a value need not have digits, in bytes.
const LONG: usize = 16;
/// Most values of one text.
const VALUES_MAX: usize = 100;

/// The secrets in the text of a file of credentials, such as `.netrc` or the variables of a runner, under the name of the file.
pub fn secrets(name: &str, text: &str) -> Vec<Known> {
    let bytes = text.as_bytes();
    let stripped = View::stripped(bytes);
    let (mut hits, mut spans) = (Vec::new(), Vec::new());
    let mut state = State::default();
    patterns::find((bytes, &stripped), &mut state, bytes.len(), &mut hits, &mut spans);
    let found = spans.into_iter().filter_map(|span| text.get(span.range));
    let known = found.flat_map(|value| [Some(value.to_owned()), password_in(value)]).flatten();
    let known =
        known.filter(|value| is_telling(value) && !judge::is_common(value)).take(VALUES_MAX);
    known.map(|value| Known::new(name, value)).collect()
}

/// The only value of a file that holds nothing else, such as the password of an Ansible vault; a program that prints it is no value.
pub fn whole(name: &str, text: &str) -> Option<Known> {
    let value = text.trim();
    let plain = !value.starts_with("#!") && value.lines().count() == 1 && value.len() >= SHORTEST;
    (plain && !judge::is_common(value)).then(|| Known::new(name, value))
}

/// The password in `user:password` as headers and registries write it: in base64.
fn password_in(value: &str) -> Option<String> {
    let decoded = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
    decoded.split_once(':').map(|(_, password)| password.to_owned())
}

/// Whether a value is surely no word that a log needs to be understood.
fn is_telling(value: &str) -> bool {
    let plain = value.len() >= SHORTEST && !value.contains(char::is_whitespace);
    plain && (value.len() >= LONG || judge::is_mixed(value.as_bytes(), SHORTEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<String> {
        secrets("a file", text).iter().map(|known| known.value().to_owned()).collect()
    }

    #[test]
    fn the_secrets_of_each_kind_of_file_are_known() {
        let auth = STANDARD.encode("deploy:sword7fish");
        let rsa = "M7tq".repeat(40);
        for (file, text) in [
            (".netrc", "machine a.test login deploy password sword7fish\n".to_owned()),
            (".git-credentials", "https://deploy:sword7fish@a.test\n".to_owned()),
            (".npmrc", "//registry.a.test/:_authToken=sword7fish\n".to_owned()),
            (".pypirc", "[pypi]\nusername = a\npassword = sword7fish\n".to_owned()),
            (".my.cnf", "[client]\nuser=a\npassword=sword7fish\n".to_owned()),
            (".env", "LANG=C\nDB_PASSWORD=sword7fish\n".to_owned()),
            ("git", format!("[http]\n\textraheader = AUTHORIZATION: basic {auth}\n")),
            ("docker", format!("{{\"auths\": {{\"a.test\": {{\"auth\": \"{auth}\"}}}}}}\n")),
            ("gh", "github.com:\n    oauth_token: sword7fish\n".to_owned()),
            ("aws", "[default]\naws_secret_access_key = sword7fish\n".to_owned()),
        ] {
            assert!(
                values(&text).contains(&"sword7fish".to_owned()),
                "{file}: {:?}",
                values(&text)
            );
        }
        assert_eq!(values(&format!("{{\"d\":\"{rsa}\"}}")), [rsa]);
    }

    #[test]
    fn words_of_a_log_are_not_taken_for_secrets() {
        assert!(values("password=production\nTOKEN=failed\nDB_PASSWORD=fatal: [web]\n").is_empty());
    }

    #[test]
    fn a_file_of_one_line_is_a_value_and_a_program_is_none() {
        let value = |text| whole("a file", text).map(|known| known.value().to_owned());
        assert_eq!(value("correct horse battery\n"), Some("correct horse battery".to_owned()));
        assert_eq!(value("#!/bin/sh\n"), None);
        assert_eq!(value("one line\nand another\n"), None);
        assert_eq!(value("tiny\n"), None);
    }
}
