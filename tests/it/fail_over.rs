//! Degradation, fail-over and recovery from end to end: listeners that really die, a disk that really fills, exporters of our own binary and a
//! Prometheus that scrapes them.
#![expect(clippy::disallowed_methods, reason = "the tests fill a disk and start the gate")]

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::command::{Ended, Guard};
use crate::support::fleet::{
    Running, exporter, free, listener, listener_that_works_in, prometheus, until,
};

/// How long a candidate must be well before it is preferred again.
const STABLE: Duration = Duration::from_secs(5);

/// A primary and a secondary on hosts of their own, and the Prometheus that scrapes both.
struct Fleet {
    folder: TempDir,
    at: SocketAddr,
    exporters: [Option<Running>; 2],
    ports: [SocketAddr; 2],
    _prometheus: Running,
}

const NAMES: [&str; 2] = ["prod-a", "prod-b"];

impl Fleet {
    fn start() -> Self {
        let folder = TempDir::new().expect("folder");
        let (at, ports) = (free(), [free(), free()]);
        let prometheus = prometheus(folder.path(), at, &ports);
        let mut fleet =
            Self { folder, at, exporters: [None, None], ports, _prometheus: prometheus };
        for which in 0..2 {
            fleet.start_exporter(which);
        }
        fleet
    }

    fn root(&self, which: usize) -> PathBuf {
        self.folder.path().join(NAMES[which])
    }

    fn listener(&self, which: usize) -> Running {
        listener(&self.root(which), NAMES[which])
    }

    fn start_exporter(&mut self, which: usize) {
        let host = format!("host-of-{}", NAMES[which]);
        self.exporters[which] = Some(exporter(&self.root(which), &host, self.ports[which]));
    }

    /// The configuration, with more settings of the gate and those of the check of resources.
    fn config(&self, gate: &str, resources: &str) -> String {
        format!(
            "environment: production\ntimeout: 10s\nprometheus: {{url: 'http://{}'}}\ngate: {{stable-for: {}s{gate}}}\n\
             checks: {{docker-daemon: allow, disk-space: allow, runner-resources: {resources}}}\n\
             runners:\n  - {{name: prod-a, labels: [self-hosted, a]}}\n  - {{name: prod-b, labels: [self-hosted, b]}}\n",
            self.at,
            STABLE.as_secs()
        )
    }

    fn gate(&self, resources: &str) -> Ended {
        Guard::preflight(&self.config("", resources)).run()
    }
}

fn chosen(ended: &Ended) -> Value {
    ended.report()["selection"]["chosen"].clone()
}

/// The status of a check of the primary, which stands first.
fn status(ended: &Ended, check: &str) -> Value {
    ended.finding(check)["status"].clone()
}

/// Waits for the primary to be chosen again after `back`, and sees that it had to prove itself first.
fn comes_back_only_when_steady(gate: impl Fn() -> Ended, back: Instant) {
    let proves_itself = until("the primary is well and still passed over", &gate, |e| {
        assert!(chosen(e) != "prod-a" || back.elapsed() >= STABLE, "too early: {}", e.stdout);
        status(e, "runner-online") == "pass" && chosen(e) == "prod-b"
    });
    let steady = proves_itself.finding("runner-steady");
    assert_eq!(steady["status"], "warn", "{steady:#}");
    let why = &proves_itself.report()["selection"]["candidates"][0];
    assert!(why.to_string().contains("must be healthy for 5 s"), "{why:#}");
    let again = until("the primary is preferred again", &gate, |e| chosen(e) == "prod-a");
    assert!(back.elapsed() >= STABLE, "too early: {}", again.stdout);
    assert_eq!(status(&again, "runner-steady"), "pass", "{}", again.stdout);
}

#[test]
fn a_primary_whose_listener_dies_hands_over_and_comes_back_only_when_it_is_steady() {
    let fleet = Fleet::start();
    let (primary, _secondary) = (fleet.listener(0), fleet.listener(1));
    let gate = || fleet.gate("allow");
    let healthy = until("both are steady", gate, |e| {
        chosen(e) == "prod-a" && status(e, "runner-steady") == "pass"
    });
    assert_eq!(healthy.code, 0, "{}", healthy.stdout);

    drop(primary);
    let over = until("the secondary takes over", gate, |e| chosen(e) == "prod-b");
    assert_eq!(over.code, 0, "{}", over.stdout);
    assert_eq!(status(&over, "runner-online"), "fail", "{}", over.stdout);
    assert!(over.stdout.contains("prod-a is offline"), "{}", over.stdout);

    let back = Instant::now();
    let _primary = fleet.listener(0);
    comes_back_only_when_steady(gate, back);
}

#[test]
fn a_primary_whose_host_falls_silent_hands_over_and_comes_back_only_when_it_is_steady() {
    let mut fleet = Fleet::start();
    let _listeners = [fleet.listener(0), fleet.listener(1)];
    until(
        "both are steady",
        || fleet.gate("allow"),
        |e| chosen(e) == "prod-a" && status(e, "runner-steady") == "pass",
    );

    fleet.exporters[0] = None;
    let over = until("the secondary takes over", || fleet.gate("allow"), |e| chosen(e) == "prod-b");
    // Silence is no proof that the runner is down: it has no answer, and no answer is not good enough for production.
    assert_eq!(status(&over, "runner-online"), "unknown", "{}", over.stdout);
    assert_eq!(status(&over, "exporter-fresh"), "fail", "{}", over.stdout);

    // Longer than a lost scrape or two.
    until(
        "its silence is seen",
        || fleet.gate("allow"),
        |e| e.finding("runner-steady")["summary"].to_string().contains("silent for"),
    );
    let back = Instant::now();
    fleet.start_exporter(0);
    comes_back_only_when_steady(|| fleet.gate("allow"), back);
}

/// Bytes that can still be written below a path.
fn room(path: &str) -> u64 {
    let disk = rustix::fs::statvfs(Path::new(path)).expect("statvfs");
    disk.f_bavail * disk.f_frsize
}

const MIB: u64 = 1 << 20;

#[test]
fn a_primary_whose_disk_fills_hands_over_until_there_is_room_again() {
    let fleet = Fleet::start();
    // The jobs of the primary work on a small file system of their own, which nobody else fills.
    let small = TempDir::new_in("/dev/shm").expect("/dev/shm is a file system in memory");
    let _primary = listener_that_works_in(&fleet.root(0), &small.path().join("_work"), NAMES[0]);
    let _secondary = fleet.listener(1);
    let others = room("/").min(room("/tmp")).saturating_sub(512 * MIB);
    let limit = room("/dev/shm").saturating_sub(32 * MIB).min(others);
    let resources = format!("{{min-free: {limit}, min-free-percent: 100, min-memory: 1 MiB}}");
    let gate = || fleet.gate(&resources);
    let healthy = until("both are steady and have room", gate, |e| {
        chosen(e) == "prod-a" && status(e, "runner-steady") == "pass"
    });
    assert_eq!(status(&healthy, "runner-resources"), "pass", "{}", healthy.stdout);

    let excess = room("/dev/shm").saturating_sub(limit) + 16 * MIB;
    let filling = small.path().join("_work/build.log");
    std::fs::write(&filling, vec![b'x'; usize::try_from(excess).expect("size")]).expect("room");
    let over = until("the secondary takes over", gate, |e| chosen(e) == "prod-b");
    assert_eq!(over.code, 0, "{}", over.stdout);
    let full = over.finding("runner-resources");
    assert_eq!(full["status"], "fail", "{full:#}");
    assert!(full["summary"].to_string().contains("/dev/shm (work)"), "{full:#}");
    assert!(full["help"].to_string().contains("free space on the host"), "{full:#}");

    std::fs::remove_file(&filling).expect("the build is cleaned up");
    let again = until("the primary has room again", gate, |e| chosen(e) == "prod-a");
    assert_eq!(status(&again, "runner-resources"), "pass", "{}", again.stdout);
}

#[test]
fn a_gate_that_waits_asks_prometheus_anew_in_every_round() {
    let fleet = Fleet::start();
    drop([fleet.listener(0), fleet.listener(1)]);
    until(
        "both are known to be down",
        || fleet.gate("allow"),
        |e| status(e, "runner-online") == "fail",
    );
    let guard = Guard::preflight(&fleet.config(", wait: 30s, poll: 1s", "allow"));
    let mut command = guard.command();
    let mut gate =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the gate starts");
    let mut said = String::new();
    let mut stderr = BufReader::new(gate.stderr.take().expect("stderr"));
    stderr.read_line(&mut said).expect("a line while it waits");
    assert!(said.starts_with("waiting, at most "), "{said}");
    let _back = fleet.listener(1);
    let output = gate.wait_with_output().expect("it ends");
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!(output.status.code(), Some(0), "{report:#}");
    assert_eq!(report["selection"]["chosen"], "prod-b", "{report:#}");
}
