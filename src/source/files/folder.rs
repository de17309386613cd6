//! A folder that nothing in it can lead out of: no `..`, no symbolic link, no other file system, no files of the kernel.

use std::collections::VecDeque;
use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, Dir, FileType, FsWord, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use super::{Capped, Keep, READ, Stream, content, denied, modified, refused, regular, stream};
use crate::source::Error;

/// The deepest that [`Folder::list`] descends.
pub const MAX_DEPTH: usize = 16;

/// File system type of `/sys` (Linux `magic.h`).
const SYSFS_MAGIC: FsWord = 0x6265_6572;

const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// An open folder. It stays the same folder, whatever is renamed around it.
#[derive(Debug)]
pub struct Folder {
    fd: OwnedFd,
    device: u64,
    path: PathBuf,
}

/// The regular files below a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The files, folder by folder from the top, sorted by name within each.
    pub files: Vec<Entry>,
    /// How many names the deny list kept out; folders count once.
    pub denied: usize,
    /// Whether everything was seen: neither the limit nor the depth nor a refusal of the kernel cut the list short.
    pub complete: bool,
}

/// One regular file of a [`Listing`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The path relative to the folder.
    pub path: PathBuf,
    /// The size in bytes.
    pub size: u64,
    /// When it was last written to.
    pub modified: SystemTime,
    /// Whether the file has more than one name; suspicious in a folder that others can write to.
    pub hard_linked: bool,
}

impl Folder {
    /// Opens a folder. A symbolic link on the way to it is followed: the path comes from the configuration.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let tried = || format!("open the folder {}", path.display());
        Self::attempt(path).map_err(|errno| refused(tried(), errno))
    }

    fn attempt(path: &Path) -> Result<Self, Errno> {
        let flags = DIRECTORY.difference(OFlags::NOFOLLOW);
        let fd = rustix::fs::open(path, flags, Mode::empty())?;
        if is_of_the_kernel(&fd)? {
            return Err(Errno::NODEV);
        }
        let device = rustix::fs::fstat(&fd)?.st_dev;
        Ok(Self { fd, device, path: path.to_owned() })
    }

    /// The path that the folder was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a folder below this one.
    pub fn folder(&self, relative: &Path) -> Result<Self, Error> {
        let path = self.path.join(relative);
        let attempt = || {
            let fd = self.open_below(relative, DIRECTORY)?;
            let device = rustix::fs::fstat(&fd)?.st_dev;
            if device == self.device { Ok((fd, device)) } else { Err(Errno::XDEV) }
        };
        let (fd, device) = attempt()
            .map_err(|errno| refused(format!("open the folder {}", path.display()), errno))?;
        Ok(Self { fd, device, path })
    }

    /// Reads at most `cap` bytes of a regular file below the folder. Names on the deny list are refused, and so is a file with a second
    /// name: it may be one from elsewhere, which whoever wrote the link could not read.
    pub fn read(&self, relative: &Path, cap: usize, keep: Keep) -> Result<Capped, Error> {
        self.opened(relative, |file, stat| content(file, stat, cap, keep))
    }

    /// As [`Self::read`], as a stream in bounded memory that keeps the beginning and the end.
    pub fn stream(&self, relative: &Path, cap: u64, lines: Option<u64>) -> Result<Stream, Error> {
        self.opened(relative, |file, stat| stream::of(file, stat, cap, lines))
    }

    fn opened<T>(
        &self,
        relative: &Path,
        read: impl FnOnce(File, &Stat) -> Result<T, Errno>,
    ) -> Result<T, Error> {
        if let Some(rule) = denied(relative) {
            let tried = format!("read {}", self.path.join(relative).display());
            let why = format!("files like `{rule}` may hold credentials and are never read");
            return Err(Error::new(tried, crate::source::error::Cause::Io(why)));
        }
        self.opened_anyway(relative, read)
    }

    /// As [`Self::read`] of the beginning, for a file on the deny list too: what it says is never shown.
    pub fn read_unshown(&self, relative: &Path, cap: usize) -> Result<Capped, Error> {
        self.opened_anyway(relative, |file, stat| content(file, stat, cap, Keep::Head))
    }

    fn opened_anyway<T>(
        &self,
        relative: &Path,
        read: impl FnOnce(File, &Stat) -> Result<T, Errno>,
    ) -> Result<T, Error> {
        let tried = || format!("read {}", self.path.join(relative).display());
        let attempt = || {
            let (file, stat) = regular(self.open_below(relative, READ)?)?;
            if stat.st_dev != self.device {
                return Err(Errno::XDEV);
            }
            if stat.st_nlink > 1 {
                return Err(Errno::MLINK);
            }
            read(file, &stat)
        };
        attempt().map_err(|errno| refused(tried(), errno))
    }

    /// Lists the regular files below the folder. At most `limit` names are looked at, at most `depth` folders deep (1 is the folder
    /// itself, the most is [`MAX_DEPTH`]). Symbolic links, other file systems and names on the deny list are passed over.
    pub fn list(&self, limit: usize, depth: usize) -> Result<Listing, Error> {
        let mut walk = Walk {
            listing: Listing { complete: true, ..Listing::default() },
            left: limit,
            next: VecDeque::new(),
        };
        let tried = || format!("list the folder {}", self.path.display());
        self.visit(Path::new(""), &mut walk).map_err(|errno| refused(tried(), errno))?;
        let mut level = 1;
        while !walk.next.is_empty() {
            if level >= depth.min(MAX_DEPTH) {
                walk.listing.complete = false;
                break;
            }
            for place in std::mem::take(&mut walk.next) {
                // A folder that vanished or is closed to us must not hide the others.
                let seen = self.visit(&place, &mut walk);
                walk.listing.complete &= seen.is_ok();
            }
            level += 1;
        }
        Ok(walk.listing)
    }

    fn visit(&self, place: &Path, walk: &mut Walk) -> Result<(), Errno> {
        let fd = if place.as_os_str().is_empty() {
            rustix::fs::openat(&self.fd, ".", DIRECTORY, Mode::empty())?
        } else {
            self.open_below(place, DIRECTORY)?
        };
        if rustix::fs::fstat(&fd)?.st_dev != self.device {
            return Ok(());
        }
        for name in names(&fd, walk)? {
            // Whatever vanished between the list and this look is not there.
            if let Ok(stat) = rustix::fs::statat(&fd, &name, AtFlags::SYMLINK_NOFOLLOW) {
                walk.note(place.join(&name), &stat);
            }
        }
        Ok(())
    }

    fn open_below(&self, relative: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
        let parts = parts(relative)?;
        let resolve =
            ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        match rustix::fs::openat2(&self.fd, relative, flags, Mode::empty(), resolve) {
            // Kernels before 5.6 do not have the call, and seccomp profiles of that time answer EPERM.
            Err(Errno::NOSYS | Errno::PERM) => self.walk_to(&parts, flags),
            answer => answer,
        }
    }

    /// The same, one part of the path after the other.
    fn walk_to(&self, parts: &[&OsStr], flags: OFlags) -> Result<OwnedFd, Errno> {
        let Some((last, folders)) = parts.split_last() else { return Err(Errno::NOENT) };
        let mut at = rustix::fs::openat(&self.fd, ".", DIRECTORY, Mode::empty())?;
        for folder in folders {
            at = rustix::fs::openat(&at, *folder, DIRECTORY, Mode::empty())?;
        }
        rustix::fs::openat(&at, *last, flags, Mode::empty())
    }
}

/// Whether an open file or folder is one of `/proc` or `/sys`.
pub(super) fn is_of_the_kernel(fd: impl AsFd) -> Result<bool, Errno> {
    let kind = rustix::fs::fstatfs(fd)?.f_type;
    Ok(kind == SYSFS_MAGIC || kind == rustix::fs::PROC_SUPER_MAGIC)
}

struct Walk {
    listing: Listing,
    left: usize,
    next: VecDeque<PathBuf>,
}

impl Walk {
    fn note(&mut self, path: PathBuf, stat: &Stat) {
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory if denied(&path.join("any")).is_some() => self.listing.denied += 1,
            FileType::Directory => self.next.push_back(path),
            FileType::RegularFile if denied(&path).is_some() => self.listing.denied += 1,
            FileType::RegularFile => self.listing.files.push(Entry {
                path,
                size: u64::try_from(stat.st_size).unwrap_or_default(),
                modified: modified(stat),
                hard_linked: stat.st_nlink > 1,
            }),
            FileType::Symlink
            | FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice
            | FileType::Unknown => {}
        }
    }
}

/// The names in a folder, sorted; no more than the walk may still look at.
fn names(fd: &OwnedFd, walk: &mut Walk) -> Result<Vec<PathBuf>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(fd)? {
        let entry = entry?;
        let name = entry.file_name();
        if is_dot(name) {
            continue;
        }
        if walk.left == 0 {
            walk.listing.complete = false;
            break;
        }
        walk.left -= 1;
        names.push(PathBuf::from(OsStr::from_bytes(name.to_bytes())));
    }
    names.sort();
    Ok(names)
}

fn is_dot(name: &CStr) -> bool {
    matches!(name.to_bytes(), b"." | b"..")
}

/// The parts of a path that stays below where it starts.
fn parts(relative: &Path) -> Result<Vec<&OsStr>, Errno> {
    relative
        .components()
        .filter(|part| *part != Component::CurDir)
        .map(|part| match part {
            Component::Normal(name) => Ok(name),
            Component::Prefix(_)
            | Component::RootDir
            | Component::CurDir
            | Component::ParentDir => Err(Errno::XDEV),
        })
        .collect()
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests build the folders that they read")]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, Folder) {
        let place = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = place.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let folder = Folder::open(place.path()).unwrap();
        (place, folder)
    }

    fn paths(listing: &Listing) -> Vec<&str> {
        listing.files.iter().map(|entry| entry.path.to_str().unwrap()).collect()
    }

    #[test]
    fn a_file_below_is_read() {
        let (_place, folder) = folder(&[("a/b/c.log", "text")]);
        let read = folder.read(Path::new("a/./b/c.log"), 100, Keep::Head).unwrap();
        assert_eq!((read.text().as_str(), read.original), ("text", 4));
    }

    #[test]
    fn no_path_leads_out() {
        let (place, folder) = folder(&[("a/x.log", "in")]);
        fs::write(place.path().join("out.log"), "out").unwrap();
        let inner = Folder::open(&place.path().join("a")).unwrap();
        symlink("../out.log", place.path().join("a/link.log")).unwrap();
        symlink("..", place.path().join("a/up")).unwrap();
        for path in ["../out.log", "up/out.log", "link.log", "/etc/hostname", "", "."] {
            let error = inner.read(Path::new(path), 100, Keep::Head).unwrap_err();
            assert!(error.chain().starts_with("read "), "{path}: {error}");
        }
        assert_eq!(folder.path(), place.path());
    }

    #[test]
    fn the_walk_without_openat2_is_as_strict() {
        let (place, folder) = folder(&[("a/x.log", "in"), ("y.log", "top")]);
        symlink("a", place.path().join("link")).unwrap();
        symlink("a/x.log", place.path().join("l.log")).unwrap();
        let walk = |path: &str| folder.walk_to(&parts(Path::new(path))?, READ).map(drop);
        assert_eq!(walk("a/x.log"), Ok(()));
        assert_eq!(walk("y.log"), Ok(()));
        assert_eq!(walk("link/x.log"), Err(Errno::NOTDIR));
        assert_eq!(walk("l.log"), Err(Errno::LOOP));
        assert_eq!(walk("a/../y.log"), Err(Errno::XDEV));
        assert_eq!(walk(""), Err(Errno::NOENT));
    }

    #[test]
    fn denied_names_are_neither_listed_nor_read() {
        let (_place, folder) =
            folder(&[(".env", "A=1"), (".git/config", ""), ("b.log", ""), ("a/c.txt", "")]);
        let listing = folder.list(100, 5).unwrap();
        assert_eq!(paths(&listing), ["b.log", "a/c.txt"]);
        assert_eq!((listing.denied, listing.complete), (2, true));
        let error = folder.read(Path::new(".env"), 100, Keep::Head).unwrap_err();
        assert!(
            error.chain().ends_with("files like `.env` may hold credentials and are never read"),
            "{error}"
        );
    }

    #[test]
    fn limit_and_depth_cut_the_list_and_say_so() {
        let (_place, folder) = folder(&[("1", ""), ("2", ""), ("3", ""), ("d/e/f", "")]);
        let short = folder.list(2, 5).unwrap();
        assert!(short.files.len() <= 2 && !short.complete, "{short:?}");
        let shallow = folder.list(100, 2).unwrap();
        assert_eq!((paths(&shallow), shallow.complete), (vec!["1", "2", "3"], false));
        assert_eq!(paths(&folder.list(100, 3).unwrap()), ["1", "2", "3", "d/e/f"]);
    }

    #[test]
    fn links_and_pipes_are_not_listed() {
        let (place, folder) = folder(&[("a.log", "")]);
        symlink("a.log", place.path().join("b.log")).unwrap();
        symlink("/", place.path().join("root")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            place.path().join("pipe.log"),
            FileType::Fifo,
            Mode::RUSR | Mode::WUSR,
            0,
        )
        .unwrap();
        let listing = folder.list(100, 5).unwrap();
        assert_eq!(paths(&listing), ["a.log"]);
        assert!(!listing.files[0].hard_linked);
        let error = folder.read(Path::new("pipe.log"), 10, Keep::Tail).unwrap_err();
        assert!(error.chain().ends_with("it is not a regular file"), "{error}");
    }

    #[test]
    fn a_file_with_a_second_name_is_refused() {
        let (place, folder) = folder(&[("a.log", "text")]);
        fs::hard_link(place.path().join("a.log"), place.path().join("b.log")).unwrap();
        assert!(folder.list(100, 5).unwrap().files.iter().all(|entry| entry.hard_linked));
        let error = folder.read(Path::new("b.log"), 10, Keep::Tail).unwrap_err().chain();
        assert!(error.contains("more than one name"), "{error}");
    }

    #[test]
    fn a_folder_below_is_as_closed_as_the_one_above() {
        let (place, folder) = folder(&[("a/b/c.log", "text")]);
        symlink("/etc", place.path().join("a/etc")).unwrap();
        let below = folder.folder(Path::new("a")).unwrap();
        assert_eq!(below.read(Path::new("b/c.log"), 9, Keep::Head).unwrap().text(), "text");
        for path in ["etc", "../a", "b/c.log", "gone"] {
            assert!(below.folder(Path::new(path)).is_err(), "{path}");
        }
    }

    #[test]
    fn the_folders_of_the_kernel_are_refused() {
        assert!(Folder::open(Path::new("/proc/self")).is_err());
        assert!(
            Folder::open(Path::new("/nonexistent"))
                .unwrap_err()
                .chain()
                .ends_with("no such file or folder")
        );
    }
}
