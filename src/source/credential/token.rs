//! Tokens: JSON web tokens, GitHub's own, access keys of AWS. No signature and no checksum is verified: whether one is accepted only its
//! server knows.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::text::heal_line;
use super::{End, Flaw, Reading};

/// A JSON web token.
pub(super) fn jwt(value: &str) -> Reading {
    const WHAT: &str = "a JSON web token";
    let (rest, mut before) = without_scheme(value);
    let healed = heal_line(rest);
    before.extend(healed.flaws);
    claims(&healed.text)
        .map_or_else(|wrong| Reading::broken(WHAT, wrong), read_claims)
        .after(before)
}

fn read_claims((header, claims): (Map<String, Value>, Map<String, Value>)) -> Reading {
    let mut reading = Reading::of("a JSON web token");
    let unsigned = header.get("alg").and_then(Value::as_str).is_none_or(|alg| alg == "none");
    if unsigned {
        reading.flaws.push(Flaw::doubtful("names no signature algorithm in its header"));
    }
    reading.ends.extend(end(&claims));
    reading
}

fn end(claims: &Map<String, Value>) -> Option<End> {
    let time = |name: &str| {
        let value = claims.get(name)?;
        // The standard allows fractions of a second.
        value.as_i64().or_else(|| value.to_string().split('.').next()?.parse().ok())
    };
    Some(End { what: "its token", from: time("nbf"), at: time("exp")? })
}

type Claims = (Map<String, Value>, Map<String, Value>);

/// Header and claims.
fn claims(token: &str) -> Result<Claims, &'static str> {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        return Err(if parts.len() == 5 {
            "is an encrypted token (JWE): only its receiver can read it"
        } else {
            "has not the three parts of a token, with dots between them"
        });
    };
    let object = |part: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?;
        serde_json::from_slice::<Map<String, Value>>(&bytes).ok()
    };
    let header = object(header).ok_or("has a header that is cut or damaged")?;
    let claims = object(claims).ok_or("has claims that are cut or damaged")?;
    if URL_SAFE_NO_PAD.decode(signature.trim_end_matches('=')).is_err() {
        return Err("has a signature that is cut or damaged");
    }
    Ok((header, claims))
}

/// The value without the word of the header in which it is sent.
fn without_scheme(value: &str) -> (&str, Vec<Flaw>) {
    let start = value.trim_start();
    for scheme in ["Bearer ", "bearer ", "token "] {
        if let Some(rest) = start.strip_prefix(scheme) {
            let wrong =
                "starts with the word of a header (Bearer or token), which does not belong to it";
            return (rest, vec![Flaw::doubtful(wrong)]);
        }
    }
    (value, Vec::new())
}

/// A token of GitHub: its kind by its first letters, and whether it can be a whole one.
pub(super) fn github(value: &str) -> Reading {
    const CUT: &str = "is cut, or something was added to it";
    let (rest, mut before) = without_scheme(value);
    let healed = heal_line(rest);
    before.extend(healed.flaws);
    let token = healed.text.as_str();
    let alnum = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric());
    let classic = |what: &'static str, tail: &str| {
        if tail.len() == 36 && alnum(tail) { Reading::of(what) } else { Reading::broken(what, CUT) }
    };
    let reading = if let Some(tail) = token.strip_prefix("github_pat_") {
        const WHAT: &str = "a fine-grained personal access token";
        let whole =
            tail.len() == 82 && tail.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if whole { Reading::of(WHAT) } else { Reading::broken(WHAT, CUT) }
    } else if let Some(tail) = token.strip_prefix("ghs_") {
        installation(tail)
    } else if let Some(tail) = token.strip_prefix("ghp_") {
        classic("a classic personal access token", tail)
    } else if let Some(tail) = token.strip_prefix("gho_") {
        classic("an OAuth token", tail)
    } else if let Some(tail) = token.strip_prefix("ghu_") {
        let lives = Flaw::doubtful("is a user token of a GitHub App, which lives eight hours");
        classic("a user token of a GitHub App", tail).with(lives)
    } else if token.starts_with("ghr_") {
        Reading::broken("a refresh token", "is a refresh token, which the API does not take")
    } else if token.len() == 40 && token.bytes().all(|b| b.is_ascii_hexdigit()) {
        let old = Flaw::doubtful("has the form that tokens had before April 2021: make a new one");
        Reading::of("a token of the old form").with(old)
    } else if token.contains("-----BEGIN") {
        Reading::broken("a token", "is a private key: a token is made with it, it is not one")
    } else {
        Reading::broken("a token", "starts with no prefix that GitHub gives its tokens")
    };
    reading.after(before)
}

/// A token of an installation: the workflow's own, or a GitHub App's. New ones are `ghs_<id of the App>_<JSON web token>`.
fn installation(tail: &str) -> Reading {
    const WHAT: &str = "an installation token";
    const LIVES: &str =
        "is a token of an installation, which lives an hour: make one in the job, do not store it";
    let safe = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    let mut reading = Reading::of(WHAT).with(Flaw::doubtful(LIVES));
    if tail.len() < 36 || !tail.bytes().all(safe) {
        return Reading::broken(WHAT, "is cut, or something was added to it");
    }
    if let Some((_, token)) = tail.split_once('_') {
        match claims(token) {
            Ok((_, claims)) => reading.ends.extend(end(&claims)),
            Err(wrong) => reading.flaws.push(Flaw::broken(wrong)),
        }
    }
    reading
}

/// The id of an access key of AWS, or its secret.
pub(super) fn aws(value: &str) -> Reading {
    const WHAT: &str = "an access key of AWS";
    let healed = heal_line(value);
    let text = healed.text.as_str();
    let id = |tail: &str| {
        tail.len() == 16 && tail.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    };
    let starts = |prefix: &str| text.strip_prefix(prefix);
    let reading = if let Some(tail) = starts("AKIA").or(starts("ASIA")) {
        let temporary = Flaw::doubtful(
            "is the id of a temporary key: it ends with its session and needs a session token beside it",
        );
        match (id(tail), text.starts_with("ASIA")) {
            (true, false) => Reading::of("the id of an access key of AWS"),
            (true, true) => Reading::of("the id of a temporary access key of AWS").with(temporary),
            (false, _) => Reading::broken(WHAT, "is cut, or the id and the key stand in one value"),
        }
    } else if ["AROA", "AIDA", "AGPA", "ANPA"].iter().any(|p| starts(p).is_some_and(id)) {
        Reading::broken(WHAT, "is the id of a user, role or policy, not of an access key")
    } else if text.len() == 40
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'+'))
    {
        Reading::of("the secret half of an access key of AWS")
    } else {
        Reading::broken(WHAT, "is neither the id nor the secret half of an access key")
    };
    reading.after(healed.flaws)
}

/// The end of a token as GitHub's answers write it (`2027-10-12 09:00:00 UTC`, `2027-10-12 09:00:00 +0200`), in seconds since 1970.
pub fn expiration(text: &str) -> Option<i64> {
    let text = text.trim().replace(" UTC", " +0000");
    let time = jiff::fmt::strtime::parse("%Y-%m-%d %H:%M:%S %z", text).ok()?;
    time.to_timestamp().ok().map(jiff::Timestamp::as_second)
}
