//! A runner's root folder as a test writes it: registration, logs by their age, and programs that have the names of its processes.
#![expect(
    clippy::disallowed_methods,
    reason = "the tests build runners on the disk and start programs beside them"
)]

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tempfile::TempDir;

/// The id of the job whose log [`Root::worker`] writes.
pub(crate) const JOB: &str = "0c0ffee0-0000-4000-8000-000000000001";

/// A runner's root folder whose logs end some minutes ago.
pub(crate) struct Root {
    folder: TempDir,
}

impl Root {
    pub(crate) fn new() -> Self {
        let root = Self { folder: TempDir::new().expect("folder") };
        fs::create_dir_all(root.path("_diag/pages")).expect("folders");
        let registration = r#"{"agentName":"prod-a","poolName":"Default","gitHubUrl":"https://github.com/octo/app","serverUrl":"https://x/?token=hunter2"}"#;
        fs::write(root.path(".runner"), format!("\u{feff}{registration}")).expect("file");
        fs::write(root.path(".credentials"), "hunter2").expect("file");
        fs::write(root.path(".env"), "DEPLOY_KEY=hunter2\n").expect("file");
        root
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().canonicalize().expect("root").join(path)
    }

    pub(crate) fn diag(&self) -> String {
        self.path("_diag").display().to_string()
    }

    /// A log whose lines are so many minutes old; a line that begins with `!` is an error.
    pub(crate) fn log(self, name: &str, lines: &[(i64, &str)]) -> Self {
        let line = |(age, said): &(i64, &str)| match said.strip_prefix('!') {
            Some(said) => format!("[{} ERR  Part] {said}\n", stamp(*age)),
            None => format!("[{} INFO Part] {said}\n", stamp(*age)),
        };
        let text: String = lines.iter().map(line).collect();
        let age = lines.last().map_or(0, |(age, _)| *age);
        self.file(&format!("_diag/{name}"), &text, age)
    }

    pub(crate) fn file(self, path: &str, text: &str, age: i64) -> Self {
        let place = self.path(path);
        fs::write(&place, text).expect("file");
        let at = UNIX_EPOCH + Duration::from_secs(u64::try_from(ago(age)).expect("time"));
        fs::OpenOptions::new()
            .write(true)
            .open(&place)
            .expect("open")
            .set_modified(at)
            .expect("time");
        self
    }

    /// The log of a job of this run that fails in its second step.
    pub(crate) fn worker(self, name: &str, run: &str, age: i64, end: &[(i64, &str)]) -> Self {
        let message = format!(
            "Job message:\n{{\n  \"jobId\": \"{JOB}\",\n  \"title\": \"fix: No space left on device\",\n  \"k\": \"run_id\",\n  \"v\": \"{run}\"\n}}"
        );
        let telemetry = "Publish step telemetry for current step {\n  \"action\": \"octo/ship\", \"ref\": \"v1\", \"result\": \"failed\",\n  \
                         \"errorMessages\": [\"it broke in the middle\"], \"executionTimeInSeconds\": 8\n}.";
        let mut lines = vec![
            (age, message.as_str()),
            (age, "Processing step: DisplayName='Ship'"),
            (age, telemetry),
            (age, "Processing step: DisplayName='Watch'"),
        ];
        lines.extend(end);
        self.log(name, &lines)
    }

    /// A process that has the name and the place of the listener.
    pub(crate) fn listener(&self) -> Running {
        self.program("/bin/sleep", "Runner.Listener");
        let child = Command::new(self.path("bin/Runner.Listener")).arg("300").spawn();
        Running(child.expect("the listener starts"))
    }

    /// Copied by another process: the kernel starts no file that a thread of this one may hold open for writing.
    pub(crate) fn program(&self, from: &str, name: &str) {
        fs::create_dir_all(self.path("bin")).expect("folder");
        let copied =
            Command::new("/bin/cp").arg("-L").arg(from).arg(self.path("bin").join(name)).status();
        assert!(copied.expect("cp").success());
    }
}

/// A process that ends with this value.
pub(crate) struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// So many minutes ago, in seconds since 1970.
pub(crate) fn ago(minutes: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("clock").as_secs();
    i64::try_from(now).expect("clock") - minutes * 60
}

/// So many minutes ago, as logs write it.
pub(crate) fn stamp(age: i64) -> String {
    jiff::Timestamp::from_second(ago(age)).expect("time").to_string().replace('T', " ")
}

/// So many minutes ago, as a lease is written.
pub(crate) fn till(age: i64) -> String {
    jiff::Timestamp::from_second(ago(age)).expect("time").strftime("%m/%d/%Y %H:%M:%S").to_string()
}
