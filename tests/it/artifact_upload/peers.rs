//! The official client, as `download-artifact` uses it, reads what was uploaded: from memory and from a real blob store.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Case, UUIDS, bytes, token};
use crate::support::fake_artifacts::Mode;
use crate::support::fake_github::{FakeGitHub, Script};
use crate::support::{azurite, client, needed_folder, sha256};

#[tokio::test]
async fn the_real_client_reads_what_we_upload() {
    let server = FakeGitHub::start(Script::default());
    let case = Case::of(zipped());
    case.run(&server, UUIDS).await.expect("uploaded");
    assert_eq!(downloaded(&server), files());
}

#[tokio::test]
async fn a_real_blob_store_accepts_our_blocks_and_the_real_client_reads_them() {
    let store = azurite::Running::start(&folder());
    let made = client().put(store.azurite.container()).send().await.expect("azurite answers");
    assert_eq!(made.status(), 201);
    let server =
        FakeGitHub::start(Script { artifacts: Mode::Azurite(store.azurite), ..Script::default() });
    let case = Case::of(zipped());
    let uploaded = case.run(&server, UUIDS).await.unwrap_or_else(|e| panic!("{}", e.chain()));
    assert_eq!(uploaded.digest, format!("sha256:{}", sha256(&case.bytes)));
    assert_eq!(downloaded(&server), files());
}

pub(super) fn folder() -> PathBuf {
    needed_folder("RUNNER_GUARD_PEERS_DIR", "node_modules of tests/peers/artifact/package.json")
}

/// More than two blocks, because it does not compress.
fn files() -> BTreeMap<String, Vec<u8>> {
    let noise = |seed: usize| bytes(5 * 1024 * 1024 + seed);
    BTreeMap::from([
        ("runner/worker.log".to_owned(), noise(1)),
        ("report.md".to_owned(), b"# Report\n".to_vec()),
        ("empty.log".to_owned(), Vec::new()),
        ("noise".to_owned(), noise(7)),
    ])
}

fn zipped() -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (path, bytes) in files() {
        archive.start_file(path, options).expect("start");
        archive.write_all(&bytes).expect("write");
    }
    archive.finish().expect("finish").into_inner()
}

#[expect(clippy::disallowed_methods, reason = "the test reads what was downloaded")]
fn downloaded(server: &FakeGitHub) -> BTreeMap<String, Vec<u8>> {
    let dir = download(server, "box");
    let read = |path: &String| fs::read(dir.path().join("out").join(path)).expect("downloaded");
    files().keys().map(|path| (path.clone(), read(path))).collect()
}

/// Downloads an artifact with the official client, which compares its digest, into the folder `out` of the one that is given back.
#[expect(clippy::disallowed_methods, reason = "tests start the peers that they talk to")]
pub(super) fn download(server: &FakeGitHub, name: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("dir");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/artifact/download.mjs");
    fs::copy(script, dir.path().join("download.mjs")).expect("copy");
    symlink(folder().join("node_modules"), dir.path().join("node_modules")).expect("link");
    let out = dir.path().join("out");
    let run = Command::new("node")
        .current_dir(dir.path())
        .args(["download.mjs", name])
        .arg(&out)
        .env("ACTIONS_RUNTIME_TOKEN", token(UUIDS))
        .env("ACTIONS_RESULTS_URL", server.url())
        .env("GITHUB_SERVER_URL", "https://github.com")
        .env("GITHUB_WORKSPACE", dir.path())
        .env("NO_PROXY", "127.0.0.1")
        .output()
        .expect("start node");
    let (said, failed) =
        (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{said}{failed}");
    assert!(said.contains(r#""mismatch":false"#), "{said}");
    dir
}
