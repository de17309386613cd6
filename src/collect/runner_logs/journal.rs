//! The journal of the runner's service, where this user may read it.

use std::path::Path;
use std::time::Duration;

use super::Ctx;
use crate::source::command::{self, Surroundings};
use crate::source::runner_files;

const LIMIT: Duration = Duration::from_secs(3);

/// The last 200 lines of the unit, or why there are none.
pub(super) async fn read(ctx: &Ctx<'_>, root: &Path) -> Result<String, String> {
    let Some(unit) = runner_files::unit(root) else {
        return Err("no service of systemd is noted in .service".to_owned());
    };
    let folders = command::folders(&ctx.job.path);
    let Some(program) = command::find("journalctl", &folders) else {
        return Err("journalctl is not on PATH".to_owned());
    };
    let home =
        if ctx.job.temp.is_absolute() { ctx.job.temp.as_path() } else { Path::new("/nonexistent") };
    let surroundings = Surroundings { path: &ctx.job.path, home };
    let arguments = [
        "--unit",
        &*unit,
        "--lines",
        "200",
        "--no-pager",
        "--quiet",
        "--utc",
        "--output",
        "short-iso",
    ];
    match command::run(&program, &arguments, surroundings, ctx.deadline.at_most(LIMIT)).await {
        Ok(ended) if ended.code != Some(0) => {
            Err(format!("journalctl refused: {}", first_line(&ended.text)))
        }
        Ok(ended) if ended.text.trim().is_empty() => Err(format!(
            "the journal shows nothing of {unit} to this user (it may need the group systemd-journal)"
        )),
        Ok(ended) => Ok(ended.text.trim().to_owned() + "\n"),
        Err(error) => Err(error.chain()),
    }
}

fn first_line(text: &str) -> &str {
    text.lines().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing")
}

/// The lines behind the last one that says that all is well: what came before has healed.
pub(super) fn unhealed(journal: &str) -> Vec<&str> {
    let lines: Vec<&str> = journal.lines().collect();
    let well = |line: &&str| line.contains("Listening for Jobs") || line.contains("Running job: ");
    let from = lines.iter().rposition(well).map_or(0, |at| at + 1);
    let rest = lines.get(from..).unwrap_or_default();
    let normal = |line: &&str| {
        line.contains("completed with result: Succeeded")
            || line.contains("completed with result: Failed")
    };
    rest.iter().filter(|line| !normal(line)).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_healed_is_left_out() {
        let journal = "a\nx: Listening for Jobs\nx: Running job: deploy\nx: Job deploy completed with result: Failed\nstop\n";
        assert_eq!(unhealed(journal), ["stop"]);
        assert_eq!(unhealed("a\nb"), ["a", "b"]);
        assert!(unhealed("a: Listening for Jobs\n").is_empty());
    }
}
