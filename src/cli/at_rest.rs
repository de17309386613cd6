//! Secrets that lie in files of this machine: learned before any evidence is read, so that they are hidden in it in every encoding.

use std::path::{Path, PathBuf};

use super::session::Session;
use crate::config::Config;
use crate::redact::at_rest;
use crate::source::at_rest::{AtRest, Form, Places, files};
use crate::source::host::Host;
use crate::source::runner_files;

/// Names a file that holds the password of an Ansible vault.
const VAULT_PASSWORD: &str = "ANSIBLE_VAULT_PASSWORD_FILE";

/// Learns them. What can not be read teaches nothing.
pub(super) fn learn(session: &Session, config: &Config) {
    let path = |name: &str| session.env.get(name).map(PathBuf::from);
    let places = Places {
        home: path("HOME"),
        workspace: session.context.workspace.clone(),
        runner_root: runner_root(session, config),
        passwords: path(VAULT_PASSWORD).into_iter().collect(),
    };
    let secrets: Vec<_> = files(&places).iter().flat_map(of_file).collect();
    session.redactor.remember_all(&secrets);
}

fn of_file(file: &AtRest) -> Vec<crate::redact::Known> {
    match file.form {
        Form::Settings => at_rest::secrets(&file.name, &file.text),
        Form::Whole => at_rest::whole(&file.name, &file.text).into_iter().collect(),
    }
}

/// Above this process, or beside the folder with the runner's logs that the configuration names.
fn runner_root(session: &Session, config: &Config) -> Option<PathBuf> {
    let proc = Host::default().inside(Path::new("/proc"));
    runner_files::root_above(&proc, std::process::id()).or_else(|| {
        let logs = session.context.workspace.join(config.collect.runner_logs.as_ref()?);
        logs.parent().map(Path::to_owned)
    })
}
