//! Places that somebody named, below folders that foreign programs write to.
//!
//! What lies below one of the roots is opened from that root, by [`Folder`], so that no link planted there leads out between a look and
//! the opening. What lies elsewhere was named by the configuration and is opened as it was named. Decides nothing about who may name what.

use std::fs::File;
use std::path::{Component, Path, PathBuf};

use rustix::fs::Mode;
use rustix::io::Errno;

use super::folder::is_of_the_kernel;
use super::{Capped, Folder, Keep, READ, Stream, content, refused, regular, stream};
use crate::source::Error;

/// Folders whose content is foreign, as the workspace and the runner's temporary folder.
#[derive(Debug, Clone, Default)]
pub struct Roots(Vec<PathBuf>);

impl Roots {
    /// These folders; blank ones are none.
    pub fn new(roots: impl IntoIterator<Item = PathBuf>) -> Self {
        Self(roots.into_iter().filter(|root| !root.as_os_str().is_empty()).collect())
    }

    /// Whether the path lies below one of the roots, going by its words alone.
    pub fn hold(&self, path: &Path) -> bool {
        self.below(path).is_some()
    }

    /// Reads at most `cap` bytes of a regular file, and the part that `keep` says.
    pub fn read(&self, path: &Path, cap: usize, keep: Keep) -> Result<Capped, Error> {
        if let Some((root, rest)) = self.below(path) {
            return Folder::open(root)?.read(&rest, cap, keep);
        }
        let attempt = || {
            let (file, stat) = regular(rustix::fs::open(path, READ, Mode::empty())?)?;
            outside(&file)?;
            content(file, &stat, cap, keep)
        };
        attempt().map_err(|errno| refused(format!("read {}", path.display()), errno))
    }

    /// As [`Self::read`] of the beginning, for a file on the deny list too, such as `ca.pem`: what it says is never shown.
    pub fn read_unshown(&self, path: &Path, cap: usize) -> Result<Capped, Error> {
        match self.below(path) {
            Some((root, rest)) => Folder::open(root)?.read_unshown(&rest, cap),
            None => self.read(path, cap, Keep::Head),
        }
    }

    /// As [`Self::read`], as a stream in bounded memory that keeps the beginning and the end.
    pub fn stream(&self, path: &Path, cap: u64, lines: Option<u64>) -> Result<Stream, Error> {
        if let Some((root, rest)) = self.below(path) {
            return Folder::open(root)?.stream(&rest, cap, lines);
        }
        let attempt = || {
            let (file, stat) = regular(rustix::fs::open(path, READ, Mode::empty())?)?;
            outside(&file)?;
            stream::of(file, &stat, cap, lines)
        };
        attempt().map_err(|errno| refused(format!("read {}", path.display()), errno))
    }

    /// Size in bytes of a regular file that can be opened.
    pub fn size(&self, path: &Path) -> Result<u64, Error> {
        self.stream(path, u64::MAX, None).map(|stream| stream.original)
    }

    /// Opens a folder.
    pub fn folder(&self, path: &Path) -> Result<Folder, Error> {
        match self.below(path) {
            Some((root, rest)) if rest.as_os_str().is_empty() => Folder::open(root),
            Some((root, rest)) => Folder::open(root)?.folder(&rest),
            None => Folder::open(path),
        }
    }

    /// The innermost root that the path lies in, and the path from there. `..` is taken away by its words: a link must not decide.
    fn below(&self, path: &Path) -> Option<(&Path, PathBuf)> {
        let path = plain(path);
        let stays = |rest: &&Path| rest.components().all(|p| matches!(p, Component::Normal(_)));
        let inside =
            |root: &PathBuf| path.strip_prefix(plain(root)).ok().filter(stays).map(Path::to_owned);
        let found = self.0.iter().filter_map(|root| Some((root.as_path(), inside(root)?)));
        found.min_by_key(|(_, rest)| rest.components().count())
    }
}

/// A file of the kernel would tell the variables of this very process.
fn outside(file: &File) -> Result<(), Errno> {
    if is_of_the_kernel(file)? { Err(Errno::NODEV) } else { Ok(()) }
}

/// The path without `.` and `..`; what climbs above its beginning keeps its `..`.
fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(out.components().next_back(), Some(Component::Normal(_))) =>
            {
                out.pop();
            }
            Component::Prefix(_)
            | Component::RootDir
            | Component::ParentDir
            | Component::Normal(_) => out.push(part),
        }
    }
    out
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests build the files that they read")]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn read(roots: &Roots, path: &Path) -> Result<String, String> {
        roots.read(path, 100, Keep::Head).map(|read| read.text()).map_err(|e| e.chain())
    }

    #[test]
    fn below_a_root_no_link_is_followed_and_elsewhere_it_is() {
        let (root, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(other.path().join("x.log"), "outside").unwrap();
        fs::write(root.path().join("x.log"), "inside").unwrap();
        symlink(other.path(), root.path().join("logs")).unwrap();
        symlink(other.path(), other.path().join("again")).unwrap();
        let roots = Roots::new([root.path().to_owned(), PathBuf::new()]);
        assert_eq!(read(&roots, &root.path().join("./a/../x.log")).as_deref(), Ok("inside"));
        let error = read(&roots, &root.path().join("logs/x.log")).unwrap_err();
        assert!(error.ends_with("a symbolic link is in the way"), "{error}");
        assert!(roots.folder(&root.path().join("logs")).is_err());
        assert!(roots.folder(root.path()).is_ok());
        assert_eq!(read(&roots, &other.path().join("again/x.log")).as_deref(), Ok("outside"));
        assert!(roots.folder(&other.path().join("again")).is_ok());
    }

    #[test]
    fn a_path_that_climbs_out_by_its_words_is_not_held() {
        let roots = Roots::new([PathBuf::from("/w/app"), PathBuf::from("/w")]);
        assert!(roots.hold(Path::new("/w/app/x")) && roots.hold(Path::new("/w/app/../x")));
        assert!(!roots.hold(Path::new("/w/app/../../etc/passwd")));
        assert!(!roots.hold(Path::new("/wide/x")) && !roots.hold(Path::new("/etc/passwd")));
        assert_eq!(roots.below(Path::new("/w/app/x")).unwrap().0, Path::new("/w/app"));
        let here = Roots::new([PathBuf::from(".")]);
        assert!(here.hold(Path::new("x.log")) && !here.hold(Path::new("../x.log")));
        assert!(!here.hold(Path::new("/etc/passwd")));
    }

    #[test]
    fn thousands_of_swaps_between_the_look_and_the_opening_never_lead_out() {
        let (root, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(other.path().join("x.log"), "outside").unwrap();
        fs::create_dir(root.path().join("logs")).unwrap();
        fs::write(root.path().join("logs/x.log"), "inside").unwrap();
        symlink(other.path(), root.path().join("spare")).unwrap();
        let roots = Roots::new([root.path().to_owned()]);
        let stop = std::sync::atomic::AtomicBool::new(false);
        let (logs, spare) = (root.path().join("logs"), root.path().join("spare"));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    let swap = rustix::fs::RenameFlags::EXCHANGE;
                    rustix::fs::renameat_with(
                        rustix::fs::CWD,
                        &logs,
                        rustix::fs::CWD,
                        &spare,
                        swap,
                    )
                    .unwrap();
                }
            });
            let all: Vec<_> =
                (0..5_000).map(|_| read(&roots, &root.path().join("logs/x.log"))).collect();
            let listed = (0..1_000).filter_map(|_| roots.folder(&root.path().join("logs")).ok());
            let listed: Vec<_> = listed
                .map(|folder| {
                    folder.read(Path::new("x.log"), 9, Keep::Head).map(|read| read.text())
                })
                .collect();
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
            assert!(
                all.iter().any(Result::is_ok) && all.iter().flatten().all(|text| text == "inside")
            );
            assert!(listed.iter().flatten().all(|text| text == "inside"));
        });
    }

    #[test]
    fn files_of_the_kernel_are_no_logs() {
        let error = read(&Roots::default(), Path::new("/proc/self/environ")).unwrap_err();
        assert!(error.ends_with("it is not a regular file"), "{error}");
    }
}
