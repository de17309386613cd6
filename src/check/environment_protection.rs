//! Is the environment protected?

use super::{Check, Ctx, Scope};
use crate::report::Outcome;
use crate::source::Error;
use crate::task::BoxFuture;

pub(super) struct EnvironmentProtection;

impl Check for EnvironmentProtection {
    fn id(&self) -> &'static str {
        "environment-protection"
    }

    fn question(&self) -> &'static str {
        "Is the environment protected?"
    }

    fn runbook(&self) -> &'static str {
        "production-deployment-failures"
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
