//! The recap of one Ansible run: how often what happened on which host.

use crate::redact::Redacted;

/// One run of Ansible, found in the evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Play {
    /// The entry of the bundle that holds it.
    pub entry: String,
    /// How it ended, in one line.
    pub verdict: Redacted,
    /// Its hosts, in the order of the recap.
    pub hosts: Vec<PlayHost>,
}

/// One host of a recap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayHost {
    /// Its name.
    pub name: Redacted,
    /// The numbers, in the order of [`RECAP`].
    pub counts: [u64; 7],
}

/// The words of a recap in its own order.
pub const RECAP: [&str; 7] =
    ["ok", "changed", "unreachable", "failed", "skipped", "rescued", "ignored"];

/// Places in [`RECAP`] that a healthy host has no number at.
pub const TROUBLE: [usize; 2] = [2, 3];

impl PlayHost {
    /// Whether a task failed there, or the host was not reachable.
    pub fn is_bad(&self) -> bool {
        TROUBLE.iter().any(|at| self.counts.get(*at).is_some_and(|n| *n > 0))
    }
}
