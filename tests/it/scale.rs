//! Large organisations and slow networks: how many requests, how much memory, how much time.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::support::command::Guard;
use crate::support::fake_github::{Denial, FakeGitHub, Fault, FaultKind, Runner, Script};

/// Most memory of a run, in KiB.
const MEMORY: u64 = 64 << 10;

fn asking(github: &FakeGitHub, config: &str) -> Guard {
    Guard::preflight(config)
        .env("GITHUB_API_URL", &github.url())
        .env("GITHUB_TOKEN", "not-a-real-token")
        .env("GITHUB_REPOSITORY", "octo/app")
}

/// Runs it, and says what it left on stdout and the most memory that it ever had, in KiB.
#[expect(clippy::disallowed_methods, reason = "the memory of a process is read while it runs")]
fn watched(guard: &Guard) -> (Value, u64) {
    let mut command = guard.command();
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("start");
    let status = format!("/proc/{}/status", child.id());
    let ending = std::thread::spawn(move || child.wait_with_output());
    let mut peak = 0;
    while !ending.is_finished() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let now = text.lines().find_map(|l| l.strip_prefix("VmHWM:")?.split_whitespace().next());
        peak = peak.max(now.and_then(|kib| kib.parse().ok()).unwrap_or(0));
        std::thread::park_timeout(Duration::from_millis(5));
    }
    let output = ending.join().expect("thread").expect("output");
    (serde_json::from_slice(&output.stdout).expect("report"), peak)
}

#[test]
fn ten_thousand_runners_cost_one_request_a_page_four_at_a_time_and_little_memory() {
    let mut all: Vec<Runner> =
        (0..10_000).map(|i| Runner::online(&format!("r-{i}"), &["self-hosted", "big"])).collect();
    all[4711].status = "offline";
    let github = FakeGitHub::start(Script {
        org_runners: all,
        // Pages that come at once would never meet.
        faults: vec![Fault::on(
            "/organizations/",
            200,
            FaultKind::Delay(Duration::from_millis(20)),
        )],
        ..Script::default()
    });
    let config = "timeout: 60s\nrunners:\n  - {name: r-4711, labels: [self-hosted, big]}\n  - {name: r-9999, role: secondary, labels: [self-hosted, big]}\n";
    let (report, peak) = watched(&asking(&github, config));
    let chosen = |at: usize| report["selection"]["candidates"][at]["chosen"] == true;
    assert!(!chosen(0) && chosen(1), "{report:#}");
    let lists: Vec<String> =
        github.calls().into_iter().filter(|c| c.contains("/actions/runners?")).collect();
    assert_eq!(lists.len(), 101, "one page of the repository, a hundred of the organisation");
    assert_eq!(lists.iter().collect::<BTreeSet<_>>().len(), lists.len(), "asked twice: {lists:#?}");
    assert!((2..=4).contains(&github.most_at_once()), "{} at once", github.most_at_once());
    assert!(peak > 0 && peak < MEMORY, "{peak} KiB");
}

#[test]
fn no_secret_is_missed_because_it_stands_on_the_second_page() {
    let names: Vec<String> = (0..45).map(|i| format!("DEPLOY_{i}")).collect();
    let config = format!("timeout: 10s\nsecrets: [{}]\n", names.join(", "));
    let github =
        FakeGitHub::start(Script { repo_secrets: names, page_cap: 30, ..Script::default() });
    let row = asking(&github, &config).run().finding("secret-present");
    assert!(row["status"] == "pass" || row["status"] == "warn", "{row:#}");
    assert!(!row["summary"].as_str().expect("summary").contains("missing"), "{row:#}");
    assert!(github.calls().iter().any(|call| call.contains("page=2")), "{:?}", github.calls());
}

/// A Prometheus without a sample that takes its time.
#[expect(clippy::disallowed_methods, reason = "each server lives in a thread of the test")]
fn late_prometheus(late: Duration) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let address = listener.local_addr().expect("address");
    let body = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 8192]);
                std::thread::sleep(late);
                let length = body.len();
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
                let _ = write!(stream, "{head}\r\ncontent-length: {length}\r\n\r\n{body}");
            });
        }
    });
    address
}

#[test]
fn slow_sources_are_waited_for_together_and_not_one_after_the_other() {
    let late = Duration::from_millis(300);
    let github = FakeGitHub::start(Script {
        repo_runners: vec![Runner::online("a", &[]), Runner::online("b", &[])],
        faults: vec![Fault::on("GET", 1000, FaultKind::Delay(late))],
        ..Script::default()
    });
    let config = format!(
        "timeout: 20s\nprometheus: {{url: 'http://{}'}}\nsecrets: [A]\nrunners: [{{name: a}}, {{name: b}}]\n",
        late_prometheus(late)
    );
    let report = asking(&github, &config).run().report();
    let rows = report["findings"].as_array().cloned().unwrap_or_default();
    let times: Vec<f64> = rows.iter().filter_map(|f| f["took_ms"].as_f64()).collect();
    let slowest = times.iter().copied().fold(0.0, f64::max);
    let wall = report["took_ms"].as_f64().expect("took_ms");
    assert!(slowest >= 300.0, "{report:#}");
    assert!(wall <= 1.5 * slowest, "wall {wall} ms, slowest row {slowest} ms, rows {times:?}");
}

#[test]
fn a_usual_run_costs_at_most_five_calls() {
    let names: Vec<String> = (0..100).map(|i| format!("r-{i}")).collect();
    let repo_runners = names.iter().map(|n| Runner::online(n, &["self-hosted", "prod"])).collect();
    let github = FakeGitHub::start(Script { repo_runners, ..Script::default() });
    let config = "environment: production\ntimeout: 20s\nrunners:\n  - {name: r-7, labels: [self-hosted, prod], authorized-for-prod: true}\n  - {name: r-99, role: secondary, labels: [self-hosted, prod], authorized-for-prod: true}\n";
    let row = asking(&github, config).run().finding("runner-registered");
    assert_eq!(row["status"], "pass", "{row:#}");
    cheap(&github);
    let needs = Denial::Integration("administration=read");
    let own_token = FakeGitHub::start(Script::default().deny("/actions/runners", needs));
    let row = asking(&own_token, config).run().finding("runner-registered");
    assert_eq!(row["status"], "unknown", "{row:#}");
    cheap(&own_token);
}

fn cheap(github: &FakeGitHub) {
    let calls = github.calls();
    assert!(calls.len() <= 5, "{calls:#?}");
    assert_eq!(calls.iter().collect::<BTreeSet<_>>().len(), calls.len(), "asked twice: {calls:#?}");
}
