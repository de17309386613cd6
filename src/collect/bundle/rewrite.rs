//! Writes the entries of a bundle that was read before as a new bundle of the same form: `tar.gz`, `zip` or folder.
//!
//! It never writes over anything that is there, and what it could not finish is gone. What the entries say is the caller's business.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Read as _, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::archive::{self, MODE};
use crate::redact::Sealed;

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
pub fn write(path: &Path, form: Form, entries: &[(&str, &Sealed)]) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "something is there already"));
    }
    let part = Part(beside(path)?);
    match form {
        Form::TarGz => archive::tar_gz(&mut part.file()?, entries)?,
        Form::Zip => archive::zip(&mut part.file()?, entries)?,
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

/// Names are plain relative paths: the reader let no others in, and `create_new` follows no link.
fn folder(root: &Path, entries: &[(&str, &Sealed)]) -> io::Result<()> {
    DirBuilder::new().create(root)?;
    for (path, text) in entries {
        let path = root.join(path);
        if let Some(above) = path.parent() {
            DirBuilder::new().recursive(true).create(above)?;
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(&path)?;
        text.read(|text| io::copy(text, &mut file))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::bundle::{read, sha256};
    use crate::redact::{Redactor, Store};

    #[expect(clippy::disallowed_methods, reason = "the test looks at what was left")]
    fn count(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    /// A text and the manifest that names it.
    fn entries() -> [(&'static str, Sealed); 2] {
        let manifest =
            serde_json::json!({"entries": [{"path": "a/b.log", "sha256": sha256(b"text")}]});
        let sealed = |text: &str| Redactor::new(&[]).seal_own(text, &Store::in_memory()).unwrap();
        [("a/b.log", sealed("text")), ("manifest.json", sealed(&manifest.to_string()))]
    }

    #[test]
    fn every_form_is_read_back_as_it_was_written() {
        let dir = tempfile::tempdir().unwrap();
        for form in [Form::TarGz, Form::Zip, Form::Folder] {
            let path = dir.path().join(format!("{form:?}"));
            write(&path, form, &entries().each_ref().map(|(path, text)| (*path, text))).unwrap();
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
        assert!(write(&path, Form::Zip, &[]).is_err());
        assert_eq!(crate::source::files::read_capped(&path, 9).unwrap().bytes, b"one");
    }
}
