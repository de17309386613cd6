//! Concurrency groups: who holds the lock of a deploy, and who waits for it.

use serde::Deserialize;

use super::super::error::Error;
use super::paging::page;
use super::runs::{reads_actions, seconds};
use super::{GitHub, part, path_of};
use crate::task::Deadline;

/// What GitHub knows about a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lock {
    /// Nobody holds it and nobody waits.
    Free,
    /// Who holds it or waits, in their order; nobody when it was taken between two questions.
    Taken(Vec<Member>),
    /// This server does not tell about groups.
    NotSupported,
}

/// A run or a job in a group.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Member {
    /// The run.
    pub run_id: u64,
    /// Name of the run.
    #[serde(default)]
    pub run_name: String,
    /// Page of the run.
    #[serde(default)]
    pub run_html_url: Option<String>,
    /// Name of the job, when the job and not the whole run is in the group.
    #[serde(default)]
    pub job_name: Option<String>,
    /// `in_progress` for the holder, `pending` for who waits, or another word.
    #[serde(default)]
    pub status: String,
}

#[derive(Deserialize)]
struct Members {
    group_members: Vec<Member>,
}

#[derive(Debug, Deserialize)]
struct Listed {
    group_name: String,
    #[serde(default)]
    last_acquired_at: Option<String>,
}

page!(ListedPage, Listed, "concurrency_groups");

impl GitHub {
    /// Who is in a group. GitHub answers 404 for a group that nobody holds, as for everything that a token may not see; only its list
    /// of active groups, read with the same token, makes it free for certain.
    ///
    /// # Errors
    /// As [`GitHub::reply`].
    pub async fn lock(
        &self,
        repository: &str,
        group: &str,
        now: i64,
        deadline: Deadline,
    ) -> Result<Lock, Error> {
        match self.members(repository, group, deadline).await {
            Err(error) if error.status() == Some(404) => {}
            other => return other.map(Lock::Taken),
        }
        let active = match self.active_groups(repository, deadline).await {
            Err(error) if error.status() == Some(404) => {
                // Not there or not to be seen: the runs need the same permission, so they tell which.
                self.recent_runs(repository, now, deadline).await?;
                return Ok(Lock::NotSupported);
            }
            other => other?,
        };
        let listed = active.iter().find(|g| g.group_name.eq_ignore_ascii_case(group));
        match listed.map(|g| g.group_name.as_str()) {
            None => Ok(Lock::Free),
            // Names differ by case: jobs do not care, paths do.
            Some(name) if name != group => {
                self.members(repository, name, deadline).await.map(Lock::Taken)
            }
            Some(_) => Ok(Lock::Taken(Vec::new())),
        }
    }

    /// When the holder of a group got it, in seconds since 1970; `None` when GitHub does not say.
    ///
    /// # Errors
    /// As [`GitHub::reply`].
    pub async fn lock_since(
        &self,
        repository: &str,
        group: &str,
        deadline: Deadline,
    ) -> Result<Option<i64>, Error> {
        let active = self.active_groups(repository, deadline).await?;
        let listed = active.iter().find(|g| g.group_name.eq_ignore_ascii_case(group));
        Ok(listed.and_then(|g| seconds(g.last_acquired_at.as_deref())))
    }

    async fn members(
        &self,
        repository: &str,
        group: &str,
        deadline: Deadline,
    ) -> Result<Vec<Member>, Error> {
        let path =
            format!("/repos/{}/actions/concurrency_groups/{}", path_of(repository), part(group));
        let tried = format!("read the concurrency group {group} of {repository}");
        let found = self.object::<Members>(&tried, &path, deadline).await;
        found.map(|found| found.group_members).map_err(reads_actions)
    }

    async fn active_groups(
        &self,
        repository: &str,
        deadline: Deadline,
    ) -> Result<Vec<Listed>, Error> {
        let path =
            format!("/repos/{}/actions/concurrency_groups?per_page=100", path_of(repository));
        let tried = format!("list the concurrency groups of {repository}");
        self.list::<ListedPage>(&tried, &path, deadline).await.map_err(reads_actions)
    }
}
