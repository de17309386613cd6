//! Links that come and go while the program looks and opens.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::place::{Place, log};

/// Runs of the program under each race.
const RUNS: usize = 6;

/// Swaps two names in one step, again and again, while the program runs in the place.
fn raced(place: &Place, pairs: &[(&str, &str)]) -> usize {
    let (stop, swaps) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for (one, other) in pairs {
            let (one, other) = (place.path(one), place.path(other));
            let (stop, swaps) = (&stop, &swaps);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    renameat_with(CWD, &one, CWD, &other, RenameFlags::EXCHANGE).expect("swap");
                    swaps.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            (0..RUNS).for_each(|_| place.again());
        }));
        stop.store(true, Ordering::Relaxed);
        if let Err(cause) = ran {
            std::panic::resume_unwind(cause);
        }
    });
    swaps.into_inner()
}

#[test]
fn a_folder_that_is_swapped_against_a_link_while_it_is_opened_leads_nowhere() {
    let place = Place::new()
        .file("ws/logs/deploy.log", &log("INSIDE"))
        .file("diag/pages/x.log", "INSIDE\n")
        .link("spare", "")
        .link("spare-pages", "");
    let swaps = raced(&place, &[("ws/logs", "spare"), ("diag/pages", "spare-pages")]);
    assert!(swaps > 2000, "only {swaps} swaps");
}

#[test]
fn a_file_that_is_swapped_against_a_link_while_it_is_opened_leads_nowhere() {
    let worker = "Worker_20261122-120000-utc.log";
    let place = Place::new()
        .file("ws/deploy.log", &log("INSIDE"))
        .file(&format!("diag/{worker}"), "[2026-11-22 12:00:00Z ERR  Worker] INSIDE\n")
        .link("spare", "deploy.log")
        .link("spare-worker", worker);
    let diag = format!("diag/{worker}");
    let swaps = raced(&place, &[("ws/deploy.log", "spare"), (&diag, "spare-worker")]);
    assert!(swaps > 2000, "only {swaps} swaps");
}

#[test]
fn what_the_configuration_names_and_the_configuration_itself_lead_nowhere_while_they_are_swapped_against_links()
 {
    let place = Place::new()
        .file("ws/.github/runner-guard.yml", "collect: {files: ['logs/*.log', 'a/**']}\n")
        .file("ws/logs/x.log", &log("INSIDE"))
        .file("ws/a/sub/y.log", "INSIDE\n")
        .file("temp/runner-guard/preflight.json", "{}")
        .link("spare", "")
        .link("spare-github", "")
        .link("spare-sub", "sub");
    let swaps = raced(
        &place,
        &[("ws/logs", "spare"), ("ws/.github", "spare-github"), ("ws/a/sub", "spare-sub")],
    );
    assert!(swaps > 2000, "only {swaps} swaps");
}

#[test]
fn a_named_log_whose_folder_is_swapped_against_a_link_leads_nowhere() {
    let place = Place::new()
        .file("ws/a/logs/deploy.log", &log("INSIDE"))
        .link("spare", "")
        .env("INPUT_ANSIBLE-LOG", "a/logs/deploy.log");
    let swaps = raced(&place, &[("ws/a/logs", "spare")]);
    assert!(swaps > 2000, "only {swaps} swaps");
}
