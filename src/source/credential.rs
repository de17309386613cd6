//! Reads one secret value: what it is, whether it is whole, when it ends, and the public half of its key. Pure: no file, no clock, no network.
//!
//! Nothing of a value can leave in words: every text of a [`Reading`] is `&'static str`. Only dates, numbers of lines and public halves
//! are taken from a value.

mod address;
mod document;
mod known_hosts;
mod kubeconfig;
mod pem;
mod public;
mod ssh;
mod text;
mod tls;
mod token;
mod wire;

#[cfg(test)]
mod tests;

use crate::config::SecretKind;

pub use public::Public;
pub use token::expiration;

/// What one value turned out to be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// What it is: `an ed25519 private key`.
    pub what: &'static str,
    /// What is wrong with it, the worst first; empty when it is whole.
    pub flaws: Vec<Flaw>,
    /// What is worth knowing and not wrong.
    pub notes: Vec<&'static str>,
    /// Ends that stand in it. None means that it says nothing about an end.
    pub ends: Vec<End>,
    /// The public half of its key.
    pub public: Option<Public>,
}

/// Something that is wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flaw {
    /// How bad it is.
    pub grade: Grade,
    /// What is wrong, to be read after the secret's name: `has no END line`.
    pub wrong: &'static str,
    /// The line that it is about, from 1.
    pub line: Option<usize>,
}

/// How bad a flaw is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// It can not work.
    Broken,
    /// It may be meant, but rarely is.
    Doubtful,
}

/// A time up to which something is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// What ends: `its certificate`.
    pub what: &'static str,
    /// From when it is valid, in seconds since 1970.
    pub from: Option<i64>,
    /// Its end in seconds since 1970.
    pub at: i64,
}

impl Flaw {
    const fn broken(wrong: &'static str) -> Self {
        Self { grade: Grade::Broken, wrong, line: None }
    }

    const fn doubtful(wrong: &'static str) -> Self {
        Self { grade: Grade::Doubtful, wrong, line: None }
    }

    const fn at(self, line: usize) -> Self {
        Self { line: Some(line), ..self }
    }
}

impl Reading {
    fn of(what: &'static str) -> Self {
        Self { what, ..Self::default() }
    }

    /// A value in which something can not work.
    fn broken(what: &'static str, wrong: &'static str) -> Self {
        Self::of(what).with(Flaw::broken(wrong))
    }

    fn with(mut self, flaw: Flaw) -> Self {
        self.flaws.push(flaw);
        self
    }

    /// With flaws that were found before the value could be read.
    fn after(mut self, before: Vec<Flaw>) -> Self {
        self.flaws.splice(0..0, before);
        self
    }

    /// The end that comes first.
    pub fn first_end(&self) -> Option<End> {
        self.ends.iter().copied().min_by_key(|end| end.at)
    }

    /// Whether it can not work.
    pub fn is_broken(&self) -> bool {
        self.flaws.iter().any(|flaw| flaw.grade == Grade::Broken)
    }
}

/// Largest value that is read, in bytes: a secret of GitHub has at most 48 KB.
const MAX: usize = 64 << 10;

/// Reads a value as what it should be.
pub fn read(kind: SecretKind, value: &str) -> Reading {
    if value.len() > MAX {
        let wrong = "is larger than a secret of GitHub can be, so it was not looked at";
        return Reading::of("a text").with(Flaw::doubtful(wrong));
    }
    let mut reading = match kind {
        SecretKind::SshPrivateKey => ssh::private_key(value),
        SecretKind::PemCertificate => tls::certificates(value),
        SecretKind::PemKey => tls::key(value),
        SecretKind::Jwt => token::jwt(value),
        SecretKind::GitHubToken => token::github(value),
        SecretKind::AwsAccessKey => token::aws(value),
        SecretKind::Kubeconfig => kubeconfig::read(value),
        SecretKind::Url => address::read(value),
        SecretKind::Json => document::json(value),
        SecretKind::KnownHosts => known_hosts::read(value),
        SecretKind::Opaque => text::opaque(value),
    };
    reading.flaws.sort_by_key(|flaw| flaw.grade);
    reading
}

/// The end that stands in a value of which nobody said what it is: certificates, tokens and SSH certificates show themselves.
pub fn read_end(kind: SecretKind, value: &str) -> Reading {
    let start = value.trim_start();
    match kind {
        SecretKind::Opaque if value.len() > MAX => Reading::default(),
        SecretKind::Opaque if start.starts_with("-----BEGIN CERTIFICATE") => {
            tls::certificates(value)
        }
        SecretKind::Opaque if start.starts_with("eyJ") => token::jwt(value),
        SecretKind::Opaque if start.starts_with("ghs_") => token::github(value),
        SecretKind::Opaque => ssh::public_line(value).unwrap_or_default(),
        SecretKind::SshPrivateKey
        | SecretKind::PemCertificate
        | SecretKind::PemKey
        | SecretKind::Jwt
        | SecretKind::GitHubToken
        | SecretKind::AwsAccessKey
        | SecretKind::Kubeconfig
        | SecretKind::Url
        | SecretKind::Json
        | SecretKind::KnownHosts => read(kind, value),
    }
}

/// The public half of whatever key, certificate or public key a value holds.
pub fn public_half(value: &str) -> Option<Public> {
    if value.len() > MAX {
        return None;
    }
    if value.contains("PRIVATE KEY-----") {
        return ssh::private_key(value).public;
    }
    if value.contains("-----BEGIN") {
        return tls::certificates(value).public.or_else(|| tls::public_key(value));
    }
    ssh::public_line(value)?.public
}
