//! How much the processor is withheld from our own control group (version 2).

use std::path::Path;

use super::Host;
use super::memory::groups_above;

/// What the quota of a group did since the group was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttle {
    /// Periods in which the group wanted to run.
    pub periods: u64,
    /// Of these, periods in which its quota was used up.
    pub throttled: u64,
}

impl Host {
    /// The worst throttled of the groups that this process is in; `None` when none has a quota, or none can be seen.
    pub fn throttle(&self) -> Option<Throttle> {
        let groups = self.text("/proc/self/cgroup").ok()?;
        let group = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
        let places = groups_above("/sys/fs/cgroup", group);
        let throttled = places.into_iter().filter_map(|place| self.throttle_at(&place));
        throttled.max_by_key(|t| t.throttled.saturating_mul(1000).checked_div(t.periods))
    }

    fn throttle_at(&self, place: &Path) -> Option<Throttle> {
        let text = self.text_if_there(place.join("cpu.stat").to_str()?).ok()??;
        let field = |name: &str| {
            text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok())
        };
        let periods = field("nr_periods ")?;
        (periods > 0).then_some(Throttle { periods, throttled: field("nr_throttled ")? })
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake::host;
    use super::*;

    #[test]
    fn the_worst_throttled_group_above_counts() {
        let (_root, host) = host(&[
            ("proc/self/cgroup", "0::/a/b\n"),
            ("sys/fs/cgroup/cpu.stat", "usage_usec 9\n"),
            ("sys/fs/cgroup/a/cpu.stat", "nr_periods 100\nnr_throttled 40\n"),
            ("sys/fs/cgroup/a/b/cpu.stat", "nr_periods 0\nnr_throttled 0\n"),
        ]);
        assert_eq!(host.throttle(), Some(Throttle { periods: 100, throttled: 40 }));
    }

    #[test]
    fn without_a_quota_nothing_is_throttled() {
        let (_root, without) = host(&[("proc/self/cgroup", "0::/\n")]);
        assert_eq!(without.throttle(), None);
        assert_eq!(host(&[]).1.throttle(), None);
    }
}
