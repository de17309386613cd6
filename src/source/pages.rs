//! The pages of exporters: what several checks read is fetched and parsed once in a round.

use std::sync::Arc;

use super::error::Error;
use super::exposition::{self, Exposition};
use super::http::{Http, MAX_BODY, shown};
use super::memo::Memo;
use crate::task::Deadline;

/// What was read in this round, by address.
#[derive(Clone, Default)]
pub struct Pages(Memo<Arc<Exposition>>);

impl Pages {
    /// Begins a new round: every page is fetched again.
    pub fn forget(&self) {
        self.0.forget();
    }

    /// The page at `url`.
    ///
    /// # Errors
    /// Unreachable, refused, too large, or not in the text format of Prometheus.
    pub(super) async fn get(
        &self,
        http: &Http,
        url: &str,
        deadline: Deadline,
    ) -> Result<Arc<Exposition>, Error> {
        self.0.get(url, scrape(http, url, deadline)).await
    }
}

async fn scrape(http: &Http, url: &str, deadline: Deadline) -> Result<Arc<Exposition>, Error> {
    let tried = format!("scrape {}", shown(url));
    let reply = http.get(&tried, url, deadline, MAX_BODY).await?;
    if reply.status != 200 {
        return Err(Error::new(tried, reply.refusal()));
    }
    exposition::parse(&reply.text()).map(Arc::new).map_err(|e| {
        Error::new(tried, reply.misfit(&e.to_string()))
            .with_help("the address must be the exporter's /metrics; a web page there is a login page or a proxy")
    })
}
