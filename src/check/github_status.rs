//! Does GitHub itself work?

use super::{Check, Ctx, Scope};
use crate::report::Outcome;
use crate::source::Error;
use crate::task::BoxFuture;

pub(super) struct GitHubStatus;

impl Check for GitHubStatus {
    fn id(&self) -> &'static str {
        "github-status"
    }

    fn question(&self) -> &'static str {
        "Does GitHub itself work?"
    }

    fn runbook(&self) -> &'static str {
        "network-unreachable-troubleshooting"
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
