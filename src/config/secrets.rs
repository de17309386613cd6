//! What is known about a secret that a deploy needs: its kind and what it must be like. Never a value.

use std::time::Duration;

use super::apply::Build;
use super::error::suggest;
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
    pub(super) fn secrets(&mut self, from_file: Vec<serde_yaml::Value>) -> Vec<SecretPolicy> {
        let mut all: Vec<SecretPolicy> = Vec::new();
        for value in from_file {
            let Some(policy) = self.secret(value) else { continue };
            if all.iter().any(|p| p.name == policy.name) {
                let message = format!("the secret `{}` is named twice", policy.name);
                self.wrong(&["secrets"], message, "keep one of the two");
            } else {
                all.push(policy);
            }
        }
        for name in self.inputs.list("required-secrets") {
            let Some(name) = self.secret_name(&name) else { continue };
            if !all.iter().any(|p| p.name == name) {
                all.push(SecretPolicy { name, ..SecretPolicy::default() });
            }
        }
        all
    }

    fn secret(&mut self, value: serde_yaml::Value) -> Option<SecretPolicy> {
        let map = match value {
            serde_yaml::Value::String(name) => {
                let name = self.secret_name(&name)?;
                return Some(SecretPolicy { name, ..SecretPolicy::default() });
            }
            serde_yaml::Value::Mapping(map) => map,
            serde_yaml::Value::Null
            | serde_yaml::Value::Bool(_)
            | serde_yaml::Value::Number(_)
            | serde_yaml::Value::Sequence(_)
            | serde_yaml::Value::Tagged(_) => {
                self.wrong(
                    &["secrets"],
                    "a secret is a name or a map",
                    "write `- NAME` or `- name: NAME`",
                );
                return None;
            }
        };
        let mut policy = SecretPolicy::default();
        for (key, value) in map {
            let (key, value) = (super::apply::scalar(&key), super::apply::scalar(&value));
            self.secret_field(&mut policy, &key, &value);
        }
        if policy.name.is_empty() {
            self.wrong(&["secrets"], "a secret without a name", "add `name:`");
            return None;
        }
        Some(policy)
    }

    fn secret_field(&mut self, policy: &mut SecretPolicy, key: &str, value: &str) {
        const KEYS: [&str; 6] = ["name", "kind", "required", "max-age", "fingerprint", "pair"];
        let path = ["secrets", key];
        let given = || Some(value.trim().to_owned()).filter(|v| !v.is_empty());
        match key {
            "name" => policy.name = self.secret_name(value).unwrap_or_default(),
            "kind" => match SecretKind::parse(value) {
                Some(kind) => policy.kind = kind,
                None => self.wrong(
                    &path,
                    format!("`{value}` is not a kind of secret"),
                    suggest(value, SecretKind::WORDS),
                ),
            },
            "required" => match value {
                "true" => policy.optional = false,
                "false" => policy.optional = true,
                other => self.wrong(
                    &path,
                    format!("`{other}` is neither true nor false"),
                    "write `required: false`",
                ),
            },
            "max-age" => match parse_duration(value) {
                Ok(age) => policy.max_age = Some(age),
                Err(problem) => self.wrong(&path, problem, "write for example 90d"),
            },
            "fingerprint" => policy.fingerprint = given(),
            "pair" => policy.pair = self.secret_name(value),
            _ => self.wrong(&path, format!("unknown key `{key}` of a secret"), suggest(key, &KEYS)),
        }
    }

    fn secret_name(&mut self, name: &str) -> Option<String> {
        let upper = name.trim().to_ascii_uppercase();
        if upper.is_empty() || !upper.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            self.wrong(
                &["secrets"],
                format!("`{upper}` is not a secret's name"),
                "only letters, digits and `_`; never put a value here",
            );
            return None;
        }
        Some(upper)
    }
}
