//! What is known about a secret that a deploy needs: its kind and what it must be like. Never a value.

use std::time::Duration;

use serde_yaml::Value;

use super::apply::Build;
use super::error::suggest;
use super::load::not_one_of;
use super::tree::scalar;
use super::value::parse_duration;

/// A secret that the deploy needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SecretPolicy {
    /// Its name, in capital letters.
    pub name: String,
    /// What it is.
    pub kind: SecretKind,
    /// Whether the deploy can do without it.
    pub optional: bool,
    /// Longest time since it was stored.
    pub max_age: Option<Duration>,
    /// The fingerprint that it must have: `SHA256:…` as ssh-keygen and openssl print it.
    pub fingerprint: Option<String>,
    /// Name of the secret that holds the other half: the certificate of this key.
    pub pair: Option<String>,
}

macro_rules! kinds {
    ($($variant:ident $word:literal $doc:literal),* $(,)?) => {
        /// What a secret is, which says what its value must look like.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub enum SecretKind {
            $(#[doc = $doc] $variant,)*
            /// Anything.
            #[default]
            Opaque,
        }

        impl SecretKind {
            /// The words that users write.
            pub const WORDS: &'static [&'static str] = &[$($word,)* "opaque"];

            /// Reads a kind.
            pub fn parse(word: &str) -> Option<Self> {
                match word.trim() {
                    $($word => Some(Self::$variant),)*
                    "opaque" => Some(Self::Opaque),
                    _ => None,
                }
            }

            /// The word that users write.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Opaque => "opaque",
                }
            }
        }
    };
}

kinds! {
    SshPrivateKey "ssh-private-key" "A private key for SSH.",
    PemCertificate "pem-certificate" "One or more X.509 certificates.",
    PemKey "pem-key" "A private key for TLS.",
    Jwt "jwt" "A JSON web token.",
    GitHubToken "github-token" "A token for GitHub.",
    AwsAccessKey "aws-access-key" "Id of an access key of AWS, or its secret.",
    Kubeconfig "kubeconfig" "A configuration of kubectl.",
    Url "url" "An address, with or without credentials.",
    Json "json" "A JSON document.",
    KnownHosts "known-hosts" "Host keys as ssh-keyscan prints them.",
}

impl Build<'_> {
    /// The secrets of the file, and those of the input that the file does not name.
    pub(super) fn secrets(&mut self, from_file: Vec<Value>) -> Vec<SecretPolicy> {
        const INPUT: &str = "required-secrets";
        let mut all: Vec<SecretPolicy> = Vec::new();
        for (at, value) in from_file.into_iter().enumerate() {
            let path = format!("secrets[{at}]");
            let Some(policy) = self.secret(&path, value) else { continue };
            if all.iter().any(|p| p.name == policy.name) {
                let message = format!("the secret `{}` is named twice", policy.name);
                self.wrong(&path, message, "keep one of the two");
            } else {
                all.push(policy);
            }
        }
        for name in self.inputs.list(INPUT) {
            match secret_name(&name) {
                Ok(name) if all.iter().any(|p| p.name == name) => {}
                Ok(name) => {
                    let path = format!("secrets[{}]", all.len());
                    self.origins.set(path, self.inputs.origin(INPUT));
                    all.push(SecretPolicy { name, ..SecretPolicy::default() });
                }
                Err(problem) => self.wrong_input(INPUT, problem, ONLY_NAMES),
            }
        }
        all
    }

    fn secret(&mut self, path: &str, value: Value) -> Option<SecretPolicy> {
        let map = match value {
            Value::String(name) => {
                let name = self.named(path, &name)?;
                return Some(SecretPolicy { name, ..SecretPolicy::default() });
            }
            Value::Mapping(map) => map,
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Sequence(_)
            | Value::Tagged(_) => {
                let help = "write `- NAME` or `- name: NAME`";
                self.wrong(path, "a secret is a name or a map", help);
                return None;
            }
        };
        let mut policy = SecretPolicy::default();
        let mut has_name = false;
        for (key, value) in map {
            let key = scalar(&key);
            has_name |= key == "name";
            self.secret_field(&mut policy, &format!("{path}.{key}"), &key, &value);
        }
        if !has_name {
            self.wrong(path, "a secret without a name", "add `name:`");
        }
        if policy.pair.as_ref().is_some_and(|pair| *pair == policy.name) {
            let message = format!("`{}` can not be its own other half", policy.name);
            self.wrong(&format!("{path}.pair"), message, "name the secret of the certificate");
        }
        Some(policy).filter(|p| !p.name.is_empty())
    }

    fn secret_field(&mut self, policy: &mut SecretPolicy, path: &str, key: &str, value: &Value) {
        const KEYS: [&str; 6] = ["name", "kind", "required", "max-age", "fingerprint", "pair"];
        let is_text = !matches!(value, Value::Mapping(_) | Value::Sequence(_) | Value::Tagged(_));
        let value = scalar(value);
        if KEYS.contains(&key) && !is_text {
            return self.wrong(path, format!("`{key}` takes a text"), "see docs/configuration.md");
        }
        match key {
            "name" => policy.name = self.named(path, &value).unwrap_or_default(),
            "kind" => {
                if let Some(kind) = SecretKind::parse(&value) {
                    policy.kind = kind;
                } else {
                    let (message, help) = not_one_of(&value, "a kind of secret", SecretKind::WORDS);
                    self.wrong(path, message, help);
                }
            }
            "required" => match value.as_str() {
                "true" => policy.optional = false,
                "false" => policy.optional = true,
                other => {
                    let message = format!("`{other}` is neither true nor false");
                    self.wrong(path, message, "write `required: false`");
                }
            },
            "max-age" => match parse_duration(&value) {
                Ok(age) => policy.max_age = Some(age),
                Err(problem) => self.wrong(path, problem, "write for example 90d"),
            },
            "fingerprint" => {
                policy.fingerprint = Some(value.trim().to_owned()).filter(|v| !v.is_empty());
            }
            "pair" => policy.pair = self.named(path, &value),
            _ => self.wrong(path, format!("unknown key `{key}` of a secret"), suggest(key, &KEYS)),
        }
    }

    fn named(&mut self, path: &str, name: &str) -> Option<String> {
        match secret_name(name) {
            Ok(name) => Some(name),
            Err(problem) => {
                self.wrong(path, problem, ONLY_NAMES);
                None
            }
        }
    }
}

const ONLY_NAMES: &str = "only letters, digits and `_`; never put a value here";

/// What is no name may be a value: it is not repeated.
fn secret_name(name: &str) -> Result<String, &'static str> {
    let upper = name.trim().to_ascii_uppercase();
    let right = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if upper.is_empty() || !upper.chars().all(right) {
        return Err("this is not a secret's name");
    }
    Ok(upper)
}
