//! The files and the process of a self-hosted runner on this machine.
//!
//! Read are the registration (`.runner`), the list of processes and the logs in `_diag`; the credentials beside them never are.
//! Which root folders there are is told by the configuration: nothing is searched for.

mod ancestry;
mod diag;
mod listener;
mod listener_log;
pub mod record;
mod settings;
mod worker_log;

use std::path::{Path, PathBuf};

use rustix::io::Errno;
use serde::Deserialize;

use super::error::{Cause, Error};
use super::files::{self, Keep};

pub use ancestry::root_above;
pub use diag::{Diag, DiagFile, DiagText, is_log, listener_wrote};
pub use listener::{Listener, listeners};
pub use listener_log::{Change, Dispatched, ListenerLog, State, listener_exit, worker_result};
pub use settings::{unit, variable_names};
pub use worker_log::{Step, WorkerLog};

/// The largest `.runner` that is read, in bytes; real ones have a few hundred.
const CAP: usize = 64 * 1024;

/// The longest name that is taken over, in characters; the service refuses longer ones.
const LONGEST: usize = 255;

/// What `.runner` says about the runner, as far as it may be reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The name of the runner at GitHub.
    pub name: String,
    /// The pool (group) that it belongs to; empty when the file gives none.
    pub pool: String,
    /// The folder of its work, absolute.
    pub work_folder: PathBuf,
    /// The host of its GitHub (`github.com`); empty when the file gives none.
    pub github_host: String,
    /// Whether it takes one job only.
    pub ephemeral: bool,
    /// Whether it may not update itself.
    pub update_disabled: bool,
    /// Its version; `None` before its first self-update, because only that leaves the version in a name.
    pub version: Option<String>,
}

/// The file as the runner writes it: only the members that differ from their default.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    agent_name: String,
    #[serde(default)]
    pool_name: Option<String>,
    #[serde(default)]
    work_folder: Option<String>,
    #[serde(default)]
    git_hub_url: Option<String>,
    #[serde(default)]
    ephemeral: bool,
    #[serde(default)]
    disable_update: bool,
}

/// Reads the registration of the runner whose root folder (the parent of `bin`) is here. `None` when there is no `.runner`: the
/// runner is not registered, or an ephemeral one has done its job.
pub fn registration(root: &Path) -> Result<Option<Registration>, Error> {
    let path = root.join(".runner");
    let tried = || format!("read {}", path.display());
    let read = match files::attempt(&path, CAP, Keep::Head) {
        Ok(read) => read,
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(files::refused(tried(), errno)),
    };
    if read.truncated {
        return Err(Error::new(tried(), Cause::TooLarge(CAP as u64)));
    }
    let text = read.text();
    // The error of the JSON parser could quote the file.
    let written: Written =
        serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| {
            let what = format!(
                "line {}, column {}: not the JSON of a registration",
                error.line(),
                error.column()
            );
            Error::new(tried(), Cause::Parse(what))
        })?;
    Ok(Some(Registration {
        name: shortened(&written.agent_name),
        pool: written.pool_name.as_deref().map(shortened).unwrap_or_default(),
        work_folder: root.join(written.work_folder.as_deref().unwrap_or("_work")),
        github_host: written.git_hub_url.as_deref().map(host_of).unwrap_or_default(),
        ephemeral: written.ephemeral,
        update_disabled: written.disable_update,
        version: version(root),
    }))
}

fn shortened(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

/// The host of a URL: without scheme, user, port and path.
fn host_of(url: &str) -> String {
    let behind_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = behind_scheme.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    shortened(host.split_once(':').map_or(host, |(name, _)| name)).to_ascii_lowercase()
}

/// After a self-update, `bin` is a link to `bin.<version>`.
fn version(root: &Path) -> Option<String> {
    let target = root.join("bin").read_link().ok()?;
    let version = target.file_name()?.to_str()?.strip_prefix("bin.")?;
    let digits = version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    (digits && !version.is_empty() && version.len() <= 32).then(|| version.to_owned())
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests build the runner that they look at")]
mod tests {
    use std::fs;

    use super::*;

    fn runner(text: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join(".runner"), text).unwrap();
        root
    }

    #[test]
    fn a_registration_is_read_with_its_byte_order_mark() {
        let root = runner(
            "\u{feff}{\"agentId\": 7, \"agentName\": \"deploy-1\", \"poolName\": \"Default\", \"workFolder\": \"_w\", \"ephemeral\": true,\n\
             \"gitHubUrl\": \"https://user:pw@GitHub.example.com:8443/octo/app?x\", \"serverUrl\": \"https://x/secret\"}",
        );
        std::os::unix::fs::symlink("bin.2.336.0", root.path().join("bin")).unwrap();
        let read = registration(root.path()).unwrap().unwrap();
        assert_eq!(
            read,
            Registration {
                name: "deploy-1".to_owned(),
                pool: "Default".to_owned(),
                work_folder: root.path().join("_w"),
                github_host: "github.example.com".to_owned(),
                ephemeral: true,
                update_disabled: false,
                version: Some("2.336.0".to_owned()),
            }
        );
    }

    #[test]
    fn an_absolute_work_folder_stays_and_a_missing_one_has_its_default() {
        let absolute = runner(r#"{"agentName":"a","workFolder":"/data/work"}"#);
        let read = registration(absolute.path()).unwrap().unwrap();
        assert_eq!((read.work_folder.as_path(), read.version), (Path::new("/data/work"), None));
        let silent = runner(r#"{"agentName":"a"}"#);
        let read = registration(silent.path()).unwrap().unwrap();
        assert_eq!(
            (read.work_folder, read.github_host),
            (silent.path().join("_work"), String::new())
        );
    }

    #[test]
    fn a_folder_without_a_registration_is_not_an_error() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(registration(root.path()).unwrap(), None);
    }

    #[test]
    fn a_broken_registration_is_an_error_that_does_not_quote_it() {
        let root = runner("{\"agentName\": hunter2}");
        let chain = registration(root.path()).unwrap_err().chain();
        assert!(chain.contains("line 1, column 15: not the JSON of a registration"), "{chain}");
        assert!(!chain.contains("hunter2"));
        let long = runner(&"x".repeat(CAP + 1));
        assert!(registration(long.path()).unwrap_err().chain().contains("65536 bytes"));
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

        #[test]
        fn no_registration_makes_it_panic(name in "(?s).{0,300}", url in "(https?://|[@:/?#]|(?s).){0,30}") {
            let json = serde_json::json!({ "agentName": name, "gitHubUrl": url, "workFolder": name });
            let read = registration(runner(&json.to_string()).path()).unwrap().unwrap();
            proptest::prop_assert!(!read.github_host.contains(['/', '@', ':']));
            let _ = registration(runner(&name).path());
        }
    }

    #[test]
    fn a_link_in_the_place_of_the_version_proves_nothing() {
        let root = runner(r#"{"agentName":"a"}"#);
        std::os::unix::fs::symlink("/opt/bin.x", root.path().join("bin")).unwrap();
        assert_eq!(registration(root.path()).unwrap().unwrap().version, None);
    }
}
