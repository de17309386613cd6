//! Room on the file system that a path lies on.

use std::path::{Path, PathBuf};

use rustix::fs::StatVfsMountFlags;

use super::mounts::{self, Mount};
use super::{Host, Place};
use crate::source::error::{Cause, Error};

/// One file system, as seen from a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// The path that was asked for.
    pub path: PathBuf,
    /// Where its file system is mounted; the path itself when the table of mounts cannot be read.
    pub mount: PathBuf,
    /// Size in bytes.
    pub total: u64,
    /// Bytes that a user other than root can still write.
    pub available: u64,
    /// Number of inodes; 0 when the file system has no such limit.
    pub inodes_total: u64,
    /// Inodes that a user other than root can still use.
    pub inodes_free: u64,
    /// Whether the file system is mounted read-only.
    pub read_only: bool,
    /// Whether the disk is the host's: always on the host; in a container only where a mount brings it in. The container's own
    /// layer lies on the host's disk of container data, but that is not the disk that the path names on the host.
    pub from_host: bool,
}

impl Host {
    /// Asks `statvfs` and the table of mounts about an existing path. May block for as long as a network file system does.
    pub fn disk(&self, path: &Path) -> Result<Disk, Error> {
        let place = self.inside(path);
        let tried = || format!("read the free space of {}", place.display());
        let stat = rustix::fs::statvfs(&place)
            .map_err(|errno| crate::source::files::refused(tried(), errno))?;
        if stat.f_blocks == 0 && stat.f_files == 0 {
            return Err(Error::new(
                tried(),
                Cause::Parse("a file system without a size".to_owned()),
            ));
        }
        let mounts = self.mounts();
        let mount = mounts::of(&mounts, &self.resolved(path));
        Ok(Disk {
            path: path.to_owned(),
            mount: mount.map_or(path, |mount| &mount.point).to_owned(),
            total: stat.f_blocks.saturating_mul(stat.f_frsize),
            available: stat.f_bavail.saturating_mul(stat.f_frsize),
            inodes_total: stat.f_files,
            inodes_free: stat.f_favail,
            read_only: stat.f_flag.contains(StatVfsMountFlags::RDONLY),
            from_host: match self.vantage().place {
                Place::Host => true,
                Place::Container => mount.is_some_and(brought_in),
            },
        })
    }

    pub(super) fn mounts(&self) -> Vec<Mount> {
        self.text("/proc/self/mountinfo").map(|text| mounts::parse(&text)).unwrap_or_default()
    }

    /// The path without symbolic links, as the table of mounts writes it.
    fn resolved(&self, path: &Path) -> PathBuf {
        let real = self.inside(path).canonicalize();
        let root = self.root.canonicalize();
        match (real, root) {
            (Ok(real), Ok(root)) => {
                real.strip_prefix(&root).map_or(real.clone(), |below| Path::new("/").join(below))
            }
            (Err(_), _) | (_, Err(_)) => path.to_owned(),
        }
    }
}

/// Whether a container's mount comes from outside: not its own root, and not a file system that the runtime makes for it.
fn brought_in(mount: &Mount) -> bool {
    let own = ["proc", "sysfs", "devpts", "devtmpfs", "mqueue", "cgroup", "cgroup2"];
    let made_here = mount.kind == "tmpfs" && mount.root == Path::new("/");
    mount.point != Path::new("/") && !own.contains(&mount.kind.as_str()) && !made_here
}

#[cfg(test)]
mod tests {
    use super::super::fake::host;
    use super::*;

    const MOUNTS: &str = "1 0 0:1 / / rw - overlay overlay rw\n\
        2 1 8:1 /home/ci/_work/a /github/workspace rw - ext4 /dev/sda1 rw\n\
        3 1 0:9 / /tmp rw - tmpfs tmpfs rw\n4 1 0:9 /docker.sock /run/docker.sock rw - tmpfs tmpfs rw\n";

    #[test]
    fn in_a_container_only_a_mount_brings_in_the_hosts_disk() {
        let (_root, host) = host(&[
            (".dockerenv", ""),
            ("proc/self/mountinfo", MOUNTS),
            ("github/workspace/x", ""),
            ("tmp/x", ""),
            ("run/docker.sock", ""),
        ]);
        let disk = |path: &str| host.disk(Path::new(path)).unwrap();
        assert!(disk("/github/workspace/x").from_host);
        assert_eq!(disk("/github/workspace/x").mount, Path::new("/github/workspace"));
        assert!(disk("/run/docker.sock").from_host);
        assert!(!disk("/").from_host);
        assert!(!disk("/tmp").from_host);
    }

    #[test]
    fn on_the_host_every_disk_is_the_hosts() {
        let (_root, host) = host(&[("proc/self/mountinfo", MOUNTS), ("tmp/x", "")]);
        let disk = host.disk(Path::new("/tmp")).unwrap();
        assert!(disk.from_host && disk.total >= disk.available && disk.total > 0);
        assert_eq!(
            (disk.path.as_path(), disk.mount.as_path()),
            (Path::new("/tmp"), Path::new("/tmp"))
        );
    }

    #[test]
    fn a_symbolic_link_is_charged_to_the_disk_that_it_leads_to() {
        let (root, host) = host(&[
            (".dockerenv", ""),
            ("proc/self/mountinfo", MOUNTS),
            ("github/workspace/x", ""),
        ]);
        std::os::unix::fs::symlink("github/workspace", root.path().join("work")).unwrap();
        assert_eq!(host.disk(Path::new("/work")).unwrap().mount, Path::new("/github/workspace"));
    }

    #[test]
    fn without_a_table_of_mounts_the_path_stands_for_the_mount() {
        let (_root, host) = host(&[("data/x", "")]);
        assert_eq!(host.disk(Path::new("/data")).unwrap().mount, Path::new("/data"));
    }

    #[test]
    fn a_missing_path_is_an_error() {
        let (_root, host) = host(&[]);
        let chain = host.disk(Path::new("/work")).unwrap_err().chain();
        assert!(
            chain.starts_with("read the free space of /")
                && chain.ends_with("no such file or folder"),
            "{chain}"
        );
    }
}
