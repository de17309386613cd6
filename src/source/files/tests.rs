//! What survives of a long file, and what is not opened at all.

#![expect(clippy::disallowed_methods, reason = "the tests build the files that they read")]

use std::fs;

use super::*;

fn file(text: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("x.log");
    fs::write(&path, text).unwrap();
    (place, path)
}

fn lines(count: usize) -> String {
    (0..count).map(|n| format!("line {n:06}\n")).collect::<Vec<_>>().concat()
}

#[test]
fn a_file_within_the_cap_is_read_whole_whatever_is_kept() {
    let (_place, path) = file(b"one\ntwo");
    for keep in [Keep::Head, Keep::Tail, Keep::HeadAndTail] {
        let read = read(&path, 7, keep).unwrap();
        assert_eq!((read.text().as_str(), read.truncated, read.original), ("one\ntwo", false, 7));
    }
}

#[test]
fn any_cap_is_kept() {
    let (_place, path) = file(lines(10).as_bytes());
    for keep in [Keep::Head, Keep::Tail, Keep::HeadAndTail] {
        for cap in [0, 1, 2, 11, 12, 13, 119] {
            let read = read(&path, cap, keep).unwrap();
            assert!(read.truncated && read.bytes.len() <= cap + 40, "{keep:?} {cap}");
        }
        assert!(!read(&path, usize::MAX, keep).unwrap().truncated);
    }
}

#[test]
fn a_cut_falls_between_two_lines() {
    let (_place, path) = file(lines(100).as_bytes());
    let head = read_capped(&path, 50).unwrap();
    assert_eq!((head.text(), head.truncated, head.original), (lines(4), true, 1200));
    let tail = read_tail(&path, 50).unwrap();
    assert!(tail.text().starts_with("line 000096\n") && tail.text().ends_with("line 000099\n"));
}

#[test]
fn a_cut_in_an_endless_line_gives_up_a_margin() {
    let (_place, path) = file(&[b'x'; 1000]);
    assert_eq!(read_capped(&path, 100).unwrap().bytes.len(), 50);
    assert_eq!(read_tail(&path, 100).unwrap().bytes.len(), 50);
}

#[test]
fn the_middle_of_a_long_file_is_left_out_and_marked() {
    let (_place, path) = file(lines(1000).as_bytes());
    let read = read(&path, 1200, Keep::HeadAndTail).unwrap();
    let text = read.text();
    assert!(text.starts_with("line 000000\n") && text.ends_with("line 000999\n"), "{text}");
    let marker = text.lines().find(|line| line.starts_with("[...")).unwrap();
    let kept = text.len() - marker.len() - 1;
    assert_eq!(marker, format!("[... {} bytes left out ...]", 12_000 - kept));
    assert!(kept <= 1200 && read.truncated && read.original == 12_000);
}

#[test]
fn a_file_of_the_kernel_says_no_size_and_is_read_all_the_same() {
    let read = read_capped(Path::new("/proc/self/mountinfo"), 1 << 20).unwrap();
    assert!(!read.bytes.is_empty() && read.original == as_u64(read.bytes.len()));
}

#[test]
fn links_folders_devices_and_missing_files_are_refused_with_the_reason() {
    let (place, path) = file(b"x");
    let link = place.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    for (path, end) in [
        (link.as_path(), "a symbolic link is in the way"),
        (place.path(), "it is a folder and not a file"),
        (Path::new("/dev/zero"), "it is not a regular file"),
        (Path::new("/nonexistent/x"), "no such file or folder"),
    ] {
        let error = read_capped(path, 10).unwrap_err();
        assert!(error.chain().ends_with(end), "{}", error.chain());
    }
}
