//! The table of mounts (`/proc/self/mountinfo`).

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    /// What part of the file system is mounted; `/` is all of it.
    pub(super) root: PathBuf,
    /// Where it is mounted.
    pub(super) point: PathBuf,
    /// The type of the file system.
    pub(super) kind: String,
    /// What is mounted: a block device, or any word for a file system without one.
    pub(super) source: String,
    /// Its options, as the file system writes them.
    pub(super) options: String,
}

/// The mounts in the order of the text; lines of another form are passed over.
pub(super) fn parse(text: &str) -> Vec<Mount> {
    text.lines().filter_map(mount).collect()
}

fn mount(line: &str) -> Option<Mount> {
    let (before, behind) = line.split_once(" - ")?;
    let mut before = before.split(' ').skip(3);
    let mut behind = behind.split(' ');
    Some(Mount {
        root: unescape(before.next()?),
        point: unescape(before.next()?),
        kind: behind.next()?.to_owned(),
        source: behind.next().unwrap_or_default().to_owned(),
        options: behind.next().unwrap_or_default().to_owned(),
    })
}

/// The mount that a path lies on: the deepest point above it, and of several there the one mounted last.
pub(super) fn of<'a>(mounts: &'a [Mount], path: &Path) -> Option<&'a Mount> {
    mounts
        .iter()
        .filter(|mount| path.starts_with(&mount.point))
        .max_by_key(|mount| mount.point.components().count())
}

/// Blanks, line ends and backslashes are written as three octal digits.
fn unescape(text: &str) -> PathBuf {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let octal = after.get(..3).filter(|_| first == b'\\').and_then(octal);
        plain.push(octal.unwrap_or(first));
        rest = if octal.is_some() { after.get(3..).unwrap_or_default() } else { after };
    }
    PathBuf::from(OsString::from_vec(plain))
}

fn octal(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "1 0 0:1 / / rw - overlay overlay rw,lowerdir=/x\n\
        2 1 8:1 /home/ci\\040x /data\\134y rw shared:1 - ext4 /dev/sda1 rw\n\
        nonsense\n3 1 8:2 / /data rw - xfs /dev/sdb rw\n4 1 8:3 / /data rw - ext4 /dev/sdc rw\n";

    #[test]
    fn escaped_names_are_read() {
        let mounts = parse(TEXT);
        assert_eq!(mounts.len(), 4);
        assert_eq!(mounts[1].root, Path::new("/home/ci x"));
        assert_eq!(mounts[1].point, Path::new("/data\\y"));
        assert_eq!(mounts[0].options, "rw,lowerdir=/x");
    }

    #[test]
    fn the_deepest_and_last_mount_holds_the_path() {
        let mounts = parse(TEXT);
        assert_eq!(of(&mounts, Path::new("/data/a")).unwrap().kind, "ext4");
        assert_eq!(of(&mounts, Path::new("/database")).unwrap().kind, "overlay");
        assert_eq!(of(&[], Path::new("/")), None);
    }
}
