//! Did the last deploys succeed?

use super::{Check, Ctx, Scope};
use crate::report::Outcome;
use crate::source::Error;
use crate::task::BoxFuture;

pub(super) struct FailureRate;

impl Check for FailureRate {
    fn id(&self) -> &'static str {
        "failure-rate"
    }

    fn question(&self) -> &'static str {
        "Did the last deploys succeed?"
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
