//! The two archives: the same files in the same order, with fixed times, owners and modes.
//!
//! The texts are packed already; they are copied, not packed again.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use flate2::{Compression, GzBuilder};
use tar::{EntryType, Header};
use zip::ZipWriter;

use crate::redact::Sealed;

/// 1980-01-01T00:00:00Z, the earliest time that both formats can say.
const MTIME: u64 = 315_532_800;
/// Mode of every file that this program packs or unpacks.
pub(super) const MODE: u32 = 0o644;
/// Blocks of a tar are that long, in bytes.
const BLOCK: u64 = 512;
/// What begins a gzip without name and time (RFC 1952, 2.3): magic, deflate, no flags, no time, no extra flags, unknown system.
const GZIP: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// Writes a `tar.gz`. Every text is a gzip of its own between those of the headers: what follows one another is one file (RFC 1952, 2.2).
pub(super) fn tar_gz(file: &mut File, files: &[(&str, &Sealed)]) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    let mut archive = tar::Builder::new(Vec::new());
    for (path, text) in files {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_size(text.bytes());
        header.set_mode(MODE);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(MTIME);
        archive.append_data(&mut header, path, io::empty())?;
        member(&mut out, &std::mem::take(archive.get_mut()))?;
        copy(&mut out, text)?;
        let over = text.bytes() % BLOCK;
        let padding = if over == 0 { 0 } else { BLOCK - over };
        archive.get_mut().resize(usize::try_from(padding).unwrap_or(0), 0);
    }
    member(&mut out, &archive.into_inner()?)?;
    out.flush()
}

fn member(out: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    let mut packed = GzBuilder::new().mtime(0).write(out, Compression::fast());
    packed.write_all(bytes)?;
    packed.finish().map(|_| ())
}

fn copy(out: &mut impl Write, text: &Sealed) -> io::Result<()> {
    out.write_all(&GZIP)?;
    let sum = text.packed()?.deflated(out)?;
    out.write_all(&sum.to_le_bytes())?;
    let [a, b, c, d, ..] = text.bytes().to_le_bytes();
    out.write_all(&[a, b, c, d])
}

/// Writes a `zip` whose entries carry their sizes in front, as every reader understands.
pub(super) fn zip(file: &mut File, files: &[(&str, &Sealed)]) -> io::Result<()> {
    let mut archive = ZipWriter::new(BufWriter::new(file));
    for (path, text) in files {
        text.packed()?.into_zip(&mut archive, path)?;
    }
    archive.finish()?.flush()
}
