//! Reads the output of Ansible by its grammar: which task failed where, and why.

use serde::Serialize;

/// What one text holds: the runs in their order; the last one counts.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Digest {
    /// Every `ansible-playbook` run of the text.
    pub runs: Vec<Run>,
    /// Errors of a run that never started (syntax, vault, inventory).
    pub errors: Vec<String>,
}

/// One run.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Run {
    /// Failures in the order of the log.
    pub failures: Vec<Failure>,
    /// The recap.
    pub hosts: Vec<Host>,
}

/// One failure.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Failure {
    /// Name of the play.
    pub play: String,
}

/// One line of the recap.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Host {
    /// Name of the host.
    pub name: String,
}

/// Reads `text`; never fails: a text without Ansible output has no runs.
pub fn digest(text: &str) -> Digest {
    let _ = text;
    Digest::default()
}
