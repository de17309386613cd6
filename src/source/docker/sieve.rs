//! Passes a tar stream and keeps only the files that were lately written to: a runner keeps thirty days of logs, and the engine can
//! hand out a folder only as a whole.

/// A block of a tar archive, in bytes.
const BLOCK: usize = 512;

/// What is kept of a stream.
#[derive(Debug)]
pub(super) struct Sieve {
    since: i64,
    cap: usize,
    kept: Vec<u8>,
    /// The head that is being read.
    head: Vec<u8>,
    /// Heads that belong to the next file (long names), with their contents.
    ahead: Vec<u8>,
    /// Bytes of the entry under way that have not come yet.
    left: u64,
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Dropped,
    Kept,
    Ahead,
}

impl Sieve {
    /// Keeps files that were written to since then (seconds since 1970), as long as all of them together stay below the cap.
    pub(super) fn new(since: i64, cap: usize) -> Self {
        let (kept, head, ahead) = (Vec::new(), Vec::with_capacity(BLOCK), Vec::new());
        Self { since, cap, kept, head, ahead, left: 0, place: Place::Dropped }
    }

    /// The next bytes of the stream.
    pub(super) fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let wanted = if self.left > 0 {
                usize::try_from(self.left).unwrap_or(usize::MAX)
            } else {
                BLOCK - self.head.len()
            };
            let (now, later) = bytes.split_at(wanted.min(bytes.len()));
            bytes = later;
            if self.left > 0 {
                self.left -= now.len() as u64;
                self.put(now);
                continue;
            }
            self.head.extend_from_slice(now);
            if self.head.len() == BLOCK {
                let head = std::mem::replace(&mut self.head, Vec::with_capacity(BLOCK));
                self.begin(&head);
            }
        }
    }

    /// The archive of what was kept; an entry that did not come to its end is cut.
    pub(super) fn finish(self) -> Vec<u8> {
        self.kept
    }

    fn begin(&mut self, head: &[u8]) {
        if head.iter().all(|byte| *byte == 0) {
            self.place = Place::Dropped;
            return;
        }
        let size = number(head.get(124..136).unwrap_or_default()).unwrap_or(0);
        let modified = number(head.get(136..148).unwrap_or_default()).unwrap_or(0);
        self.left = size.div_ceil(BLOCK as u64).saturating_mul(BLOCK as u64);
        let fits = size < (self.cap.saturating_sub(self.kept.len()) as u64);
        self.place = match head.get(156) {
            Some(b'x' | b'L' | b'K') if size <= 1 << 16 => Place::Ahead,
            Some(b'0' | 0) if fits && i64::try_from(modified).is_ok_and(|at| at >= self.since) => {
                Place::Kept
            }
            Some(_) | None => Place::Dropped,
        };
        if self.place == Place::Kept {
            self.kept.append(&mut self.ahead);
        } else if self.place == Place::Dropped {
            self.ahead.clear();
        }
        self.put(head);
    }

    fn put(&mut self, bytes: &[u8]) {
        match self.place {
            Place::Kept => self.kept.extend_from_slice(bytes),
            Place::Ahead => self.ahead.extend_from_slice(bytes),
            Place::Dropped => {}
        }
    }
}

/// A number of a head: octal digits, or binary when its first bit is set.
fn number(field: &[u8]) -> Option<u64> {
    if field.first().is_some_and(|first| first & 0x80 != 0) {
        let digits = field.get(field.len().saturating_sub(8)..)?;
        return Some(digits.iter().fold(0, |number, digit| number << 8 | u64::from(*digit)));
    }
    let text = std::str::from_utf8(field).ok()?;
    u64::from_str_radix(text.trim_matches(['\0', ' ']), 8).ok()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn archive(files: &[(&str, u64, &str)]) -> Vec<u8> {
        let mut tar = tar::Builder::new(Vec::new());
        for (name, modified, text) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mtime(*modified);
            header.set_entry_type(tar::EntryType::Regular);
            tar.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        tar.into_inner().unwrap()
    }

    fn sieved(bytes: &[u8], cap: usize, step: usize) -> Vec<(String, String)> {
        let mut sieve = Sieve::new(100, cap);
        bytes.chunks(step).for_each(|chunk| sieve.push(chunk));
        let kept = sieve.finish();
        let mut tar = tar::Archive::new(kept.as_slice());
        tar.entries()
            .unwrap()
            .map(|entry| {
                let mut entry = entry.unwrap();
                let mut text = String::new();
                entry.read_to_string(&mut text).unwrap();
                (entry.path().unwrap().display().to_string(), text)
            })
            .collect()
    }

    #[test]
    fn only_what_was_lately_written_to_passes_in_whatever_pieces_it_comes() {
        let long = format!("diag/pages/{}.log", "x".repeat(120));
        let old_long = format!("diag/pages/{}.log", "y".repeat(120));
        let text = "b".repeat(1300);
        let all = archive(&[
            ("diag/a.log", 99, "old"),
            ("diag/b.log", 100, &text),
            (&old_long, 9, "old"),
            (&long, 200, "new"),
        ]);
        for step in [1, 7, 512, 100_000] {
            assert_eq!(
                sieved(&all, 1 << 20, step),
                [("diag/b.log".to_owned(), text.clone()), (long.clone(), "new".to_owned())],
                "{step}"
            );
        }
    }

    #[test]
    fn what_is_over_the_cap_is_left_and_smaller_files_still_pass() {
        let text = "b".repeat(3000);
        let all = archive(&[("a.log", 100, &text), ("b.log", 100, "small")]);
        assert_eq!(sieved(&all, 2000, 100), [("b.log".to_owned(), "small".to_owned())]);
    }

    proptest::proptest! {
        #[test]
        fn no_stream_makes_it_panic_or_grow(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..3000)) {
            let mut sieve = Sieve::new(0, 1024);
            sieve.push(&bytes);
            proptest::prop_assert!(sieve.finish().len() <= 1024 + 2 * BLOCK + (1 << 17));
        }
    }
}
