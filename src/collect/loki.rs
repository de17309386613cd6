//! SKELETON

use super::{Collector, Ctx, Harvest};
use crate::source::Error;
use crate::task::BoxFuture;

pub(super) struct Loki;

impl Collector for Loki {
    fn id(&self) -> &'static str {
        "loki"
    }

    fn explain(&self) -> &'static str {
        "SKELETON"
    }

    fn run<'a>(&'a self, _ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Harvest, Error>> {
        Box::pin(async move { Ok(Harvest::Nothing("SKELETON".to_owned())) })
    }
}
