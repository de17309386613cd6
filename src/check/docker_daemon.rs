//! Is the Docker engine of this host usable, not only installed?

use std::path::Path;

use super::{Check, Ctx, Need, Scope, tools_present};
use crate::config::{Level, OptionKind, OptionSpec};
use crate::report::Outcome;
use crate::source::Error;
use crate::source::command::version_in;
use crate::source::docker::{Docker, Info, Reach, Version, reach};
use crate::task::BoxFuture;

pub(super) struct DockerDaemon;

const ID: &str = "docker-daemon";

const MIN_VERSION: OptionSpec = OptionSpec {
    name: "min-version",
    kind: OptionKind::Text,
    default: "20.10",
    help: "Oldest engine that is no reason for a warning.",
};

/// Most warnings of the engine that are shown.
const WARNINGS: usize = 3;

impl Check for DockerDaemon {
    fn id(&self) -> &'static str {
        ID
    }

    fn question(&self) -> &'static str {
        "Is the Docker engine of this host usable?"
    }

    fn runbook(&self) -> &'static str {
        "runner-degraded-resources"
    }

    fn scope(&self) -> Scope {
        Scope::Run
    }

    fn explain(&self) -> &'static str {
        "Asks the engine behind /var/run/docker.sock whether it is well, for its version and its state. Pass: it answers. Warn: it is older \
         than min-version. Fail: this user may not use the socket, nobody listens behind it, or it says that it is not well; without a socket \
         only when the job needs one (the tool docker is named, or this check is set to deny). Unknown: it hangs or talks nonsense. Skipped: \
         there is no socket and nobody said that the job needs one. It warns by default: not every deploy needs Docker."
    }

    fn level(&self) -> Level {
        Level::Warn
    }

    fn needs(&self) -> &'static [Need] {
        &[Need::Mount("/var/run/docker.sock")]
    }

    fn options(&self) -> &'static [OptionSpec] {
        const { &[MIN_VERSION] }
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            let socket = &ctx.sources.docker_socket;
            let limit = ctx.deadline.at_most(ctx.deadline.remaining().mul_f32(0.9));
            match reach(socket, limit).await {
                Reach::There => usable(ctx, &Docker::at(socket)?).await,
                Reach::Absent => Ok(absent(ctx)),
                Reach::Denied => Ok(denied(socket)),
                Reach::Dead => Ok(dead(socket)),
                Reach::Silent => Ok(silent(socket)),
            }
        })
    }
}

fn denied(socket: &Path) -> Outcome {
    Outcome::fail(format!("this user may not use the Docker socket at {}", socket.display()))
        .help("add the runner's user to the docker group and restart the runner service: groups are read at its start")
}

fn dead(socket: &Path) -> Outcome {
    Outcome::fail(format!("nobody listens behind the Docker socket at {}", socket.display())).help(
        "the socket is there but the engine is not: check `systemctl status docker` on the host",
    )
}

fn silent(socket: &Path) -> Outcome {
    Outcome::unknown(format!("the Docker socket at {} takes no connection", socket.display())).help(
        "the engine hangs: check `systemctl status docker` and `journalctl -u docker` on the host",
    )
}

async fn usable(ctx: &Ctx<'_>, docker: &Docker) -> Result<Outcome, Error> {
    if let Err(error) = docker.ping(ctx.deadline).await {
        return match error.status() {
            Some(500..) => Ok(Outcome::fail(error.chain())
                .help("the engine is there and not well: check `journalctl -u docker` on the host and the disk of its data")),
            // Somebody who guards the socket says nothing about the engine.
            Some(_) | None => Err(error),
        };
    }
    let hinted = |error: Error| {
        error.with_help("the engine answers, but not as one: check what listens on the socket, and `docker info` on the host")
    };
    let (version, info) =
        futures_util::join!(docker.version(ctx.deadline), docker.info(ctx.deadline));
    let version = version.map_err(hinted)?;
    let settings = ctx.config.check(ID);
    let outcome = judge(&version, settings.word(&MIN_VERSION).unwrap_or_default());
    // The state is beside the point: an engine that answers is usable.
    Ok(info.map_or(outcome.clone(), |info| with_state(outcome, &info)))
}

fn judge(version: &Version, least: &str) -> Outcome {
    let text = format!("the engine answers: version {}", version.version);
    let old = match (version_in(&version.version), version_in(least)) {
        (Some(found), Some(least)) => found < least,
        (None, _) | (_, None) => false,
    };
    let outcome = if old {
        Outcome::warn(format!("{text}, older than {least}"))
            .help("plan an update of the engine, or lower checks.docker-daemon.min-version")
    } else {
        Outcome::pass(text)
    };
    outcome.saw("api", &version.api_version)
}

fn with_state(outcome: Outcome, info: &Info) -> Outcome {
    let cgroup = match info.cgroup_version.as_str() {
        "" => info.cgroup_driver.clone(),
        version => format!("{} (version {version})", info.cgroup_driver),
    };
    let words = [
        ("data", info.docker_root_dir.clone()),
        ("storage driver", info.driver.clone()),
        ("control groups", cgroup),
        ("rootless", if info.rootless() { "yes".to_owned() } else { String::new() }),
        ("containers that run", info.containers_running.to_string()),
    ];
    let words = words.into_iter().filter(|(_, word)| !word.is_empty());
    let outcome = words.fold(outcome, |outcome, (name, word)| outcome.saw(name, word));
    let warnings = info.warnings.iter().flatten().take(WARNINGS);
    warnings.fold(outcome, |outcome, warning| outcome.saw("the engine warns", warning))
}

/// No socket: bad only for a job that needs one.
fn absent(ctx: &Ctx<'_>) -> Outcome {
    let at = ctx.sources.docker_socket.display();
    let needed = ctx.config.check(ID).level == Level::Deny || tools_present::names(ctx, "docker");
    if ctx.job.variable_names.iter().any(|name| name == "DOCKER_HOST") {
        return Outcome::skipped(format!(
            "no such socket: {at}; DOCKER_HOST names an engine elsewhere, which is not asked"
        ))
        .help("name the engine's address in network.endpoints to have the way to it checked");
    }
    if needed {
        Outcome::fail(format!("no such socket: {at}, and the job needs Docker"))
            .help("start the engine, or mount its socket into this container")
    } else {
        Outcome::skipped(format!("no such socket: {at}; nobody said that the job needs Docker"))
            .help("a job that needs Docker: set checks.docker-daemon to deny, or name docker in tools")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Status;

    #[test]
    fn a_socket_that_may_not_be_used_and_one_that_hangs_say_what_to_do() {
        let at = Path::new("/var/run/docker.sock");
        assert_eq!(denied(at).status, Status::Fail);
        assert!(denied(at).help.is_some_and(|help| help.contains("docker group")));
        assert_eq!(silent(at).status, Status::Unknown);
        assert!(silent(at).help.is_some());
    }

    #[test]
    fn an_old_engine_warns_and_one_without_a_number_does_not() {
        let version = |text: &str| Version { version: text.to_owned(), api_version: String::new() };
        assert_eq!(judge(&version("19.03.15"), "20.10").status, Status::Warn);
        assert_eq!(judge(&version("20.10.0"), "20.10").status, Status::Pass);
        assert_eq!(judge(&version("dev"), "20.10").status, Status::Pass);
        assert_eq!(judge(&version("1.0"), "").status, Status::Pass);
    }
}
