//! The bundle as its readers find it: both archives are opened by libraries that did not write them, or by system tools.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::Path;
use std::process::Command;

use jiff::Timestamp;
use runner_guard::collect::bundle::{Bundle, Entry, Error, MANIFEST, ManifestMeta, Zip, write};
use runner_guard::redact::{Redacted, Redactor, Store};
use runner_guard::report::{BundlePath, Evidence, EvidenceKind, JobRow};

fn evidence(path: &str, text: &str) -> Evidence<Redacted> {
    let path = BundlePath::new("", path);
    let raw = Evidence::new(path, EvidenceKind::RunnerLog, "the runner", text);
    raw.redact(&Redactor::new(&[])).expect("sealed")
}

fn write_into(dir: &Path, entries: &[Evidence<Redacted>]) -> Result<Bundle, Error> {
    let redactor = Redactor::new(&[]);
    let text = redactor.seal_own("# Report\n", &Store::in_memory()).expect("kept");
    let report = Entry { path: BundlePath::new("", "report.md"), kind: "report", text };
    let job = JobRow::default();
    let meta =
        ManifestMeta { created: Timestamp::UNIX_EPOCH, job: &job, collected: &[], left: &[] };
    write(dir, "deploy box", entries, &[report], &meta, &redactor)
}

fn some() -> Vec<Evidence<Redacted>> {
    vec![
        evidence("runner/worker.log", "worker\n"),
        evidence("a.log", &"line\n".repeat(10_000)),
        evidence("A.LOG", ""),
        evidence("manifest.json", "not the manifest"),
    ]
}

fn zip_of(bundle: &Bundle) -> &Zip {
    bundle.zip.as_ref().expect("a zip")
}

#[expect(clippy::disallowed_methods, reason = "tests read what the program wrote")]
fn bytes_of(path: &Path) -> Vec<u8> {
    fs::read(path).expect("read")
}

#[expect(clippy::disallowed_methods, reason = "tests read what the program wrote")]
fn tar_files(bundle: &Bundle) -> BTreeMap<String, Vec<u8>> {
    let packed = bytes_of(&bundle.tar_gz);
    let mut archive = tar::Archive::new(flate2::read::MultiGzDecoder::new(&*packed));
    let entry = |entry: std::io::Result<tar::Entry<'_, _>>| {
        let mut entry: tar::Entry<'_, flate2::read::MultiGzDecoder<&[u8]>> = entry.expect("entry");
        let header = entry.header();
        assert_eq!(header.mode().expect("mode"), 0o644);
        assert_eq!((header.uid().expect("uid"), header.mtime().expect("mtime")), (0, 315_532_800));
        let path = entry.path().expect("path").display().to_string();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("read");
        (path, bytes)
    };
    archive.entries().expect("entries").map(entry).collect()
}

fn zip_files(bundle: &Bundle) -> BTreeMap<String, Vec<u8>> {
    let mut archive =
        zip::ZipArchive::new(std::io::Cursor::new(bytes_of(&zip_of(bundle).path))).expect("zip");
    (0..archive.len())
        .map(|at| {
            let mut file = archive.by_index(at).expect("entry");
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).expect("read");
            (file.name().expect("name").to_string(), bytes)
        })
        .collect()
}

#[test]
fn both_archives_hold_the_same_files_and_the_manifest_describes_each() {
    let dir = tempfile::tempdir().expect("dir");
    let bundle = write_into(dir.path(), &some()).expect("written");
    let files = tar_files(&bundle);
    assert_eq!(files, zip_files(&bundle));
    assert_eq!(
        files.keys().collect::<Vec<_>>(),
        ["A-2.LOG", "a.log", "manifest-2.json", "manifest.json", "report.md", "runner/worker.log"]
    );
    let manifest: serde_json::Value = serde_json::from_slice(&files[MANIFEST]).expect("JSON");
    let entries = manifest["entries"].as_array().expect("entries");
    assert_eq!((entries.len(), bundle.entries), (5, 5));
    for entry in entries {
        let bytes = &files[entry["path"].as_str().expect("path")];
        assert_eq!(entry["size"].as_u64(), Some(bytes.len() as u64));
        assert_eq!(entry["sha256"].as_str(), Some(&*sha256(bytes)));
    }
}

#[test]
fn the_numbers_of_the_bundle_are_those_of_the_files() {
    let dir = tempfile::tempdir().expect("dir");
    let bundle = write_into(dir.path(), &some()).expect("written");
    let (tar, zip) = (bytes_of(&bundle.tar_gz), bytes_of(&zip_of(&bundle).path));
    assert_eq!((bundle.tar_bytes, zip_of(&bundle).bytes), (tar.len() as u64, zip.len() as u64));
    assert_eq!(zip_of(&bundle).sha256, sha256(&zip));
    assert!(zip_of(&bundle).path.ends_with("deploy_box.zip"), "{}", zip_of(&bundle).path.display());
}

#[test]
fn the_same_evidence_gives_the_same_bytes_in_whatever_order_it_came() {
    let (one, two) = (tempfile::tempdir().expect("dir"), tempfile::tempdir().expect("dir"));
    let first = write_into(one.path(), &[evidence("b", "2"), evidence("a", "1")]).expect("written");
    let second =
        write_into(two.path(), &[evidence("a", "1"), evidence("b", "2")]).expect("written");
    assert_eq!(bytes_of(&first.tar_gz), bytes_of(&second.tar_gz));
    assert_eq!(zip_of(&first).sha256, zip_of(&second).sha256);
}

#[test]
fn files_belong_to_the_owner_of_the_folder_and_everyone_may_read_them() {
    let dir = tempfile::tempdir().expect("dir");
    // Root can give the folder to the user of a job; anyone else tests with their own.
    let _ = chown(dir.path(), Some(1001), Some(123));
    let below = dir.path().join("made/by/us");
    let bundle = write_into(&below, &some()).expect("written");
    let owner = |path: &Path| fs::metadata(path).map(|m| (m.uid(), m.gid())).expect("metadata");
    for path in [&*below, &*bundle.tar_gz, &*zip_of(&bundle).path] {
        assert_eq!(owner(path), owner(dir.path()), "{}", path.display());
    }
    let mode = fs::metadata(&zip_of(&bundle).path).expect("metadata").permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
}

#[test]
fn a_link_in_the_place_of_the_folder_or_of_a_file_is_never_followed() {
    let (dir, victim) = (tempfile::tempdir().expect("dir"), tempfile::tempdir().expect("dir"));
    let link = dir.path().join("link");
    symlink(victim.path(), &link).expect("link");
    let error = write_into(&link, &some()).expect_err("refused");
    assert!(error.to_string().contains("link"), "{error}");

    let target = victim.path().join("precious");
    for name in ["deploy_box.zip", ".deploy_box.zip.part"] {
        symlink(&target, dir.path().join(name)).expect("link");
    }
    let bundle = write_into(dir.path(), &some()).expect("written");
    assert!(fs::symlink_metadata(&zip_of(&bundle).path).expect("metadata").is_file());
    assert!(!target.exists(), "the target of the link must not be written");
}

#[test]
fn a_failure_leaves_no_half_written_file_and_says_what_to_change() {
    let dir = tempfile::tempdir().expect("dir");
    fs::create_dir(dir.path().join("deploy_box.tar.gz")).expect("folder in the way");
    let error = write_into(dir.path(), &some()).expect_err("the name is taken by a folder");
    assert!(error.to_string().contains("deploy_box.tar.gz"), "{error}");
    assert!(error.help().contains("bundle-dir"));
    for gone in ["deploy_box.zip", ".deploy_box.zip.part", ".deploy_box.tar.gz.part"] {
        assert!(!dir.path().join(gone).exists(), "{gone}");
    }
}

#[test]
fn an_archive_that_has_no_room_does_not_cost_the_other() {
    let dir = tempfile::tempdir().expect("dir");
    fs::create_dir(dir.path().join("deploy_box.zip")).expect("folder in the way");
    let bundle = write_into(dir.path(), &some()).expect("the tar.gz");
    assert_eq!(tar_files(&bundle).len(), 6);
    let error = bundle.zip.expect_err("the name is taken by a folder");
    assert!(error.to_string().contains("deploy_box.zip"), "{error}");
    assert!(!dir.path().join(".deploy_box.zip.part").exists());
}

#[test]
fn system_tools_read_both_archives() {
    let dir = tempfile::tempdir().expect("dir");
    let bundle = write_into(dir.path(), &some()).expect("written");
    let tar = said("tar", &["-tzf", &bundle.tar_gz.display().to_string()]);
    assert_eq!(tar.lines().count(), 6, "{tar}");
    let script = "import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print(len(z.namelist()))";
    assert_eq!(
        said("python3", &["-c", script, &zip_of(&bundle).path.display().to_string()]).trim(),
        "6"
    );
}

#[expect(clippy::disallowed_methods, reason = "tests start the tools that users have")]
fn said(tool: &str, arguments: &[&str]) -> String {
    let out = Command::new(tool).args(arguments).output().unwrap_or_else(|e| panic!("{tool}: {e}"));
    assert!(out.status.success(), "{tool}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

fn sha256(bytes: &[u8]) -> String {
    crate::support::sha256(bytes)
}
