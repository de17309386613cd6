//! Files that appear complete or not at all, owned by whoever owns the folder.
//!
//! The program may run as root in a container on a folder of the job's user; what it leaves there must be removable by that user.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Seek as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown, lchown,
};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use ring::digest::{Context, SHA256};

use super::Error;

/// Names that are tried for a file that gets none; each is free again at once.
const UNNAMED: usize = 64;

/// A folder that files are written into.
pub(super) struct Folder {
    path: PathBuf,
    owner: Owner,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Owner {
    uid: u32,
    gid: u32,
}

/// A complete file.
pub(super) struct Written {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    file: File,
}

impl Folder {
    /// Opens the folder, or makes it for the owner of the nearest folder above that exists. A symbolic link is refused: the job that
    /// is being looked at may have put it there.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let fail =
            |cause| Error { tried: format!("open the bundle folder {}", path.display()), cause };
        let owner = make(path).map_err(fail)?;
        Ok(Self { path: path.to_owned(), owner })
    }

    /// Writes one file under a temporary name and renames it when it is complete.
    pub(super) fn create(
        &self,
        name: &str,
        fill: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<Written, Error> {
        let path = self.path.join(name);
        let fail = |cause| Error { tried: format!("write {}", path.display()), cause };
        let part = Part(self.path.join(format!(".{name}.part")));
        let (bytes, written) = self.complete(&part, fill).map_err(fail)?;
        fs::rename(&part.0, &path).map_err(fail)?;
        Ok(Written { path, bytes, file: written })
    }

    /// A file without a name: it is gone with the process, however that ends.
    pub(super) fn unnamed(&self) -> io::Result<File> {
        for number in 0..UNNAMED {
            let path = self.path.join(format!(".{number}.{}.spool", std::process::id()));
            let opened =
                OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path);
            match opened {
                Ok(file) => return fs::remove_file(&path).map(|()| file),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    fn complete(
        &self,
        part: &Part,
        fill: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> io::Result<(u64, File)> {
        let mut written = part.create()?;
        fill(&mut written)?;
        if self.owner != owner_of(&written.metadata()?) {
            // Only root can give files away, and not on every file system; a file of ours is better than none.
            let _ = fchown(&written, Some(self.owner.uid), Some(self.owner.gid));
        }
        written.set_permissions(Permissions::from_mode(0o644))?;
        Ok((written.metadata()?.len(), written))
    }
}

/// A file under its temporary name; it is removed when it was not renamed.
struct Part(PathBuf);

impl Part {
    /// A new file that only we can read; what lies there from an earlier run is removed, never written through.
    fn create(&self) -> io::Result<File> {
        let _ = fs::remove_file(&self.0);
        OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&self.0)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn make(path: &Path) -> io::Result<Owner> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => Ok(owner_of(&found)),
        Ok(_) => Err(io::Error::new(
            io::ErrorKind::NotADirectory,
            "it is not a folder, or a symbolic link to one",
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let owner = match path.parent() {
                Some(above) if above.as_os_str().is_empty() => owner_of(&fs::metadata(".")?),
                Some(above) if above.is_dir() => owner_of(&fs::metadata(above)?),
                Some(above) => make(above)?,
                None => return Err(error),
            };
            DirBuilder::new().mode(0o755).create(path)?;
            if owner != owner_of(&fs::symlink_metadata(path)?) {
                let _ = lchown(path, Some(owner.uid), Some(owner.gid));
            }
            Ok(owner)
        }
        Err(error) => Err(error),
    }
}

fn owner_of(found: &fs::Metadata) -> Owner {
    Owner { uid: found.uid(), gid: found.gid() }
}

impl Written {
    /// Its lower-case hex SHA-256.
    pub(super) fn sha256(&mut self) -> Result<String, Error> {
        let sum = summed(&mut self.file);
        sum.map_err(|cause| Error { tried: format!("read {} again", self.path.display()), cause })
    }

    /// Takes it away again.
    pub(super) fn remove(&self) {
        // It is in the way of nothing when it stays.
        let _ = fs::remove_file(&self.path);
    }
}

fn summed(file: &mut File) -> io::Result<String> {
    file.rewind()?;
    let mut sum = Context::new(&SHA256);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        let Some(piece) = buffer.get(..read).filter(|piece| !piece.is_empty()) else { break };
        sum.update(piece);
    }
    Ok(HEXLOWER.encode(sum.finish().as_ref()))
}
