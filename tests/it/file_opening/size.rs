//! Files and folders without end.
#![expect(clippy::disallowed_methods, reason = "the tests plant files")]

use std::fs;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{Mode, OFlags, mkdirat, openat};

use super::place::{Place, log};

/// Address space of a run, in bytes: what it maps without using counts too.
const SPACE: u64 = 2 << 30;

#[test]
fn a_file_that_grows_while_it_is_read_ends_where_it_ended_when_it_was_opened() {
    let place = Place::new().file("ws/deploy.log", &log("INSIDE"));
    let path = place.path("ws/deploy.log");
    let stop = AtomicBool::new(false);
    let ended = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = fs::OpenOptions::new().append(true).open(&path).expect("file");
            let line = "noise ".repeat(10_000) + "\n";
            // Faster than a reader, but not larger than a disk.
            for _ in 0..8000 {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                file.write_all(line.as_bytes()).expect("write");
            }
        });
        let ended = place.run_within(SPACE);
        stop.store(true, Ordering::Relaxed);
        ended
    });
    assert!(ended.stdout.contains("INSIDE"), "{}", ended.stdout);
}

#[test]
fn a_huge_sparse_file_is_read_within_its_cap() {
    let place = Place::new().file("ws/deploy.log", &log("INSIDE"));
    let path = place.path("ws/deploy.log");
    let file = fs::OpenOptions::new().append(true).open(path).expect("file");
    file.set_len(1 << 40).expect("a file of a terabyte that takes no room");
    let ended = place.env("INPUT_ANSIBLE-LOG", "deploy.log").run_within(SPACE);
    assert!(ended.stdout.contains("INSIDE"), "{}", ended.stdout);
}

#[test]
fn a_folder_of_a_hundred_thousand_files_is_left_in_time_and_what_lies_above_is_read() {
    let place = Place::new().file("ws/deploy.log", &log("INSIDE")).file("diag/pages/x", "");
    for folder in ["ws/many", "diag/pages"] {
        let folder = place.path(folder);
        fs::create_dir_all(&folder).expect("folder");
        for number in 0..50_000 {
            fs::File::create(folder.join(format!("{number}.log"))).expect("file");
        }
    }
    let ended = place.run_within(SPACE);
    assert!(ended.stdout.contains("INSIDE"), "{}", ended.stdout);
}

#[test]
fn folders_deeper_than_a_path_can_name_are_left_and_what_lies_above_is_read() {
    let place = Place::new().file("ws/deploy.log", &log("INSIDE")).file("ws/artifacts/x", "");
    for start in ["ws", "ws/artifacts", "diag"] {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let mut at = rustix::fs::open(place.path(start), flags, Mode::empty()).expect("folder");
        for _ in 0..1000 {
            mkdirat(&at, "deep-deep", Mode::RWXU).expect("folder");
            at = openat(&at, "deep-deep", flags, Mode::empty()).expect("folder");
        }
    }
    let ended = place.run_within(SPACE);
    assert!(ended.stdout.contains("INSIDE"), "{}", ended.stdout);
}
