//! Does work get the processor when it needs it?

use super::{Check, Ctx, Scope};
use crate::report::Outcome;
use crate::source::Error;
use crate::task::BoxFuture;

pub(super) struct CpuPressure;

impl Check for CpuPressure {
    fn id(&self) -> &'static str {
        "cpu-pressure"
    }

    fn question(&self) -> &'static str {
        "Does work get the processor when it needs it?"
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
