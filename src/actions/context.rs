//! What the environment says about the run: which stage this is, where the runner's files are, and who the job is.

use std::path::PathBuf;

use super::env::{Environment, program_name};
use super::files::CommandFiles;

/// Which stage of the action this process is. It is told by the executable's name: state and arguments are not always there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The step itself (`/runner-guard`).
    Main,
    /// The end of the job (`/runner-guard-post`).
    Post,
}

impl Stage {
    /// The stage for the name under which the program was started.
    pub fn of(program: &str) -> Self {
        if program == "runner-guard-post" { Self::Post } else { Self::Main }
    }

    /// The stage of this process.
    pub fn current() -> Self {
        Self::of(&program_name())
    }
}

/// What the environment says. Blank when the variable is missing.
#[derive(Debug, Clone)]
pub struct Context {
    /// Whether a runner started this process (`GITHUB_ACTIONS`).
    pub in_actions: bool,
    /// Whether the user asked for debug output (`RUNNER_DEBUG`).
    pub debug: bool,
    /// `owner/name`.
    pub repository: String,
    /// Base address of the API.
    pub api_url: String,
    /// Base address of the server.
    pub server_url: String,
    /// Numeric id of the run.
    pub run_id: String,
    /// Attempt of the run.
    pub run_attempt: String,
    /// Name of the workflow.
    pub workflow: String,
    /// Key of the job.
    pub job: String,
    /// Name of the runner.
    pub runner_name: String,
    /// The workspace; the current folder outside of a workflow.
    pub workspace: PathBuf,
    /// The runner's folder for temporary files.
    pub temp: PathBuf,
    /// Path of the work folder as the host sees it.
    pub host_workspace: String,
    /// Repository of the action, blank for a local one.
    pub action_repository: String,
    /// Ref of the action.
    pub action_ref: String,
    /// The command files.
    pub files: CommandFiles,
    /// Address of the results service that takes artifacts.
    pub results_url: String,
    /// Days that the repository keeps artifacts at most.
    pub retention_days: Option<u16>,
}

impl Context {
    /// Reads the environment.
    pub fn new(env: &Environment) -> Self {
        let or = |name: &str, default: &str| {
            env.get(name).map_or_else(|| default.to_owned(), |v| v.trim().to_owned())
        };
        Self {
            in_actions: env.text("GITHUB_ACTIONS") == "true",
            debug: env.text("RUNNER_DEBUG") == "1",
            repository: env.text("GITHUB_REPOSITORY"),
            api_url: or("GITHUB_API_URL", "https://api.github.com")
                .trim_end_matches('/')
                .to_owned(),
            server_url: or("GITHUB_SERVER_URL", "https://github.com")
                .trim_end_matches('/')
                .to_owned(),
            run_id: env.text("GITHUB_RUN_ID"),
            run_attempt: or("GITHUB_RUN_ATTEMPT", "1"),
            workflow: env.text("GITHUB_WORKFLOW"),
            job: env.text("GITHUB_JOB"),
            runner_name: env.text("RUNNER_NAME"),
            workspace: PathBuf::from(or("GITHUB_WORKSPACE", ".")),
            temp: PathBuf::from(or("RUNNER_TEMP", &or("TMPDIR", "/tmp"))),
            host_workspace: env.text("RUNNER_WORKSPACE"),
            action_repository: env.text("GITHUB_ACTION_REPOSITORY"),
            action_ref: env.text("GITHUB_ACTION_REF"),
            files: CommandFiles::new(env),
            results_url: env.text("ACTIONS_RESULTS_URL"),
            retention_days: env.text("GITHUB_RETENTION_DAYS").parse().ok(),
        }
    }

    /// Address of the run, empty outside of a workflow.
    pub fn run_url(&self) -> String {
        if self.repository.is_empty() || self.run_id.is_empty() {
            return String::new();
        }
        format!("{}/{}/actions/runs/{}", self.server_url, self.repository, self.run_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stage_is_told_by_the_name_of_the_program() {
        assert_eq!(Stage::of("runner-guard"), Stage::Main);
        assert_eq!(Stage::of("runner-guard-post"), Stage::Post);
    }

    #[test]
    fn blank_and_missing_variables_read_the_same() {
        let context = Context::new(&Environment::of([
            ("GITHUB_API_URL", " "),
            ("GITHUB_REPOSITORY", "\u{feff}octo/app\n"),
        ]));
        assert_eq!(context.api_url, "https://api.github.com");
        assert_eq!(context.repository, "octo/app");
        assert!(context.run_url().is_empty());
    }
}
