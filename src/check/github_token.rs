//! Is the token valid for long enough, and what may it do?

use super::{Check, Ctx, Scope};
use crate::report::Outcome;
use crate::source::Error;
use crate::task::BoxFuture;

pub(super) struct GitHubToken;

impl Check for GitHubToken {
    fn id(&self) -> &'static str {
        "github-token"
    }

    fn question(&self) -> &'static str {
        "Is the token valid for long enough, and what may it do?"
    }

    fn runbook(&self) -> &'static str {
        "secrets-expired-rotation"
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
