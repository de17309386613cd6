//! A real Prometheus that scrapes the real exporter of a runner whose listener really lives, and then really dies.
#![expect(
    clippy::disallowed_methods,
    reason = "the test starts Prometheus, an exporter and a listener"
)]

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::command::{Ended, Guard};

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(mut command: Command) -> Running {
    Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts"))
}

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("port")
}

/// A runner's folder, with a process of the listener's name in it.
fn listener(root: &Path, name: &str) -> Running {
    std::fs::create_dir_all(root.join("bin")).expect("folder");
    std::fs::create_dir_all(root.join("_work")).expect("folder");
    let settings = format!("\u{feff}{{\"agentName\": \"{name}\", \"workFolder\": \"_work\"}}");
    std::fs::write(root.join(".runner"), settings).expect("settings");
    let program = root.join("bin/Runner.Listener");
    std::fs::copy("/bin/sleep", &program).expect("a copy of sleep");
    let mut command = Command::new(program);
    command.arg("600").current_dir(root);
    start(command)
}

fn exporter(root: &Path, listen: SocketAddr) -> Running {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runner-guard"));
    command.args(["exporter", "--listen", &listen.to_string(), "--environment", "production"]);
    command.args(["--authorized-for-prod", "true", "--runner-root"]).arg(root);
    start(command)
}

fn prometheus(folder: &Path, listen: SocketAddr, targets: &[SocketAddr]) -> Running {
    let targets: Vec<String> = targets.iter().map(|target| format!("'{target}'")).collect();
    let config = format!(
        "global: {{scrape_interval: 1s}}\nscrape_configs:\n  - job_name: runners\n    static_configs: [{{targets: [{}]}}]\n",
        targets.join(", ")
    );
    std::fs::write(folder.join("prometheus.yml"), config).expect("configuration");
    let program = std::env::var("RUNNER_GUARD_PROMETHEUS")
        .expect("RUNNER_GUARD_PROMETHEUS names the program; run `make test`, which installs it");
    let mut command = Command::new(program);
    command.arg(format!("--config.file={}", folder.join("prometheus.yml").display()));
    command.arg(format!("--storage.tsdb.path={}", folder.join("data").display()));
    command.arg(format!("--web.listen-address={listen}"));
    start(command)
}

/// Asks the gate again and again until it has this to say, at most 30 s.
fn until(what: &str, ask: impl Fn() -> Ended, wanted: impl Fn(&Ended) -> bool) -> Ended {
    let limit = Instant::now() + Duration::from_secs(30);
    loop {
        let ended = ask();
        if wanted(&ended) {
            return ended;
        }
        assert!(Instant::now() < limit, "not within 30 s: {what}\n{}", ended.stdout);
        std::thread::park_timeout(Duration::from_millis(300));
    }
}

#[test]
fn a_listener_that_dies_is_noticed_and_the_secondary_takes_over() {
    let folder = TempDir::new().expect("folder");
    let (root_a, root_b) = (folder.path().join("a"), folder.path().join("b"));
    let (at_a, at_b, at) = (free(), free(), free());
    let dies = listener(&root_a, "prod-a");
    let _lives = listener(&root_b, "prod-b");
    let _exporters = [exporter(&root_a, at_a), exporter(&root_b, at_b)];
    let _prometheus = prometheus(folder.path(), at, &[at_a, at_b]);
    let config = format!(
        "environment: production\ntimeout: 10s\nprometheus: {{url: 'http://{at}'}}\nchecks: {{docker-daemon: allow, disk-space: allow}}\n\
         runners:\n  - {{name: prod-a, labels: [self-hosted, a]}}\n  - {{name: prod-b, labels: [self-hosted, b]}}\n"
    );
    let gate = || Guard::preflight(&config).run();

    let healthy = until("the primary is chosen", gate, |e| {
        e.code == 0 && e.report()["selection"]["chosen"] == "prod-a"
    });
    assert_eq!(healthy.finding("exporter-fresh")["status"], "pass", "{}", healthy.stdout);

    drop(dies);
    let over = until("the secondary is chosen", gate, |e| {
        e.code == 0 && e.report()["selection"]["chosen"] == "prod-b"
    });
    assert!(over.stdout.contains("prod-a is offline"), "{}", over.stdout);

    let only = config.replace("  - {name: prod-b, labels: [self-hosted, b]}\n", "");
    let blocked = Guard::preflight(&only).run();
    assert_eq!(blocked.code, 12, "{}", blocked.stdout);

    let snapshot = Guard::plain(&["diagnose", "--config", "c.yml", "--format", "json"])
        .file("c.yml", &config)
        .run();
    let rows = snapshot.report()["collected"].clone();
    let row =
        rows.as_array().and_then(|all| all.iter().find(|r| r["collector"] == "metrics").cloned());
    assert_eq!(row.map(|r| r["status"].clone()), Some("ok".into()), "{rows:#}");
}
