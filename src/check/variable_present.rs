//! Are the required variables set?

use super::{Check, Ctx, Scope};
use crate::report::Outcome;
use crate::source::Error;
use crate::task::BoxFuture;

pub(super) struct VariablePresent;

impl Check for VariablePresent {
    fn id(&self) -> &'static str {
        "variable-present"
    }

    fn question(&self) -> &'static str {
        "Are the required variables set?"
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
