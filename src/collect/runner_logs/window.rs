//! Which worker log is that of this job. The logs of other jobs may hold other people's secrets: they are looked at only to be told
//! apart, and left.

use crate::source::runner_files::record::{shown, time_in_name};
use crate::source::runner_files::{Diag, DiagFile, DiagText, WorkerLog};

/// Most worker logs that are looked at, and bytes of one of them.
const LOOKED_AT: usize = 12;
const CAP: usize = 4 << 20;

/// Clocks are read in whole seconds, and a step starts some seconds after its job.
const SLACK: i64 = 5;

/// What is known about this job.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    /// Id of the run; empty outside of a workflow.
    pub(super) run: String,
    /// Key of the job in its file.
    pub(super) job: String,
    /// When the first step of ours began, in seconds since 1970; 0 when that is not known.
    pub(super) started: i64,
}

/// The worker log of this job.
pub(super) struct Worker {
    pub(super) file: DiagFile,
    pub(super) text: DiagText,
    pub(super) log: WorkerLog,
    /// How it was told from the others.
    pub(super) how: &'static str,
    /// Whether a worker of a later job has written since.
    pub(super) later: bool,
}

/// What the search came to.
pub(super) struct Search {
    pub(super) worker: Option<Worker>,
    /// Why there is none, when the logs show that no worker took this job.
    pub(super) never_started: Option<String>,
    /// What was left, and what could not be read.
    pub(super) notes: Vec<String>,
}

pub(super) fn search(diag: &Diag, wanted: &Wanted) -> Search {
    let mut search = Search { worker: None, never_started: None, notes: Vec::new() };
    let all: Vec<&DiagFile> =
        diag.files().iter().filter(|file| file.name.starts_with("Worker_")).collect();
    let (fresh, old): (Vec<&DiagFile>, Vec<&DiagFile>) =
        all.iter().partition(|file| wanted.started == 0 || file.modified >= wanted.started - SLACK);
    let mut others = old.len();
    for (place, file) in fresh.iter().take(LOOKED_AT).enumerate() {
        let text = match diag.read(&file.name, CAP) {
            Ok(text) => text,
            Err(error) => {
                search.notes.push(error.chain());
                continue;
            }
        };
        let log = WorkerLog::of(&text.text);
        if let Some(how) = wanted.fits(file, &log, place == 0) {
            others += fresh.len() - place - 1;
            search.worker =
                Some(Worker { file: (*file).clone(), text, log, how, later: place > 0 });
            break;
        }
        others += 1;
    }
    if others > 0 {
        search.notes.push(format!("{others} worker log(s) of other jobs were left"));
    }
    if search.worker.is_none() {
        search.never_started = wanted.never_started(fresh.is_empty(), all.first().copied());
    }
    search
}

impl Wanted {
    /// Why this log is the one, if it is.
    fn fits(&self, file: &DiagFile, log: &WorkerLog, newest: bool) -> Option<&'static str> {
        let same_job =
            log.job_key.as_deref().is_none_or(|key| self.job.is_empty() || key == self.job);
        if !self.run.is_empty()
            && let Some(same_run) = log.is_of_run(&self.run)
        {
            return (same_run && same_job).then_some("by the ids of run and job");
        }
        let began = time_in_name(&file.name).or(log.words.map(|(first, _)| first));
        if self.started > 0 {
            // The worker was there before our first step, or it is that of a later job.
            let in_time = began.is_none_or(|began| began <= self.started + SLACK);
            return (in_time && same_job).then_some("by its time");
        }
        (newest && same_job).then_some(if self.run.is_empty() {
            "the newest: which job is meant is not known"
        } else {
            "the newest: it names no run"
        })
    }

    fn never_started(&self, all_old: bool, newest: Option<&DiagFile>) -> Option<String> {
        if self.run.is_empty() && self.started == 0 {
            return None;
        }
        let what = match newest {
            None => "there is no worker log at all".to_owned(),
            Some(file) if all_old => format!(
                "the newest worker log ended at {}, before this job began",
                shown(file.modified)
            ),
            Some(file) => format!(
                "the newest worker log, last written at {}, is that of another job",
                shown(file.modified)
            ),
        };
        Some(format!("no worker of this runner took this job: {what}"))
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests build the logs that are told apart")]
mod tests {
    use std::fs;
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    const TEN: i64 = 1_769_853_600;

    /// Logs by the minute of their start after ten, the minute of their end, and the run that they name.
    fn diag(logs: &[(i64, i64, Option<&str>)]) -> (tempfile::TempDir, Diag) {
        let folder = tempfile::tempdir().unwrap();
        for (start, end, run) in logs {
            let name = format!("Worker_20260131-10{start:02}00-utc.log");
            let ids = run.map(|run| {
                format!("Job message:\n{{\n  \"k\": \"run_id\",\n  \"v\": \"{run}\"\n}}\n")
            });
            let text =
                format!("[2026-01-31 10:{start:02}:00Z INFO Worker] {}\n", ids.unwrap_or_default());
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            let at = UNIX_EPOCH + Duration::from_secs(u64::try_from(TEN + end * 60).unwrap());
            fs::OpenOptions::new().write(true).open(&path).unwrap().set_modified(at).unwrap();
        }
        let diag = Diag::open(folder.path()).unwrap();
        (folder, diag)
    }

    fn found(
        logs: &[(i64, i64, Option<&str>)],
        run: &str,
        started: i64,
    ) -> Result<(String, &'static str), Option<String>> {
        let (_folder, diag) = diag(logs);
        let wanted = Wanted { run: run.to_owned(), job: "deploy".to_owned(), started };
        let search = search(&diag, &wanted);
        search.worker.map(|w| (w.file.name, w.how)).ok_or(search.never_started)
    }

    #[test]
    fn the_run_decides_and_not_the_time() {
        let logs = [(0, 20, Some("77")), (25, 40, Some("78"))];
        let name = "Worker_20260131-100000-utc.log".to_owned();
        assert_eq!(found(&logs, "77", 0), Ok((name, "by the ids of run and job")));
        let other = found(&logs, "79", 0).unwrap_err().unwrap();
        assert!(other.ends_with("is that of another job"), "{other}");
    }

    #[test]
    fn without_ids_the_time_decides() {
        let logs = [(0, 9, None), (10, 40, None), (30, 45, None)];
        let name = "Worker_20260131-101000-utc.log".to_owned();
        assert_eq!(found(&logs, "77", TEN + 15 * 60), Ok((name, "by its time")));
        let newest = found(&logs, "", 0).unwrap();
        assert_eq!(newest.0, "Worker_20260131-103000-utc.log");
    }

    #[test]
    fn a_newest_log_that_is_older_than_the_job_means_that_it_never_started() {
        let why = found(&[(0, 9, None)], "77", TEN + 15 * 60).unwrap_err().unwrap();
        assert_eq!(
            why,
            "no worker of this runner took this job: the newest worker log ended at 2026-01-31 10:09:00Z, before this job began"
        );
        assert_eq!(found(&[], "", 0), Err(None));
    }

    #[test]
    fn logs_of_other_jobs_are_counted_and_left() {
        let (_folder, diag) =
            diag(&[(0, 20, Some("77")), (25, 40, Some("78")), (41, 50, Some("79"))]);
        let wanted = Wanted { run: "78".to_owned(), ..Wanted::default() };
        let search = search(&diag, &wanted);
        assert_eq!(search.notes, ["2 worker log(s) of other jobs were left"]);
        assert!(search.worker.unwrap().later);
    }
}
