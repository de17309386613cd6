//! A whole bundle once more through redaction: for another reader, with other rules, or with values that were not known before.
//!
//! The bundle may come from anybody; it is read as [`super::reread`] reads it. The new one has the same form, a manifest with the sums of
//! what it holds, and a report of the redaction.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::failure::Failure;
use super::reread;
use super::session::Session;
use crate::collect::bundle::{self, MANIFEST, Places, read::Opened, rewrite};
use crate::redact::{Counts, Redactor, Sealed, Store};
use crate::report::BundlePath;
use crate::report::redaction::{self, Redaction};

/// What became of an entry.
struct Entry {
    old: String,
    new: String,
    text: Sealed,
    counts: Counts,
}

/// Writes the bundle at `from` without secrets to `to`, at which nothing may be yet.
pub(super) fn run(
    session: &Session,
    from: &Path,
    to: &Path,
    mut redaction: Redaction,
) -> Result<Redaction, Failure> {
    refuse(from, to)?;
    let opened = reread::open(from)?;
    for bytes in opened.entries.values() {
        session.redactor.learn(&String::from_utf8_lossy(bytes));
    }
    let store = bundle::store(&std::env::temp_dir());
    let entries = entries(session, &opened, &store, &mut redaction)?;
    let report = redaction::to_json(&redaction, &session.redactor);
    let report = keep(session, redaction::NAME, report.as_str(), &store)?;
    let manifest = manifest(&session.redactor, &opened, &entries, (&report, &redaction));
    let manifest = keep(session, MANIFEST, &manifest, &store)?;
    let mut files: Vec<(&str, &Sealed)> =
        entries.iter().map(|entry| (entry.new.as_str(), &entry.text)).collect();
    files.extend([(redaction::NAME, &report), (MANIFEST, &manifest)]);
    files.sort_unstable_by_key(|(path, _)| *path);
    let written = rewrite::form_of(from).and_then(|form| rewrite::write(to, form, &files));
    written.map_err(|error| {
        let help = "give --out a path in a folder that can be written, where nothing is yet";
        Failure::usage(format!("write the bundle {}: {error}\n  help: {help}", to.display()))
    })?;
    for problem in &opened.problems {
        crate::actions::command::complain(&session.shown(&format!("warning: {problem}")));
    }
    Ok(redaction)
}

/// A link may lead anywhere, and the old bundle stays as it is.
fn refuse(from: &Path, to: &Path) -> Result<(), Failure> {
    let problem = if from.is_symlink() {
        Some((from, "is a symbolic link", "name the bundle itself"))
    } else if std::fs::symlink_metadata(to).is_ok() {
        Some((to, "is there already", "give --out a new path; nothing is written over"))
    } else if from.is_dir() && to.starts_with(from) {
        Some((to, "lies inside of the bundle", "give --out a path outside of it"))
    } else {
        None
    };
    problem.map_or(Ok(()), |(path, what, help)| {
        Err(Failure::usage(format!("{} {what}\n  help: {help}", path.display())))
    })
}

/// Every entry without secrets; one that still holds a known value is left out.
fn entries(
    session: &Session,
    opened: &Opened,
    store: &Store,
    redaction: &mut Redaction,
) -> Result<Vec<Entry>, Failure> {
    let mut places = Places::reserving(MANIFEST);
    places.place(redaction::NAME);
    let mut kept = Vec::new();
    for (old, bytes) in opened.entries.iter().filter(|(name, _)| *name != redaction::NAME) {
        let new = place(&session.redactor, old, &mut places);
        let (text, counts) = text(&session.redactor, old, &String::from_utf8_lossy(bytes));
        let text = keep(session, old, &text, store)?;
        if text.leaks().is_empty() {
            redaction.files.push((new.clone(), counts.clone()));
            kept.push(Entry { old: old.clone(), new, text, counts });
        } else {
            redaction.withheld.push((new, text.leaks().to_vec()));
        }
    }
    Ok(kept)
}

fn keep(session: &Session, name: &str, text: &str, store: &Store) -> Result<Sealed, Failure> {
    let kept = session.redactor.seal_own(text, store);
    kept.map_err(|e| Failure::Unexpected(anyhow::Error::new(e).context(format!("keep {name}"))))
}

/// The name of an entry without secrets, harmless on every file system, and unlike every other one.
fn place(redactor: &Redactor, old: &str, places: &mut Places) -> String {
    let red = redactor.redact(old);
    places.place(BundlePath::new("", red.as_str()).as_str())
}

/// JSON stays JSON: when its text would not, it is redacted by its structure.
fn text(redactor: &Redactor, path: &str, text: &str) -> (String, Counts) {
    let (red, counts) = redactor.redact_at(path, text);
    if serde_json::from_str::<Value>(red.as_str()).is_err()
        && let Ok(value) = serde_json::from_str::<Value>(text)
    {
        return (redactor.pretty_json(value).into_string(), counts);
    }
    (red.into_string(), counts)
}

/// The old manifest with what is true of the new entries.
fn manifest(
    redactor: &Redactor,
    opened: &Opened,
    entries: &[Entry],
    (report, redaction): (&Sealed, &Redaction),
) -> String {
    let mut manifest =
        opened.manifest.clone().filter(Value::is_object).unwrap_or_else(
            || json!({"schema": 1, "entries": [], "withheld": [], "collectors": []}),
        );
    let rows = manifest.get_mut("entries").map(Value::take).unwrap_or_default();
    let old: BTreeMap<&str, &Value> = rows
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|row| Some((row.get("path")?.as_str()?, row)))
        .collect();
    redactor.redact_json(&mut manifest);
    let mut rows: Vec<Value> =
        entries.iter().map(|e| row(redactor, e, old.get(e.old.as_str()))).collect();
    rows.push(json!({
        "path": redaction::NAME, "kind": "report", "origin": "runner-guard", "size": report.bytes(),
        "sha256": report.sha256(), "truncated": null, "redactions": {},
    }));
    let withheld = redaction.withheld.iter().map(|(path, names)| {
        let reason = format!("withheld: it still holds the value of {}", names.join(", "));
        json!({"path": path, "reason": reason})
    });
    let earlier = manifest.get("withheld").and_then(Value::as_array).cloned().unwrap_or_default();
    manifest["withheld"] = earlier.into_iter().chain(withheld).collect();
    manifest["entries"] = Value::Array(rows);
    manifest["profile"] = json!(redactor.profile().word());
    let text = format!("{manifest:#}\n");
    match redactor.leaks(text.as_bytes()).as_slice() {
        [] => text,
        names => {
            let reason = format!("withheld: the manifest still holds {}", names.join(", "));
            format!(
                "{}\n",
                json!({"schema": 1, "withheld": [{"path": MANIFEST, "reason": reason}]})
            )
        }
    }
}

/// The row of an entry: its old one with the new path, size, sum and counts.
fn row(redactor: &Redactor, entry: &Entry, old: Option<&&Value>) -> Value {
    let mut row = old.map_or_else(
        || json!({"kind": "job-log", "origin": "not in the old manifest", "truncated": null}),
        |old| (*old).clone(),
    );
    let mut counts: Counts = row
        .get_mut("redactions")
        .map(Value::take)
        .and_then(|earlier| serde_json::from_value(earlier).ok())
        .unwrap_or_default();
    for (rule, count) in &entry.counts {
        *counts.entry(rule.clone()).or_default() += count;
    }
    redactor.redact_json(&mut row);
    row["path"] = json!(entry.new);
    row["size"] = json!(entry.text.bytes());
    row["sha256"] = json!(entry.text.sha256());
    row["redactions"] = json!(counts);
    row
}
