//! Has the runner been healthy for long enough?

use super::{Check, Ctx, Scope};
use crate::report::Outcome;
use crate::source::Error;
use crate::task::BoxFuture;

pub(super) struct RunnerSteady;

impl Check for RunnerSteady {
    fn id(&self) -> &'static str {
        "runner-steady"
    }

    fn question(&self) -> &'static str {
        "Has the runner been healthy for long enough?"
    }

    fn runbook(&self) -> &'static str {
        "runner-offline-restore"
    }

    fn scope(&self) -> Scope {
        Scope::Runner
    }

    fn explain(&self) -> &'static str {
        "SKELETON"
    }

    fn run<'a>(&'a self, _ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move { Ok(Outcome::skipped("SKELETON")) })
    }
}
