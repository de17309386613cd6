//! The bundle on its way to the artifact service, and the page of the report beside it. A failed upload is a sentence in the report and
//! a bundle that stays in the workspace, never a failed step.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::session::Session;
use crate::actions::artifact::{self, Kind, Pace, Service, Upload, Uploaded};
use crate::actions::files as runner_files;
use crate::collect::bundle::{self, Bundle, Zip, sha256};
use crate::config::Config;
use crate::redact::Redacted;
use crate::report::Artifact;
use crate::source::error::chain_of;
use crate::source::files::Keep;

/// Longest time of the upload of the bundle.
const LIMIT: Duration = Duration::from_mins(2);
/// Longest time of the upload of the page: it is a comfort, not the evidence.
const PAGE_LIMIT: Duration = Duration::from_secs(20);
/// Largest page that is uploaded, in bytes.
const PAGE_CAP: usize = 16 << 20;
/// Name of the page beside the bundle.
const PAGE: &str = "report.html";
/// Folder of the workspace in which a bundle stays that could not be uploaded.
const KEPT: &str = "runner-guard-evidence";

/// How it went.
#[derive(Default)]
pub(super) struct Sent {
    /// The artifact, or why there is none. `None`: nobody asked, or this is no workflow.
    pub(super) artifact: Option<Result<Artifact, Redacted>>,
    /// Where the bundle stays when it was not uploaded, if it could be put into the workspace.
    pub(super) kept: Option<String>,
    /// Address of the page that opens in the browser, where the server takes one.
    pub(super) page: Option<String>,
    /// What went wrong beside it.
    pub(super) notes: Vec<Redacted>,
}

/// Uploads the bundle, and the page where there is one.
pub(super) async fn upload(session: &Session, config: &Config, bundle: &Bundle) -> Sent {
    let mut sent = Sent::default();
    if !config.artifact.upload || !session.context.in_actions {
        return sent;
    }
    match unless_cancelled(session, send_bundle(session, config, bundle)).await {
        Ok(done) => {
            let page = bundle.tar_gz.with_file_name(PAGE);
            if done.takes_pages && page.is_file() && !page.is_symlink() {
                let sending = send_page(session, config, &done.name, &page);
                match unless_cancelled(session, sending).await {
                    Ok(url) => sent.page = Some(url),
                    Err(why) => {
                        let why = format!("{PAGE} was not uploaded on its own: {why}");
                        sent.notes.push(session.red(&why));
                    }
                }
            }
            let Uploaded { name, id, url, digest, .. } = done;
            sent.artifact = Some(Ok(Artifact { name, id, url, digest }));
        }
        Err(why) => {
            sent.artifact = Some(Err(session.red(&why)));
            match keep(&session.context.workspace, &bundle.tar_gz) {
                Ok(path) => sent.kept = Some(path.display().to_string()),
                Err(why) => {
                    let why = format!("the bundle does not outlive the job: {why}");
                    sent.notes.push(session.red(&why));
                }
            }
        }
    }
    sent
}

async fn unless_cancelled<T>(
    session: &Session,
    sending: impl Future<Output = Result<T, String>>,
) -> Result<T, String> {
    tokio::select! {
        biased;
        () = session.cancel.cancelled() => Err("the run was cancelled before the upload had ended".to_owned()),
        sent = sending => sent,
    }
}

/// Copies the bundle from the folder for temporary files, which the runner empties, into the workspace.
fn keep(workspace: &Path, bundle: &Path) -> Result<PathBuf, String> {
    let folder = workspace.join(KEPT);
    // The job that failed may have put a link there.
    if folder.is_symlink() {
        return Err(format!("{} is a symbolic link", folder.display()));
    }
    runner_files::keep(&folder, bundle).map_err(|problem| problem.to_string())
}

async fn send_bundle(
    session: &Session,
    config: &Config,
    bundle: &Bundle,
) -> Result<Uploaded, String> {
    let service = service(session)?;
    let name = config.artifact.name.clone().unwrap_or_else(|| {
        let context = &session.context;
        format!("runner-guard-{}-{}-{}", context.job, context.run_attempt, service.job_tag())
    });
    let Zip { path, bytes, sha256 } = bundle.zip.as_ref().map_err(no_zip)?;
    let zip = File { kind: Kind::Zip, path, sha256, bytes: *bytes, limit: LIMIT };
    send(session, config, &name, &zip).await
}

fn service(session: &Session) -> Result<Service, String> {
    let context = &session.context;
    if context.results_url.is_empty() {
        return Err("this server has no artifact service for container actions (ACTIONS_RESULTS_URL is not set)".to_owned());
    }
    let token = session.env.text("ACTIONS_RUNTIME_TOKEN");
    Service::from_parts(
        &context.results_url,
        &token,
        &context.server_url,
        &context.repository,
        &context.run_id,
    )
    .map_err(|e| said(&e))
}

/// The page, unless it holds a secret: its bytes go out as they lie on the disk.
async fn send_page(
    session: &Session,
    config: &Config,
    name: &str,
    path: &Path,
) -> Result<String, String> {
    let read = session.roots().read(path, PAGE_CAP, Keep::Head).map_err(|e| e.chain())?;
    if read.truncated {
        return Err(format!("it has more than {PAGE_CAP} bytes"));
    }
    let held = session.redactor.leaks(&read.bytes);
    if !held.is_empty() {
        return Err(format!("it holds the value of {}", held.join(", ")));
    }
    let sum = sha256(&read.bytes);
    let bytes = read.bytes.len() as u64;
    let page = File { kind: Kind::Page, path, sha256: &sum, bytes, limit: PAGE_LIMIT };
    send(session, config, &format!("{name}-{PAGE}"), &page).await.map(|done| done.url)
}

/// A file on its way.
struct File<'a> {
    kind: Kind,
    path: &'a Path,
    sha256: &'a str,
    bytes: u64,
    limit: Duration,
}

async fn send(
    session: &Session,
    config: &Config,
    name: &str,
    file: &File<'_>,
) -> Result<Uploaded, String> {
    let service = service(session)?;
    let http = session.sources(config).map_err(|failure| failure.text())?.http;
    let days = config.artifact.retention_days;
    let most = session.context.retention_days;
    let obtained = session.obtained();
    let mask = |value: &str| obtained("the signature of the upload address", value);
    let request = Upload {
        name,
        kind: file.kind,
        file: file.path,
        sha256: file.sha256,
        size: file.bytes,
        retention_days: Some(most.map_or(days, |most| days.min(most))),
        now: jiff::Timestamp::from_second(session.now).unwrap_or_default(),
        deadline: Instant::now() + file.limit,
        pace: Pace::default(),
        mask: &mask,
    };
    artifact::upload(http.client(), &service, &request).await.map_err(|e| said(&e))
}

/// The chain of an error, and what to change.
fn no_zip(error: &bundle::Error) -> String {
    format!("{} ({})", chain_of(error), error.help())
}

fn said(error: &artifact::Error) -> String {
    let chain = chain_of(error);
    error.help().map_or_else(|| chain.clone(), |help| format!("{chain} ({help})"))
}
