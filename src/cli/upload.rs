//! The bundle on its way to the artifact service. A failed upload is a sentence in the report, never a failed step.

use std::time::{Duration, Instant};

use super::session::Session;
use crate::actions::artifact::{self, Pace, Service, Upload};
use crate::collect::bundle::Bundle;
use crate::config::Config;
use crate::redact::Redacted;
use crate::report::Artifact;
use crate::source::error::chain_of;

/// Longest time of the whole upload.
const LIMIT: Duration = Duration::from_mins(2);

/// Uploads the bundle. `None`: nobody asked, or this is no workflow.
pub(super) async fn upload(
    session: &Session,
    config: &Config,
    bundle: &Bundle,
) -> Option<Result<Artifact, Redacted>> {
    if !config.artifact.upload || !session.context.in_actions || session.cancel.is_cancelled() {
        return None;
    }
    let uploaded = tokio::select! {
        biased;
        () = session.cancel.cancelled() => Err("the run was cancelled during the upload".to_owned()),
        uploaded = send(session, config, bundle) => uploaded,
    };
    Some(uploaded.map_err(|why| session.red(&why)))
}

async fn send(session: &Session, config: &Config, bundle: &Bundle) -> Result<Artifact, String> {
    let context = &session.context;
    if context.results_url.is_empty() {
        return Err("this server has no artifact service for container actions (ACTIONS_RESULTS_URL is not set)".to_owned());
    }
    let token = session.env.text("ACTIONS_RUNTIME_TOKEN");
    let service = Service::from_parts(
        &context.results_url,
        &token,
        &context.server_url,
        &context.repository,
        &context.run_id,
    )
    .map_err(|e| chain_of(&e))?;
    let name = config.artifact.name.clone();
    let name = name.unwrap_or_else(|| {
        format!("runner-guard-{}-{}-{}", context.job, context.run_attempt, service.job_tag())
    });
    let http = session.sources(config).map_err(|failure| failure.text())?.http;
    let days = config.artifact.retention_days;
    let mask = |value: &str| session.console(|console| console.mask(value));
    let request = Upload {
        name: &name,
        zip: &bundle.zip,
        sha256: &bundle.zip_sha256,
        size: bundle.zip_bytes,
        retention_days: Some(context.retention_days.map_or(days, |most| days.min(most))),
        now: jiff::Timestamp::from_second(session.now).unwrap_or_default(),
        deadline: Instant::now() + LIMIT,
        pace: Pace::default(),
        mask: &mask,
    };
    let done =
        artifact::upload(http.client(), &service, &request).await.map_err(|e| chain_of(&e))?;
    Ok(Artifact { name: done.name, id: done.id, url: done.url, digest: done.digest })
}
