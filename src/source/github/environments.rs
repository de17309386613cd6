//! Deployment environments and their protection rules.

use serde::Deserialize;

use super::super::error::Error;
use super::runs::reads_actions;
use super::{GitHub, part, path_of};
use crate::task::Deadline;

/// A deployment environment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// What a job must pass before it starts. Rules of other Apps are not among them.
    #[serde(default)]
    pub protection_rules: Vec<ProtectionRule>,
    /// Which branches may deploy; `None` means every one.
    #[serde(default)]
    pub deployment_branch_policy: Option<BranchPolicy>,
    /// Whether administrators may pass by the rules, where the server says so.
    #[serde(default)]
    pub can_admins_bypass: Option<bool>,
}

/// A rule of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ProtectionRule {
    /// `required_reviewers`, `wait_timer`, `branch_policy` or another word.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// Minutes that a job waits.
    #[serde(default)]
    pub wait_timer: Option<u64>,
    /// Whether who started a deploy may not approve it.
    #[serde(default)]
    pub prevent_self_review: Option<bool>,
    /// Who may approve.
    #[serde(default)]
    pub reviewers: Option<Vec<Reviewer>>,
}

/// Who may approve.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Reviewer {
    /// The account or team.
    #[serde(default)]
    pub reviewer: Account,
}

/// An account or a team.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Account {
    /// The name of an account.
    #[serde(default)]
    pub login: Option<String>,
    /// The name of a team.
    #[serde(default)]
    pub slug: Option<String>,
}

impl Account {
    /// The name that people know it by.
    pub fn word(&self) -> &str {
        self.login.as_deref().or(self.slug.as_deref()).unwrap_or("somebody without a name")
    }
}

/// Which branches may deploy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct BranchPolicy {
    /// Only protected ones.
    #[serde(default)]
    pub protected_branches: bool,
    /// Those that fit a list of patterns.
    #[serde(default)]
    pub custom_branch_policies: bool,
}

impl GitHub {
    /// An environment; `None` when it does not exist for certain: a 404 counts only when the same token can read the runs of the
    /// repository, which needs the same permission.
    ///
    /// # Errors
    /// As [`GitHub::reply`].
    pub async fn environment(
        &self,
        repository: &str,
        name: &str,
        now: i64,
        deadline: Deadline,
    ) -> Result<Option<Environment>, Error> {
        let path = format!("/repos/{}/environments/{}", path_of(repository), part(name));
        let tried = format!("read the environment {name} of {repository}");
        let error = match self.object(&tried, &path, deadline).await {
            Ok(found) => return Ok(Some(found)),
            Err(error) => reads_actions(error),
        };
        if error.status() == Some(404) && self.recent_runs(repository, now, deadline).await.is_ok()
        {
            return Ok(None);
        }
        Err(error)
    }
}
