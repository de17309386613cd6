//! Reads a bundle that was written before: a `tar.gz`, a `zip`, or the folder that one of them was unpacked into.
//!
//! The bundle may come from anybody. Nothing is written to disk; only regular files with harmless names count; what is too large, has a
//! strange name, or is not what the manifest says, is named in a sentence. A damaged archive gives what could be read of it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek as _};
use std::path::Path;

use serde_json::Value;
use tar::EntryType;

use super::{MANIFEST, sha256};
use crate::source::files::{self, Folder, Keep};

/// Most of one entry that is kept, in bytes.
pub const ENTRY_CAP: u64 = 64 << 20;

/// Most that is unpacked of one bundle, in bytes.
pub const UNPACKED_CAP: u64 = 512 << 20;

/// Most entries that are looked at.
const ENTRIES: usize = 10_000;

/// How deep a folder is looked at.
const DEPTH: usize = 16;

/// Largest archive that is opened, in bytes: the list of its entries is held in memory.
const PACKED_CAP: u64 = 512 << 20;

/// Largest manifest that is read, in bytes; ten times what the most entries need.
const MANIFEST_CAP: usize = 32 << 20;

/// Longest name of an entry, in bytes.
const NAME: u64 = 1024;

/// Most sentences about what is wrong.
const PROBLEMS: usize = 50;

/// A bundle in memory.
#[derive(Debug, Default)]
pub struct Opened {
    /// The entries by name, without the manifest.
    pub entries: BTreeMap<String, Vec<u8>>,
    /// The manifest; `None` when there is none that can be read.
    pub manifest: Option<Value>,
    /// How many entries are what the manifest says.
    pub verified: usize,
    /// What was refused, cut, missing or changed, a sentence each. Names in them come from the bundle.
    pub problems: Vec<String>,
}

/// Why a bundle could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It can not be opened.
    #[error("{0}")]
    Open(String),
    /// It is neither of the forms.
    #[error("{0} is no bundle: neither a tar.gz, nor a zip, nor a folder with a {MANIFEST}")]
    Form(String),
    /// The archive is damaged from the start.
    #[error("unpack {path}")]
    Damaged {
        /// Its path.
        path: String,
        /// The cause.
        source: io::Error,
    },
}

/// Reads a bundle and holds every entry against its manifest.
///
/// # Errors
/// [`ReadError`]: it could not be opened, or is no bundle. A part that is wrong is no error but one of [`Opened::problems`].
pub fn read(path: &Path) -> Result<Opened, ReadError> {
    let mut found = Found { room: UNPACKED_CAP, ..Found::default() };
    if path.is_dir() {
        of_folder(path, &mut found)?;
    } else {
        of_file(path, &mut found)?;
    }
    let manifest = found.opened.entries.remove(MANIFEST);
    let fitting = manifest.filter(|bytes| bytes.len() <= MANIFEST_CAP);
    found.opened.manifest = fitting.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    if found.opened.manifest.is_none() && found.opened.entries.is_empty() {
        return Err(ReadError::Form(path.display().to_string()));
    }
    verify(&mut found);
    let problems = &mut found.opened.problems;
    if let Some(more) = problems.len().checked_sub(PROBLEMS).filter(|n| *n > 0) {
        problems.truncate(PROBLEMS);
        problems.push(format!("and {more} more of the same kind"));
    }
    Ok(found.opened)
}

#[derive(Default)]
struct Found {
    opened: Opened,
    room: u64,
}

impl Found {
    fn problem(&mut self, name: &str, what: &str) {
        self.opened.problems.push(format!("{name}: {what}"));
    }

    /// Keeps one entry, if its name is harmless and new; at most [`ENTRY_CAP`] bytes of it and never more than there is room for.
    fn take(&mut self, name: &str, data: &mut dyn Read) {
        if let Some(why) = refusal(name) {
            return self.problem(name, why);
        }
        if self.opened.entries.contains_key(name) {
            return self.problem(name, "left out: another entry has the same name");
        }
        let cap = ENTRY_CAP.min(self.room);
        let mut bytes = Vec::new();
        let ended = data.take(cap.saturating_add(1)).read_to_end(&mut bytes);
        if bytes.len() as u64 > cap {
            bytes.truncate(usize::try_from(cap).unwrap_or(usize::MAX));
            self.problem(name, &format!("cut at {cap} bytes, the limit"));
        }
        if let Err(error) = ended {
            self.problem(name, &format!("only its beginning could be read ({error})"));
        }
        self.room = self.room.saturating_sub(bytes.len() as u64);
        self.opened.entries.insert(name.to_owned(), bytes);
    }

    /// Whether nothing more may be taken; says so once.
    fn full(&mut self, seen: usize) -> bool {
        let why = match (self.room, seen) {
            (0, _) => format!("the limit of {UNPACKED_CAP} unpacked bytes"),
            (_, ENTRIES..) => format!("the limit of {ENTRIES} entries"),
            _ => return false,
        };
        self.opened.problems.push(format!("the rest of the bundle was not read: {why}"));
        true
    }
}

/// Why an entry of this name is left out: it must be a plain relative path on every system.
fn refusal(name: &str) -> Option<&'static str> {
    let odd = |part: &str| matches!(part, "" | "." | "..");
    if name.starts_with('/') || name.contains([':', '\\']) {
        return Some("left out: an absolute path");
    }
    if name.split('/').any(odd) {
        return Some("left out: a path that may lead out of the bundle");
    }
    name.chars().any(char::is_control).then_some("left out: control characters in its name")
}

fn of_folder(path: &Path, found: &mut Found) -> Result<(), ReadError> {
    let folder = Folder::open(path).map_err(|e| ReadError::Open(e.chain()))?;
    let listing = folder.list(ENTRIES, DEPTH).map_err(|e| ReadError::Open(e.chain()))?;
    if !listing.files.iter().any(|file| file.path == Path::new(MANIFEST)) {
        return Err(ReadError::Form(path.display().to_string()));
    }
    let cap = usize::try_from(ENTRY_CAP).unwrap_or(usize::MAX);
    for (seen, file) in listing.files.iter().enumerate() {
        if found.full(seen) {
            break;
        }
        let name = file.path.to_string_lossy().into_owned();
        // One byte more than the cap shows that there is more.
        match folder.read(&file.path, cap.saturating_add(1), Keep::Head) {
            Ok(read) => found.take(&name, &mut &*read.bytes),
            Err(error) => found.problem(&name, &error.chain()),
        }
    }
    Ok(())
}

fn of_file(path: &Path, found: &mut Found) -> Result<(), ReadError> {
    let mut file = files::open(path).map_err(|e| ReadError::Open(e.chain()))?;
    let damaged = |source| ReadError::Damaged { path: path.display().to_string(), source };
    let size = file.metadata().map_err(damaged)?.len();
    if size > PACKED_CAP {
        let why = format!("it has {size} bytes, the limit is {PACKED_CAP}");
        return Err(damaged(io::Error::other(why)));
    }
    let mut magic = [0; 4];
    let read = file.read(&mut magic).and_then(|n| file.rewind().map(|()| n)).map_err(damaged)?;
    match magic.get(..read).unwrap_or_default() {
        [0x1f, 0x8b, ..] => of_tar(file, found).map_err(damaged),
        [b'P', b'K', 3 | 5, 4 | 6] => of_zip(file, found).map_err(damaged),
        _ => Err(ReadError::Form(path.display().to_string())),
    }
}

fn of_tar(file: File, found: &mut Found) -> io::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "capped below")]
    let unpacked = flate2::read::MultiGzDecoder::new(io::BufReader::new(file));
    // Room for the headers of all entries beside what they hold.
    let mut archive = tar::Archive::new(unpacked.take(UNPACKED_CAP + (16 << 20)));
    let mut long_name = None;
    // Raw: the library would read a long name of any length.
    for (seen, entry) in archive.entries()?.raw(true).enumerate() {
        if found.full(seen) {
            break;
        }
        let mut entry = match entry {
            Ok(entry) => entry,
            Err(error) if seen == 0 => return Err(error),
            Err(error) => {
                found.opened.problems.push(format!("the archive ends early: {error}"));
                break;
            }
        };
        let kind = entry.header().entry_type();
        if kind == EntryType::GNULongName {
            let mut name = Vec::new();
            entry.by_ref().take(NAME).read_to_end(&mut name)?;
            long_name = Some(String::from_utf8_lossy(&name).trim_end_matches('\0').to_owned());
            continue;
        }
        let short = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let name = long_name.take().unwrap_or(short);
        match kind {
            EntryType::Regular => found.take(&name, &mut entry),
            EntryType::Directory => {}
            _ => found.problem(&name, "left out: neither a file nor a folder"),
        }
    }
    Ok(())
}

fn of_zip(file: File, found: &mut Found) -> io::Result<()> {
    let mut archive = zip::ZipArchive::new(io::BufReader::new(file))?;
    for at in 0..archive.len() {
        if found.full(at) {
            break;
        }
        let mut entry = match archive.by_index(at) {
            Ok(entry) => entry,
            Err(error) => {
                found.problem(&format!("entry {}", at + 1), &format!("left out: {error}"));
                continue;
            }
        };
        let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        if entry.is_symlink() {
            found.problem(&name, "left out: neither a file nor a folder");
        } else if !entry.is_dir() {
            found.take(&name, &mut entry);
        }
    }
    Ok(())
}

/// Holds the entries against the manifest.
fn verify(found: &mut Found) {
    let Some(manifest) = found.opened.manifest.take() else {
        found.opened.problems.push(format!(
            "there is no {MANIFEST} that can be read: nothing says what the entries should be"
        ));
        return;
    };
    let rows = manifest.get("entries").and_then(Value::as_array).cloned().unwrap_or_default();
    let word = |row: &Value, key: &str| {
        row.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let promised: BTreeMap<String, String> =
        rows.iter().map(|row| (word(row, "path"), word(row, "sha256"))).collect();
    for (path, sum) in &promised {
        match found.opened.entries.get(path) {
            None => found.problem(path, "in the manifest, but not in the bundle"),
            Some(bytes) if sha256(bytes) != *sum => {
                found.problem(path, "changed: its SHA-256 is not the one in the manifest");
            }
            Some(_) => found.opened.verified += 1,
        }
    }
    let strange: Vec<String> =
        found.opened.entries.keys().filter(|name| !promised.contains_key(*name)).cloned().collect();
    for name in strange {
        found.problem(&name, "not in the manifest, so it is no evidence");
    }
    found.opened.manifest = Some(manifest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_relative_names_are_taken() {
        for name in ["a", "a/b.log", "report.json", "a..b/c"] {
            assert_eq!(refusal(name), None, "{name}");
        }
        for name in
            ["", "/etc/passwd", "../x", "a/../../x", "a//b", "./a", "C:\\x", "a\\..\\b", "a\nb"]
        {
            assert!(refusal(name).is_some(), "{name:?}");
        }
    }

    #[test]
    fn an_entry_never_takes_more_than_the_room() {
        let mut found = Found { room: 5, ..Found::default() };
        found.take("a", &mut io::repeat(b'x'));
        assert_eq!(found.opened.entries["a"].len(), 5);
        assert_eq!(found.opened.problems, ["a: cut at 5 bytes, the limit"]);
        assert!(found.full(0));
    }

    #[test]
    fn of_two_entries_with_one_name_the_first_counts() {
        let mut found = Found { room: 50, ..Found::default() };
        found.take("a", &mut &b"one"[..]);
        found.take("a", &mut &b"two"[..]);
        assert_eq!(found.opened.entries["a"], b"one");
        assert_eq!(found.opened.problems.len(), 1);
    }
}
