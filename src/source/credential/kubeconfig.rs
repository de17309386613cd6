//! A configuration of kubectl: whether its names lead somewhere, and what is embedded in it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_yaml::Value;

use super::text::heal;
use super::{Flaw, Grade, Reading, tls, token};

const WHAT: &str = "a configuration of kubectl";
/// Most brackets within one another.
const DEEPEST: i32 = 64;

/// The context that is in use, its cluster and its user.
pub(super) fn read(value: &str) -> Reading {
    let mut healed = heal(value, Grade::Doubtful);
    if let Some(inner) = decoded(&healed.text) {
        let wrong = "is encoded in base64 once more: right only when a step of the job decodes it";
        healed.flaws.push(Flaw::doubtful(wrong));
        healed.text = inner;
    }
    if is_deep(&healed.text) {
        return Reading::broken(WHAT, "is not YAML of kubectl: it is nested too deeply")
            .after(healed.flaws);
    }
    let reading = match serde_yaml::from_str::<Value>(&healed.text) {
        Err(error) => {
            let flaw = Flaw::broken("is not YAML");
            Reading::of(WHAT).with(error.location().map_or(flaw, |place| flaw.at(place.line())))
        }
        Ok(document) => follow(&document).unwrap_or_else(|wrong| Reading::broken(WHAT, wrong)),
    };
    reading.after(healed.flaws)
}

/// Whether its brackets lie deeper in one another than in any real one; the time of the parser grows with the square of that.
fn is_deep(text: &str) -> bool {
    let steps = text.bytes().map(|b| match b {
        b'[' | b'{' => 1,
        b']' | b'}' => -1,
        _ => 0,
    });
    steps
        .scan(0_i32, |depth, step| Some(std::mem::replace(depth, *depth + step)))
        .any(|d| d > DEEPEST)
}

/// A document that was encoded as a whole: it starts as `apiVersion` or as JSON does.
fn decoded(text: &str) -> Option<String> {
    let packed: String = text.split_whitespace().collect();
    let bytes = STANDARD.decode(packed).ok()?;
    String::from_utf8(bytes).ok().filter(|inner| inner.contains("clusters"))
}

fn follow(document: &Value) -> Result<Reading, &'static str> {
    let text =
        |of: &Value, key: &str| of.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    for (key, wrong) in [
        ("clusters", "names no `clusters`"),
        ("users", "names no `users`"),
        ("contexts", "names no `contexts`"),
    ] {
        if document.get(key).and_then(Value::as_sequence).is_none_or(Vec::is_empty) {
            return Err(wrong);
        }
    }
    let current = text(document, "current-context");
    if current.is_empty() {
        return Err("has no `current-context`: kubectl would ask localhost");
    }
    let context = named(document, "contexts", &current, "context")
        .ok_or("has a `current-context` that is not among its contexts")?;
    let cluster = named(document, "clusters", &text(context, "cluster"), "cluster")
        .ok_or("has a context whose cluster is not among its clusters")?;
    let user = named(document, "users", &text(context, "user"), "user")
        .ok_or("has a context whose user is not among its users")?;
    if text(cluster, "server").is_empty() {
        return Err("has a cluster without `server`");
    }
    let mut reading = Reading::of(WHAT);
    authority(&mut reading, cluster);
    credentials(&mut reading, user);
    Ok(reading)
}

/// The entry of a list with this name.
fn named<'a>(document: &'a Value, list: &str, name: &str, inside: &str) -> Option<&'a Value> {
    let entries = document.get(list)?.as_sequence()?;
    entries.iter().find(|e| e.get("name").and_then(Value::as_str) == Some(name))?.get(inside)
}

/// What a field holds in base64; `None` when there is no such field, and an empty text when it is damaged.
fn embedded(of: &Value, key: &str) -> Option<String> {
    let packed: String = of.get(key)?.as_str()?.split_whitespace().collect();
    let bytes = STANDARD.decode(packed).unwrap_or_default();
    Some(String::from_utf8(bytes).unwrap_or_default())
}

fn authority(reading: &mut Reading, cluster: &Value) {
    if let Some(pem) = embedded(cluster, "certificate-authority-data") {
        let inside = tls::certificates(&pem);
        if inside.is_broken() {
            reading
                .flaws
                .push(Flaw::broken("holds a `certificate-authority-data` that is damaged"));
        }
        reading.ends.extend(inside.ends);
    }
    if cluster.get("certificate-authority").is_some() {
        reading.flaws.push(elsewhere());
    }
}

fn elsewhere() -> Flaw {
    Flaw::doubtful(
        "names a file that is not in it: store one made with `kubectl config view --flatten --minify --raw`",
    )
}

fn credentials(reading: &mut Reading, user: &Value) {
    let certificate = embedded(user, "client-certificate-data").map(|pem| tls::certificates(&pem));
    let key = embedded(user, "client-key-data").map(|pem| tls::key(&pem));
    if certificate.as_ref().is_some_and(Reading::is_broken) {
        reading.flaws.push(Flaw::broken("holds a `client-certificate-data` that is damaged"));
    }
    if key.as_ref().is_some_and(Reading::is_broken) {
        reading.flaws.push(Flaw::broken("holds a `client-key-data` that is damaged"));
    }
    let halves = certificate.as_ref().and_then(|c| c.public.as_ref());
    let halves = halves.zip(key.as_ref().and_then(|k| k.public.as_ref()));
    if halves.and_then(|(c, k)| c.same_key(k)) == Some(false) {
        reading
            .flaws
            .push(Flaw::broken("holds a client key that is not that of its client certificate"));
    }
    reading.ends.extend(certificate.into_iter().flat_map(|c| c.ends));
    if let Some(bearer) = user.get("token").and_then(Value::as_str) {
        reading.ends.extend(token::jwt(bearer).ends);
    }
    if ["client-certificate", "client-key", "tokenFile"].iter().any(|k| user.get(*k).is_some()) {
        reading.flaws.push(elsewhere());
    }
    if user.get("exec").is_some() {
        reading.notes.push("gets its credentials from a program that must be on the runner");
    }
    if user.as_mapping().is_none_or(serde_yaml::Mapping::is_empty) {
        reading.flaws.push(Flaw::broken("has a user without credentials"));
    }
}
