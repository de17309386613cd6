//! Output of Ansible: found by configuration, by `ANSIBLE_LOG_PATH`, or by looking at recent files; read by its grammar.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Collector, Ctx, Harvest};
use crate::redact::Redactor;
use crate::report::{BundlePath, Evidence, EvidenceKind, Excerpt, Raw, Truncation};
use crate::source::ansible::{self, Digest, Failure, Run, Verdict};
use crate::source::files::{self, Folder, Keep};
use crate::source::{Cause, Error};
use crate::task::{self, BoxFuture};

pub(super) struct Ansible;

/// Most of one file that is read, in bytes: its beginning and its end.
const FILE_CAP: usize = 32 << 20;

/// How far the search goes when nobody says where the output is.
const SEARCH_FILES: usize = 2000;
const SEARCH_DEPTH: usize = 3;
const SNIFF: usize = 64 * 1024;

/// What to say when nothing was found.
const ADD: &str =
    "no Ansible output was found; add at the job's level: `env: { ANSIBLE_LOG_PATH: ansible.log }`";

impl Collector for Ansible {
    fn id(&self) -> &'static str {
        "ansible"
    }

    fn explain(&self) -> &'static str {
        "Reads the files of collect.ansible.logs or the input ansible-log; else ANSIBLE_LOG_PATH; else recent files in the workspace and the \
         runner's temporary folder that begin like Ansible output. Gives failed tasks with host, message, return code and the tail of stderr."
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Harvest, Error>> {
        Box::pin(async move {
            let search = Search {
                named: ctx
                    .config
                    .collect
                    .ansible_logs
                    .iter()
                    .map(|p| ctx.job.workspace.join(p))
                    .collect(),
                by_env: (!ctx.job.ansible_log_path.is_empty())
                    .then(|| ctx.job.workspace.join(&ctx.job.ansible_log_path)),
                folders: vec![ctx.job.workspace.clone(), ctx.job.temp.clone()],
                started: ctx.job.started,
                redactor: Arc::clone(ctx.redactor),
            };
            let found = task::blocking(move || collect(&search)).await;
            found.unwrap_or_else(|| {
                Err(Error::new(
                    "read the Ansible output",
                    Cause::Other("the reader stopped".to_owned()),
                ))
            })
        })
    }
}

struct Search {
    named: Vec<PathBuf>,
    by_env: Option<PathBuf>,
    folders: Vec<PathBuf>,
    started: i64,
    redactor: Arc<Redactor>,
}

fn collect(search: &Search) -> Result<Harvest, Error> {
    if !search.named.is_empty() {
        let entries =
            search.named.iter().map(|p| read(p, search)).collect::<Result<Vec<_>, _>>()?;
        return Ok(found(entries, "named by the configuration"));
    }
    if let Some(path) = search.by_env.as_ref().filter(|p| p.exists()) {
        return Ok(found(vec![read(path, search)?], "named by ANSIBLE_LOG_PATH"));
    }
    let sniffed: Vec<PathBuf> = search
        .folders
        .iter()
        .filter(|f| !f.as_os_str().is_empty())
        .flat_map(|folder| sniff(folder, search.started))
        .collect();
    let entries: Vec<_> = sniffed.iter().filter_map(|p| read(p, search).ok()).collect();
    if entries.is_empty() {
        let expected = search.by_env.as_ref().map(|p| {
            format!("{} does not exist: Ansible did not start, or runs elsewhere; ", p.display())
        });
        return Ok(Harvest::Nothing(format!("{}{ADD}", expected.unwrap_or_default())));
    }
    Ok(found(entries, "found by its content"))
}

fn found(entries: Vec<Evidence<Raw>>, how: &str) -> Harvest {
    let failures: usize = entries.iter().filter_map(|e| e.excerpts.as_ref()).map(Vec::len).sum();
    Harvest::Found {
        note: format!("{} file(s) {how}; {failures} failure(s)", entries.len()),
        entries,
    }
}

fn read(path: &Path, search: &Search) -> Result<Evidence<Raw>, Error> {
    let read = files::read(path, FILE_CAP, Keep::HeadAndTail)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let place = BundlePath::new("ansible", &name);
    let mut evidence =
        log_evidence(place, &path.display().to_string(), &read.text(), &search.redactor);
    evidence.truncated = read
        .truncated
        .then_some(Truncation { original: Some(read.original), cap: FILE_CAP as u64 });
    Ok(evidence)
}

/// Files below the folder that begin like Ansible output and were written to since the job began; the newest first, at most three.
fn sniff(folder: &Path, started: i64) -> Vec<PathBuf> {
    let Ok(opened) = Folder::open(folder) else { return Vec::new() };
    let Ok(listing) = opened.list(SEARCH_FILES, SEARCH_DEPTH) else { return Vec::new() };
    let since =
        std::time::UNIX_EPOCH + std::time::Duration::from_secs(u64::try_from(started).unwrap_or(0));
    let wanted = |name: &Path| {
        name.extension()
            .is_some_and(|e| ["log", "out", "txt"].iter().any(|w| e.eq_ignore_ascii_case(w)))
    };
    let mut candidates: Vec<_> = listing
        .files
        .into_iter()
        .filter(|f| wanted(&f.path) && f.modified >= since && f.size > 0)
        .collect();
    candidates.sort_by_key(|file| std::cmp::Reverse(file.modified));
    let looks_right = |file: &files::Entry| {
        opened.read(&file.path, SNIFF, Keep::Head).is_ok_and(|read| is_ansible(&read.text()))
    };
    candidates.iter().filter(|f| looks_right(f)).take(3).map(|f| folder.join(&f.path)).collect()
}

fn is_ansible(start: &str) -> bool {
    let text = ["PLAY [", "PLAY RECAP", "TASK ["].iter().any(|banner| start.contains(banner));
    let event = start.contains("\"_event\"") && start.contains("v2_playbook_on_");
    text || event || (start.contains("\"plays\": [") && start.contains("\"tasks\": ["))
}

/// Evidence of a log: by the grammar of Ansible when it holds a run, else as plain text of a job.
///
/// The text is redacted before it is read: what the parser shortens or puts together anew could otherwise hold a part of a secret that
/// no later pass can know.
pub fn log_evidence(
    path: BundlePath,
    origin: &str,
    text: &str,
    redactor: &Redactor,
) -> Evidence<Raw> {
    let (clean, counts) = redactor.redact_counted(text);
    Evidence { redactions: counts, ..structured(path, origin, clean.as_str()) }
}

fn structured(path: BundlePath, origin: &str, text: &str) -> Evidence<Raw> {
    let digest = ansible::digest(text);
    if !digest.is_ansible() {
        return Evidence::new(path, EvidenceKind::JobLog, origin, text);
    }
    let mut evidence = Evidence::new(path, EvidenceKind::Ansible, origin, text);
    evidence.excerpts = Some(excerpts(&digest));
    // A job's log that went wrong outside of Ansible must not be silenced by a green recap.
    if !digest.failed() && text.contains("##[error]") {
        evidence.kind = EvidenceKind::JobLog;
        evidence.excerpts = None;
    }
    evidence
}

fn excerpts(digest: &Digest) -> Vec<Excerpt<Raw>> {
    let mut all = Vec::new();
    for error in &digest.errors {
        let label = "Ansible stopped before it could run";
        all.push(Excerpt {
            label: Raw::new(label),
            text: Raw::new(error.clone()),
            line: 1,
            root: true,
        });
    }
    for run in &digest.runs {
        let before = all.len();
        all.extend(run.failures.iter().filter(|f| run.failed() && f.counts()).map(of_failure));
        if all.len() == before && (run.failed() || did_nothing(run)) {
            all.push(of_run(run));
        }
    }
    all
}

fn of_failure(failure: &Failure) -> Excerpt<Raw> {
    Excerpt {
        label: Raw::new(failure.headline()),
        text: Raw::new(failure.excerpt()),
        line: failure.line,
        root: failure.root_cause,
    }
}

/// A green run that deployed nothing: no host matched, or the inventory could not be read.
fn did_nothing(run: &Run) -> bool {
    run.verdict == Verdict::NoHosts || run.warnings.iter().any(|w| w.contains("No inventory"))
}

/// A run that says why it stopped without naming a task.
fn of_run(run: &Run) -> Excerpt<Raw> {
    let verdict = run.verdict_line();
    let lines: Vec<&str> = run
        .errors
        .iter()
        .chain(&run.warnings)
        .map(String::as_str)
        .chain([verdict.as_str()])
        .collect();
    Excerpt {
        label: Raw::new(verdict.clone()),
        text: Raw::new(lines.join("\n")),
        line: 1,
        root: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_without_ansible_is_plain_text_of_a_job() {
        let evidence = structured(BundlePath::new("", "x"), "x", "npm ERR! code E401\n");
        assert_eq!(evidence.kind, EvidenceKind::JobLog);
        assert!(evidence.excerpts.is_none());
    }

    #[test]
    fn banners_events_and_documents_are_ansible_and_other_json_is_not() {
        for start in [
            "\nPLAY [web] ****\n",
            r#"{"_event":"v2_playbook_on_play_start","play":{}}"#,
            "{\n    \"custom_stats\": {},\n    \"plays\": [\n {\"tasks\": [",
        ] {
            assert!(is_ansible(start), "{start}");
        }
        assert!(!is_ansible(r#"{"plays": ["Hamlet"], "_event": "login"}"#));
    }

    #[test]
    fn nothing_found_names_the_line_to_add() {
        let folder = tempfile::tempdir().unwrap();
        let search = Search {
            named: vec![],
            by_env: None,
            folders: vec![folder.path().to_path_buf()],
            started: 0,
            redactor: Arc::new(Redactor::new(&[])),
        };
        let Harvest::Nothing(why) = collect(&search).unwrap() else { panic!("found something") };
        assert!(why.contains("ANSIBLE_LOG_PATH: ansible.log"), "{why}");
    }
}
