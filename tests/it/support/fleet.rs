//! Real parts for the tests of the whole: runners with a listener process, exporters of our own binary, a Prometheus that scrapes them.
#![expect(
    clippy::disallowed_methods,
    reason = "the tests start Prometheus, exporters and listeners"
)]

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::command::Ended;

/// A process that ends with the test.
pub(crate) struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts it, without its words.
pub(crate) fn start(mut command: Command) -> Running {
    Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts"))
}

/// A program that the set-up of the tests installs; without it the test fails and says how to get it.
pub(crate) fn needed(variable: &str) -> Command {
    let program = std::env::var_os(variable).unwrap_or_else(|| {
        panic!("{variable} is not set: it names the program; run `make test`, which installs it")
    });
    Command::new(program)
}

/// An address of the loopback where nobody listens.
pub(crate) fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("port")
}

/// A runner's folder, with a process of the listener's name in it.
pub(crate) fn listener(root: &Path, name: &str) -> Running {
    listener_that_works_in(root, &root.join("_work"), name)
}

/// As [`listener`], of a runner whose jobs work in another folder.
pub(crate) fn listener_that_works_in(root: &Path, work: &Path, name: &str) -> Running {
    std::fs::create_dir_all(root.join("bin")).expect("folder");
    std::fs::create_dir_all(work).expect("folder");
    let work = work.display();
    let settings = format!("\u{feff}{{\"agentName\": \"{name}\", \"workFolder\": \"{work}\"}}");
    std::fs::write(root.join(".runner"), settings).expect("settings");
    let program = root.join("bin/Runner.Listener");
    if !program.exists() {
        std::fs::copy("/bin/sleep", &program).expect("a copy of sleep");
    }
    let mut command = Command::new(program);
    command.arg("600").current_dir(root);
    start(command)
}

/// An exporter of a host of this name, for the runner in this folder.
pub(crate) fn exporter(root: &Path, hostname: &str, listen: SocketAddr) -> Running {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runner-guard"));
    command.args(["exporter", "--listen", &listen.to_string(), "--environment", "production"]);
    command.args(["--hostname", hostname, "--authorized-for-prod", "true", "--runner-root"]);
    command.arg(root);
    start(command)
}

/// A Prometheus that scrapes these exporters every second, with the rules of `rules.yml` in its folder when there are any.
pub(crate) fn prometheus(folder: &Path, listen: SocketAddr, targets: &[SocketAddr]) -> Running {
    let targets: Vec<String> = targets.iter().map(|target| format!("'{target}'")).collect();
    let config = format!(
        "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: ['rules*.yml']\nscrape_configs:\n  - job_name: runners\n    static_configs: [{{targets: [{}]}}]\n",
        targets.join(", ")
    );
    std::fs::write(folder.join("prometheus.yml"), config).expect("configuration");
    let mut command = needed("RUNNER_GUARD_PROMETHEUS");
    command.arg(format!("--config.file={}", folder.join("prometheus.yml").display()));
    command.arg(format!("--storage.tsdb.path={}", folder.join("data").display()));
    command.arg(format!("--web.listen-address={listen}"));
    start(command)
}

/// Asks the gate again and again until it has this to say, at most 30 s.
pub(crate) fn until(what: &str, ask: impl Fn() -> Ended, wanted: impl Fn(&Ended) -> bool) -> Ended {
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
