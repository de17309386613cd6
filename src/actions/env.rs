//! The one place that reads environment variables and the program's own name.

use std::collections::BTreeMap;
use std::ffi::OsString;

/// A copy of the environment, taken once; everything else works on the copy.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Environment({} variables)", self.0.len())
    }
}

/// Prefix of the variables that hand in secret values.
pub const SECRET_PREFIX: &str = "RUNNER_GUARD_SECRET_";
/// Prefix of the environment variables that carry configuration variables.
pub const VARIABLE_PREFIX: &str = "RUNNER_GUARD_VARIABLE_";

/// Parts of variable names that say that the value is a secret.
const SECRET_WORDS: &[&str] = &[
    "TOKEN",
    "SECRET",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "PRIVATE_KEY",
    "API_KEY",
    "APIKEY",
    "ACCESS_KEY",
    "CREDENTIAL",
    "WEBHOOK",
    "CONNECTION_STRING",
];
/// Ends of variable names that say so.
const SECRET_ENDS: &[&str] =
    &["_KEY", "_PASS", "_PWD", "_AUTH", "_PAT", "_DSN", "_PSK", "_PIN", "_JWT", "_COOKIE"];
/// Values that answer a question and are no secret, whatever the name says.
const ANSWERS: &[&str] = &["true", "false", "yes", "no", "on", "off", "0", "1", "none", "null"];

impl Environment {
    /// Copies the environment of the process; values that are not UTF-8 are read lossily.
    pub fn capture() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the one reader of the environment")]
        let variables = std::env::vars_os();
        let text = |s: OsString| s.to_string_lossy().into_owned();
        Self(variables.map(|(name, value)| (text(name), text(value))).collect())
    }

    /// An environment with just these variables.
    pub fn of<const N: usize>(variables: [(&str, &str); N]) -> Self {
        Self(
            variables
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }

    /// The value of a variable; `None` when it is missing or blank.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.trim().is_empty())
    }

    /// The value of a variable without a byte-order mark and surrounding blanks, or the empty string.
    pub fn text(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().trim_start_matches('\u{feff}').trim().to_owned()
    }

    /// All names.
    pub fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    /// The inputs: `INPUT_FAIL-ON` is `fail-on`; hyphens stay, as the runner leaves them.
    pub fn inputs(&self) -> Vec<(String, String)> {
        let input = |(name, value): (&String, &String)| {
            name.strip_prefix("INPUT_").map(|n| (n.to_ascii_lowercase(), value.clone()))
        };
        self.0.iter().filter_map(input).collect()
    }

    /// The values handed in as `RUNNER_GUARD_SECRET_<NAME>`, blank ones too: a blank value says that the secret is missing.
    pub fn secrets(&self) -> Vec<(String, String)> {
        let secret = |(name, value): (&String, &String)| {
            name.strip_prefix(SECRET_PREFIX).map(|n| (n.to_ascii_uppercase(), value.clone()))
        };
        self.0.iter().filter_map(secret).collect()
    }

    /// The values handed in as `RUNNER_GUARD_VARIABLE_<NAME>`, blank ones too.
    pub fn variables(&self) -> Vec<(String, String)> {
        let variable = |(name, value): (&String, &String)| {
            name.strip_prefix(VARIABLE_PREFIX).map(|n| (n.to_ascii_uppercase(), value.clone()))
        };
        self.0.iter().filter_map(variable).collect()
    }

    /// Every value that must not be shown: handed-in secrets, tokens, variables whose name says so, and addresses that hold a password.
    pub fn sensitive(&self) -> Vec<(String, String)> {
        let shown = |(name, value): &(&String, &String)| {
            !value.trim().is_empty()
                && !is_path(value)
                && (is_secret(name, value) || holds_password(value))
        };
        self.0.iter().filter(shown).map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

fn is_secret(name: &str, value: &str) -> bool {
    // Inputs keep their dashes on GitHub and lose them elsewhere: INPUT_APP-PRIVATE-KEY, INPUT_APP_PRIVATE_KEY.
    let upper = name.to_ascii_uppercase().replace('-', "_");
    let says_so = SECRET_WORDS.iter().any(|word| upper.contains(word))
        || SECRET_ENDS.iter().any(|end| upper.ends_with(end));
    let is_answer = ANSWERS.contains(&value.trim().to_ascii_lowercase().as_str());
    upper.starts_with(SECRET_PREFIX) || says_so && !is_answer
}

fn is_path(value: &str) -> bool {
    value.starts_with('/') && !value.contains(char::is_whitespace)
}

/// Whether a value is an address with a password before its host, as the variables of proxies and databases have it.
fn holds_password(value: &str) -> bool {
    let userinfo = value.split_once("://").and_then(|(_, rest)| {
        let host_and_path = rest.split(char::is_whitespace).next()?;
        host_and_path.rsplit_once('@').map(|(userinfo, _)| userinfo)
    });
    userinfo.and_then(|u| u.split_once(':')).is_some_and(|(_, password)| !password.is_empty())
}

/// The base name under which the program was started.
pub fn program_name() -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one reader of the program's own name"
    )]
    let first = std::env::args_os().next().unwrap_or_default();
    std::path::Path::new(&first).file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// How many arguments follow the program's name.
pub fn argument_count() -> usize {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one reader of the arguments besides clap"
    )]
    let arguments = std::env::args_os();
    arguments.len().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hyphens_stay_in_input_names() {
        let env = Environment::of([("INPUT_ON-UNKNOWN", "deny"), ("OTHER", "x")]);
        assert_eq!(env.inputs(), [("on-unknown".to_owned(), "deny".to_owned())]);
    }

    #[test]
    fn values_whose_name_says_secret_are_sensitive_and_paths_are_not() {
        let env = Environment::of([
            ("RUNNER_GUARD_SECRET_A", "alpha"),
            ("DB_PASSWORD", "beta"),
            ("TOKEN_FILE", "/run/secrets/token"),
            ("HOME", "/root"),
            ("EMPTY_TOKEN", " "),
            ("INPUT_APP-PRIVATE-KEY", "gamma"),
        ]);
        let names: Vec<String> = env.sensitive().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["DB_PASSWORD", "INPUT_APP-PRIVATE-KEY", "RUNNER_GUARD_SECRET_A"]);
    }

    #[test]
    fn addresses_with_a_password_are_sensitive_and_answers_are_not() {
        let env = Environment::of([
            ("HTTPS_PROXY", "http://ann:horse-battery@proxy:3128"),
            ("GIT_URL", "ssh://git@host/x"),
            ("HOMEPAGE", "https://example.test/a:b"),
            ("USE_TOKEN", "true"),
            ("SIGNING_KEY", "delta"),
            ("MYSQL_PWD", "epsilon"),
            ("PWD", "/work"),
        ]);
        let names: Vec<String> = env.sensitive().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["HTTPS_PROXY", "MYSQL_PWD", "SIGNING_KEY"]);
    }

    #[test]
    fn debug_prints_no_value() {
        assert_eq!(
            format!("{:?}", Environment::of([("A", "hunter2")])),
            "Environment(1 variables)"
        );
    }
}
