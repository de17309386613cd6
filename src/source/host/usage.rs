//! Every file system of this machine that can be asked without a wait.

use std::collections::BTreeSet;

use super::{Disk, Host};

/// Types of file systems on this machine's own disks and memory; those of a network can hang.
const LOCAL: &[&str] =
    &["ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "vfat", "overlay", "tmpfs"];

/// The most mounts that are asked about.
const LIMIT: usize = 60;

impl Host {
    /// The local file systems, each device once, and how many mounts were not asked about because their type may hang.
    pub fn disks(&self) -> (Vec<Disk>, usize) {
        let mut seen = BTreeSet::new();
        let mut remote = 0;
        let mut disks = Vec::new();
        for mount in self.mounts().into_iter().take(LIMIT * 10) {
            if !LOCAL.contains(&mount.kind.as_str()) {
                remote += usize::from(
                    ["nfs", "cifs", "ceph", "fuse"].iter().any(|k| mount.kind.starts_with(k)),
                );
                continue;
            }
            // Each tmpfs is one of its own, whatever its source is called.
            let of_memory = ["tmpfs", "overlay"].contains(&mount.kind.as_str());
            let device = if of_memory { mount.point.display().to_string() } else { mount.source };
            if disks.len() < LIMIT && seen.insert(device) {
                // One that may not be entered is left out.
                disks.extend(self.disk(&mount.point));
            }
        }
        (disks, remote)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake::host;

    #[test]
    fn a_device_is_asked_once_and_what_can_hang_is_counted_only() {
        let line = |point: &str, kind: &str, source: &str| {
            format!("1 0 8:1 / {point} rw - {kind} {source} rw\n")
        };
        let table = [
            line("/", "ext4", "/dev/sda1"),
            line("/proc", "ext4", "/dev/sda1"),
            line("/gone", "xfs", "/dev/sdb1"),
            line("/mnt", "nfs4", "server:/x"),
            line("/sys", "sysfs", "sysfs"),
        ]
        .concat();
        let (_root, host) = host(&[("proc/self/mountinfo", &table)]);
        let (disks, remote) = host.disks();
        assert_eq!((disks.len(), remote), (1, 1));
        assert!(disks[0].total > 0);
    }
}
