//! Runner groups of an organisation, as far as a repository may use them.

use serde::Deserialize;

use super::super::error::Error;
use super::paging::page;
use super::{GitHub, part};
use crate::task::Deadline;

/// A group of runners.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct RunnerGroup {
    /// Its id, as runners name it.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Whether public repositories may use it: a fork's pull request can then reach its runners.
    pub allows_public_repositories: bool,
    /// Whether only the workflows of `selected_workflows` may use it.
    pub restricted_to_workflows: bool,
    /// `owner/name/.github/workflows/file.yml@ref`, where the ref may be short, long or a commit.
    pub selected_workflows: Vec<String>,
}

page!(GroupPage, RunnerGroup, "runner_groups");

impl GitHub {
    /// The organisation's groups that this repository may use.
    ///
    /// # Errors
    /// As [`GitHub::reply`]. A personal account has no groups: its answer is 404.
    pub async fn runner_groups(
        &self,
        repository: &str,
        deadline: Deadline,
    ) -> Result<Vec<RunnerGroup>, Error> {
        let (owner, name) = repository.split_once('/').unwrap_or((repository, ""));
        let path = format!(
            "/orgs/{}/actions/runner-groups?visible_to_repository={}&per_page=100",
            part(owner),
            part(name)
        );
        let tried = format!("list the runner groups of {owner} that {repository} may use");
        self.list::<GroupPage>(&tried, &path, deadline).await
    }
}
