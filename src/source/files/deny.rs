//! Names that are never opened on the way through somebody's folder, because such files hold credentials or are of no use.
//!
//! The list wins over every pattern of the user. It judges names, not contents: redaction still follows.

use std::path::{Component, Path};

/// Why a file is not to be opened: the entry of the list that its path, relative to the folder, meets; `None` when it meets none.
///
/// Case does not matter, and every part of the path counts: what lies in a denied folder is denied.
pub fn denied(relative: &Path) -> Option<&'static str> {
    let parts: Vec<String> = relative
        .components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_string_lossy().to_ascii_lowercase()),
            Component::Prefix(_)
            | Component::RootDir
            | Component::CurDir
            | Component::ParentDir => None,
        })
        .collect();
    parts.iter().find_map(|part| name_denied(part)).or_else(|| place_denied(&parts))
}

fn name_denied(name: &str) -> Option<&'static str> {
    let same = EXACT.iter().find(|denied| **denied == name);
    let starts = || PREFIXES.iter().find(|denied| name.starts_with(**denied));
    let ends = || SUFFIXES.iter().find(|denied| name.ends_with(**denied));
    same.or_else(starts).or_else(ends).copied()
}

const EXACT: &[&str] = &[
    ".git",
    ".runner",
    ".runner_migrated",
    ".netrc",
    "_netrc",
    ".npmrc",
    ".yarnrc.yml",
    ".pypirc",
    ".pgpass",
    ".my.cnf",
    ".git-credentials",
    ".vault-token",
    ".docker",
    ".kube",
    ".aws",
    ".azure",
    ".gcloud",
    ".ssh",
    ".gnupg",
    "_runner_file_commands",
    "kubeconfig",
];

const PREFIXES: &[&str] = &[".env", ".credentials", "terraform.tfstate"];

const SUFFIXES: &[&str] =
    &[".pem", ".key", ".p12", ".pfx", ".jks", ".keystore", ".kdbx", ".ppk", ".tfstate", ".core"];

/// `core.1234`
fn is_core_dump(name: &str) -> bool {
    name.strip_prefix("core.")
        .is_some_and(|pid| !pid.is_empty() && pid.bytes().all(|b| b.is_ascii_digit()))
}

/// What is denied as a file only, or only where the runner puts it: step scripts with their secrets in clear, and the event.
fn place_denied(parts: &[String]) -> Option<&'static str> {
    let name = parts.last()?;
    if name.starts_with("id_") {
        return Some("id_*");
    }
    if name == "core" || is_core_dump(name) {
        return Some("core");
    }
    let within = |folder: &str| parts.iter().any(|part| part == folder);
    let script = [".sh", ".ps1", ".py", ".cmd"].iter().any(|ending| name.ends_with(ending));
    if within("_temp") && script {
        return Some("_temp/*.sh");
    }
    (within("_github_workflow") && name == "event.json").then_some("event.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_denied_wherever_they_lie() {
        for path in [
            ".git/config",
            "a/b/.env",
            ".env.production",
            ".credentials_rsaparams",
            "site/.runner",
            "tls/server.PEM",
            "x.key",
            "keys/ID_RSA",
            ".netrc",
            "home/.npmrc",
            ".pypirc",
            ".docker/config.json",
            ".kube/config",
            ".aws/credentials",
            ".azure/x",
            "terraform.tfstate.backup",
            "core.4711",
            "_temp/3f2a.sh",
            "_temp/_runner_file_commands/set_env",
            "_temp/_github_workflow/event.json",
        ] {
            assert!(denied(Path::new(path)).is_some(), "{path}");
        }
    }

    #[test]
    fn logs_and_scripts_of_the_user_are_not_denied() {
        for path in [
            "ansible.log",
            "core/x.log",
            "id_service/x.log",
            "deploy/run.sh",
            "core.rs",
            "_diag/Worker_1-utc.log",
            "environment.yml",
            "event.json",
            "score.1",
        ] {
            assert_eq!(denied(Path::new(path)), None, "{path}");
        }
    }
}
