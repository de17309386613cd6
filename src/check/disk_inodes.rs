//! Are there inodes left on the disks that the deploy writes to?

use super::{Check, Ctx, Scope};
use crate::report::Outcome;
use crate::source::Error;
use crate::task::BoxFuture;

pub(super) struct DiskInodes;

impl Check for DiskInodes {
    fn id(&self) -> &'static str {
        "disk-inodes"
    }

    fn question(&self) -> &'static str {
        "Are there inodes left on the disks that the deploy writes to?"
    }

    fn runbook(&self) -> &'static str {
        "runner-degraded-resources"
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
