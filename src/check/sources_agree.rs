//! Do GitHub, the exporter and Prometheus say the same about the runner?

use super::{Check, Ctx, Scope};
use crate::report::Outcome;
use crate::source::Error;
use crate::task::BoxFuture;

pub(super) struct SourcesAgree;

impl Check for SourcesAgree {
    fn id(&self) -> &'static str {
        "sources-agree"
    }

    fn question(&self) -> &'static str {
        "Do GitHub, the exporter and Prometheus say the same about the runner?"
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
