//! What was found, put together: entries for the bundle, and a note about the way and what was left.

use std::path::PathBuf;

use super::ladder::Found;
use super::sentences::{Facts, sentences};
use super::window::{self, Search, Wanted, Worker};
use super::{Ctx, FOLDER, Harvest, journal, states};
use crate::collect::log_evidence;
use crate::report::{BundlePath, Evidence, EvidenceKind, Raw, Truncation};
use crate::source::runner_files::{self, Diag, DiagFile, DiagText, ListenerLog, State, record};

/// Bytes of one listener log, and of the job's log.
const LISTENER_CAP: usize = 8 << 20;
const PAGES_CAP: usize = 8 << 20;
/// Most listener logs, and most pages or blocks.
const LISTENERS: usize = 3;
const PAGES: usize = 64;
/// What the listener said so long before the job is brought along, in seconds.
const BEFORE: i64 = 600;

/// Whether the listener runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Process {
    Running,
    Gone,
    OutOfSight,
}

/// Everything that the evidence is made from.
pub(super) struct Scene {
    found: Found,
    missed: Vec<String>,
    process: Process,
    journal: Option<Result<String, String>>,
    wanted: Wanted,
    now: i64,
    root: Option<PathBuf>,
}

impl Scene {
    pub(super) fn new(
        ctx: &Ctx<'_>,
        found: Found,
        missed: Vec<String>,
        process: Process,
        journal: Option<Result<String, String>>,
    ) -> Self {
        let job = ctx.job;
        let wanted = Wanted { run: job.run_id.clone(), job: job.job.clone(), started: job.started };
        let root = found.root();
        Self { found, missed, process, journal, wanted, now: ctx.sources.now, root }
    }

    pub(super) fn harvest(self) -> Harvest {
        let diag = &self.found.diag;
        let Search { worker, never_started, mut notes } = window::search(diag, &self.wanted);
        let mut entries = Vec::new();
        let mut listener = ListenerLog::default();
        for (file, text) in self.listener_logs(worker.as_ref(), &mut notes) {
            listener.read(&file.name, &text.text);
            entries.push(bundled(
                &file,
                &text,
                &since(&text.text, self.from(worker.as_ref())),
                &self.found.how,
            ));
        }
        entries.extend(self.updates(&listener, worker.as_ref(), &mut notes));
        if let Some(worker) = &worker {
            entries.push(bundled(&worker.file, &worker.text, &worker.text.text, &self.found.how));
            entries.push(steps(worker));
            notes.push(format!("{} is this job's ({})", worker.file.name, worker.how));
        }
        match self.job_log(worker.as_ref()) {
            Ok(log) => entries.push(log),
            Err(why) => notes.push(why),
        }
        entries.extend(self.registration());
        let unhealed = match &self.journal {
            Some(Ok(text)) => {
                entries.push(unread("journal.txt", "the journal of the runner's service", text));
                journal::unhealed(text)
            }
            Some(Err(why)) => {
                notes.push(why.clone());
                Vec::new()
            }
            None => Vec::new(),
        };
        let facts = self.facts(&listener, worker.as_ref(), never_started);
        let text = states::render(&facts, &sentences(&facts), &unhealed);
        let path = BundlePath::new(FOLDER, "states.txt");
        entries.push(Evidence::new(
            path,
            EvidenceKind::RunnerLog,
            format!("read from {}", self.found.how),
            text,
        ));
        let note = self.note(entries.len(), facts.never_started.as_deref(), &notes);
        Harvest::Found { note, entries }
    }

    fn facts<'a>(
        &self,
        listener: &'a ListenerLog,
        worker: Option<&'a Worker>,
        never_started: Option<String>,
    ) -> Facts<'a> {
        let id = worker.and_then(|worker| worker.log.job_id.as_deref());
        let in_run = !self.wanted.run.is_empty();
        let last_words =
            [listener.last_word, worker.and_then(|w| w.log.words.map(|(_, last)| last))];
        let last_words = last_words.into_iter().flatten().max().unwrap_or(self.now);
        Facts {
            listener,
            worker,
            job: if never_started.is_some() { None } else { listener.job(id) },
            never_started,
            in_run,
            process: self.process,
            until: self.until(in_run, last_words),
        }
    }

    /// Up to when silence means something: until now where the runner writes, else until the copy was made. Of a copy from who knows
    /// when, silence proves nothing.
    fn until(&self, in_run: bool, last_words: i64) -> i64 {
        let known = in_run || self.process != Process::OutOfSight;
        match (self.found.live, in_run) {
            (true, _) if known => self.now,
            (false, true) => {
                let written = self.found.diag.files().iter().map(|file| file.modified);
                written.max().unwrap_or(last_words).min(self.now)
            }
            (true | false, _) => last_words,
        }
    }

    /// From when on the listener's logs are of this job.
    fn from(&self, worker: Option<&Worker>) -> i64 {
        let began = worker.and_then(|worker| worker.log.words.map(|(first, _)| first));
        let began = began.or((self.wanted.started > 0).then_some(self.wanted.started));
        began.map_or(0, |began| began - BEFORE)
    }

    fn listener_logs(
        &self,
        worker: Option<&Worker>,
        notes: &mut Vec<String>,
    ) -> Vec<(DiagFile, DiagText)> {
        let diag = &self.found.diag;
        let from = self.from(worker);
        let logs = diag.files().iter().filter(|file| file.name.starts_with("Runner_"));
        let mut read: Vec<(DiagFile, DiagText)> = Vec::new();
        for (place, file) in logs.take(LISTENERS).enumerate() {
            // The newest tells the state of now, whenever it last wrote.
            if place > 0 && file.modified < from {
                break;
            }
            match diag.read(&file.name, LISTENER_CAP) {
                Ok(text) => read.push((file.clone(), text)),
                Err(error) => notes.push(error.chain()),
            }
        }
        read.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
        if read.is_empty() {
            notes.push("no log of the listener".to_owned());
        }
        read
    }

    fn updates(
        &self,
        listener: &ListenerLog,
        worker: Option<&Worker>,
        notes: &mut Vec<String>,
    ) -> Option<Evidence<Raw>> {
        let from = self.from(worker);
        let mut logs =
            self.found.diag.files().iter().filter(|file| file.name.starts_with("SelfUpdate"));
        let file = logs.next().filter(|file| file.modified >= from)?;
        let text = match self.found.diag.read(&file.name, LISTENER_CAP / 8) {
            Ok(text) => text,
            Err(error) => {
                notes.push(error.chain());
                return None;
            }
        };
        let mut entry = bundled(file, &text, &text.text, &self.found.how);
        if listener.last().is_some_and(|last| last.state == State::Updating) {
            entry.excerpts = None;
        }
        Some(entry)
    }

    /// The job's log from its pages, else from its blocks.
    fn job_log(&self, worker: Option<&Worker>) -> Result<Evidence<Raw>, String> {
        let Some(id) = worker.and_then(|worker| worker.log.job_id.as_deref()) else {
            return Err("the job's log on the host was not taken: the id of the job is not known"
                .to_owned());
        };
        let diag = &self.found.diag;
        let mut parts = parts_of(diag, id, "pages/", "_");
        if parts.is_empty() {
            parts = parts_of(diag, id, "blocks/", ".");
        }
        let Some((_, first)) = parts.first() else {
            return Err("no page of the job's log is on the host (they go when they are uploaded)"
                .to_owned());
        };
        let origin = format!("{first} and what follows it, from {}", self.found.how);
        let (mut left, mut texts, mut original, mut cut) = (PAGES_CAP, Vec::new(), 0_u64, false);
        // The end of the log tells what failed: pages that have no place any more are the first.
        for (_, name) in parts.iter().rev() {
            let Ok(read) = diag.read(name, left) else { continue };
            original += read.cut_from.unwrap_or(read.text.len() as u64);
            cut |= read.cut_from.is_some();
            left = left.saturating_sub(read.text.len());
            texts.push(read.text);
        }
        texts.reverse();
        let path = BundlePath::new(FOLDER, "job.log");
        let mut entry = log_evidence(path, &origin, texts.concat());
        entry.truncated =
            cut.then_some(Truncation { original: Some(original), cap: PAGES_CAP as u64 });
        Ok(entry)
    }

    /// Selected fields of `.runner`, and of `.env` the names.
    fn registration(&self) -> Option<Evidence<Raw>> {
        let root = self.root.as_deref()?;
        let registration = match runner_files::registration(root) {
            Ok(Some(read)) => serde_json::json!({
                "name": read.name,
                "pool": read.pool,
                "github_host": read.github_host,
                "work_folder": read.work_folder,
                "ephemeral": read.ephemeral,
                "update_disabled": read.update_disabled,
                "version": read.version,
            }),
            Ok(None) => serde_json::Value::String("there is no .runner: the runner is not registered, or an ephemeral one has done its job".to_owned()),
            Err(error) => serde_json::Value::String(error.chain()),
        };
        let facts = serde_json::json!({
            "registration": registration,
            "variable_names": runner_files::variable_names(root),
            "path_is_fixed": root.join(".path").is_file(),
            "service": runner_files::unit(root),
        });
        let text = serde_json::to_string_pretty(&facts).unwrap_or_default();
        let path = BundlePath::new(FOLDER, "runner.json");
        Some(Evidence::new(
            path,
            EvidenceKind::Context,
            format!("{}/.runner, selected fields", root.display()),
            text,
        ))
    }

    fn note(&self, entries: usize, never_started: Option<&str>, notes: &[String]) -> String {
        let mut parts = vec![format!("{entries} entries from {}", self.found.how)];
        parts.extend(never_started.map(str::to_owned));
        parts.extend(notes.iter().cloned());
        if !self.missed.is_empty() {
            parts.push(format!("ways before this one: {}", self.missed.join("; ")));
        }
        parts.join("; ")
    }
}

/// The pages or blocks of the job's own record with their numbers, in order: `pages/<timeline>_<job>_<n>.log`, `blocks/<timeline>_<job>.<n>`.
fn parts_of(diag: &Diag, id: &str, folder: &str, before_number: &str) -> Vec<(u64, String)> {
    let number = |name: &str| {
        let name = name.strip_prefix(folder)?;
        let name = name.strip_suffix(".log").unwrap_or(name);
        let (record, number) = name.rsplit_once(before_number)?;
        let number = number.parse().ok()?;
        record
            .rsplit_once('_')
            .is_some_and(|(_, record)| record.eq_ignore_ascii_case(id))
            .then_some(number)
    };
    let mut parts: Vec<(u64, String)> = diag
        .files()
        .iter()
        .filter_map(|file| Some((number(&file.name)?, file.name.clone())))
        .collect();
    parts.sort();
    parts.split_off(parts.len().saturating_sub(PAGES))
}

/// A log for the bundle in which no cause is looked for: what can be one stands in the states.
fn bundled(file: &DiagFile, read: &DiagText, text: &str, how: &str) -> Evidence<Raw> {
    let mut entry = unread(&file.name, &format!("{} from {how}", file.name), text);
    entry.truncated =
        read.cut_from.map(|size| Truncation { original: Some(size), cap: LISTENER_CAP as u64 });
    entry
}

fn unread(name: &str, origin: &str, text: &str) -> Evidence<Raw> {
    let path = BundlePath::new(FOLDER, name);
    Evidence {
        excerpts: Some(Vec::new()),
        ..Evidence::new(path, EvidenceKind::RunnerLog, origin, text)
    }
}

fn steps(worker: &Worker) -> Evidence<Raw> {
    let log = &worker.log;
    let facts = serde_json::json!({
        "job_id": log.job_id,
        "plan_id": log.plan_id,
        "result": log.result,
        "completed": log.completed,
        "step_under_way": log.under_way,
        "orphan_processes_ended": log.orphans,
        "steps": log.steps,
    });
    let text = serde_json::to_string_pretty(&facts).unwrap_or_default();
    let path = BundlePath::new(FOLDER, "steps.json");
    Evidence::new(
        path,
        EvidenceKind::Context,
        format!("the telemetry of the steps in {}", worker.file.name),
        text,
    )
}

/// The text from this time on, with a word about what was left.
fn since(text: &str, from: i64) -> String {
    let mut skipped = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if record::record(line.trim_end()).is_some_and(|record| record.at >= from) {
            if number == 0 {
                return text.to_owned();
            }
            let rest = text.get(skipped..).unwrap_or_default();
            return format!(
                "[... {number} lines from before {} left out ...]\n{rest}",
                record::shown(from)
            );
        }
        skipped += line.len();
    }
    if from > 0 && skipped > 0 {
        format!("[... all lines are from before {} ...]\n", record::shown(from))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_listener_said_long_before_the_job_is_left() {
        let text = "[2026-01-31 10:00:00Z INFO A] old\n  more\n[2026-01-31 10:10:00Z INFO A] new\n";
        let ten = 1_769_853_600;
        assert_eq!(since(text, 0), text);
        assert_eq!(
            since(text, ten + 60),
            "[... 2 lines from before 2026-01-31 10:01:00Z left out ...]\n[2026-01-31 10:10:00Z INFO A] new\n"
        );
        assert_eq!(
            since(text, ten + 6000),
            "[... all lines are from before 2026-01-31 11:40:00Z ...]\n"
        );
    }
}
