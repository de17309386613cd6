//! Names of secrets as the API lists them; it never gives a value.

use std::sync::Arc;

use serde::Deserialize;

use super::super::error::Error;
use super::paging::page;
use super::{GitHub, part, path_of};
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

impl GitHub {
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
}
