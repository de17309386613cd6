//! A bundle from anybody: only plain names, within the limits, whatever the archive says.
//!
//! An input is: one byte, and the bytes of a file (0), a tar that is packed here (1), or a folder (2, as in [`super::folder`]).

use std::cell::OnceCell;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use runner_guard::collect::bundle::read::{ENTRY_CAP, Opened, UNPACKED_CAP, read};

use super::folder::Scratch;

/// Panics when the reader of bundles breaks a promise on this input.
pub fn check(data: &[u8]) {
    thread_local! { static FILES: OnceCell<Scratch> = const { OnceCell::new() }; }
    let [form, bytes @ ..] = data else { return };
    if form % 3 == 2 {
        let folder = Scratch::new("bundle-folder");
        folder.lay_out(bytes);
        return read(folder.path()).iter().for_each(is_sound);
    }
    let file = match form % 3 {
        0 => bytes.to_vec(),
        _ => packed(bytes),
    };
    FILES.with(|files| {
        let path = files.get_or_init(|| Scratch::new("bundle")).write("bundle", &file);
        read(&path).iter().for_each(is_sound);
    });
}

/// The bytes in a gzip stream: no fuzzer finds its checksum.
fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(bytes).expect("memory can be written to");
    encoder.finish().expect("memory can be written to")
}

fn is_sound(opened: &Opened) {
    let mut total = 0;
    for (name, bytes) in &opened.entries {
        let odd = |part: &str| matches!(part, "" | "." | "..");
        assert!(!name.split('/').any(odd) && !name.contains(['\\', ':', '\0']), "{name:?}");
        assert!(bytes.len() as u64 <= ENTRY_CAP, "{name:?} has {} bytes", bytes.len());
        total += bytes.len() as u64;
    }
    assert!(total <= UNPACKED_CAP, "{total} bytes");
    assert!(opened.verified <= opened.entries.len());
    assert!(opened.problems.len() <= 51, "{} problems", opened.problems.len());
}
