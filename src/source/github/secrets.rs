//! Names of secrets as the API lists them, and whether this run gets any. The API never gives a value.

use std::sync::Arc;

use serde::Deserialize;

use super::super::error::Error;
use super::paging::page;
use super::{Environment, GitHub, part, path_of};
use crate::task::Deadline;

/// A secret's name and when it was stored.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ApiSecret {
    /// Its name.
    pub name: String,
    /// When it was last stored, as the server wrote it.
    #[serde(default)]
    pub updated_at: Option<String>,
}

page!(SecretPage, ApiSecret, "secrets");

/// Where a secret may be defined, in the order in which one hides another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretScope<'a> {
    /// A deployment environment.
    Environment(&'a str),
    /// The repository.
    Repository,
    /// The organisation, as far as it shares secrets with the repository.
    Organization,
}

impl SecretScope<'_> {
    /// The place, for people.
    pub fn word(self) -> String {
        match self {
            Self::Environment(name) => format!("environment {name}"),
            Self::Repository => "repository".to_owned(),
            Self::Organization => "organisation".to_owned(),
        }
    }

    /// The permission that reads this list.
    pub const fn permission(self) -> &'static str {
        match self {
            Self::Environment(_) => "Environments: read (repository)",
            Self::Repository | Self::Organization => "Secrets: read (repository)",
        }
    }
}

/// The lists of all scopes that a job can get secrets from; each was read or says why not.
pub struct SecretPlaces<'a> {
    lists: Vec<(SecretScope<'a>, List)>,
}

/// One list, or why it was not read.
type List = Result<Arc<Vec<ApiSecret>>, Error>;

impl<'a> SecretPlaces<'a> {
    /// The definitions of a name in the lists that were read, the one that counts first.
    pub fn of(&self, name: &str) -> Vec<(SecretScope<'a>, &ApiSecret)> {
        let read =
            self.lists.iter().filter_map(|(scope, list)| Some((*scope, list.as_ref().ok()?)));
        let found = read.filter_map(|(scope, list)| Some((scope, named(list, name)?)));
        found.collect()
    }

    /// The definition that a job gets; `None` when there is none for certain.
    ///
    /// # Errors
    /// A list that could hide the others was not read.
    pub fn effective(&self, name: &str) -> Result<Option<(SecretScope<'a>, &ApiSecret)>, &Error> {
        for (scope, list) in &self.lists {
            if let Some(secret) = named(list.as_ref()?, name) {
                return Ok(Some((*scope, secret)));
            }
        }
        Ok(None)
    }

    /// The first list that was not read, and why.
    pub fn unread(&self) -> Option<(SecretScope<'a>, &Error)> {
        self.lists.iter().find_map(|(scope, list)| Some((*scope, list.as_ref().err()?)))
    }

    /// All scopes that were asked, for people.
    pub fn asked(&self) -> String {
        self.lists.iter().map(|(scope, _)| scope.word()).collect::<Vec<_>>().join(", ")
    }
}

/// GitHub keeps names in capital letters and does not tell cases apart.
fn named<'s>(list: &'s Arc<Vec<ApiSecret>>, name: &str) -> Option<&'s ApiSecret> {
    list.iter().find(|secret| secret.name.eq_ignore_ascii_case(name))
}

#[derive(Deserialize)]
struct Environments {
    #[serde(default)]
    environments: Vec<Environment>,
}

#[derive(Deserialize)]
struct PullRequest {
    #[serde(default)]
    head: Head,
}

#[derive(Deserialize, Default)]
struct Head {
    #[serde(default)]
    repo: Option<HeadRepository>,
}

#[derive(Deserialize)]
struct HeadRepository {
    #[serde(default)]
    full_name: String,
}

impl GitHub {
    /// The secrets of every scope that a job of this environment gets them from; a blank environment is left out.
    pub async fn secret_places<'a>(
        &self,
        repository: &str,
        environment: &'a str,
        deadline: Deadline,
    ) -> SecretPlaces<'a> {
        let environment =
            Some(SecretScope::Environment(environment)).filter(|_| !environment.is_empty());
        let scopes = [environment, Some(SecretScope::Repository), Some(SecretScope::Organization)];
        let asked = scopes
            .into_iter()
            .flatten()
            .map(|scope| async move { (scope, self.secrets(repository, scope, deadline).await) });
        SecretPlaces { lists: futures_util::future::join_all(asked).await }
    }

    /// The secrets of one scope, without their values.
    ///
    /// # Errors
    /// As [`GitHub::reply`]. A 404 may mean that the token lacks a permission: it never proves that a secret is missing.
    pub async fn secrets(
        &self,
        repository: &str,
        scope: SecretScope<'_>,
        deadline: Deadline,
    ) -> Result<Arc<Vec<ApiSecret>>, Error> {
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
        let tried = format!("list {what} of {repository}");
        let read = async { self.list::<SecretPage>(&tried, &path, deadline).await.map(Arc::new) };
        self.secrets.get(&path, read).await
    }

    /// Names of the repository's environments, at most 100; an empty list proves that there are none.
    ///
    /// # Errors
    /// As [`GitHub::reply`].
    pub async fn environment_names(
        &self,
        repository: &str,
        deadline: Deadline,
    ) -> Result<Vec<String>, Error> {
        let path = format!("/repos/{}/environments?per_page=100", path_of(repository));
        let tried = format!("list the environments of {repository}");
        let found: Environments = self.object(&tried, &path, deadline).await?;
        Ok(found.environments.into_iter().map(|environment| environment.name).collect())
    }

    /// The repository that a pull request comes from; `None` when it is gone.
    ///
    /// # Errors
    /// As [`GitHub::reply`].
    pub async fn pull_request_source(
        &self,
        repository: &str,
        number: &str,
        deadline: Deadline,
    ) -> Result<Option<String>, Error> {
        let path = format!("/repos/{}/pulls/{}", path_of(repository), part(number));
        let tried = format!("look where pull request {number} of {repository} comes from");
        let found: PullRequest = self.object(&tried, &path, deadline).await?;
        Ok(found.head.repo.map(|repo| repo.full_name))
    }
}
