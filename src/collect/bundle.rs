//! Writes what was collected into one `tar.gz` for people and one `zip` for the artifact service, each with its manifest.
//!
//! The same input gives the same bytes. Every entry is searched for known secrets once more; one that still holds any is left out and
//! named in the manifest. This module does not collect, does not redact and does not upload.

mod archive;
mod folder;
mod manifest;
mod places;
pub mod read;
pub mod rewrite;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use ring::digest::{SHA256, digest};

use crate::redact::{Counts, Redacted, Redactor, Sealed, Store};
use crate::report::{BundlePath, CollectedRow, Evidence, JobRow, Truncation};

use folder::{Folder, Written};
pub use places::Places;

/// Path of the manifest inside both archives.
pub const MANIFEST: &str = "manifest.json";

/// A text of our own that goes into the bundle beside the evidence: the report in its renderings.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Where it lies in the bundle.
    pub path: BundlePath,
    /// What it is, in one word of the manifest.
    pub kind: &'static str,
    /// The text.
    pub text: Sealed,
}

/// What the manifest tells beside the entries.
#[derive(Debug, Clone, Copy)]
pub struct ManifestMeta<'a> {
    /// When the bundle was made.
    pub created: Timestamp,
    /// The job.
    pub job: &'a JobRow,
    /// How every collector ended.
    pub collected: &'a [CollectedRow],
    /// What was left out before, and why.
    pub left: &'a [Withheld],
}

/// A bundle on disk.
#[derive(Debug)]
pub struct Bundle {
    /// The `tar.gz`.
    pub tar_gz: PathBuf,
    /// Its size in bytes.
    pub tar_bytes: u64,
    /// The `zip` with the same files, or why there was room for the other alone.
    pub zip: Result<Zip, Error>,
    /// Number of entries, without the manifest.
    pub entries: usize,
    /// Replacements made by the redactor in all entries.
    pub redactions: usize,
    /// What was left out, and why.
    pub withheld: Vec<Withheld>,
}

/// The form of a bundle that is uploaded.
#[derive(Debug)]
pub struct Zip {
    /// The file.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// Lower-case hex SHA-256 of it.
    pub sha256: String,
}

/// An entry that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withheld {
    /// Where it would lie; `withheld-N` when the path itself held a secret.
    pub path: String,
    /// A sentence that starts with `withheld: `.
    pub reason: String,
}

/// Why a bundle could not be written. `Display` says what was tried on which path; the cause comes from `source()`.
#[derive(Debug, thiserror::Error)]
#[error("{tried}")]
pub struct Error {
    tried: String,
    #[source]
    cause: io::Error,
}

impl Error {
    /// The setting to change.
    pub fn help(&self) -> &'static str {
        "set `bundle-dir` to a folder that this user may write and that has room"
    }
}

/// Writes `NAME.tar.gz` and `NAME.zip` into `dir`, which is made when it is missing.
///
/// Files get mode 0644 and the owner of `dir`, and appear under their names only when
/// they are complete.
///
/// # Errors
/// [`Error`]: the folder or a file could not be written; no half-written file is left.
pub fn write(
    dir: &Path,
    name: &str,
    entries: &[Evidence<Redacted>],
    extra: &[Entry],
    meta: &ManifestMeta<'_>,
    redactor: &Redactor,
) -> Result<Bundle, Error> {
    let leaks = |bytes: &[u8]| redactor.leaks(bytes);
    let items = extra.iter().map(Item::of_entry).chain(entries.iter().map(Item::of_evidence));
    let mut sifted = sift(items, &leaks);
    sifted.withheld.extend(meta.left.iter().cloned());
    let manifest = manifest::render(&sifted, meta, &leaks);
    let manifest = redactor.seal_own(&manifest, &Store::in_memory());
    let fail = |cause| Error { tried: "pack the manifest of the bundle".to_owned(), cause };
    let manifest = manifest.map_err(fail)?;
    let mut files: Vec<(&str, &Sealed)> =
        sifted.kept.iter().map(|kept| (kept.path.as_str(), kept.item.text)).collect();
    files.push((MANIFEST, &manifest));
    files.sort_unstable_by_key(|(path, _)| *path);

    let folder = Folder::open(dir)?;
    let name = BundlePath::new("", name).as_str().replace('/', "_");
    let write_tar = || folder.create(&format!("{name}.tar.gz"), |f| archive::tar_gz(f, &files));
    let write_zip = || folder.create(&format!("{name}.zip"), |f| archive::zip(f, &files));
    let (tar, mut zip) = std::thread::scope(|scope| {
        let other = std::thread::Builder::new().spawn_scoped(scope, write_tar);
        let zip = write_zip();
        let tar = match other {
            Ok(other) => other.join().unwrap_or_else(|cause| std::panic::resume_unwind(cause)),
            Err(_) => write_tar(),
        };
        (tar, zip)
    });
    let tar = match (tar, &zip) {
        (Err(error), Ok(other)) => {
            // Both have no room; the one that people open is worth more.
            other.remove();
            zip = Err(error);
            write_tar()
        }
        (tar, _) => tar,
    }?;
    Ok(Bundle {
        tar_gz: tar.path,
        tar_bytes: tar.bytes,
        zip: zip.and_then(Zip::of),
        entries: sifted.kept.len(),
        redactions: sifted.kept.iter().flat_map(|kept| kept.item.redactions.values()).sum(),
        withheld: sifted.withheld,
    })
}

impl Zip {
    fn of(mut written: Written) -> Result<Self, Error> {
        let sha256 = written.sha256()?;
        Ok(Self { path: written.path, bytes: written.bytes, sha256 })
    }
}

/// Leaves one text beside the bundle, complete or not at all; a link that lies in its place is replaced, not followed.
///
/// # Errors
/// [`Error`]: the folder or the file could not be written.
pub fn leave(dir: &Path, name: &str, text: &Redacted) -> Result<PathBuf, Error> {
    let fill = |file: &mut std::fs::File| file.write_all(text.as_str().as_bytes());
    Folder::open(dir)?.create(name, fill).map(|written| written.path)
}

/// Room for texts on the file system of this folder, in files that have no name; in memory when there is no such room.
pub fn store(dir: &Path) -> Store {
    let dir = dir.to_owned();
    Store::on_disk(move || {
        let folder = Folder::open(&dir).map_err(|error| error.cause)?;
        folder.unnamed()
    })
}

/// One text on its way into the bundle.
#[derive(Clone, Copy)]
struct Item<'a> {
    path: &'a BundlePath,
    kind: &'a str,
    origin: &'a str,
    text: &'a Sealed,
    truncated: Option<Truncation>,
    redactions: &'a Counts,
    took: Duration,
}

static NO_REDACTIONS: Counts = Counts::new();

impl<'a> Item<'a> {
    fn of_entry(entry: &'a Entry) -> Self {
        Self {
            path: &entry.path,
            kind: entry.kind,
            origin: "runner-guard",
            text: &entry.text,
            truncated: None,
            redactions: &NO_REDACTIONS,
            took: Duration::ZERO,
        }
    }

    fn of_evidence(evidence: &'a Evidence<Redacted>) -> Self {
        Self {
            path: &evidence.path,
            kind: evidence.kind.word(),
            origin: evidence.origin.as_str(),
            text: &evidence.text,
            truncated: evidence.truncated,
            redactions: &evidence.redactions,
            took: evidence.took,
        }
    }
}

/// An entry with its place in the archives.
struct Kept<'a> {
    path: String,
    item: Item<'a>,
}

struct Sifted<'a> {
    kept: Vec<Kept<'a>>,
    withheld: Vec<Withheld>,
}

/// Gives every text its place and leaves out what still holds a secret.
fn sift<'a>(
    items: impl Iterator<Item = Item<'a>>,
    leaks: &dyn Fn(&[u8]) -> Vec<String>,
) -> Sifted<'a> {
    let mut places = Places::reserving(MANIFEST);
    let mut sifted = Sifted { kept: Vec::new(), withheld: Vec::new() };
    for item in items {
        match reason_to_withhold(&item, leaks) {
            None => {
                let path = places.place(item.path.as_str());
                sifted.kept.push(Kept { path, item });
            }
            Some(reason) => {
                let number = sifted.withheld.len() + 1;
                let path = item.path.as_str();
                let path = if leaks(path.as_bytes()).is_empty() {
                    path.to_owned()
                } else {
                    format!("withheld-{number}")
                };
                sifted.withheld.push(Withheld { path, reason });
            }
        }
    }
    sifted.kept.sort_by(|a, b| a.path.cmp(&b.path));
    sifted
}

fn reason_to_withhold(item: &Item<'_>, leaks: &dyn Fn(&[u8]) -> Vec<String>) -> Option<String> {
    let shown = [item.path.as_str(), item.origin];
    let mut names: Vec<String> = shown.iter().flat_map(|text| leaks(text.as_bytes())).collect();
    names.extend(item.text.leaks().iter().cloned());
    names.sort();
    names.dedup();
    (!names.is_empty())
        .then(|| format!("withheld: it still holds the value of {}", names.join(", ")))
}

/// Gives every piece of evidence the path that it will have in the bundle beside entries with the names `taken`, so that whoever points
/// to a line of it points to the right file. [`write`] keeps these paths.
pub fn place_all(evidence: &mut [Evidence<Redacted>], taken: &[&str]) {
    let mut places = Places::reserving(MANIFEST);
    for name in taken {
        places.place(name);
    }
    for one in evidence {
        one.path = BundlePath::new("", &places.place(one.path.as_str()));
    }
}

/// Lower-case hex SHA-256, as the manifest has it.
pub fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest(&SHA256, bytes).as_ref())
}

#[cfg(test)]
mod tests;
