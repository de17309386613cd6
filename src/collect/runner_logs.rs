//! The runner's own evidence: the logs of its listener and of this job's worker, the job's log as it lies on the host, and what they say
//! together about the state of the runner.
//!
//! None of it is mounted into a container action, so there is a ladder of ways ([`ladder`]). The logs themselves are brought along
//! unread: what may name a cause stands in `runner-logs/states.txt`, where trouble that ended well and the text of the job message are not.

mod journal;
mod ladder;
mod scene;
mod sentences;
mod states;
mod window;

use std::path::Path;

use super::{Collector, Ctx, Harvest};
use crate::source::files;
use crate::source::host::Place;
use crate::source::runner_files;
use crate::source::{Cause, Error};
use crate::task::{self, BoxFuture};
use ladder::Ladder;
use scene::{Process, Scene};

pub(super) struct RunnerLogs;

/// The folder of the bundle.
const FOLDER: &str = "runner-logs";

const ADD: &str = "add `docker-socket: true` under `with:` (see SECURITY.md), or a step before this one, with `if: always()`, that copies the logs: \
                   `run: mkdir -p $RUNNER_TEMP/runner-guard/diag && cd ../../../_diag && find . -type f -mmin -180 -exec cp -p --parents -t \
                   $RUNNER_TEMP/runner-guard/diag {} +`";

impl Collector for RunnerLogs {
    fn id(&self) -> &'static str {
        "runner-logs"
    }

    fn explain(&self) -> &'static str {
        "Reads the listener's logs, this job's worker log and the job's log in _diag: from the folder of the input runner-logs, else beside the \
         runner among the parents of this process, else above the workspace, else (docker-socket: true) through a container that is created, \
         never started, read and removed, else from a staged copy in RUNNER_TEMP/runner-guard/diag. Logs of other jobs are left."
    }

    fn about(&self) -> &'static [&'static str] {
        &["runner-online", "runner-registered", "runner-busy", "runner-steady", "runner-version"]
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Harvest, Error>> {
        Box::pin(async move {
            let Ladder { found, missed, refused, .. } = ladder::climb(ctx).await;
            let Some(found) = found else {
                return match refused {
                    Some(error) => Err(error.with_help(ADD)),
                    None => Ok(Harvest::Nothing(format!("{}; {ADD}", missed.join("; ")))),
                };
            };
            let root = found.root();
            let journal = match root.as_deref() {
                Some(root) => Some(journal::read(ctx, root).await),
                None => None,
            };
            let process = root.as_deref().map_or(Process::OutOfSight, |root| process(ctx, root));
            let scene = Scene::new(ctx, found, missed, process, journal);
            task::blocking(move || scene.harvest()).await.ok_or_else(|| {
                Error::new("read the runner's logs", Cause::Other("the reader stopped".to_owned()))
            })
        })
    }
}

fn on_host(ctx: &Ctx<'_>) -> bool {
    ctx.sources.host.vantage().place == Place::Host
}

/// Whether the listener of this root runs. Only the host itself can say that it does not, to a user who may see everybody's processes.
fn process(ctx: &Ctx<'_>, root: &Path) -> Process {
    let proc = ctx.sources.host.inside(Path::new("/proc"));
    let Ok(listeners) = runner_files::listeners(&proc) else { return Process::OutOfSight };
    if listeners.iter().any(|listener| listener.belongs_to(root)) {
        Process::Running
    } else if on_host(ctx) && files::read_capped(&proc.join("1/comm"), 64).is_ok() {
        Process::Gone
    } else {
        Process::OutOfSight
    }
}
