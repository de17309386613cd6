//! `redact --bundle` and `diagnose --bundle` of a bundle that somebody prepared: only plain entries inside of it are read, within the caps,
//! and what is written anew is harmless wherever it is unpacked.
#![expect(clippy::disallowed_methods, reason = "the tests make the bundles")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::EntryType;
use tempfile::TempDir;

use super::place::MARKER;
use crate::support::bundle::unpacked;
use crate::support::command::{Ended, Guard};

/// Longest time of one run.
const LIMIT: Duration = Duration::from_mins(1);

/// A name, what it is, where it leads, what it says, and a size that its header claims instead.
type Row<'a> = (&'a [u8], EntryType, &'a str, &'a [u8], Option<u64>);

fn tar_gz(at: &Path, rows: &[Row<'_>]) {
    let mut tar = GzEncoder::new(File::create(at).expect("file"), Compression::fast());
    for (name, kind, link, data, size) in rows {
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name);
        header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(size.unwrap_or(data.len() as u64));
        header.set_mode(0o6777);
        header.set_cksum();
        tar.write_all(header.as_bytes()).expect("header");
        tar.write_all(data).expect("data");
        tar.write_all(&vec![0; data.len().next_multiple_of(512) - data.len()]).expect("padding");
    }
    tar.write_all(&[0; 1024]).expect("end");
    tar.finish().expect("gzip");
}

fn zip(at: &Path, rows: &[(&str, &[u8])]) {
    let mut zip = zip::ZipWriter::new(File::create(at).expect("file"));
    for (name, data) in rows {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).expect("entry");
        zip.write_all(data).expect("data");
    }
    zip.finish().expect("zip");
}

fn plain<'a>(name: &'a str, data: &'a [u8]) -> Row<'a> {
    (name.as_bytes(), EntryType::Regular, "", data, None)
}

/// The bundle in a folder beside a file that is not of it.
fn beside_a_secret(make: impl FnOnce(&Path)) -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("folder");
    fs::write(folder.path().join("secret.log"), MARKER).expect("file");
    let bundle = folder.path().join("bundle");
    make(&bundle);
    (folder, bundle)
}

/// Redacts it; it ends well and in time and says nothing that a terminal or the runner obeys.
fn redacted(bundle: &Path) -> (Ended, Vec<u8>) {
    let (from, began) = (bundle.display().to_string(), Instant::now());
    let out = bundle.with_file_name("out");
    let guard = Guard::plain(&["redact", "--bundle", &from, "--out", &out.display().to_string()]);
    let ended = guard.env("GITHUB_ACTIONS", "true").run();
    assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    for text in [&ended.stdout, &ended.stderr] {
        assert!(
            !text.contains(|c: char| c.is_control() && c != '\n') && !text.contains('\u{202e}'),
            "{text}"
        );
        assert!(
            !text.contains("##[") && text.lines().all(|l| !l.trim_start().starts_with("::")),
            "{text}"
        );
    }
    let written = fs::read(&out).unwrap_or_default();
    (ended, written)
}

/// The names are apart without regard to case, plain on every system, and none leads out.
fn are_harmless(entries: &BTreeMap<String, String>) {
    let mut folded: Vec<String> = entries.keys().map(|name| name.to_lowercase()).collect();
    folded.dedup();
    assert_eq!(folded.len(), entries.len(), "{:?}", entries.keys());
    for (name, text) in entries {
        let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        assert!(name.len() <= 240 && !text.contains(MARKER), "{name}: {text}");
        for part in name.split('/') {
            let stem = part.split('.').next().unwrap_or_default().to_lowercase();
            assert!(
                !part.is_empty()
                    && part.chars().all(fine)
                    && !part.starts_with(['.', '-'])
                    && !part.ends_with('.'),
                "{name}"
            );
            assert!(!["con", "nul", "aux", "prn", "com1"].contains(&&*stem), "{name}");
        }
    }
}

#[test]
fn dots_absolute_paths_links_and_devices_in_a_bundle_are_never_followed_nor_written() {
    let (folder, bundle) = beside_a_secret(|at| {
        let other = |name: &'static str, kind, link| (name.as_bytes(), kind, link, &b""[..], None);
        tar_gz(
            at,
            &[
                plain("manifest.json", br#"{"entries":[]}"#),
                plain("../escape.log", b"x"),
                plain("/tmp/escape.log", b"x"),
                plain("a/../../escape.log", b"x"),
                plain("C:\\escape.log", b"x"),
                plain("a/./b.log", b"x"),
                plain("a//b.log", b"x"),
                other("link.log", EntryType::Symlink, "../secret.log"),
                other("link.log", EntryType::Link, "secret.log"),
                other("pipe.log", EntryType::Fifo, ""),
                other("zero.log", EntryType::Char, ""),
                other("disk.log", EntryType::Block, ""),
                other("dir", EntryType::Symlink, ".."),
                plain("dir/secret.log", b"below a link"),
                plain("good.log", b"kept"),
            ],
        );
    });
    let (ended, out) = redacted(&bundle);
    let entries = unpacked(&out);
    are_harmless(&entries);
    assert_eq!(entries["good.log"], "kept");
    assert_eq!(entries["dir/secret.log"], "below a link");
    assert_eq!(ended.stderr.matches("left out").count(), 12, "{}", ended.stderr);
    let left: Vec<_> =
        fs::read_dir(folder.path()).expect("folder").flatten().map(|e| e.file_name()).collect();
    assert_eq!(left.len(), 3, "{left:?}");
}

#[test]
fn names_that_are_equal_but_for_their_case_odd_or_of_devices_are_apart_and_plain_in_the_new_bundle()
{
    let names: [&[u8]; 12] = [
        b"a.log",
        b"A.log",
        b"A.LOG",
        b"con",
        b"aux.log",
        b"x. ",
        b"-rf",
        b".hidden/y.log",
        "e\u{202e}gol".as_bytes(),
        b"n\xff.log",
        b"Manifest.json",
        b"redaction-report.json",
    ];
    let (_folder, bundle) = beside_a_secret(|at| {
        let rows: Vec<Row<'_>> =
            names.iter().map(|name| (*name, EntryType::Regular, "", &b"text"[..], None)).collect();
        tar_gz(at, &rows);
    });
    let (_, out) = redacted(&bundle);
    let entries = unpacked(&out);
    are_harmless(&entries);
    assert!(entries.values().filter(|text| *text == "text").count() >= 11, "{entries:?}");
    let names: Vec<String> =
        names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    let (_folder, bundle) = beside_a_secret(|at| {
        zip(at, &names.iter().map(|name| (&**name, &b"text"[..])).collect::<Vec<_>>());
    });
    let (_, out) = redacted(&bundle);
    let zip = zip::ZipArchive::new(std::io::Cursor::new(out)).expect("zip");
    are_harmless(
        &zip.file_names().map(|name| (name.expect("name").to_string(), String::new())).collect(),
    );
}

#[test]
fn a_wrong_size_in_a_header_reads_nothing_beyond_the_archive_and_what_stood_before_is_kept() {
    for size in [5, 513, 1 << 20, 1 << 40, u64::MAX >> 2] {
        let (_folder, bundle) = beside_a_secret(|at| {
            let wrong = (&b"wrong.log"[..], EntryType::Regular, "", &b"abc"[..], Some(size));
            tar_gz(at, &[plain("good.log", b"kept"), wrong, plain("after.log", b"after")]);
        });
        let (_, out) = redacted(&bundle);
        let entries = unpacked(&out);
        are_harmless(&entries);
        assert_eq!(entries["good.log"], "kept", "{size}");
    }
}

#[test]
fn a_hundred_thousand_entries_end_at_the_limit_of_entries() {
    let (_folder, bundle) = beside_a_secret(|at| {
        let mut tar =
            tar::Builder::new(GzEncoder::new(File::create(at).expect("file"), Compression::fast()));
        for number in 0..100_000 {
            let mut header = tar::Header::new_gnu();
            header.set_size(0);
            header.set_cksum();
            tar.append_data(&mut header, format!("{number}.log"), &b""[..]).expect("entry");
        }
        tar.into_inner().expect("tar").finish().expect("gzip");
    });
    let (ended, out) = redacted(&bundle);
    assert!(ended.stderr.contains("the limit of 10000 entries"), "{}", ended.stderr);
    assert!(unpacked(&out).len() <= 10_002);
}

#[test]
fn an_archive_in_an_archive_is_not_unpacked_and_a_bomb_beside_it_ends_at_its_cap() {
    let inner = TempDir::new().expect("folder");
    zip(&inner.path().join("inner.zip"), &[("inner.log", b"UNPACKED")]);
    let packed = fs::read(inner.path().join("inner.zip")).expect("zip");
    let (_folder, bundle) = beside_a_secret(|at| {
        let mut zip = zip::ZipWriter::new(File::create(at).expect("file"));
        let packing = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Deflated);
        zip.start_file("inner.zip", packing).expect("entry");
        zip.write_all(&packed).expect("data");
        zip.start_file("zeros.log", packing).expect("entry");
        let block = vec![b'0'; 1 << 20];
        (0..80).for_each(|_| zip.write_all(&block).expect("data"));
        zip.finish().expect("zip");
    });
    assert!(fs::metadata(&bundle).expect("bundle").len() < 1 << 20, "a bomb");
    let (ended, out) = redacted(&bundle);
    assert!(ended.stderr.contains("zeros.log: cut at 67108864 bytes"), "{}", ended.stderr);
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(out)).expect("zip");
    assert!(zip.file_names().all(|name| !name.expect("name").contains("inner.log")));
    assert_eq!(zip.by_name("zeros.log").expect("entry").size(), 64 << 20);
}

#[test]
fn a_folder_of_links_pipes_and_second_names_gives_only_its_own_files() {
    let (folder, bundle) = beside_a_secret(|at| fs::create_dir(at).expect("folder"));
    let at = |name: &str| bundle.join(name);
    fs::write(at("manifest.json"), r#"{"entries":[]}"#).expect("file");
    fs::write(at("good.log"), "kept").expect("file");
    std::os::unix::fs::symlink("../secret.log", at("link.log")).expect("link");
    std::os::unix::fs::symlink("..", at("up")).expect("link");
    fs::hard_link(folder.path().join("secret.log"), at("hard.log")).expect("link");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        at("pipe.log"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .expect("pipe");
    redacted(&bundle);
    let out = folder.path().join("out");
    let mut names: Vec<String> = fs::read_dir(&out)
        .expect("folder")
        .flatten()
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["good.log", "manifest.json", "redaction-report.json"]);
    for name in names {
        assert!(!fs::read_to_string(out.join(&name)).expect("file").contains(MARKER), "{name}");
    }
}
