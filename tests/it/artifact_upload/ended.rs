//! The black box is told to end, or is killed, while it collects, packs and uploads.
#![expect(
    clippy::disallowed_methods,
    reason = "the program is a process that is sent a signal, and its files are read"
)]

use std::process::Command;

use super::survival::{
    BUNDLE, LOG, Started, archives_are_whole, is_whole, names, post, summary, until, with,
};
use crate::support::command::Guard;
use crate::support::fake_github::{Fault, FaultKind};
use crate::support::http::{Behaviour, serve};

/// Asks the process to end, as a runner does first; its exit code.
fn terminated(mut started: Started) -> Option<i32> {
    let id = started.0.id().to_string();
    let sent = Command::new("kill").args(["-TERM", &id]).status().expect("kill");
    assert!(sent.success());
    until(
        "its end",
        || matches!(std::fs::read_to_string(format!("/proc/{id}/stat")), Ok(stat) if stat.contains(") Z ")),
    );
    started.0.wait().expect("it ends").code()
}

/// Fails when something is half-written.
fn nothing_is_halved(guard: &Guard) {
    is_whole(&summary(guard));
    for folder in ["temp/runner-guard", "ws/runner-guard-evidence", "commands"] {
        archives_are_whole(&guard.path(folder));
    }
}

#[test]
fn a_signal_during_the_collection_writes_what_is_there_and_does_not_fail_the_step() {
    let server = with(vec![]);
    let silent = format!("http://{}", serve(Behaviour::Hang));
    let guard = post(&server).env("INPUT_PROMETHEUS-URL", &silent);
    let started = Started::of(&guard);
    until("the first draft", || !summary(&guard).is_empty());
    let code = terminated(started);
    assert_eq!(code, Some(0));
    nothing_is_halved(&guard);
    let left = summary(&guard);
    assert!(!left.contains("still at work") && left.contains("was stopped by a signal"), "{left}");
    assert!(left.contains("| metrics | skipped | `the run was cancelled` |"), "{left}");
    let bundle = guard.path("ws/runner-guard-evidence").join(BUNDLE);
    assert!(bundle.is_file() && left.contains("ws/runner-guard-evidence"), "{left}");
}

#[test]
fn a_signal_during_the_upload_keeps_the_bundle_and_says_so() {
    let server = with(vec![Fault::on("comp=block&", 99, FaultKind::Hang)]);
    let guard = post(&server);
    let started = Started::of(&guard);
    until("the upload", || server.requests().iter().any(|r| r.target.contains("CreateArtifact")));
    assert_eq!(terminated(started), Some(0));
    nothing_is_halved(&guard);
    let left = summary(&guard);
    assert!(left.contains("the run was cancelled before the upload had ended"), "{left}");
    assert!(guard.path("ws/runner-guard-evidence").join(BUNDLE).is_file(), "{left}");
}

#[test]
fn a_kill_while_the_bundle_is_written_leaves_no_half_of_it_under_its_name() {
    let noise =
        "ok: [web1] => {\"changed\": false, \"token\": \"0123456789abcdef\"}\n".repeat(15_000);
    for wanted in [1, 2] {
        let server = with(vec![]);
        let guard = post(&server).file("ws/ansible.log", &(LOG.to_owned() + &noise));
        let folder = guard.path("temp/runner-guard");
        let mut started = Started::of(&guard);
        until("a part of the bundle", || names(&folder).len() >= wanted);
        started.kill();
        nothing_is_halved(&guard);
        assert!(summary(&guard).contains("still at work"), "{}", summary(&guard));
    }
}
