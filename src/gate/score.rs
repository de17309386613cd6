//! How healthy an eligible candidate is, from 0 to 100, and what took points from it.

use super::Situation;
use super::weight::{Weight, weigh};
use crate::config::Level;
use crate::report::Finding;

/// Points for a warning.
const WARNING: u8 = 10;
/// Points for a candidate that has not proved to be steady.
const UNSTEADY: u8 = 60;
/// Points for the first role when too few of it are idle.
const TOO_FEW_IDLE: u8 = 60;

/// A score, and the sentences that say what took points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Score {
    pub(super) points: u8,
    pub(super) because: Vec<String>,
}

/// The score of an eligible candidate. `too_few_idle` is the sentence about its role, when there is one.
pub(super) fn score(
    name: &str,
    own: &[&Finding],
    too_few_idle: Option<&str>,
    situation: &Situation<'_>,
) -> Score {
    let mut score = Score { points: 100, because: Vec::new() };
    let mut take = |points: u8, why: String| {
        score.points = score.points.saturating_sub(points);
        score.because.push(why);
    };
    let shaky = own.iter().find(|f| f.observed("steady") == Some("false"));
    let gate = &situation.config.gate;
    let remembered = situation.memory.unsteady(name, situation.now, gate.stable_for);
    match (shaky, remembered) {
        (Some(finding), _) => take(UNSTEADY, finding.summary.as_str().to_owned()),
        (None, Some(since)) => take(
            UNSTEADY,
            format!(
                "could not be used {} s ago, and must be well for {} s before it is preferred again",
                since.as_secs(),
                gate.stable_for.as_secs()
            ),
        ),
        (None, None) => {}
    }
    if let Some(why) = too_few_idle {
        take(TOO_FEW_IDLE, why.to_owned());
    }
    for finding in own.iter().filter(|f| weigh(f, situation.config) == Weight::Warns) {
        if finding.observed("steady") != Some("false") {
            take(WARNING, format!("{}: {}", finding.check, finding.summary));
        }
    }
    score
}

/// Whether a candidate is known to be idle; what nobody knows counts as idle unless the gate is to be closed on unknowns.
pub(super) fn is_idle(own: &[&Finding], on_unknown: Level) -> bool {
    match own.iter().find_map(|f| f.observed("busy")) {
        Some("false") => true,
        Some("true") => false,
        Some(_) | None => on_unknown != Level::Deny,
    }
}
