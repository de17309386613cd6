//! What the kernel's log says about memory and disks, through `journalctl -k`.

use std::path::PathBuf;

use super::super::Ctx;
use crate::source::command::{self, Surroundings};
use crate::task::Deadline;

/// Lines of the log that are looked through.
const LINES: &str = "300";
/// Seconds of the past that are looked at when the job's start is not known.
const BEFORE_NOW: i64 = 60 * 60;

/// Words of the lines that are kept, in lower case.
const WORDS: &[&str] = &[
    "out of memory",
    "oom-kill",
    "oom_reaper",
    "killed process",
    "i/o error",
    "remounting filesystem read-only",
    "blocked for more than",
    "no space left",
    "segfault",
];

/// The lines that matter since the job's start; or why there are none.
pub(super) async fn read(ctx: &Ctx<'_>, deadline: Deadline) -> Result<String, String> {
    let folders: Vec<PathBuf> = command::folders(&ctx.job.path);
    let Some(program) = command::find("journalctl", &folders) else {
        return Err("there is no journalctl".to_owned());
    };
    let since = if ctx.job.started > 0 { ctx.job.started } else { ctx.sources.now - BEFORE_NOW };
    let since = format!("@{since}");
    let arguments =
        ["--dmesg", "--no-pager", "--quiet", "-o", "short-iso", "-n", LINES, "--since", &since];
    let surroundings = Surroundings { path: &ctx.job.path, home: &ctx.job.temp };
    match command::run(&program, &arguments, surroundings, deadline).await {
        Ok(ended) if ended.code == Some(0) => Ok(complaints(&ended.text)),
        Ok(_) => {
            Err("journalctl refused: the user of the runner must be in systemd-journal".to_owned())
        }
        Err(error) => Err(error.chain()),
    }
}

fn complaints(log: &str) -> String {
    let matters = |line: &&str| {
        let line = line.to_ascii_lowercase();
        WORDS.iter().any(|word| line.contains(word))
    };
    log.lines().filter(matters).flat_map(|line| [line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_complaints_about_memory_and_disks_are_kept() {
        let log = "2026 host kernel: eth0: link up\n\
                   2026 host kernel: Out of memory: Killed process 4711 (java)\n\
                   2026 host kernel: blk_update_request: I/O error, dev sda\n";
        let kept = complaints(log);
        assert_eq!(kept.lines().count(), 2, "{kept}");
        assert!(kept.contains("4711 (java)") && kept.contains("dev sda"));
    }
}
