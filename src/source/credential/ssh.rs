//! Keys and certificates of SSH. The container of OpenSSH is read here: nothing but its frame is needed to tell what is wrong with it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::Ed25519KeyPair;

use super::pem::blocks;
use super::text::heal_pem;
use super::wire::Wire;
use super::{End, Flaw, Grade, Public, Reading, tls};

const WHAT: &str = "a private key for SSH";
const MAGIC: &[u8] = b"openssh-key-v1\0";
const DAMAGED: &str = "is cut or damaged between BEGIN and END";
const PUBLIC: &str = "is the public half of a key: the private one belongs here";

/// Names of keys, what a private key of that name is called, and how many strings of the public key follow the name.
const KINDS: &[(&str, &str, usize)] = &[
    ("ssh-ed25519", "an ed25519 private key", 1),
    ("ssh-rsa", "an RSA private key", 2),
    ("ecdsa-sha2-nistp256", "an ECDSA private key (P-256)", 2),
    ("ecdsa-sha2-nistp384", "an ECDSA private key (P-384)", 2),
    ("ecdsa-sha2-nistp521", "an ECDSA private key (P-521)", 2),
    ("ssh-dss", "a DSA private key", 4),
    ("sk-ssh-ed25519@openssh.com", HARDWARE, 2),
    ("sk-ecdsa-sha2-nistp256@openssh.com", HARDWARE, 3),
];

const HARDWARE: &str = "the handle of a key on a hardware token";

/// Whether a word is the name of a kind of key.
pub(super) fn is_kind(word: &str) -> bool {
    KINDS.iter().any(|(name, ..)| *name == word)
}

/// A private key that `ssh` can read.
pub(super) fn private_key(value: &str) -> Reading {
    let start = value.trim_start_matches(['\u{feff}', '"', '\'', ' ', '\n', '\r', '\t']);
    if start.starts_with("PuTTY-User-Key-File") {
        let wrong = "is in the form of PuTTY (.ppk): export it with `puttygen KEY.ppk -O private-openssh -o KEY`";
        return Reading::broken(WHAT, wrong);
    }
    if public_line(start).is_some() || start.starts_with("---- BEGIN SSH2 PUBLIC KEY") {
        return Reading::broken(WHAT, PUBLIC);
    }
    let healed = heal_pem(value, Grade::Broken);
    let reading = match blocks(&healed.text) {
        Err(wrong) => Reading::broken(WHAT, wrong),
        Ok(blocks) => match blocks.iter().find(|block| block.label.ends_with("PRIVATE KEY")) {
            None => Reading::broken(WHAT, tls::no_key(&blocks)),
            Some(block) if block.label == "OPENSSH PRIVATE KEY" => {
                container(&block.bytes).unwrap_or_else(|| Reading::broken(WHAT, DAMAGED))
            }
            Some(block) => tls::private(block),
        },
    };
    let mut reading = reading.after(healed.flaws);
    if reading.flaws.is_empty() && !value.ends_with('\n') {
        // `gh secret set` always takes it away, so it is not a fault of the secret; but ssh refuses a file without it.
        reading.notes.push(
            "without a last line break, as GitHub's tools store it: write the file with `printf '%s\\n'`, ssh refuses it without one",
        );
    }
    reading
}

/// The container of OpenSSH; `None` when it is damaged.
fn container(bytes: &[u8]) -> Option<Reading> {
    let mut wire = Wire(bytes.strip_prefix(MAGIC)?);
    let cipher = wire.word()?;
    let (_kdf, _options) = (wire.string()?, wire.string()?);
    if wire.u32()? != 1 {
        return None;
    }
    let (public, private) = (wire.string()?, wire.string()?);
    let kind = Wire(public).word()?;
    let (_, what, _) = KINDS.iter().find(|(name, ..)| *name == kind)?;
    let mut reading = Reading { public: Some(Public::ssh(public)), ..Reading::of(what) };
    if cipher != "none" {
        return Some(reading.with(tls::SEALED));
    }
    if !belongs(private, public)? {
        reading.flaws.push(Flaw::broken("holds two halves that do not belong together"));
    }
    if *what == HARDWARE {
        let wrong = "needs a hardware token that somebody touches, which a runner has not";
        reading.flaws.push(Flaw::broken(wrong));
    }
    if kind == "ssh-dss" {
        reading.flaws.push(Flaw::doubtful("is a DSA key, which current servers refuse"));
    }
    Some(reading)
}

/// Whether the private part is that of the public one; `None` when it is damaged.
fn belongs(private: &[u8], public: &[u8]) -> Option<bool> {
    let (mut inside, mut outside) = (Wire(private), Wire(public));
    if inside.u32()? != inside.u32()? {
        return None;
    }
    let kind = inside.word()?;
    if kind != outside.word()? {
        return Some(false);
    }
    match kind {
        "ssh-ed25519" => {
            let (key, both) = (inside.string()?, inside.string()?);
            let (seed, half) = both.split_at_checked(32)?;
            let pair = Ed25519KeyPair::from_seed_and_public_key(seed, half);
            Some(outside.string()? == key && key == half && pair.is_ok())
        }
        // Here the modulus comes first, there the exponent.
        "ssh-rsa" => {
            let (n, e) = (inside.string()?, inside.string()?);
            let same = (outside.string()?, outside.string()?) == (e, n);
            let whole = (0..4).all(|_| inside.string().is_some());
            whole.then_some(same)
        }
        _ => Some(private.get(8..8 + public.len())? == public),
    }
}

/// A line of a `.pub` file or of an SSH certificate; `None` when it is neither.
pub(super) fn public_line(value: &str) -> Option<Reading> {
    let mut words = value.split_whitespace();
    let kind = words.next()?;
    let certified = kind.strip_suffix("-cert-v01@openssh.com");
    if !is_kind(kind) && certified.is_none() {
        return None;
    }
    let blob = STANDARD.decode(words.next()?).ok()?;
    let Some(plain) = certified else {
        let same = Wire(&blob).word()? == kind;
        let public = same.then(|| Public::ssh(&blob))?;
        return Some(Reading { public: Some(public), ..Reading::of("a public key for SSH") });
    };
    let (public, end) = certificate(&blob, kind, plain)?;
    let mut reading = Reading { public: Some(public), ..Reading::of("an SSH certificate") };
    reading.ends.extend(end);
    Some(reading)
}

/// The key of a certificate and its end; a certificate without an end has none.
fn certificate(blob: &[u8], kind: &str, plain: &str) -> Option<(Public, Option<End>)> {
    let long = format!("{plain}@openssh.com");
    let named = |name: &str| name == plain || name == long;
    let (name, _, count) = KINDS.iter().find(|(name, ..)| named(name))?;
    let mut wire = Wire(blob);
    if wire.word()? != kind {
        return None;
    }
    let _nonce = wire.string()?;
    let mut parts = vec![name.as_bytes()];
    for _ in 0..*count {
        parts.push(wire.string()?);
    }
    let (_serial, _type) = (wire.u64()?, wire.u32()?);
    let (_id, _principals) = (wire.string()?, wire.string()?);
    let (from, before) = (wire.u64()?, wire.u64()?);
    // All bits set means for ever, which is no time of ours.
    let end = i64::try_from(before).ok().map(|at| End {
        what: "its SSH certificate",
        from: i64::try_from(from).ok().filter(|from| *from > 0),
        at,
    });
    Some((Public::ssh(&super::wire::strings(&parts)), end))
}

/// Whether a key in base64 is of this kind and whole.
pub(super) fn is_key(kind: &str, base64: &str) -> bool {
    let Ok(blob) = STANDARD.decode(base64) else { return false };
    let Some((_, _, count)) = KINDS.iter().find(|(name, ..)| *name == kind) else { return false };
    let mut wire = Wire(&blob);
    wire.word() == Some(kind)
        && (0..*count).all(|_| wire.string().is_some_and(|part| !part.is_empty()))
        && wire.is_empty()
}
