//! Self-hosted runners as the API describes them.

use std::sync::Arc;

use serde::Deserialize;

use super::super::error::Error;
use super::paging::page;
use super::{GitHub, part, path_of};
use crate::task::Deadline;

/// A self-hosted runner.
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
    /// Version of the runner; `None` when it never connected.
    #[serde(default)]
    pub version: Option<String>,
    /// Whether it takes one job and goes.
    #[serde(default)]
    pub ephemeral: Option<bool>,
    /// Id of its group.
    #[serde(default)]
    pub runner_group_id: Option<u64>,
}

/// A label of a runner.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ApiLabel {
    /// The label.
    pub name: String,
}

/// Whose list a runner stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunnerScope {
    /// The repository's: it runs jobs of this repository only, and is in no group of the organisation.
    Repository,
    /// The organisation's.
    Organization,
}

/// A runner and the list that it was found in.
#[derive(Debug, Clone)]
pub struct Registered {
    /// The runner.
    pub runner: ApiRunner,
    /// Whose list.
    pub scope: RunnerScope,
    /// Everything in that list.
    pub list: Arc<Vec<ApiRunner>>,
}

impl ApiRunner {
    /// Whether it has this label; case and blanks around do not count.
    pub fn has_label(&self, label: &str) -> bool {
        self.labels.iter().any(|l| l.name.trim().eq_ignore_ascii_case(label.trim()))
    }
}

page!(RunnerPage, ApiRunner, "runners");

impl GitHub {
    /// All runners that are registered for the repository.
    ///
    /// # Errors
    /// As [`GitHub::reply`].
    pub async fn repository_runners(
        &self,
        repository: &str,
        deadline: Deadline,
    ) -> Result<Arc<Vec<ApiRunner>>, Error> {
        let path = format!("/repos/{}/actions/runners?per_page=100", path_of(repository));
        self.all_runners(&format!("list the runners of {repository}"), &path, deadline).await
    }

    /// All runners that are registered for the organisation.
    ///
    /// # Errors
    /// As [`GitHub::reply`]. A personal account has no organisation: its answer is 404.
    pub async fn organization_runners(
        &self,
        owner: &str,
        deadline: Deadline,
    ) -> Result<Arc<Vec<ApiRunner>>, Error> {
        let path = format!("/orgs/{}/actions/runners?per_page=100", part(owner));
        let tried = format!("list the runners of the organisation {owner}");
        self.all_runners(&tried, &path, deadline).await
    }

    /// The runner of this name, from the repository's list, else from the organisation's; `None` when both are complete and lack it.
    ///
    /// # Errors
    /// It is in no list that could be read, and one could not be read.
    pub async fn registered(
        &self,
        repository: &str,
        name: &str,
        deadline: Deadline,
    ) -> Result<Option<Registered>, Error> {
        let named = |list: &Arc<Vec<ApiRunner>>, scope| {
            let runner = list.iter().find(|r| r.name == name.trim()).cloned()?;
            Some(Registered { runner, scope, list: Arc::clone(list) })
        };
        let own = self.repository_runners(repository, deadline).await;
        let found = own.as_ref().ok().and_then(|list| named(list, RunnerScope::Repository));
        if found.is_some() {
            return Ok(found);
        }
        let owner = repository.split_once('/').map_or(repository, |(owner, _)| owner);
        let shared = self.organization_runners(owner, deadline).await;
        let found = shared.as_ref().ok().and_then(|list| named(list, RunnerScope::Organization));
        if found.is_some() {
            return Ok(found);
        }
        // Only complete lists prove absence.
        own.and(shared).map(|_| None)
    }

    /// As [`GitHub::registered`], for readers to whom the list is all the same.
    ///
    /// # Errors
    /// As [`GitHub::registered`].
    pub async fn runner(
        &self,
        repository: &str,
        name: &str,
        deadline: Deadline,
    ) -> Result<Option<ApiRunner>, Error> {
        let found = self.registered(repository, name, deadline).await?;
        Ok(found.map(|found| found.runner))
    }

    async fn all_runners(
        &self,
        tried: &str,
        path: &str,
        deadline: Deadline,
    ) -> Result<Arc<Vec<ApiRunner>>, Error> {
        let read = async { self.list::<RunnerPage>(tried, path, deadline).await.map(Arc::new) };
        self.runners.get(path, read).await
    }
}
