//! Paths that the repository's configuration names, and odd things in the place of files: nothing outside of the folders of the job is read.
#![expect(clippy::disallowed_methods, reason = "the tests plant files")]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};

use super::place::{Place, log};

/// A job whose repository configures this.
fn configured(yaml: &str) -> Place {
    Place::new()
        .file("ws/.github/runner-guard.yml", yaml)
        .file("ws/logs/own.log", &log("INSIDE-MARK"))
}

fn collecting(pattern: &str) -> Place {
    configured(&format!("collect: {{files: ['{pattern}', 'logs/own.log']}}\n"))
}

#[test]
fn a_file_that_the_configuration_names_is_read() {
    let ended = collecting("logs/*.log").run();
    assert!(ended.stdout.contains("INSIDE-MARK"), "{}", ended.stdout);
}

#[test]
fn no_link_in_the_middle_or_at_the_end_of_a_configured_path_is_followed() {
    for pattern in
        ["out/deploy.log", "out/*.log", "out/sub/*.log", "o?t/*", "**/deep.log", "**", "*.log"]
    {
        let ended = collecting(pattern).link("ws/out", "").link("ws/end.log", "deploy.log").run();
        assert!(ended.stdout.contains("INSIDE-MARK"), "{pattern}: {}", ended.stdout);
    }
}

#[test]
fn links_that_are_relative_dangle_or_loop_lead_nowhere_and_hide_no_other_file() {
    let place = collecting("**");
    let at = |name: &str| place.path("ws").join(name);
    let outside = place.outside().strip_prefix("/").expect("absolute").join("deploy.log");
    symlink(std::path::Path::new("../").join("../".repeat(20)).join(outside), at("relative.log"))
        .expect("link");
    symlink("no-such-file", at("dangling.log")).expect("link");
    symlink("loop-b.log", at("loop-a.log")).expect("link");
    symlink("loop-a.log", at("loop-b.log")).expect("link");
    symlink(".", at("self")).expect("link");
    symlink("..", at("logs/up")).expect("link");
    let ended = place.run();
    assert!(ended.stdout.contains("INSIDE-MARK"), "{}", ended.stdout);
}

#[test]
fn an_absolute_path_or_dots_in_the_repositorys_configuration_lead_nowhere() {
    let outside = Place::new();
    let target = outside.outside().join("deploy.log").display().to_string();
    let folder = outside.outside().display().to_string();
    let up = format!("{}{target}", "../".repeat(20));
    for path in
        [&target, &up, &format!("logs/{up}"), &format!("{folder}/*.log"), &format!("{folder}/**")]
    {
        let ended = collecting(path).run();
        assert!(ended.stdout.contains("INSIDE-MARK"), "{path}: {}", ended.stdout);
        configured(&format!("collect: {{ansible: {{logs: ['{path}']}}}}\n")).run();
    }
    for kernel in ["/proc/self/environ", "/proc/1/environ", "/dev/zero", "/sys/kernel/notes"] {
        let secret = |place: Place| place.env("SOME_VARIABLE", &log(super::MARKER));
        secret(collecting(kernel)).run();
        secret(configured(&format!("collect: {{ansible: {{logs: ['{kernel}']}}}}\n"))).run();
    }
}

#[test]
fn the_log_that_the_workflow_itself_names_may_lie_elsewhere() {
    let elsewhere = tempfile::tempdir().expect("folder");
    let path = elsewhere.path().join("deploy.log");
    fs::write(&path, log("ELSEWHERE-MARK")).expect("file");
    let ended = Place::new().env("INPUT_ANSIBLE-LOG", &path.display().to_string()).run();
    assert!(ended.stdout.contains("ELSEWHERE-MARK"), "{}", ended.stdout);
}

#[test]
fn a_hard_link_in_the_place_of_what_the_program_looks_for_is_not_read() {
    for (from, to) in [
        ("ws/logs/hard.log", "deploy.log"),
        ("ws/.github/runner-guard.yml", "runner-guard.yml"),
        ("temp/runner-guard/preflight.json", "preflight.json"),
    ] {
        let place = Place::new()
            .file("ws/.github/x", "")
            .file("ws/logs/x", "")
            .file("temp/runner-guard/x", "");
        fs::hard_link(place.outside().join(to), place.path(from)).expect("link");
        place.run();
    }
    let place = collecting("logs/*");
    fs::hard_link(place.outside().join("deploy.log"), place.path("ws/logs/hard.log"))
        .expect("link");
    assert!(place.run().stdout.contains("INSIDE-MARK"));
}

#[test]
fn a_link_on_the_way_to_the_runners_logs_is_not_followed_below_the_folders_of_the_job() {
    let place = Place::new().file("ws/keep", "").link("ws/diag", "");
    let there = place.path("ws/diag").display().to_string();
    place.env("INPUT_RUNNER-LOGS", &there).run();
    Place::new().file("ws/keep", "").link("ws/diag", "").env("INPUT_RUNNER-LOGS", "diag").run();
    Place::new()
        .file("ws/keep", "")
        .link("temp/runner-guard-diag", "")
        .env("INPUT_RUNNER-LOGS", "")
        .run();
}

#[test]
fn a_socket_or_a_device_in_the_place_of_a_file_is_never_read_and_blocks_nothing() {
    for path in [
        "ws/deploy.log",
        "ws/logs/x.log",
        "ws/.github/runner-guard.yml",
        "diag/Worker_20261122-120000-utc.log",
        "temp/runner-guard/preflight.json",
    ] {
        let place = Place::new()
            .file("ws/logs/own.log", "")
            .file("ws/.github/x", "")
            .file("temp/runner-guard/x", "");
        let socket = UnixListener::bind(place.path(path)).expect("socket");
        place.run();
        drop(socket);
        let place = Place::new()
            .file("ws/logs/own.log", "")
            .file("ws/.github/x", "")
            .file("temp/runner-guard/x", "");
        // Only root may make /dev/zero; everybody may make the device 0:0.
        let make = |major, minor| {
            mknodat(
                CWD,
                place.path(path),
                FileType::CharacterDevice,
                Mode::RWXU,
                makedev(major, minor),
            )
        };
        make(1, 5).or_else(|_| make(0, 0)).expect("device");
        place.run();
    }
    let place = collecting("logs/*");
    let _socket = UnixListener::bind(place.path("ws/logs/a.log")).expect("socket");
    let zero = |name: &str, minor| {
        let at = place.path("ws/logs").join(name);
        let make = |major, minor| {
            mknodat(CWD, &at, FileType::CharacterDevice, Mode::RWXU, makedev(major, minor))
        };
        make(1, minor).or_else(|_| make(0, 0)).expect("device");
    };
    zero("zero.log", 5);
    zero("random.log", 9);
    mknodat(CWD, place.path("ws/logs/pipe.log"), FileType::Fifo, Mode::RWXU, 0).expect("pipe");
    assert!(place.run().stdout.contains("INSIDE-MARK"));
}

#[test]
fn names_with_line_ends_controls_no_utf_8_or_of_every_length_hide_no_file_and_move_no_terminal() {
    let place = collecting("**");
    let long = "n".repeat(251) + ".log";
    for name in [
        &b"a\n::error::OWNED.log"[..],
        b"b\x1b[2J.log",
        b"c\r\x07.log",
        b"d\xff\xfe.log",
        "e\u{202e}gol.log".as_bytes(),
        long.as_bytes(),
        b"-rf.log",
        b"CON.log",
        b"x .log",
        b"%0A##[error]OWNED.log",
        b"$(touch OWNED).log",
        b"a:b|c?.log",
    ] {
        fs::write(place.path("ws/logs").join(OsStr::from_bytes(name)), log("ODD-MARK"))
            .expect("file");
    }
    let ended = place.run();
    let bundle = crate::support::bundle::unpacked(
        &ended.bytes("temp/runner-guard/runner-guard-bundle.tar.gz"),
    );
    assert!(
        bundle.keys().filter(|name| name.starts_with("files/")).count() >= 12,
        "{:?}",
        bundle.keys()
    );
    assert!(bundle["files/logs/own.log"].contains("INSIDE-MARK"));
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    assert!(
        bundle.keys().all(|name| name.chars().all(plain) && name.len() <= 240),
        "{:?}",
        bundle.keys()
    );
    for text in [&ended.stdout, &ended.stderr] {
        assert!(
            !text.contains(|c: char| c.is_control() && c != '\n') && !text.contains("##["),
            "{text}"
        );
        assert!(text.lines().all(|line| !line.starts_with("::error::")), "{text}");
    }
}
