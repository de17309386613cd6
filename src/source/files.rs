//! Files, read with a cap: regular files only, never through a symbolic link at the end of the path, and judged on the open file.
//!
//! Folders that others can write to are entered through [`Folder`], which nothing in them can lead out of; a path that somebody named is
//! opened by [`Roots`], which knows those folders. What a file says, and
//! whether it may be shown, is not decided here; what must not even be opened is ([`denied`]).

mod deny;
mod folder;
mod roots;
mod stream;

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::error::{Cause, Error};

pub use deny::denied;
pub use folder::{Entry, Folder, Listing, MAX_DEPTH};
pub use roots::Roots;
pub use stream::Stream;

/// The most of a file's beginning that [`Keep::HeadAndTail`] keeps, in bytes.
pub const HEAD: usize = 1024 * 1024;

/// The longest stretch beside a cut that is given up so that the cut falls between two lines, in bytes.
const MARGIN: usize = 64 * 1024;

/// Which part of a file survives when it is longer than the cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// The beginning.
    Head,
    /// The end.
    Tail,
    /// A quarter of the cap, at most [`HEAD`], from the beginning, and the rest from the end, with a line between them that says how
    /// much is missing.
    HeadAndTail,
}

/// What was read of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capped {
    /// The bytes that were kept; at most the cap, plus the line that marks the gap of [`Keep::HeadAndTail`].
    pub bytes: Vec<u8>,
    /// Whether something is missing.
    pub truncated: bool,
    /// The size of the file when it was opened, in bytes; for files of the kernel, which have none, what was read.
    pub original: u64,
    /// When the file was last written to.
    pub modified: SystemTime,
}

impl Capped {
    /// The bytes as text; what is not UTF-8 becomes U+FFFD.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// Reads the first `cap` bytes of a regular file.
pub fn read_capped(path: &Path, cap: usize) -> Result<Capped, Error> {
    read(path, cap, Keep::Head)
}

/// Reads the last `cap` bytes of a regular file.
pub fn read_tail(path: &Path, cap: usize) -> Result<Capped, Error> {
    read(path, cap, Keep::Tail)
}

/// Reads at most `cap` bytes of a regular file, and the part that `keep` says.
pub fn read(path: &Path, cap: usize, keep: Keep) -> Result<Capped, Error> {
    attempt(path, cap, keep).map_err(|errno| refused(format!("read {}", path.display()), errno))
}

/// Opens a regular file that the caller reads as a stream, in bounded memory.
pub fn open(path: &Path) -> Result<File, Error> {
    let opened = rustix::fs::open(path, READ, Mode::empty()).and_then(regular);
    opened.map(|(file, _)| file).map_err(|errno| refused(format!("read {}", path.display()), errno))
}

/// As [`read`], for callers that tell the kernel's answers apart.
pub(super) fn attempt(path: &Path, cap: usize, keep: Keep) -> Result<Capped, Errno> {
    let (file, stat) = regular(rustix::fs::open(path, READ, Mode::empty())?)?;
    content(file, &stat, cap, keep)
}

/// A FIFO must not block the open, and a terminal must not become ours.
const READ: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

fn regular(fd: rustix::fd::OwnedFd) -> Result<(File, Stat), Errno> {
    let stat = rustix::fs::fstat(&fd)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok((File::from(fd), stat)),
        FileType::Directory => Err(Errno::ISDIR),
        FileType::Symlink
        | FileType::Fifo
        | FileType::Socket
        | FileType::CharacterDevice
        | FileType::BlockDevice
        | FileType::Unknown => Err(Errno::NODEV),
    }
}

fn content(mut file: File, stat: &Stat, cap: usize, keep: Keep) -> Result<Capped, Errno> {
    let size = u64::try_from(stat.st_size).unwrap_or_default();
    let whole = size <= as_u64(cap);
    let bytes = match keep {
        Keep::Head => head(&mut file, size, cap),
        Keep::Tail | Keep::HeadAndTail if whole => head(&mut file, size, cap),
        Keep::Tail => tail(&mut file, size, cap),
        Keep::HeadAndTail => head_and_tail(&mut file, size, cap),
    };
    let (bytes, truncated) =
        bytes.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    let original = size.max(if whole { as_u64(bytes.len()) } else { 0 });
    Ok(Capped { bytes, truncated, original, modified: modified(stat) })
}

fn head(file: &mut File, size: u64, cap: usize) -> io::Result<(Vec<u8>, bool)> {
    // Files of the kernel say that they are empty; a file that grows meanwhile is read as long as it was.
    let one_more = as_u64(cap).saturating_add(1);
    let limit = if size == 0 { one_more } else { size.min(one_more) };
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes)?;
    let truncated = bytes.len() > cap;
    if truncated {
        bytes.truncate(cap);
        bytes.truncate(last_line_end(&bytes));
    }
    Ok((bytes, truncated))
}

fn tail(file: &mut File, size: u64, cap: usize) -> io::Result<(Vec<u8>, bool)> {
    file.seek(SeekFrom::Start(size.saturating_sub(as_u64(cap))))?;
    let mut bytes = Vec::new();
    file.take(as_u64(cap)).read_to_end(&mut bytes)?;
    bytes.drain(..first_line_start(&bytes));
    Ok((bytes, true))
}

fn head_and_tail(file: &mut File, size: u64, cap: usize) -> io::Result<(Vec<u8>, bool)> {
    let first = HEAD.min(cap / 4);
    let (mut bytes, _) = head(file, size, first)?;
    let (end, _) = tail(file, size, cap - first)?;
    let missing = size.saturating_sub(as_u64(bytes.len() + end.len()));
    if !bytes.is_empty() && !bytes.ends_with(b"\n") {
        bytes.push(b'\n');
    }
    bytes.extend_from_slice(format!("[... {missing} bytes left out ...]\n").as_bytes());
    bytes.extend_from_slice(&end);
    Ok((bytes, true))
}

/// Where the last whole line ends. A cut within a line could leave half of a secret, which nobody would recognise.
pub(super) fn last_line_end(bytes: &[u8]) -> usize {
    let margin = MARGIN.min(bytes.len() / 2);
    let edge = bytes.len() - margin;
    bytes.iter().skip(edge).rposition(|b| *b == b'\n').map_or(edge, |place| edge + place + 1)
}

/// Where the first whole line starts; see [`last_line_end`].
pub(super) fn first_line_start(bytes: &[u8]) -> usize {
    let margin = MARGIN.min(bytes.len() / 2);
    bytes.iter().take(margin).position(|b| *b == b'\n').map_or(margin, |place| place + 1)
}

fn modified(stat: &Stat) -> SystemTime {
    let seconds = u64::try_from(stat.st_mtime).unwrap_or_default();
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap_or(UNIX_EPOCH)
}

fn as_u64(size: usize) -> u64 {
    u64::try_from(size).unwrap_or(u64::MAX)
}

/// The kernel's refusal in words that say what to change.
pub(super) fn refused(tried: String, errno: Errno) -> Error {
    let (why, help) = match errno {
        Errno::NOENT => ("no such file or folder", None),
        Errno::ACCESS | Errno::PERM => {
            ("permission denied", Some("let the user that this process runs as read it"))
        }
        Errno::LOOP => {
            ("a symbolic link is in the way", Some("name the place that the link points to"))
        }
        Errno::XDEV => ("it leaves the folder or its file system", None),
        Errno::MLINK => (
            "it has more than one name (a hard link), so it may be a file from elsewhere",
            Some("write it anew instead of linking it"),
        ),
        Errno::ISDIR => ("it is a folder and not a file", None),
        Errno::NOTDIR => ("a part of the path is not a folder", None),
        Errno::NODEV => ("it is not a regular file", None),
        other => return Error::new(tried, Cause::Io(other.to_string())),
    };
    let error = Error::new(tried, Cause::Io(why.to_owned()));
    match help {
        Some(help) => error.with_help(help),
        None => error,
    }
}

#[cfg(test)]
mod tests;
