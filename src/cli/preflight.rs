//! The gate: configuration -> findings -> verdict -> report.

use std::time::Instant;

use super::failure::Failure;
use super::session::Session;
use crate::check;
use crate::config::Config;
use crate::gate;
use crate::report::{Finding, Report, Stage};
use crate::task::Deadline;

/// Asks every question and decides.
pub(super) async fn run(session: &Session) -> Result<Report, Failure> {
    let start = Instant::now();
    let config = session.config()?;
    let sources = session.sources(&config)?;
    let (job, secrets) = (session.job(), session.secrets());
    let deadline = Deadline::after(config.timeout);
    let ctx = check::Ctx {
        config: &config,
        job: &job,
        runner: None,
        sources: &sources,
        secrets: &secrets,
        deadline,
    };
    let answers = check::run(ctx, &config.runners, &session.cancel).await;
    let findings: Vec<Finding> =
        answers.into_iter().map(|a| Finding::new(a, &session.redactor)).collect();
    Ok(report(session, &config, findings, start))
}

fn report(session: &Session, config: &Config, findings: Vec<Finding>, start: Instant) -> Report {
    let decision = gate::decide(&findings, &config.runners, config, &session.redactor);
    Report {
        stage: Stage::Preflight,
        job: session.job_row(config),
        findings,
        verdict: Some(decision.verdict),
        selection: decision.selection,
        shadow: decision.shadow,
        diagnoses: Vec::new(),
        collected: Vec::new(),
        job_status: None,
        failures: Vec::new(),
        bundle: None,
        partial: session.cancel.is_cancelled(),
        notes: session.notes(config),
        runbooks: session.runbooks(config),
        took: start.elapsed(),
    }
}
