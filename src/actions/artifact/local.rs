//! The file that is uploaded: opened once, and only when it is the one that was asked for.
//!
//! It lies in a folder of the job. Whoever puts a link, a pipe or another file in its place while the upload waits for the server must
//! not choose what is published.

use std::fs::File;
use std::io::{Error, ErrorKind, Read as _, Result};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use ring::digest::{Context, SHA256};
use rustix::fs::{FileType, Mode, OFlags};

/// Bytes that are read at a time while the sum is made.
const PIECE: usize = 256 * 1024;

/// A pipe must not block the open, and a link is not followed.
const READ: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// The open file.
pub(super) struct Local(File);

impl Local {
    /// Opens the regular file of this size and with this lower-case hex SHA-256.
    ///
    /// # Errors
    /// It can not be opened or read, or it is another one.
    pub(super) fn open(path: &Path, size: u64, sha256: &str) -> Result<Self> {
        let opened = rustix::fs::open(path, READ, Mode::empty())?;
        let stat = rustix::fs::fstat(&opened)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(other("it is not a regular file any more"));
        }
        if u64::try_from(stat.st_size).ok() != Some(size) {
            return Err(other("it has not the size any more that it was written with"));
        }
        let mut file = File::from(opened);
        if sum(&mut file, size)? != sha256 {
            return Err(other("it is not the file any more that was written"));
        }
        Ok(Self(file))
    }

    /// So many bytes from this place on.
    ///
    /// # Errors
    /// They can not be read, or are not there any more.
    pub(super) fn read(&self, offset: u64, length: usize) -> Result<Bytes> {
        let mut data = vec![0; length];
        self.0.read_exact_at(&mut data, offset)?;
        Ok(Bytes::from(data))
    }
}

fn other(why: &str) -> Error {
    Error::new(ErrorKind::InvalidData, why)
}

fn sum(file: &mut File, size: u64) -> Result<String> {
    let mut sum = Context::new(&SHA256);
    let mut rest = file.take(size);
    let mut piece = vec![0; PIECE];
    loop {
        let read = rest.read(&mut piece)?;
        let Some(bytes) = piece.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        sum.update(bytes);
    }
    Ok(HEXLOWER.encode(sum.finish().as_ref()))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests make the files")]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    const SUM: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn refusal(path: &Path) -> String {
        Local::open(path, 3, SUM).err().map(|e| e.to_string()).unwrap_or_default()
    }

    #[test]
    fn the_file_that_was_written_is_read_even_when_another_takes_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        std::fs::write(&path, "abc").unwrap();
        let local = Local::open(&path, 3, SUM).unwrap();
        std::fs::write(folder.path().join("secret"), "xyz").unwrap();
        std::fs::rename(folder.path().join("secret"), &path).unwrap();
        assert_eq!(&*local.read(1, 2).unwrap(), b"bc");
        assert!(local.read(2, 2).is_err());
    }

    #[test]
    fn a_link_a_pipe_a_device_and_another_file_in_its_place_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("good"), "abc").unwrap();
        std::fs::write(at("long"), "abcd").unwrap();
        std::fs::write(at("other"), "abd").unwrap();
        symlink(at("good"), at("link")).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, at("pipe"), FileType::Fifo, Mode::RWXU, 0).unwrap();
        assert!(refusal(&at("link")).contains("symbolic link"), "{}", refusal(&at("link")));
        assert!(refusal(&at("pipe")).contains("not a regular file"));
        assert!(refusal(Path::new("/dev/zero")).contains("not a regular file"));
        assert!(refusal(&at("long")).contains("size"));
        assert!(refusal(&at("other")).contains("not the file any more"));
        assert_eq!(refusal(&at("good")), "");
    }
}
