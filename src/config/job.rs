//! Facts of the job that the callers of the checks hand in: who we are, where things lie, and the secret values that were passed.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// The job, as the environment tells it. Every field may be empty outside of a workflow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Job {
    /// `owner/name`.
    pub repository: String,
    /// Base address of the API, without a trailing slash.
    pub api_url: String,
    /// Base address of the server.
    pub server_url: String,
    /// Numeric id of the run.
    pub run_id: String,
    /// Attempt of the run.
    pub run_attempt: String,
    /// Name of the workflow.
    pub workflow: String,
    /// Key of the job in its file.
    pub job: String,
    /// Name of the runner that this process is on.
    pub runner_name: String,
    /// The workspace.
    pub workspace: PathBuf,
    /// The runner's folder for temporary files.
    pub temp: PathBuf,
    /// The path of the work folder as the host sees it (`RUNNER_WORKSPACE` is not translated into the container).
    pub host_workspace: String,
    /// Status of the job as the server evaluated it: `success`, `failure`, `cancelled`, or empty when it is not known.
    pub status: String,
    /// Names of all environment variables; never their values.
    pub variable_names: Vec<String>,
    /// Value of `ANSIBLE_LOG_PATH`.
    pub ansible_log_path: String,
    /// Values of `JUNIT_OUTPUT_DIR` and `ANSIBLE_CALLBACK_TREE_DIR`, as far as they are set.
    pub ansible_folders: Vec<String>,
    /// Name of the event that started the run.
    pub event: String,
    /// Who started the run.
    pub actor: String,
    /// Branch or tag, as `refs/heads/main`.
    pub git_ref: String,
    /// The commit; of a pull request the one that it would be merged as.
    pub sha: String,
    /// `owner/name/.github/workflows/deploy.yml@refs/heads/main`.
    pub workflow_ref: String,
    /// Where an identity token can be had; `None` without the permission `id-token: write`.
    pub identity: Option<IdentityRequest>,
    /// Values of configuration variables handed in as `RUNNER_GUARD_VARIABLE_<NAME>`, by name.
    pub variables: BTreeMap<String, String>,
    /// Folders with programs, as `PATH` names them.
    pub path: String,
    /// Start of the run in seconds since 1970; files older than this are not evidence of this job. 0 when it is not known.
    pub started: i64,
    /// Id and attempt of the run that this one was started to look at (event `workflow_run`); `None` when it looks at itself.
    pub subject_run: Option<(u64, u64)>,
}

impl Job {
    /// The owner's name.
    pub fn owner(&self) -> &str {
        self.repository.split_once('/').map_or("", |(owner, _)| owner)
    }
}

/// Where the runner gives identity tokens for this job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityRequest {
    /// The address, with a query.
    pub url: String,
    /// The token to ask with.
    pub token: SecretValue,
}

/// A secret value that the workflow passed. `Debug` prints no value.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretValue(String);

impl SecretValue {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself; for comparison and for the redactor, never for output.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The values handed in as `RUNNER_GUARD_SECRET_<NAME>`, by name.
pub type SecretValues = BTreeMap<String, SecretValue>;
