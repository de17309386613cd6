//! The file systems below a list of places: each once, and what could not be seen of them.

use std::path::PathBuf;

use super::{Disk, Host, Place};
use crate::source::Error;

/// A place whose file system is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What it is to the reader: `work folder`.
    pub name: String,
    /// Its path.
    pub path: PathBuf,
    /// Whether it must be there.
    pub look: Look,
}

/// What it means when a place is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Somebody named it: no answer.
    Must,
    /// Nothing: machines differ.
    May,
}

/// What was seen.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The file systems of the host, each once, with the names of the places on it.
    pub disks: Vec<(String, Disk)>,
    /// The container's own layer, with the names and paths of the places on it: not the disk that the path names on the host.
    pub own_layer: Option<(String, Disk)>,
    /// Places that must be there and could not be asked, and why.
    pub unseen: Vec<(String, Error)>,
    /// Places that must be there and lie on the container's own layer.
    pub hidden: Vec<String>,
}

impl Host {
    /// Asks about every place. May block for as long as a network file system does.
    pub fn look_at(&self, places: &[Wanted]) -> Seen {
        let mut seen = Seen::default();
        let in_container = self.vantage().place == Place::Container;
        for wanted in places.iter().filter(|w| !w.path.as_os_str().is_empty()) {
            let name = format!("{} ({})", wanted.name, wanted.path.display());
            match self.disk(&wanted.path) {
                Ok(disk) if in_container && !disk.from_host => {
                    if wanted.look == Look::Must {
                        seen.hidden.push(name.clone());
                    }
                    match &mut seen.own_layer {
                        Some((names, _)) => also(names, &name),
                        None => seen.own_layer = Some((name, disk)),
                    }
                }
                Ok(disk) => {
                    let same = |d: &Disk| d.mount == disk.mount && d.total == disk.total;
                    match seen.disks.iter_mut().find(|(_, d)| same(d)) {
                        Some((names, _)) => also(names, &name),
                        None => seen.disks.push((name, disk)),
                    }
                }
                Err(error) if wanted.look == Look::Must => seen.unseen.push((name, error)),
                Err(_) => {}
            }
        }
        seen
    }
}

fn also(names: &mut String, name: &str) {
    names.push_str(", ");
    names.push_str(name);
}

#[cfg(test)]
mod tests {
    use super::super::fake::host;
    use super::*;

    fn wanted(path: &str, look: Look) -> Wanted {
        Wanted { name: "x".to_owned(), path: PathBuf::from(path), look }
    }

    #[test]
    fn a_file_system_stands_once_with_all_its_places() {
        let mounts = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n";
        let (_root, host) = host(&[("proc/self/mountinfo", mounts), ("a/x", ""), ("b/x", "")]);
        let seen = host.look_at(&[
            wanted("/a", Look::Must),
            wanted("/b", Look::Must),
            wanted("", Look::Must),
        ]);
        assert_eq!(seen.disks.len(), 1);
        assert_eq!(seen.disks[0].0, "x (/a), x (/b)");
    }

    #[test]
    fn only_a_place_that_must_be_there_is_missed() {
        let (_root, host) = host(&[]);
        let seen = host.look_at(&[wanted("/gone", Look::May), wanted("/lost", Look::Must)]);
        assert!(seen.disks.is_empty() && seen.own_layer.is_none());
        assert_eq!(seen.unseen[0].0, "x (/lost)");
    }

    #[test]
    fn the_own_layer_of_a_container_is_kept_apart() {
        let mounts = "1 0 0:1 / / rw - overlay overlay rw\n2 1 8:1 /w /w rw - ext4 /dev/sda1 rw\n";
        let (_root, host) = host(&[
            (".dockerenv", ""),
            ("proc/self/mountinfo", mounts),
            ("w/x", ""),
            ("tmp/x", ""),
        ]);
        let seen = host.look_at(&[
            wanted("/w", Look::Must),
            wanted("/tmp", Look::May),
            wanted("/", Look::Must),
        ]);
        assert_eq!(seen.disks[0].0, "x (/w)");
        assert_eq!(seen.own_layer.unwrap().0, "x (/tmp), x (/)");
        assert_eq!(seen.hidden, ["x (/)"]);
    }
}
