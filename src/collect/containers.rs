//! The containers of the Docker engine: their states, and the last words of those that died during the job or die again and again.

use std::time::Duration;

use super::{Collector, Ctx, Harvest};
use crate::report::{BundlePath, Evidence, EvidenceKind, Raw, Truncation, escape};
use crate::source::Error;
use crate::source::docker::{Container, Docker};
use crate::task::BoxFuture;

pub(super) struct Containers;

/// Longest time of all questions together.
const LIMIT: Duration = Duration::from_secs(8);
/// Most containers that are listed, the newest first.
const LISTED: usize = 60;
/// Most containers whose log is read, and lines of each.
const LOGS: usize = 10;
const LINES: usize = 200;
/// Largest entry in bytes; the oldest lines are given up.
const CAP: usize = 1 << 20;
/// Seconds before now in which a death may belong to this job when its start is not known.
const BEFORE_NOW: i64 = 60 * 60;

const ADD: &str = "the containers of the host are not looked at; add `docker-socket: true` under `with:` (see SECURITY.md)";

impl Collector for Containers {
    fn id(&self) -> &'static str {
        "containers"
    }

    fn explain(&self) -> &'static str {
        "With docker-socket: true, lists the newest 60 containers of the engine with state, exit code, kills for want of memory and restarts, \
         and reads the last 200 lines of those that failed since the job's start or restart again and again. Neither commands nor \
         environments of containers are read."
    }

    fn about(&self) -> &'static [&'static str] {
        &["docker-daemon"]
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Harvest, Error>> {
        Box::pin(async move {
            if !ctx.config.collect.docker_socket {
                return Ok(Harvest::Nothing(ADD.to_owned()));
            }
            let deadline = ctx.deadline.at_most(LIMIT);
            let docker = Docker::at(&ctx.sources.docker_socket)?;
            let all = docker.containers(LISTED, deadline).await?;
            let since = match ctx.job.started {
                0 => ctx.sources.now - BEFORE_NOW,
                started => started,
            };
            let failing: Vec<&Container> = all.iter().filter(|c| is_failing(c, since)).collect();
            let socket = ctx.sources.docker_socket.display();
            let origin = format!("the Docker engine at {socket}");
            let path = BundlePath::new("containers", "list.md");
            let mut entries =
                vec![Evidence::new(path, EvidenceKind::Context, origin.clone(), table(&all))];
            let mut said = vec![format!(
                "{} container(s) of {origin}, {} of them failed since the job's start or restart again and again",
                all.len(),
                failing.len()
            )];
            for container in failing.iter().take(LOGS) {
                match docker.log(container, LINES, deadline).await {
                    Ok(text) => entries.push(log(container, &text, &origin)),
                    Err(error) => said.push(error.chain()),
                }
            }
            if failing.len() > LOGS {
                let more = failing.len() - LOGS;
                said.push(format!("the logs of {more} more were not read"));
            }
            Ok(Harvest::Found { note: said.join("; "), entries })
        })
    }
}

/// Whether a container's death may have to do with the job: it ended badly after the start, or is in a loop of restarts.
fn is_failing(container: &Container, since: i64) -> bool {
    let recently = container.finished.is_some_and(|at| at >= since);
    let badly = container.exit_code != 0 || container.oom_killed || !container.error.is_empty();
    container.state == "restarting" || (recently && (badly || container.restarts > 0))
}

fn table(all: &[Container]) -> String {
    let mut lines = vec![
        "| Container | Image | State | Exit code | Out of memory | Restarts | Ended | Error |"
            .to_owned(),
        "| :-- | :-- | :-- | --: | :-- | --: | :-- | :-- |".to_owned(),
    ];
    lines.extend(all.iter().map(|c| {
        let ended = c.finished.and_then(|at| jiff::Timestamp::from_second(at).ok());
        // Cells of their own for what the engine tells; nothing stands where there is nothing to tell.
        format!(
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            escape::cell(&c.name),
            escape::cell(&c.image),
            escape::cell(&c.state),
            c.exit_code,
            if c.oom_killed { "yes" } else { "no" },
            c.restarts,
            ended.map(|at| at.to_string()).unwrap_or_default(),
            if c.error.is_empty() { String::new() } else { escape::cell(&c.error) }
        )
    }));
    lines.join("\n") + "\n"
}

fn log(container: &Container, text: &str, origin: &str) -> Evidence<Raw> {
    let name = format!("{}.log", container.name);
    let origin = format!("the log of the container {} of {origin}", container.name);
    let kept = tail(text);
    let truncated = (kept.len() < text.len())
        .then(|| Truncation { original: u64::try_from(text.len()).ok(), cap: CAP as u64 });
    Evidence {
        truncated,
        ..Evidence::new(
            BundlePath::new("containers", &name),
            EvidenceKind::RunnerLog,
            origin,
            kept.to_owned(),
        )
    }
}

/// The last whole lines within the cap.
fn tail(text: &str) -> &str {
    let Some(over) = text.len().checked_sub(CAP).filter(|over| *over > 0) else { return text };
    let cut = text.as_bytes().iter().skip(over).position(|b| *b == b'\n');
    cut.and_then(|at| text.get(over + at + 1..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(state: &str, exit_code: i64, finished: Option<i64>) -> Container {
        let state = state.to_owned();
        Container { name: "a".to_owned(), state, exit_code, finished, ..Container::default() }
    }

    #[test]
    fn only_deaths_since_the_start_and_loops_of_restarts_count() {
        assert!(is_failing(&container("exited", 137, Some(200)), 100));
        assert!(!is_failing(&container("exited", 137, Some(50)), 100), "before the job");
        assert!(!is_failing(&container("exited", 0, Some(200)), 100), "ended well");
        assert!(is_failing(&container("restarting", 1, None), 100));
        assert!(!is_failing(&container("running", 0, None), 100));
        let again = Container { restarts: 3, ..container("running", 0, Some(150)) };
        assert!(is_failing(&again, 100), "it lives, but it died");
    }

    #[test]
    fn of_a_long_log_the_last_whole_lines_are_kept() {
        let text = "0123456789\n".repeat(CAP / 8);
        let kept = tail(&text);
        assert!(kept.len() <= CAP && kept.len() > CAP - 20 && kept.starts_with("0123"));
        assert_eq!(tail("short"), "short");
    }
}
