//! Where redacted texts wait until they are packed: small ones in memory, large ones in files without a name.
//!
//! A file without a name is gone with the process, however it ends. When the disk is full, what follows stays in memory as far as there
//! is room. Nothing here knows what the bytes mean.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Up to this size a text needs no file, in bytes.
const SMALL: usize = 64 * 1024;
/// Most that all texts together take in memory, in bytes.
const MEMORY: usize = 32 * 1024 * 1024;

/// Opens a new file that nobody else sees.
type Opener = dyn Fn() -> io::Result<File> + Send + Sync;

/// The room that all texts of a run share.
#[derive(Clone)]
pub struct Store {
    open: Option<Arc<Opener>>,
    used: Arc<AtomicUsize>,
}

impl Store {
    /// Room in files, and in memory for what is small or no longer fits on the disk.
    pub fn on_disk(open: impl Fn() -> io::Result<File> + Send + Sync + 'static) -> Self {
        Self { open: Some(Arc::new(open)), used: Arc::default() }
    }

    /// Room in memory alone, 32 MiB after compression.
    pub fn in_memory() -> Self {
        Self { open: None, used: Arc::default() }
    }

    fn file(&self) -> Option<File> {
        self.open.as_ref().and_then(|open| open().ok())
    }

    fn take(&self, bytes: usize) -> io::Result<()> {
        let before = self.used.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) <= MEMORY {
            return Ok(());
        }
        self.used.fetch_sub(bytes, Ordering::Relaxed);
        let why = format!("no room on the disk, and {MEMORY} bytes of memory are used up");
        Err(io::Error::new(io::ErrorKind::StorageFull, why))
    }
}

/// One text that is being written.
pub(super) struct Spool {
    store: Store,
    file: Option<File>,
    in_file: u64,
    /// What is not in the file; behind it when there is one.
    memory: Vec<u8>,
    /// Whether the file takes no more, or there is none.
    full: bool,
}

impl Spool {
    pub(super) fn new(store: &Store) -> Self {
        Self { store: store.clone(), file: None, in_file: 0, memory: Vec::new(), full: false }
    }

    fn append_to_file(&mut self, bytes: &[u8]) -> bool {
        let Some(file) = &self.file else { return false };
        let done = file.write_all_at(bytes, self.in_file).is_ok();
        if done {
            self.in_file += bytes.len() as u64;
        }
        self.full = !done;
        done
    }

    fn append_to_memory(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.store.take(bytes.len())?;
        self.memory.extend_from_slice(bytes);
        Ok(())
    }

    /// Moves what was small into a file.
    fn grow(&mut self) {
        self.file = self.store.file();
        let small = std::mem::take(&mut self.memory);
        if self.append_to_file(&small) {
            self.store.used.fetch_sub(small.len(), Ordering::Relaxed);
        } else {
            (self.memory, self.file, self.full) = (small, None, true);
        }
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let large = self.memory.len().saturating_add(bytes.len()) > SMALL;
        if large && self.file.is_none() && !self.full {
            self.grow();
        }
        if self.full || self.file.is_none() || !self.append_to_file(bytes) {
            self.append_to_memory(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.store.used.fetch_sub(self.memory.len(), Ordering::Relaxed);
    }
}

/// Reads a spool; several may read the same at once.
pub(super) struct SpoolReader {
    spool: Arc<Spool>,
    at: u64,
}

impl SpoolReader {
    pub(super) fn new(spool: &Arc<Spool>) -> Self {
        Self { spool: Arc::clone(spool), at: 0 }
    }

    fn length(&self) -> u64 {
        self.spool.in_file + self.spool.memory.len() as u64
    }
}

impl Read for SpoolReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let spool = &*self.spool;
        let read = match (&spool.file, self.at.checked_sub(spool.in_file)) {
            (Some(file), None) => {
                let left = usize::try_from(spool.in_file - self.at).unwrap_or(usize::MAX);
                let most = into.len().min(left);
                file.read_at(into.get_mut(..most).unwrap_or_default(), self.at)?
            }
            (_, behind) => {
                let start = usize::try_from(behind.unwrap_or(self.at)).unwrap_or(usize::MAX);
                spool.memory.get(start..).unwrap_or_default().read(into)?
            }
        };
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for SpoolReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spooled(store: &Store, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut spool = Spool::new(store);
        for part in bytes.chunks(10_000) {
            spool.write_all(part)?;
        }
        let mut read = Vec::new();
        SpoolReader::new(&Arc::new(spool)).read_to_end(&mut read)?;
        Ok(read)
    }

    fn pattern(bytes: usize) -> Vec<u8> {
        (0..bytes).map(|n| u8::try_from(n % 251).unwrap()).collect()
    }

    #[test]
    fn small_and_large_texts_come_back_as_they_were() {
        let store = Store::on_disk(tempfile::tempfile);
        for size in [0, 1, SMALL, SMALL + 1, 400_000] {
            assert_eq!(spooled(&store, &pattern(size)).unwrap(), pattern(size), "{size}");
        }
        assert_eq!(store.used.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn what_the_disk_no_longer_takes_stays_in_memory() {
        // A file that is only open for reading takes nothing, as a full disk does.
        let read_only = || File::options().read(true).open("/proc/self/exe");
        let store = Store::on_disk(read_only);
        assert_eq!(spooled(&store, &pattern(400_000)).unwrap(), pattern(400_000));
        let none = Store::on_disk(|| Err(io::Error::from(io::ErrorKind::StorageFull)));
        assert_eq!(spooled(&none, &pattern(400_000)).unwrap(), pattern(400_000));
    }

    #[test]
    fn memory_has_an_end_that_is_said() {
        let error = spooled(&Store::in_memory(), &vec![7; MEMORY + 1]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn a_reader_finds_every_place_of_both_parts() {
        let mut spool = Spool::new(&Store::on_disk(tempfile::tempfile));
        spool.write_all(&pattern(SMALL + 9)).unwrap();
        spool.full = true;
        spool.write_all(b"behind").unwrap();
        let mut reader = SpoolReader::new(&Arc::new(spool));
        assert_eq!(reader.seek(SeekFrom::End(-8)).unwrap(), SMALL as u64 + 7);
        let mut end = Vec::new();
        reader.read_to_end(&mut end).unwrap();
        assert_eq!(end, [&pattern(SMALL + 9)[SMALL + 7..], b"behind"].concat());
    }
}
