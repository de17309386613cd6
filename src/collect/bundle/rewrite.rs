//! Writes the entries of a bundle that was read before as a new bundle of the same form: `tar.gz`, `zip` or folder.
//!
//! It never writes over anything that is there, and what it could not finish is gone. What the entries say is the caller's business.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Read as _, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder};
use zip::write::SimpleFileOptions;

/// 1980-01-01T00:00:00Z, the earliest time that both formats can say.
const MTIME: u64 = 315_532_800;
const MODE: u32 = 0o644;
const GZIP_LEVEL: u32 = 6;

/// The form of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A `tar.gz`.
    TarGz,
    /// A `zip`.
    Zip,
    /// A folder.
    Folder,
}

/// The form of the bundle at this path, by its first bytes; what is no archive is a folder.
///
/// # Errors
/// It can not be read.
pub fn form_of(path: &Path) -> io::Result<Form> {
    if path.is_dir() {
        return Ok(Form::Folder);
    }
    let mut magic = [0; 2];
    let mut file = OpenOptions::new().read(true).open(path)?;
    file.read_exact(&mut magic)?;
    Ok(if &magic == b"PK" { Form::Zip } else { Form::TarGz })
}

/// Writes these entries, in their order, to a path at which nothing is yet.
///
/// # Errors
/// Something is there already, or the bundle can not be written; then nothing is left.
pub fn write(path: &Path, form: Form, entries: &[(String, Vec<u8>)]) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "something is there already"));
    }
    let part = Part(beside(path)?);
    match form {
        Form::TarGz => tar_gz(&part.file()?, entries)?,
        Form::Zip => zip_of(&part.file()?, entries)?,
        Form::Folder => folder(&part.0, entries)?,
    }
    fs::rename(&part.0, path)
}

/// Streams one text to a file at which nothing is yet; `fill` says how. What it returns comes back.
///
/// # Errors
/// Something is there already, `fill` failed, or the file can not be written; then nothing is left.
pub fn stream<T>(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> io::Result<T> {
    if fs::symlink_metadata(path).is_ok() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "something is there already"));
    }
    let part = Part(beside(path)?);
    let mut out = BufWriter::new(part.file()?);
    let told = fill(&mut out)?;
    out.flush()?;
    drop(out);
    fs::rename(&part.0, path)?;
    Ok(told)
}

/// A path under its temporary name; it is removed when it was not renamed.
struct Part(PathBuf);

impl Part {
    fn file(&self) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create_new(true).mode(MODE).open(&self.0)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
        drop(fs::remove_dir_all(&self.0));
    }
}

fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
    Ok(path.with_file_name(format!(".{name}.part")))
}

fn tar_gz(file: &File, entries: &[(String, Vec<u8>)]) -> io::Result<()> {
    let packed =
        GzBuilder::new().mtime(0).write(BufWriter::new(file), Compression::new(GZIP_LEVEL));
    let mut archive = tar::Builder::new(packed);
    for (path, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_size(bytes.len() as u64);
        header.set_mode(MODE);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(MTIME);
        archive.append_data(&mut header, path, bytes.as_slice())?;
    }
    archive.into_inner()?.finish()?.flush()
}

fn zip_of(file: &File, entries: &[(String, Vec<u8>)]) -> io::Result<()> {
    let options = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .last_modified_time(zip::DateTime::DEFAULT)
        .unix_permissions(MODE);
    let mut archive = zip::ZipWriter::new(BufWriter::new(file));
    for (path, bytes) in entries {
        archive.start_file(path.as_str(), options)?;
        archive.write_all(bytes)?;
    }
    archive.finish()?.flush()
}

/// Names are plain relative paths: the reader let no others in, and `create_new` follows no link.
fn folder(root: &Path, entries: &[(String, Vec<u8>)]) -> io::Result<()> {
    DirBuilder::new().create(root)?;
    for (path, bytes) in entries {
        let path = root.join(path);
        if let Some(above) = path.parent() {
            DirBuilder::new().recursive(true).create(above)?;
        }
        OpenOptions::new().write(true).create_new(true).mode(MODE).open(&path)?.write_all(bytes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::bundle::{read, sha256};

    #[expect(clippy::disallowed_methods, reason = "the test looks at what was left")]
    fn count(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    fn entries() -> Vec<(String, Vec<u8>)> {
        let manifest =
            serde_json::json!({"entries": [{"path": "a/b.log", "sha256": sha256(b"text")}]});
        vec![
            ("a/b.log".to_owned(), b"text".to_vec()),
            ("manifest.json".to_owned(), manifest.to_string().into_bytes()),
        ]
    }

    #[test]
    fn every_form_is_read_back_as_it_was_written() {
        let dir = tempfile::tempdir().unwrap();
        for form in [Form::TarGz, Form::Zip, Form::Folder] {
            let path = dir.path().join(format!("{form:?}"));
            write(&path, form, &entries()).unwrap();
            assert_eq!(form_of(&path).unwrap(), form);
            let opened = read::read(&path).unwrap();
            assert_eq!((opened.verified, opened.problems), (1, vec![]));
        }
        assert_eq!(count(dir.path()), 3);
    }

    #[test]
    fn what_is_there_is_never_written_over_and_a_failure_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        let failed: io::Result<()> = stream(&path, |out| {
            out.write_all(b"half")?;
            Err(io::ErrorKind::Other.into())
        });
        assert!(failed.is_err() && count(dir.path()) == 0);
        stream(&path, |out| out.write_all(b"one")).unwrap();
        assert!(stream(&path, |out| out.write_all(b"two")).is_err());
        assert!(write(&path, Form::Zip, &entries()).is_err());
        assert_eq!(crate::source::files::read_capped(&path, 9).unwrap().bytes, b"one");
    }
}
