//! Are the secrets well-formed?

use super::{Check, Ctx, Scope};
use crate::report::Outcome;
use crate::source::Error;
use crate::task::BoxFuture;

pub(super) struct SecretFormat;

impl Check for SecretFormat {
    fn id(&self) -> &'static str {
        "secret-format"
    }

    fn question(&self) -> &'static str {
        "Are the secrets well-formed?"
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
