//! The GitHub REST API: octocrab as transport over our own client, raw routes, lenient models of our own.
//!
//! Only reads. Unknown words in answers stay words; a permission that is missing is told apart from a thing that is missing.

use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use octocrab::Octocrab;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::{Cause, Error, chain_of};
use super::http::{Http, MAX_BODY, Reply, bearer};
use crate::task::Deadline;

/// Most pages of one list; 100 items each.
const MAX_PAGES: usize = 20;

/// The API as one token sees it.
#[derive(Clone)]
pub struct GitHub {
    octocrab: Octocrab,
    api_url: String,
}

/// A self-hosted runner as the API describes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ApiRunner {
    /// Its name.
    pub name: String,
    /// `online`, `offline` or a word that is not known yet.
    #[serde(default)]
    pub status: String,
    /// Whether it runs a job now.
    #[serde(default)]
    pub busy: bool,
    /// Its labels.
    #[serde(default)]
    pub labels: Vec<ApiLabel>,
}

/// A label of a runner.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ApiLabel {
    /// The label.
    pub name: String,
}

#[derive(Deserialize)]
struct RunnerPage {
    runners: Vec<ApiRunner>,
}

#[derive(Deserialize)]
struct SecretPage {
    secrets: Vec<ApiName>,
}

#[derive(Deserialize)]
struct ApiName {
    name: String,
}

impl GitHub {
    /// The API at `api_url` for this token.
    ///
    /// # Errors
    /// The token is empty or holds a control character, or the address is not one. The token is never quoted.
    pub fn new(http: &Http, api_url: &str, token: &str) -> Result<Self, Error> {
        let tried = format!("use the GitHub API at {api_url}");
        let token = token.trim();
        bearer(token)?;
        if token.is_empty() {
            return Err(Error::new(tried, Cause::Other("no token".to_owned()))
                .with_help("set the input github-token"));
        }
        let built = octocrab::OctocrabBuilder::new()
            .base_uri(api_url)
            .map(|builder| builder.personal_token(token.to_owned()))
            .and_then(|builder| builder.build_with_reqwest(http.client().clone()));
        let octocrab = built.map_err(|e| Error::new(tried, Cause::Other(chain_of(&e))))?;
        Ok(Self { octocrab, api_url: api_url.trim_end_matches('/').to_owned() })
    }

    /// Runners with this name that are registered for the repository.
    ///
    /// # Errors
    /// See [`Error`]; a refused permission is [`Cause::Permission`].
    pub async fn repository_runners(
        &self,
        repository: &str,
        name: &str,
        deadline: Deadline,
    ) -> Result<Vec<ApiRunner>, Error> {
        let path = format!(
            "/repos/{}/actions/runners?per_page=100&name={}",
            path_of(repository),
            part(name)
        );
        let pages: Vec<RunnerPage> =
            self.pages(&format!("list the runners of {repository}"), path, deadline).await?;
        Ok(pages.into_iter().flat_map(|page| page.runners).filter(|r| r.name == name).collect())
    }

    /// Runners with this name that are registered for the organisation.
    ///
    /// # Errors
    /// As [`GitHub::repository_runners`].
    pub async fn organization_runners(
        &self,
        owner: &str,
        name: &str,
        deadline: Deadline,
    ) -> Result<Vec<ApiRunner>, Error> {
        let path =
            format!("/orgs/{}/actions/runners?per_page=100&name={}", part(owner), part(name));
        let pages: Vec<RunnerPage> = self
            .pages(&format!("list the runners of the organisation {owner}"), path, deadline)
            .await?;
        Ok(pages.into_iter().flat_map(|page| page.runners).filter(|r| r.name == name).collect())
    }

    /// Names of the secrets in one scope: of the repository, those that its organisation shares with it, or of an environment.
    ///
    /// # Errors
    /// As [`GitHub::repository_runners`]. A 404 may mean that the token lacks a permission: it never proves that a secret is missing.
    pub async fn secret_names(
        &self,
        repository: &str,
        scope: &SecretScope<'_>,
        deadline: Deadline,
    ) -> Result<Vec<String>, Error> {
        let repo = path_of(repository);
        let (what, path) = match scope {
            SecretScope::Repository => (
                "the repository's secrets".to_owned(),
                format!("/repos/{repo}/actions/secrets?per_page=100"),
            ),
            SecretScope::Organization => (
                "the organisation's secrets".to_owned(),
                format!("/repos/{repo}/actions/organization-secrets?per_page=100"),
            ),
            SecretScope::Environment(name) => (
                format!("the secrets of environment {name}"),
                format!("/repos/{repo}/environments/{}/secrets?per_page=100", part(name)),
            ),
        };
        let pages: Vec<SecretPage> =
            self.pages(&format!("list {what} of {repository}"), path, deadline).await?;
        Ok(pages.into_iter().flat_map(|page| page.secrets).map(|s| s.name).collect())
    }

    async fn pages<T: DeserializeOwned>(
        &self,
        tried: &str,
        path: String,
        deadline: Deadline,
    ) -> Result<Vec<T>, Error> {
        let mut pages = Vec::new();
        let mut next = Some(path);
        while let Some(path) = next.take() {
            if pages.len() == MAX_PAGES {
                return Err(Error::new(
                    tried,
                    Cause::Other(format!("more than {MAX_PAGES} pages")),
                ));
            }
            let reply = self.get(tried, &path, deadline).await?;
            let page = serde_json::from_slice(&reply.body)
                .map_err(|e| Error::new(tried, Cause::Parse(e.to_string())))?;
            pages.push(page);
            next = self.next_page(tried, &reply.headers)?;
        }
        Ok(pages)
    }

    /// The path of the next page; only below our own base address, so that no token goes elsewhere.
    fn next_page(&self, tried: &str, headers: &HeaderMap) -> Result<Option<String>, Error> {
        let link = headers.get("link").and_then(|v| v.to_str().ok()).unwrap_or_default();
        let next = link.split(',').find(|part| part.contains("rel=\"next\""));
        let Some(url) =
            next.and_then(|part| part.split_once('<')?.1.split_once('>').map(|(url, _)| url))
        else {
            return Ok(None);
        };
        match url.strip_prefix(&self.api_url).filter(|path| path.starts_with('/')) {
            Some(path) => Ok(Some(path.to_owned())),
            None => Err(Error::new(
                tried,
                Cause::Other("the next page lies on another host; not followed".to_owned()),
            )),
        }
    }

    async fn get(&self, tried: &str, path: &str, deadline: Deadline) -> Result<Reply, Error> {
        let limit = deadline.remaining();
        let answer = async {
            let response = self.octocrab._get(path).await.map_err(|e| transport(tried, &e))?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, MAX_BODY).collect().await;
            let body = body.map_err(|e| Error::new(tried, too_large_or(&*e)))?.to_bytes().to_vec();
            Ok(Reply { status: parts.status.as_u16(), headers: parts.headers, body })
        };
        let reply = tokio::time::timeout_at(deadline.instant(), answer).await;
        let reply = reply.unwrap_or_else(|_| Err(Error::new(tried, Cause::Timeout(limit))))?;
        if StatusCode::from_u16(reply.status).is_ok_and(|s| s.is_success()) {
            Ok(reply)
        } else {
            Err(refused(tried, &reply))
        }
    }
}

/// Where a secret may be defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretScope<'a> {
    /// The repository.
    Repository,
    /// The organisation, as far as it shares secrets with the repository.
    Organization,
    /// A deployment environment.
    Environment(&'a str),
}

fn too_large_or(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Cause {
    if error.is::<http_body_util::LengthLimitError>() {
        Cause::TooLarge(MAX_BODY as u64)
    } else {
        Cause::Other(chain_of(error))
    }
}

/// Finds the class of a transport error; the client's own error lies somewhere below octocrab's.
fn transport(tried: &str, error: &octocrab::Error) -> Error {
    let mut link: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    while let Some(cause) = link {
        if let Some(error) = cause.downcast_ref::<reqwest::Error>() {
            return Error::new(tried, super::http::classify(error, std::time::Duration::ZERO));
        }
        link = cause.source();
    }
    Error::new(tried, Cause::Other(chain_of(error)))
}

/// Status and headers first, words second: a missing permission is not a missing thing.
fn refused(tried: &str, reply: &Reply) -> Error {
    let needs = reply
        .header("x-accepted-github-permissions")
        .map(str::to_owned)
        .filter(|n| !n.trim().is_empty());
    let limited =
        reply.header("x-ratelimit-remaining") == Some("0") || reply.header("retry-after").is_some();
    let words = reply.refusal().to_string();
    let lacks =
        words.contains("not accessible by") || words.contains("admin rights") || needs.is_some();
    match reply.status {
        401 => Error::new(tried, reply.refusal()).with_help(
            "the token is expired, revoked or mistyped: renew the secret behind github-token",
        ),
        403 | 429 if limited => {
            let when =
                reply.header("retry-after").or(reply.header("x-ratelimit-reset")).unwrap_or("?");
            Error::new(tried, reply.refusal()).with_help(format!(
                "the API budget of this token is used up (retry-after or reset: {when})"
            ))
        }
        403 if lacks => permission(tried, reply.status, needs),
        404 if needs.is_some() => permission(tried, reply.status, needs),
        404 => Error::new(tried, reply.refusal()).with_help(
            "a 404 may mean that the token lacks a permission: runners need Administration read (repository) or Self-hosted runners read \
             (organisation), secrets need Secrets read",
        ),
        _ => Error::new(tried, reply.refusal()),
    }
}

fn permission(tried: &str, status: u16, needs: Option<String>) -> Error {
    let help = match &needs {
        Some(needs) => format!(
            "use a GitHub App or fine-grained token with {needs} as github-token; the workflow's own token can not have it"
        ),
        None => "use a GitHub App or fine-grained token with more permissions as github-token"
            .to_owned(),
    };
    Error::new(tried, Cause::Permission { status, needs }).with_help(help)
}

/// Everything but letters, digits and `-._~`.
const PART: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

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

    fn reply(status: u16, headers: &[(&'static str, &str)], body: &str) -> Reply {
        let headers =
            headers.iter().map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap())).collect();
        Reply { status, headers, body: body.as_bytes().to_vec() }
    }

    #[test]
    fn a_refused_permission_is_named_as_the_server_named_it() {
        let reply = reply(
            403,
            &[("x-accepted-github-permissions", "administration=read")],
            r#"{"message":"Resource not accessible by integration"}"#,
        );
        let error = refused("list runners", &reply);
        assert!(
            matches!(error.cause(), Cause::Permission { needs: Some(n), .. } if n == "administration=read")
        );
    }

    #[test]
    fn a_spent_budget_is_not_a_missing_permission() {
        let reply = reply(
            403,
            &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "99")],
            r#"{"message":"API rate limit exceeded"}"#,
        );
        let error = refused("list runners", &reply);
        assert!(matches!(error.cause(), Cause::Status { status: 403, .. }));
        assert!(error.help().unwrap().contains("99"));
    }

    #[tokio::test]
    async fn the_next_page_must_lie_below_the_base_address() {
        let http = Http::new(None, crate::source::http::Proxy::default()).unwrap();
        let github = GitHub::new(&http, "https://ghe.example/api/v3", "t").unwrap();
        let mut headers = HeaderMap::new();
        headers
            .insert("link", "<https://ghe.example/api/v3/x?page=2>; rel=\"next\"".parse().unwrap());
        assert_eq!(github.next_page("t", &headers).unwrap().as_deref(), Some("/x?page=2"));
        headers.insert(
            "link",
            "<https://evil.example/api/v3/x?page=2>; rel=\"next\"".parse().unwrap(),
        );
        assert!(github.next_page("t", &headers).is_err());
    }

    #[test]
    fn names_are_encoded_in_paths() {
        assert_eq!(path_of("octo-cat/a b"), "octo-cat/a%20b");
        assert_eq!(part("prod/eu"), "prod%2Feu");
    }
}
