//! What one finding means under the policy.

use crate::config::{Config, Gate, Level};
use crate::report::{Finding, Reason, Status};

/// What one finding means, the heavier the later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    Nothing,
    Warns,
    BlocksAsUnknown,
    BlocksAsFailed,
}

pub(super) fn weigh(finding: &Finding, config: &Config) -> Weight {
    let settings = config.check(finding.check);
    let blocks = |level: Level, weight: Weight| match level {
        Level::Allow => Weight::Nothing,
        Level::Warn => Weight::Warns,
        Level::Deny => weight,
    };
    match finding.status {
        Status::Pass | Status::Skipped => Weight::Nothing,
        Status::Warn => blocks(settings.level.min(Level::Warn), Weight::Warns),
        Status::Fail => blocks(settings.level, Weight::BlocksAsFailed),
        Status::Unknown => blocks(
            settings.level.min(on_unknown(&config.gate, settings.on_unknown)),
            Weight::BlocksAsUnknown,
        ),
    }
}

fn on_unknown(gate: &Gate, of_check: Option<Level>) -> Level {
    of_check.unwrap_or(gate.on_unknown)
}

/// The findings of the wanted weight as reasons, the heaviest first.
pub(super) fn reasons(
    findings: &[&Finding],
    config: &Config,
    wanted: impl Fn(Weight) -> bool,
) -> Vec<Reason> {
    let mut weighed: Vec<(Weight, &Finding)> =
        findings.iter().map(|f| (weigh(f, config), *f)).filter(|(w, _)| wanted(*w)).collect();
    weighed.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    weighed.into_iter().map(|(_, finding)| reason(finding)).collect()
}

pub(super) fn reason(finding: &Finding) -> Reason {
    Reason {
        check: finding.check,
        runner: finding.runner.clone(),
        status: finding.status,
        summary: finding.summary.clone(),
        help: finding.help.clone(),
        runbook: finding.runbook,
    }
}
