//! Can this job get an identity token?

use super::{Check, Ctx, Scope};
use crate::report::Outcome;
use crate::source::Error;
use crate::task::BoxFuture;

pub(super) struct OidcAvailable;

impl Check for OidcAvailable {
    fn id(&self) -> &'static str {
        "oidc-available"
    }

    fn question(&self) -> &'static str {
        "Can this job get an identity token?"
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
