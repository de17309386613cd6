//! Redacted text of any size: written once, compressed, proven, and read as often as needed.
//!
//! It is packed as it will lie in the bundle, so that both archives copy it. Only the redactor makes a [`Sealed`].

use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::Arc;

use data_encoding::HEXLOWER;
use ring::digest::{Context, SHA256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use super::redacted::{Counts, Redacted};
use super::redactor::Redactor;
use super::spool::{Spool, SpoolReader, Store};
use super::verify::Verifier;

/// What is kept at hand of the end of a text, in bytes.
pub const TAIL: usize = 32 * 1024;
/// Longest text whose sizes fit the short form of a zip, with some room, in bytes.
const SHORT: u64 = 3 << 30;
/// Mode of an entry.
const MODE: u32 = 0o644;

/// How tightly a text is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// As other clients do.
    Tight,
    /// A third of the time for a quarter more bytes: for large bundles.
    Quick,
}

impl Packing {
    const fn level(self) -> i64 {
        match self {
            Self::Tight => 6,
            Self::Quick => 2,
        }
    }
}

/// A text without its secrets. It can be read again and again; a clone is the same text.
#[derive(Clone)]
pub struct Sealed(Arc<Inner>);

struct Inner {
    spool: Arc<Spool>,
    bytes: u64,
    sha256: String,
    tail: Redacted,
    leaks: Vec<String>,
}

/// A sealed text as it lies in an archive.
pub struct Packed {
    archive: ZipArchive<SpoolReader>,
}

impl Redactor {
    /// Reads a text that lies at this path of the bundle to its end and seals it without its secrets; `most` is an upper bound of its size in
    /// bytes.
    ///
    /// # Errors
    /// What reading returned, or that neither the disk nor the memory has room.
    pub fn seal(
        &self,
        place: &str,
        reader: &mut dyn Read,
        (most, packing): (u64, Packing),
        store: &Store,
    ) -> io::Result<(Sealed, Counts)> {
        let mut press = Press::new(self, most, packing, store);
        let mut reader = BufReader::with_capacity(128 * 1024, reader);
        let counts = self.copy_alone(place, &mut reader as &mut dyn BufRead, &mut press)?;
        Ok((press.finish()?, counts))
    }

    /// Seals a sealed text once more: for pseudonyms of names that were learned after it was sealed.
    ///
    /// # Errors
    /// As [`Self::seal`].
    pub fn seal_again(
        &self,
        place: &str,
        text: &Sealed,
        packing: Packing,
        store: &Store,
    ) -> io::Result<(Sealed, Counts)> {
        let most = text.bytes().saturating_mul(2);
        text.read(|mut text| self.seal(place, &mut text, (most, packing), store))
    }

    /// Seals a text that was put together from redacted parts; it is proven, not changed.
    ///
    /// # Errors
    /// That neither the disk nor the memory has room.
    pub fn seal_own(&self, text: &str, store: &Store) -> io::Result<Sealed> {
        let mut press = Press::new(self, text.len() as u64, Packing::Tight, store);
        press.write_all(text.as_bytes())?;
        press.finish()
    }
}

impl Sealed {
    /// Size of the text in bytes.
    pub fn bytes(&self) -> u64 {
        self.0.bytes
    }

    /// Lower-case hex SHA-256 of the text.
    pub fn sha256(&self) -> &str {
        &self.0.sha256
    }

    /// Names of known values that are still in it: it must not leave then.
    pub fn leaks(&self) -> &[String] {
        &self.0.leaks
    }

    /// The last 32 KiB of the text, from the beginning of a line on; all of a shorter one.
    pub fn tail(&self) -> &Redacted {
        &self.0.tail
    }

    /// Whether [`Self::tail`] is the whole text.
    pub fn is_short(&self) -> bool {
        self.0.bytes == self.0.tail.as_str().len() as u64
    }

    /// Reads the text through `look`.
    ///
    /// # Errors
    /// What unpacking returned, or what `look` did.
    pub fn read<T>(&self, look: impl FnOnce(&mut dyn BufRead) -> io::Result<T>) -> io::Result<T> {
        if self.is_short() {
            return look(&mut self.0.tail.as_str().as_bytes());
        }
        let mut archive = self.archive()?;
        let file = archive.by_index(0)?;
        look(&mut BufReader::with_capacity(128 * 1024, file))
    }

    /// The text, or its beginning when it is longer than `most` bytes.
    pub fn text(&self, most: usize) -> Redacted {
        let read = self.read(|text| {
            let mut bytes = Vec::new();
            text.take(most as u64).read_to_end(&mut bytes).map(|_| bytes)
        });
        Redacted::sealed(String::from_utf8_lossy(&read.unwrap_or_default()).into_owned())
    }

    /// The text as it lies in an archive.
    ///
    /// # Errors
    /// That the spool can not be read.
    pub fn packed(&self) -> io::Result<Packed> {
        Ok(Packed { archive: self.archive()? })
    }

    fn archive(&self) -> io::Result<ZipArchive<SpoolReader>> {
        if self.is_short() {
            let mut zip = started(self.0.bytes, Packing::Tight, &Store::in_memory())?;
            zip.write_all(self.0.tail.as_str().as_bytes())?;
            let spool = Arc::new(zip.finish()?.into_inner());
            return Ok(ZipArchive::new(SpoolReader::new(&spool))?);
        }
        Ok(ZipArchive::new(SpoolReader::new(&self.0.spool))?)
    }
}

impl Packed {
    /// Copies it into a zip under this name.
    ///
    /// # Errors
    /// What writing returned.
    pub fn into_zip<W: Write + io::Seek>(
        &mut self,
        archive: &mut ZipWriter<W>,
        name: &str,
    ) -> io::Result<()> {
        Ok(archive.raw_copy_file_rename(self.archive.by_index_raw(0)?, name)?)
    }

    /// Copies its deflated bytes; returns the CRC-32 of the text.
    ///
    /// # Errors
    /// What writing returned.
    pub fn deflated(&mut self, to: &mut dyn Write) -> io::Result<u32> {
        let mut raw = self.archive.by_index_raw(0)?;
        let sum = raw.crc32();
        io::copy(&mut raw, to)?;
        Ok(sum)
    }
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.bytes)
    }
}

impl PartialEq for Sealed {
    fn eq(&self, other: &Self) -> bool {
        self.0.bytes == other.0.bytes && self.0.sha256 == other.0.sha256
    }
}

impl Eq for Sealed {}

type Archive = ZipWriter<zip::write::StreamWriter<Spool>>;

/// What a redacted text is written to. A short one is packed when it is asked for: most are never large enough to be worth it.
struct Press {
    /// From the moment on that the text is long.
    zip: Option<Archive>,
    most: u64,
    packing: Packing,
    store: Store,
    sum: Context,
    bytes: u64,
    tail: Vec<u8>,
    /// Looks for known values once more.
    verifier: Verifier,
}

impl Press {
    fn new(redactor: &Redactor, most: u64, packing: Packing, store: &Store) -> Self {
        Self {
            zip: None,
            most,
            packing,
            store: store.clone(),
            sum: Context::new(&SHA256),
            bytes: 0,
            tail: Vec::new(),
            verifier: redactor.verifier(),
        }
    }

    fn finish(self) -> io::Result<Sealed> {
        let spool = match self.zip {
            Some(zip) => zip.finish()?.into_inner(),
            None => Spool::new(&self.store),
        };
        let tail = last_lines(&self.tail, self.bytes);
        Ok(Sealed(Arc::new(Inner {
            spool: Arc::new(spool),
            bytes: self.bytes,
            sha256: HEXLOWER.encode(self.sum.finish().as_ref()),
            tail: Redacted::sealed(tail),
            leaks: self.verifier.finish(),
        })))
    }
}

impl Write for Press {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(zip) = &mut self.zip {
            zip.write_all(bytes)?;
        } else if self.tail.len() + bytes.len() > TAIL {
            let mut zip = started(self.most, self.packing, &self.store)?;
            zip.write_all(&self.tail)?;
            zip.write_all(bytes)?;
            self.zip = Some(zip);
        }
        self.sum.update(bytes);
        self.bytes += bytes.len() as u64;
        self.tail.extend_from_slice(bytes);
        if self.tail.len() > 4 * TAIL {
            self.tail.drain(..self.tail.len() - TAIL);
        }
        self.verifier.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn started(most: u64, packing: Packing, store: &Store) -> io::Result<Archive> {
    let mut zip = ZipWriter::new_stream(Spool::new(store));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(packing.level()))
        .last_modified_time(DateTime::DEFAULT)
        .unix_permissions(MODE)
        .large_file(most > SHORT);
    zip.start_file("text", options)?;
    Ok(zip)
}

/// The end of a text of this size, from the beginning of a line on.
fn last_lines(end: &[u8], bytes: u64) -> String {
    if bytes <= TAIL as u64 {
        return String::from_utf8_lossy(end).into_owned();
    }
    let end = end.get(end.len().saturating_sub(TAIL)..).unwrap_or_default();
    let line = end.iter().position(|b| *b == b'\n').map_or(0, |at| at + 1);
    String::from_utf8_lossy(end.get(line..).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::Known;

    fn seal(redactor: &Redactor, text: &str) -> (Sealed, Counts) {
        let store = Store::on_disk(tempfile::tempfile);
        let most = text.len() as u64;
        redactor.seal("a.log", &mut text.as_bytes(), (most, Packing::Tight), &store).unwrap()
    }

    #[test]
    fn a_long_text_is_redacted_packed_and_read_again() {
        let redactor = Redactor::new(&[Known::new("A", "swordfish-and-chips")]);
        let line = "a line with swordfish-and-chips and more\n";
        let (sealed, counts) = seal(&redactor, &line.repeat(50_000));
        let want = line.replace("swordfish-and-chips", "[redacted:known-value#1]").repeat(50_000);
        assert_eq!(counts.values().sum::<usize>(), 50_000);
        assert_eq!(sealed.bytes(), want.len() as u64);
        assert!(sealed.text(usize::MAX).as_str() == want);
        assert!(want.ends_with(sealed.tail().as_str()) && !sealed.is_short());
        assert!(sealed.leaks().is_empty());
        let packed = sealed.packed().unwrap().deflated(&mut Vec::new()).unwrap();
        assert_ne!(packed, 0);
    }

    #[test]
    fn a_text_of_our_own_that_holds_a_secret_says_so_wherever_it_stands() {
        let redactor = Redactor::new(&[Known::new("A", "swordfish-and-chips")]);
        for before in [0, 557_000, 1 << 20] {
            let text = format!("{}swordfish-and-chips{}", "x".repeat(before), "y".repeat(700_000));
            let sealed = redactor.seal_own(&text, &Store::in_memory()).unwrap();
            assert_eq!(sealed.leaks(), ["A"], "{before}");
        }
    }

    #[test]
    fn the_same_text_gives_the_same_sum_and_the_same_packed_bytes() {
        let redactor = Redactor::new(&[]);
        let packed = |text: &str| {
            let (sealed, _) = seal(&redactor, text);
            let mut bytes = Vec::new();
            sealed.packed().unwrap().deflated(&mut bytes).unwrap();
            (sealed.sha256().to_owned(), bytes)
        };
        assert_eq!(packed("some text\n"), packed("some text\n"));
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(packed("abc").0, abc);
    }
}
