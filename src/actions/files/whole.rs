//! Files that are there as a whole or not at all, whenever the process ends: written beside their place and renamed, or appended to and
//! cut back.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

/// Puts these bytes in the place of the file in one step. An existing file keeps its owner and mode; a new one belongs to the owner of
/// its folder. A link in the last part of the path is replaced, never written through.
///
/// # Errors
/// The bytes could not be written; what was there before is untouched and nothing else is left.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = Part(beside(path)?);
    let mut file = part.create()?;
    file.write_all(bytes)?;
    let (owner, mode) = match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => (Some(found.clone()), found.permissions().mode()),
        Ok(_) | Err(_) => (folder_of(path).metadata().ok(), 0o644),
    };
    if let Some(owner) = owner {
        // Only root can give files away; a file of ours is better than none.
        drop(fchown(&file, Some(owner.uid()), Some(owner.gid())));
    }
    file.set_permissions(Permissions::from_mode(mode & 0o777))?;
    fs::rename(&part.0, path)
}

/// Copies a file into the place of another in one step.
///
/// # Errors
/// As [`replace`].
pub(super) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let part = Part(beside(to)?);
    let mut file = part.create()?;
    // It is a file that this program wrote, of the size that its own limits allow.
    let mut source = OpenOptions::new().read(true).custom_flags(NO_LINK).open(from)?;
    io::copy(&mut source, &mut file)?;
    file.set_permissions(Permissions::from_mode(0o644))?;
    fs::rename(&part.0, to)
}

/// The folder belongs to the job, which may have put a link in the place of the file.
const NO_LINK: i32 = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();

/// Appends the text, or nothing: half an output would fail the step that it belongs to.
///
/// # Errors
/// The file can not be opened or has no room.
pub(super) fn append(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    let before = file.metadata()?.len();
    file.write_all(text.as_bytes()).inspect_err(|_| drop(file.set_len(before)))
}

/// The bytes of a regular file, blank when it does not exist yet. Anything else (a device, a pipe) is an error: it has no place that
/// another file could take.
///
/// # Errors
/// It is no regular file, has more than `cap` bytes, or can not be read.
pub(super) fn read(path: &Path, cap: u64) -> io::Result<Vec<u8>> {
    let found = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        found => found?,
    };
    if !found.is_file() || found.len() > cap {
        return Err(io::Error::other("it is no regular file of a fitting size"));
    }
    let mut bytes = Vec::new();
    OpenOptions::new().read(true).open(path)?.take(cap).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A file under its temporary name; it is removed when it was not renamed.
struct Part(PathBuf);

impl Part {
    fn create(&self) -> io::Result<fs::File> {
        // What an earlier run left there is removed, never written through.
        drop(fs::remove_file(&self.0));
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.0)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}

fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
    Ok(path.with_file_name(format!(".{name}.part")))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests read what was written")]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_keeps_its_mode_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!(read(&path, 10).unwrap(), b"new");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_can_not_be_replaced_stays_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("place");
        fs::create_dir_all(path.join("full")).unwrap();
        assert!(replace(&path, b"new").is_err());
        assert!(path.join("full").is_dir());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no half is left");
    }

    #[test]
    fn a_device_is_never_replaced() {
        assert!(read(Path::new("/dev/full"), 10).is_err());
        assert!(append(Path::new("/dev/full"), "text").is_err());
    }

    #[test]
    fn a_link_is_replaced_rather_than_written_through() {
        let folder = tempfile::tempdir().unwrap();
        let (other, path) = (folder.path().join("other"), folder.path().join("link"));
        fs::write(&other, "theirs").unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        replace(&path, b"ours").unwrap();
        assert_eq!(fs::read(&other).unwrap(), b"theirs");
        assert!(!path.is_symlink());
    }
}
