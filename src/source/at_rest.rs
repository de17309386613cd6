//! Files that hold credentials: read so that what is in them can be hidden wherever else it shows.
//!
//! They are never collected and never shown, and a file that can not be read is none: nothing depends on it.

use std::fmt;
use std::path::{Path, PathBuf};

use super::files::Folder;

/// Most of one file that is read, in bytes.
const CAP: usize = 64 * 1024;

/// Files in the home folder.
const OF_HOME: &[&str] = &[
    ".netrc",
    ".git-credentials",
    ".npmrc",
    ".pypirc",
    ".pgpass",
    ".my.cnf",
    ".docker/config.json",
    ".config/containers/auth.json",
    ".config/gh/hosts.yml",
    ".aws/credentials",
    ".kube/config",
    ".cargo/credentials.toml",
    ".gem/credentials",
    ".terraform.d/credentials.tfrc.json",
];
/// Files in the workspace: what `actions/checkout` leaves there, and what tools of the repository read.
const OF_WORKSPACE: &[&str] = &[".git/config", ".env", ".npmrc"];
/// Files in the runner's root folder: its own key, and the variables that it hands to every job.
const OF_RUNNER: &[&str] = &[".credentials_rsaparams", ".env"];

/// Where to look.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// The home folder.
    pub home: Option<PathBuf>,
    /// The workspace.
    pub workspace: PathBuf,
    /// The root folder of the runner.
    pub runner_root: Option<PathBuf>,
    /// Files that hold one secret and nothing else: the password of an Ansible vault, of `ANSIBLE_VAULT_PASSWORD_FILE`.
    pub passwords: Vec<PathBuf>,
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Settings, of which some are secrets.
    Settings,
    /// One secret.
    Whole,
}

/// A file of credentials. `Debug` prints nothing of its text.
pub struct AtRest {
    /// Its name, for people.
    pub name: String,
    /// What it holds.
    pub form: Form,
    /// Its text.
    pub text: String,
}

impl fmt::Debug for AtRest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AtRest({})", self.name)
    }
}

/// The files that are there and can be read. Blocking.
pub fn files(places: &Places) -> Vec<AtRest> {
    let mut found = Vec::new();
    let folders = [
        (places.home.as_deref(), OF_HOME),
        (Some(places.workspace.as_path()), OF_WORKSPACE),
        (places.runner_root.as_deref(), OF_RUNNER),
    ];
    for (root, names) in folders {
        let Some(Ok(folder)) = root.map(Folder::open) else { continue };
        found.extend(names.iter().filter_map(|name| read(&folder, name, Form::Settings)));
    }
    if let Some(Ok(home)) = places.home.as_deref().map(Folder::open) {
        found.extend(read(&home, ".vault-token", Form::Whole));
    }
    for path in &places.passwords {
        let path = places.workspace.join(path);
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { continue };
        let Ok(folder) = Folder::open(folder) else { continue };
        found.extend(read(&folder, &name.to_string_lossy(), Form::Whole));
    }
    found
}

fn read(folder: &Folder, name: &str, form: Form) -> Option<AtRest> {
    let read = folder.read_unshown(Path::new(name), CAP).ok()?;
    Some(AtRest { name: name.to_owned(), form, text: read.text() })
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests build the files that they read")]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn names(places: &Places) -> Vec<String> {
        files(places).into_iter().map(|file| file.name).collect()
    }

    #[test]
    fn files_are_read_where_they_lie_and_nothing_else_is() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        at("home/.netrc", "machine a");
        at("home/.vault-token", "hunter2hunter2");
        at("home/notes.txt", "x");
        at("ws/.git/config", "[core]");
        at("ws/vault/pass", "hunter2hunter2");
        at("runner/.credentials_rsaparams", "{}");
        let places = Places {
            home: Some(root.path().join("home")),
            workspace: root.path().join("ws"),
            runner_root: Some(root.path().join("runner")),
            passwords: vec!["vault/pass".into()],
        };
        let all = [".netrc", ".git/config", ".credentials_rsaparams", ".vault-token", "pass"];
        assert_eq!(names(&places), all);
        let whole: Vec<String> = files(&places)
            .into_iter()
            .filter(|file| file.form == Form::Whole)
            .map(|file| file.text)
            .collect();
        assert_eq!(whole, ["hunter2hunter2"; 2]);
    }

    #[test]
    fn a_link_in_the_workspace_leads_nowhere() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("outside")).unwrap();
        fs::create_dir(root.path().join("ws")).unwrap();
        fs::write(root.path().join("outside/config"), "[core]").unwrap();
        symlink(root.path().join("outside"), root.path().join("ws/.git")).unwrap();
        symlink(root.path().join("outside/config"), root.path().join("ws/.env")).unwrap();
        let places = Places { workspace: root.path().join("ws"), ..Places::default() };
        assert!(names(&places).is_empty());
    }

    #[test]
    fn nothing_of_a_text_is_printed_by_accident() {
        let text = "hunter2".to_owned();
        let file = AtRest { name: ".netrc".to_owned(), form: Form::Settings, text };
        assert_eq!(format!("{file:?}"), "AtRest(.netrc)");
    }
}
