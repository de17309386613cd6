//! What is left of the API budget and what the server says about the token: both come with one answer, which costs nothing.

use serde::Deserialize;

use super::super::error::{Cause, Error};
use super::super::http::Reply;
use super::super::{Sources, github::GitHub};
use crate::task::Deadline;

/// The general budget of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct RateLimit {
    /// Requests an hour.
    pub limit: u64,
    /// What is left of them.
    pub remaining: u64,
    /// When they are full again, in seconds since 1970.
    pub reset: i64,
    /// Requests of this hour, everybody's who shares the budget.
    #[serde(default)]
    pub used: u64,
}

/// What the server says about the token that was shown to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenFacts {
    /// When it ends, as the server wrote it; `None` for tokens whose end it does not name.
    pub ends: Option<String>,
    /// Scopes of a classic token; empty for every other kind.
    pub scopes: Vec<String>,
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    resources: Resources,
    /// Left out since version 2026-03-10 of the API.
    #[serde(default)]
    rate: Option<RateLimit>,
}

#[derive(Default, Deserialize)]
struct Resources {
    #[serde(default)]
    core: Option<RateLimit>,
}

const TRIED: &str = "read the API budget";

impl GitHub {
    /// The general budget; `None` on a server of one's own that sets no limit.
    ///
    /// # Errors
    /// As [`GitHub::reply`].
    pub async fn rate_limit(&self, deadline: Deadline) -> Result<Option<RateLimit>, Error> {
        let body: Body = match self.object(TRIED, "/rate_limit", deadline).await {
            Err(error) if self.has_no_limits(&error) => return Ok(None),
            other => other.map_err(advised)?,
        };
        let core = body.resources.core.or(body.rate);
        let none = || Error::new(TRIED, Cause::Parse("no budget is in the answer".to_owned()));
        core.map(Some).ok_or_else(|| advised(none()))
    }

    /// What the server says about our token, from the headers of the answer to the question about the budget.
    ///
    /// # Errors
    /// As [`GitHub::reply`]; status 401 means that the server does not take the token. A server without limits answers 404 to a token
    /// that it takes: that is no error.
    pub async fn token_facts(&self, deadline: Deadline) -> Result<TokenFacts, Error> {
        match self.reply(TRIED, "/rate_limit", deadline).await {
            // A page of somebody in between says nothing about the token.
            Ok(reply) => match reply.json::<serde_json::Value>(TRIED) {
                Ok(_) => Ok(facts(&reply)),
                Err(error) => Err(advised(error)),
            },
            Err(error) if self.has_no_limits(&error) => {
                let budget = self.budget();
                Ok(TokenFacts { ends: budget.token_ends, scopes: scopes(budget.scopes.as_deref()) })
            }
            Err(error) => Err(advised(error)),
        }
    }

    /// Whether this is the answer of a server of one's own whose limits are off; not one about a GitHub App on the way to a token.
    fn has_no_limits(&self, error: &Error) -> bool {
        let own_server = self.api_url() != "https://api.github.com";
        let is_github =
            self.budget().from_github || error.chain().contains("Rate limiting is not enabled");
        own_server && is_github && error.status() == Some(404) && error.to_string() == TRIED
    }
}

/// With what to do about faults that name nothing to change.
pub(super) fn advised(error: Error) -> Error {
    if error.own_help().is_some() {
        return error;
    }
    error.with_help(
        "ask again; if it stays, look at GitHub's status page and at the way to it, and change what GitHub names",
    )
}

impl Sources {
    /// The API, for checks that have no answer without it.
    ///
    /// # Errors
    /// Why there is none: no token, or one that can not be used.
    pub fn api(&self) -> Result<&GitHub, Error> {
        self.github.as_ref().map_err(|why| {
            Error::new("use the GitHub API", Cause::Other(why.clone()))
                .with_help("set the input github-token; the workflow's own token will do")
        })
    }
}

fn facts(reply: &Reply) -> TokenFacts {
    let ends = reply.header("github-authentication-token-expiration").map(str::to_owned);
    TokenFacts { ends, scopes: scopes(reply.header("x-oauth-scopes")) }
}

fn scopes(header: Option<&str>) -> Vec<String> {
    let words = header.unwrap_or_default().split(',').map(str::trim);
    words.filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scopes_of_a_classic_token_are_read_one_by_one() {
        assert_eq!(scopes(Some("repo, read:org,")), ["repo", "read:org"]);
        assert!(scopes(Some("")).is_empty() && scopes(None).is_empty());
    }
}
