//! The whole program at the end of a failed job, with everything that goes wrong between it and the artifact service: each run ends
//! with an artifact, or with a bundle that stays and one warning that says what to do.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::{NUMBERS, UUIDS, peers, survival};
use crate::support::azurite::Running;
use crate::support::bundle::unpacked;
use crate::support::command::{Ended, runtime_token};
use crate::support::fake_artifacts::Mode;
use crate::support::fake_github::{FakeGitHub, Fault, FaultKind, Script};

const BUNDLE: &str = "ws/runner-guard-evidence/runner-guard-bundle.tar.gz";
const TAKEN: &str = r#"{"code":"already_exists","msg":"an artifact with this name already exists on the workflow run"}"#;
const FULL: &str = r#"{"code":"resource_exhausted","msg":"insufficient usage to create artifact"}"#;
const PAGE: &str =
    "<html><head><title>502 Bad Gateway</title></head><body>from a proxy</body></html>";

/// One run against one server.
struct Case {
    what: &'static str,
    mode: Mode,
    server: FakeGitHub,
    ids: &'static str,
    env: Vec<(&'static str, String)>,
}

impl Case {
    fn new(what: &'static str, mode: Mode, faults: Vec<Fault>) -> Self {
        let ids = if matches!(mode, Mode::GitHub | Mode::Azurite(_)) { UUIDS } else { NUMBERS };
        let script = Script { faults, artifacts: mode, ..Script::default() };
        Self { what, mode, server: FakeGitHub::start(script), ids, env: Vec::new() }
    }

    fn env(mut self, name: &'static str, value: &str) -> Self {
        self.env.push((name, value.to_owned()));
        self
    }

    fn run(&self) -> Ended {
        let guard = survival::post(&self.server);
        let guard = guard.env("ACTIONS_RUNTIME_TOKEN", &runtime_token(self.ids));
        self.env.iter().fold(guard, |guard, (name, value)| guard.env(name, value)).run()
    }
}

fn warnings(ended: &Ended) -> Vec<&str> {
    ended.stdout.lines().filter(|line| line.starts_with("::warning")).collect()
}

/// Runs all of them, four at once.
fn all(cases: Vec<(Case, &'static str)>, judge: fn(&Case, &Ended, &str)) {
    let cases = Mutex::new(cases);
    let next = || cases.lock().expect("lock").pop();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some((case, wanted)) = next() {
                    let ended = case.run();
                    assert_eq!(ended.code, 0, "{}: {}{}", case.what, ended.stdout, ended.stderr);
                    judge(&case, &ended, wanted);
                }
            });
        }
    });
}

/// There is an artifact of this name, told to the workflow and to the reader, and nothing to warn about.
fn is_uploaded(case: &Case, ended: &Ended, name: &str) {
    let what = case.what;
    assert!(warnings(ended).is_empty(), "{what}: {:?}", warnings(ended));
    let outputs = ended.left("commands/output");
    assert!(outputs.contains(&format!("\n{name}\n")), "{what}: {outputs}");
    assert!(ended.left("commands/summary").contains(&format!("`{name}`")), "{what}");
    assert!(ended.bytes(BUNDLE).is_empty(), "{what}: a copy stays though it was uploaded");
    if let Mode::Azurite(_) = case.mode {
        let folder = peers::download(&case.server, name);
        assert!(folder.path().join("out/manifest.json").is_file(), "{what}");
    } else {
        let stored = case.server.artifact(name).unwrap_or_else(|| panic!("{what}: no {name}"));
        let zip = zip::ZipArchive::new(std::io::Cursor::new(stored)).expect("a whole zip");
        assert!(zip.len() > 2, "{what}");
    }
}

/// The bundle stays in the workspace, whole, and one warning says why and what to do.
fn is_kept(case: &Case, ended: &Ended, words: &str) {
    let what = case.what;
    let [warning] = warnings(ended)[..] else { panic!("{what}: {:?}", warnings(ended)) };
    assert!(
        warning.starts_with("::warning title=Evidence was not uploaded::"),
        "{what}: {warning}"
    );
    for word in words.split(" | ").chain([BUNDLE]) {
        assert!(warning.contains(word), "{what}: no `{word}` in {warning}");
    }
    assert!(unpacked(&ended.bytes(BUNDLE)).len() > 2, "{what}");
    assert!(ended.left("commands/summary").contains("Not uploaded: "), "{what}");
}

fn answer(
    route: &str,
    times: usize,
    status: u16,
    headers: &[(&'static str, &'static str)],
    body: &'static str,
) -> Vec<Fault> {
    vec![Fault::on(route, times, FaultKind::Answer(status, headers.to_vec(), body))]
}

#[test]
fn every_fault_that_passes_ends_with_an_artifact() {
    let at_once = [("retry-after", "0")];
    let in_a_second = [("retry-after", "1")];
    let at_a_time = [
        ("date", "Mon, 06 Jan 2020 15:59:59 GMT"),
        ("retry-after", "Mon, 06 Jan 2020 16:00:00 GMT"),
    ];
    let expired = [("x-ms-error-code", "AuthenticationFailed")];
    let on = |route: &str, times, kind| vec![Fault::on(route, times, kind)];
    let github = |what, faults| Case::new(what, Mode::GitHub, faults);
    let drip = FaultKind::Drip(Duration::from_millis(2));
    all(
        vec![
            (github("no fault", vec![]), "box"),
            (
                github("503 twice at the start", answer("CreateArtifact", 2, 503, &at_once, "")),
                "box",
            ),
            (github("503 twice to a block", answer("comp=block&", 2, 503, &at_once, "")), "box"),
            (
                github("503 twice to the list", answer("comp=blocklist", 2, 503, &at_once, "")),
                "box",
            ),
            (
                github("503 twice at the end", answer("FinalizeArtifact", 2, 503, &at_once, "")),
                "box",
            ),
            (github("429 for a second", answer("CreateArtifact", 1, 429, &in_a_second, "")), "box"),
            (github("429 until a time", answer("comp=block&", 1, 429, &at_a_time, "")), "box"),
            (github("a reset at the start", on("CreateArtifact", 1, FaultKind::Reset)), "box"),
            (github("a reset of a block", on("comp=block&", 2, FaultKind::Reset)), "box"),
            (github("a reset at the end", on("FinalizeArtifact", 1, FaultKind::Reset)), "box"),
            (github("an answer that trickles", on("comp=block&", 1, drip)), "box"),
            (github("a page of a proxy", answer("CreateArtifact", 2, 502, &at_once, PAGE)), "box"),
            (github("a name that is taken", answer("CreateArtifact", 1, 409, &[], TAKEN)), "box-2"),
            (github("a name that is burnt", answer("FinalizeArtifact", 3, 403, &[], "")), "box-2"),
            (
                github("an address that expired", answer("comp=block&", 1, 403, &expired, "")),
                "box-2",
            ),
            (
                github("one that expired later", answer("comp=blocklist", 1, 403, &expired, "")),
                "box-2",
            ),
            (Case::new("act", Mode::Act, vec![]), "box"),
            (Case::new("act, 503", Mode::Act, answer("comp=block&", 1, 503, &at_once, "")), "box"),
            (Case::new("Gitea", Mode::Gitea, vec![]), "box"),
            (
                Case::new("Gitea, a reset", Mode::Gitea, on("comp=blocklist", 1, FaultKind::Reset)),
                "box",
            ),
            (Case::new("Forgejo", Mode::Forgejo(usize::MAX), vec![]), "box"),
        ],
        is_uploaded,
    );
}

#[test]
fn a_store_that_stalls_is_left_after_half_a_minute_and_asked_again() {
    let case = Case::new("stall", Mode::GitHub, vec![Fault::on("comp=block&", 1, FaultKind::Hang)]);
    let start = Instant::now();
    let ended = case.run();
    is_uploaded(&case, &ended, "box");
    assert!(start.elapsed() >= Duration::from_secs(30), "{:?}", start.elapsed());
}

#[test]
fn a_real_blob_store_keeps_the_bundle_whatever_passes_on_the_way_to_it() {
    let store = Running::start(&peers::folder());
    let runtime = tokio::runtime::Runtime::new().expect("runtime");
    let made = crate::support::client().put(store.azurite.container());
    assert_eq!(runtime.block_on(made.send()).expect("azurite answers").status(), 201);
    let at_once = [("retry-after", "0")];
    let azurite = |what, faults| Case::new(what, Mode::Azurite(store.azurite), faults);
    all(
        vec![(
            azurite("no fault, on Azurite", answer("CreateArtifact", 2, 503, &at_once, "")),
            "box",
        )],
        is_uploaded,
    );
    all(
        vec![(azurite("Azurite, burnt", answer("FinalizeArtifact", 3, 403, &[], "")), "box-2")],
        is_uploaded,
    );
}

#[test]
fn every_fault_that_stays_keeps_the_bundle_and_is_one_warning_with_what_to_do() {
    let at_once = [("retry-after", "0")];
    let late = [("retry-after", "3600")];
    let at_a_time = [
        ("date", "Mon, 06 Jan 2020 15:00:00 GMT"),
        ("retry-after", "Mon, 06 Jan 2020 16:00:00 GMT"),
    ];
    let github = |what, faults| Case::new(what, Mode::GitHub, faults);
    all(
        vec![
            (
                github("503 for ever", answer("CreateArtifact", 99, 503, &at_once, "")),
                "status 503 | actions/upload-artifact",
            ),
            (
                github("a page for ever", answer("CreateArtifact", 99, 502, &at_once, PAGE)),
                "status 502: 502 Bad Gateway from a proxy | actions/upload-artifact",
            ),
            (
                github("429 for an hour", answer("CreateArtifact", 99, 429, &late, "")),
                "status 429 | asks to wait 3600 s",
            ),
            (
                github("429 until a time", answer("CreateArtifact", 99, 429, &at_a_time, "")),
                "status 429 | asks to wait 3600 s",
            ),
            (
                github("all names taken", answer("CreateArtifact", 99, 409, &[], TAKEN)),
                "`box-3` | status 409 | artifact-name",
            ),
            (
                github("the quota", answer("CreateArtifact", 99, 403, &[], FULL)),
                "insufficient usage | quota | retention-days",
            ),
            (
                github("refused", answer("CreateArtifact", 99, 403, &[], "not you")),
                "status 403: not you | firewall",
            ),
            (
                github("a token that ended", answer("CreateArtifact", 99, 401, &[], "")),
                "status 401",
            ),
            (
                github(
                    "expired at once",
                    answer(
                        "comp=block&",
                        99,
                        403,
                        &[("x-ms-error-code", "AuthenticationFailed")],
                        "",
                    ),
                ),
                "status 403 AuthenticationFailed | `box-3`",
            ),
        ],
        is_kept,
    );
}

#[test]
fn a_service_that_is_not_there_keeps_the_bundle_and_is_one_warning_with_what_to_do() {
    let closed = format!("http://{}/", crate::support::http::closed());
    let github = |what| Case::new(what, Mode::GitHub, vec![]);
    all(
        vec![
            (
                github("nobody listens").env("ACTIONS_RESULTS_URL", &closed),
                "CreateArtifact | firewall",
            ),
            (
                github("no token").env("ACTIONS_RUNTIME_TOKEN", "x"),
                "ACTIONS_RUNTIME_TOKEN | container action",
            ),
            (github("no service").env("ACTIONS_RESULTS_URL", ""), "ACTIONS_RESULTS_URL is not set"),
            (Case::new("Enterprise Server", Mode::Ghes, vec![]), "status 404 | upload-artifact"),
            (Case::new("a full Forgejo", Mode::Forgejo(5), vec![]), "status 413 | quota"),
        ],
        is_kept,
    );
}

#[test]
fn a_proxy_that_passes_everything_on_is_the_way_to_an_artifact() {
    // The name is known to nobody but the proxy.
    let case = Case::new("a proxy", Mode::GitHub, vec![]);
    let proxy = case.server.url();
    let case = case.env("ACTIONS_RESULTS_URL", "http://results.test/");
    let case =
        case.env("HTTP_PROXY", &proxy).env("http_proxy", &proxy).env("NO_PROXY", "127.0.0.1");
    is_uploaded(&case, &case.run(), "box");
    let requests = case.server.requests();
    assert!(requests.iter().any(|r| r.header("host") == Some("results.test")));
}
