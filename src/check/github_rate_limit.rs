//! Is enough of the API budget left?

use super::{Check, Ctx, Scope};
use crate::report::Outcome;
use crate::source::Error;
use crate::task::BoxFuture;

pub(super) struct GitHubRateLimit;

impl Check for GitHubRateLimit {
    fn id(&self) -> &'static str {
        "github-rate-limit"
    }

    fn question(&self) -> &'static str {
        "Is enough of the API budget left?"
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
