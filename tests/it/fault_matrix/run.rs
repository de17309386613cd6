//! One run, and what is left of it: its rows, its time, its memory.
#![expect(clippy::disallowed_methods, reason = "the test starts the program and watches it")]

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use runner_guard::check::{self, Ctx};
use runner_guard::config::{self, Inputs, Job, SecretValues};
use runner_guard::source::Sources;
use runner_guard::source::host::Host;
use runner_guard::source::http::{Http, Proxy};
use runner_guard::source::pages::Pages;
use runner_guard::task::{CancelSource, Deadline};
use serde_json::Value;
use tempfile::TempDir;

use super::world::Fault;
use crate::support::command::Guard;
use crate::support::http::{Behaviour, serve_unix};

/// A row, with every number replaced: two runs differ in times and sizes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) status: String,
    pub(super) summary: String,
    pub(super) help: String,
}

/// What is left of a run.
pub(super) struct Ran {
    /// By check and runner.
    pub(super) rows: BTreeMap<(String, String), Row>,
    pub(super) wall: Duration,
    /// The most memory that it ever held, in KiB; 0 when it was not measured.
    pub(super) peak: u64,
}

impl Ran {
    /// The rows of a check.
    pub(super) fn of<'a>(&'a self, check: &'a str) -> impl Iterator<Item = &'a Row> {
        self.rows.iter().filter(move |(key, _)| key.0 == check).map(|(_, row)| row)
    }
}

/// Runs the binary and watches its memory.
pub(super) fn through_the_binary(guard: &Guard) -> Ran {
    let out = guard.path("stdout.json");
    let mut command = guard.command();
    command.stdin(Stdio::null()).stderr(Stdio::null());
    command.stdout(std::fs::File::create(&out).expect("file"));
    let start = Instant::now();
    let mut child = command.spawn().expect("the program starts");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().expect("child").is_none() {
        peak = peak.max(high_water(&std::fs::read_to_string(&status).unwrap_or_default()));
        std::thread::park_timeout(Duration::from_millis(10));
        assert!(start.elapsed() < Duration::from_mins(1), "the program does not end");
    }
    let wall = start.elapsed();
    let text = std::fs::read_to_string(out).expect("a report");
    let report: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
    let findings = report["findings"].as_array().expect("findings");
    let rows = findings.iter().map(|finding| {
        let text = |field: &str| finding[field].as_str().unwrap_or_default().to_owned();
        let row = Row {
            status: text("status"),
            summary: without_numbers(&text("summary")),
            help: text("help"),
        };
        ((text("check"), text("runner")), row)
    });
    Ran { rows: rows.collect(), wall, peak }
}

/// Asks every check on a machine whose Docker socket has this fault.
pub(super) fn docker(fault: Option<Fault>) -> Ran {
    let folder = TempDir::new().expect("folder");
    let socket = folder.path().join("docker.sock");
    let version = r#"{"Version": "28.1.0", "ApiVersion": "1.49"}"#;
    let healthy = Behaviour::Answer(200, "application/json", version.to_owned());
    match fault.map_or(Some(healthy), Fault::behaviour) {
        Some(behaviour) => serve_unix(&socket, behaviour),
        None => drop(std::os::unix::net::UnixListener::bind(&socket).expect("socket")),
    }
    let known = check::known();
    let config = config::load(None, &Inputs::default(), &known).expect("configuration");
    let sources = Sources {
        http: Http::new(None, Proxy::default()).expect("client"),
        github: Err("no GitHub in this test".to_owned()),
        prometheus: None,
        pages: Pages::default(),
        docker_socket: socket,
        host: Host::default(),
        now: 0,
    };
    let (job, secrets) = (Job::default(), SecretValues::default());
    let (_source, cancel) = CancelSource::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let start = Instant::now();
    let answered = runtime.expect("runtime").block_on(async {
        let ctx = Ctx {
            config: &config,
            job: &job,
            runner: None,
            sources: &sources,
            secrets: &secrets,
            deadline: Deadline::after(super::TIMEOUT),
        };
        check::run(ctx, &[], &cancel).await
    });
    let wall = start.elapsed();
    let rows = answered.into_iter().map(|one| {
        let row = Row {
            status: one.outcome.status.word().to_owned(),
            summary: without_numbers(&one.outcome.summary),
            help: one.outcome.help.unwrap_or_default(),
        };
        ((one.check.to_owned(), String::new()), row)
    });
    Ran { rows: rows.collect(), wall, peak: 0 }
}

/// The most memory that a process ever held, in KiB, from its `/proc/PID/status`.
fn high_water(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

fn without_numbers(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match (c.is_ascii_digit(), out.ends_with('#')) {
            (true, true) => {}
            (true, false) => out.push('#'),
            (false, _) => out.push(c),
        }
    }
    out
}
