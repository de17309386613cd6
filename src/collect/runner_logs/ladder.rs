//! The ways to the folder `_diag`, the surest first: named, beside the runner that started us, above the workspace, through the Docker
//! engine when that is allowed, and a copy that a step staged.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Ctx;
use crate::collect::ansible;
use crate::source::docker::Docker;
use crate::source::files::Roots;
use crate::source::runner_files::{self, Diag};
use crate::source::{Cause, Error};
use crate::task;

/// Where an earlier step of the job puts a copy: below the runner's temporary folder.
const STAGED: &str = "runner-guard/diag";

/// Time that is kept back to remove the reading container.
const RESERVE: Duration = Duration::from_secs(3);

/// How old a file may be that is taken from the engine's archive, in seconds: the jobs of the last day.
const ARCHIVED: i64 = 24 * 3600;

/// How far the ladder went.
pub(super) struct Ladder {
    /// Below them no link leads to the logs.
    roots: Roots,
    /// The logs, when a way led to them.
    pub(super) found: Option<Found>,
    /// Why the ways before it did not.
    pub(super) missed: Vec<String>,
    /// The refusal of a way that was asked for.
    pub(super) refused: Option<Error>,
}

/// Logs, and how they were reached.
pub(super) struct Found {
    pub(super) diag: Diag,
    /// The way in words, with the place.
    pub(super) how: String,
    /// The folder on this machine.
    pub(super) folder: Option<PathBuf>,
    /// Whether it is surely the folder that the runner writes to, and not a copy.
    pub(super) live: bool,
}

impl Found {
    /// The runner's root folder, when this is the folder in it.
    pub(super) fn root(&self) -> Option<PathBuf> {
        let root = self.folder.as_deref()?.canonicalize().ok()?.parent()?.to_owned();
        is_root(&root).then_some(root)
    }
}

fn is_root(folder: &Path) -> bool {
    folder.join(".runner").is_file() || folder.join("bin/Runner.Listener").is_file()
}

/// # Cancel safety
/// Not cancel-safe: a container would stay behind. The deadline given to the engine ends before the collector's own.
pub(super) async fn climb(ctx: &Ctx<'_>) -> Ladder {
    let roots = ansible::roots(ctx.job);
    let mut ladder = Ladder { roots, found: None, missed: Vec::new(), refused: None };
    match &ctx.config.collect.runner_logs {
        Some(named) => {
            let folder = ctx.job.workspace.join(named);
            ladder.try_folder("the folder of the input runner-logs", folder, Asked::ByName).await;
        }
        None => ladder.missed.push("the input runner-logs is not set".to_owned()),
    }
    let proc = ctx.sources.host.inside(Path::new("/proc"));
    let above = task::blocking(move || runner_files::root_above(&proc, std::process::id())).await;
    ladder.next(
        "beside the runner that started this process",
        above.flatten().map(|root| root.join("_diag")),
        || "no runner is among the parents of this process (in a container they are out of sight)".to_owned(),
    )
    .await;
    ladder
        .next("above the workspace", above_workspace(ctx), || {
            format!("no _diag beside the work folder of {}", ctx.job.workspace.display())
        })
        .await;
    if ladder.found.is_none() {
        if ctx.config.collect.docker_socket {
            ladder.try_docker(ctx).await;
        } else {
            ladder.missed.push("the Docker socket is not allowed (docker-socket)".to_owned());
        }
    }
    let staged = ctx.job.temp.join(STAGED);
    let there = staged.is_absolute() && staged.is_dir();
    if ladder.found.is_none() && there {
        ladder.try_folder("the copy that a step staged", staged, Asked::Copy).await;
    } else if ladder.found.is_none() {
        ladder.missed.push(format!("no copy in $RUNNER_TEMP/{STAGED}"));
    }
    ladder
}

/// What is known about a folder before it is opened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    ByName,
    Searched,
    Copy,
}

impl Ladder {
    async fn next(&mut self, how: &str, folder: Option<PathBuf>, why_not: impl FnOnce() -> String) {
        if self.found.is_some() {
            return;
        }
        match folder {
            Some(folder) => self.try_folder(how, folder, Asked::Searched).await,
            None => self.missed.push(why_not()),
        }
    }

    async fn try_folder(&mut self, how: &str, folder: PathBuf, asked: Asked) {
        let how = format!("{how} ({})", folder.display());
        let (place, roots) = (folder.clone(), self.roots.clone());
        let opened = task::blocking(move || roots.folder(&place).and_then(Diag::of)).await;
        let opened = opened.unwrap_or_else(|| {
            Err(Error::new(how.clone(), Cause::Other("the reader stopped".to_owned())))
        });
        match opened {
            Ok(diag) if diag.files().is_empty() => self.missed.push(format!("{how}: no log in it")),
            Ok(diag) => {
                let mut found =
                    Found { diag, how, folder: Some(folder), live: asked == Asked::Searched };
                found.live |= asked == Asked::ByName && found.root().is_some();
                self.found = Some(found);
            }
            Err(error) => {
                self.missed.push(format!("{how}: {}", error.cause()));
                if asked != Asked::Searched {
                    self.refused = Some(error);
                }
            }
        }
    }

    async fn try_docker(&mut self, ctx: &Ctx<'_>) {
        match through_docker(ctx).await {
            Ok(found) if found.diag.files().is_empty() => {
                self.missed.push(format!("{}: no log in it", found.how));
            }
            Ok(found) => self.found = Some(found),
            Err(error) => {
                self.missed.push(format!("through the Docker socket: {}", error.chain()));
                self.refused = self.refused.take().or(Some(error));
            }
        }
    }
}

/// `<root>/_diag` for a workspace `<root>/_work/<repo>/<repo>` and a work folder `<root>/_work/<repo>`.
fn above_workspace(ctx: &Ctx<'_>) -> Option<PathBuf> {
    let of_workspace = ctx.job.workspace.ancestors().nth(3);
    let of_work = Path::new(&ctx.job.host_workspace).ancestors().nth(2);
    let roots = [of_workspace, of_work].into_iter().flatten();
    let inside = |root: &Path| root.is_absolute() && root.parent().is_some();
    roots.filter(|root| inside(root)).map(|root| root.join("_diag")).find(|diag| diag.is_dir())
}

async fn through_docker(ctx: &Ctx<'_>) -> Result<Found, Error> {
    let deadline = ctx.deadline.at_most(ctx.deadline.remaining().saturating_sub(RESERVE));
    let docker = Docker::at(&ctx.sources.docker_socket)?;
    let host = ctx.sources.host.clone();
    let id = task::blocking(move || host.name()).await;
    let id = id.ok_or_else(|| {
        Error::new("read the host name", Cause::Other("the reader stopped".to_owned()))
    })??;
    let since = ctx.sources.now - ARCHIVED;
    let own = docker.own_container(&id, deadline).await?;
    let folder = diag_of(ctx, own.source_of("/github/workspace"))?;
    let archive = docker.read_host_folder(&own.image, &folder, since, deadline).await?;
    let unpacked = task::blocking(move || Diag::unpack(&archive)).await;
    let diag = unpacked.ok_or_else(|| {
        Error::new(format!("unpack {folder}"), Cause::Other("the reader stopped".to_owned()))
    })??;
    Ok(Found {
        diag,
        how: format!("{folder} of the host, through the Docker socket"),
        folder: None,
        live: true,
    })
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
