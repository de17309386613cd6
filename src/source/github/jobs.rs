//! Jobs of a run with their steps: what the server saw, also of a job whose machine is gone.

use serde::{Deserialize, Deserializer};

use super::super::error::Error;
use super::paging::page;
use super::runs::{reads_actions, seconds};
use super::{GitHub, path_of};
use crate::task::Deadline;

/// A job of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct RunJob {
    /// Its number, unique on the server; 0 on servers that do not say it.
    #[serde(default)]
    pub id: u64,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// `queued`, `in_progress`, `completed`, `waiting` or another word.
    #[serde(default)]
    pub status: String,
    /// `success`, `failure`, `cancelled`, `timed_out` or another word; `None` while it runs.
    #[serde(default)]
    pub conclusion: Option<String>,
    /// What it asks of a runner.
    #[serde(default)]
    pub labels: Vec<String>,
    /// When it was ready to run.
    #[serde(default)]
    pub created_at: Option<String>,
    /// When it began; the same as `created_at` on servers that do not say that.
    #[serde(default)]
    pub started_at: Option<String>,
    /// When the server took it for ended.
    #[serde(default)]
    pub completed_at: Option<String>,
    /// The runner that took it; `None` or blank when none did.
    #[serde(default)]
    pub runner_name: Option<String>,
    /// The group of that runner.
    #[serde(default)]
    pub runner_group_name: Option<String>,
    /// Its steps; none when no runner began.
    #[serde(default, deserialize_with = "or_none")]
    pub steps: Vec<Step>,
    /// Its page.
    #[serde(default)]
    pub html_url: Option<String>,
}

/// A step of a job.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Step {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Its place in the job, from 1.
    #[serde(default)]
    pub number: u64,
    /// `queued`, `pending`, `in_progress`, `completed` or another word.
    #[serde(default)]
    pub status: String,
    /// `success`, `failure`, `cancelled`, `skipped` or another word; `None` when it has not ended.
    #[serde(default)]
    pub conclusion: Option<String>,
    /// When it began.
    #[serde(default)]
    pub started_at: Option<String>,
    /// When it ended.
    #[serde(default)]
    pub completed_at: Option<String>,
}

impl RunJob {
    /// Since when it is ready to run, in seconds since 1970.
    pub fn ready(&self) -> Option<i64> {
        seconds(self.created_at.as_deref()).or_else(|| self.began())
    }

    /// When it began, in seconds since 1970.
    pub fn began(&self) -> Option<i64> {
        seconds(self.started_at.as_deref())
    }

    /// When the server took it for ended, in seconds since 1970.
    pub fn ended(&self) -> Option<i64> {
        seconds(self.completed_at.as_deref())
    }

    /// The runner that took it.
    pub fn runner(&self) -> Option<&str> {
        self.runner_name.as_deref().filter(|name| !name.is_empty())
    }
}

impl Step {
    /// How long it took, in seconds.
    pub fn took(&self) -> Option<i64> {
        Some(seconds(self.completed_at.as_deref())? - seconds(self.started_at.as_deref())?)
    }
}

/// Some servers write `null` where a list is empty.
fn or_none<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Step>, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

#[derive(Deserialize)]
struct Jobs {
    jobs: Vec<RunJob>,
}

page!(JobPage, RunJob, "jobs");

impl GitHub {
    /// The first hundred jobs of the newest attempt of a run.
    ///
    /// # Errors
    /// As [`GitHub::reply`].
    pub async fn run_jobs(
        &self,
        repository: &str,
        run: u64,
        deadline: Deadline,
    ) -> Result<Vec<RunJob>, Error> {
        let path = format!(
            "/repos/{}/actions/runs/{run}/jobs?filter=latest&per_page=100",
            path_of(repository)
        );
        let tried = format!("list the jobs of run {run} of {repository}");
        let read = self.object::<Jobs>(&tried, &path, deadline).await;
        read.map(|found| found.jobs).map_err(reads_actions)
    }

    /// All jobs of one attempt of a run, in the server's order. All who ask in one round share the requests.
    ///
    /// # Errors
    /// As [`GitHub::reply`].
    pub async fn attempt_jobs(
        &self,
        repository: &str,
        (run, attempt): (u64, u64),
        deadline: Deadline,
    ) -> Result<Vec<RunJob>, Error> {
        let path = format!(
            "/repos/{}/actions/runs/{run}/attempts/{attempt}/jobs?per_page=100",
            path_of(repository)
        );
        let tried = format!("list the jobs of run {run} of {repository}, attempt {attempt}");
        self.list::<JobPage>(&tried, &path, deadline).await.map_err(reads_actions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_read_whatever_the_server_leaves_out() {
        let job: RunJob = serde_json::from_str(r#"{"id": 7, "steps": null}"#).unwrap();
        assert_eq!(job, RunJob { id: 7, ..RunJob::default() });
        let job: RunJob = serde_json::from_str(
            r#"{"runner_name": "", "steps": [{"number": 1, "status": "new word",
                "started_at": "1970-01-01T00:00:10Z", "completed_at": "1970-01-01T00:00:15.5Z"}]}"#,
        )
        .unwrap();
        assert_eq!((job.runner(), job.steps[0].took()), (None, Some(5)));
    }
}
