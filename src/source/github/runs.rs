//! Runs of workflows, as far as the gate asks for them: what the last hour brought.

use jiff::Timestamp;
use serde::Deserialize;

use super::super::error::{Cause, Error};
use super::limits::advised;
use super::{GitHub, part, path_of};
use crate::task::Deadline;

/// How far back [`GitHub::recent_runs`] looks, in seconds.
pub const RECENT: i64 = 3600;

/// Runs that were started in the last hour, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Runs {
    /// How many there are; more than were read when there are over a hundred.
    #[serde(default)]
    pub total_count: usize,
    /// The newest hundred of them.
    #[serde(rename = "workflow_runs")]
    pub runs: Vec<Run>,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Run {
    /// Its number, unique on the server.
    pub id: u64,
    /// Name of its workflow.
    #[serde(default)]
    pub name: Option<String>,
    /// File of its workflow, perhaps with `@` and a branch.
    #[serde(default)]
    pub path: String,
    /// `queued`, `in_progress`, `completed` or another word.
    #[serde(default)]
    pub status: Option<String>,
    /// `success`, `failure` or another word; `None` while it runs.
    #[serde(default)]
    pub conclusion: Option<String>,
    /// When it was first started.
    #[serde(default)]
    pub created_at: Option<String>,
    /// When its newest attempt was started.
    #[serde(default)]
    pub run_started_at: Option<String>,
    /// Its page.
    #[serde(default)]
    pub html_url: String,
    /// Who started it.
    #[serde(default)]
    pub actor: Option<Actor>,
}

/// Who started a run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Actor {
    /// The name of the account.
    pub login: String,
}

impl Run {
    /// When its newest attempt was started, in seconds since 1970.
    pub fn began(&self) -> Option<i64> {
        seconds(self.run_started_at.as_deref()).or_else(|| seconds(self.created_at.as_deref()))
    }

    /// The file of its workflow without a branch.
    pub fn file(&self) -> &str {
        self.path.split_once('@').map_or(self.path.as_str(), |(file, _)| file)
    }
}

impl GitHub {
    /// The runs that were started in the hour before `now` (seconds since 1970). All who ask in one round share one request.
    ///
    /// # Errors
    /// As [`GitHub::reply`].
    pub async fn recent_runs(
        &self,
        repository: &str,
        now: i64,
        deadline: Deadline,
    ) -> Result<Runs, Error> {
        let since = Timestamp::from_second(now - RECENT).unwrap_or_default().to_string();
        let path = format!(
            "/repos/{}/actions/runs?per_page=100&created=%3E%3D{}",
            path_of(repository),
            part(&since)
        );
        let tried = format!("list the runs of the last hour of {repository}");
        self.object(&tried, &path, deadline).await.map_err(reads_actions)
    }
}

/// A time as the API writes it, in seconds since 1970.
pub(super) fn seconds(text: Option<&str>) -> Option<i64> {
    text?.parse::<Timestamp>().ok().map(Timestamp::as_second)
}

/// With the permission that every reader of Actions needs, where the refusal may be about one. Other than for runners and secrets, the
/// workflow's own token can have it.
pub(super) fn reads_actions(error: Error) -> Error {
    let refused = matches!(error.cause(), Cause::Permission { .. }) || error.status() == Some(404);
    if !refused {
        return advised(error);
    }
    error.with_help(
        "grant the job `permissions: actions: read`; the token of a GitHub App and a fine-grained one need Actions: read (repository)",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_attempt_of_a_run_counts_and_its_file_has_no_branch() {
        let run: Run = serde_json::from_str(
            r#"{"id": 1, "path": ".github/workflows/d.yml@main", "created_at": "1970-01-01T00:00:10Z", "run_started_at": "1970-01-01T01:00:00Z"}"#,
        )
        .unwrap();
        assert_eq!((run.began(), run.file()), (Some(3600), ".github/workflows/d.yml"));
        assert_eq!(Run { run_started_at: None, ..run.clone() }.began(), Some(10));
        assert_eq!(
            Run { created_at: None, run_started_at: Some("soon".into()), ..run }.began(),
            None
        );
    }
}
