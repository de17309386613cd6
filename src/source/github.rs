//! The GitHub REST API: octocrab as transport over our own client, raw routes, lenient models of our own.
//!
//! Only reads. Unknown words in answers stay words; a permission that is missing is told apart from a thing that is missing. What several
//! checks ask is fetched once; at most four requests are under way at a time.

mod app;
mod auth;
mod budget;
mod concurrency;
mod environments;
mod groups;
mod jobs;
mod limits;
mod logs;
mod paging;
mod refusal;
mod runners;
mod runs;
mod secrets;
mod transport;
mod variables;
mod versions;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use octocrab::Octocrab;
use serde::de::DeserializeOwned;
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::Instant;

use super::error::{Cause, Error};
use super::http::{Http, Reply};
use super::memo::Memo;
use crate::task::Deadline;

pub use app::AppKey;
pub use auth::Auth;
pub use budget::Budget;
pub use concurrency::{Lock, Member};
pub use environments::{Account, BranchPolicy, Environment, ProtectionRule, Reviewer};
pub use groups::RunnerGroup;
pub use jobs::{RunJob, Step};
pub use limits::{RateLimit, TokenFacts};
pub use logs::{JobLog, LogAnswer};
pub use runners::{ApiLabel, ApiRunner, Registered, RunnerScope};
pub use runs::{Actor, RECENT, Run, Runs};
pub use secrets::{ApiSecret, SecretPlaces, SecretScope};
pub use variables::VariableScope;
pub use versions::VersionEnd;

/// Most requests under way at a time; GitHub's secondary limit is 100.
const AT_ONCE: usize = 4;

/// How old the token of a GitHub App may become; it ends after an hour.
const TOKEN_AGE: Duration = Duration::from_mins(50);

/// The transport and when it was made, or why there is none.
type Client = Arc<OnceCell<Result<(Octocrab, Instant), Error>>>;

/// The API as one token sees it.
#[derive(Clone)]
pub struct GitHub {
    http: Http,
    api_url: String,
    auth: Auth,
    /// Made with the first request: a GitHub App has to ask for its token first.
    client: Arc<Mutex<Client>>,
    at_once: Arc<Semaphore>,
    budget: Arc<Mutex<Budget>>,
    replies: Memo<Arc<Reply>>,
    runners: Memo<Arc<Vec<ApiRunner>>>,
    secrets: Memo<Arc<Vec<ApiSecret>>>,
    /// What was read before, by path, for a conditional request; kept over rounds.
    seen: Arc<Mutex<HashMap<String, Arc<Reply>>>>,
}

impl GitHub {
    /// The API at `api_url`.
    ///
    /// # Errors
    /// The token is empty or holds a control character, or the address is not one. The token is never quoted.
    pub fn new(http: &Http, api_url: &str, auth: Auth) -> Result<Self, Error> {
        auth.validate()?;
        let api_url = api_url.trim_end_matches('/').to_owned();
        if !api_url.starts_with("http://") && !api_url.starts_with("https://") {
            let cause = Cause::Parse("not an http address".to_owned());
            return Err(Error::new(format!("use the GitHub API at {api_url}"), cause));
        }
        Ok(Self {
            http: http.clone(),
            api_url,
            auth,
            client: Arc::default(),
            at_once: Arc::new(Semaphore::new(AT_ONCE)),
            budget: Arc::default(),
            replies: Memo::default(),
            runners: Memo::default(),
            secrets: Memo::default(),
            seen: Arc::default(),
        })
    }

    /// Base address without a trailing slash.
    pub fn api_url(&self) -> &str {
        &self.api_url
    }

    /// Begins a new round: everything is asked again, with conditional requests where GitHub allows them.
    pub fn forget(&self) {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        // A token that could not be made in one round may be made in the next; one that was made is kept as long as it is good.
        let usable = match client.get() {
            Some(Ok((_, made))) => {
                matches!(self.auth, Auth::Token(_)) || made.elapsed() < TOKEN_AGE
            }
            Some(Err(_)) => false,
            None => true,
        };
        if !usable {
            *client = Arc::default();
        }
        drop(client);
        self.replies.forget();
        self.runners.forget();
        self.secrets.forget();
    }

    fn client_cell(&self) -> Client {
        Arc::clone(&self.client.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The answer to a path below the base address; several readers of the same path in one round cost one request.
    ///
    /// # Errors
    /// See [`Error`]; a refused permission is [`Cause::Permission`].
    pub async fn reply(
        &self,
        tried: &str,
        path: &str,
        deadline: Deadline,
    ) -> Result<Arc<Reply>, Error> {
        // On the heap: readers hold several of these inside one another, and with everything that a request may need they are large.
        let ask = async { self.get(tried, path, deadline).await.map_err(refusal::advised) };
        self.replies.get(path, Box::pin(ask)).await
    }

    /// The object at a path, read leniently.
    ///
    /// # Errors
    /// As [`GitHub::reply`]; [`Cause::Parse`] when the answer has another form.
    pub async fn object<T: DeserializeOwned>(
        &self,
        tried: &str,
        path: &str,
        deadline: Deadline,
    ) -> Result<T, Error> {
        let reply = self.reply(tried, path, deadline).await?;
        reply.json(tried).map_err(refusal::advised)
    }
}

/// Everything but letters, digits and `-._~`.
const PART: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One part of a path, encoded.
fn part(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, PART).to_string()
}

/// `owner/name` with each part encoded.
fn path_of(repository: &str) -> String {
    repository.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded_in_paths() {
        assert_eq!(path_of("octo-cat/a b"), "octo-cat/a%20b");
        assert_eq!(part("prod/eu"), "prod%2Feu");
    }
}
