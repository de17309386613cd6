//! When GitHub stops giving jobs to a version of the runner.

use serde::Deserialize;

use super::super::error::Error;
use super::{GitHub, RunnerScope, part, path_of};
use crate::task::Deadline;

/// The end of a version; the dates are ISO 8601 as the server wrote them, `None` when none is announced.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct VersionEnd {
    /// When a runner of this version can not be registered any more.
    pub registration_deprecates_at: Option<String>,
    /// When a runner of this version gets no jobs any more.
    pub runtime_deprecates_at: Option<String>,
}

impl GitHub {
    /// The end of a version, asked where the runner is registered: the same permission opens both.
    ///
    /// # Errors
    /// As [`GitHub::reply`]. Servers that do not have this path answer 404.
    pub async fn version_end(
        &self,
        repository: &str,
        scope: RunnerScope,
        version: &str,
        deadline: Deadline,
    ) -> Result<VersionEnd, Error> {
        let place = match scope {
            RunnerScope::Repository => format!("/repos/{}", path_of(repository)),
            RunnerScope::Organization => {
                format!("/orgs/{}", part(repository.split_once('/').map_or(repository, |(o, _)| o)))
            }
        };
        let path = format!("{place}/actions/runners/deprecations/{}", part(version));
        let tried = format!("ask when version {version} of the runner ends");
        self.object(&tried, &path, deadline).await
    }
}
