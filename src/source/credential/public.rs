//! Public halves of keys: whether two of them are of the same key, and whether one has a fingerprint. Neither is ever printed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ring::digest::{SHA256, digest};
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::wire;

/// The public half of a key, in the forms in which it can be compared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Public {
    /// As SSH writes it.
    ssh: Option<Vec<u8>>,
    /// As certificates write it.
    spki: Option<Vec<u8>>,
    /// SHA-256 of the certificate that it stands in.
    certificate: Option<Vec<u8>>,
}

impl Public {
    /// A key as SSH writes it.
    pub(super) fn ssh(blob: &[u8]) -> Self {
        Self { ssh: Some(blob.to_vec()), ..Self::default() }
    }

    /// A key as certificates write it.
    pub(super) fn spki(der: &[u8]) -> Self {
        Self { ssh: as_ssh(der), spki: Some(der.to_vec()), certificate: None }
    }

    /// The key of a certificate.
    pub(super) fn certificate(spki: &[u8], der: &[u8]) -> Self {
        let certificate = Some(digest(&SHA256, der).as_ref().to_vec());
        Self { certificate, ..Self::spki(spki) }
    }

    /// Whether both are of the same key; `None` when they have no form in common.
    pub fn same_key(&self, other: &Self) -> Option<bool> {
        let ssh = self.ssh.as_ref().zip(other.ssh.as_ref()).map(|(a, b)| a == b);
        ssh.or_else(|| self.spki.as_ref().zip(other.spki.as_ref()).map(|(a, b)| a == b))
    }

    /// Whether it has the fingerprint that somebody wrote down: `SHA256:…` of an SSH key as `ssh-keygen -lf` prints it, or SHA-256 of a
    /// certificate in hex, with or without colons, as `openssl x509 -fingerprint -sha256` prints it. `None` when it can not be compared.
    pub fn has_fingerprint(&self, expected: &str) -> Option<bool> {
        let word = expected.split_whitespace().find(|word| word.starts_with("SHA256:"));
        let word = word.or_else(|| expected.split_whitespace().last())?;
        let tail = word.rsplit_once("Fingerprint=").map_or(word, |(_, tail)| tail);
        let tail = tail.strip_prefix("SHA256:").unwrap_or(tail);
        let hex = tail.replace(':', "").to_ascii_lowercase();
        if hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            let own = self.certificate.as_ref()?;
            let mut pairs = (0..64).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16));
            return Some(own.iter().all(|byte| pairs.next() == Some(Ok(*byte))));
        }
        let digits = STANDARD_NO_PAD.decode(tail.trim_end_matches('=')).ok()?;
        let own = digest(&SHA256, self.ssh.as_ref()?);
        (digits.len() == own.as_ref().len()).then(|| digits == own.as_ref())
    }
}

/// A key of a certificate as SSH writes it; `None` for kinds that SSH does not have.
fn as_ssh(der: &[u8]) -> Option<Vec<u8>> {
    let (_, info) = SubjectPublicKeyInfo::from_der(der).ok()?;
    let bits = info.subject_public_key.data.as_ref();
    match info.algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.113549.1.1.1" => {
            let Ok(PublicKey::RSA(key)) = info.parsed() else { return None };
            let (e, n) = (wire::number(key.exponent), wire::number(key.modulus));
            Some(wire::strings(&[b"ssh-rsa", &e, &n]))
        }
        "1.2.840.10045.2.1" => {
            let curve = info.algorithm.parameters.as_ref()?.as_oid().ok()?.to_id_string();
            let (name, short): (&[u8], &[u8]) = match curve.as_str() {
                "1.2.840.10045.3.1.7" => (b"ecdsa-sha2-nistp256", b"nistp256"),
                "1.3.132.0.34" => (b"ecdsa-sha2-nistp384", b"nistp384"),
                "1.3.132.0.35" => (b"ecdsa-sha2-nistp521", b"nistp521"),
                _ => return None,
            };
            Some(wire::strings(&[name, short, bits]))
        }
        "1.3.101.112" => Some(wire::strings(&[b"ssh-ed25519", bits])),
        _ => None,
    }
}
