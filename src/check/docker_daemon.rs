//! Does the Docker engine of this host answer?

use super::{Check, Ctx, Scope};
use crate::config::Level;
use crate::report::Outcome;
use crate::source::docker::Docker;
use crate::source::{Cause, Error};
use crate::task::BoxFuture;

pub(super) struct DockerDaemon;

impl Check for DockerDaemon {
    fn id(&self) -> &'static str {
        "docker-daemon"
    }

    fn question(&self) -> &'static str {
        "Does the Docker engine of this host answer?"
    }

    fn runbook(&self) -> &'static str {
        "runner-degraded-resources"
    }

    fn scope(&self) -> Scope {
        Scope::Run
    }

    fn explain(&self) -> &'static str {
        "Asks the engine behind /var/run/docker.sock for its version. Pass: it answers. Fail: there is no socket, or nobody listens behind it. \
         Unknown: it hangs. It warns by default: not every deploy needs Docker."
    }

    fn level(&self) -> Level {
        Level::Warn
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            let docker = match Docker::at(&ctx.sources.docker_socket) {
                Ok(docker) => docker,
                Err(error) => return Ok(down(&error)),
            };
            match docker.version(ctx.deadline).await {
                Ok(v) => Ok(Outcome::pass(format!("the engine answers: version {}", v.version))
                    .saw("api", v.api_version)),
                Err(error) if matches!(error.cause(), Cause::Connect(_)) => Ok(down(&error)),
                Err(error) => Err(error),
            }
        })
    }
}

fn down(error: &Error) -> Outcome {
    Outcome::fail(error.chain())
        .help(error.help().unwrap_or("check `systemctl status docker` on the host"))
}
