//! What each part says about a machine that the test has built.

#![expect(clippy::disallowed_methods, reason = "the tests build the machine that they look at")]

use std::fs;
use std::os::unix::fs::symlink;

use super::*;

struct Machine {
    place: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        let machine = Self { place: tempfile::tempdir().unwrap() };
        machine.file(
            "proc/self/mountinfo",
            "1 0 8:1 / / rw - ext4 /dev/sda rw\n2 1 8:2 / /data rw - xfs /dev/sdb rw\n",
        );
        machine.file("tmp/x", "");
        machine
    }

    fn file(&self, path: &str, text: &str) {
        let path = self.place.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn root(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn register(&self, root: &str, name: &str) {
        self.file(
            &format!("{root}/.runner"),
            &format!("{{\"agentName\":\"{name}\",\"gitHubUrl\":\"https://github.com/o/r\"}}"),
        );
    }

    fn listen(&self, root: &str, pid: u32) {
        self.file(&format!("proc/{pid}/comm"), "Runner.Listener\n");
        let program = self.root(root).join("bin/Runner.Listener");
        symlink(program, self.root(&format!("proc/{pid}/exe"))).unwrap();
    }

    fn sources(&self, roots: &[&str]) -> Sources {
        Sources::new(
            Host::at(self.place.path()),
            roots.iter().map(|root| self.root(root)).collect(),
        )
    }
}

fn value(collected: &Collected, metric: &Metric, runner: &str) -> Option<f64> {
    collected
        .rows
        .iter()
        .find(|row| row.metric == metric && row.runner == runner)
        .map(|row| row.value)
}

#[test]
fn a_registered_runner_with_a_listener_can_take_jobs() {
    let machine = Machine::new();
    machine.register("r1", "deploy-1");
    machine.listen("r1", 42);
    machine.register("r2", "deploy-2");
    let collected = runner(&machine.sources(&["r1", "r2"]));
    assert!(collected.errors.is_empty());
    assert_eq!(value(&collected, &metrics::RUNNER_STATUS, "deploy-1"), Some(1.0));
    assert_eq!(value(&collected, &metrics::RUNNER_LISTENER_UP, "deploy-1"), Some(1.0));
    assert_eq!(value(&collected, &metrics::RUNNER_STATUS, "deploy-2"), Some(0.0));
    let info = collected.rows.iter().find(|row| row.metric == &metrics::RUNNER_INFO).unwrap();
    assert_eq!(info.labels[4], "github.com");
}

#[test]
fn the_log_of_a_listener_tells_when_it_last_wrote() {
    let machine = Machine::new();
    machine.register("r1", "deploy-1");
    let at = |machine: &Machine| {
        value(&runner(&machine.sources(&["r1"])), &metrics::RUNNER_LISTENER_LAST_LOG, "deploy-1")
    };
    assert_eq!(at(&machine), None);
    machine.file("r1/_diag/Runner_20260101-000000-utc.log", "Listening for Jobs\n");
    assert!(at(&machine).is_some_and(|at| at > 1.0e9));
}

#[test]
fn a_runner_that_loses_its_registration_keeps_its_name_and_goes_to_zero() {
    let machine = Machine::new();
    machine.register("r1", "deploy-1");
    machine.listen("r1", 42);
    let sources = machine.sources(&["r1"]);
    assert_eq!(value(&runner(&sources), &metrics::RUNNER_STATUS, "deploy-1"), Some(1.0));
    fs::remove_file(machine.root("r1/.runner")).unwrap();
    let collected = runner(&sources);
    assert_eq!(value(&collected, &metrics::RUNNER_STATUS, "deploy-1"), Some(0.0));
    assert_eq!(value(&collected, &metrics::RUNNER_INFO, "deploy-1"), None);
}

#[test]
fn a_runner_never_seen_registered_has_the_name_of_its_folder() {
    let machine = Machine::new();
    assert_eq!(value(&runner(&machine.sources(&["r9"])), &metrics::RUNNER_STATUS, "r9"), Some(0.0));
}

#[test]
fn a_registration_that_cannot_be_read_is_no_answer() {
    let machine = Machine::new();
    machine.file("r1/.runner", "not json");
    let collected = runner(&machine.sources(&["r1"]));
    assert_eq!(collected.errors.len(), 1);
    assert_eq!(value(&collected, &metrics::RUNNER_STATUS, "r1"), None);
    assert_eq!(value(&collected, &metrics::RUNNER_LISTENER_UP, "r1"), Some(0.0));
}

#[test]
fn two_runners_of_one_name_are_two_series() {
    let machine = Machine::new();
    machine.register("a", "same");
    machine.register("b", "same");
    let collected = runner(&machine.sources(&["a", "b"]));
    let names: HashSet<_> = collected.rows.iter().map(|row| row.runner.as_str()).collect();
    assert_eq!(names.len(), 2);
}

#[test]
fn file_systems_are_named_by_purpose_and_each_series_once() {
    let machine = Machine::new();
    machine.file("data/r1/.runner", "{\"agentName\":\"a\"}");
    machine.file("data/r2/.runner", "{\"agentName\":\"b\"}");
    let sources = Sources::new(Host::at(machine.place.path()), vec!["/data/r1".into()]);
    let collected = filesystem(&sources);
    let labels: Vec<_> = collected
        .rows
        .iter()
        .filter(|row| row.metric == &metrics::FILESYSTEM_AVAIL)
        .map(|row| row.labels.join(" "))
        .collect();
    assert_eq!(labels, ["root /", "tmp /", "diag /data"]);
    let both = machine.sources(&["data/r1", "data/r2"]);
    let rows = filesystem(&both).rows;
    let unique: HashSet<_> = rows.iter().map(|row| (row.metric.name, row.labels.clone())).collect();
    assert_eq!(unique.len(), rows.len());
}

#[test]
fn a_part_that_fails_says_so_and_keeps_the_rest() {
    let machine = Machine::new();
    machine.file("proc/vmstat", "oom_kill 3\n");
    let collected = memory(&machine.sources(&[]));
    assert_eq!(collected.errors.len(), 1);
    assert_eq!(value(&collected, &metrics::OOM_KILLS, ""), Some(3.0));
}

#[test]
fn every_part_fills_the_labels_that_the_table_names() {
    let machine = Machine::new();
    machine.register("r1", "deploy-1");
    let sources = Sources::new(Host::default(), vec![machine.root("r1")]);
    for collector in ALL {
        for row in (collector.run)(&sources).rows {
            assert_eq!(row.labels.len(), row.metric.labels.len(), "{row:?}");
            assert_eq!(
                row.runner.is_empty(),
                row.metric.about != metrics::About::Runner,
                "{row:?}"
            );
        }
    }
}
