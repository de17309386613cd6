//! What must agree with one another: settings that are right alone and can not hold together.

use super::super::{Config, Runner};
use super::Build;

impl Build<'_> {
    /// Names every contradiction.
    pub(super) fn contradictions(&mut self, config: &Config) {
        if config.gate.distinct_hosts {
            self.one_host_one_role(config);
        }
        self.enough_candidates(config);
    }

    /// A secondary on the host of the primary falls with it.
    fn one_host_one_role(&mut self, config: &Config) {
        let host = |r: &Runner| r.host.as_ref().map(|h| h.to_ascii_lowercase());
        let exporter = |r: &Runner| r.exporter.as_ref().map(|e| e.to_ascii_lowercase());
        for (at, runner) in config.runners.iter().enumerate() {
            let others = || config.runners[..at].iter().filter(|other| other.role != runner.role);
            let same_host = others().find(|o| o.host.is_some() && host(o) == host(runner));
            let same_page =
                others().find(|o| o.exporter.is_some() && exporter(o) == exporter(runner));
            let (key, what, other) = match (same_host, same_page) {
                (Some(other), _) => ("host", "are on the same host", other),
                (None, Some(other)) => ("exporter", "have the same exporter", other),
                (None, None) => continue,
            };
            let message = format!(
                "`{}` ({}) and `{}` ({}) {what}: one host can not be {} and {}",
                other.name, other.role, runner.name, runner.role, other.role, runner.role
            );
            let help = "name another host, or write `distinct-hosts: false` below `gate`";
            self.wrong(&format!("runners[{at}].{key}"), message, help);
        }
    }

    fn enough_candidates(&mut self, config: &Config) {
        let Some(first) = config.runners.first() else { return };
        let candidates = config.runners.iter().filter(|r| r.role == first.role).count();
        if config.gate.min_idle > candidates {
            let message = format!(
                "{} candidates must be idle, and the role `{}` has {candidates}",
                config.gate.min_idle, first.role
            );
            let help = "lower `min-idle`, or name more candidates of that role";
            self.wrong("gate.min-idle", message, help);
        }
    }
}
