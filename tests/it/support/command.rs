//! The binary as a user starts it, in a workspace of its own and with an environment that no runner left behind.
#![expect(
    clippy::disallowed_methods,
    reason = "tests start the program and read the files that it leaves"
)]

use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::OnceLock;

use base64::Engine as _;
use serde_json::Value;
use tempfile::TempDir;

use super::http::{Behaviour, serve};

/// One run of the binary, being prepared.
pub(crate) struct Guard {
    folder: TempDir,
    env: Vec<(String, String)>,
    args: Vec<String>,
    name: &'static str,
}

/// What a run left.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    folder: TempDir,
}

impl Guard {
    /// A plain command.
    pub(crate) fn plain(args: &[&str]) -> Self {
        let args = args.iter().map(|&a| a.to_owned()).collect();
        Self {
            folder: TempDir::new().expect("folder"),
            env: Vec::new(),
            args,
            name: "runner-guard",
        }
    }

    /// The gate of a preflight command with this configuration.
    pub(crate) fn preflight(config: &str) -> Self {
        Self::plain(&["preflight", "--config", "c.yml", "--format", "json"]).file("c.yml", config)
    }

    /// The action as a runner starts it: `/runner-guard` or `/runner-guard-post`.
    pub(crate) fn action(name: &'static str) -> Self {
        let guard = Self { name, ..Self::plain(&[]) };
        let at = |part: &str| guard.path(part).display().to_string();
        let variables = [
            ("GITHUB_WORKSPACE", at("ws")),
            ("RUNNER_TEMP", at("temp")),
            ("GITHUB_OUTPUT", at("commands/output")),
            ("GITHUB_STEP_SUMMARY", at("commands/summary")),
            ("GITHUB_STATE", at("commands/state")),
        ];
        for part in ["ws", "temp", "commands"] {
            std::fs::create_dir_all(guard.path(part)).expect("folder");
        }
        let fixed = [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_REPOSITORY", "octo/app"),
            ("GITHUB_RUN_ID", "77"),
            ("GITHUB_JOB", "deploy"),
            ("RUNNER_NAME", "prod-a"),
        ];
        let guard = variables.into_iter().fold(guard, |g, (name, value)| g.env(name, &value));
        fixed.into_iter().fold(guard, |g, (name, value)| g.env(name, value))
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn file(self, path: &str, text: &str) -> Self {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().expect("parent")).expect("folder");
        std::fs::write(path, text).expect("file");
        self
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// The prepared command.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runner-guard"));
        command.arg0(format!("/{}", self.name)).args(&self.args).current_dir(self.folder.path());
        command
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("GITHUB_API_URL", somebody_answers())
            .envs(self.env.iter().cloned());
        command
    }

    /// Runs another program in the surroundings of this one.
    pub(crate) fn through(self, program: &std::path::Path, args: &[&str]) -> Ended {
        let own = self.command();
        let mut command = Command::new(program);
        command.args(args).current_dir(self.folder.path()).env_clear();
        command.envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Ended::new(&command.output().expect("the program starts"), self.folder)
    }

    pub(crate) fn run(self) -> Ended {
        let output = self.command().output().expect("the program starts");
        Ended::new(&output, self.folder)
    }
}

impl Ended {
    fn new(output: &Output, folder: TempDir) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let code = output.status.code().unwrap_or(-1);
        Self { code, stdout: text(&output.stdout), stderr: text(&output.stderr), folder }
    }

    /// The JSON report on stdout.
    pub(crate) fn report(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|e| panic!("no report ({e})\n{}\n{}", self.stdout, self.stderr))
    }

    /// The row of a check.
    pub(crate) fn finding(&self, check: &str) -> Value {
        let report = self.report();
        let all = report["findings"].as_array().cloned().unwrap_or_default();
        all.into_iter()
            .find(|f| f["check"] == check)
            .unwrap_or_else(|| panic!("no row {check}: {report:#}"))
    }

    /// A file that the run left; empty when there is none.
    pub(crate) fn left(&self, path: &str) -> String {
        String::from_utf8_lossy(&self.bytes(path)).into_owned()
    }

    /// As [`Ended::left`], for a file that is no text.
    pub(crate) fn bytes(&self, path: impl AsRef<std::path::Path>) -> Vec<u8> {
        std::fs::read(self.folder.path().join(path)).unwrap_or_default()
    }
}

/// The address of a server that is there, in place of GitHub's API: tests need no network.
fn somebody_answers() -> String {
    static ADDRESS: OnceLock<SocketAddr> = OnceLock::new();
    let answer = || serve(Behaviour::Answer(200, "application/json", "{}".to_owned()));
    format!("http://{}", ADDRESS.get_or_init(answer))
}

/// A runtime token with these backend ids, as the runner hands it to a container action.
pub(crate) fn runtime_token(ids: &str) -> String {
    let part = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    let claims = format!(r#"{{"scp":"Actions.Results:{ids}"}}"#);
    format!("{}.{}.{}", part(r#"{"alg":"none"}"#), part(&claims), part("signature"))
}
