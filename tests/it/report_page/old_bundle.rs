//! `diagnose --bundle` and `diff`: a bundle that is read again, whoever made it.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{DEPLOY, diagnose};
use crate::support::command::{Ended, Guard};
use crate::support::sha256;

/// A finished run of the black box, copied to a place that outlives it.
fn bundle_of(log: &str) -> (TempDir, PathBuf) {
    let guard = diagnose(log).env("GITHUB_REPOSITORY", "octo/app").env("GITHUB_JOB", "deploy");
    let from = guard.path("runner-guard-out");
    let ended = guard.run();
    let kept = tempfile::tempdir().expect("folder");
    for name in ["runner-guard-bundle.tar.gz", "runner-guard-bundle.zip"] {
        std::fs::copy(from.join(name), kept.path().join(name))
            .unwrap_or_else(|e| panic!("{e}: {}", ended.stderr));
    }
    let path = kept.path().join("runner-guard-bundle.tar.gz");
    (kept, path)
}

fn reread(bundle: &Path, format: &str) -> Ended {
    let bundle = bundle.display().to_string();
    Guard::plain(&["diagnose", "--bundle", &bundle, "--format", format])
        .file(".github/runner-guard.yml", "this: is: no configuration")
        .run()
}

fn notes(ended: &Ended) -> String {
    let report = ended.report();
    let all = report["notes"].as_array().expect("notes").iter();
    all.filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
}

fn unpacked(bundle: &Path) -> TempDir {
    let folder = tempfile::tempdir().expect("folder");
    let file = std::fs::File::open(bundle).expect("bundle");
    tar::Archive::new(flate2::read::MultiGzDecoder::new(file))
        .unpack(folder.path())
        .expect("unpacked");
    folder
}

/// A `tar.gz` with these entries as their names stand, of this type.
fn archive(entries: &[(&str, tar::EntryType, &[u8])]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("evil.tar.gz");
    let file = std::fs::File::create(&path).expect("file");
    let mut tar =
        tar::Builder::new(flate2::write::GzEncoder::new(file, flate2::Compression::fast()));
    for (name, kind, data) in entries {
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(data.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append(&header, *data).expect("entry");
    }
    tar.into_inner().expect("tar").finish().expect("gzip");
    (folder, path)
}

fn manifest(entries: &[(&str, &str, &[u8])]) -> Vec<u8> {
    let row = |(path, kind, data): &(&str, &str, &[u8])| json!({"path": path, "kind": kind, "origin": "o", "sha256": sha256(data)});
    json!({"schema": 1, "entries": entries.iter().map(row).collect::<Vec<_>>()})
        .to_string()
        .into_bytes()
}

/// How many entries are what the manifest says, of how many.
fn verified(notes: &str) -> (usize, usize) {
    let (before, _) = notes.split_once(" entries are what its manifest says").expect("a note");
    let mut words = before.rsplit(' ');
    let mut number = || words.find_map(|word| word.parse().ok()).expect("a number");
    let all = number();
    (number(), all)
}

#[test]
fn every_form_of_a_bundle_gives_the_same_causes_without_network_or_configuration() {
    let (kept, tar) = bundle_of(DEPLOY);
    let folder = unpacked(&tar);
    for form in [&tar, &kept.path().join("runner-guard-bundle.zip"), &folder.path().to_path_buf()] {
        let ended = reread(form, "json");
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        let report = ended.report();
        assert_eq!(report["diagnoses"][0]["id"], "systemd-unit-missing", "{report:#}");
        assert_eq!(report["diagnoses"][0]["evidence"][0]["path"], "ansible/ansible.log");
        assert_eq!(report["failures"].as_array().map(Vec::len), Some(2));
        assert_eq!(
            (&report["job"]["repository"], &report["job"]["job"]),
            (&json!("octo/app"), &json!("deploy"))
        );
        assert_eq!(
            report["collected"].as_array().map(|rows| rows
                .iter()
                .any(|r| r["collector"] == "ansible" && r["status"] == "ok")),
            Some(true)
        );
        let (right, all) = verified(&notes(&ended));
        assert!(right == all && all >= 5, "{}", notes(&ended));
    }
}

#[test]
fn every_form_of_the_report_can_be_asked_for() {
    let (_kept, tar) = bundle_of(DEPLOY);
    assert!(reread(&tar, "text").stdout.starts_with("FAILED"));
    assert!(reread(&tar, "summary").stdout.starts_with("### ❌ Deploy failed"));
}

#[test]
fn an_entry_that_was_changed_added_or_taken_away_is_said() {
    let (_kept, tar) = bundle_of(DEPLOY);
    let folder = unpacked(&tar);
    std::fs::write(folder.path().join("context/job.json"), "{}").expect("changed");
    std::fs::write(folder.path().join("added.log"), "x").expect("added");
    std::fs::remove_file(folder.path().join("summary.md")).expect("gone");
    let notes = notes(&reread(folder.path(), "json"));
    let (right, all) = verified(&notes);
    assert_eq!(right + 2, all, "one was changed, one is gone: {notes}");
    for said in [
        "context/job.json: changed: its SHA-256 is not the one in the manifest",
        "added.log: not in the manifest",
        "summary.md: in the manifest, but not in the bundle",
    ] {
        assert!(notes.contains(said), "{said}: {notes}");
    }
}

#[test]
fn names_that_lead_out_links_and_devices_are_left_out_and_said() {
    use tar::EntryType::{Block, Fifo, Link, Regular, Symlink};
    let log = DEPLOY.as_bytes();
    let listed = manifest(&[("good.log", "job-log", log)]);
    let (_folder, path) = archive(&[
        ("manifest.json", Regular, &listed),
        ("../escape.log", Regular, log),
        ("/etc/escape.log", Regular, log),
        ("a/../../escape.log", Regular, log),
        ("link", Symlink, b""),
        ("hard", Link, b""),
        ("dev", Block, b""),
        ("pipe", Fifo, b""),
        ("good.log", Regular, log),
    ]);
    let ended = reread(&path, "json");
    let notes = notes(&ended);
    assert!(notes.contains("1 of 1 entries"), "{notes}");
    assert_eq!(notes.matches("left out").count(), 7, "{notes}");
    assert_eq!(ended.report()["diagnoses"][0]["evidence"][0]["path"], "good.log");
}

#[test]
fn a_bomb_ends_at_the_cap_and_the_evidence_beside_it_is_read() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("bomb.zip");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).expect("file"));
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated);
    let listed = manifest(&[("good.log", "ansible", DEPLOY.as_bytes())]);
    for (name, data) in [("manifest.json", &*listed), ("good.log", DEPLOY.as_bytes())] {
        zip.start_file(name, options).expect("entry");
        zip.write_all(data).expect("data");
    }
    zip.start_file("zeros.bin", options).expect("entry");
    let block = vec![0; 1 << 20];
    (0..70).for_each(|_| zip.write_all(&block).expect("data"));
    zip.finish().expect("zip");
    let ended = reread(&path, "json");
    assert!(
        notes(&ended).contains("zeros.bin: cut at 67108864 bytes, the limit"),
        "{}",
        notes(&ended)
    );
    assert_eq!(ended.report()["diagnoses"][0]["id"], "systemd-unit-missing");
}

#[test]
fn a_damaged_archive_gives_what_could_be_read_of_it() {
    let (_kept, tar) =
        bundle_of(&format!("{DEPLOY}{}", "noise that does not matter\n".repeat(20_000)));
    let whole = std::fs::read(&tar).expect("bundle");
    std::fs::write(&tar, &whole[..whole.len() - 3000]).expect("cut");
    let ended = reread(&tar, "json");
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(!ended.report()["notes"].as_array().expect("notes").is_empty());
    std::fs::write(&tar, "no archive").expect("changed");
    let ended = reread(&tar, "json");
    assert_eq!(ended.code, 2);
    assert!(
        ended.stderr.contains("is no bundle") && ended.stderr.contains("help:"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_secret_that_an_old_bundle_still_holds_is_not_shown() {
    let log = DEPLOY.replace("unit app.service not found", "unit swordfish-swordfish not found");
    let (_kept, tar) = bundle_of(&log);
    let bundle = tar.display().to_string();
    for (format, shown) in [("text", "***"), ("json", "[redacted:"), ("summary", "***")] {
        let ended = Guard::plain(&["diagnose", "--bundle", &bundle, "--format", format])
            .env("RUNNER_GUARD_SECRET_KEY", "swordfish-swordfish")
            .run();
        assert!(
            !ended.stdout.contains("swordfish") && ended.stdout.contains(shown),
            "{}",
            ended.stdout
        );
    }
}

fn diff(old: &Path, new: &Path, format: &str) -> Ended {
    let (old, new) = (old.display().to_string(), new.display().to_string());
    Guard::plain(&["diff", &old, &new, "--format", format]).run()
}

#[test]
fn two_bundles_show_what_went_wrong_since_the_older_one() {
    let (_old, old) = bundle_of(
        "PLAY [web] ***\n\nTASK [Copy] ***\nok: [web1]\n\nPLAY RECAP ***\nweb1 : ok=1 changed=0 unreachable=0 failed=0 skipped=0 rescued=0 ignored=0\n",
    );
    let (_new, new) = bundle_of(DEPLOY);
    let ended = diff(&old, &new, "json");
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let changes: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let row = |about: &str, what: &str| {
        let all = changes["changes"].as_array().expect("rows");
        all.iter()
            .find(|r| r["about"] == about && r["what"] == what)
            .unwrap_or_else(|| panic!("{changes:#}"))
            .clone()
    };
    assert_eq!(row("cause", "systemd-unit-missing")["trend"], "worse");
    assert_eq!(
        (&row("ansible", "web1")["trend"], &row("ansible", "web1")["before"]),
        (&json!("worse"), &json!("ok=1"))
    );
    let text = diff(&old, &new, "text").stdout;
    assert!(
        text.contains("worse") && text.contains("A service unit does not exist on the target"),
        "{text}"
    );
}

#[test]
fn the_same_bundle_twice_has_no_difference_and_says_so() {
    let (_kept, tar) = bundle_of(DEPLOY);
    let ended = diff(&tar, &tar, "text");
    assert_eq!(ended.code, 0);
    assert!(
        ended.stdout.starts_with("nothing changed that this program can see"),
        "{}",
        ended.stdout
    );
}

#[test]
fn the_reports_of_two_gates_are_compared_and_other_files_are_refused() {
    let gate = include_str!("../../fixtures/reports/gate.json");
    let better = gate
        .replace("\"verdict\": \"block\"", "\"verdict\": \"pass\"")
        .replace("missing (", "present (");
    let ended = Guard::plain(&["diff", "old.json", "new.json"])
        .file("old.json", gate)
        .file("new.json", &better)
        .run();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(
        ended.stdout.contains("better  verdict") && ended.stdout.contains("VAULT_TOKEN"),
        "{}",
        ended.stdout
    );
    let other = Guard::plain(&["diff", "x.json", "x.json"]).file("x.json", "{\"a\": 1}").run();
    assert_eq!(other.code, 2);
    assert!(other.stderr.contains("is no report of runner-guard"), "{}", other.stderr);
}
