//! The logs that a runner keeps about itself and about each job, in `_diag`.

use std::path::Path;
use std::time::SystemTime;

use crate::source::error::Error;
use crate::source::files::{Entry, Folder, Keep};

/// How much of the logs is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiagLimits {
    /// The most files.
    pub files: usize,
    /// The most bytes of one file; its beginning and its end survive.
    pub bytes_per_file: usize,
    /// The most bytes of all files together.
    pub bytes: usize,
    /// Files that were last written to before this are left out.
    pub since: Option<SystemTime>,
}

/// One log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiagLog {
    /// The name of the file.
    pub name: String,
    /// Its text, as it is: not redacted.
    pub text: String,
    /// Whether its middle is missing.
    pub truncated: bool,
    /// Its size in bytes when it was opened.
    pub original: u64,
    /// When it was last written to.
    pub modified: SystemTime,
}

/// The most names that are looked at; a runner keeps its logs for thirty days.
const NAMES: usize = 20_000;

/// Reads the logs of the listener (`Runner_*.log`), of the jobs (`Worker_*.log`) and of self-updates (`SelfUpdate*.log`, with their
/// outcome `.succeed` or `.failed`) in a `_diag` folder, the one last written to first. Nothing else in the folder is opened. A log
/// that cannot be read is left out, unless none can: then its error is the answer.
pub fn diag_logs(folder: &Path, limits: &DiagLimits) -> Result<Vec<DiagLog>, Error> {
    let folder = Folder::open(folder)?;
    let mut logs = Vec::new();
    let mut refusal = None;
    let mut left = limits.bytes;
    for entry in newest_first(folder.list(NAMES, 1)?.files, limits) {
        let cap = limits.bytes_per_file.min(left);
        if cap == 0 {
            break;
        }
        match folder.read(&entry.path, cap, Keep::HeadAndTail) {
            Ok(read) => {
                left = left.saturating_sub(read.bytes.len());
                logs.push(DiagLog {
                    name: entry.path.to_string_lossy().into_owned(),
                    text: read.text(),
                    truncated: read.truncated,
                    original: read.original,
                    modified: read.modified,
                });
            }
            Err(error) => refusal = refusal.or(Some(error)),
        }
    }
    match refusal {
        Some(error) if logs.is_empty() => Err(error),
        Some(_) | None => Ok(logs),
    }
}

fn newest_first(mut entries: Vec<Entry>, limits: &DiagLimits) -> Vec<Entry> {
    entries.retain(|entry| {
        let recent = limits.since.is_none_or(|since| entry.modified >= since);
        recent && entry.path.to_str().is_some_and(is_log)
    });
    // Names carry the time of the start, so they decide between files of the same second.
    entries.sort_by(|a, b| (b.modified, &b.path).cmp(&(a.modified, &a.path)));
    entries.truncate(limits.files);
    entries
}

/// When the listener last wrote to its log in this `_diag` folder; `None` when there is no such log yet. No log is opened.
pub fn listener_wrote(folder: &Path) -> Result<Option<SystemTime>, Error> {
    if !folder.is_dir() {
        return Ok(None);
    }
    let listing = Folder::open(folder)?.list(NAMES, 1)?;
    let of_listener = |entry: &&Entry| {
        entry.path.to_str().is_some_and(|name| name.starts_with("Runner_") && is_log(name))
    };
    Ok(listing.files.iter().filter(of_listener).map(|entry| entry.modified).max())
}

/// Whether a file of this name in `_diag` is a log of the listener, of a job or of a self-update.
pub fn is_log(name: &str) -> bool {
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    if name.starts_with("SelfUpdate") {
        return ends(&[".log", ".log.succeed", ".log.failed"]);
    }
    (name.starts_with("Runner_") || name.starts_with("Worker_")) && ends(&[".log"])
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests build the logs that they read")]
mod tests {
    use std::fs;
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    const ALL: DiagLimits =
        DiagLimits { files: 100, bytes_per_file: 1 << 20, bytes: 1 << 24, since: None };

    fn diag(files: &[(&str, u64)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, second) in files {
            let path = folder.path().join(name);
            fs::write(&path, format!("log {name}\n")).unwrap();
            let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
            file.set_modified(at(*second)).unwrap();
        }
        folder
    }

    fn at(second: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(second)
    }

    fn names(folder: &tempfile::TempDir, limits: &DiagLimits) -> Vec<String> {
        diag_logs(folder.path(), limits).unwrap().into_iter().map(|log| log.name).collect()
    }

    #[test]
    fn the_runners_logs_are_read_newest_first_and_nothing_else() {
        let folder = diag(&[
            ("Runner_20260101-000000-utc.log", 10),
            ("Worker_20260101-000000-utc.log", 30),
            ("SelfUpdate-20260101-000000-utc.log.failed", 20),
            ("Worker_20260101-000001-utc.log", 30),
            (".telemetry", 40),
            ("notes.log", 40),
            ("Worker_.pem", 40),
        ]);
        fs::create_dir(folder.path().join("pages")).unwrap();
        assert_eq!(
            names(&folder, &ALL),
            [
                "Worker_20260101-000001-utc.log",
                "Worker_20260101-000000-utc.log",
                "SelfUpdate-20260101-000000-utc.log.failed",
                "Runner_20260101-000000-utc.log",
            ]
        );
        let newest = diag_logs(folder.path(), &ALL).unwrap().remove(0);
        assert_eq!(
            (newest.text.as_str(), newest.modified),
            ("log Worker_20260101-000001-utc.log\n", at(30))
        );
    }

    #[test]
    fn the_newest_log_of_the_listener_tells_when_it_last_wrote() {
        let folder = diag(&[("Runner_1.log", 10), ("Runner_2.log", 20), ("Worker_3.log", 30)]);
        assert_eq!(listener_wrote(folder.path()).unwrap(), Some(at(20)));
        assert_eq!(listener_wrote(diag(&[("Worker_3.log", 30)]).path()).unwrap(), None);
        assert_eq!(listener_wrote(&folder.path().join("none")).unwrap(), None);
    }

    #[test]
    fn window_and_number_limit_what_is_read() {
        let folder = diag(&[("Runner_1.log", 10), ("Runner_2.log", 20), ("Runner_3.log", 30)]);
        assert_eq!(
            names(&folder, &DiagLimits { since: Some(at(20)), ..ALL }),
            ["Runner_3.log", "Runner_2.log"]
        );
        assert_eq!(names(&folder, &DiagLimits { files: 1, ..ALL }), ["Runner_3.log"]);
    }

    #[test]
    fn the_bytes_of_all_logs_together_are_limited() {
        let folder = diag(&[("Runner_1.log", 10), ("Runner_2.log", 20), ("Runner_3.log", 30)]);
        let logs = diag_logs(folder.path(), &DiagLimits { bytes: 20, ..ALL }).unwrap();
        assert_eq!((logs.len(), logs[0].truncated), (2, false));
        assert!(logs[1].truncated);
    }

    #[test]
    fn a_link_with_the_name_of_a_log_is_not_followed() {
        let folder = diag(&[("Runner_1.log", 10)]);
        std::os::unix::fs::symlink("/etc/hostname", folder.path().join("Worker_1.log")).unwrap();
        assert_eq!(names(&folder, &ALL), ["Runner_1.log"]);
    }

    #[test]
    fn a_missing_folder_is_an_error_and_an_empty_one_is_not() {
        assert!(diag_logs(Path::new("/nonexistent/_diag"), &ALL).is_err());
        assert!(names(&diag(&[]), &ALL).is_empty());
    }
}
