//! Is the way to the environment free of other deploys?

use super::{Check, Ctx, Scope};
use crate::report::Outcome;
use crate::source::Error;
use crate::task::BoxFuture;

pub(super) struct DeployLock;

impl Check for DeployLock {
    fn id(&self) -> &'static str {
        "deploy-lock"
    }

    fn question(&self) -> &'static str {
        "Is the way to the environment free of other deploys?"
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
