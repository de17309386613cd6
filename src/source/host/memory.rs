//! Memory of the machine, and the limit that this process lives under.

use std::path::{Component, Path, PathBuf};

use super::Host;
use crate::source::Error;

/// Memory in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Memory of the machine (`MemTotal`).
    pub total: u64,
    /// What new programs can have without swapping (`MemAvailable`).
    pub available: u64,
    /// Free swap (`SwapFree`); 0 when there is none.
    pub swap_free: u64,
    /// The lowest limit of the control groups that this process is in; `None` when there is none, or none can be seen.
    pub cgroup_limit: Option<u64>,
}

const MEMINFO: &str = "/proc/meminfo";

const UNREADABLE: &str =
    "check that /proc is mounted and readable for this process: `grep Mem /proc/meminfo`";

/// Version 1 writes "no limit" as the largest number of pages; nothing real is as large as this.
const NO_LIMIT: u64 = 1 << 60;

impl Host {
    /// Reads `/proc/meminfo` and the limits of the control groups (versions 1 and 2).
    pub fn memory(&self) -> Result<Memory, Error> {
        let helped = |error: Error| error.with_help(UNREADABLE);
        let text = self.text(MEMINFO).map_err(helped)?;
        let field = |name: &str| kibibytes(&text, name);
        let missing =
            |name: &str| helped(self.malformed(MEMINFO, &format!("no line `{name}: … kB`")));
        Ok(Memory {
            total: field("MemTotal").ok_or_else(|| missing("MemTotal"))?,
            available: field("MemAvailable").ok_or_else(|| missing("MemAvailable"))?,
            swap_free: field("SwapFree").unwrap_or(0),
            cgroup_limit: self.cgroup_limit(),
        })
    }

    fn cgroup_limit(&self) -> Option<u64> {
        let groups = self.text("/proc/self/cgroup").ok()?;
        let group = |line: &str| {
            let (_, rest) = line.split_once(':')?;
            let (controllers, path) = rest.split_once(':')?;
            if controllers.is_empty() {
                self.lowest("/sys/fs/cgroup", path, "memory.max")
            } else if controllers.split(',').any(|name| name == "memory") {
                self.lowest("/sys/fs/cgroup/memory", path, "memory.limit_in_bytes")
            } else {
                None
            }
        };
        groups.lines().filter_map(group).min()
    }

    /// The lowest limit from the group up to the root of the hierarchy, as far as this process can see it.
    fn lowest(&self, hierarchy: &str, group: &str, file: &str) -> Option<u64> {
        let limit = |place: PathBuf| {
            let text = self.text_if_there(place.join(file).to_str()?).ok()??;
            text.trim().parse().ok().filter(|limit| *limit < NO_LIMIT)
        };
        groups_above(hierarchy, group).into_iter().filter_map(limit).min()
    }
}

/// The folders of the groups from the root of a hierarchy down to a group.
pub(super) fn groups_above(hierarchy: &str, group: &str) -> Vec<PathBuf> {
    let names = Path::new(group).components().filter(|part| matches!(part, Component::Normal(_)));
    let mut places = vec![PathBuf::from(hierarchy)];
    for name in names.take(32) {
        let below = places.last().map(|place| place.join(name));
        places.extend(below);
    }
    places
}

fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.trim().strip_suffix("kB")?.trim_end().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::super::fake::host;

    const TEXT: &str = "MemTotal:    2048 kB\nMemFree: 5 kB\nMemAvailable:   1024 kB\nSwapTotal: 0 kB\nSwapFree:  1 kB\n";

    #[test]
    fn memory_is_given_in_bytes() {
        let (_root, host) = host(&[("proc/meminfo", TEXT)]);
        let memory = host.memory().unwrap();
        assert_eq!(
            (memory.total, memory.available, memory.swap_free),
            (2_097_152, 1_048_576, 1024)
        );
        assert_eq!(memory.cgroup_limit, None);
    }

    #[test]
    fn the_lowest_limit_of_the_groups_above_counts() {
        let (_root, host) = host(&[
            ("proc/meminfo", TEXT),
            ("proc/self/cgroup", "0::/a/b\n"),
            ("sys/fs/cgroup/a/memory.max", "4096\n"),
            ("sys/fs/cgroup/a/b/memory.max", "max\n"),
        ]);
        assert_eq!(host.memory().unwrap().cgroup_limit, Some(4096));
    }

    #[test]
    fn a_group_of_version_1_is_found_when_its_path_is_that_of_the_host() {
        let (_root, host) = host(&[
            ("proc/meminfo", TEXT),
            ("proc/self/cgroup", "5:cpu:/x\n4:memory,hugetlb:/docker/0f\n0::/\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "1048576\n"),
        ]);
        assert_eq!(host.memory().unwrap().cgroup_limit, Some(1_048_576));
    }

    #[test]
    fn the_largest_number_means_no_limit() {
        let (_root, host) = host(&[
            ("proc/meminfo", TEXT),
            ("proc/self/cgroup", "4:memory:/\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
        ]);
        assert_eq!(host.memory().unwrap().cgroup_limit, None);
    }

    #[test]
    fn a_missing_line_is_named() {
        let (_root, host) = host(&[("proc/meminfo", "MemTotal: 1 kB\n")]);
        let chain = host.memory().unwrap_err().chain();
        assert!(
            chain.ends_with("proc/meminfo: unexpected answer: no line `MemAvailable: … kB`"),
            "{chain}"
        );
    }
}
