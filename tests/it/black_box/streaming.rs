//! Files of any size and number: what is kept of them, in which order, and what is said about the rest.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::command::{Ended, Guard};

const FULL: &str = "cp: cannot create regular file '/srv/app/x': No space left on device\n";

fn black_box(config: &str, args: &[&str]) -> Guard {
    let all: Vec<&str> = ["diagnose", "--out", "out"].iter().chain(args).copied().collect();
    Guard::plain(&all).file(".github/runner-guard.yml", &format!("version: 1\n{config}"))
}

/// The manifest in the archive that a run left, read by the system's tar.
#[expect(clippy::disallowed_methods, reason = "tests read what the program wrote")]
fn unpacked(ended: &Ended) -> (tempfile::TempDir, Value) {
    let folder = tempfile::tempdir().expect("folder");
    let archive = folder.path().join("bundle.tar.gz");
    fs::write(&archive, ended.bytes("out/runner-guard-bundle.tar.gz")).expect("copied");
    let tar = std::process::Command::new("tar")
        .args(["-xzf", "bundle.tar.gz"])
        .current_dir(folder.path())
        .status();
    assert!(tar.expect("tar").success());
    let manifest = text(&folder.path().join("manifest.json"));
    (folder, serde_json::from_str(&manifest).expect("JSON"))
}

#[expect(clippy::disallowed_methods, reason = "tests read what the program wrote")]
fn text(path: &Path) -> String {
    fs::read_to_string(path).expect("read")
}

fn entry<'m>(manifest: &'m Value, path: &str) -> &'m Value {
    let all = manifest["entries"].as_array().expect("entries");
    all.iter().find(|entry| entry["path"] == path).unwrap_or_else(|| panic!("{path}: {manifest}"))
}

#[test]
fn files_that_the_configuration_names_are_read_searched_and_bundled() {
    let ended = black_box("collect: {files: ['logs/**/*.log']}\n", &[])
        .file("logs/app/deploy.log", &format!("starting\n{FULL}"))
        .file("logs/app/.env", "DB=x\n")
        .run();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stdout.contains("files/logs/app/deploy.log:2"), "{}", ended.stdout);
    let (folder, manifest) = unpacked(&ended);
    let kept = folder.path().join("files/logs/app/deploy.log");
    assert_eq!(text(&kept), format!("starting\n{FULL}"));
    assert_eq!(entry(&manifest, "files/logs/app/deploy.log")["status"], "whole");
    assert!(!manifest.to_string().contains(".env"), "{manifest}");
}

#[test]
fn of_a_file_over_its_share_the_beginning_and_the_end_are_kept_and_the_cause_at_the_end_is_found() {
    let line = "a line of an application that has nothing to say about it\n";
    let log = format!("the beginning\n{}{FULL}", line.repeat(20_000));
    let ended = black_box("collect: {files: [app.log], budget: {item: 64 KiB}}\n", &[])
        .file("app.log", &log)
        .run();
    assert!(ended.stdout.contains("No space left on device"), "{}", ended.stdout);
    let (folder, manifest) = unpacked(&ended);
    let about = entry(&manifest, "files/app.log");
    assert_eq!(about["status"], "cut");
    assert_eq!(about["truncated"]["original"], log.len());
    assert_eq!(about["truncated"]["cap"], 64 * 1024);
    let kept = text(&folder.path().join("files/app.log"));
    assert!(kept.starts_with("the beginning\n") && kept.ends_with(FULL), "{}", kept.len());
    assert!(kept.len() <= 65 * 1024 && kept.contains(" bytes left out ...]\n"));
}

#[test]
fn what_has_no_room_is_named_in_the_manifest_with_the_limit_that_took_it() {
    let text = "some words\n".repeat(8_000);
    let ended = black_box("collect: {files: ['*.log'], budget: {total: 100 KiB}}\n", &[])
        .file("a.log", &text)
        .file("b.log", &text)
        .file("c.log", &text)
        .run();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let (_folder, manifest) = unpacked(&ended);
    let withheld = manifest["withheld"].as_array().expect("withheld");
    assert!(!withheld.is_empty(), "{manifest}");
    for one in withheld {
        let reason = one["reason"].as_str().expect("reason");
        assert!(reason.contains("collect.budget.total"), "{reason}");
    }
    let row = manifest["collectors"].as_array().expect("rows");
    let files = row.iter().find(|row| row["id"] == "files").expect("files");
    assert!(files["note"].as_str().expect("note").contains("not kept"), "{files}");
}

#[test]
fn of_so_many_lines_the_last_are_kept() {
    let ended = black_box("collect: {files: [app.log], budget: {lines: 3}}\n", &[])
        .file("app.log", "1\n2\n3\n4\n5\n")
        .run();
    let (folder, _) = unpacked(&ended);
    let kept = text(&folder.path().join("files/app.log"));
    assert_eq!(kept, "[... 4 bytes left out ...]\n3\n4\n5\n");
}

#[test]
fn a_plan_tells_sizes_and_shares_and_writes_nothing() {
    let ended = black_box("collect: {files: ['*.log'], budget: {item: 64 KiB}}\n", &["--plan"])
        .file("small.log", "words\n")
        .file("large.log", &"words\n".repeat(20_000))
        .run();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    for line in [
        "files: 2 file(s) of collect.files",
        "  files/large.log: 117.2 KiB, cut to 64.0 KiB",
        "  files/small.log: 6 B, whole",
        "of at most",
    ] {
        assert!(ended.stdout.contains(line), "{line}: {}", ended.stdout);
    }
    assert!(ended.left("out/summary.md").is_empty() && ended.left("out/report.html").is_empty());
}

#[test]
fn a_budget_that_holds_nothing_is_a_mistake_with_its_line() {
    let config =
        "collect:\n  budget:\n    total: 5 KB\n    disk-percent: 0\n    age: 1y\n    lines: 0\n";
    let ended = black_box(config, &[]).run();
    assert_eq!(ended.code, 2);
    for part in [
        "runner-guard.yml:4",
        "the least is 64 KiB",
        "from 1 to 100",
        "`1y` is not a duration",
        "at least 1",
    ] {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
}
