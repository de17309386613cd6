//! Files that are read as a stream, in bounded memory: the beginning and the end of what is too large.
//!
//! The cuts fall between two lines, as those of a file that is read at once do.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek as _, SeekFrom};

use rustix::fs::Stat;
use rustix::io::Errno;

use super::{HEAD, MARGIN, as_u64, first_line_start, last_line_end};

/// A file that is open.
pub struct Stream {
    /// What is kept of it.
    pub reader: Box<dyn Read + Send>,
    /// Its size when it was opened, in bytes.
    pub original: u64,
    /// The most that is kept, in bytes.
    pub cap: u64,
    /// Whether something is missing.
    pub truncated: bool,
}

/// The stream of a file that was just opened, of which at most `cap` bytes are wanted: a quarter of them, at most [`HEAD`], from its
/// beginning, the rest from its end, with a line between them that says how much is missing. With `lines`, at most so many lines, of the
/// end alone.
pub(super) fn of(
    mut file: File,
    stat: &Stat,
    cap: u64,
    lines: Option<u64>,
) -> Result<Stream, Errno> {
    let original = size_of(stat);
    let errno = |error: io::Error| Errno::from_io_error(&error).unwrap_or(Errno::IO);
    let last =
        lines.map_or(Ok(0), |lines| last_lines(&mut file, original, lines)).map_err(errno)?;
    let truncated = original > cap || last > 0;
    let reader: Box<dyn Read + Send> = if original - last > cap {
        let (head, tail) = ends(&mut file, original, cap, last).map_err(errno)?;
        Box::new(Cursor::new(head).chain(file.take(tail)))
    } else if last > 0 {
        file.seek(SeekFrom::Start(last)).map_err(errno)?;
        Box::new(Cursor::new(gap(last)).chain(file.take(original - last)))
    } else {
        // A file that grows meanwhile is read as long as it was; those of the kernel say that they are empty.
        let limit = if original == 0 { cap } else { original };
        file.rewind().map_err(errno)?;
        Box::new(file.take(limit))
    };
    Ok(Stream { reader, original, cap, truncated })
}

fn gap(bytes: u64) -> Vec<u8> {
    format!("[... {bytes} bytes left out ...]\n").into_bytes()
}

/// Where the last so many lines begin, found from the end of the file.
fn last_lines(file: &mut File, size: u64, lines: u64) -> io::Result<u64> {
    let mut left = lines.saturating_add(1);
    let mut end = size;
    let mut piece = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(as_u64(MARGIN));
        file.seek(SeekFrom::Start(start))?;
        piece.clear();
        (&mut *file).take(end - start).read_to_end(&mut piece)?;
        // The end of the last line begins no other.
        let last = usize::from(end == size && piece.ends_with(b"\n"));
        let body = piece.get(..piece.len() - last).unwrap_or_default();
        for (at, _) in body.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n') {
            left -= 1;
            if left <= 1 {
                return Ok(start + as_u64(at) + 1);
            }
        }
        end = start;
    }
    Ok(0)
}

/// The beginning with the line about what is missing, and how much follows from where the file now stands.
fn ends(file: &mut File, size: u64, cap: u64, last: u64) -> io::Result<(Vec<u8>, u64)> {
    // Of the last lines alone the beginning of the file is none.
    let first = if last > 0 { 0 } else { as_u64(HEAD).min(cap / 4) };
    let mut head = Vec::new();
    file.rewind()?;
    (&mut *file).take(first).read_to_end(&mut head)?;
    head.truncate(last_line_end(&head));
    let from = size - (cap - first);
    file.seek(SeekFrom::Start(from))?;
    let mut edge = Vec::new();
    (&mut *file).take((cap - first).min(2 * as_u64(MARGIN))).read_to_end(&mut edge)?;
    let from = from + as_u64(first_line_start(&edge));
    file.seek(SeekFrom::Start(from))?;
    if !head.is_empty() && !head.ends_with(b"\n") {
        head.push(b'\n');
    }
    let missing = from.saturating_sub(as_u64(head.len()));
    head.extend_from_slice(&gap(missing));
    Ok((head, size - from))
}

fn size_of(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::source::files::Roots;

    fn lines(count: usize) -> String {
        let mut text = String::new();
        for n in 0..count {
            let _ = writeln!(text, "line {n:05}");
        }
        text
    }

    #[expect(clippy::disallowed_methods, reason = "a fixture")]
    fn kept(text: &str, cap: u64, lines: Option<u64>) -> (String, bool) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        std::fs::write(&path, text).unwrap();
        let mut stream = Roots::default().stream(&path, cap, lines).unwrap();
        let mut read = String::new();
        stream.reader.read_to_string(&mut read).unwrap();
        assert_eq!(stream.original, text.len() as u64);
        (read, stream.truncated)
    }

    #[test]
    fn a_file_within_its_cap_is_read_whole() {
        assert_eq!(kept("one\ntwo\n", 8, None), ("one\ntwo\n".to_owned(), false));
        assert_eq!(kept("", 0, None), (String::new(), false));
    }

    #[test]
    fn a_larger_one_gives_its_beginning_and_its_end_in_whole_lines() {
        let text = lines(1000);
        let (read, cut) = kept(&text, 400, None);
        assert!(
            cut && read.starts_with("line 00000\n") && read.ends_with("line 00999\n"),
            "{read}"
        );
        let lines: Vec<&str> = read.lines().collect();
        assert!(lines.iter().all(|l| l.starts_with("line ") || l.contains("bytes left out")));
        let missing = lines.iter().filter(|l| l.starts_with("line ")).count();
        assert!(read.contains(&format!("[... {} bytes left out ...]", (1000 - missing) * 11)));
        assert!(read.len() <= 440);
    }

    #[test]
    fn of_so_many_lines_the_last_are_kept() {
        let text = lines(20_000);
        let (read, cut) = kept(&text, 1 << 20, Some(2));
        let want = "[... 219978 bytes left out ...]\nline 19998\nline 19999\n";
        assert_eq!((read.as_str(), cut), (want, true));
        assert_eq!(kept("a\nb\n", 99, Some(2)), ("a\nb\n".to_owned(), false));
        let (read, _) = kept(&text, 1 << 20, Some(15_000));
        assert_eq!(read.lines().count(), 15_001);
        let (read, _) = kept(&text, 100, Some(15_000));
        assert!(read.starts_with("[...") && read.ends_with("line 19999\n") && read.len() < 150);
    }

    #[test]
    fn a_folder_or_a_link_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/etc/hostname", &link).unwrap();
        let roots = Roots::default();
        assert!(roots.stream(&link, 9, None).is_err() && roots.size(&link).is_err());
        assert!(roots.stream(folder.path(), 9, None).is_err());
    }
}
