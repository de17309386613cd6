//! X.509 certificates, and private keys in PEM form.

use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};
use x509_parser::asn1_rs::{FromDer as _, Sequence};
use x509_parser::certificate::X509Certificate;

use super::pem::{Block, blocks};
use super::text::heal_pem;
use super::{End, Flaw, Grade, Public, Reading};

pub(super) const SEALED: Flaw = Flaw::doubtful(
    "is encrypted with a passphrase, which a runner can not type: right only when a step of the job hands it over",
);

/// One or more certificates; the first one is that of the key.
pub(super) fn certificates(value: &str) -> Reading {
    const WHAT: &str = "a certificate";
    let healed = heal_pem(value, Grade::Doubtful);
    let reading = match blocks(&healed.text) {
        Err(wrong) => Reading::broken(WHAT, wrong),
        Ok(blocks) => {
            let mut reading = blocks.iter().fold(Reading::of(WHAT), |all, block| add(all, block));
            if reading.ends.is_empty() && reading.flaws.is_empty() {
                reading.flaws.push(Flaw::broken("holds no certificate"));
            }
            if reading.ends.len() > 1 {
                reading.what = "a chain of certificates";
            }
            reading
        }
    };
    reading.after(healed.flaws)
}

fn add(reading: Reading, block: &Block<'_>) -> Reading {
    match block.label {
        "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => {}
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => {
            let wrong = "is a request for a certificate, not the certificate";
            return reading.with(Flaw::broken(wrong));
        }
        "PUBLIC KEY" => {
            return reading.with(Flaw::broken("is a public key, not a certificate"));
        }
        // A key beside its certificate is a common form of one file.
        label if label.ends_with("PRIVATE KEY") => {
            return reading.with(Flaw::doubtful("holds a private key where certificates belong"));
        }
        _ => return reading,
    }
    let Ok((_, certificate)) = X509Certificate::from_der(&block.bytes) else {
        return reading.with(Flaw::broken("holds a certificate that is cut or damaged"));
    };
    let validity = certificate.validity();
    let end = End {
        what: "its certificate",
        from: Some(validity.not_before.timestamp()),
        at: validity.not_after.timestamp(),
    };
    let public = Public::certificate(certificate.public_key().raw, &block.bytes);
    let mut reading = reading;
    reading.ends.push(end);
    reading.public.get_or_insert(public);
    reading
}

/// A private key for TLS.
pub(super) fn key(value: &str) -> Reading {
    const WHAT: &str = "a private key";
    let healed = heal_pem(value, Grade::Doubtful);
    let reading = match blocks(&healed.text) {
        Err(wrong) => Reading::broken(WHAT, wrong),
        Ok(blocks) => match blocks.iter().find(|block| block.label.ends_with("PRIVATE KEY")) {
            None => Reading::broken(WHAT, no_key(&blocks)),
            Some(block) if block.label == "OPENSSH PRIVATE KEY" => Reading::broken(
                WHAT,
                "is a key in the form of OpenSSH, which TLS can not read (kind: ssh-private-key)",
            ),
            Some(block) => private(block),
        },
    };
    reading.after(healed.flaws)
}

/// What stands where a private key should be.
pub(super) fn no_key(blocks: &[Block<'_>]) -> &'static str {
    let holds = |word: &str| blocks.iter().any(|block| block.label.contains(word));
    if holds("PUBLIC KEY") {
        "is the public half: the private one belongs here"
    } else if holds("CERTIFICATE") {
        "is a certificate: its private key belongs here"
    } else {
        "holds no private key"
    }
}

/// A key in one of the forms of PEM: PKCS#1, PKCS#8, SEC 1.
pub(super) fn private(block: &Block<'_>) -> Reading {
    let what = match block.label {
        "RSA PRIVATE KEY" => "an RSA private key (PKCS#1)",
        "EC PRIVATE KEY" => "an EC private key (SEC 1)",
        "DSA PRIVATE KEY" => "a DSA private key",
        _ => "a private key (PKCS#8)",
    };
    let reading = Reading::of(what);
    if block.sealed || block.label == "ENCRYPTED PRIVATE KEY" {
        return reading.with(SEALED);
    }
    if !is_whole(&block.bytes) {
        return reading.with(Flaw::broken("is cut or damaged between BEGIN and END"));
    }
    let der = match block.label {
        "RSA PRIVATE KEY" => PrivateKeyDer::Pkcs1(PrivatePkcs1KeyDer::from(block.bytes.as_slice())),
        "EC PRIVATE KEY" => PrivateKeyDer::Sec1(PrivateSec1KeyDer::from(block.bytes.as_slice())),
        "DSA PRIVATE KEY" => {
            return reading.with(Flaw::doubtful("is a DSA key, which current servers refuse"));
        }
        _ => PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(block.bytes.as_slice())),
    };
    let key = any_supported_type(&der).ok();
    let public = key.as_ref().and_then(|key| Some(Public::spki(&key.public_key()?)));
    let notes = if public.is_none() {
        vec!["of a strength or curve whose public half can not be worked out here"]
    } else {
        Vec::new()
    };
    Reading { notes, public, ..reading }
}

/// Whether it is one whole structure of DER.
fn is_whole(bytes: &[u8]) -> bool {
    Sequence::from_der(bytes).is_ok_and(|(rest, _)| rest.is_empty())
}

/// The public half of a `PUBLIC KEY`.
pub(super) fn public_key(value: &str) -> Option<Public> {
    let healed = heal_pem(value, Grade::Doubtful);
    let blocks = blocks(&healed.text).ok()?;
    let block = blocks.iter().find(|block| block.label == "PUBLIC KEY")?;
    is_whole(&block.bytes).then(|| Public::spki(&block.bytes))
}
