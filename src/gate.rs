//! Findings and policy -> a verdict and a runner. Pure: same input, same output, no clock.
//!
//! A finding about this run decides directly. A finding about a candidate decides only whether that candidate is eligible; the deploy is
//! blocked when none is.

mod memory;
mod score;
mod select;
#[cfg(test)]
mod tests;
mod weight;

use crate::config::{Config, Mode, Runner};
use crate::redact::Redactor;
use crate::report::verdict::BlockClass;
use crate::report::{Finding, Reason, Selection, Verdict};

pub use memory::Memory;

use select::{select, warnings_of};
use weight::{Weight, reasons, weigh};

/// What the gate is told besides the findings.
#[derive(Clone, Copy)]
pub struct Situation<'a> {
    /// The configured runners in the order of preference; their findings carry their names.
    pub candidates: &'a [Runner],
    /// The policy.
    pub config: &'a Config,
    /// What the gate saw in earlier runs.
    pub memory: &'a Memory,
    /// Seconds since 1970.
    pub now: i64,
    /// Sentences are put together from redacted parts and redacted again.
    pub redactor: &'a Redactor,
}

/// What the gate decided.
#[derive(Debug, Clone)]
pub struct Decision {
    /// The verdict, as if enforced.
    pub verdict: Verdict,
    /// The chosen runner; without candidates there is nothing to choose.
    pub selection: Option<Selection>,
    /// Whether the verdict is only reported.
    pub shadow: bool,
    /// What to remember for the next run.
    pub memory: Memory,
}

/// Decides.
pub fn decide(findings: &[Finding], situation: &Situation<'_>) -> Decision {
    let config = situation.config;
    let about_run: Vec<&Finding> = findings.iter().filter(|f| f.runner.is_none()).collect();
    let mut block = reasons(&about_run, config, |w| w >= Weight::BlocksAsUnknown);
    let mut warnings = reasons(&about_run, config, |w| w == Weight::Warns);
    let mut class = if about_run.iter().any(|f| weigh(f, config) == Weight::BlocksAsFailed) {
        BlockClass::Failed
    } else {
        BlockClass::Unknown
    };
    let selection = (!situation.candidates.is_empty()).then(|| select(findings, situation));
    if let Some(selection) = &selection {
        if let Some(chosen) = selection.chosen() {
            warnings.extend(warnings_of(findings, &chosen.name, selection, config));
        } else {
            if block.is_empty() {
                class = BlockClass::NoRunner;
            }
            let against = |c| select::not_eligible(c, findings, config);
            block.extend(selection.candidates.iter().map(against));
        }
    }
    let memory = situation.memory.after(selection.as_ref(), situation.now);
    Decision {
        verdict: verdict(block, warnings, class),
        selection,
        shadow: config.gate.mode == Mode::Shadow,
        memory,
    }
}

fn verdict(by: Vec<Reason>, warnings: Vec<Reason>, class: BlockClass) -> Verdict {
    match (by.is_empty(), warnings.is_empty()) {
        (false, _) => Verdict::Block { by, warnings, class },
        (true, false) => Verdict::ProceedWithWarnings(warnings),
        (true, true) => Verdict::Proceed,
    }
}
