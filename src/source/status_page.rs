//! GitHub's public status page. It is asked without a token.

use std::time::Duration;

use serde::Deserialize;

use super::error::{Cause, Error};
use super::http::Http;
use crate::task::Deadline;

/// Where GitHub tells how it is.
pub const GITHUB: &str = "https://www.githubstatus.com";

/// Largest page that is read, in bytes; the real one has about 4 kB.
const MAX_PAGE: usize = 1 << 20;

/// Longest time for the answer: where a firewall swallows the question, nobody shall wait for it.
const LIMIT: Duration = Duration::from_secs(3);

/// A part of GitHub.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Component {
    /// Its id, which never changes.
    pub id: String,
    /// Its name, which changed before.
    #[serde(default)]
    pub name: String,
    /// `operational`, `major_outage` or another word.
    #[serde(default)]
    pub status: String,
}

#[derive(Deserialize)]
struct Page {
    components: Vec<Component>,
}

/// The components of the page at `base`, within three seconds.
///
/// # Errors
/// The page can not be reached or is not one.
pub async fn components(
    http: &Http,
    base: &str,
    deadline: Deadline,
) -> Result<Vec<Component>, Error> {
    let base = base.trim_end_matches('/');
    let tried = format!("read the status page {base}");
    let help = "open this address from where the gate runs, or set github.status-page in the configuration; the deploy itself does not \
                need it";
    let read = async {
        let url = format!("{base}/api/v2/components.json");
        let reply = http.get(&tried, &url, deadline.at_most(LIMIT), MAX_PAGE).await?;
        if reply.status != 200 {
            return Err(Error::new(tried.as_str(), reply.refusal()));
        }
        let page: Result<Page, _> = serde_json::from_slice(&reply.body);
        page.map(|page| page.components)
            .map_err(|e| Error::new(tried.as_str(), Cause::Parse(e.to_string())))
    };
    read.await.map_err(|error| error.with_help(help))
}
