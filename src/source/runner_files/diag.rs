//! The logs that a runner keeps about itself and about each job, in `_diag`.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Component, Path};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::source::error::{Cause, Error};
use crate::source::files::{Entry, Folder, Keep};

/// The most names that are looked at; a runner keeps its logs for thirty days.
const NAMES: usize = 20_000;

/// The most that is kept of one file of an archive, in bytes.
const ARCHIVED: u64 = 16 << 20;

/// The logs of one runner: a folder `_diag`, or an archive of one. Nothing is opened but logs, pages and blocks.
#[derive(Debug)]
pub struct Diag {
    files: Vec<DiagFile>,
    store: Store,
}

/// One file of a [`Diag`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiagFile {
    /// The path below the folder: `Worker_20260131-100000-utc.log`, `pages/<timeline>_<record>_1.log`.
    pub name: String,
    /// When it was last written to, in seconds since 1970.
    pub modified: i64,
}

/// What was read of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiagText {
    /// The text, as it is: not redacted, without byte order marks.
    pub text: String,
    /// Its size in bytes when something is missing.
    pub cut_from: Option<u64>,
}

#[derive(Debug)]
enum Store {
    Folder(Folder),
    Archive(BTreeMap<String, (Vec<u8>, u64)>),
}

impl Diag {
    /// The folder at this place.
    ///
    /// # Errors
    /// It cannot be opened or listed.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        Self::of(Folder::open(folder)?)
    }

    /// This open folder.
    ///
    /// # Errors
    /// It cannot be listed.
    pub fn of(folder: Folder) -> Result<Self, Error> {
        let entries = folder.list(NAMES, 2)?.files;
        let files = entries.into_iter().filter_map(|entry| {
            let name = entry.path.to_str()?.to_owned();
            Some(DiagFile { name, modified: seconds(entry.modified) })
        });
        Ok(Self { files: newest_first(files), store: Store::Folder(folder) })
    }

    /// The folder in this tar archive; its entries may lie in one folder of any name. Only regular files are taken.
    ///
    /// # Errors
    /// It is no archive. An archive that ends in the middle gives what stands before.
    pub fn unpack(archive: &[u8]) -> Result<Self, Error> {
        let broken = |e: std::io::Error| {
            Error::new("unpack the archive of _diag", Cause::Parse(e.to_string()))
        };
        let (mut files, mut texts) = (Vec::new(), BTreeMap::new());
        let mut tar = tar::Archive::new(archive);
        for entry in tar.entries().map_err(broken)? {
            let mut entry = match entry {
                Ok(entry) => entry,
                Err(_) if !files.is_empty() => break,
                Err(error) => return Err(broken(error)),
            };
            let Some(name) = name_in_archive(&entry) else { continue };
            let (size, modified) = (entry.size(), entry.header().mtime().unwrap_or(0));
            let mut bytes = Vec::new();
            let read = entry.by_ref().take(ARCHIVED).read_to_end(&mut bytes);
            if read.is_err() && bytes.is_empty() {
                break;
            }
            files.push(DiagFile {
                name: name.clone(),
                modified: i64::try_from(modified).unwrap_or(0),
            });
            texts.insert(name, (bytes, size));
        }
        Ok(Self { files: newest_first(files.into_iter()), store: Store::Archive(texts) })
    }

    /// The files, the one last written to first.
    pub fn files(&self) -> &[DiagFile] {
        &self.files
    }

    /// Reads at most `cap` bytes of a file, its beginning and above all its end.
    ///
    /// # Errors
    /// It vanished or may not be read.
    pub fn read(&self, name: &str, cap: usize) -> Result<DiagText, Error> {
        let (text, cut_from) = match &self.store {
            Store::Folder(folder) => {
                let read = folder.read(Path::new(name), cap, Keep::HeadAndTail)?;
                (read.text(), read.truncated.then_some(read.original))
            }
            Store::Archive(texts) => {
                let gone = || {
                    Error::new(
                        format!("read {name}"),
                        Cause::Io("it is not in the archive".to_owned()),
                    )
                };
                let (bytes, size) = texts.get(name).ok_or_else(gone)?;
                let kept = tail(bytes, cap);
                let whole = kept.len() as u64 == *size;
                (String::from_utf8_lossy(kept).into_owned(), (!whole).then_some(*size))
            }
        };
        Ok(DiagText { text: text.replace('\u{feff}', ""), cut_from })
    }
}

/// The end of a text, from the beginning of a line.
fn tail(bytes: &[u8], cap: usize) -> &[u8] {
    let start = bytes.len().saturating_sub(cap);
    let rest = bytes.get(start..).unwrap_or_default();
    if start == 0 {
        return rest;
    }
    let line = rest.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    rest.get(line..).unwrap_or_default()
}

/// The path of an entry below the folder that was packed; `None` for what is not a log.
fn name_in_archive(entry: &tar::Entry<'_, &[u8]>) -> Option<String> {
    let path = entry.path().ok()?;
    let parts: Option<Vec<&str>> = path
        .components()
        .filter(|part| *part != Component::CurDir)
        .map(|part| match part {
            Component::Normal(name) => name.to_str(),
            Component::Prefix(_)
            | Component::RootDir
            | Component::CurDir
            | Component::ParentDir => None,
        })
        .collect();
    let name = match parts?.as_slice() {
        [name] | [_, name] if is_log(name) => (*name).to_owned(),
        [folder, name] | [_, folder, name] => format!("{folder}/{name}"),
        _ => return None,
    };
    (entry.header().entry_type().is_file() && is_ours(&name)).then_some(name)
}

fn newest_first(files: impl Iterator<Item = DiagFile>) -> Vec<DiagFile> {
    let mut files: Vec<DiagFile> = files.filter(|file| is_ours(&file.name)).collect();
    // Names carry the time of the start, so they decide between files of the same second.
    files.sort_by(|a, b| (b.modified, &b.name).cmp(&(a.modified, &a.name)));
    files
}

fn is_ours(name: &str) -> bool {
    is_log(name) || name.starts_with("pages/") || name.starts_with("blocks/")
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
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
    use std::time::Duration;

    use super::*;

    fn diag(files: &[(&str, u64)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, second) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, format!("log {name}\n")).unwrap();
            let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
            file.set_modified(at(*second)).unwrap();
        }
        folder
    }

    fn at(second: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(second)
    }

    fn names(folder: &Path) -> Vec<String> {
        Diag::open(folder).unwrap().files().iter().map(|file| file.name.clone()).collect()
    }

    #[test]
    fn the_runners_logs_and_pages_are_listed_newest_first_and_nothing_else() {
        let folder = diag(&[
            ("Runner_20260101-000000-utc.log", 10),
            ("Worker_20260101-000000-utc.log", 30),
            ("SelfUpdate-20260101-000000-utc.log.failed", 20),
            ("Worker_20260101-000001-utc.log", 30),
            (".telemetry", 40),
            ("notes.log", 40),
            ("Worker_.pem", 40),
            ("pages/a_b_1.log", 35),
            ("other/Worker_1.log", 35),
        ]);
        assert_eq!(
            names(folder.path()),
            [
                "pages/a_b_1.log",
                "Worker_20260101-000001-utc.log",
                "Worker_20260101-000000-utc.log",
                "SelfUpdate-20260101-000000-utc.log.failed",
                "Runner_20260101-000000-utc.log",
            ]
        );
        let opened = Diag::open(folder.path()).unwrap();
        let read = opened.read("Worker_20260101-000001-utc.log", 1000).unwrap();
        assert_eq!((&*read.text, read.cut_from), ("log Worker_20260101-000001-utc.log\n", None));
        assert_eq!(opened.files()[1].modified, 30);
        let cut = opened.read("pages/a_b_1.log", 8).unwrap();
        assert_eq!(cut.cut_from, Some(20));
    }

    fn archive(files: &[(&str, &str)]) -> Vec<u8> {
        let mut tar = tar::Builder::new(Vec::new());
        for (name, text) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mtime(50);
            tar.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        tar.into_inner().unwrap()
    }

    #[test]
    fn an_archive_is_read_as_the_folder_that_it_holds() {
        let packed = archive(&[
            ("diag/Worker_1.log", "\u{feff}one\ntwo\n"),
            ("diag/pages/a_b_1.log", "page\n"),
            ("diag/.telemetry", "x"),
            ("Runner_1.log", "r\n"),
        ]);
        let diag = Diag::unpack(&packed).unwrap();
        let names: Vec<&str> = diag.files().iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["pages/a_b_1.log", "Worker_1.log", "Runner_1.log"]);
        assert_eq!(diag.read("Worker_1.log", 100).unwrap().text, "one\ntwo\n");
        let cut = diag.read("Worker_1.log", 6).unwrap();
        assert_eq!((&*cut.text, cut.cut_from), ("two\n", Some(11)));
        assert!(diag.read("Worker_2.log", 6).is_err());
        assert!(Diag::unpack(&[b'x'; 600]).is_err());
    }

    #[test]
    fn an_archive_that_ends_too_early_gives_what_stands_before() {
        let packed =
            archive(&[("diag/Runner_1.log", "r\n"), ("diag/Worker_1.log", &"w\n".repeat(2000))]);
        let diag = Diag::unpack(&packed[..2600]).unwrap();
        let names: Vec<&str> = diag.files().iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["Worker_1.log", "Runner_1.log"]);
        assert!(diag.read("Worker_1.log", 100_000).unwrap().cut_from.is_some());
    }

    #[test]
    fn the_newest_log_of_the_listener_tells_when_it_last_wrote() {
        let folder = diag(&[("Runner_1.log", 10), ("Runner_2.log", 20), ("Worker_3.log", 30)]);
        assert_eq!(listener_wrote(folder.path()).unwrap(), Some(at(20)));
        assert_eq!(listener_wrote(diag(&[("Worker_3.log", 30)]).path()).unwrap(), None);
        assert_eq!(listener_wrote(&folder.path().join("none")).unwrap(), None);
    }

    #[test]
    fn a_link_with_the_name_of_a_log_is_not_followed() {
        let folder = diag(&[("Runner_1.log", 10)]);
        std::os::unix::fs::symlink("/etc/hostname", folder.path().join("Worker_1.log")).unwrap();
        std::os::unix::fs::symlink("/etc", folder.path().join("pages")).unwrap();
        assert_eq!(names(folder.path()), ["Runner_1.log"]);
        assert!(Diag::open(folder.path()).unwrap().read("Worker_1.log", 10).is_err());
    }

    #[test]
    fn a_missing_folder_is_an_error_and_an_empty_one_is_not() {
        assert!(Diag::open(Path::new("/nonexistent/_diag")).is_err());
        assert!(names(diag(&[]).path()).is_empty());
    }
}
