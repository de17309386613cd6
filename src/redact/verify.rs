//! The second look: whether bytes that are about to leave still hold a known value in any encoding.
//!
//! It knows no patterns and replaces nothing.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::known::KnownValues;
use super::stream::{CHUNK, KEPT};
use super::{rules, seams, span, view};

/// Looks for known values in bytes that come in parts of any size, in bounded memory.
pub struct Verifier {
    known: Arc<KnownValues>,
    buffer: Vec<u8>,
    names: BTreeSet<String>,
    room: (view::Room, seams::Room),
}

impl Verifier {
    pub(super) fn new(known: Arc<KnownValues>) -> Self {
        Self { known, buffer: Vec::new(), names: BTreeSet::new(), room: Default::default() }
    }

    /// Takes the next bytes. A value that two parts divide is found.
    pub fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = (CHUNK + KEPT).saturating_sub(self.buffer.len());
            let (head, rest) = bytes.split_at(room.min(bytes.len()));
            self.buffer.extend_from_slice(head);
            bytes = rest;
            if self.buffer.len() >= CHUNK + KEPT {
                self.look();
                self.buffer.drain(..CHUNK);
            }
        }
    }

    /// Names of the known values that occurred, sorted; empty when the bytes may leave.
    pub fn finish(mut self) -> Vec<String> {
        self.look();
        self.names.into_iter().collect()
    }

    fn look(&mut self) {
        let markers = span::markers(&self.buffer, rules::is_id);
        let shielded = |range: &Range<usize>| {
            span::holds(&markers, range.start)
                && range.end.checked_sub(1).is_some_and(|last| span::holds(&markers, last))
        };
        self.names.extend(self.known.names_in(&self.buffer, &mut self.room, &shielded));
    }
}

/// A verifier can stand where the bytes pass by.
impl std::io::Write for Verifier {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::{Known, Redactor};

    #[test]
    fn a_value_is_found_wherever_the_parts_divide_it() {
        let redactor = Redactor::new(&[Known::new("A", "swordfish-and-chips")]);
        for size in [1, 3, 4096] {
            let text = format!("{}c3dvcmRmaXNoLWFuZC1jaGlwcw== z", "x ".repeat(5000));
            let mut verifier = redactor.verifier();
            text.as_bytes().chunks(size).for_each(|part| verifier.push(part));
            assert_eq!(verifier.finish(), ["A"]);
        }
    }

    #[test]
    fn a_value_around_the_end_of_the_buffer_is_found() {
        let redactor = Redactor::new(&[Known::new("A", "swordfish-and-chips")]);
        for shift in 0..24 {
            let text = format!("{}swordfish-and-chips", "x".repeat(CHUNK + KEPT - shift));
            assert_eq!(redactor.leaks(format!("{text}{}", "y".repeat(99)).as_bytes()), ["A"]);
        }
    }

    #[test]
    fn replacements_are_no_values() {
        let redactor = Redactor::new(&[Known::new("A", "known-value#12")]);
        assert!(redactor.leaks(b"x [redacted:known-value#12] y").is_empty());
    }
}
