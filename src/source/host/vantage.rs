//! From where this process looks at the machine.

use std::path::Path;

use super::mounts::Mount;
use super::{Host, mounts};

/// Where this process runs, and what told so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vantage {
    /// Where.
    pub place: Place,
    /// The sign that was found, or that none was.
    pub told_by: String,
}

/// Where a process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Directly on the machine.
    Host,
    /// In a container: the host's processes, services and most of its file systems are out of sight.
    Container,
}

/// Files that container runtimes leave.
const MARKS: &[&str] = &[
    "/.dockerenv",
    "/run/.containerenv",
    "/run/systemd/container",
    "/var/run/secrets/kubernetes.io/serviceaccount",
];

/// Words in the control group of the first process, or in the layers of the root file system.
const WORDS: &[&str] =
    &["docker", "containerd", "kubepods", "libpod", "containers/storage", "lxc", "kubelet", "crio"];

impl Host {
    /// Looks for the marks of a container; without any, this is the host. A root file system that is a whole disk is the host's,
    /// whatever mark lies in it: machines whose image was made from a container's still carry the mark.
    pub fn vantage(&self) -> Vantage {
        let mounts = self.mounts();
        let root = mounts::of(&mounts, Path::new("/"));
        if let Some(disk) = root.filter(|mount| is_whole_disk(mount)) {
            let told_by = format!("the root file system is the whole of {}", disk.source);
            return Vantage { place: Place::Host, told_by };
        }
        let container = |told_by: String| Vantage { place: Place::Container, told_by };
        if let Some(mark) = MARKS.iter().find(|mark| self.inside(Path::new(mark)).exists()) {
            return container(format!("{mark} exists"));
        }
        let groups = self.text("/proc/1/cgroup").unwrap_or_default();
        if let Some(word) = word_in(&groups) {
            return container(format!("the control group of process 1 names {word}"));
        }
        let root = root.filter(|mount| mount.kind.ends_with("overlay"));
        if let Some(word) = root.and_then(|mount| word_in(&mount.options)) {
            return container(format!("the root file system is an overlay of {word}"));
        }
        Vantage { place: Place::Host, told_by: "no mark of a container was found".to_owned() }
    }
}

/// A block device that is mounted from its top and is not one of those that an engine makes for a container.
fn is_whole_disk(mount: &Mount) -> bool {
    let device = mount.source.starts_with("/dev/") && word_in(&mount.source).is_none();
    device && mount.root == Path::new("/") && mount.point == Path::new("/")
}

fn word_in(text: &str) -> Option<&'static str> {
    WORDS.iter().find(|word| text.contains(**word)).copied()
}

#[cfg(test)]
mod tests {
    use super::super::fake::host;
    use super::*;

    #[test]
    fn each_mark_of_a_container_is_recognised_and_named() {
        for (path, text, told_by) in [
            (".dockerenv", "", "/.dockerenv exists"),
            ("run/.containerenv", "", "/run/.containerenv exists"),
            (
                "proc/1/cgroup",
                "3:cpu:/kubepods/x\n",
                "the control group of process 1 names kubepods",
            ),
            (
                "proc/self/mountinfo",
                "1 0 0:1 / / rw - overlay overlay rw,lowerdir=/var/lib/containerd/1\n",
                "the root file system is an overlay of containerd",
            ),
        ] {
            let (_root, host) = host(&[(path, text)]);
            assert_eq!(
                host.vantage(),
                Vantage { place: Place::Container, told_by: told_by.to_owned() }
            );
        }
    }

    #[test]
    fn a_mark_left_on_a_whole_disk_makes_no_container() {
        let disk = "1 0 8:1 / / rw - ext4 /dev/vda rw\n";
        let (_root, machine) = host(&[(".dockerenv", ""), ("proc/self/mountinfo", disk)]);
        assert_eq!(machine.vantage().place, Place::Host);
        let thin = "1 0 8:1 / / rw - ext4 /dev/mapper/docker-8:1-abc rw\n";
        let (_root, container) = host(&[(".dockerenv", ""), ("proc/self/mountinfo", thin)]);
        assert_eq!(container.vantage().place, Place::Container);
    }

    #[test]
    fn a_machine_without_marks_is_the_host() {
        let (_root, host) = host(&[
            ("proc/1/cgroup", "0::/init.scope\n"),
            (
                "proc/self/mountinfo",
                "1 0 0:1 / / rw - overlay overlay rw,lowerdir=/media/root-ro\n",
            ),
        ]);
        assert_eq!(host.vantage().place, Place::Host);
    }
}
