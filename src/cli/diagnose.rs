//! The black box: collect, redact, name the cause, bundle, upload.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;

use super::failure::Failure;
use super::page;
use super::session::Session;
use super::{publish, upload};
use crate::collect::{self, Collection, Collector, bundle};
use crate::config::Config;
use crate::diagnose::{Signatures, diagnose};
use crate::redact::Redacted;
use crate::report::chart::{self, Chart};
use crate::report::{
    BundlePath, BundleRow, Diagnosis, Evidence, Excerpt, Report, Stage, json, summary, timeline,
};
use crate::source::files::{self, Keep};
use crate::task::Deadline;

/// Most of one log that is read, in bytes: its beginning and its end.
const LOG_CAP: usize = 64 << 20;

/// Our own texts in the bundle.
const OWN: [&str; 4] = ["summary.md", "report.json", page::NAME, "preflight.json"];

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
    Ok(collect::run(ctx, which, &session.cancel).await)
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
    let mut collection = collect(session, config, collect::ALL).await?;
    bundle::place_all(&mut collection.evidence, &OWN);
    let mut report = explain(session, config, collection.evidence.as_slice())?;
    report.collected = collection.rows;
    report.took = start.elapsed();
    (place.draft)(session, &report);
    match write_bundle(session, &report, &collection.evidence, place) {
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
    let mut evidence = Vec::new();
    for path in logs {
        let read =
            files::read(path, LOG_CAP, Keep::HeadAndTail).map_err(|e| Failure::usage(e.chain()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let raw = collect::log_evidence(
            BundlePath::new("", &name),
            &path.display().to_string(),
            &read.text(),
            &session.redactor,
        );
        evidence.push(raw.redact(&session.redactor));
    }
    explain(session, config, &evidence)
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
    snapshot.map(|e| chart::read(&e.text)).unwrap_or_default()
}

fn write_bundle(
    session: &Session,
    report: &Report,
    evidence: &[Evidence<Redacted>],
    place: &Place,
) -> anyhow::Result<bundle::Bundle> {
    let text = summary::render(report, summary::BUDGET)?;
    let page = page::render(session, report, evidence, place.preflight.as_ref());
    leave_page(session, place, &page);
    let own = |name: &str, kind: &'static str, text: Redacted| bundle::Entry {
        path: BundlePath::new("", name),
        kind,
        text,
    };
    let mut extra = vec![
        own("summary.md", "report", session.red(&text)),
        own("report.json", "report", session.redactor.pretty_json(json::to_json(report))),
        own(page::NAME, "report", page),
    ];
    extra.extend(place.preflight.clone().map(|text| own("preflight.json", "report", text)));
    let created = jiff::Timestamp::from_second(session.now)?;
    let meta = bundle::ManifestMeta { created, job: &report.job, collected: &report.collected };
    Ok(bundle::write(
        &place.folder,
        "runner-guard-bundle",
        evidence,
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
pub(super) fn left_by_preflight(folder: &Path) -> Option<String> {
    files::read_capped(&folder.join("preflight.json"), 4 << 20).ok().map(|read| read.text())
}

/// Whether the pre-flight stage of this job stopped it: then there is no failed deploy to explain.
pub(super) fn gate_blocked(folder: &Path) -> bool {
    let left = left_by_preflight(folder).unwrap_or_default();
    let Ok(report) = serde_json::from_str::<serde_json::Value>(&left) else { return false };
    let word = |key: &str| report.get(key).cloned().unwrap_or_default();
    word("verdict") == "block" && word("shadow") != true
}
