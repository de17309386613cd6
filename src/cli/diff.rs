//! `runner-guard diff OLD NEW`: what changed since the last run that was good.

use std::path::Path;

use serde_json::Value;

use super::args::{DiffArgs, DigestFormat};
use super::failure::Failure;
use super::session::Session;
use super::{page, reread};
use crate::report::EvidenceKind;
use crate::report::diff::{self, Side};
use crate::source::files;

/// Largest report in bytes.
const REPORT_CAP: usize = 64 << 20;

/// Compares two bundles or reports and prints what changed.
pub(super) fn run(session: &Session, args: &DiffArgs) -> Result<(), Failure> {
    let changes = diff::diff(&side(session, &args.old)?, &side(session, &args.new)?);
    match args.format {
        DigestFormat::Text => {
            let text = session.red(&diff::to_text(&changes));
            session.console(|console| console.text(&text));
        }
        DigestFormat::Json => {
            let json = session.redactor.pretty_json(diff::to_json(&changes));
            session.console(|console| console.exact(&json));
        }
    }
    Ok(())
}

fn side(session: &Session, path: &Path) -> Result<Side, Failure> {
    let name = path.display().to_string();
    let is_report = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json"));
    if is_report { of_report(session, path, name) } else { of_bundle(session, path, name) }
}

fn of_report(session: &Session, path: &Path, name: String) -> Result<Side, Failure> {
    let read = files::read_capped(path, REPORT_CAP).map_err(|e| Failure::usage(e.chain()))?;
    let wrong = |why: &str| {
        Failure::usage(format!(
            "{name} is no report of runner-guard: {why}\n  help: name a bundle, its report.json, or the preflight.json of a gate"
        ))
    };
    let value: Value = serde_json::from_slice(&read.bytes).map_err(|e| wrong(&e.to_string()))?;
    let value = redacted(session, value);
    let gate = match reread::word(&value, "stage") {
        "preflight" => true,
        "diagnose" => false,
        _ => return Err(wrong("it names no stage")),
    };
    let (gate, report) = if gate { (Some(value), None) } else { (None, Some(value)) };
    Ok(Side { name, gate, report, ..Side::default() })
}

fn of_bundle(session: &Session, path: &Path, name: String) -> Result<Side, Failure> {
    let opened = reread::open(path)?;
    let manifest = opened.manifest.as_ref().unwrap_or(&Value::Null);
    let document = |name: &str| {
        let bytes = opened.entries.get(name)?;
        serde_json::from_slice(bytes).ok().map(|value| redacted(session, value))
    };
    let rows = reread::list(manifest, "entries").iter();
    let logs = rows.filter(|row| reread::word(row, "kind") == EvidenceKind::Ansible.word());
    let texts: Vec<(&str, String)> = logs
        .filter_map(|row| {
            let path = reread::word(row, "path");
            let text = session.red(&String::from_utf8_lossy(opened.entries.get(path)?));
            Some((path, text.into_string()))
        })
        .collect();
    let plays = page::plays(session, texts.iter().map(|(path, text)| (*path, text.as_str())));
    Ok(Side {
        name,
        created: reread::word(manifest, "created").to_owned(),
        tool: reread::word(manifest, "tool").to_owned(),
        gate: document("preflight.json"),
        report: document("report.json"),
        plays: (!texts.is_empty()).then_some(plays),
    })
}

fn redacted(session: &Session, mut value: Value) -> Value {
    session.redactor.redact_json(&mut value);
    value
}
