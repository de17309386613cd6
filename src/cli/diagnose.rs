//! The black box: collect, redact, name the cause, bundle, upload.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;
use serde_json::Value;

use super::at_rest;
use super::failure::Failure;
use super::page;
use super::session::Session;
use super::{publish, upload};
use crate::collect::{self, Collection, Collector, Room, bundle};
use crate::config::Config;
use crate::diagnose::{Signatures, diagnose};
use crate::redact::{Packing, Proof, Redacted, Store};
use crate::report::chart::{self, Chart};
use crate::report::redaction::{self, Redaction};
use crate::report::timeline::TimelineRow;
use crate::report::{
    Allowance, BundlePath, BundleRow, Diagnosis, Evidence, Excerpt, Raw, Report, Seal, Stage,
    escape, json, summary, timeline,
};
use crate::source::files::Keep;
use crate::source::host::Host;
use crate::task::Deadline;

/// Most of the metrics snapshot that is read for charts, in bytes.
const SNAPSHOT_CAP: usize = 4 << 20;

/// Our own texts in the bundle.
const OWN: [&str; 5] = ["summary.md", "report.json", page::NAME, "preflight.json", redaction::NAME];

/// Where the run leaves its files.
pub(super) struct Place {
    /// The folder.
    pub(super) folder: PathBuf,
    /// What the pre-flight stage left there, when it did.
    pub(super) preflight: Option<Redacted>,
    /// Told whenever more is known, before the next slow part begins.
    pub(super) draft: fn(&Session, &Report),
}

/// Collects from these collectors; the first half of the black box.
pub(super) async fn collect(
    session: &Session,
    config: &Config,
    which: &[&dyn Collector],
    room: &Room,
) -> Result<Collection, Failure> {
    let sources = session.sources(config)?;
    let job = session.job();
    let ctx = collect::Ctx {
        config,
        job: &job,
        sources: &sources,
        redactor: &session.redactor,
        deadline: Deadline::after(config.collect.timeout),
    };
    Ok(collect::run(ctx, which, room, &session.cancel).await)
}

/// Tells what would be collected, and how large it is; nothing is written.
pub(super) async fn plan(
    session: &Session,
    config: &Config,
    folder: &Path,
) -> Result<String, Failure> {
    let sources = session.sources(config)?;
    let job = session.job();
    let deadline = Deadline::after(config.collect.timeout);
    let redactor = &session.redactor;
    let ctx = collect::Ctx { config, job: &job, sources: &sources, redactor, deadline };
    let room = room(folder, None);
    let (planned, sum) = collect::plan(ctx, collect::ALL, &room, &session.cancel).await;
    let safe = |line: &str| escape::terminal_line(line, escape::LINE);
    let mut lines = Vec::new();
    for one in planned {
        lines.push(safe(&format!("{}: {}", one.collector, one.note)));
        lines.extend(one.items.iter().map(|item| format!("  {}", safe(item.as_str()))));
    }
    lines.push(format!("in all: {sum}"));
    Ok(lines.join("\n"))
}

/// The room in this folder, or in the nearest one above that exists.
fn room(folder: &Path, preflight: Option<&Redacted>) -> Room {
    let there = folder.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new("."));
    let free = Host::default().disk(there).ok().map(|disk| disk.available);
    let unhealthy = preflight.map(|text| unhealthy(text.as_str())).unwrap_or_default();
    Room { store: bundle::store(folder), free, unhealthy }
}

/// Ids of the checks that did not pass, in the report that the pre-flight stage left.
fn unhealthy(preflight: &str) -> Vec<String> {
    let report: Value = serde_json::from_str(preflight).unwrap_or_default();
    let findings = report.get("findings").and_then(Value::as_array);
    let word = |finding: &Value, key: &str| {
        finding.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let sick = |finding: &&Value| ["fail", "warn"].contains(&word(finding, "status").as_str());
    findings.into_iter().flatten().filter(sick).map(|finding| word(finding, "check")).collect()
}

/// Most of one text that a green job is looked at for, in bytes: it must not wait for this look.
const GLANCE: u64 = 8 << 20;

/// What can tell whether the deploy of a job that ended well has failed after all; nothing is written.
pub(super) async fn glance(session: &Session, config: &Config) -> Result<Collection, Failure> {
    let mut config = config.clone();
    config.collect.budget.item = config.collect.budget.item.min(GLANCE);
    collect(session, &config, collect::OUTCOME, &Room::in_memory()).await
}

/// Whether the evidence itself shows that a deploy failed, whatever the job's status says.
pub(super) fn shows_failure(collection: &Collection) -> bool {
    collection.evidence.iter().any(|e| e.excerpts.as_ref().is_some_and(|all| !all.is_empty()))
}

/// Everything: collects, diagnoses, writes the bundle, uploads it.
pub(super) async fn run(
    session: &Session,
    config: &Config,
    place: &Place,
) -> Result<Report, Failure> {
    let start = Instant::now();
    at_rest::learn(session, config);
    let proof = session.redactor.prove().map_err(|missed| {
        let forms = missed.join(", ");
        Failure::Unexpected(anyhow::anyhow!(
            "the redaction missed a value that was planted as {forms}: nothing of the evidence is shown, kept or uploaded"
        ))
    })?;
    let room = room(&place.folder, place.preflight.as_ref());
    let mut collection = collect(session, config, collect::ALL, &room).await?;
    bundle::place_all(&mut collection.evidence, &OWN);
    let mut report = explain(session, config, collection.evidence.as_slice())?;
    report.collected = std::mem::take(&mut collection.rows);
    report.timeline.extend(gate_events(session, place));
    report.timeline = timeline::ordered(std::mem::take(&mut report.timeline));
    report.took = start.elapsed();
    (place.draft)(session, &report);
    match write_bundle(session, &report, &collection, (place, &room.store), proof) {
        Ok(written) => {
            let mut row = BundleRow {
                path: written.tar_gz.display().to_string(),
                bytes: written.tar_bytes,
                entries: written.entries,
                redactions: written.redactions,
                artifact: None,
                page: None,
            };
            report.bundle = Some(row.clone());
            report.notes.extend(
                written.withheld.iter().map(|w| session.red(&format!("{}: {}", w.path, w.reason))),
            );
            (place.draft)(session, &report);
            let sent = upload::upload(session, config, &written).await;
            row.path = sent.kept.unwrap_or(row.path);
            (row.artifact, row.page) = (sent.artifact, sent.page);
            report.bundle = Some(row);
            report.notes.extend(sent.notes);
        }
        Err(error) => {
            let why = format!("{error:#}");
            publish::warn(session, "No bundle of the evidence", &why);
            report.notes.push(session.red(&format!("no bundle: {why}")));
        }
    }
    report.partial = session.cancel.is_cancelled();
    report.took = start.elapsed();
    Ok(report)
}

/// Names the causes in logs that are already there; nothing is collected and nothing is written.
pub(super) fn of_logs(
    session: &Session,
    config: &Config,
    logs: &[PathBuf],
) -> Result<Report, Failure> {
    let mut raw = Vec::new();
    for path in logs {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let log = collect::log_file(BundlePath::new("", &name), path);
        raw.push((path.display().to_string(), log.map_err(|e| Failure::usage(e.chain()))?));
    }
    let evidence = sealed(session, raw)?;
    explain(session, config, &evidence)
}

/// Texts that are already there, each with its name, without their secrets. Large ones wait in files without a name; where there is no
/// place for these, in memory.
pub(super) fn sealed(
    session: &Session,
    raw: Vec<(String, Evidence<Raw>)>,
) -> Result<Vec<Evidence<Redacted>>, Failure> {
    let store = bundle::store(&std::env::temp_dir());
    let how = Seal {
        redactor: &session.redactor,
        store: &store,
        packing: Packing::Quick,
        most: Allowance::ALL,
        stop: &|| session.cancel.is_cancelled(),
    };
    let wrong = |name, why| Failure::Unexpected(anyhow::anyhow!("read {name}: {why}"));
    raw.into_iter().map(|(name, raw)| raw.seal(&how).map_err(|why| wrong(name, why))).collect()
}

pub(super) fn explain(
    session: &Session,
    config: &Config,
    evidence: &[Evidence<Redacted>],
) -> Result<Report, Failure> {
    let signatures = Signatures::builtin().context("load the built-in signatures")?;
    let diagnoses: Vec<Diagnosis> = diagnose(evidence, &signatures);
    let charts = charts(evidence);
    Ok(Report {
        stage: Stage::Diagnose,
        job: session.job_row(config),
        findings: Vec::new(),
        verdict: None,
        selection: None,
        shadow: false,
        diagnoses,
        collected: Vec::new(),
        job_status: session.job_status().map(str::to_owned),
        failures: failures(evidence),
        timeline: timeline::of(evidence, &charts, &session.redactor),
        charts,
        bundle: None,
        partial: session.cancel.is_cancelled(),
        api: None,
        notes: session.notes(config),
        runbooks: session.runbooks(config),
        took: std::time::Duration::ZERO,
    })
}

/// The failures that parsers found, root causes first.
fn failures(evidence: &[Evidence<Redacted>]) -> Vec<Excerpt<Redacted>> {
    let mut all: Vec<Excerpt<Redacted>> =
        evidence.iter().filter_map(|e| e.excerpts.clone()).flatten().collect();
    all.sort_by_key(|excerpt| !excerpt.root);
    all
}

/// The charts of the metrics snapshot.
fn charts(evidence: &[Evidence<Redacted>]) -> Vec<Chart> {
    let snapshot = evidence.iter().find(|e| e.path.as_str() == collect::SNAPSHOT);
    snapshot.map(|e| chart::read(&e.text.text(SNAPSHOT_CAP))).unwrap_or_default()
}

/// When the gate of the same job decided, and what.
fn gate_events(session: &Session, place: &Place) -> Vec<TimelineRow> {
    let report = place.preflight.as_ref().and_then(|text| serde_json::from_str(text.as_str()).ok());
    let began = session.job().started;
    match report.filter(|_: &Value| began > 0) {
        Some(report) => timeline::gate(began, &report, &session.redactor),
        None => Vec::new(),
    }
}

/// What the redaction did in these texts.
fn redaction(collection: &Collection, proof: Proof) -> Redaction {
    let leaks = |e: &&Evidence<Redacted>| !e.text.leaks().is_empty();
    let all = || collection.evidence.iter();
    let path = |e: &Evidence<Redacted>| e.path.as_str().to_owned();
    Redaction {
        files: all().map(|e| (path(e), e.redactions.clone())).collect(),
        withheld: all().filter(leaks).map(|e| (path(e), e.text.leaks().to_vec())).collect(),
        proof: Some(Ok(proof)),
    }
}

fn write_bundle(
    session: &Session,
    report: &Report,
    collection: &Collection,
    (place, store): (&Place, &Store),
    proof: Proof,
) -> anyhow::Result<bundle::Bundle> {
    let text = summary::render(report, summary::BUDGET)?;
    let page = page::render(session, report, &collection.evidence, place.preflight.as_ref());
    leave_page(session, place, &page);
    let json = session.redactor.pretty_json(json::to_json(report));
    let mut own = vec![
        ("summary.md", session.redactor.redact_page(&text)),
        ("report.json", json),
        (page::NAME, page),
    ];
    own.extend(place.preflight.clone().map(|text| ("preflight.json", text)));
    let redactions = redaction::to_json(&redaction(collection, proof), &session.redactor);
    own.push((redaction::NAME, redactions));
    let mut extra = Vec::new();
    for (name, text) in own {
        let text = session.redactor.seal_own(text.as_str(), store);
        let text = text.with_context(|| format!("keep {name} for the bundle"))?;
        extra.push(bundle::Entry { path: BundlePath::new("", name), kind: "report", text });
    }
    let created = jiff::Timestamp::from_second(session.now)?;
    let (job, collected, left) = (&report.job, &report.collected, &collection.left);
    let meta = bundle::ManifestMeta { created, job, collected, left };
    Ok(bundle::write(
        &place.folder,
        "runner-guard-bundle",
        &collection.evidence,
        &extra,
        &meta,
        &session.redactor,
    )?)
}

/// Leaves the page beside the bundle, for who has no archive at hand. One that holds a secret stays away, as an entry of the bundle would.
fn leave_page(session: &Session, place: &Place, page: &Redacted) {
    let leaks = session.redactor.leaks(page.as_str().as_bytes());
    if !leaks.is_empty() {
        return tracing::warn!(
            "{} withheld: it still holds the value of {}",
            page::NAME,
            leaks.join(", ")
        );
    }
    if let Err(problem) = bundle::leave(&place.folder, page::NAME, page) {
        tracing::debug!("{problem}");
    }
}

/// The configuration for a black box: a broken file must not cost the explanation of a broken deploy.
pub(super) fn config_or_defaults(session: &Session) -> Config {
    session.config().unwrap_or_else(|failure| {
        let known = crate::check::known();
        let inputs_alone = crate::config::load(None, &session.inputs, &known);
        let mut config = inputs_alone.unwrap_or_else(|_| crate::config::defaults(&known));
        let why = failure.text();
        config
            .unused
            .push(format!("the configuration could not be used, the defaults were: {why}"));
        config
    })
}

/// The report that the pre-flight stage left in this folder.
pub(super) fn left_by_preflight(session: &Session, folder: &Path) -> Option<String> {
    let read = session.roots().read(&folder.join("preflight.json"), 4 << 20, Keep::Head);
    read.ok().map(|read| read.text())
}

/// Whether the pre-flight stage of this job stopped it: then there is no failed deploy to explain.
pub(super) fn gate_blocked(session: &Session, folder: &Path) -> bool {
    let left = left_by_preflight(session, folder).unwrap_or_default();
    let Ok(report) = serde_json::from_str::<Value>(&left) else { return false };
    let word = |key: &str| report.get(key).cloned().unwrap_or_default();
    word("verdict") == "block" && word("shadow") != true
}
