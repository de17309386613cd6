//! A folder for one target, laid out as an input says: `0x02`, a path, a line end, what the file holds, and so on.

use std::fs;
use std::path::{Path, PathBuf};

/// Most files of one input.
const FILES: usize = 16;

/// A folder of this process that is empty at first.
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes it.
    pub fn new(target: &str) -> Self {
        let path = std::env::temp_dir().join(format!("fuzz-{target}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder for temporary files");
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes one file.
    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        let parent = path.parent().expect("it lies in the folder");
        // A file may stand where the next one wants a folder: then there is one file less.
        if fs::create_dir_all(parent).is_ok() {
            let _ = fs::write(&path, bytes);
        }
        path
    }

    /// Writes what the input lays out; a path of other than plain names is left out.
    pub fn lay_out(&self, data: &[u8]) {
        for part in data.split(|byte| *byte == 2).filter(|part| !part.is_empty()).take(FILES) {
            let end = part.iter().position(|byte| *byte == b'\n').unwrap_or(part.len());
            let Ok(name) = std::str::from_utf8(&part[..end]) else { continue };
            let plain = |part: &str| {
                let letters =
                    part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
                !matches!(part, "" | "." | "..") && letters
            };
            if name.len() <= 120 && name.split('/').all(plain) {
                self.write(name, part.get(end + 1..).unwrap_or_default());
            }
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
