//! Is the clock right?

use super::{Check, Ctx, Scope};
use crate::report::Outcome;
use crate::source::Error;
use crate::task::BoxFuture;

pub(super) struct ClockSkew;

impl Check for ClockSkew {
    fn id(&self) -> &'static str {
        "clock-skew"
    }

    fn question(&self) -> &'static str {
        "Is the clock right?"
    }

    fn runbook(&self) -> &'static str {
        "runner-degraded-resources"
    }

    fn scope(&self) -> Scope {
        Scope::Run
    }

    fn explain(&self) -> &'static str {
        "SKELETON"
    }

    fn run<'a>(&'a self, _ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move { Ok(Outcome::skipped("SKELETON")) })
    }
}
