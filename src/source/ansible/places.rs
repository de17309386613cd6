//! From a place on the machine that ran Ansible to the same place in the repository.

use std::path::{Path, PathBuf};

use super::model::{Digest, Failure, Place};
use super::playbook::{self, Named};
use super::record::role;
use crate::source::files::{Folder, Keep};

/// Files of the checkout that are looked at.
const FILES: usize = 20_000;
const DEPTH: usize = 12;
/// Playbooks that are searched for the name of a task, and most of one that is read.
const SEARCHED: usize = 2_000;
const PLAYBOOK: usize = 256 << 10;

/// The files of the repository as they lie in the workspace.
#[derive(Debug)]
pub struct Checkout {
    folder: Folder,
    files: Vec<PathBuf>,
    /// `https://SERVER/OWNER/NAME/blob/COMMIT`
    base: Option<String>,
    /// The lines on which a name is given to a task, read when they are needed first.
    names: std::cell::OnceCell<Vec<Entry>>,
}

#[derive(Debug)]
struct Entry {
    file: usize,
    named: Named,
}

impl Checkout {
    /// The checkout in this workspace; `base` is the address of its files at its commit. `None` when the folder can not be listed.
    pub fn open(workspace: &Path, base: Option<String>) -> Option<Self> {
        let folder = Folder::open(workspace).ok()?;
        let listed = folder.list(FILES, DEPTH).ok()?.files;
        let files = listed.into_iter().map(|f| f.path).filter(|p| !p.starts_with(".git")).collect();
        Some(Self { folder, files, base, names: std::cell::OnceCell::new() })
    }

    /// The address of the files of a repository at a commit; `None` when one of the parts is not known.
    pub fn base(server: &str, repository: &str, commit: &str) -> Option<String> {
        let known = !server.is_empty() && repository.contains('/') && commit.len() >= 40;
        known.then(|| format!("{}/{repository}/blob/{commit}", server.trim_end_matches('/')))
    }

    /// Gives every failure its place in the repository, where there is one.
    pub fn place(&self, digest: &mut Digest) {
        for failure in digest.runs.iter_mut().flat_map(|run| &mut run.failures) {
            failure.place = self.of(failure);
        }
    }

    fn of(&self, failure: &Failure) -> Option<Place> {
        let printed = failure.location.as_ref().or(failure.origin.as_ref());
        let found = match printed {
            Some(place) => self.suffix(&place.file).map(|path| (path, place.line, false)),
            None => self.by_name(&failure.task).map(|(path, named)| (path, named.line, true)),
        };
        let (path, line, by_name) = found?;
        let path = path.to_str()?.to_owned();
        let url = self.base.as_ref().map(|base| format!("{base}/{path}#L{line}"));
        Some(Place { path, line, by_name, url })
    }

    /// The longest end of the printed path that is a file of the checkout. A bare name must be the only one of its name.
    pub(super) fn suffix(&self, printed: &str) -> Option<&Path> {
        let printed = Path::new(printed);
        let alone = |file: &Path| {
            let same = self.files.iter().filter(|f| f.file_name() == file.file_name()).count();
            let foreign = ["/usr/", "/site-packages/", "/.ansible/", "/ansible_collections/"];
            let path = printed.to_string_lossy();
            same == 1 && !foreign.iter().any(|f| path.contains(f))
        };
        let fits = |file: &&PathBuf| {
            printed.ends_with(file) && (file.components().count() > 1 || alone(file))
        };
        let best = self.files.iter().filter(fits);
        best.max_by_key(|file| file.components().count()).map(PathBuf::as_path)
    }

    /// The only line of the checkout that gives a task this name; for a role only its own files are asked.
    pub(super) fn by_name(&self, task: &str) -> Option<(&Path, &Named)> {
        let role = role(task);
        let role = role.as_deref();
        let name = role.and_then(|role| task.strip_prefix(role)?.strip_prefix(" : "));
        let name = name.unwrap_or(task);
        let of_role = |file: &Path| {
            let mut parts = file.components().map(std::path::Component::as_os_str).peekable();
            let inside = role.is_some_and(|role| parts.any(|part| part == role));
            inside && parts.peek().is_some_and(|next| *next == "tasks" || *next == "handlers")
        };
        let names = self.names.get_or_init(|| self.read_names());
        let mut fits = names.iter().filter(|n| n.named.name == name).filter_map(|n| {
            let file = self.files.get(n.file)?.as_path();
            (role.is_none() || of_role(file)).then_some((file, &n.named))
        });
        let first = fits.next()?;
        fits.next().is_none().then_some(first)
    }

    /// Name and pattern of every play; an unnamed play has an empty name.
    pub(super) fn plays(&self) -> impl Iterator<Item = (&str, &str)> {
        let names = self.names.get_or_init(|| self.read_names());
        names.iter().filter_map(|n| Some((n.named.name.as_str(), n.named.hosts.as_deref()?)))
    }

    fn read_names(&self) -> Vec<Entry> {
        let yaml = |p: &Path| p.extension().is_some_and(|e| e == "yml" || e == "yaml");
        let playbooks = self.files.iter().enumerate().filter(|(_, p)| yaml(p)).take(SEARCHED);
        let mut all = Vec::new();
        for (file, path) in playbooks {
            let Some(text) = self.text(path) else { continue };
            all.extend(playbook::names(&text).into_iter().map(|named| Entry { file, named }));
        }
        all
    }

    /// The beginning of a file of the checkout.
    pub(super) fn text(&self, path: &Path) -> Option<String> {
        self.folder.read(path, PLAYBOOK, Keep::Head).ok().map(|read| read.text())
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests lay out a checkout")]
mod tests {
    use super::super::{Location, digest};
    use super::*;

    fn checkout() -> (tempfile::TempDir, Checkout) {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("deploy/site.yml", "- hosts: web\n  tasks:\n    - name: Probe\n      ping:\n"),
            (
                "deploy/roles/app/tasks/main.yml",
                "- name: Restart app\n- name: Twice\n- name: Twice\n",
            ),
            ("deploy/roles/db/tasks/main.yml", "- name: Restart app\n"),
        ] {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let base = Some("https://github.com/octo/app/blob/abc".to_owned());
        let opened = Checkout::open(folder.path(), base).unwrap();
        (folder, opened)
    }

    fn failure(task: &str, file: Option<&str>) -> Failure {
        let location = file.map(|f| Location { file: f.to_owned(), line: 7, col: None });
        let role = task.split_once(" : ").map(|(role, _)| role.to_owned());
        Failure { task: task.to_owned(), location, role, ..Failure::default() }
    }

    #[test]
    fn a_printed_path_loses_what_the_host_puts_before_the_repository() {
        let (_folder, checkout) = checkout();
        for printed in [
            "/home/runner/work/app/app/deploy/roles/app/tasks/main.yml",
            "/opt/actions/_work/app/app/deploy/roles/app/tasks/main.yml",
            "deploy/roles/app/tasks/main.yml",
        ] {
            let place = checkout.of(&failure("x", Some(printed))).unwrap();
            assert_eq!((place.path.as_str(), place.line), ("deploy/roles/app/tasks/main.yml", 7));
            assert_eq!(
                place.url.as_deref(),
                Some("https://github.com/octo/app/blob/abc/deploy/roles/app/tasks/main.yml#L7")
            );
        }
        assert_eq!(
            checkout.of(&failure("x", Some("/usr/share/ansible/roles/x/tasks/main.yml"))),
            None
        );
    }

    #[test]
    fn a_task_without_a_path_is_found_by_its_name_only_when_one_line_has_it() {
        let (_folder, checkout) = checkout();
        let place = checkout.of(&failure("app : Restart app", None)).unwrap();
        assert_eq!(
            (place.path.as_str(), place.line, place.by_name),
            ("deploy/roles/app/tasks/main.yml", 1, true)
        );
        assert_eq!(checkout.of(&failure("Probe", None)).unwrap().line, 3);
        assert_eq!(checkout.of(&failure("app : Twice", None)), None);
        assert_eq!(checkout.of(&failure("Restart app", None)), None);
        let mut read =
            digest("PLAY [p] ***\nTASK [Probe] ***\nfatal: [a]: FAILED! => {\"msg\": \"no\"}\n");
        checkout.place(&mut read);
        assert!(read.runs[0].failures[0].place.is_some());
    }
}
