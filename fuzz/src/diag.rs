//! The logs that a runner keeps: those of the listener, of a worker, and the archive of their folder.
//!
//! An input is the text of one log, or of several with `0x03` between them, or an archive.

use runner_guard::source::runner_files::{Diag, ListenerLog, WorkerLog, record};

/// Longest line that is kept, in bytes, with what is said when it was cut.
const LINE: usize = 700;

/// Panics when a reader of these logs breaks a promise on this input.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    listener(&text);
    worker(&text);
    for line in text.lines().take(200) {
        if let Some(read) = record::record(line) {
            assert!(line.contains(read.message) && line.contains(read.source), "{line:?}");
            assert!(!record::shown(read.at).is_empty());
        }
        record::time(line);
        record::time_in_name(line);
    }
    archive(data);
}

fn listener(text: &str) {
    let mut log = ListenerLog::default();
    for (number, part) in text.split('\u{3}').enumerate() {
        log.read(&format!("Runner_20260131-10{number:04}-utc.log"), part);
    }
    assert!(log.changes.len() <= 200 && log.jobs.len() <= 20 && log.trouble.len() <= 120);
    let lines = log.trouble.iter().chain(log.jobs.iter().flat_map(|job| &job.lines));
    assert!(lines.map(String::len).all(|length| length <= LINE));
    assert_eq!(log.last(), log.changes.back());
    let first = log.jobs.front().map(|job| job.id.clone());
    assert_eq!(log.job(first.as_deref()).is_some(), !log.jobs.is_empty());
}

fn worker(text: &str) {
    let log = WorkerLog::of(text);
    assert!(log.steps.len() <= 500 && log.runs.len() <= 8);
    assert!(log.runs.iter().all(|run| log.is_of_run(run) != Some(false)));
    for step in &log.steps {
        assert!(step.seconds.is_finite(), "{step:?}");
        serde_json::to_string(step).expect("a step can be shown");
    }
}

fn archive(bytes: &[u8]) {
    let Ok(diag) = Diag::unpack(bytes) else { return };
    for file in diag.files() {
        assert!(!file.name.starts_with('/') && !file.name.split('/').any(|part| part == ".."));
        let read = diag.read(&file.name, 64).expect("it is listed");
        assert!(read.text.len() <= 3 * 64, "{}", read.text.len());
    }
}
