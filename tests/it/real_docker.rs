//! The black box asks the real engine for the containers that died, and for their last words.
#![expect(clippy::disallowed_methods, reason = "the test starts containers")]

use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::bundle::unpacked;
use crate::support::command::Guard;

/// Containers that are removed at the end of the test.
struct Containers(Vec<String>);

impl Containers {
    /// Starts one that writes to both streams and ends with 3.
    fn start(&mut self, name: &str, flags: &[&str]) -> String {
        let image = std::env::var("RUNNER_GUARD_JOB_IMAGE")
            .expect("RUNNER_GUARD_JOB_IMAGE names the image; run `make test`, which makes it");
        let name = format!("runner-guard-test-{name}-{}", std::process::id());
        self.0.push(name.clone());
        let script = "echo loading; echo \"fatal: token $WORD was refused\" >&2; exit 3";
        let mut command = Command::new("docker");
        command.args(["run", "--detach", "--name", &name, "--env", "WORD=hunter2-hunter2"]);
        command.args(flags).args([&image, "bash", "-c", script]);
        let output = command.output().expect("docker");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        name
    }
}

impl Drop for Containers {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rm", "--force"]).args(&self.0).output();
    }
}

#[test]
fn the_last_words_of_dead_containers_come_from_the_real_engine_redacted() {
    let mut containers = Containers(Vec::new());
    let framed = containers.start("framed", &[]);
    let terminal = containers.start("terminal", &["--tty"]);
    let loops = containers.start("loops", &["--restart", "always"]);
    let limit = Instant::now() + Duration::from_mins(1);
    let (row, bundle) = loop {
        let guard =
            Guard::plain(&["diagnose", "--config", "c.yml", "--format", "json", "--out", "out"])
                .env("RUNNER_GUARD_SECRET_DEPLOY_KEY", "hunter2-hunter2")
                .file("c.yml", "collect: {runner-logs: {docker-socket: true}}\n");
        let ended = guard.run();
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        let rows = ended.report()["collected"].as_array().cloned().unwrap_or_default();
        let row = rows.into_iter().find(|row| row["collector"] == "containers").expect("a row");
        let bundle = unpacked(&ended.bytes("out/runner-guard-bundle.tar.gz"));
        // The engine may start the third one again while it is looked at.
        let list = bundle.get("containers/list.md").cloned().unwrap_or_default();
        let ended = |name: &String| {
            let log = bundle.get(&format!("containers/{name}.log"));
            let line = list.lines().find(|line| line.contains(name.as_str()));
            log.is_some_and(|text| text.contains("refused"))
                && line.is_some_and(|line| line.contains("| 3 | no |"))
        };
        if [&framed, &terminal, &loops].into_iter().all(ended) {
            break (row, bundle);
        }
        assert!(Instant::now() < limit, "not within 60 s: {row:#} {bundle:#?}");
    };
    assert_eq!(row["status"], "ok", "{row:#}");
    for name in [&framed, &terminal, &loops] {
        let log = &bundle[&format!("containers/{name}.log")];
        assert!(log.contains("loading") && log.contains("fatal: token "), "{log:?}");
        assert!(!log.contains("hunter2") && !log.contains(['\u{1}', '\u{2}', '\r']), "{log:?}");
        let stamped = log.lines().filter(|line| line.starts_with("20") && line.contains('Z'));
        assert_eq!(stamped.count(), log.lines().count(), "every line has its time: {log:?}");
    }
}
