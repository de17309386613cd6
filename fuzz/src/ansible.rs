//! The output of Ansible in every form: what is read does not depend on the pieces in which it comes, and stays within its limits.
//!
//! An input is a text, or, when it begins with `0x02`, a folder ([`super::folder`]): what ansible-runner, JUnit or `tree` leave.

use std::io::{self, Write as _};

use runner_guard::source::ansible::{self, Checkout, Digest, Input};

use super::folder::Scratch;

/// Panics when the reader of Ansible's output breaks a promise on this input.
pub fn check(data: &[u8]) {
    if data.first() == Some(&2) {
        return of_folder(data);
    }
    let text = String::from_utf8_lossy(data);
    let whole = ansible::digest(&text);
    within_limits(&whole);
    let pieces = 1 + data.len() % 13;
    for size in [1, pieces, 512] {
        assert_eq!(in_pieces(text.as_bytes(), size), whole, "in pieces of {size}: {text:?}");
    }
    // Bytes that are no text are replaced line by line, which gives the same.
    assert_eq!(in_pieces(data, pieces), whole, "as bytes: {text:?}");
}

fn in_pieces(bytes: &[u8], size: usize) -> Digest {
    ansible::read(|stream| bytes.chunks(size).try_for_each(|piece| stream.write_all(piece)))
        .expect("memory can be read")
}

fn of_folder(data: &[u8]) {
    let folder = Scratch::new("ansible");
    folder.lay_out(data);
    let Ok(input) = Input::open(folder.path()) else { return };
    let read = ansible::read(|stream| io::copy(&mut input.reader(), stream).map(drop));
    let Ok(mut digest) = read else { return };
    if let Some(checkout) = Checkout::open(folder.path(), None) {
        checkout.place(&mut digest);
    }
    within_limits(&digest);
}

fn within_limits(digest: &Digest) {
    assert!(digest.errors.iter().all(|error| error.len() <= 4100), "a long error");
    for run in &digest.runs {
        assert!(run.failures.len() <= 10_000 && run.progress.len() <= 5_000);
        assert!(run.retries.len() <= 100 && run.slowest.len() <= 5);
        run.remarks().for_each(drop);
        run.verdict_line();
        for failure in &run.failures {
            assert!(!failure.headline().contains('\n'), "{:?}", failure.headline());
            failure.excerpt();
        }
    }
    digest.omitted_line();
    serde_json::to_string(digest).expect("a digest can be shown");
}
