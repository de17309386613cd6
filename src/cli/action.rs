//! The two stages of the action: the gate when the step runs, the black box at the end of the job.

use std::path::PathBuf;

use super::diagnose::{self, Place};
use super::failure::Failure;
use super::session::Session;
use super::{exit, preflight, publish};
use crate::actions::{Kind, Stage};
use crate::config::Config;
use crate::report::Report;

/// Where both stages leave files: below the runner's temporary folder, which they share on GitHub.
pub(super) fn folder(session: &Session) -> PathBuf {
    session.context.temp.join("runner-guard")
}

/// Runs the stage. The post stage always ends with 0: it explains failures, it must not be one.
pub(super) async fn run(session: &Session, stage: Stage) -> u8 {
    let mode = session.inputs.get("mode").unwrap_or("auto");
    let ended = match (stage, mode) {
        (_, "auto" | "preflight" | "diagnose") if stage == Stage::Post => post(session, mode).await,
        (_, "auto" | "preflight") => gate(session).await,
        (_, "diagnose") => black_box(session).await.map(|()| exit::PROCEED),
        (_, other) => Err(Failure::usage(format!(
            "input mode: `{other}` is not a mode\n  help: write auto, preflight or diagnose"
        ))),
    };
    match ended {
        Ok(code) => code,
        Err(failure) => {
            report_failure(session, &failure);
            if stage == Stage::Post {
                return exit::PROCEED;
            }
            publish::failed_gate(session, &failure.text(), failure.code());
            failure.code()
        }
    }
}

async fn gate(session: &Session) -> Result<u8, Failure> {
    let started = session.red(&session.now.to_string());
    if let Err(problem) = session.context.files.state(&[("started", started)]) {
        tracing::debug!("no state for the post stage: {problem}");
    }
    let report = preflight::run(session).await?;
    let code = code_of(&report);
    publish::to_runner(session, &report, code);
    Ok(code)
}

/// The code of a pre-flight report: a watching gate never blocks, a cancelled one says so.
pub(super) fn code_of(report: &Report) -> u8 {
    let enforced = report.verdict.as_ref().map_or(exit::UNEXPECTED, exit::of);
    match (report.partial, report.shadow) {
        (true, _) => exit::CANCELLED,
        (false, true) => exit::PROCEED,
        (false, false) => enforced,
    }
}

/// The end of the job. After a failure everything is collected; after a success, after a gate that blocked, or when nobody knows, only
/// what can contradict it.
async fn post(session: &Session, mode: &str) -> Result<u8, Failure> {
    if mode != "auto" {
        return Ok(exit::PROCEED);
    }
    let config = diagnose::config_or_defaults(session);
    session.share(&config);
    let status = session.job_status();
    let blocked = diagnose::gate_blocked(session, &folder(session));
    let failed = matches!(status, Some("failure" | "cancelled")) && !blocked;
    if failed || diagnose::shows_failure(&diagnose::glance(session, &config).await?) {
        return explain(session, &config).await.map(|()| exit::PROCEED);
    }
    let line = session.red(match status {
        _ if blocked => "runner-guard: the gate blocked this deploy; the summary of its step says why",
        Some(_) => "runner-guard: the job succeeded, and nothing contradicts it",
        None => "runner-guard: the job's status is not known here, and no evidence of a failure was found",
    });
    session.console(|console| console.text(&line));
    Ok(exit::PROCEED)
}

async fn black_box(session: &Session) -> Result<(), Failure> {
    let config = diagnose::config_or_defaults(session);
    session.share(&config);
    explain(session, &config).await
}

async fn explain(session: &Session, config: &Config) -> Result<(), Failure> {
    let folder = folder(session);
    let preflight = diagnose::left_by_preflight(session, &folder).map(|text| session.red(&text));
    publish::draft(session, None);
    let draft = |session: &Session, report: &Report| publish::draft(session, Some(report));
    let report = diagnose::run(session, config, &Place { folder, preflight, draft }).await?;
    publish::to_runner(session, &report, exit::PROCEED);
    Ok(())
}

/// A failure of our own: an annotation, since a container's exit code alone says nothing on the run page.
fn report_failure(session: &Session, failure: &Failure) {
    let text = session.shown(&failure.text());
    let title = session.red(match failure {
        Failure::Usage(_) => "runner-guard is not configured correctly",
        Failure::Source(_) | Failure::Unexpected(_) => "runner-guard could not do its work",
    });
    session.console(|console| {
        console.annotation(Kind::Error, &title, &text);
        console.text(&text);
    });
    let summary = session.page(&format!(
        "### ⚠️ {}\n\n{}\n",
        title,
        crate::report::escape::fence(text.as_str())
    ));
    if let Err(problem) = session.context.files.summary(&summary) {
        tracing::debug!("{problem}");
    }
}
