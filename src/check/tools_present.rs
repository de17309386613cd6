//! Are the programs that the deploy needs here, and new enough? Each is asked for its version: one that can not say it can not work.

use std::path::{Path, PathBuf};

use futures_util::stream::{self, StreamExt as _};

use super::{Check, Ctx, Scope};
use crate::config::{Level, OptionKind, OptionSpec, Tool};
use crate::report::{Outcome, Status};
use crate::source::command::{self, Surroundings, version_in};
use crate::source::host::Place;
use crate::source::{Cause, Error};
use crate::task::{self, BoxFuture, Deadline};

pub(super) struct ToolsPresent;

const TIMEOUT: OptionSpec = OptionSpec {
    name: "timeout",
    kind: OptionKind::Duration,
    default: "5s",
    help: "Longest time that a program may take to say its version.",
};

/// Programs that say their version otherwise than with `--version`.
const ASKED_OTHERWISE: &[(&str, &[&str])] = &[
    ("go", &["version"]),
    ("helm", &["version", "--short"]),
    ("java", &["-version"]),
    ("kubectl", &["version", "--client"]),
    ("openssl", &["version"]),
    ("oc", &["version", "--client"]),
    ("ssh", &["-V"]),
    ("unzip", &["-v"]),
];

/// Most programs that run at once.
const AT_ONCE: usize = 4;
/// Where programs find no files of their own when the job has no folder that belongs to it alone.
const NO_HOME: &str = "/nonexistent";

impl Check for ToolsPresent {
    fn id(&self) -> &'static str {
        "tools-present"
    }

    fn question(&self) -> &'static str {
        "Are the programs that the deploy needs here, and new enough?"
    }

    fn runbook(&self) -> &'static str {
        "runner-degraded-resources"
    }

    fn scope(&self) -> Scope {
        Scope::Run
    }

    fn explain(&self) -> &'static str {
        "Looks for every program of `tools` in the folders of PATH and asks it for its version, without a shell and with nothing of the job's \
         environment. Pass: all are there and new enough. Warn: one is there but does not say its version. Fail: one is missing or older than \
         wanted. Unknown: the container of the action has no programs and does not see the host's; use the binary variant of the action on \
         the host. Skipped: no program is named."
    }

    fn on_unknown(&self) -> Option<Level> {
        Some(Level::Warn)
    }

    fn heals(&self) -> bool {
        false
    }

    fn options(&self) -> &'static [OptionSpec] {
        const { &[TIMEOUT] }
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            let tools = &ctx.config.tools;
            if tools.is_empty() {
                return Ok(Outcome::skipped("no program is named")
                    .help("name what the deploy starts in tools, as `ansible >= 2.15`"));
            }
            let (host, path) = (ctx.sources.host.clone(), ctx.job.path.clone());
            let read = task::blocking(move || (host.vantage().place, command::folders(&path)));
            let stopped =
                || Error::new("look for programs", Cause::Other("the reader stopped".to_owned()));
            let (place, folders) = read.await.ok_or_else(stopped)?;
            if folders.is_empty() {
                return Ok(nowhere(place));
            }
            let limit = ctx.config.check(self.id()).duration(&TIMEOUT);
            // A little before the deadline, so that the answer names the program that hangs.
            let all = ctx.deadline.at_most(ctx.deadline.remaining().mul_f32(0.9));
            let home = if ctx.job.temp.is_absolute() { &ctx.job.temp } else { Path::new(NO_HOME) };
            let surroundings = Surroundings { path: &ctx.job.path, home };
            // Each has its own time from its own start.
            let places = &folders;
            let look =
                |tool| async move { look(tool, places, surroundings, all.at_most(limit)).await };
            let looks: Vec<_> = tools.iter().map(look).collect();
            let rows: Vec<Row> = stream::iter(looks).buffered(AT_ONCE).collect().await;
            Ok(judge(&rows, folders.len()))
        })
    }
}

/// Whether the configuration names this program.
pub(super) fn names(ctx: &Ctx<'_>, program: &str) -> bool {
    ctx.config.tools.iter().any(|tool| tool.name == program)
}

/// No folder of PATH exists: the image of the action, which holds nothing but the program itself.
fn nowhere(place: Place) -> Outcome {
    match place {
        Place::Container => Outcome::unknown(
            "the container of this action has no programs and does not see the host's",
        )
        .help("use the binary variant of the action on the host to have its programs looked at"),
        Place::Host => Outcome::unknown("no folder of PATH exists").help(
            "set PATH for the runner: its service has its own in the file .path of the runner's folder",
        ),
    }
}

struct Row {
    name: String,
    status: Status,
    text: String,
    limit: Option<String>,
}

async fn look(
    tool: &Tool,
    folders: &[PathBuf],
    surroundings: Surroundings<'_>,
    deadline: Deadline,
) -> Row {
    let limit = tool.at_least.as_ref().map(|least| format!("at least {least}"));
    let row =
        |status, text: String| Row { name: tool.name.clone(), status, text, limit: limit.clone() };
    let Some(place) = command::find(&tool.name, folders) else {
        return row(Status::Fail, "not found".to_owned());
    };
    let otherwise = ASKED_OTHERWISE.iter().find(|(name, _)| *name == tool.name);
    let arguments = otherwise.map_or(&["--version"][..], |(_, arguments)| *arguments);
    let asked = command::run(&place, arguments, surroundings, deadline).await;
    let at = place.display();
    let ended = match asked {
        Ok(ended) => ended,
        Err(error) => {
            return row(Status::Warn, format!("is there and can not be asked: {}", error.chain()));
        }
    };
    let code = ended.code.map_or("a signal".to_owned(), |code| format!("exit code {code}"));
    let found = version_in(&ended.text).filter(|_| ended.code == Some(0));
    let least = tool.at_least.as_deref().and_then(version_in);
    match (found, least) {
        (None, _) if ended.code == Some(0) => {
            row(Status::Warn, format!("is at {at} and names no version"))
        }
        (None, _) => row(Status::Warn, format!("is at {at} and does not say its version ({code})")),
        (Some(found), Some(least)) if found < least => {
            row(Status::Fail, format!("is version {found}, older than {least} ({at})"))
        }
        (Some(found), _) => row(Status::Pass, format!("{found} ({at})")),
    }
}

fn judge(rows: &[Row], folders: usize) -> Outcome {
    let of = |status: Status| rows.iter().filter(move |row| row.status == status);
    let worst = of(Status::Fail).next().or_else(|| of(Status::Warn).next());
    let outcome = match worst {
        None => Outcome::pass(format!("all {} programs are here and new enough", rows.len())),
        Some(row) => {
            let others = of(Status::Fail).chain(of(Status::Warn)).count() - 1;
            let more = if others > 0 { format!(" (and {others} more)") } else { String::new() };
            let searched = if row.text == "not found" {
                format!(" in the {folders} folders of PATH")
            } else {
                String::new()
            };
            let text = format!("{} {}{searched}{more}", row.name, row.text);
            Outcome::new(row.status, text).help(help(row))
        }
    };
    rows.iter().fold(outcome, |outcome, row| match &row.limit {
        Some(limit) => outcome.saw_limit(&row.name, &row.text, limit),
        None => outcome.saw(&row.name, &row.text),
    })
}

fn help(row: &Row) -> String {
    let name = &row.name;
    match row.status {
        Status::Fail if row.text == "not found" => format!(
            "install {name} on the runner or in an earlier step of this job; installed but not found: the runner's service has its own PATH (file .path in the runner's folder)"
        ),
        Status::Fail => format!("update {name} on the runner, or correct what tools asks for"),
        Status::Warn | Status::Unknown | Status::Pass | Status::Skipped => {
            format!(
                "start {name} by hand as the runner's user: a program that can not say its version may not work"
            )
        }
    }
}
