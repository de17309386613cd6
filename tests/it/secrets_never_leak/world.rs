//! The program as a process of its own, between sources that all hold the secret.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use serde_json::json;
use tempfile::TempDir;

use super::forms::Secret;
use crate::support::fake_github::{FakeGitHub, Fault, FaultKind, Recorded, Script};

type Given = BTreeMap<String, Vec<u8>>;

/// The sources and the folders of one job.
pub(super) struct World {
    folder: TempDir,
    github: FakeGitHub,
    pages: Pages,
    secret: String,
    left_out: &'static str,
}

impl World {
    /// Plants the secret everywhere.
    pub(super) fn with(secret: &Secret) -> Self {
        let words: &'static str = Box::leak(refusal(secret).into_boxed_str());
        let denied = FaultKind::Answer(403, vec![("content-type", "application/json")], words);
        let faults = vec![Fault::on("/actions/runners", 99, denied)];
        let world = Self {
            folder: TempDir::new().expect("folder"),
            github: FakeGitHub::start(Script { faults, ..Script::default() }),
            pages: Pages::start(secret),
            secret: secret.value.clone(),
            left_out: "",
        };
        world.write("workspace/ansible.log", &ansible(secret));
        world.write("diag/Worker_20261122-120000-utc.log", &worker(secret));
        let config = format!(
            "version: 1\nrunners:\n  - name: prod-a\n    role: primary\n    exporter: {}/metrics\n",
            world.pages.url
        );
        world.write("workspace/.github/runner-guard.yml", &config);
        world.write("temp/out", "");
        world
    }

    /// The gate, and all that it gives away.
    pub(super) fn main(&self) -> Given {
        let mut given = self.run("/runner-guard", "success");
        let report = read(&self.path("temp/runner-guard/preflight.json"));
        given.insert("preflight.json".to_owned(), report);
        given
    }

    /// The gate when nothing but the exporter's own page tells about the runner.
    pub(super) fn main_without_prometheus(&mut self) -> Given {
        self.left_out = "INPUT_PROMETHEUS-URL";
        self.main()
    }

    /// The black box of a job that was not handed the secret: it lies in a file that Ansible reads.
    pub(super) fn post_with_a_file(&mut self) -> Given {
        self.left_out = "RUNNER_GUARD_SECRET_DEPLOY_KEY";
        self.write("workspace/vault/password", &format!("{}\n", self.secret));
        self.post()
    }

    /// The black box after a failure, and all that it gives away.
    pub(super) fn post(&self) -> Given {
        let mut given = self.run("/runner-guard-post", "failure");
        for path in files(&self.path("temp/runner-guard")) {
            given.insert(format!("left: {}", path.display()), read(&path));
            if path.to_string_lossy().ends_with(".tar.gz") {
                given.extend(untar(&read(&path)));
            }
        }
        given.extend(unzip(&self.github.artifact("box").expect("an artifact")));
        // What was sent, whatever became of it; the bodies of blobs are unpacked above.
        let sent = self.github.requests().into_iter().filter(|r| r.target.starts_with("/twirp"));
        for (at, request) in sent.enumerate() {
            given.insert(format!("request {at}: {}", request.line()), request.body.to_vec());
        }
        given
    }

    /// Fails when one of these was never asked for: then nothing of it was tested.
    pub(super) fn was_read(&self, routes: &[&str]) {
        let mut asked = self.pages.asked.lock().unwrap_or_else(PoisonError::into_inner).clone();
        asked.extend(self.github.requests().iter().map(Recorded::line));
        for route in routes {
            assert!(asked.iter().any(|line| line.contains(route)), "{route}: {asked:?}");
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the program under test is a process")]
    fn run(&self, name: &str, status: &str) -> Given {
        for file in ["summary", "output", "state"] {
            self.write(&format!("temp/{file}"), "");
        }
        let output = Command::new(env!("CARGO_BIN_EXE_runner-guard"))
            .arg0(name)
            .current_dir(self.path("workspace"))
            .env_clear()
            .envs(self.variables(status).into_iter().filter(|(name, _)| *name != self.left_out))
            .stdin(Stdio::null())
            .output()
            .expect("start the program");
        let mut given = Given::from([
            ("stdout".to_owned(), unmasked(&output.stdout)),
            ("stderr".to_owned(), output.stderr),
        ]);
        given.insert("summary".to_owned(), read(&self.path("temp/summary")));
        given.insert("outputs".to_owned(), read(&self.path("temp/output")));
        given.insert("state".to_owned(), read(&self.path("temp/state")));
        given
    }

    fn variables(&self, status: &str) -> Vec<(&'static str, String)> {
        let path = |path: &str| self.path(path).display().to_string();
        let text = str::to_owned;
        vec![
            ("GITHUB_ACTIONS", text("true")),
            ("RUNNER_DEBUG", text("1")),
            ("GITHUB_REPOSITORY", text("octo/app")),
            ("GITHUB_RUN_ID", text("77")),
            ("GITHUB_RUN_ATTEMPT", text("1")),
            ("GITHUB_JOB", text("deploy")),
            ("GITHUB_API_URL", self.github.url()),
            ("GITHUB_SERVER_URL", text("https://github.test")),
            ("ACTIONS_RESULTS_URL", self.github.url()),
            ("ACTIONS_RUNTIME_TOKEN", token()),
            ("GITHUB_WORKSPACE", path("workspace")),
            ("RUNNER_TEMP", path("temp")),
            ("GITHUB_STEP_SUMMARY", path("temp/summary")),
            ("GITHUB_OUTPUT", path("temp/output")),
            ("GITHUB_STATE", path("temp/state")),
            ("RUNNER_NAME", text("prod-a")),
            ("RUNNER_GUARD_SECRET_DEPLOY_KEY", self.secret.clone()),
            ("ANSIBLE_VAULT_PASSWORD_FILE", text("vault/password")),
            ("INPUT_REQUIRED-SECRETS", text("DEPLOY_KEY")),
            ("INPUT_GITHUB-TOKEN", text("ghs_0123456789abcdefABCDEF0123456789abcd")),
            ("INPUT_PROMETHEUS-URL", self.pages.url.clone()),
            ("INPUT_ANSIBLE-LOG", text("ansible.log")),
            ("INPUT_RUNNER-LOGS", path("diag")),
            ("INPUT_ON-UNKNOWN", text("warn")),
            ("INPUT_ARTIFACT-NAME", text("box")),
            ("INPUT_JOB-STATUS", text(status)),
        ]
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    #[expect(clippy::disallowed_methods, reason = "a test makes the files of the job")]
    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().expect("folder")).expect("folder");
        std::fs::write(path, text).expect("write");
    }
}

/// Lines that tell the runner what to mask must hold the secret, and the runner does not show them.
fn unmasked(stdout: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(stdout);
    let shown = text.lines().filter(|line| !line.starts_with("::add-mask::"));
    shown.flat_map(|line| [line, "\n"]).collect::<String>().into_bytes()
}

/// A log of Ansible whose failing task shows every form.
fn ansible(secret: &Secret) -> String {
    let said = json!({ "changed": true, "rc": 1, "msg": "non-zero return code", "stderr": secret.lines(), "cmd": secret.value });
    format!(
        "PLAY [Deploy] ****\n\nTASK [Log in with {}] ****\n{}fatal: [web1]: FAILED! => {said}\n\n\
         PLAY RECAP ****\nweb1 : ok=0 changed=0 unreachable=0 failed=1 skipped=0 rescued=0 ignored=0\n",
        secret.value,
        secret.lines()
    )
}

fn worker(secret: &Secret) -> String {
    let line = |line: &str| format!("[2026-11-22 12:00:00Z ERR  Worker] {line}\n");
    secret.lines().lines().map(line).collect()
}

/// The words of a server that repeats what it was given.
fn refusal(secret: &Secret) -> String {
    let message = secret.lines();
    json!({ "message": message, "status": "error", "errorType": "bad_data", "error": message })
        .to_string()
}

/// An exporter and a Prometheus: the labels of one and the refusals of the other hold the secret.
struct Pages {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Pages {
    fn start(secret: &Secret) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
        let url = format!("http://{}", listener.local_addr().expect("address"));
        let (metrics, refused) = (metrics(secret), refusal(secret));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        #[expect(clippy::disallowed_methods, reason = "it serves while the program runs")]
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let line = request_line(&stream);
                let (status, body) = if line.contains("/metrics") {
                    ("200 OK", &metrics)
                } else {
                    ("422 Unprocessable Entity", &refused)
                };
                seen.lock().unwrap_or_else(PoisonError::into_inner).push(line);
                answer(stream, status, body);
            }
        });
        Self { url, asked }
    }
}

fn request_line(mut stream: &TcpStream) -> String {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let mut bytes = [0; 8192];
    let length = stream.read(&mut bytes).unwrap_or(0);
    let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
    text.lines().next().unwrap_or_default().to_owned()
}

fn answer(mut stream: TcpStream, status: &str, body: &str) {
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain; version=0.0.4\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
}

fn metrics(secret: &Secret) -> String {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    // The gate shows what this label says, whatever it says.
    let label = quoted(&secret.lines());
    format!(
        "# TYPE runner_status gauge\nrunner_status{{runner=\"prod-a\",authorized_for_prod=\"{label}\"}} 1\n"
    )
}

fn token() -> String {
    let b64 = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let claims = r#"{"scp":"Actions.Results:ce7f54c7-61c7:ca395085-040a"}"#;
    format!("{}.{}.c2ln", b64.encode("{}"), b64.encode(claims))
}

#[expect(clippy::disallowed_methods, reason = "a test reads what the program wrote")]
fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[expect(clippy::disallowed_methods, reason = "a test looks at what the program left")]
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("folder").flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect()
}

#[expect(clippy::disallowed_methods, reason = "the test's own archive")]
fn untar(packed: &[u8]) -> Given {
    let mut archive = tar::Archive::new(flate2::read::MultiGzDecoder::new(packed));
    let mut given = Given::new();
    for entry in archive.entries().expect("tar") {
        let mut entry = entry.expect("entry");
        let name = format!("tar.gz: {}", entry.path().expect("path").display());
        given.insert(name, all_of(&mut entry));
    }
    given
}

fn unzip(packed: &[u8]) -> Given {
    let mut archive = zip::ZipArchive::new(Cursor::new(packed)).expect("zip");
    let mut given = Given::new();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).expect("entry");
        let name = format!("artifact: {}", file.name().expect("name"));
        given.insert(name, all_of(&mut file));
    }
    given
}

fn all_of(reader: &mut impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).expect("read");
    bytes
}
