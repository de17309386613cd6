//! How the gate shows itself to GitHub, and what it makes of refusals, faults and detours: no token goes where it should not, no refusal
//! becomes a fact.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use runner_guard::source::github::{AppKey, Auth, GitHub};
use runner_guard::source::http::{Http, Proxy};
use runner_guard::task::Deadline;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::command::{Ended, Guard};
use crate::support::fake_app::App;
use crate::support::fake_github::{Denial, FakeGitHub, Fault, FaultKind, Runner, Script};

const ONE: &str = "timeout: 8s\nrunners: [{name: a}]\n";
const TOKEN: &str = "ghs_notarealtoken0123456789notarealtoken0123";
/// The runner lists of the repository.
const LIST: &str = "/repos/octo/app/actions/runners?";

fn asking(github: &FakeGitHub, config: &str, token: &str) -> Ended {
    Guard::preflight(config)
        .env("GITHUB_API_URL", &github.url())
        .env("GITHUB_TOKEN", token)
        .env("GITHUB_REPOSITORY", "octo/app")
        .run()
}

/// A GitHub with one runner and these faults.
fn with(faults: Vec<Fault>) -> Script {
    Script { repo_runners: vec![Runner::online("a", &[])], faults, ..Script::default() }
}

/// What GitHub says that each path would need.
const NEEDS: [(&str, &str); 9] = [
    ("/orgs/octo/actions", "organization_self_hosted_runners=read"),
    ("/actions/runners", "administration=read"),
    ("/environments/production/secrets", "environments=read"),
    ("/environments/production/variables", "environments=read"),
    ("/secrets", "secrets=read"),
    ("/variables", "actions_variables=read"),
    ("/deployments", "deployments=read"),
    ("/actions", "actions=read"),
    ("/environments", "actions=read"),
];

#[test]
fn a_token_that_may_nothing_makes_no_fact_and_every_unknown_names_its_permission() {
    let script = NEEDS.iter().fold(Script::default(), |script, (path, needs)| {
        script.deny(path, Denial::Integration(needs))
    });
    let github = FakeGitHub::start(script);
    let config = "environment: production\ntimeout: 8s\nsecrets: [A]\nvariables: [V]\nrunners: [{name: a, labels: [x], group: g, authorized-for-prod: true}]\n";
    let report = asking(&github, config, TOKEN).report();
    let rows = report["findings"].as_array().cloned().unwrap_or_default();
    let row = |check: &str| rows.iter().find(|f| f["check"] == check).expect(check).clone();
    for (check, needs) in [
        ("runner-registered", "administration=read"),
        ("runner-busy", "administration=read"),
        ("runner-labels", "administration=read"),
        ("runner-version", "administration=read"),
        ("runner-group", "organization_self_hosted_runners=read"),
        ("secret-present", "=read"),
    ] {
        let row = row(check);
        assert_eq!(row["status"], "unknown", "{row:#}");
        let said = format!("{} {}", row["summary"], row["help"]);
        assert!(said.contains(needs) && row["help"].is_string(), "{row:#}");
    }
    for row in rows.iter().filter(|f| {
        f["status"] == "unknown" && f["summary"].as_str().is_some_and(|s| s.contains("octo"))
    }) {
        assert!(row["help"].as_str().is_some_and(|help| !help.is_empty()), "{row:#}");
    }
    for row in rows.iter().filter(|f| f["summary"].as_str().is_some_and(|s| s.contains("403"))) {
        assert_eq!(row["status"], "unknown", "{row:#}");
        assert!(row["summary"].as_str().is_some_and(|said| said.contains("=read")), "{row:#}");
    }
}

/// An RSA key that lives as long as the test: PEM as GitHub offers it, the same as PKCS#8, and its public half.
struct Key {
    traditional: String,
    pkcs8: String,
    public: Vec<u8>,
}

impl Key {
    fn new() -> Self {
        let folder = TempDir::new().expect("folder");
        let file = folder.path().join("key.pem");
        let traditional = openssl(&["genrsa", "-traditional", "-out"], &file);
        let pkcs8 = openssl(&["pkcs8", "-topk8", "-nocrypt", "-in"], &file);
        let public = openssl(&["rsa", "-RSAPublicKey_out", "-outform", "DER", "-in"], &file);
        assert!(traditional.is_empty());
        #[expect(clippy::disallowed_methods, reason = "the key was just written")]
        let traditional = std::fs::read_to_string(&file).expect("key");
        Self { traditional, pkcs8: String::from_utf8(pkcs8).expect("PEM"), public }
    }
}

#[expect(clippy::disallowed_methods, reason = "a key of the test is made at run time")]
fn openssl(args: &[&str], file: &Path) -> Vec<u8> {
    let output = Command::new("openssl").args(args).arg(file).output().expect("openssl starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A run of the action as this App, its report and everything that it wrote.
fn as_app(github: &FakeGitHub, id: &str, key: &str) -> (Value, String) {
    let ended = Guard::action("runner-guard")
        .file("ws/.github/runner-guard.yml", ONE)
        .env("GITHUB_API_URL", &github.url())
        .env("INPUT_APP-ID", id)
        .env("INPUT_APP-PRIVATE-KEY", key)
        .env("INPUT_GITHUB-TOKEN", "ghs_theworkflowsowntoken000000000000000000")
        .run();
    let report = ended.left("temp/runner-guard/preflight.json");
    // The runner takes these lines out of the log.
    let said = ended.stdout.lines().filter(|line| !line.starts_with("::add-mask::"));
    let said = said.collect::<Vec<_>>().join("\n");
    let all = format!("{said}{}{report}{}", ended.stderr, ended.left("commands/summary"));
    let report: Value = serde_json::from_str(&report).expect("report");
    let rows = report["findings"].as_array().cloned().unwrap_or_default();
    let row = rows.into_iter().find(|f| f["check"] == "runner-registered").expect("row");
    (row, all)
}

#[test]
fn an_app_asks_with_a_token_of_its_own_and_takes_it_back() {
    let key = Key::new();
    for (form, pem) in [("PKCS#1", &key.traditional), ("PKCS#8", &key.pkcs8)] {
        let app = App::installed("Iv23liExample", key.public.clone(), TOKEN);
        let github = FakeGitHub::start(Script { app: Some(app), ..with(vec![]) });
        let (row, all) = as_app(&github, "Iv23liExample", pem);
        assert_eq!(row["status"], "pass", "{form}: {row:#}");
        assert!(github.revoked(), "{form}: the token was not taken back");
        let own = format!("Bearer {TOKEN}");
        let of_app = ["/repos/octo/app/installation", "/app/installations/4711/access_tokens"];
        for request in github.requests().iter().filter(|r| r.header("authorization").is_some()) {
            let signed = of_app.contains(&request.target.as_str());
            assert_ne!(request.header("authorization") == Some(&own), signed, "{}", request.line());
        }
        assert!(!all.contains(TOKEN), "{form}: the token is shown");
        assert!(pem.lines().filter(|l| l.len() > 20).all(|line| !all.contains(line)), "{form}");
    }
}

#[test]
fn what_is_made_during_the_run_is_hidden_in_every_encoding_and_from_the_log_of_the_runner() {
    let key = Key::new();
    let app = App::installed("Iv23liExample", key.public, TOKEN);
    let encoded = base64::engine::general_purpose::STANDARD.encode(TOKEN);
    let runners = vec![Runner::online("a", &[&encoded]), Runner::online(&encoded, &[])];
    let github =
        FakeGitHub::start(Script { app: Some(app), repo_runners: runners, ..with(vec![]) });
    let ended = Guard::action("runner-guard")
        .file("ws/.github/runner-guard.yml", "timeout: 8s\nrunners: [{name: a, labels: [gpu]}]\n")
        .env("GITHUB_API_URL", &github.url())
        .env("INPUT_APP-ID", "Iv23liExample")
        .env("INPUT_APP-PRIVATE-KEY", &key.pkcs8)
        .run();
    let report = ended.left("temp/runner-guard/preflight.json");
    assert!(report.contains("known-value"), "the label of the runner is shown: {report}");
    let place = |what: &str| ended.stdout.find(what).unwrap_or(usize::MAX);
    assert!(place(&format!("::add-mask::{TOKEN}\n")) < place("::error"), "{}", ended.stdout);
    for text in [&report, &ended.stderr, &ended.stdout, &ended.left("commands/summary")] {
        assert!(!text.contains(&encoded[..20]), "{text}");
    }
}

#[test]
fn a_command_in_a_job_prints_its_result_alone_and_no_token() {
    let key = Key::new();
    let app = App::installed("Iv23liExample", key.public, TOKEN);
    let github = FakeGitHub::start(Script { app: Some(app), ..with(vec![]) });
    let ended =
        Guard::plain(&["preflight", "--config", "c.yml", "--format", "json", "--junit", "c.yml/x"])
            .file("c.yml", ONE)
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_REPOSITORY", "octo/app")
            .env("GITHUB_API_URL", &github.url())
            .env("INPUT_APP-ID", "Iv23liExample")
            .env("INPUT_APP-PRIVATE-KEY", &key.pkcs8)
            .run();
    assert!(github.requests().iter().any(|r| r.target.ends_with("/access_tokens")));
    let report: Value = serde_json::from_str(&ended.stdout).expect("one document");
    assert_eq!(report["stage"], "preflight");
    assert!(
        ended.stderr.contains("::warning title=JUnit report not written::"),
        "{}",
        ended.stderr
    );
    assert!(!ended.stderr.contains(TOKEN) && !ended.stdout.contains(TOKEN));
}

#[test]
fn an_app_that_was_not_granted_everything_asks_with_what_it_has() {
    let key = Key::new();
    let app = App { lacks: Some("environments"), ..App::installed("7", key.public.clone(), TOKEN) };
    let github = FakeGitHub::start(Script { app: Some(app), ..with(vec![]) });
    let (row, _) = as_app(&github, "7", &key.traditional);
    assert_eq!(row["status"], "pass", "{row:#}");
    assert!(github.revoked());
}

#[test]
fn an_app_that_can_not_be_used_is_no_answer_and_the_help_says_why() {
    let key = Key::new();
    let asked = |installed: bool, id: &str| {
        let app = App { installed, ..App::installed("7", key.public.clone(), TOKEN) };
        let github = FakeGitHub::start(Script { app: Some(app), ..with(vec![]) });
        let (row, _) = as_app(&github, id, &key.traditional);
        assert_eq!(row["status"], "unknown", "{row:#}");
        let asked = github.calls().iter().filter(|c| c.contains("/installation")).count();
        assert_eq!(asked, 1, "asked again and again: {:?}", github.calls());
        row["help"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(asked(false, "7"), "install GitHub App 7 for octo/app");
    assert!(asked(true, "8").contains("do not belong together"));
    let github = FakeGitHub::start(with(vec![]));
    let (row, all) = as_app(&github, "7", "hunter2hunter2hunter2");
    assert!(row["help"].as_str().is_some_and(|help| help.contains(".pem")), "{row:#}");
    assert!(!all.contains("hunter2") && github.calls().is_empty(), "{:?}", github.calls());
}

#[test]
fn a_passing_fault_on_the_way_to_the_token_of_an_app_is_overcome() {
    let key = Key::new();
    let app = App::installed("7", key.public.clone(), TOKEN);
    let faults =
        vec![Fault::status("/installation", 1, 503), Fault::status("/access_tokens", 1, 502)];
    let github = FakeGitHub::start(Script { app: Some(app), ..with(faults) });
    let (row, _) = as_app(&github, "7", &key.traditional);
    assert_eq!(row["status"], "pass", "{row:#}");
}

#[test]
fn a_gate_that_waits_asks_an_app_again_when_it_had_no_token_or_an_old_one() {
    let (fake, key) = {
        let key = Key::new();
        let app = App { installed: false, ..App::installed("7", key.public.clone(), TOKEN) };
        (FakeGitHub::start(Script { app: Some(app), ..with(vec![]) }), key)
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("runtime").block_on(async {
        let http = Http::new(None, Proxy::default()).expect("client");
        let now = seconds_now();
        let app = AppKey::new("7", &key.traditional, "octo/app", now).expect("key");
        let github = GitHub::new(&http, &fake.url(), Auth::App(app)).expect("address");
        let deadline = || Deadline::after(Duration::from_secs(5));
        assert!(github.runner("octo/app", "a", deadline()).await.is_err());
        fake.change(|script| script.app.as_mut().expect("app").installed = true);
        github.forget();
        assert!(github.runner("octo/app", "a", deadline()).await.expect("answer").is_some());
        github.forget();
        assert!(github.runner("octo/app", "a", deadline()).await.expect("answer").is_some());
        let made = fake.calls().iter().filter(|c| c.starts_with("POST")).count();
        assert_eq!(made, 1, "a token that is good is kept");
        let hour = Duration::from_mins(61);
        fake.change(|script| script.app.as_mut().expect("app").ahead = 61 * 60);
        tokio::time::pause();
        tokio::time::advance(hour).await;
        tokio::time::resume();
        github.forget();
        assert!(github.runner("octo/app", "a", deadline()).await.expect("answer").is_some());
        let made = fake.calls().iter().filter(|c| c.starts_with("POST")).count();
        assert_eq!(made, 2, "a token that has ended is made anew, with a proof of that hour");
        github.revoke(deadline()).await.expect("revoked");
        assert!(fake.revoked());
        assert!(github.revoke(deadline()).await.is_err(), "a refusal is not a success");
    });
}

#[expect(clippy::disallowed_methods, reason = "GitHub holds a proof against its own clock")]
fn seconds_now() -> i64 {
    jiff::Timestamp::now().as_second()
}

#[test]
fn the_base_path_of_an_own_server_is_joined_once_on_every_page() {
    let org_runners = (0..250).map(|i| Runner::online(&format!("r-{i}"), &[])).collect();
    let github = FakeGitHub::start(Script { base: "/api/v3", org_runners, ..Script::default() });
    let config = "timeout: 8s\nrunners: [{name: r-249}]\n";
    let row = asking(&github, config, TOKEN).finding("runner-registered");
    assert_eq!(row["status"], "pass", "{row:#}");
    let calls = github.calls();
    assert!(calls.iter().any(|c| c.contains("page=3")), "{calls:#?}");
    let once = |call: &String| call.matches("/api/v3/").count() == 1;
    assert!(calls.iter().all(once), "{calls:#?}");
}

#[test]
fn what_was_not_changed_is_not_sent_again_and_what_was_is_seen() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("runtime").block_on(async {
        let fake = FakeGitHub::start(with(vec![]));
        let http = Http::new(None, Proxy::default()).expect("client");
        let github = GitHub::new(&http, &fake.url(), Auth::token(TOKEN)).expect("address");
        let status = || async {
            let deadline = Deadline::after(Duration::from_secs(5));
            let found = github.runner("octo/app", "a", deadline).await.expect("answer");
            found.expect("runner").status
        };
        assert_eq!((status().await.as_str(), status().await.as_str()), ("online", "online"));
        assert_eq!(fake.requests().len(), 1, "one question a round");
        github.forget();
        assert_eq!(status().await, "online");
        assert_eq!((fake.requests().len(), github.budget().not_modified), (2, 1));
        fake.change(|script| script.repo_runners[0].status = "offline");
        github.forget();
        assert_eq!(status().await, "offline");
        assert_eq!((fake.requests().len(), github.budget().not_modified), (3, 1));
    });
}

#[test]
fn a_wait_that_is_longer_than_the_gate_is_said_and_not_slept() {
    let hour = || FaultKind::Answer(429, vec![("retry-after", "3600")], "{}");
    let github = FakeGitHub::start(with(vec![Fault::on("/actions/runners", 100, hour())]));
    let ended = asking(&github, ONE, TOKEN);
    let row = ended.finding("runner-registered");
    assert_eq!(row["status"], "unknown", "{row:#}");
    assert!(row["help"].as_str().is_some_and(|help| help.contains("3600")), "{row:#}");
    let lists = github.calls().iter().filter(|c| c.contains(LIST)).count();
    assert_eq!(lists, 1, "{:?}", github.calls());
    assert!(ended.report()["took_ms"].as_u64().is_some_and(|ms| ms < 7000), "{}", ended.stdout);
}

#[test]
fn a_server_that_stumbles_twice_is_asked_a_third_time() {
    let github =
        FakeGitHub::start(with(vec![Fault::status("/repos/octo/app/actions/runners?", 2, 503)]));
    let row = asking(&github, ONE, TOKEN).finding("runner-registered");
    assert_eq!(row["status"], "pass", "{row:#}");
    assert_eq!(github.calls().iter().filter(|c| c.contains(LIST)).count(), 3);
}

#[test]
fn a_renamed_repository_is_followed_below_the_base_address_and_nowhere_else() {
    let list = || "/repos/octo/old/actions/runners".to_owned();
    let asked = |to: String| {
        let github = FakeGitHub::start(Script { moved: vec![(list(), to)], ..with(vec![]) });
        let guard = Guard::preflight(ONE).env("GITHUB_API_URL", &github.url());
        let guard = guard.env("GITHUB_TOKEN", TOKEN).env("GITHUB_REPOSITORY", "octo/old");
        guard.run().finding("runner-registered")
    };
    let row = asked("/repositories/1296269/actions/runners?per_page=100".to_owned());
    assert_eq!(row["status"], "pass", "{row:#}");
    let foreign = FakeGitHub::start(with(vec![]));
    let row = asked(format!("{}/repos/octo/app/actions/runners", foreign.url()));
    assert_eq!(row["status"], "unknown", "{row:#}");
    assert!(row["summary"].as_str().is_some_and(|s| s.contains("another host")), "{row:#}");
    assert!(foreign.requests().is_empty(), "the token went elsewhere");
}

#[test]
fn a_token_with_a_line_end_is_trimmed() {
    let github = FakeGitHub::start(with(vec![]));
    let row = asking(&github, ONE, &format!(" {TOKEN}\n")).finding("runner-registered");
    assert_eq!(row["status"], "pass", "{row:#}");
    let requests = github.requests();
    let shown = requests.iter().filter_map(|r| r.header("authorization"));
    let own = format!("Bearer {TOKEN}");
    assert!(shown.into_iter().all(|value| value == own));
}
