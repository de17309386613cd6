//! Exit codes. A workflow sees only zero or not, so the same facts are outputs; the codes never change meaning.

use crate::report::Verdict;
use crate::report::verdict::BlockClass;

/// The deploy may proceed, or the command did its work.
pub const PROCEED: u8 = 0;
/// Something failed that should not have.
pub const UNEXPECTED: u8 = 1;
/// The command line or the configuration is wrong.
pub const USAGE: u8 = 2;
/// A check answered no.
pub const BLOCKED_BY_FAILED: u8 = 10;
/// A check had no answer, and policy fails closed.
pub const BLOCKED_BY_UNKNOWN: u8 = 11;
/// None of the candidates is eligible.
pub const NO_ELIGIBLE_RUNNER: u8 = 12;
/// The process was asked to stop.
pub const CANCELLED: u8 = 130;

/// The code of a verdict that is enforced.
pub fn of(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Proceed | Verdict::ProceedWithWarnings(_) => PROCEED,
        Verdict::Block { class: BlockClass::Failed, .. } => BLOCKED_BY_FAILED,
        Verdict::Block { class: BlockClass::Unknown, .. } => BLOCKED_BY_UNKNOWN,
        Verdict::Block { class: BlockClass::NoRunner, .. } => NO_ELIGIBLE_RUNNER,
    }
}
