//! Metrics, the host, the containers and Loki around a failure: against a real Prometheus, an engine and a Loki that answer by script.
#![expect(clippy::disallowed_methods, reason = "the tests run collectors and write rules")]

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use runner_guard::collect::{self, Collection, Room};
use runner_guard::config::{self, Inputs, Job};
use runner_guard::redact::{Redacted, Redactor};
use runner_guard::report::chart;
use runner_guard::report::{Collected, Evidence};
use runner_guard::source::host::Host;
use runner_guard::source::http::{Http, Proxy};
use runner_guard::source::pages::Pages;
use runner_guard::source::prometheus::Prometheus;
use runner_guard::source::{Sources, host};
use runner_guard::task::{CancelSource, Deadline};
use tempfile::TempDir;

use crate::support::command::{Ended, Guard};
use crate::support::fleet::{exporter, free, listener, prometheus, until};
use crate::support::http::{Behaviour, closed, serve, serve_unix};
use crate::support::scripted::Scripted;

/// What one collector brought: how it ended in words, and the text of every entry by its path.
struct Brought {
    words: String,
    entries: Vec<(String, String)>,
}

impl Brought {
    fn entry(&self, path: &str) -> &str {
        let found = self.entries.iter().find(|(own, _)| own == path);
        found.map_or_else(|| panic!("no {path}: {} {:?}", self.words, self.entries), |(_, t)| t)
    }
}

/// Runs one collector.
fn collected(id: &str, yaml: &str, job: &Job, socket: PathBuf, machine: Host) -> Brought {
    let config = config::load(Some(("c.yml", yaml)), &Inputs::default(), &[]).expect("config");
    let http = Http::new(None, Proxy::default()).expect("client");
    let prometheus = config.prometheus.as_ref().map(|p| Prometheus::new(http.clone(), &p.url));
    let sources = Sources {
        http,
        github: Err("no GitHub in this test".to_owned()),
        prometheus,
        pages: Pages::default(),
        docker_socket: socket,
        host: machine,
        now: host::clock(),
    };
    let ctx = collect::Ctx {
        config: &config,
        job,
        sources: &sources,
        redactor: &Arc::new(Redactor::new(&[])),
        deadline: Deadline::after(Duration::from_secs(20)),
    };
    let one: Vec<_> = collect::ALL.iter().filter(|c| c.id() == id).copied().collect();
    let (_source, cancel) = CancelSource::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Collection { rows, evidence, .. } =
        runtime.expect("runtime").block_on(collect::run(ctx, &one, &Room::in_memory(), &cancel));
    let words = match &rows[0].collected {
        Collected::Ok { note, .. } => format!("ok: {}", note.as_str()),
        Collected::Skipped(why) => format!("skipped: {}", why.as_str()),
        Collected::Failed(why) => format!("failed: {}", why.as_str()),
        Collected::TimedOut => "timed out".to_owned(),
    };
    let whole = |e: &Evidence<Redacted>| e.text.text(usize::MAX).into_string();
    let entries = evidence.iter().map(|e| (e.path.to_string(), whole(e))).collect();
    Brought { words, entries }
}

fn plain(id: &str, yaml: &str) -> Brought {
    collected(id, yaml, &Job::default(), PathBuf::from("/nowhere.sock"), Host::default())
}

const RULES: &str = "groups:
  - name: all
    rules:
      - alert: MemoryLow
        expr: runner_host_memory_available_bytes > 1
        labels: {severity: critical}
        annotations: {summary: 'memory of {{ $labels.hostname }} is low'}
";

#[test]
fn a_real_prometheus_gives_values_before_and_at_the_failure_charts_and_alerts() {
    let folder = TempDir::new().expect("folder");
    std::fs::write(folder.path().join("rules.yml"), RULES).expect("rules");
    let root = folder.path().join("a");
    let (at_exporter, at) = (free(), free());
    let _lives = listener(&root, "prod-a");
    let _exporter = exporter(&root, "host-a", at_exporter);
    let _prometheus = prometheus(folder.path(), at, &[at_exporter]);
    let config = format!(
        "prometheus: {{url: 'http://{at}'}}\ngrafana: {{url: 'https://grafana.example'}}\ncollect: {{metrics: {{queries: [up]}}}}\n"
    );
    let black_box = || {
        Guard::plain(&["diagnose", "--config", "c.yml", "--format", "json"])
            .env("RUNNER_NAME", "prod-a")
            .file("c.yml", &config)
            .run()
    };
    let words = |e: &Ended| row(e, "metrics")["detail"].to_string();
    let ended = until("series, pressure and an alert are there", black_box, |e| {
        let summary = e.left("runner-guard-out/summary.md");
        words(e).contains("alerts fire: MemoryLow")
            && summary.contains("share of time that something waited")
    });
    assert!(words(&ended).contains("1 of 1 queries answered"), "{}", words(&ended));
    let summary = ended.left("runner-guard-out/summary.md");
    for wanted in [
        "<summary>Metrics around the failure (",
        "memory available",
        "disk space available",
        "load per processor",
        "no sample → ",
        &format!("[Prometheus](http://{at}/graph?g0.expr="),
        "[Grafana](https://grafana.example/explore?",
    ] {
        assert!(summary.contains(wanted), "{wanted}\n{summary}");
    }

    let now = host::clock();
    let job = Job { runner_name: "prod-a".to_owned(), started: now - 60, ..Job::default() };
    let nowhere = PathBuf::from("/nowhere.sock");
    let brought = collected("metrics", &config, &job, nowhere, Host::default());
    let charts = chart::read(&Redactor::new(&[]).redact(brought.entry("metrics/snapshot.json")));
    let memory = charts.iter().find(|c| c.title == "memory available").expect("a chart");
    assert!(memory.query.contains("hostname=\"host-a\""), "{}", memory.query);
    assert_eq!(memory.series[0].before(), None, "nobody scraped a quarter of an hour ago");
    assert!(memory.series[0].at_failure().is_some_and(|bytes| bytes > 1e6), "{memory:?}");
    assert_eq!(memory.job, Some(now - 60));
    let page = brought.entry("metrics/charts.md");
    assert!(page.contains("## Alerts that fire\n\n- `MemoryLow` severity `critical`"), "{page}");
    assert!(page.contains("| `memory available` | `host-a` | no sample | "), "{page}");
}

/// The row of a collector in the JSON report.
fn row(ended: &Ended, collector: &str) -> serde_json::Value {
    let report = ended.report();
    let rows = report["collected"].as_array().cloned().unwrap_or_default();
    rows.into_iter().find(|r| r["collector"] == collector).unwrap_or_default()
}

#[test]
fn alerts_that_can_not_be_read_cost_nothing_else() {
    let server = Scripted::start(&[]);
    let gone = closed();
    let yaml = format!(
        "prometheus: {{url: '{}'}}\nalertmanager: {{url: 'http://{gone}'}}\n",
        server.url()
    );
    let brought = plain("metrics", &yaml);
    assert!(brought.words.starts_with("ok: 5 of 5 queries answered"), "{}", brought.words);
    assert!(brought.words.contains("the alerts could not be read"), "{}", brought.words);
    let page = brought.entry("metrics/charts.md");
    assert!(page.contains("Prometheus has no series of this runner's host"), "{page}");
}

#[test]
fn a_prometheus_that_hangs_is_given_up_after_eight_seconds() {
    let hangs = serve(Behaviour::Hang);
    let start = std::time::Instant::now();
    let brought = plain("metrics", &format!("prometheus: {{url: 'http://{hangs}'}}\n"));
    assert!(brought.words.starts_with("failed: query `up`"), "{}", brought.words);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

/// A frame of a container's log.
fn frame(text: &str) -> String {
    let length = char::from(u8::try_from(text.len()).expect("a short text"));
    format!("\u{1}\0\0\0\0\0\0{length}{text}")
}

/// An engine with a container that was killed during the job, one that ended well, and one that died long ago.
fn engine(asked: &str) -> String {
    let path = asked.split(' ').nth(1).unwrap_or_default();
    let inspected = |name: &str, state: &str, code: i64, oom: bool, finished: &str| {
        format!(
            r#"{{"Id": "{name}1", "Name": "/{name}", "RestartCount": 0, "Config": {{"Image": "img|x", "Env": ["TOKEN=hunter2"]}},
                "State": {{"Status": "{state}", "ExitCode": {code}, "OOMKilled": {oom}, "FinishedAt": "{finished}", "Error": ""}}}}"#
        )
    };
    match path {
        "/containers/json?all=1&limit=60" => {
            r#"[{"Id": "killed1"}, {"Id": "good1"}, {"Id": "old1"}, {"Id": "../etc"}]"#.to_owned()
        }
        "/containers/killed1/json" => {
            inspected("killed", "exited", 137, true, "2100-01-01T00:00:00Z")
        }
        "/containers/good1/json" => inspected("good", "running", 0, false, "0001-01-01T00:00:00Z"),
        "/containers/old1/json" => inspected("old", "exited", 1, false, "2020-01-01T00:00:00Z"),
        "/containers/killed1/logs?stdout=1&stderr=1&timestamps=1&tail=200" => {
            frame("2100-01-01T00:00:00Z loading\n")
                + &frame("2100-01-01T00:00:01Z java.lang.OutOfMemoryError\n")
        }
        other => format!("[\"nobody should ask {other}\"]"),
    }
}

#[test]
fn containers_that_died_during_the_job_are_listed_with_their_last_words() {
    let folder = TempDir::new().expect("folder");
    let socket = folder.path().join("docker.sock");
    serve_unix(&socket, Behaviour::Asked(engine));
    let job = Job { started: host::clock() - 60, ..Job::default() };
    let allowed = "collect: {runner-logs: {docker-socket: true}}\n";
    let brought = collected("containers", allowed, &job, socket.clone(), Host::default());
    assert!(
        brought.words.contains("3 container(s)") && brought.words.contains("1 of them failed"),
        "{}",
        brought.words
    );
    let list = brought.entry("containers/list.md");
    assert!(
        list.contains("| `killed` |") && list.contains("| 137 | yes | 0 | 2100-01-01T00:00:00Z |"),
        "{list}"
    );
    assert!(!list.contains("hunter2") && !list.contains("img|x"), "{list}");
    assert_eq!(
        brought.entry("containers/killed.log"),
        "2100-01-01T00:00:00Z loading\n2100-01-01T00:00:01Z java.lang.OutOfMemoryError\n"
    );
    assert_eq!(brought.entries.len(), 2, "{:?}", brought.entries);

    let refused = collected("containers", "", &job, socket, Host::default());
    assert!(
        refused.words.starts_with("skipped: ")
            && refused.words.contains("add `docker-socket: true`")
    );
    let absent =
        collected("containers", allowed, &job, folder.path().join("none"), Host::default());
    assert!(absent.words.starts_with("failed: "), "{}", absent.words);
}

#[test]
fn lines_of_the_job_are_brought_from_loki_and_its_complaints_are_shown() {
    let lines = r#"{"status":"success","data":{"resultType":"streams","result":[
        {"stream":{"job":"gha-runner","runner":"prod-a"},"values":[["1790000002000000000","Runner connect error: x"],["1790000001000000000","first"]]}]}}"#;
    let server = Scripted::start(&[
        ("gha-runner", lines.to_owned()),
        ("broken", "parse error at line 1, col 2".to_owned()),
    ]);
    let yaml = format!(
        "loki:\n  url: '{}'\n  queries:\n    - '{{job=\"gha-runner\"}} |= \"error\"'\n    - '{{broken'\n",
        server.url()
    );
    let job = Job { started: host::clock() - 3600, ..Job::default() };
    let nowhere = PathBuf::from("/nowhere.sock");
    let brought = collected("loki", &yaml, &job, nowhere, Host::default());
    assert!(brought.words.starts_with("ok: 1 of 2 queries answered"), "{}", brought.words);
    assert!(brought.words.contains("query `{broken`"), "{}", brought.words);
    assert_eq!(
        brought.entry("loki/query-1.log"),
        "# {job=\"gha-runner\"} |= \"error\"\n# stream 1: {job=\"gha-runner\", runner=\"prod-a\"}\n\
         2026-09-21T14:13:21.000Z [1] first\n2026-09-21T14:13:22.000Z [1] Runner connect error: x\n"
    );
    let asked = server.asked();
    let first = asked.iter().find(|a| a.contains("gha-runner")).expect("asked");
    assert!(
        first
            .starts_with("/loki/api/v1/query_range?query={job=\"gha-runner\"} |= \"error\"&start="),
        "{first}"
    );
    assert!(first.ends_with("000000000&limit=500&direction=backward"), "{first}");

    let complains = serve(Behaviour::Refuse(400, "", "parse error at line 1, col 2: syntax error"));
    let failed = plain("loki", &format!("loki: {{url: 'http://{complains}'}}\n"));
    assert!(
        failed.words.contains("parse error at line 1, col 2: syntax error"),
        "{}",
        failed.words
    );
    let none = plain("loki", "");
    assert!(none.words.starts_with("skipped: no Loki is configured; add `loki:"), "{}", none.words);
}

#[test]
fn this_machine_tells_its_state_and_no_arguments_of_its_processes() {
    let brought = plain("host", "");
    assert!(brought.words.starts_with("ok: seen from "), "{}", brought.words);
    let state = brought.entry("host/state.md");
    for wanted in ["- load ", "- memory: ", "- up for ", "## Disks"] {
        assert!(state.contains(wanted), "{wanted}\n{state}");
    }
}

/// A machine that is a host: its root is a whole disk. It has one process, with a secret in its arguments.
fn machine(folder: &std::path::Path) -> Host {
    let files = [
        ("proc/self/mountinfo", "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"),
        ("proc/stat", "cpu 1\ncpu0 1\nbtime 1000\n"),
        ("proc/loadavg", "9.00 8.00 7.00 1/1 1\n"),
        ("proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 10 kB\nSwapFree: 0 kB\n"),
        ("proc/vmstat", "oom_kill 3\n"),
        ("proc/42/stat", "42 (java) S 1 0 0 0 -1 0 0 0 0 0 5 5 0 0\n"),
        ("proc/42/status", "VmRSS: 900 kB\n"),
        ("proc/42/cmdline", "java\0--password=hunter2\0"),
    ];
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("parent")).expect("folder");
        std::fs::write(path, text).expect("file");
    }
    Host::at(folder)
}

#[test]
fn on_a_host_the_largest_processes_and_the_complaints_of_the_kernel_are_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = TempDir::new().expect("folder");
    let programs = TempDir::new().expect("folder");
    let script = "#!/bin/sh\necho 'kernel: Out of memory: Killed process 42 (java)'\necho 'kernel: link up'\n";
    let written = programs.path().join("written");
    std::fs::write(&written, script).expect("program");
    std::fs::set_permissions(&written, std::fs::Permissions::from_mode(0o755)).expect("mode");
    // The kernel starts no file that another thread may still hold open for writing; a copy was written by a process that has ended.
    let copied = Command::new("cp").arg(&written).arg(programs.path().join("journalctl")).status();
    assert!(copied.is_ok_and(|status| status.success()), "a copy of the program");
    let path = programs.path().display().to_string();
    let job = Job { path, temp: folder.path().to_owned(), ..Job::default() };
    let nowhere = PathBuf::from("/nowhere.sock");
    let brought = collected("host", "", &job, nowhere, machine(folder.path()));
    assert!(brought.words.ends_with("; the kernel complains"), "{}", brought.words);
    assert_eq!(
        brought.entry("host/kernel.log"),
        "kernel: Out of memory: Killed process 42 (java)\n"
    );
    let state = brought.entry("host/state.md");
    assert!(state.contains("| `java` | 42 | 900.0 KiB |"), "{state}");
    assert!(
        state.contains("kills for want of memory since the start of the machine: 3"),
        "{state}"
    );
    assert!(!state.contains("hunter2"), "{state}");
}
