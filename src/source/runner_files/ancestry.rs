//! The runner that this process was started by: its worker or listener is among the parents of every program of a step on the host.

use std::path::{Path, PathBuf};

use super::listener::roots;
use crate::source::files;

/// The most parents that are looked at.
const STEPS: usize = 64;

/// The root folder of the runner above process `pid` in the list of processes at `proc` (`/proc`); `None` when no runner is among its
/// parents, as in a container, where they are out of sight.
pub fn root_above(proc: &Path, pid: u32) -> Option<PathBuf> {
    let mut pid = pid;
    for _ in 0..STEPS {
        let process = proc.join(pid.to_string());
        let stat = files::read_capped(&process.join("stat"), 4096).ok()?.text();
        if is_runner(&stat) {
            return roots(&process).into_iter().find(|root| root.join("_diag").is_dir());
        }
        pid = parent(&stat).filter(|parent| *parent > 0)?;
    }
    None
}

/// `42 (Runner.Worker) S 41 …`: the name stands in the outermost parentheses and may hold any character.
fn is_runner(stat: &str) -> bool {
    let name = stat.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')'));
    name.is_some_and(|(name, _)| matches!(name, "Runner.Worker" | "Runner.Listener"))
}

fn parent(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "the tests build the list of processes that they look at"
)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn process(proc: &Path, pid: u32, name: &str, parent: u32) -> PathBuf {
        let place = proc.join(pid.to_string());
        fs::create_dir_all(&place).unwrap();
        fs::write(place.join("stat"), format!("{pid} ({name}) S {parent} 1 1 0")).unwrap();
        place
    }

    #[test]
    fn the_worker_among_the_parents_tells_the_root() {
        let proc = tempfile::tempdir().unwrap();
        let root = proc.path().join("srv/r1");
        fs::create_dir_all(root.join("_diag")).unwrap();
        process(proc.path(), 50, "guard) S 1 (", 40);
        process(proc.path(), 40, "bash", 30);
        let worker = process(proc.path(), 30, "Runner.Worker", 20);
        symlink(root.join("bin.2.336.0/Runner.Worker"), worker.join("exe")).unwrap();
        assert_eq!(root_above(proc.path(), 50), Some(root));
    }

    #[test]
    fn without_a_runner_above_there_is_no_root() {
        let proc = tempfile::tempdir().unwrap();
        process(proc.path(), 50, "guard", 40);
        process(proc.path(), 40, "bash", 1);
        process(proc.path(), 1, "systemd", 0);
        process(proc.path(), 60, "loop", 61);
        process(proc.path(), 61, "loop", 60);
        for pid in [50, 60, 70] {
            assert_eq!(root_above(proc.path(), pid), None, "{pid}");
        }
    }
}
