//! The manifest: what lies in the bundle, where it came from, what was left out of it, and how every collector ended.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Kept, ManifestMeta, Sifted, Withheld};
use crate::report::{Collected, CollectedRow, JobRow};

/// Version of the manifest; it grows only when a field changes meaning.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Manifest<'a> {
    schema: u32,
    tool: &'static str,
    created: String,
    job: Origin<'a>,
    entries: Vec<Entry<'a>>,
    withheld: Vec<Missing<'a>>,
    collectors: Vec<Collector<'a>>,
}

#[derive(Serialize)]
struct Origin<'a> {
    repository: &'a str,
    workflow: &'a str,
    job: &'a str,
    runner: &'a str,
    environment: &'a str,
    run_url: &'a str,
}

#[derive(Serialize)]
struct Entry<'a> {
    path: &'a str,
    kind: &'a str,
    origin: &'a str,
    size: u64,
    sha256: &'a str,
    /// `whole`, or `cut` when a limit left something of it out.
    status: &'static str,
    took_ms: u128,
    truncated: Option<Truncated>,
    redactions: &'a BTreeMap<String, usize>,
}

#[derive(Serialize)]
struct Truncated {
    original: Option<u64>,
    cap: u64,
}

#[derive(Serialize)]
struct Missing<'a> {
    path: &'a str,
    reason: &'a str,
}

#[derive(Serialize)]
struct Collector<'a> {
    id: &'a str,
    ended: &'static str,
    note: &'a str,
    entries: usize,
    took_ms: u128,
}

/// The manifest as JSON text; one that would itself hold a secret is reduced to saying so.
pub(super) fn render(
    sifted: &Sifted<'_>,
    meta: &ManifestMeta<'_>,
    leaks: &dyn Fn(&[u8]) -> Vec<String>,
) -> String {
    let manifest = Manifest {
        schema: SCHEMA,
        tool: concat!("runner-guard ", env!("CARGO_PKG_VERSION")),
        created: meta.created.to_string(),
        job: job(meta.job),
        entries: sifted.kept.iter().map(entry).collect(),
        withheld: sifted.withheld.iter().map(missing).collect(),
        collectors: meta.collected.iter().map(collector).collect(),
    };
    let text = serde_json::to_string_pretty(&manifest).unwrap_or_default();
    let names = leaks(text.as_bytes());
    if names.is_empty() { text + "\n" } else { reduced(&names) }
}

fn reduced(names: &[String]) -> String {
    let reason = format!("withheld: the manifest still holds the value of {}", names.join(", "));
    format!(
        "{}\n",
        serde_json::json!({ "schema": SCHEMA, "withheld": [{ "path": super::MANIFEST, "reason": reason }] })
    )
}

fn job(row: &JobRow) -> Origin<'_> {
    Origin {
        repository: row.repository.as_str(),
        workflow: row.workflow.as_str(),
        job: row.job.as_str(),
        runner: row.runner.as_str(),
        environment: row.environment.as_str(),
        run_url: &row.run_url,
    }
}

fn entry<'a>(kept: &'a Kept<'_>) -> Entry<'a> {
    Entry {
        path: &kept.path,
        kind: kept.item.kind,
        origin: kept.item.origin,
        size: kept.item.text.bytes(),
        sha256: kept.item.text.sha256(),
        status: if kept.item.truncated.is_some() { "cut" } else { "whole" },
        took_ms: kept.item.took.as_millis(),
        truncated: kept.item.truncated.map(|t| Truncated { original: t.original, cap: t.cap }),
        redactions: kept.item.redactions,
    }
}

fn missing(withheld: &Withheld) -> Missing<'_> {
    Missing { path: &withheld.path, reason: &withheld.reason }
}

fn collector(row: &CollectedRow) -> Collector<'_> {
    let (ended, note, entries) = match &row.collected {
        Collected::Ok { note, entries } => ("ok", note.as_str(), *entries),
        Collected::Skipped(reason) => ("skipped", reason.as_str(), 0),
        Collected::Failed(chain) => ("failed", chain.as_str(), 0),
        Collected::TimedOut => ("timed out", "", 0),
    };
    Collector { id: row.collector, ended, note, entries, took_ms: row.took.as_millis() }
}
