//! The processes that wait for jobs, found in the list of processes.
//!
//! In a container the host's processes are out of sight: there, no listener proves nothing.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::source::error::Error;
use crate::source::files;

/// The kernel cuts the name of a process at 15 bytes; this one just fits.
const COMM: &[u8] = b"Runner.Listener";

/// The most processes that are looked at.
const LIMIT: usize = 100_000;

/// A process that waits for jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Its process id.
    pub pid: u32,
    /// The root folders that it can belong to.
    roots: Vec<PathBuf>,
}

impl Listener {
    /// Whether it is the listener of the runner with this root folder.
    pub fn belongs_to(&self, root: &Path) -> bool {
        let real = root.canonicalize();
        self.roots.iter().any(|own| own == root || real.as_ref().is_ok_and(|real| own == real))
    }
}

/// The listeners in the list of processes at `proc` (`/proc`). Processes that end meanwhile are passed over.
pub fn listeners(proc: &Path) -> Result<Vec<Listener>, Error> {
    #[expect(
        clippy::disallowed_methods,
        reason = "source::files does not enter the folders of the kernel"
    )]
    let entries = std::fs::read_dir(proc).map_err(|error| {
        let errno = rustix::io::Errno::from_io_error(&error).unwrap_or(rustix::io::Errno::IO);
        files::refused(format!("list the processes in {}", proc.display()), errno)
    })?;
    Ok(entries
        .take(LIMIT)
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid| listener(pid, &proc.join(pid.to_string())))
        .collect())
}

fn listener(pid: u32, process: &Path) -> Option<Listener> {
    let comm = files::read_capped(&process.join("comm"), 64).ok()?;
    if comm.bytes.trim_ascii_end() != COMM {
        return None;
    }
    Some(Listener { pid, roots: roots(process) })
}

/// The program cannot lie, but only the user of the process and root may see it, as with the working folder; the command line is open
/// to everyone, and is what the process likes it to be.
pub(super) fn roots(process: &Path) -> Vec<PathBuf> {
    if let Ok(program) = process.join("exe").read_link() {
        return root_of(&program).into_iter().collect();
    }
    let folder = process.join("cwd").read_link().ok();
    let command = files::read_capped(&process.join("cmdline"), 16 * 1024).ok();
    let command = command.and_then(|read| {
        let first = read.bytes.split(|byte| *byte == 0).next()?;
        root_of(Path::new(OsStr::from_bytes(first)))
    });
    folder.into_iter().chain(command).collect()
}

/// The program lies in `<root>/bin` or, after a self-update, in `<root>/bin.<version>`.
fn root_of(program: &Path) -> Option<PathBuf> {
    let root = program.parent()?.parent()?;
    root.is_absolute().then(|| root.to_owned())
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

    fn process(proc: &Path, pid: u32, comm: &str, cmdline: &str) -> PathBuf {
        let place = proc.join(pid.to_string());
        fs::create_dir_all(&place).unwrap();
        fs::write(place.join("comm"), format!("{comm}\n")).unwrap();
        fs::write(place.join("cmdline"), cmdline).unwrap();
        place
    }

    fn pids_of(proc: &Path, root: &str) -> Vec<u32> {
        let mut found = listeners(proc).unwrap();
        found.retain(|listener| listener.belongs_to(Path::new(root)));
        found.iter().map(|listener| listener.pid).collect()
    }

    #[test]
    fn a_listener_belongs_to_the_root_of_its_program() {
        let proc = tempfile::tempdir().unwrap();
        let place = process(proc.path(), 42, "Runner.Listener", "");
        symlink("/opt/runner/bin.2.336.0/Runner.Listener", place.join("exe")).unwrap();
        fs::write(proc.path().join("uptime"), "1").unwrap();
        assert_eq!(pids_of(proc.path(), "/opt/runner"), [42]);
        assert!(pids_of(proc.path(), "/opt/runner2").is_empty());
        assert!(pids_of(proc.path(), "/opt").is_empty());
    }

    #[test]
    fn without_permission_the_command_line_tells() {
        let proc = tempfile::tempdir().unwrap();
        process(
            proc.path(),
            7,
            "Runner.Listener",
            "/srv/r1/bin/Runner.Listener\0run\0--startuptype\0service\0",
        );
        assert_eq!(pids_of(proc.path(), "/srv/r1"), [7]);
        assert!(pids_of(proc.path(), "/srv/r2").is_empty());
    }

    #[test]
    fn a_command_line_does_not_count_where_the_program_is_seen() {
        let proc = tempfile::tempdir().unwrap();
        let place =
            process(proc.path(), 8, "Runner.Listener", "/srv/r1/bin/Runner.Listener\0run\0");
        symlink("/home/mallory/bin/x", place.join("exe")).unwrap();
        assert!(pids_of(proc.path(), "/srv/r1").is_empty());
    }

    #[test]
    fn the_working_folder_tells_as_well() {
        let proc = tempfile::tempdir().unwrap();
        let place = process(proc.path(), 9, "Runner.Listener", "./bin/Runner.Listener\0run\0");
        symlink("/srv/r3", place.join("cwd")).unwrap();
        assert_eq!(pids_of(proc.path(), "/srv/r3"), [9]);
    }

    #[test]
    fn other_processes_are_not_listeners() {
        let proc = tempfile::tempdir().unwrap();
        process(proc.path(), 1, "systemd", "/srv/r1/bin/systemd\0");
        process(proc.path(), 2, "Runner.Worker", "/srv/r1/bin/Runner.Worker\0");
        assert!(listeners(proc.path()).unwrap().is_empty());
    }

    #[test]
    fn a_root_that_is_a_link_is_the_place_that_it_leads_to() {
        let proc = tempfile::tempdir().unwrap();
        let real = proc.path().canonicalize().unwrap().join("real");
        fs::create_dir_all(&real).unwrap();
        symlink(&real, proc.path().join("link")).unwrap();
        let place = process(proc.path(), 3, "Runner.Listener", "");
        symlink(real.join("bin/Runner.Listener"), place.join("exe")).unwrap();
        assert_eq!(pids_of(proc.path(), proc.path().join("link").to_str().unwrap()), [3]);
    }

    #[test]
    fn the_list_of_this_machine_can_be_read() {
        listeners(Path::new("/proc")).unwrap();
        assert!(listeners(Path::new("/nonexistent")).is_err());
    }
}
