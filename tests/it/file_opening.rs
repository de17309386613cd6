//! Files that a job or its repository planted: nothing outside of the folder is read, nothing hangs, and memory has a bound.
#![expect(clippy::disallowed_methods, reason = "the tests plant files")]

mod bombs;
mod bundle;
mod named;
mod place;
mod race;
mod size;

use std::fs;
use std::path::Path;

use place::{MARKER, Place, holds_no_marker, log};
use rustix::fs::{CWD, FileType, Mode, mknodat};

/// What the Ansible collector said.
fn said(ended: &crate::support::command::Ended) -> String {
    ended.stdout.split("ansible: ").nth(1).unwrap_or(&ended.stdout).chars().take(600).collect()
}

#[test]
fn a_log_in_the_folder_is_read_and_the_search_for_the_marker_would_find_it() {
    let place = Place::new().file("ws/deploy.log", &log("INSIDE-MARK"));
    let root = place.path("");
    let ended = place.run();
    assert!(ended.stdout.contains("INSIDE-MARK"), "{}", ended.stdout);
    fs::write(root.join("left.txt"), MARKER).expect("file");
    let found = std::panic::catch_unwind(|| holds_no_marker(&root));
    assert!(found.is_err(), "the marker is not seen");
}

#[test]
fn a_planted_symbolic_link_is_not_followed_wherever_it_stands() {
    let before = |place: Place| place.file("ws/keep", "");
    before(Place::new()).link("ws/deploy.log", "deploy.log").run();
    before(Place::new()).link("ws/logs", "").run();
    before(Place::new()).link("ws/artifacts", "").run();
    before(Place::new()).link("temp/deploy.log", "deploy.log").run();
    let worker = "Worker_20261122-120000-utc.log";
    before(Place::new()).link(&format!("diag/{worker}"), worker).run();
    before(Place::new()).link("diag/pages", "").run();
    before(Place::new()).link("ws/.github", "").run();
    before(Place::new()).link("temp/runner-guard", "").run();
    Place::new()
        .file("temp/runner-guard/x", "")
        .link("temp/runner-guard/preflight.json", "preflight.json")
        .run();
}

#[test]
fn a_link_on_the_way_to_a_named_log_is_not_followed() {
    for variable in ["INPUT_ANSIBLE-LOG", "ANSIBLE_LOG_PATH", "JUNIT_OUTPUT_DIR"] {
        let place = Place::new().file("ws/keep", "").link("ws/logs", "");
        let ended = place.env(variable, "logs/deploy.log").run();
        assert!(!ended.stdout.contains("1 failure(s)"), "{variable}: {}", ended.stdout);
        Place::new().file("ws/keep", "").link("ws/logs", "").env(variable, "logs").run();
        Place::new()
            .file("ws/keep", "")
            .link("ws/a.log", "deploy.log")
            .env(variable, "a.log")
            .run();
    }
}

#[test]
fn an_absolute_path_or_dots_in_the_repositorys_ansible_cfg_lead_nowhere() {
    let place = Place::new();
    let outside = place.outside().join("deploy.log").display().to_string();
    let up = format!("{}{outside}", "../".repeat(20));
    drop(place.file("ws/ansible.cfg", &format!("[defaults]\nlog_path = {outside}\n")).run());
    let place = Place::new();
    let target = place.outside().join("deploy.log").display().to_string();
    drop(place.file("ws/ansible.cfg", &format!("[defaults]\nlog_path = {target}\n")).run());
    drop(Place::new().file("ws/ansible.cfg", &format!("[defaults]\nlog_path = {up}\n")).run());
    for kernel in ["/proc/self/environ", "/proc/1/environ", "/dev/zero"] {
        let place = Place::new().env("SOME_VARIABLE", &log(MARKER));
        drop(place.file("ws/ansible.cfg", &format!("[defaults]\nlog_path = {kernel}\n")).run());
    }
}

#[test]
fn the_variables_of_the_process_are_no_log_even_when_somebody_names_them() {
    for variable in ["INPUT_ANSIBLE-LOG", "ANSIBLE_LOG_PATH"] {
        let place = Place::new().env("SOME_VARIABLE", &log(MARKER));
        let ended = place.env(variable, "/proc/self/environ").run();
        assert!(said(&ended).contains("not a regular file"), "{}", said(&ended));
    }
}

#[test]
fn a_hard_link_to_a_file_outside_is_refused_and_the_report_says_why() {
    let worker = "Worker_20261122-120000-utc.log";
    for (from, to) in [("ws/deploy.log", "deploy.log"), (&format!("diag/{worker}"), worker)] {
        let place = Place::new().file("ws/keep", "");
        fs::hard_link(place.outside().join(to), place.path(from)).expect("link");
        place.run();
    }
    let place = Place::new().file("ws/keep", "");
    fs::hard_link(place.outside().join("deploy.log"), place.path("ws/deploy.log")).expect("link");
    let ended = place.env("INPUT_ANSIBLE-LOG", "deploy.log").run();
    let words = ended.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("it has more than one name"), "{words}");
}

#[test]
fn a_pipe_never_blocks_a_run() {
    let pipe = |place: &Place, path: &str| {
        let path = place.path(path);
        fs::create_dir_all(path.parent().expect("parent")).expect("folder");
        mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o644), 0).expect("pipe");
    };
    for path in [
        "ws/deploy.log",
        "ws/ansible.cfg",
        "ws/.github/runner-guard.yml",
        "ws/artifacts/1/job_events/1-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.json",
        "diag/Worker_20261122-120000-utc.log",
        "temp/runner-guard/preflight.json",
        "temp/deploy.log",
    ] {
        let place = Place::new().file("ws/keep", "");
        pipe(&place, path);
        place.run();
    }
    let place = Place::new().env("INPUT_ANSIBLE-LOG", "named.log");
    pipe(&place, "ws/named.log");
    let ended = place.run();
    assert!(said(&ended).contains("not a regular file"), "{}", said(&ended));
}

#[test]
fn a_device_is_never_read() {
    for device in ["/dev/zero", "/dev/urandom", "/dev/tty", "/dev/stdin"] {
        let place = Place::new().file("ws/keep", "").env("INPUT_ANSIBLE-LOG", device);
        let ended = place.run();
        assert!(!ended.stdout.contains("1 file(s) named"), "{device}: {}", ended.stdout);
        let place = Place::new().file("ws/keep", "").env("INPUT_ANSIBLE-LOG", "deploy.log");
        std::os::unix::fs::symlink(device, place.path("ws/deploy.log")).expect("link");
        place.run();
    }
}

#[test]
fn a_link_in_the_place_of_a_file_that_the_program_writes_is_not_written_through() {
    let place = Place::new().file("ws/deploy.log", &log("x"));
    let precious = place.outside().join("deploy.log");
    for name in [
        "report.html",
        "summary.md",
        "runner-guard-bundle.tar.gz",
        "runner-guard-bundle.zip",
        "report.json",
    ] {
        fs::create_dir_all(place.path("temp/runner-guard")).expect("folder");
        std::os::unix::fs::symlink(&precious, place.path("temp/runner-guard").join(name))
            .expect("link");
    }
    place.again();
    assert_eq!(fs::read_to_string(&precious).expect("file"), log(MARKER));
    assert!(Path::new(&precious).exists());
}
