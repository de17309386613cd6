//! Cases of `tools-present`, with programs that are written for each.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use super::{Machine, row, says, tells};
use crate::support::command::Guard;

const ID: &str = "tools-present";

/// The row of a run that finds these programs, each with its script, and wants these.
fn asked(programs: &[(&str, &str)], tools: &str) -> Value {
    asked_for(programs, tools, "9s")
}

/// As [`asked`], with a time for each.
fn asked_for(programs: &[(&str, &str)], tools: &str, limit: &str) -> Value {
    let config = format!("tools: [{tools}]\nchecks: {{tools-present: {{timeout: {limit}}}}}\n");
    let guard = programs.iter().fold(Guard::preflight(&config), |guard, (name, script)| {
        let guard = guard.file(&format!("bin/{name}"), &format!("#!/bin/sh\n{script}\n"));
        let place = guard.path(&format!("bin/{name}"));
        std::fs::set_permissions(place, std::fs::Permissions::from_mode(0o755)).expect("mode");
        guard
    });
    let path = format!("relative:{}", guard.path("bin").display());
    guard.file("relative/absent", "").env("PATH", &path).run().finding(ID)
}

const ANSIBLE: (&str, &str) = ("ansible", "echo 'ansible [core 2.15.3]'");

#[test]
fn programs_that_are_here_and_new_enough_pass() {
    let row = asked(&[ANSIBLE, ("rsync", "echo rsync version 3.2.7")], "'ansible >= 2.9', rsync");
    says("both", &row, ("pass", "all 2 programs are here", ""));
    let seen = row["observations"].to_string();
    assert!(seen.contains("2.15.3 (") && seen.contains("at least 2.9"), "{row}");
}

#[test]
fn a_missing_program_and_an_old_one_fail() {
    let missing = asked(&[ANSIBLE], "ansible, terraform");
    says(
        "missing",
        &missing,
        ("fail", "terraform not found in the 1 folders of PATH", "install terraform"),
    );
    let old = asked(&[ANSIBLE], "'ansible >= 2.16'");
    says("old", &old, ("fail", "ansible is version 2.15.3, older than 2.16", "update ansible"));
    let both = asked(&[ANSIBLE], "'ansible >= 2.16', terraform");
    assert!(both["summary"].as_str().is_some_and(|s| s.ends_with("(and 1 more)")), "{both}");
}

#[test]
fn a_program_in_a_relative_folder_and_one_that_can_not_be_executed_are_not_found() {
    says("relative", &asked(&[ANSIBLE], "absent"), ("fail", "absent not found", "install absent"));
}

#[test]
fn a_program_that_does_not_say_its_version_warns() {
    let broken = asked(&[("ansible", "echo no module >&2; exit 1")], "ansible");
    says("broken", &broken, ("warn", "does not say its version (exit code 1)", "by hand"));
    let silent = asked(&[("ansible", "true")], "ansible");
    says("silent", &silent, ("warn", "names no version", "by hand"));
    let hangs = asked_for(&[("ansible", "exec /bin/sleep 300")], "ansible", "1s");
    says("hangs", &hangs, ("warn", "no answer within", "by hand"));
}

#[test]
fn programs_that_hang_do_not_take_the_time_of_the_others() {
    let hang = "exec /bin/sleep 300";
    let programs =
        [("a", hang), ("b", hang), ("c", hang), ("d", hang), ("e", "echo e version 7.1")];
    let row = asked_for(&programs, "a, b, c, d, e", "3s");
    says("others", &row, ("warn", "a is there and can not be asked", "by hand"));
    assert!(row["observations"].to_string().contains("\"7.1 ("), "{row}");
}

#[test]
fn a_program_sees_nothing_of_the_environment_of_the_job() {
    let spy = "for name in GITHUB_TOKEN RUNNER_GUARD_SECRET_X; do eval \"[ -z \\\"\\$$name\\\" ]\" || exit 9; done; echo 1.0";
    let config = "tools: [spy]\n";
    let guard = Guard::preflight(config).file("bin/spy", &format!("#!/bin/sh\n{spy}\n"));
    let place = guard.path("bin/spy");
    std::fs::set_permissions(place, std::fs::Permissions::from_mode(0o755)).expect("mode");
    let path = guard.path("bin").display().to_string();
    let row = guard
        .env("PATH", &path)
        .env("GITHUB_TOKEN", "not-a-real-token")
        .env("RUNNER_GUARD_SECRET_X", "not-a-real-secret")
        .run()
        .finding(ID);
    says("blind", &row, ("pass", "all 1 programs are here", ""));
}

#[test]
fn programs_that_say_their_version_otherwise_are_asked_so() {
    let kubectl = "[ \"$1 $2\" = 'version --client' ] && echo 'Client Version: v1.30.1'";
    says("kubectl", &asked(&[("kubectl", kubectl)], "'kubectl >= 1.28'"), ("pass", "all 1", ""));
}

#[tokio::test]
async fn the_container_of_the_action_sees_no_programs_of_the_host() {
    let container = Machine::with(&[(".dockerenv", "")]).asked(ID, "tools: [rsync]\n").await;
    tells("container", &container, ("unknown", "does not see the host's", "binary variant"));
    let host = Machine::with(&[]).asked(ID, "tools: [rsync]\n").await;
    tells("host", &host, ("unknown", "no folder of PATH exists", "set PATH"));
}

#[test]
fn without_a_named_program_nothing_is_asked() {
    says("nothing", &row(ID, ""), ("skipped", "no program is named", "in tools"));
}
