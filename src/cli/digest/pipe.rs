//! Redacts a text on one thread while another one reads what is ready: each takes about half of the time of a digest.
//!
//! It keeps a few pieces in flight, never the text; the order is that of the text.

use std::io::{self, BufReader, Read, Write};
use std::sync::mpsc::{SyncSender, sync_channel};

use crate::redact::Redactor;

/// Redacted pieces that wait to be read; one is about half a mebibyte.
const WAITING: usize = 4;

/// Writes what `open` gives to `out`, redacted. Redacted before it is read: what the reader shortens could otherwise hold a part of a
/// secret that no later pass can know.
///
/// # Errors
/// Those of reading and of `out`.
pub(super) fn redacted<'a>(
    redactor: &Redactor,
    open: impl FnOnce() -> Box<dyn Read + 'a> + Send,
    out: &mut impl Write,
) -> io::Result<()> {
    let (sender, pieces) = sync_channel(WAITING);
    std::thread::scope(|scope| {
        let copy = scope.spawn(move || {
            let mut reader = BufReader::with_capacity(1 << 20, open());
            redactor.copy(&mut reader, &mut Pieces(sender)).map(drop)
        });
        let read = pieces.iter().try_for_each(|piece: Vec<u8>| out.write_all(&piece));
        drop(pieces);
        let copied = copy.join().unwrap_or_else(|_| Err(io::Error::other("the redactor stopped")));
        read.and(copied)
    })
}

/// Sends what is written to it to the reader.
struct Pieces(SyncSender<Vec<u8>>);

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !bytes.is_empty() {
            let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
            self.0.send(bytes.to_owned()).map_err(gone)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::Known;

    #[test]
    fn every_piece_arrives_in_its_order_and_without_secrets() {
        let line = |n: usize| format!("{n} password is swordfish and more of it\n");
        let text: String = (0..60_000).map(line).collect();
        let redactor = Redactor::new(&[Known::new("A", "swordfish")]);
        let mut out = Vec::new();
        redacted(&redactor, || Box::new(text.as_bytes()), &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), redactor.redact(&text).as_str());
    }

    #[test]
    fn a_reader_or_writer_that_fails_ends_it_with_its_error() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("no more"))
            }
        }
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::Error::other("full"))
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let redactor = Redactor::new(&[]);
        let broken = redacted(&redactor, || Box::new(Broken), &mut Vec::new());
        assert_eq!(broken.unwrap_err().to_string(), "no more");
        let text = "x\n".repeat(4 << 20);
        let full = redacted(&redactor, || Box::new(text.as_bytes()), &mut Full);
        assert_eq!(full.unwrap_err().to_string(), "full");
    }
}
