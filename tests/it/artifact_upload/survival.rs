//! The black box is killed, or has no room to write: what it knew is in the summary, nothing lies half-written under its name, and the
//! step does not fail.
#![expect(
    clippy::disallowed_methods,
    reason = "the program is a process that is killed, and its files are read"
)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::command::{Ended, Guard, runtime_token};
use crate::support::fake_artifacts::Mode;
use crate::support::fake_github::{FakeGitHub, Fault, FaultKind, Script};
use crate::support::http::{Behaviour, serve};

use super::UUIDS;

pub(super) const LOG: &str = "PLAY [Deploy] ****\n\nTASK [Copy ```the``` <details> release] ****\nfatal: [web1]: FAILED! => {\"changed\": false, \
    \"msg\": \"No space left on device\"}\n\nPLAY RECAP ****\n\
    web1 : ok=0 changed=0 unreachable=0 failed=1 skipped=0 rescued=0 ignored=0\n";
const PAGE: &str = "temp/runner-guard/report.html";
pub(super) const BUNDLE: &str = "runner-guard-bundle.tar.gz";

/// The end of a job whose deploy failed.
pub(super) fn post(server: &FakeGitHub) -> Guard {
    Guard::action("runner-guard-post")
        .file("ws/ansible.log", LOG)
        .env("INPUT_ANSIBLE-LOG", "ansible.log")
        .env("INPUT_JOB-STATUS", "failure")
        .env("INPUT_ARTIFACT-NAME", "box")
        .env("GITHUB_API_URL", &server.url())
        .env("GITHUB_SERVER_URL", "https://github.test")
        .env("ACTIONS_RESULTS_URL", &server.url())
        .env("ACTIONS_RUNTIME_TOKEN", &runtime_token(UUIDS))
}

pub(super) fn with(faults: Vec<Fault>) -> FakeGitHub {
    FakeGitHub::start(Script { faults, ..Script::default() })
}

pub(super) fn refusing() -> FakeGitHub {
    with(vec![Fault::on("CreateArtifact", 9, FaultKind::Answer(403, vec![], "not you"))])
}

/// A process that is killed at the end of the test, if not before.
pub(super) struct Started(pub(super) Child);

impl Started {
    pub(super) fn of(guard: &Guard) -> Self {
        let quiet = |mut command: Command| command.stdout(Stdio::null()).spawn().expect("start");
        Self(quiet(guard.command()))
    }

    /// Ends it as a runner does that has waited long enough, or a kernel without memory.
    pub(super) fn kill(&mut self) {
        self.0.kill().expect("kill");
        self.0.wait().expect("it ends");
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until this is so; not for ever.
pub(super) fn until(what: &str, so: impl Fn() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < Duration::from_mins(1), "never came: {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

pub(super) fn summary(guard: &Guard) -> String {
    std::fs::read_to_string(guard.path("commands/summary")).unwrap_or_default()
}

/// Fails when something is open at the end: then what the runner puts behind it would not be shown as meant.
pub(super) fn is_whole(markdown: &str) {
    let mut fence: Option<String> = None;
    let (mut open, mut closed) = (0, 0);
    for line in markdown.lines() {
        let marks: String = line.chars().take_while(|c| *c == '`').collect();
        match &fence {
            Some(begun) if marks.len() >= begun.len() && line.trim() == marks => fence = None,
            None if marks.len() >= 3 => fence = Some(marks),
            Some(_) => {}
            None => {
                // At the beginning of a line only: what a log says is in code.
                open += usize::from(line.starts_with("<details"));
                closed += usize::from(line.starts_with("</details>"));
            }
        }
    }
    assert!(fence.is_none() && open == closed, "{open} {closed} {fence:?}\n{markdown}");
    assert_eq!(markdown.matches("<!--").count(), markdown.matches("-->").count(), "{markdown}");
    assert!(markdown.ends_with('\n'), "{markdown}");
}

/// What lies in a folder, by name.
pub(super) fn names(folder: &Path) -> Vec<String> {
    let found = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        found.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Fails when an archive under its final name is not complete.
pub(super) fn archives_are_whole(folder: &Path) {
    for name in names(folder).iter().filter(|name| !name.starts_with('.')) {
        let bytes = std::fs::read(folder.join(name)).expect("read");
        let path = PathBuf::from(name);
        match path.extension().and_then(|e| e.to_str()) {
            Some("zip") => {
                zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("a whole zip");
            }
            Some("gz") => assert!(untarred(&bytes) > 0, "{name}"),
            _ => {}
        }
    }
}

/// Entries of a `tar.gz`, all of them read to their end.
fn untarred(bytes: &[u8]) -> usize {
    let mut archive = tar::Archive::new(flate2::read::MultiGzDecoder::new(bytes));
    let mut count = 0;
    for entry in archive.entries().expect("tar") {
        std::io::copy(&mut entry.expect("entry"), &mut std::io::sink()).expect("whole");
        count += 1;
    }
    count
}

#[test]
fn a_kill_during_the_upload_leaves_what_was_known() {
    for route in ["CreateArtifact", "comp=block&", "comp=blocklist", "FinalizeArtifact"] {
        let server = with(vec![Fault::on(route, 99, FaultKind::Hang)]);
        let guard = post(&server);
        let mut started = Started::of(&guard);
        let before = match route {
            "comp=blocklist" => "comp=block&",
            "FinalizeArtifact" => "comp=blocklist",
            "comp=block&" => "CreateArtifact",
            _ => "",
        };
        until(route, || {
            summary(&guard).contains("The evidence lies at")
                && (before.is_empty()
                    || server.requests().iter().any(|r| r.line().contains(before)))
        });
        started.kill();
        let left = summary(&guard);
        is_whole(&left);
        assert!(
            left.contains("still at work") && left.contains("No space left on device"),
            "{left}"
        );
        let folder = guard.path("temp/runner-guard");
        archives_are_whole(&folder);
        assert!(names(&folder).iter().any(|name| name == BUNDLE), "{:?}", names(&folder));
        assert!(server.artifact("box").is_none());
        assert_eq!(names(&guard.path("commands")), ["summary"], "no half of a file");
    }
}

#[test]
fn a_kill_during_the_collection_leaves_word_of_it() {
    let server = with(vec![]);
    let silent = format!("http://{}", serve(Behaviour::Hang));
    let guard = post(&server).env("INPUT_PROMETHEUS-URL", &silent);
    let mut started = Started::of(&guard);
    until("the first draft", || !summary(&guard).is_empty());
    started.kill();
    let left = summary(&guard);
    is_whole(&left);
    assert!(left.contains("start the job again"), "{left}");
    assert!(names(&guard.path("temp/runner-guard")).is_empty());
}

#[test]
fn whatever_a_reader_sees_at_any_moment_is_whole() {
    let server =
        with(vec![Fault::on("CreateArtifact", 1, FaultKind::Delay(Duration::from_millis(50)))]);
    let guard = post(&server).file("commands/summary", "# Of another writer\n");
    let mut started = Started::of(&guard);
    let mut seen = std::collections::BTreeSet::new();
    let start = Instant::now();
    while started.0.try_wait().expect("wait").is_none() && start.elapsed().as_secs() < 60 {
        seen.insert(summary(&guard));
    }
    seen.insert(summary(&guard));
    for state in &seen {
        is_whole(state);
        assert!(state.starts_with("# Of another writer\n"), "{state}");
    }
    let last = summary(&guard);
    assert!(seen.len() >= 3, "{} states were seen", seen.len());
    assert!(!last.contains("still at work") && !last.contains("draft"), "{last}");
}

#[test]
fn a_refused_upload_is_a_warning_and_the_bundle_stays_in_the_workspace() {
    let server = refusing();
    let ended = post(&server).run();
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert!(
        ended.stdout.contains("::warning title=Evidence was not uploaded::"),
        "{}",
        ended.stdout
    );
    assert!(ended.stdout.contains("status 403: not you"), "{}", ended.stdout);
    let path = format!("ws/runner-guard-evidence/{BUNDLE}");
    assert!(ended.left("commands/output").contains(&path), "{}", ended.left("commands/output"));
    assert!(ended.left("commands/summary").contains(&path), "{}", ended.left("commands/summary"));
    assert!(untarred(&ended.bytes(&path)) > 2);
}

#[test]
fn a_link_in_the_workspace_does_not_choose_where_the_bundle_stays() {
    let server = refusing();
    let guard = post(&server);
    std::os::unix::fs::symlink(guard.path("commands"), guard.path("ws/runner-guard-evidence"))
        .expect("link");
    let ended = guard.run();
    assert_eq!(ended.code, 0);
    assert!(ended.stdout.contains("is a symbolic link"), "{}", ended.stdout);
    assert!(ended.bytes(format!("commands/{BUNDLE}")).is_empty());
}

#[test]
fn nothing_is_sent_when_nobody_asked() {
    let server = with(vec![]);
    let ended = post(&server).env("INPUT_UPLOAD-ARTIFACT", "false").run();
    assert_eq!(ended.code, 0);
    assert!(server.requests().iter().all(|r| !r.target.contains("twirp")));
    assert!(ended.left("commands/output").contains(&format!("temp/runner-guard/{BUNDLE}")));
    assert!(ended.bytes(format!("ws/runner-guard-evidence/{BUNDLE}")).is_empty());
}

#[test]
fn the_retention_of_the_repository_is_the_most() {
    let server = with(vec![]);
    post(&server).env("INPUT_RETENTION-DAYS", "90").env("GITHUB_RETENTION_DAYS", "1").run();
    let requests = server.requests();
    let create = requests.iter().find(|r| r.target.ends_with("CreateArtifact")).expect("create");
    let body: serde_json::Value = serde_json::from_slice(&create.body).expect("JSON");
    let expires: jiff::Timestamp =
        body["expires_at"].as_str().expect("expires_at").parse().expect("time");
    #[expect(clippy::disallowed_methods, reason = "the program took the present time")]
    let hours = expires.since(jiff::Timestamp::now()).expect("span").get_seconds() / 3600;
    assert!((22..=24).contains(&hours), "{hours} hours");
}

#[test]
fn a_disk_that_fills_up_costs_the_bundle_and_not_the_step() {
    let server = with(vec![]);
    let guard = post(&server);
    // No file may grow beyond 1 KiB, as on a disk that is full but for a moment; the draft was written before.
    let limited = "trap '' XFSZ; ulimit -f 1; exec -a /runner-guard-post \"$0\"";
    let prepared = guard.command();
    let output = Command::new("bash")
        .args(["-c", limited, env!("CARGO_BIN_EXE_runner-guard")])
        .env_clear()
        .envs(prepared.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .output()
        .expect("bash");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("::warning title=No bundle of the evidence::"), "{said}");
    assert!(said.contains("::warning title=Summary not written::"), "{said}");
    assert!(said.contains("No space left on device"), "the report is in the log: {said}");
    is_whole(&summary(&guard));
    let folder = guard.path("temp/runner-guard");
    assert!(names(&folder).iter().all(|name| !name.contains("bundle")), "{:?}", names(&folder));
    assert!(names(&guard.path("commands")).iter().all(|name| !name.starts_with('.')));
}

#[test]
fn a_folder_that_can_not_be_written_costs_the_bundle_and_not_the_summary() {
    let server = with(vec![]);
    let ended = post(&server).env("RUNNER_TEMP", "/proc/nowhere").run();
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert!(
        ended.stdout.contains("::warning title=No bundle of the evidence::"),
        "{}",
        ended.stdout
    );
    let left = ended.left("commands/summary");
    is_whole(&left);
    assert!(left.contains("No space left on device") && !left.contains("still at work"), "{left}");
}

#[test]
fn a_summary_that_can_not_be_written_is_in_the_log_and_its_device_stays_one() {
    let server = with(vec![]);
    let ended = post(&server).env("GITHUB_STEP_SUMMARY", "/dev/full").run();
    assert_eq!(ended.code, 0);
    assert!(ended.stdout.contains("::warning title=Summary not written::"), "{}", ended.stdout);
    assert!(Path::new("/dev/full").metadata().is_ok_and(|found| !found.is_file()));
}

#[test]
fn a_page_of_the_report_opens_with_one_click_where_the_server_shows_pages() {
    let server = with(vec![]);
    let ended = post(&server).file(PAGE, "<!doctype html><title>Report</title>").run();
    assert_eq!(server.artifact_kind("box-report.html"), Some("text/html"));
    let outputs = ended.left("commands/output");
    let url = "https://github.test/octo/app/actions/runs/77/artifacts/1002";
    assert!(outputs.contains("report-url<<") && outputs.contains(url), "{outputs}");
    let left = ended.left("commands/summary");
    assert!(left.contains(&format!("[open the report]({url})")), "{left}");
}

#[test]
fn a_page_that_is_refused_or_not_known_costs_nothing_else() {
    let refused = FaultKind::Answer(400, vec![], "no pages");
    let refusing = with(vec![
        Fault::on("CreateArtifact", 1, FaultKind::Delay(Duration::ZERO)),
        Fault::on("CreateArtifact", 9, refused),
    ]);
    let ended = post(&refusing).file(PAGE, "<!doctype html>").run();
    assert_eq!(ended.code, 0);
    assert!(refusing.artifact("box").is_some());
    assert!(
        ended.stdout.contains("::notice title=Note::report.html was not uploaded"),
        "{}",
        ended.stdout
    );

    let act = FakeGitHub::start(Script { artifacts: Mode::Act, ..Script::default() });
    let guard = post(&act).file(PAGE, "<!doctype html>");
    let ended: Ended = guard.env("ACTIONS_RUNTIME_TOKEN", &runtime_token("45:46")).run();
    assert!(act.artifact("box").is_some(), "{}", ended.stdout);
    let created = act.requests().iter().filter(|r| r.target.ends_with("CreateArtifact")).count();
    assert_eq!(created, 1, "such a server is not asked for a page");
}

#[test]
fn a_page_that_holds_a_secret_does_not_leave_the_machine() {
    let server = with(vec![]);
    let secret = "kX9-not-to-be-shown-7Qz";
    let page = format!("<!doctype html><p>{secret}</p>");
    let ended = post(&server).file(PAGE, &page).env("RUNNER_GUARD_SECRET_DEPLOY_KEY", secret).run();
    assert_eq!(ended.code, 0);
    let sent = server.requests().iter().any(|r| String::from_utf8_lossy(&r.body).contains(secret));
    assert!(!sent && server.artifact("box").is_some(), "{}", ended.stdout);
}

#[test]
fn the_proxy_of_the_runner_is_used_and_its_answer_kept() {
    let page = "<html><title>Proxy login</title></html>";
    let proxy = serve(Behaviour::Refuse(407, "proxy-authenticate: Basic realm=\"x\"\r\n", page));
    let server = with(vec![]);
    let ended = post(&server)
        .env("ACTIONS_RESULTS_URL", "https://results.test/")
        .env("HTTPS_PROXY", &format!("http://{proxy}"))
        .run();
    assert_eq!(ended.code, 0);
    assert!(ended.stdout.contains("proxy asks for a login"), "{}", ended.stdout);
}
