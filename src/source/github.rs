//! The GitHub REST API: octocrab as transport over our own client, raw routes, lenient models of our own.
//!
//! Only reads. Unknown words in answers stay words; a permission that is missing is told apart from a thing that is missing. What several
//! checks ask is fetched once; at most four requests are under way at a time.

mod app;
mod auth;
mod budget;
mod paging;
mod refusal;
mod runners;
mod secrets;
mod transport;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use octocrab::Octocrab;
use serde::de::DeserializeOwned;
use tokio::sync::{OnceCell, Semaphore};

use super::error::{Cause, Error};
use super::http::{Http, Reply};
use super::memo::Memo;
use crate::task::Deadline;

pub use app::AppKey;
pub use auth::Auth;
pub use budget::Budget;
pub use runners::{ApiLabel, ApiRunner};
pub use secrets::{ApiSecret, SecretScope};

/// Most requests under way at a time; GitHub's secondary limit is 100.
const AT_ONCE: usize = 4;

/// The API as one token sees it.
#[derive(Clone)]
pub struct GitHub {
    http: Http,
    api_url: String,
    auth: Auth,
    /// Made with the first request: a GitHub App has to ask for its token first.
    client: Arc<OnceCell<Result<Octocrab, Error>>>,
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
        self.replies.forget();
        self.runners.forget();
        self.secrets.forget();
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
        self.replies.get(path, self.get(tried, path, deadline)).await
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
        reply.json(tried)
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
