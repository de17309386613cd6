//! The gate from end to end: what is asked, what is decided, which runner is chosen, and that no source can hurt another.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::Stdio;
use std::time::Instant;

use runner_guard::check::ALL;
use serde_json::{Value, json};

use crate::support::command::{Ended, Guard};
use crate::support::fake_github::{Denial, FakeGitHub, Runner, Script};
use crate::support::http::{Behaviour, exporter_page, serve};

/// A candidate with its own exporter.
fn candidate(name: &str, status: u8, authorized: &str) -> String {
    let exporter = serve(exporter_page(name, status, authorized));
    format!(
        "  - {{name: {name}, labels: [self-hosted, {name}], authorized-for-prod: true, exporter: 'http://{exporter}/metrics'}}\n"
    )
}

fn gate(environment: &str, candidates: &[String]) -> Guard {
    let candidates = candidates.concat();
    Guard::preflight(&format!(
        "environment: {environment}\ntimeout: 5s\nrunners:\n{candidates}checks: {{docker-daemon: allow, disk-space: allow}}\n"
    ))
}

fn chosen(ended: &Ended) -> Value {
    ended.report()["selection"]["chosen"].clone()
}

#[test]
fn a_healthy_primary_is_chosen() {
    let ended = gate("production", &[candidate("a", 1, "true"), candidate("b", 1, "true")]).run();
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    assert_eq!(chosen(&ended), "a");
}

#[test]
fn a_degraded_primary_fails_over_to_the_secondary() {
    let ended = gate("production", &[candidate("a", 0, "true"), candidate("b", 1, "true")]).run();
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    assert_eq!(chosen(&ended), "b");
    assert!(ended.stdout.contains("a is offline"), "{}", ended.stdout);
}

#[test]
fn an_unauthorised_secondary_is_never_chosen() {
    let ended = gate("production", &[candidate("a", 0, "true"), candidate("b", 1, "false")]).run();
    assert_eq!(ended.code, 12, "{}", ended.stdout);
    assert_eq!(chosen(&ended), Value::Null);
    assert!(ended.stdout.contains("authorized_for_prod=\\\"false\\\""), "{}", ended.stdout);
}

#[test]
fn neither_the_configuration_nor_the_exporter_alone_overrules_a_no() {
    let row = |configured: &str, label: &str| {
        let page = serve(exporter_page("a", 1, label));
        let config = format!(
            "  - {{name: a, labels: [a], {configured}exporter: 'http://{page}/metrics'}}\n"
        );
        let ended = gate("production", &[config]).run();
        (ended.code, chosen(&ended) == "a")
    };
    assert_eq!(row("authorized-for-prod: false, ", "true"), (12, false));
    assert_eq!(row("authorized-for-prod: true, ", "false"), (12, false));
    assert_eq!(row("", "false"), (12, false));
    assert_eq!(row("", ""), (12, false));
    assert_eq!(row("", "true"), (0, true));
    assert_eq!(row("authorized-for-prod: true, ", "true"), (0, true));
}

#[test]
fn an_unknown_blocks_production_and_warns_elsewhere() {
    let silent = serve(Behaviour::Answer(200, "text/plain", "other_metric 1\n".to_owned()));
    let config = |environment: &str| {
        format!(
            "environment: {environment}\nexporter: 'http://{silent}/metrics'\nchecks: {{docker-daemon: allow, disk-space: allow}}\n"
        )
    };
    assert_eq!(Guard::preflight(&config("production")).run().code, 11);
    assert_eq!(Guard::preflight(&config("staging")).run().code, 0);
}

#[test]
fn a_failed_check_blocks_and_shadow_mode_only_says_so() {
    let config = "secrets: [DEPLOY_KEY]\nchecks: {docker-daemon: allow}\n";
    let blocked = Guard::preflight(config).env("RUNNER_GUARD_SECRET_DEPLOY_KEY", "").run();
    assert_eq!(blocked.code, 10, "{}", blocked.stdout);
    let shadow = format!("{config}gate: {{mode: shadow}}\n");
    let watched = Guard::preflight(&shadow).env("RUNNER_GUARD_SECRET_DEPLOY_KEY", "").run();
    assert_eq!(watched.code, 0);
    assert_eq!(watched.report()["verdict"], "block");
    assert_eq!(watched.report()["shadow"], true);
    assert!(watched.left("runner-guard-out/summary.md").contains("would have blocked"));
}

#[test]
fn the_action_hands_the_decision_to_the_workflow() {
    let config = format!(
        "environment: production\nrunners:\n{}checks: {{endpoint-reachable: allow, cpu-pressure: allow, docker-daemon: allow, disk-space: allow}}\n",
        candidate("a", 1, "true")
    );
    let ended = Guard::action("runner-guard").file("ws/.github/runner-guard.yml", &config).run();
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    let outputs = ended.left("commands/output");
    let value = |name: &str| {
        let after =
            outputs.split_once(&format!("{name}<<")).map(|(_, rest)| rest).unwrap_or_default();
        after.lines().nth(1).unwrap_or_default().to_owned()
    };
    assert_eq!(value("verdict"), "warn");
    assert_eq!(value("runs-on"), r#"["self-hosted","a"]"#);
    assert_eq!(
        (value("runner"), value("role"), value("exit-code")),
        ("a".into(), "primary".into(), "0".into())
    );
    assert!(value("reason").starts_with("runner-registered on a: "), "{outputs}");
    assert!(ended.left("temp/runner-guard/preflight.json").contains("\"stage\": \"preflight\""));
    assert!(ended.left("commands/summary").contains("Gate passed"));
}

#[test]
fn a_missing_permission_is_named_as_github_names_it() {
    let denied = vec![("/actions/runners".to_owned(), Denial::Integration("administration=read"))];
    let ended = registered(Script { denied, ..Script::default() });
    let row = ended.finding("runner-registered");
    assert_eq!(row["status"], "unknown");
    assert!(row["summary"].as_str().is_some_and(|s| s.contains("administration=read")), "{row}");
}

#[test]
fn a_registered_runner_is_judged_by_its_state_and_labels() {
    let with =
        |runner: Runner| registered(Script { repo_runners: vec![runner], ..Script::default() });
    let row = |check: &str, ended: Ended| ended.finding(check)["status"].clone();
    let status = |ended| row("runner-registered", ended);
    let good = || Runner::online("a", &["self-hosted", "A"]);
    assert_eq!(status(with(good())), "pass");
    assert_eq!(row("runner-busy", with(Runner { busy: true, ..good() })), "warn");
    assert_eq!(status(with(Runner { status: "offline", ..good() })), "fail");
    assert_eq!(row("runner-labels", with(Runner::online("a", &["self-hosted"]))), "fail");
    assert_eq!(status(with(Runner { status: "sleeping", ..good() })), "unknown");
    assert_eq!(status(registered(Script::default())), "fail");
}

#[test]
fn an_expired_token_is_said_and_never_shown() {
    let denied = vec![("/actions/runners".to_owned(), Denial::BadCredentials)];
    let ended = registered(Script { denied, ..Script::default() });
    let row = ended.finding("runner-registered");
    assert!(row["summary"].as_str().is_some_and(|s| s.contains("Bad credentials")), "{row}");
    assert!(row["help"].as_str().is_some_and(|s| s.contains("expired")), "{row}");
    let broken = Guard::preflight("runners: [{name: a}]\n")
        .env("GITHUB_TOKEN", "first-half\nsecond-half")
        .env("GITHUB_REPOSITORY", "octo/app")
        .run();
    let row = broken.finding("runner-registered");
    assert!(row["summary"].as_str().is_some_and(|s| s.contains("line break")), "{row}");
    assert!(!broken.stdout.contains("first-half") && !broken.stderr.contains("first-half"));
}

fn registered(script: Script) -> Ended {
    let github = FakeGitHub::start(script);
    Guard::preflight("timeout: 5s\nrunners: [{name: a, labels: [self-hosted, a]}]\n")
        .env("GITHUB_API_URL", &github.url())
        .env("GITHUB_TOKEN", "not-a-real-token")
        .env("GITHUB_REPOSITORY", "octo/app")
        .run()
}

#[test]
fn secrets_are_found_by_value_or_by_name_and_a_refusal_never_means_missing() {
    let ask = |script: Script, secret: Option<&str>| {
        let github = FakeGitHub::start(script);
        let guard = Guard::preflight("secrets: [DEPLOY_KEY]\n")
            .env("GITHUB_API_URL", &github.url())
            .env("GITHUB_TOKEN", "not-a-real-token")
            .env("GITHUB_REPOSITORY", "octo/app");
        let guard =
            secret.into_iter().fold(guard, |g, s| g.env("RUNNER_GUARD_SECRET_DEPLOY_KEY", s));
        guard.run().finding("secret-present")["status"].clone()
    };
    let named = || Script { repo_secrets: vec!["DEPLOY_KEY".to_owned()], ..Script::default() };
    let denied = |denial: Denial| Script {
        denied: vec![("secrets".to_owned(), denial)],
        ..Script::default()
    };
    assert_eq!(ask(Script::default(), Some("a real value 1")), "pass");
    assert_eq!(ask(Script::default(), Some(" ")), "fail");
    assert_eq!(ask(Script::default(), Some("changeme")), "fail");
    assert_eq!(ask(named(), None), "pass");
    assert_eq!(ask(Script::default(), None), "fail");
    assert_eq!(ask(denied(Denial::NotFound), None), "unknown");
    assert_eq!(ask(denied(Denial::Integration("secrets=read")), None), "unknown");
}

#[test]
fn dns_tcp_tls_and_http_failures_are_told_apart() {
    let plain = serve(Behaviour::Answer(200, "text/plain", "no tls here".to_owned()));
    let broken =
        serve(Behaviour::Answer(502, "text/html", "<title>Bad Gateway</title>".to_owned()));
    let hung = serve(Behaviour::Hang);
    let refused = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("port");
    for (endpoint, word) in [
        ("https://no-such-host.invalid/".to_owned(), "dns"),
        (format!("tcp://{refused}"), "tcp"),
        (format!("https://{plain}/"), "tls"),
        (format!("http://{broken}/"), "http-status: status 502"),
        (format!("http://{hung}/"), "no answer within"),
    ] {
        let config = format!(
            "timeout: 5s\nnetwork: {{endpoints: ['{endpoint}']}}\nchecks: {{endpoint-reachable: {{timeout: 1s}}}}\n"
        );
        let row = Guard::preflight(&config).run().finding("endpoint-reachable");
        assert_eq!(row["status"], "fail", "{row}");
        assert!(row["summary"].as_str().is_some_and(|s| s.contains(word)), "{endpoint}: {row}");
    }
    let good = format!("network: {{endpoints: ['http://{plain}/', 'tcp://{plain}']}}\n");
    assert_eq!(Guard::preflight(&good).run().finding("endpoint-reachable")["status"], "pass");
}

/// Every way in which Prometheus can be broken: its own rows are unknown, the others are answered, and the deadline is kept.
#[test]
fn a_broken_source_leaves_the_other_rows_unharmed_and_the_deadline_kept() {
    let page = || "<html><title>Login</title></html>".to_owned();
    for (name, behaviour) in [
        ("hang", Behaviour::Hang),
        ("drip", Behaviour::Drip),
        ("reset", Behaviour::Reset),
        ("100 MB", Behaviour::Flood(100 << 20)),
        ("html", Behaviour::Answer(200, "text/html", page())),
        ("500", Behaviour::Answer(500, "text/plain", "boom".to_owned())),
        ("403", Behaviour::Answer(403, "text/html", page())),
        ("429", Behaviour::Answer(429, "text/plain", "slow down".to_owned())),
    ] {
        let address = serve(behaviour);
        let config = format!(
            "timeout: 2s\nprometheus: {{url: 'http://{address}'}}\nrunners: [{{name: a}}]\n"
        );
        let start = Instant::now();
        let ended = Guard::preflight(&config).run();
        let took = start.elapsed();
        assert!(took.as_secs_f64() < 3.0, "{name} took {took:?}");
        assert_eq!(ended.finding("runner-online")["status"], "unknown", "{name}");
        assert_eq!(ended.finding("exporter-fresh")["status"], "unknown", "{name}");
        assert_eq!(ended.finding("host-memory")["status"], "pass", "{name}");
        assert_eq!(ended.report()["findings"].as_array().map(Vec::len), Some(ALL.len()), "{name}");
    }
}

/// GitHub, Prometheus, the exporter and an endpoint hang together: one deadline holds for all, and production stays closed.
#[test]
fn when_everything_hangs_the_deadline_still_holds() {
    let hang = || format!("http://{}", serve(Behaviour::Hang));
    let config = format!(
        "environment: production\ntimeout: 3s\nprometheus: {{url: '{}'}}\nsecrets: [A]\nnetwork: {{endpoints: ['{}']}}\nrunners: [{{name: a, authorized-for-prod: true, exporter: '{}/metrics'}}]\n",
        hang(),
        hang(),
        hang()
    );
    let start = Instant::now();
    let ended = Guard::preflight(&config)
        .env("GITHUB_API_URL", &hang())
        .env("GITHUB_TOKEN", "not-a-real-token")
        .env("GITHUB_REPOSITORY", "octo/app")
        .run();
    let took = start.elapsed();
    assert!(took.as_secs_f64() < 4.0, "took {took:?}");
    for check in ["runner-online", "runner-registered", "exporter-fresh", "secret-present"] {
        assert_eq!(ended.finding(check)["status"], "unknown", "{check}: {}", ended.stdout);
    }
    assert_eq!(ended.finding("endpoint-reachable")["status"], "fail", "{}", ended.stdout);
    assert_eq!(ended.finding("host-memory")["status"], "pass", "{}", ended.stdout);
    assert_eq!(ended.report()["verdict"], "block");
    assert_eq!(ended.code, 10, "{}", ended.stdout);
}

#[test]
fn eight_checks_run_at_once() {
    let empty =
        json!({"status": "success", "data": {"resultType": "vector", "result": []}}).to_string();
    let github = FakeGitHub::start(Script {
        faults: vec![crate::support::fake_github::Fault::on(
            "GET",
            100,
            crate::support::fake_github::FaultKind::Delay(std::time::Duration::from_millis(300)),
        )],
        ..Script::default()
    });
    let prometheus = serve(Behaviour::Answer(200, "application/json", empty));
    let config = format!(
        "timeout: 9s\nprometheus: {{url: 'http://{prometheus}'}}\nsecrets: [A]\nrunners: [{{name: a}}]\n"
    );
    let ended = Guard::preflight(&config)
        .env("GITHUB_API_URL", &github.url())
        .env("GITHUB_TOKEN", "not-a-real-token")
        .env("GITHUB_REPOSITORY", "octo/app")
        .run();
    let report = ended.report();
    let times = report["findings"].as_array().cloned().unwrap_or_default();
    let slowest = times.iter().filter_map(|f| f["took_ms"].as_f64()).fold(0.0, f64::max);
    let sum: f64 = times.iter().filter_map(|f| f["took_ms"].as_f64()).sum();
    let wall = report["took_ms"].as_f64().unwrap_or(f64::MAX);
    assert!(slowest >= 300.0, "{report:#}");
    assert!(wall <= 1.5 * slowest && wall < sum, "wall {wall}, slowest {slowest}, sum {sum}");
}

/// A port of this machine where nobody listens.
fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    listener.local_addr().expect("address").port()
}

#[test]
fn the_gate_waits_until_what_blocks_has_healed() {
    let port = closed_port();
    let config = format!(
        "timeout: 5s\ngate: {{wait: 60s, poll: 1s}}\nnetwork: {{endpoints: ['tcp://127.0.0.1:{port}']}}\nchecks: {{docker-daemon: allow}}\n"
    );
    let guard = Guard::preflight(&config);
    let mut command = guard.command();
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the gate starts");
    let mut said = String::new();
    let mut stderr = BufReader::new(child.stderr.take().expect("stderr"));
    stderr.read_line(&mut said).expect("a line while it waits");
    assert!(said.starts_with("waiting, at most ") && said.contains(&port.to_string()), "{said}");
    let _open = TcpListener::bind(("127.0.0.1", port)).expect("the port is opened");
    let output = child.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("then what blocked had healed"), "{text}");
}

#[test]
fn the_gate_does_not_wait_for_what_no_time_heals_nor_longer_than_it_may() {
    let start = Instant::now();
    let config = "gate: {wait: 20s, poll: 1s}\nsecrets: [A]\nchecks: {docker-daemon: allow}\n";
    let ended = Guard::preflight(config).env("RUNNER_GUARD_SECRET_A", "").run();
    assert_eq!(ended.code, 10, "{}", ended.stdout);
    assert!(!ended.stderr.contains("waiting"), "{}", ended.stderr);
    let port = closed_port();
    let config = format!(
        "gate: {{wait: 2s, poll: 1s}}\nnetwork: {{endpoints: ['tcp://127.0.0.1:{port}']}}\nchecks: {{docker-daemon: allow}}\n"
    );
    let ended = Guard::preflight(&config).run();
    assert_eq!(ended.code, 10, "{}", ended.stdout);
    assert!(ended.stdout.contains("what blocked did not heal"), "{}", ended.stdout);
    assert!(start.elapsed().as_secs() < 30);
}

#[test]
fn a_primary_that_comes_back_is_not_chosen_at_once_when_there_is_a_state_file() {
    let run = |state: &str, status: u8| {
        let candidates = [candidate("a", status, "true"), candidate("b", 1, "true")].concat();
        Guard::preflight(&format!(
            "environment: production\ntimeout: 5s\nrunners:\n{candidates}gate: {{state-file: state/seen.json, stable-for: 1h}}\nchecks: {{docker-daemon: allow, disk-space: allow}}\n"
        ))
        .file("state/seen.json", state)
        .run()
    };
    let first = run("", 0);
    assert_eq!(chosen(&first), "b", "{}", first.stdout);
    let left = first.left("state/seen.json");
    let second = run(&left, 1);
    assert_eq!(chosen(&second), "b", "{}", second.stdout);
    assert!(second.stdout.contains("must be well for 3600 s"), "{}", second.stdout);
    // Two hours earlier it was down: it has proved itself.
    let mut old: Value = serde_json::from_str(&left).expect("a document");
    let at = old["unusable_at"]["a"].as_i64().expect("a time");
    old["unusable_at"]["a"] = (at - 7200).into();
    assert_eq!(chosen(&run(&old.to_string(), 1)), "a");
    assert_eq!(chosen(&run("{ damaged", 1)), "a");
}

/// The names of secrets are no secrets, also where a runner hands an input over under several names (act does); the key of an
/// App is one.
#[test]
fn names_of_required_secrets_are_shown_and_the_key_of_an_app_is_not() {
    let key = "-----BEGIN RSA PRIVATE KEY-----\nnot-a-real-key-at-all-0123456789\n-----END RSA PRIVATE KEY-----";
    let names = "DEPLOY_SSH_KEY\nVAULT_PASSWORD";
    let ended = Guard::action("runner-guard")
        .env("INPUT_REQUIRED-SECRETS", names)
        .env("INPUT_REQUIRED_SECRETS", names)
        .env("required-secrets", names)
        .env("INPUT_APP-PRIVATE-KEY", key)
        .env("INPUT_APP-ID", key)
        .env("RUNNER_GUARD_SECRET_VAULT_PASSWORD", "")
        .run();
    let summary = ended.left("commands/summary");
    assert!(summary.contains("VAULT_PASSWORD") && summary.contains("DEPLOY_SSH_KEY"), "{summary}");
    assert!(!summary.contains("not-a-real-key") && !ended.stdout.contains("not-a-real-key"));
}
