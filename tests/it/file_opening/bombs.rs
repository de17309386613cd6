//! Archives and answers that unpack to far more than they are.
#![expect(clippy::disallowed_methods, reason = "the tests make the archives")]

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use tempfile::TempDir;

use crate::support::command::{Ended, Guard};
use crate::support::fake_github::{FakeGitHub, Script};
use crate::support::fake_logs::Log;

/// Address space of a run, in bytes: an entry is held twice at most, while it is redacted.
const SPACE: u64 = 3 << 30;

/// A gigabyte of zeros as `gzip` packs it.
fn zeros(out: impl std::io::Write, before: &[u8]) {
    let mut packed = GzEncoder::new(out, Compression::fast());
    packed.write_all(before).expect("data");
    let block = vec![0; 1 << 20];
    (0..1024).for_each(|_| packed.write_all(&block).expect("data"));
    packed.finish().expect("gzip");
}

fn reread(bundle: &Path) -> Ended {
    let program = PathBuf::from("/usr/bin/prlimit");
    let bundle = bundle.display().to_string();
    Guard::plain(&[]).through(
        &program,
        &[
            &format!("--as={SPACE}"),
            env!("CARGO_BIN_EXE_runner-guard"),
            "diagnose",
            "--bundle",
            &bundle,
            "--format",
            "json",
        ],
    )
}

#[test]
fn a_bundle_that_unpacks_to_a_gigabyte_ends_at_its_cap() {
    let folder = TempDir::new().expect("folder");
    let path = folder.path().join("bomb.tar.gz");
    let mut header = tar::Header::new_gnu();
    header.set_path("zeros.log").expect("path");
    header.set_entry_type(tar::EntryType::Regular);
    header.set_size(1 << 30);
    header.set_mode(0o644);
    header.set_cksum();
    zeros(File::create(&path).expect("file"), header.as_bytes());
    assert!(path.metadata().expect("metadata").len() < 16 << 20);
    let ended = reread(&path);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(
        ended.stdout.contains("zeros.log: cut at 67108864 bytes, the limit"),
        "{}",
        ended.stdout
    );
}

#[test]
fn a_tar_of_nothing_but_names_ends_at_the_limit_of_entries() {
    let folder = TempDir::new().expect("folder");
    let path = folder.path().join("many.tar.gz");
    let packed = GzEncoder::new(File::create(&path).expect("file"), Compression::fast());
    let mut tar = tar::Builder::new(packed);
    for number in 0..50_000 {
        let mut header = tar::Header::new_gnu();
        header.set_size(0);
        header.set_mode(0o644);
        tar.append_data(&mut header, format!("{number}.log"), &b""[..]).expect("entry");
    }
    tar.into_inner().expect("tar").finish().expect("gzip");
    let ended = reread(&path);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stdout.contains("the limit of 10000 entries"), "{}", ended.stdout);
}

#[test]
fn a_manifest_over_its_cap_is_no_manifest() {
    let folder = TempDir::new().expect("folder");
    let manifest = format!("{{\"entries\":[{}{{}}]}}", "{},".repeat(15_000_000));
    std::fs::write(folder.path().join("manifest.json"), manifest).expect("file");
    std::fs::write(folder.path().join("a.log"), "No space left on device\n").expect("file");
    let ended = reread(folder.path());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(
        ended.stdout.contains("there is no manifest.json that can be read"),
        "{}",
        ended.stdout
    );
}

#[test]
fn a_log_that_github_serves_packed_is_not_unpacked() {
    let mut packed = Vec::new();
    zeros(&mut packed, b"2026-11-22T09:00:03.1234567Z UNPACKED\n");
    let job = json!({ "id": 1, "run_id": 77, "name": "deploy", "status": "completed", "conclusion": "failure", "labels": [],
        "steps": [{ "name": "Ship", "number": 1, "status": "completed", "conclusion": "failure" }] });
    let server = FakeGitHub::start(Script {
        routes: vec![(
            "/repos/octo/app/actions/runs/77/attempts/1/jobs".to_owned(),
            json!({ "total_count": 1, "jobs": [job] }),
        )],
        logs: vec![(1, Log::Packed(packed))],
        ..Script::default()
    });
    let program = PathBuf::from("/usr/bin/prlimit");
    let ended = Guard::plain(&[])
        .env("GITHUB_API_URL", &server.url())
        .env("GITHUB_REPOSITORY", "octo/app")
        .env("GITHUB_RUN_ID", "77")
        .env("GITHUB_RUN_ATTEMPT", "1")
        .env("GITHUB_TOKEN", "not-a-real-token")
        .through(
            &program,
            &[
                &format!("--as={SPACE}"),
                env!("CARGO_BIN_EXE_runner-guard"),
                "diagnose",
                "--format",
                "json",
                "--out",
                "out",
            ],
        );
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(
        server.requests().iter().any(|r| r.target.starts_with("/logs/1")),
        "the log was not asked for"
    );
    assert!(!ended.stdout.contains("UNPACKED"), "{}", ended.stdout);
}
