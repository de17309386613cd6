//! The examples as a user writes them, executed by act: a runner that nobody here wrote, with a real failing deploy in it.
//! Only the address of the action is changed (`./`), and the image is the one that `make test` built before.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test starts act, reads the files that it leaves behind, and panics to fail"
)]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use tempfile::TempDir;

const WORKFLOW: &str = ".github/workflows/deploy.yml";

#[test]
fn a_failed_deploy_is_named_in_the_summary_and_its_evidence_uploaded() {
    let run = Project::new("deploy.yml", "site.yml").push();

    assert!(!run.success, "the deploy failed, so the job must fail\n{}", run.log);
    let summaries = run.summaries();
    // The workflow's own token may not list runners, so the gate passes with that one warning.
    assert!(summaries[0].contains("Gate passed"), "{summaries:?}");
    names_the_cause(summaries.last().unwrap());
    run.only_artifact_verifies();
}

#[test]
fn a_green_deploy_leaves_no_failure_report() {
    let run = Project::new("deploy.yml", "green.yml").push();

    assert!(run.success, "nothing failed\n{}", run.log);
    assert!(!run.summaries().iter().any(|line| line.starts_with("### ❌")), "{}", run.log);
    assert_eq!(run.artifacts(), Vec::<PathBuf>::new());
}

#[test]
fn a_failure_that_a_pipe_hides_is_named_all_the_same() {
    let project = Project::new("deploy.yml", "site.yml");
    project.rewrite_workflow("        shell: bash\n", "");
    project.rewrite_workflow("site.yml\n", "site.yml | tee deploy.log\n");
    let run = project.push();

    assert!(
        run.log.contains("Success - Main Deploy"),
        "the pipe did not hide the failure\n{}",
        run.log
    );
    let report = run.summaries().last().copied().unwrap();
    assert!(!report.starts_with("### ✅"), "{report}");
    assert!(report.contains("Copy the release"), "the failed task is missing: {report}");
}

#[test]
fn a_gate_in_a_job_of_its_own_chooses_the_runner_of_the_deploy() {
    let run = Project::new("deploy-two-jobs.yml", "site.yml").push();

    assert!(
        run.log.contains(r#"::set-output:: runs-on=["self-hosted","production"]"#),
        "{}",
        run.log
    );
    assert!(run.log.contains("TASK [Copy the release]"), "the deploy did not run\n{}", run.log);
    assert!(!run.success, "the deploy failed, so the run must fail\n{}", run.log);
    names_the_cause(run.summaries().last().unwrap());
    run.only_artifact_verifies();
}

#[test]
fn a_secret_that_is_missing_stops_the_deploy_before_it_starts() {
    let project = Project::new("secrets.yml", "green.yml");
    project.write("home/secrets", "DEPLOY_SSH_KEY=not-a-real-key-0123456789\n");
    project.write("home/variables", "DEPLOY_REGION=eu\n");
    let run = project.push();

    assert!(!run.success, "the gate must stop the job\n{}", run.log);
    let first = run.summaries()[0];
    assert!(first.contains("Gate blocked") && first.contains("VAULT_PASSWORD"), "{first}");
    assert!(!run.log.contains("TASK [Restart the service]"), "the deploy ran\n{}", run.log);
}

#[test]
fn secrets_that_are_handed_in_open_the_gate_and_stay_secret() {
    let project = Project::new("secrets.yml", "green.yml");
    let values = ["not-a-real-key-0123456789", "not-a-real-password-98765"];
    let [key, password] = values;
    let secrets = format!("DEPLOY_SSH_KEY={key}\nVAULT_PASSWORD={password}\n");
    project.write("home/secrets", &secrets);
    project.write("home/variables", "DEPLOY_REGION=eu\n");
    let run = project.push();

    assert!(run.success, "nothing is missing\n{}", run.log);
    assert!(run.summaries()[0].contains("Gate passed"), "{:?}", run.summaries());
    assert!(run.log.contains("TASK [Restart the service]"), "{}", run.log);
    for value in values {
        assert!(!run.log.contains(value), "a secret is in the log");
    }
}

#[test]
fn a_nightly_look_blocks_nothing_and_says_what_would_have_been_blocked() {
    let project = Project::new("nightly-shadow.yml", "green.yml");
    let unauthorised =
        |config: String| config.replace("authorized-for-prod: true", "authorized-for-prod: false");
    let run = project.run("workflow_dispatch", unauthorised);

    assert!(run.success, "a look must not fail\n{}", run.log);
    let first = run.summaries()[0];
    assert!(first.contains("would have blocked"), "{first}");
    assert!(run.log.contains("a deploy to production would have been blocked"), "{}", run.log);
}

fn names_the_cause(line: &str) {
    assert!(line.starts_with("### ❌ Deploy failed: "), "{line}");
    assert!(line.contains("Copy the release"), "the failed task is missing: {line}");
    assert!(line.to_lowercase().contains("full"), "the full device is missing: {line}");
}

/// A git repository with the action, one of the examples as its workflow, and something to deploy.
struct Project {
    folder: TempDir,
}

impl Project {
    fn new(example: &str, playbook: &str) -> Self {
        let project = Self { folder: TempDir::new().unwrap() };
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();

        project.write(WORKFLOW, &read(&format!("examples/{example}")));
        project.rewrite_workflow("uses: ORG/runner-guard@v1", "uses: ./");
        project.write("action.yml", &read("action.yml"));
        project.write("Dockerfile", &format!("FROM {}\n", given("RUNNER_GUARD_IMAGE")));
        project.write("site.yml", &read(&format!("tests/act/{playbook}")));
        project
    }

    fn rewrite_workflow(&self, from: &str, to: &str) {
        let before = std::fs::read_to_string(self.folder.path().join(WORKFLOW)).unwrap();
        assert!(before.contains(from), "no {from:?} in the example\n{before}");
        self.write(WORKFLOW, &before.replace(from, to));
    }

    /// Runs what a push would run.
    fn push(self) -> Run {
        self.run("push", |config| config)
    }

    /// Runs what an event would run, with a changed configuration. One at a time, because act gives every image of an action the same
    /// name.
    fn run(self, event: &str, change: impl FnOnce(String) -> String) -> Run {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);

        let exporter = healthy_exporter();
        self.write(".github/runner-guard.yml", &change(config(exporter)));
        self.write("home/.config/act/actrc", "");
        self.write(".gitignore", "/home\n/artifacts\n");
        self.git(&["init", "--quiet"]);
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "a deploy"]);
        let output = self.act(event, exporter).output().unwrap();
        let log = [output.stdout, output.stderr].concat();
        Run {
            success: output.status.success(),
            log: String::from_utf8_lossy(&log).into_owned(),
            folder: self.folder,
        }
    }

    fn act(&self, event: &str, api: u16) -> Command {
        let mut command = Command::new("timeout");
        command
            .args(["--kill-after=10", "180", &given("RUNNER_GUARD_ACT"), event])
            .args(["--platform", &format!("self-hosted={}", given("RUNNER_GUARD_JOB_IMAGE"))])
            .args(["--pull=false", "--action-offline-mode", "--no-cache-server", "--rm"])
            .args(["--env", &format!("GITHUB_API_URL=http://127.0.0.1:{api}")])
            .args(["--artifact-server-addr", "127.0.0.1"])
            .args(["--artifact-server-port", &free_port().to_string()])
            .arg("--artifact-server-path")
            .arg(self.folder.path().join("artifacts"))
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", given("PATH"))
            .env("HOME", self.folder.path().join("home"));
        // Values stand in files: what is an argument can be read by everybody on the machine.
        for (flag, file) in [("--secret-file", "home/secrets"), ("--var-file", "home/variables")] {
            if self.folder.path().join(file).exists() {
                command.arg(flag).arg(file);
            }
        }
        command
    }

    fn git(&self, arguments: &[&str]) {
        let status = Command::new("git")
            .args(["-c", "user.name=test", "-c", "user.email=test@example.invalid"])
            .args(arguments)
            .current_dir(self.folder.path())
            .status()
            .unwrap();
        assert!(status.success(), "git {arguments:?}");
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// One candidate whose exporter says that it is well. There is no GitHub here, so what only GitHub knows is unknown.
fn config(exporter: u16) -> String {
    format!(
        "version: 1
environment: production
runners:
  - name: prod-a
    role: primary
    labels: [self-hosted, production]
    authorized-for-prod: true
    exporter: http://127.0.0.1:{exporter}/metrics
gate:
  on-unknown: warn
"
    )
}

/// Serves one healthy page for as long as the tests run; the job's network is the host's.
fn healthy_exporter() -> u16 {
    const LABELS: &str =
        r#"hostname="prod-a",runner="prod-a",environment="production",authorized_for_prod="true""#;
    let page = format!(
        "# TYPE runner_status gauge\nrunner_status{{{LABELS}}} 1\n\
         # TYPE runner_listener_up gauge\nrunner_listener_up{{{LABELS}}} 1\n"
    );
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{page}",
                page.len()
            );
        }
    });
    port
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

fn given(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: these tests are run by `make test`"))
}

/// What a run left behind.
struct Run {
    success: bool,
    log: String,
    folder: TempDir,
}

impl Run {
    /// The first line of every step's summary, in order.
    fn summaries(&self) -> Vec<&str> {
        let lines: Vec<&str> = self
            .log
            .lines()
            .filter_map(|line| line.split_once("Summary - "))
            .map(|(_, line)| line)
            .collect();
        assert!(!lines.is_empty(), "no step wrote a summary\n{}", self.log);
        lines
    }

    /// The uploaded zip files: act keeps them at `RUN/NAME/NAME.zip`.
    fn artifacts(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![self.folder.path().join("artifacts")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                if entry.path().is_dir() {
                    folders.push(entry.path());
                } else {
                    files.push(entry.path());
                }
            }
        }
        files
    }

    /// There is one artifact, it unpacks, and its manifest tells the truth about every file in it.
    fn only_artifact_verifies(&self) {
        let artifacts = self.artifacts();
        assert_eq!(artifacts.len(), 1, "{artifacts:?}\n{}", self.log);
        let mut files = unzip(&artifacts[0]);
        let manifest = files.remove("manifest.json").expect("the bundle has a manifest");
        let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
        let entries = manifest["entries"].as_array().expect("the manifest lists its entries");
        assert!(!entries.is_empty(), "{manifest:#}");
        for entry in entries {
            let path = entry["path"].as_str().unwrap();
            let bytes =
                files.remove(path).unwrap_or_else(|| panic!("{path} is listed, but not there"));
            assert_eq!(entry["size"], bytes.len(), "{path}");
            assert_eq!(entry["sha256"], sha256(&bytes), "{path}");
        }
        assert!(files.is_empty(), "not in the manifest: {:?}", files.keys());
        let mut paths = entries.iter().filter_map(|entry| entry["path"].as_str());
        assert!(paths.any(|path| path.contains("ansible")), "no Ansible log in {manifest:#}");
    }
}

fn unzip(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let mut files = BTreeMap::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        files.insert(file.name().unwrap().into_owned(), bytes);
    }
    files
}

fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}
