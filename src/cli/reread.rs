//! An old bundle, read again: its entries are held against its manifest, and its evidence against the signatures of today.
//!
//! Works without a network and without a configuration. The bundle may come from anybody, so nothing in it is believed: its texts are
//! redacted again, and a run on another server is not linked.

use std::path::Path;
use std::time::Instant;

use serde_json::Value;

use super::diagnose;
use super::failure::Failure;
use super::session::Session;
use crate::collect::bundle::read::{self, Opened};
use crate::collect::{self, log_evidence};
use crate::redact::Redacted;
use crate::report::redaction;
use crate::report::{
    BundlePath, Collected, CollectedRow, Evidence, EvidenceKind, JobRow, Report, Truncation, escape,
};
use crate::source::error::chain_of;

/// Kinds of evidence that are no logs; every other kind is read as a log.
const PLAIN: [EvidenceKind; 3] =
    [EvidenceKind::RunnerLog, EvidenceKind::Metrics, EvidenceKind::Context];

/// What the manifest calls a text of our own.
const OWN: &str = "report";

/// Reads a bundle; why it could not be is a mistake of the caller.
pub(super) fn open(path: &Path) -> Result<Opened, Failure> {
    read::read(path).map_err(|error| {
        let help = "name a bundle of runner-guard: its tar.gz, the zip of the artifact, or the folder it was unpacked into";
        Failure::usage(format!("{}\n  help: {help}", chain_of(&error)))
    })
}

/// The report on an old bundle.
pub(super) fn report(session: &Session, path: &Path) -> Result<Report, Failure> {
    let start = Instant::now();
    let opened = open(path)?;
    let manifest = opened.manifest.as_ref().unwrap_or(&Value::Null);
    let evidence = evidence(session, &opened, manifest)?;
    let config = crate::config::defaults(&crate::check::known());
    let mut report = diagnose::explain(session, &config, &evidence)?;
    report.notes = notes(session, path, &opened, manifest);
    report.job = job(session, manifest, &mut report.notes);
    report.collected =
        list(manifest, "collectors").iter().filter_map(|row| collected(session, row)).collect();
    report.job_status = status(&opened);
    report.took = start.elapsed();
    Ok(report)
}

/// The entries that are evidence, as it was when they were collected. What a manifest does not name is no evidence; without a manifest
/// every entry is a log.
fn evidence(
    session: &Session,
    opened: &Opened,
    manifest: &Value,
) -> Result<Vec<Evidence<Redacted>>, Failure> {
    let rows = list(manifest, "entries");
    let about = |name: &str| rows.iter().find(|row| word(row, "path") == name);
    let all = opened.entries.iter().map(|(name, bytes)| (name, bytes, about(name)));
    let wanted = all.filter(|(name, _, row)| match row {
        Some(row) => word(row, "kind") != OWN,
        None => rows.is_empty() && !is_own(name),
    });
    let raw = wanted
        .map(|(name, bytes, row)| {
            let row = row.unwrap_or(&Value::Null);
            let text = String::from_utf8_lossy(bytes);
            let (place, origin) = (BundlePath::new("", name), word(row, "origin"));
            let kind = PLAIN.into_iter().find(|kind| kind.word() == word(row, "kind"));
            let mut raw = match kind {
                Some(kind) => Evidence::new(place, kind, origin, text),
                None => log_evidence(place, origin, text),
            };
            raw.truncated = truncation(row);
            (format!("{name} again"), raw)
        })
        .collect();
    diagnose::sealed(session, raw)
}

fn is_own(name: &str) -> bool {
    ["summary.md", "report.json", "preflight.json", super::page::NAME, redaction::NAME]
        .contains(&name)
}

fn truncation(row: &Value) -> Option<Truncation> {
    let cut = row.get("truncated")?;
    Some(Truncation {
        original: cut.get("original").and_then(Value::as_u64),
        cap: cut.get("cap").and_then(Value::as_u64)?,
    })
}

fn notes(session: &Session, path: &Path, opened: &Opened, manifest: &Value) -> Vec<Redacted> {
    let promised = list(manifest, "entries").len();
    let made = format!(
        "read again from {}: made {} by {}; {} of {promised} entries are what its manifest says",
        path.display(),
        or_unknown(word(manifest, "created")),
        or_unknown(word(manifest, "tool")),
        opened.verified,
    );
    [made].iter().chain(&opened.problems).map(|note| session.red(note)).collect()
}

fn or_unknown(text: &str) -> &str {
    if text.is_empty() { "at an unknown time" } else { text }
}

/// The job as the manifest names it. A run on another server than ours is named, not linked.
fn job(session: &Session, manifest: &Value, notes: &mut Vec<Redacted>) -> JobRow {
    let job = manifest.get("job").unwrap_or(&Value::Null);
    let red = |key: &str| session.red(word(job, key));
    let mut run_url = red("run_url").into_string();
    let ours = escape::host(&session.context.server_url);
    if !run_url.is_empty() && escape::host(&run_url) != ours {
        notes.push(session.red(&format!("the run is on another server: {run_url}")));
        run_url.clear();
    }
    JobRow {
        repository: red("repository"),
        workflow: red("workflow"),
        job: red("job"),
        runner: red("runner"),
        environment: red("environment"),
        run_url,
    }
}

/// A row for a collector that this version knows.
fn collected(session: &Session, row: &Value) -> Option<CollectedRow> {
    let collector = collect::ALL.iter().map(|c| c.id()).find(|id| *id == word(row, "id"))?;
    let note = session.red(word(row, "note"));
    let entries = row.get("entries").and_then(Value::as_u64).unwrap_or_default();
    let collected = match word(row, "ended") {
        "ok" => Collected::Ok { note, entries: usize::try_from(entries).unwrap_or(usize::MAX) },
        "failed" => Collected::Failed(note),
        "timed out" => Collected::TimedOut,
        _ => Collected::Skipped(note),
    };
    let took = row.get("took_ms").and_then(Value::as_u64).unwrap_or_default();
    Some(CollectedRow { collector, collected, took: std::time::Duration::from_millis(took) })
}

/// How the job ended, from the old report.
fn status(opened: &Opened) -> Option<String> {
    let report: Value = serde_json::from_slice(opened.entries.get("report.json")?).ok()?;
    let status = word(&report, "job_status");
    ["success", "failure", "cancelled"].contains(&status).then(|| status.to_owned())
}

pub(super) fn word<'a>(of: &'a Value, key: &str) -> &'a str {
    of.get(key).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn list<'a>(of: &'a Value, key: &str) -> &'a [Value] {
    of.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
