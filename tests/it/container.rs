//! The image as the runner starts it: GitHub's own flags, mounts and environment, both stages, signals to process 1.
#![expect(
    clippy::disallowed_methods,
    reason = "the tests start containers and read what they leave"
)]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::IpAddr;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::command::runtime_token;
use crate::support::fake_github::{FakeGitHub, Script};
use crate::support::http::{Behaviour, serve_at};

const OWNER: u32 = 1234;

/// The folders of a runner, as they lie on its host.
struct Runner {
    folder: TempDir,
    env: Vec<(String, String)>,
    name: String,
    /// Where the workspace is mounted, and how.
    workspace: &'static str,
}

impl Runner {
    fn new() -> Self {
        let folder = TempDir::new().expect("folder");
        let name = format!(
            "runner-guard-test-{}",
            folder.path().file_name().expect("name").to_string_lossy().trim_start_matches('.')
        );
        let runner = Self { folder, env: Vec::new(), name, workspace: "/github/workspace" };
        for part in [
            "_diag",
            "_work/_temp/_github_home",
            "_work/_temp/_github_workflow",
            "_work/_temp/_runner_file_commands",
            "_work/app/app/.github",
        ] {
            std::fs::create_dir_all(runner.path(part)).expect("folder");
        }
        for file in ["output", "summary", "state"] {
            runner.file(&format!("_work/_temp/_runner_file_commands/{file}"), "");
        }
        let fixed = [
            ("GITHUB_ACTIONS", "true"),
            ("CI", "true"),
            ("HOME", "/github/home"),
            ("GITHUB_WORKSPACE", "/github/workspace"),
            ("GITHUB_OUTPUT", "/github/file_commands/output"),
            ("GITHUB_STEP_SUMMARY", "/github/file_commands/summary"),
            ("GITHUB_STATE", "/github/file_commands/state"),
            ("GITHUB_REPOSITORY", "octo/app"),
            ("GITHUB_JOB", "deploy"),
            ("GITHUB_RUN_ID", "77"),
            ("RUNNER_NAME", "prod-a"),
            ("RUNNER_TEMP", "/github/runner_temp"),
        ];
        let workspace = runner.path("_work/app").display().to_string();
        let runner = fixed.into_iter().fold(runner, |r, (name, value)| r.env(name, value));
        let runner = runner.env("RUNNER_WORKSPACE", &workspace);
        runner.give_to_its_user();
        runner
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    fn path(&self, part: &str) -> PathBuf {
        self.folder.path().join(part)
    }

    fn file(&self, part: &str, text: &str) {
        std::fs::write(self.path(part), text).expect("file");
    }

    fn config(self, text: &str) -> Self {
        self.file("_work/app/app/.github/runner-guard.yml", text);
        self
    }

    fn give_to_its_user(&self) {
        let mut all = vec![self.folder.path().to_path_buf()];
        while let Some(path) = all.pop() {
            chown(&path, Some(OWNER), Some(OWNER)).expect("owner");
            if path.is_dir() {
                all.extend(std::fs::read_dir(&path).expect("folder").flatten().map(|e| e.path()));
            }
        }
    }

    /// The runner's own argument list: environment by name only, values in the environment of the docker command.
    fn command(&self, entrypoint: &str) -> Command {
        self.command_with(&[], entrypoint)
    }

    fn command_with(&self, flags: &[&str], entrypoint: &str) -> Command {
        let mut command = Command::new("docker");
        command.args([
            "run",
            "--name",
            &self.name,
            "--label",
            "5e01a2",
            "--workdir",
            "/github/workspace",
            "--rm",
        ]);
        for (name, value) in &self.env {
            command.args(["-e", name]).env(name, value);
        }
        command.args(flags).args(["--entrypoint", entrypoint]);
        for (host, inside) in [
            ("_work/_temp", "/github/runner_temp"),
            ("_work/_temp/_github_home", "/github/home"),
            ("_work/_temp/_github_workflow", "/github/workflow"),
            ("_work/_temp/_runner_file_commands", "/github/file_commands"),
            ("_work/app/app", self.workspace),
        ] {
            command.arg("-v").arg(format!("{}:{inside}", self.path(host).display()));
        }
        command.args(["-v", "/var/run/docker.sock:/var/run/docker.sock"]).arg(image());
        command
    }

    fn run(&self, entrypoint: &str) -> Output {
        self.command(entrypoint).output().expect("docker runs")
    }

    fn start(&self, entrypoint: &str) -> Child {
        self.command(entrypoint)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("docker runs")
    }

    fn left(&self, part: &str) -> String {
        std::fs::read_to_string(self.path(part)).unwrap_or_default()
    }

    fn summary(&self) -> String {
        self.left("_work/_temp/_runner_file_commands/summary")
    }
}

fn image() -> String {
    std::env::var("RUNNER_GUARD_IMAGE")
        .expect("RUNNER_GUARD_IMAGE names the image; run `make test`, which builds it")
}

/// The address under which a container on the default bridge reaches this machine: the first of its subnet. (An engine names the
/// gateway only after its first restart.)
fn gateway() -> String {
    let format = "{{(index .IPAM.Config 0).Subnet}}";
    let output = Command::new("docker")
        .args(["network", "inspect", "bridge", "--format", format])
        .output()
        .expect("docker");
    let subnet = text(&output.stdout);
    let (network, _) = subnet.split_once(".0/").expect("a subnet of the bridge");
    format!("{network}.1")
}

fn github() -> FakeGitHub {
    let address: IpAddr = gateway().parse().expect("the gateway of the bridge");
    FakeGitHub::start_at((address, 0).into(), Script::default())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_gate_passes_and_hands_its_decision_over() {
    let github = github();
    let runner = Runner::new().env("GITHUB_API_URL", &github.url());
    let output = runner.run("/runner-guard");
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    let outputs = runner.left("_work/_temp/_runner_file_commands/output");
    assert!(outputs.contains("verdict<<ghadelimiter_"), "{outputs}");
    assert!(runner.summary().contains("Gate passed"), "{}", runner.summary());
    let report = runner.left("_work/_temp/runner-guard/preflight.json");
    assert!(report.contains("at /github/workspace"), "{report}");
    assert!(report.contains("the engine answers"), "{report}");
    let left = runner.path("_work/_temp/runner-guard/preflight.json");
    assert_eq!(
        left.metadata().expect("the report is left").uid(),
        OWNER,
        "the next job could not delete it"
    );
    assert_eq!(left.parent().and_then(|p| p.metadata().ok()).map(|m| m.uid()), Some(OWNER));
}

#[test]
fn a_blocked_gate_fails_the_step_with_an_annotation() {
    let github = github();
    let runner = Runner::new()
        .env("GITHUB_API_URL", &github.url())
        .env("INPUT_REQUIRED-SECRETS", "DEPLOY_KEY")
        .env("RUNNER_GUARD_SECRET_DEPLOY_KEY", "");
    let output = runner.run("/runner-guard");
    assert_eq!(output.status.code(), Some(10), "{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("\n::error title="), "{}", text(&output.stdout));
    assert!(
        runner.summary().starts_with("### ⛔ Gate blocked: secret-present"),
        "{}",
        runner.summary()
    );
    // The end of the same job: the gate said why, and there is no failed deploy to explain.
    let before = runner.summary();
    let runner = runner.env("INPUT_JOB-STATUS", "failure");
    let post = runner.run("/runner-guard-post");
    assert_eq!(post.status.code(), Some(0));
    assert!(text(&post.stdout).contains("the gate blocked this deploy"), "{}", text(&post.stdout));
    assert_eq!(runner.summary(), before);
}

#[test]
fn the_end_of_a_failed_job_names_the_cause_and_uploads_the_evidence() {
    let github = github();
    let runner = Runner::new()
        .env("GITHUB_API_URL", &github.url())
        .env("INPUT_JOB-STATUS", "failure")
        .env("INPUT_ARTIFACT-NAME", "box")
        .env("INPUT_DOCKER-SOCKET", "true")
        .env("ACTIONS_RESULTS_URL", &github.url())
        .env("ACTIONS_RUNTIME_TOKEN", &runtime_token("run-1:job-1"));
    runner.file("_work/app/app/ansible.log", include_str!("../fixtures/ansible/deploy-2.19.txt"));
    runner.file(
        "_diag/Worker_20260101-000000-utc.log",
        "[2026-01-01 00:00:00Z INFO Worker] Version: 2.336.0\n",
    );
    let output = runner.run("/runner-guard-post");
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    let summary = runner.summary();
    assert!(summary.starts_with("### ❌ Deploy failed: "), "{summary}\n{}", text(&output.stdout));
    assert!(summary.contains("through the Docker socket"), "{summary}");
    let artifact =
        github.artifact("box").unwrap_or_else(|| panic!("no artifact\n{}", text(&output.stdout)));
    let zip = zip::ZipArchive::new(std::io::Cursor::new(artifact)).expect("zip");
    let names: Vec<String> = zip.file_names().flatten().map(std::borrow::Cow::into_owned).collect();
    assert!(names.iter().any(|n| n == "runner-logs/Worker_20260101-000000-utc.log"), "{names:?}");
    let readers = Command::new("docker")
        .args(["ps", "--all", "--quiet", "--filter", "label=runner-guard=reader"])
        .output()
        .expect("docker");
    assert_eq!(text(&readers.stdout), "", "a reading container stayed behind");
}

/// What lies in the folders of a runner: every file with its bytes.
fn everything(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut all, mut folders) = (BTreeMap::new(), vec![folder.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        all.insert(folder.clone(), Vec::new());
        for path in std::fs::read_dir(&folder).expect("folder").flatten().map(|e| e.path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                all.insert(path.clone(), std::fs::read(&path).expect("file"));
            }
        }
    }
    all
}

#[test]
fn the_end_of_a_green_job_writes_nothing_at_all_and_is_over_at_once() {
    let runner = Runner::new().env("INPUT_JOB-STATUS", "success");
    // A deploy that went well, beside sources that a search has to pass.
    let recap = "web1 : ok=3 changed=1 unreachable=0 failed=0 skipped=0 rescued=0 ignored=0\n";
    runner.file(
        "_work/app/app/ansible.log",
        &format!("PLAY [Deploy] ***\n\nPLAY RECAP ***\n{recap}"),
    );
    for number in 0..300 {
        runner.file(&format!("_work/app/app/source-{number}.txt"), "nothing to see\n");
    }
    let before = everything(runner.folder.path());
    let (mut ours, mut engines) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        let start = Instant::now();
        let output = runner.run("/runner-guard-post");
        ours.push(start.elapsed());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let line = "runner-guard: the job succeeded, and nothing contradicts it";
        assert_eq!(text(&output.stdout).trim(), line);
        let start = Instant::now();
        let version = runner.command("/runner-guard").arg("--version").output().expect("docker");
        engines.push(start.elapsed());
        assert!(version.status.success());
    }
    assert!(everything(runner.folder.path()) == before, "something was written");
    // Not judged here: most of it is the engine's, and depends on what else the machine does.
    let middle = |times: &mut Vec<Duration>| {
        times.sort();
        times[2].as_millis()
    };
    let words = format!(
        "`docker run` of the end of a green job: {} ms, of --version: {} ms\n",
        middle(&mut ours),
        middle(&mut engines)
    );
    let _ = std::io::stderr().write_all(words.as_bytes());
}

#[test]
fn a_green_job_with_a_failed_recap_is_one_warning_and_says_so_in_the_first_line() {
    let github = github();
    let runner = Runner::new()
        .env("GITHUB_API_URL", &github.url())
        .env("INPUT_JOB-STATUS", "success")
        .env("INPUT_ARTIFACT-NAME", "box")
        .env("ACTIONS_RESULTS_URL", &github.url())
        .env("ACTIONS_RUNTIME_TOKEN", &runtime_token("run-1:job-1"));
    runner.file("_work/app/app/ansible.log", include_str!("../fixtures/ansible/deploy-2.19.txt"));
    let output = runner.run("/runner-guard-post");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    let warnings: Vec<&str> = said.lines().filter(|l| l.starts_with("::warning")).collect();
    assert!(
        matches!(warnings[..], [one] if one.contains("Job is green%2C but something failed")),
        "{warnings:?}"
    );
    let summary = runner.summary();
    assert_eq!(summary.matches("Job is green").count(), 1, "{summary}");
    assert!(summary.starts_with("### ⚠️ Job is green, but something failed"), "{summary}");
    assert!(github.artifact("box").is_some(), "{said}");
}

#[test]
fn a_workspace_that_is_mounted_read_only_costs_nothing_but_a_copy() {
    let github = github();
    let mut runner = Runner::new()
        .env("GITHUB_API_URL", &github.url())
        .env("INPUT_JOB-STATUS", "failure")
        .env("ACTIONS_RESULTS_URL", "");
    runner.workspace = "/github/workspace:ro";
    runner.file("_work/app/app/ansible.log", include_str!("../fixtures/ansible/deploy-2.19.txt"));
    let output = runner.run("/runner-guard-post");
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("::warning title=Evidence was not uploaded::"), "{said}");
    assert!(said.contains("the bundle does not outlive the job"), "{said}");
    assert!(runner.summary().starts_with("### ❌ Deploy failed: "), "{}", runner.summary());
    let bundle = runner.path("_work/_temp/runner-guard/runner-guard-bundle.tar.gz");
    assert!(bundle.is_file(), "{said}");
}

#[test]
fn a_disk_that_is_full_in_the_container_costs_the_bundle_and_not_the_summary() {
    let github = github();
    let runner =
        Runner::new().env("GITHUB_API_URL", &github.url()).env("INPUT_JOB-STATUS", "failure");
    runner.file("_work/app/app/ansible.log", include_str!("../fixtures/ansible/deploy-2.19.txt"));
    let runner = runner.env("RUNNER_TEMP", "/full");
    let mut command = runner.command_with(&["--tmpfs", "/full:size=4k"], "/runner-guard-post");
    let output = command.output().expect("docker runs");
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("::warning title=No bundle of the evidence::"), "{said}");
    assert!(said.contains("os error 28"), "{said}");
    let summary = runner.summary();
    assert!(summary.starts_with("### ❌ Deploy failed: "), "{summary}");
    assert!(!summary.contains("still at work"), "{summary}");
}

#[test]
fn without_command_files_the_summary_is_on_stdout() {
    let github = github();
    let runner = Runner::new()
        .env("GITHUB_API_URL", &github.url())
        .env("GITHUB_STEP_SUMMARY", "/nowhere/summary")
        .env("GITHUB_OUTPUT", "/nowhere/output");
    let output = runner.run("/runner-guard");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let stdout = text(&output.stdout);
    assert!(
        stdout.contains("::warning title=Summary not written::can not write GITHUB_STEP_SUMMARY"),
        "{stdout}"
    );
    assert!(stdout.contains("its folder does not exist in this container"), "{stdout}");
    assert!(stdout.contains("Gate passed") && stdout.contains("#### Findings"), "{stdout}");
}

/// A configuration whose Prometheus accepts and never answers.
fn hanging(timeout: &str) -> (FakeGitHub, Runner) {
    let github = github();
    let hung = serve_at(&gateway(), Behaviour::Hang);
    let config = format!(
        "timeout: {timeout}\nprometheus: {{url: 'http://{hung}'}}\nrunners: [{{name: prod-a}}]\n"
    );
    let runner = Runner::new().env("GITHUB_API_URL", &github.url()).config(&config);
    (github, runner)
}

#[test]
fn a_hanging_prometheus_costs_its_own_rows_and_no_more_than_the_deadline() {
    let (_github, runner) = hanging("2s");
    let start = Instant::now();
    let output = runner.run("/runner-guard");
    let took = start.elapsed();
    // One second over the deadline, and one for the engine to start and remove the container.
    assert!(took < Duration::from_secs(4), "{took:?}\n{}", text(&output.stdout));
    assert!(runner.summary().contains("unknown | runner-online"), "{}", runner.summary());
    assert!(runner.summary().contains("pass | host-memory"), "{}", runner.summary());
}

#[test]
fn a_signal_to_process_1_writes_what_is_there_and_ends_with_130() {
    for signal in ["TERM", "INT"] {
        let (_github, runner) = hanging("60s");
        let child = runner.start("/runner-guard");
        wait_until_started(&runner);
        let start = Instant::now();
        let killed = Command::new("docker")
            .args(["kill", "--signal", signal, &runner.name])
            .output()
            .expect("docker");
        assert!(killed.status.success(), "{}", text(&killed.stderr));
        let output = child.wait_with_output().expect("it ends");
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
        assert_eq!(output.status.code(), Some(130), "{signal}: {}", text(&output.stdout));
        assert!(runner.summary().contains("pass | host-memory"), "{signal}: {}", runner.summary());
        assert!(runner.summary().contains("cancelled"), "{signal}: {}", runner.summary());
    }
}

/// Waits until the program has left its first trace, the state for the post stage: its handlers stand before that.
fn wait_until_started(runner: &Runner) {
    let limit = Instant::now() + Duration::from_secs(20);
    while runner.left("_work/_temp/_runner_file_commands/state").is_empty() {
        assert!(Instant::now() < limit, "{} did not start within 20 s", runner.name);
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

#[test]
fn the_image_holds_one_program_and_no_shell() {
    assert!(
        Path::new("/var/run/docker.sock").exists(),
        "the engine must run; `make test` starts it"
    );
    let shell = Command::new("docker")
        .args(["run", "--rm", "--entrypoint", "/bin/sh", &image()])
        .output()
        .expect("docker");
    assert_eq!(shell.status.code(), Some(127), "there is a shell in the image");
    let version = Command::new("docker")
        .args(["run", "--rm", &image(), "--version"])
        .output()
        .expect("docker");
    assert!(text(&version.stdout).starts_with("runner-guard 0."), "{}", text(&version.stdout));
}
