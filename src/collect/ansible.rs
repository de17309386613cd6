//! Output of Ansible: found by configuration, by `ANSIBLE_LOG_PATH`, or by looking at recent files; read by its grammar.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::{Collector, Ctx, Harvest, log};
use crate::config::{Job, Origin};
use crate::report::{BundlePath, Evidence, Raw};
use crate::source::ansible::{self, Checkout};
use crate::source::files::{self, Keep, Roots};
use crate::source::{Cause, Error};
use crate::task::{self, BoxFuture};

pub(super) struct Ansible;

/// Most of a folder that is read to see whether it is of Ansible, in bytes.
const FOLDER_CAP: u64 = 32 << 20;

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
        "Reads the files and folders of collect.ansible.logs or the input ansible-log; else ANSIBLE_LOG_PATH; else log_path of ansible.cfg in \
         the workspace, when it lies there or in the runner's temporary folder; else JUNIT_OUTPUT_DIR and ANSIBLE_CALLBACK_TREE_DIR; else what ansible-runner left in the workspace; else recent files \
         in the workspace and the runner's temporary folder that begin like Ansible output. Gives failed tasks with host, message, return \
         code, the tail of stderr and their place in the repository, and says when a run that ended well deployed nothing."
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Harvest, Error>> {
        Box::pin(async move {
            let search = Search::of(ctx);
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
    /// Where the output should be, in the order in which it is looked for, and who says so.
    expected: Vec<(PathBuf, &'static str)>,
    folders: Vec<PathBuf>,
    started: i64,
    /// What the repository's configuration names outside of the folders of the job: the first of it.
    strange: Option<PathBuf>,
    workspace: PathBuf,
    /// Where foreign programs write: links there are not followed, and only there a file of the repository may point.
    roots: Roots,
    base: Option<String>,
}

impl Search {
    fn of(ctx: &Ctx<'_>) -> Self {
        let job = ctx.job;
        let by_env = Some(&job.ansible_log_path).filter(|p| !p.is_empty());
        let log = by_env.map(|path| (here(job, path), "named by ANSIBLE_LOG_PATH"));
        let configured = log_path(&job.workspace);
        let roots = roots(job);
        let configured = configured.map(|p| (here(job, &p), "named by log_path in ansible.cfg"));
        // The file belongs to the repository: it must not choose what else of the machine is published.
        let configured = configured.filter(|(path, _)| roots.hold(path));
        let folders = job.ansible_folders.iter().map(|path| {
            (here(job, path), "named by JUNIT_OUTPUT_DIR or ANSIBLE_CALLBACK_TREE_DIR")
        });
        let runner = ["artifacts", "runner/artifacts"]
            .map(|place| (job.workspace.join(place), "left by ansible-runner"))
            .into_iter()
            .filter(|(path, _)| has_events(path, &roots));
        let named = &ctx.config.collect.ansible_logs;
        let by_repository = |at: &usize| {
            let origin = ctx.config.origins.of(&format!("collect.ansible.logs[{at}]"));
            !matches!(origin, Origin::Input(_) | Origin::Flag(_))
        };
        let strange = (0..named.len()).filter(by_repository).filter_map(|at| named.get(at));
        let strange = strange.map(|p| here(job, p)).find(|path| !roots.hold(path));
        Self {
            named: named.iter().map(|p| here(job, p)).collect(),
            strange,
            expected: log.into_iter().chain(configured).chain(folders).chain(runner).collect(),
            folders: vec![job.workspace.clone(), job.temp.clone()],
            started: job.started,
            workspace: job.workspace.clone(),
            roots,
            base: Checkout::base(&job.server_url, &job.repository, &job.sha),
        }
    }
}

/// Whether ansible-runner left events here; a folder of this name may as well hold what a build made.
fn has_events(folder: &Path, roots: &Roots) -> bool {
    let listed = roots.folder(folder).and_then(|opened| opened.list(SEARCH_FILES, SEARCH_DEPTH));
    let inside = |file: &files::Entry| {
        file.path.parent().and_then(Path::file_name).is_some_and(|name| name == "job_events")
    };
    listed.is_ok_and(|listing| listing.files.iter().any(inside))
}

/// The folders of the job: foreign programs write there, and a file of the repository may point nowhere else.
pub(super) fn roots(job: &Job) -> Roots {
    Roots::new([job.workspace.clone(), job.temp.clone()])
}

/// The path as this process sees it: in a container the host's folders have other names.
pub(super) fn here(job: &Job, path: &str) -> PathBuf {
    let (path, work) = (Path::new(path), Path::new(&job.host_workspace));
    if let (Some(name), Some(all)) = (work.file_name(), work.parent()) {
        if let Ok(rest) = path.strip_prefix(work.join(name)) {
            return job.workspace.join(rest);
        }
        if let Ok(rest) = path.strip_prefix(all.join("_temp")).map(|rest| job.temp.join(rest)) {
            return rest;
        }
    }
    job.workspace.join(path)
}

/// `log_path` of the section `[defaults]` in the workspace's `ansible.cfg`.
fn log_path(workspace: &Path) -> Option<String> {
    let roots = Roots::new([workspace.to_path_buf()]);
    let read = roots.read(&workspace.join("ansible.cfg"), SNIFF, Keep::Head).ok()?.text();
    let mut defaults = false;
    for line in read.lines().map(str::trim) {
        if line.starts_with('[') {
            defaults = line.starts_with("[defaults]");
        }
        if let Some((key, value)) = line.split_once(['=', ':']).filter(|_| defaults)
            && key.trim() == "log_path"
        {
            let value = value.split(" ;").next().unwrap_or_default().trim();
            return (!value.is_empty()).then(|| value.to_owned());
        }
    }
    None
}

fn collect(search: &Search) -> Result<Harvest, Error> {
    if let Some(path) = &search.strange {
        let why = "it lies outside of the workspace and the runner's folder for temporary files";
        let tried = format!("read {} of collect.ansible.logs", path.display());
        let error = Error::new(tried, Cause::Other(why.to_owned()));
        return Err(error.with_help("name it in the workflow, by the input ansible-log"));
    }
    if !search.named.is_empty() {
        let entries =
            search.named.iter().map(|p| read(p, search)).collect::<Result<Vec<_>, _>>()?;
        return Ok(found(entries, "named by the configuration"));
    }
    let mut missing = String::new();
    for (path, how) in &search.expected {
        if !path.exists() {
            let why = "does not exist: Ansible did not start, or runs elsewhere";
            missing = format!("{missing}{} ({how}) {why}; ", path.display());
        } else if path.is_dir() {
            // A folder may be empty, or another program's.
            if is_output(path, &search.roots) {
                return Ok(found(vec![read(path, search)?], how));
            }
        } else {
            return Ok(found(vec![read(path, search)?], how));
        }
    }
    let sniffed: Vec<PathBuf> = search
        .folders
        .iter()
        .filter(|f| !f.as_os_str().is_empty())
        .flat_map(|folder| sniff(folder, search))
        .collect();
    let entries: Vec<_> = sniffed.iter().filter_map(|p| read(p, search).ok()).collect();
    if entries.is_empty() {
        return Ok(Harvest::Nothing(format!("{missing}{ADD}")));
    }
    Ok(found(entries, "found by its content"))
}

fn found(entries: Vec<Evidence<Raw>>, how: &str) -> Harvest {
    Harvest::Found { note: format!("{} file(s) {how}", entries.len()), entries }
}

fn read(path: &Path, search: &Search) -> Result<Evidence<Raw>, Error> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let place = BundlePath::new("ansible", &name);
    let (workspace, base) = (search.workspace.clone(), search.base.clone());
    let checkout: log::Places = Box::new(move || Checkout::open(&workspace, base));
    if path.is_dir() {
        return log::folder(place, search.roots.folder(path)?, checkout);
    }
    log::file(place, path, &search.roots, checkout)
}

/// Whether a folder holds the output of Ansible, and not that of another program.
fn is_output(folder: &Path, roots: &Roots) -> bool {
    let input = roots.folder(folder).and_then(ansible::Input::of_folder);
    let Ok(input) = input else { return false };
    let read = ansible::read(|stream| {
        std::io::copy(&mut input.reader().take(FOLDER_CAP), stream).map(|_| ())
    });
    read.is_ok_and(|digest| digest.is_ansible())
}

/// Files below the folder that begin like Ansible output and were written to since the job began; the newest first, at most three.
fn sniff(folder: &Path, search: &Search) -> Vec<PathBuf> {
    let Ok(opened) = search.roots.folder(folder) else { return Vec::new() };
    let Ok(listing) = opened.list(SEARCH_FILES, SEARCH_DEPTH) else { return Vec::new() };
    let since = std::time::UNIX_EPOCH
        + std::time::Duration::from_secs(u64::try_from(search.started).unwrap_or(0));
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

#[cfg(test)]
mod tests {
    use super::*;

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
        let search = search(folder.path(), vec![]);
        let Harvest::Nothing(why) = collect(&search).unwrap() else { panic!("found something") };
        assert!(why.contains("ANSIBLE_LOG_PATH: ansible.log"), "{why}");
    }
    fn search(workspace: &Path, expected: Vec<(PathBuf, &'static str)>) -> Search {
        Search {
            named: vec![],
            strange: None,
            expected,
            folders: vec![workspace.to_path_buf()],
            started: 0,
            workspace: workspace.to_path_buf(),
            roots: Roots::new([workspace.to_path_buf()]),
            base: None,
        }
    }

    #[test]
    fn a_path_of_the_host_is_found_in_the_container() {
        let job = Job {
            host_workspace: "/opt/actions/_work/app".to_owned(),
            workspace: "/github/workspace".into(),
            temp: "/github/runner_temp".into(),
            ..Job::default()
        };
        for (given, seen) in [
            ("/opt/actions/_work/_temp/ansible.log", "/github/runner_temp/ansible.log"),
            ("/opt/actions/_work/app/app/a.log", "/github/workspace/a.log"),
            ("a.log", "/github/workspace/a.log"),
            ("/var/log/a.log", "/var/log/a.log"),
        ] {
            assert_eq!(here(&job, given), Path::new(seen), "{given}");
        }
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test lays out a workspace")]
    fn the_log_that_ansible_cfg_names_is_read_and_the_note_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let cfg =
            "[ssh_connection]\nlog_path = no\n[defaults]\n# log_path = x\nlog_path = out.log ; c\n";
        std::fs::write(folder.path().join("ansible.cfg"), cfg).unwrap();
        assert_eq!(log_path(folder.path()).as_deref(), Some("out.log"));
        let log = "PLAY [p] ***\nTASK [Restart] ***\nfatal: [a]: FAILED! => {\"msg\": \"no\"}\n";
        std::fs::write(folder.path().join("out.log"), log).unwrap();
        std::fs::write(folder.path().join("site.yml"), "- hosts: a\n  tasks:\n  - name: Restart\n")
            .unwrap();
        let expected = vec![
            (folder.path().join("gone.log"), "named by ANSIBLE_LOG_PATH"),
            (folder.path().join("out.log"), "named by log_path in ansible.cfg"),
        ];
        let Harvest::Found { note, entries } = collect(&search(folder.path(), expected)).unwrap()
        else {
            panic!("found nothing")
        };
        assert_eq!(note, "1 file(s) named by log_path in ansible.cfg");
        let redactor = crate::redact::Redactor::new(&[]);
        let entry = entries.into_iter().next().unwrap().redact(&redactor).unwrap();
        let label = &entry.excerpts.unwrap()[0].label;
        assert_eq!(label.as_str(), "task \"Restart\" on a: no (site.yml:3, found by name)");
    }
}
