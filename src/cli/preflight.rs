//! The gate: configuration -> findings -> verdict -> report.

use std::time::{Duration, Instant};

use super::failure::Failure;
use super::session::Session;
use crate::check;
use crate::config::Config;
use crate::gate;
use crate::report::{ApiUse, Finding, Report, Stage};
use crate::source::github::GitHub;
use crate::task::Deadline;

/// Longest time to take the token of a GitHub App back.
const REVOKE_LIMIT: Duration = Duration::from_secs(2);

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
    let mut report = report(session, &config, findings, start);
    if let Ok(github) = &sources.github {
        report.api = api_use(session, github);
        // A token that is not taken back ends by itself; nobody needs to hear of it.
        drop(github.revoke(Deadline::after(REVOKE_LIMIT)).await);
    }
    Ok(report)
}

/// What the API cost, when it was asked at all.
fn api_use(session: &Session, github: &GitHub) -> Option<ApiUse> {
    let budget = github.budget();
    (budget.calls > 0).then(|| ApiUse {
        identity: session.red(&github.identity()),
        calls: budget.calls,
        not_modified: budget.not_modified,
        remaining: budget.remaining,
        limit: budget.limit,
        reset: budget.reset,
    })
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
        api: None,
        notes: session.notes(config),
        runbooks: session.runbooks(config),
        took: start.elapsed(),
    }
}
