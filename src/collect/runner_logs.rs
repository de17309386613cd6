//! The runner's own logs. They are not mounted into a container action, so there is a ladder: a folder that was named, a copy that an
//! earlier step staged, and, only when allowed, the Docker socket. The note says which rung was used and which were not.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Collector, Ctx, Harvest};
use crate::report::{BundlePath, Evidence, EvidenceKind, Raw, Truncation};
use crate::source::docker::Docker;
use crate::source::runner_files::{self, DiagLimits, DiagLog};
use crate::source::{Cause, Error};
use crate::task::{self, BoxFuture};

pub(super) struct RunnerLogs;

/// Where an earlier step of the job puts a copy: below the runner's temporary folder.
const STAGED: &str = "runner-guard/diag";

const LIMITS: DiagLimits =
    DiagLimits { files: 6, bytes_per_file: 4 << 20, bytes: 16 << 20, since: None };

/// Time that is kept back to remove the reading container.
const RESERVE: Duration = Duration::from_secs(3);

const ADD: &str = "add `docker-socket: true` under `with:` (see SECURITY.md), or a step before the deploy that copies them: \
                   `run: mkdir -p $RUNNER_TEMP/runner-guard/diag && cp ../../../_diag/*.log $RUNNER_TEMP/runner-guard/diag/`";

impl Collector for RunnerLogs {
    fn id(&self) -> &'static str {
        "runner-logs"
    }

    fn explain(&self) -> &'static str {
        "Reads the newest listener, worker and update logs of _diag: from the folder of the input runner-logs, else from a staged copy in \
         RUNNER_TEMP/runner-guard/diag, else (docker-socket: true) through a container that is created, never started, read and removed."
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Harvest, Error>> {
        Box::pin(async move {
            if let Some(folder) = &ctx.config.collect.runner_logs {
                let folder = ctx.job.workspace.join(folder);
                return from_folder(folder, "the folder of the input runner-logs").await;
            }
            let staged = ctx.job.temp.join(STAGED);
            if staged.is_absolute() && staged.is_dir() {
                return from_folder(staged, "the copy that a step staged").await;
            }
            if ctx.config.collect.docker_socket {
                return through_docker(ctx).await;
            }
            Ok(Harvest::Nothing(format!(
                "the runner's logs are not visible from a container; {ADD}"
            )))
        })
    }
}

async fn from_folder(folder: PathBuf, rung: &'static str) -> Result<Harvest, Error> {
    let place = folder.display().to_string();
    let read = task::blocking(move || runner_files::diag_logs(&folder, &LIMITS)).await;
    let logs = read.ok_or_else(|| {
        Error::new(format!("read {place}"), Cause::Other("the reader stopped".to_owned()))
    })??;
    Ok(harvest(logs, &format!("{rung} ({place})")))
}

fn harvest(logs: Vec<DiagLog>, origin: &str) -> Harvest {
    if logs.is_empty() {
        return Harvest::Nothing(format!("no Runner_*.log or Worker_*.log in {origin}"));
    }
    let entries: Vec<Evidence<Raw>> = logs.into_iter().map(|log| evidence(log, origin)).collect();
    Harvest::Found { note: format!("{} log(s) from {origin}", entries.len()), entries }
}

fn evidence(log: DiagLog, origin: &str) -> Evidence<Raw> {
    let truncated = log
        .truncated
        .then_some(Truncation { original: Some(log.original), cap: LIMITS.bytes_per_file as u64 });
    let path = BundlePath::new("runner-logs", &log.name);
    Evidence {
        truncated,
        ..Evidence::new(path, EvidenceKind::RunnerLog, format!("{origin}/{}", log.name), log.text)
    }
}

/// # Cancel safety
/// Not cancel-safe: a container would stay behind. The deadline given to the engine ends before the collector's own.
async fn through_docker(ctx: &Ctx<'_>) -> Result<Harvest, Error> {
    let deadline = ctx.deadline.at_most(ctx.deadline.remaining().saturating_sub(RESERVE));
    let docker = Docker::at(&ctx.sources.docker_socket)?;
    let host = ctx.sources.host.clone();
    let id = task::blocking(move || host.name()).await;
    let id = id.ok_or_else(|| {
        Error::new("read the host name", Cause::Other("the reader stopped".to_owned()))
    })??;
    let own = docker.own_container(&id, deadline).await?;
    let folder = diag_of(ctx, own.source_of("/github/workspace"))?;
    let archive = docker.read_host_folder(&own.image, &folder, deadline).await?;
    let unpacked = task::blocking(move || unpack(&archive)).await;
    let logs = unpacked.ok_or_else(|| {
        Error::new(format!("unpack {folder}"), Cause::Other("the reader stopped".to_owned()))
    })??;
    Ok(harvest(logs, &format!("{folder} of the host, through the Docker socket")))
}

/// `<root>/_diag`, from the work folder `<root>/_work/<repo>` that the runner names, else from the host path of the workspace.
fn diag_of(ctx: &Ctx<'_>, mounted: Option<&str>) -> Result<String, Error> {
    let work = Path::new(&ctx.job.host_workspace);
    let work =
        if work.is_absolute() { Some(work) } else { mounted.and_then(|m| Path::new(m).parent()) };
    let root =
        work.and_then(Path::parent).and_then(Path::parent).filter(|root| root.parent().is_some());
    root.map(|root| root.join("_diag").display().to_string()).ok_or_else(|| {
        Error::new(
            "find the runner's folder on the host",
            Cause::Other("RUNNER_WORKSPACE is not set".to_owned()),
        )
        .with_help("name the folder with the input runner-logs")
    })
}

/// The logs of a tar archive, the newest first. Only regular files with a log's name are read, each with a cap.
fn unpack(archive: &[u8]) -> Result<Vec<DiagLog>, Error> {
    let broken =
        |e: std::io::Error| Error::new("unpack the archive of _diag", Cause::Parse(e.to_string()));
    let mut logs: Vec<DiagLog> = Vec::new();
    let mut tar = tar::Archive::new(archive);
    for entry in tar.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let name = entry
            .path()
            .ok()
            .and_then(|p| p.file_name().map(|n| n.to_string_lossy().into_owned()))
            .unwrap_or_default();
        if !entry.header().entry_type().is_file() || !runner_files::is_log(&name) {
            continue;
        }
        let (size, seconds) = (entry.size(), entry.header().mtime().unwrap_or(0));
        let mut bytes = Vec::new();
        entry.by_ref().take(64 << 20).read_to_end(&mut bytes).map_err(broken)?;
        let (text, truncated) = tail(&bytes);
        let modified = std::time::UNIX_EPOCH + Duration::from_secs(seconds);
        logs.push(DiagLog { name, text, truncated, original: size, modified });
    }
    logs.sort_by(|a, b| (b.modified, &b.name).cmp(&(a.modified, &a.name)));
    logs.truncate(LIMITS.files);
    Ok(logs)
}

fn tail(bytes: &[u8]) -> (String, bool) {
    let start = bytes.len().saturating_sub(LIMITS.bytes_per_file);
    (String::from_utf8_lossy(bytes.get(start..).unwrap_or_default()).into_owned(), start > 0)
}
