//! Paths inside an archive that stay apart, and stay inside, on every file system it may be unpacked on.
//!
//! Which letters a path may have is the matter of `BundlePath`.

use std::collections::{HashMap, HashSet};

/// Longest path in bytes.
const MAX_PATH: usize = 200;

/// The paths given out so far, compared without regard to case.
pub struct Places {
    files: HashSet<String>,
    folders: HashSet<String>,
    numbers: HashMap<String, usize>,
}

impl Places {
    /// No paths but one that is taken from the start.
    pub fn reserving(path: &str) -> Self {
        Self {
            files: HashSet::from([fold(path)]),
            folders: HashSet::new(),
            numbers: HashMap::new(),
        }
    }

    /// The wanted path, or one like it that is free: neither taken, nor a folder of another file, nor inside of a file.
    pub fn place(&mut self, wanted: &str) -> String {
        let base = self.rooted(&tame(&shorten(wanted)));
        let key = fold(&base);
        let mut number = self.numbers.get(&key).copied().unwrap_or(1);
        let mut path = numbered(&base, number);
        while self.is_taken(&path) {
            number += 1;
            path = numbered(&base, number);
        }
        self.numbers.insert(key, number + 1);
        self.folders.extend(folders_of(&fold(&path)).map(str::to_owned));
        self.files.insert(fold(&path));
        path
    }

    /// The path, without its folders when one of them is a file already.
    fn rooted(&self, path: &str) -> String {
        let folded = fold(path);
        if folders_of(&folded).any(|folder| self.files.contains(folder)) {
            path.replace('/', "_")
        } else {
            path.to_owned()
        }
    }

    fn is_taken(&self, path: &str) -> bool {
        let path = fold(path);
        self.files.contains(&path) || self.folders.contains(&path)
    }
}

fn fold(path: &str) -> String {
    path.to_lowercase()
}

fn folders_of(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').filter_map(|(at, _)| path.get(..at))
}

/// The end of a path that is too long: its last part tells most.
fn shorten(path: &str) -> String {
    let start = path.len().saturating_sub(MAX_PATH);
    let start = path.ceil_char_boundary(start);
    let tail = path.get(start..).unwrap_or(path);
    tail.trim_start_matches('/').to_owned()
}

/// The path without parts that some file system reads as something else: `..` and options, which a cut may have made, names of devices,
/// and ends that Windows drops.
fn tame(path: &str) -> String {
    let part = |part: &str| {
        let bare = part.trim_start_matches(['.', '-']).trim_end_matches('.');
        if is_device(bare) { format!("_{bare}") } else { bare.to_owned() }
    };
    let parts: Vec<String> = path.split('/').map(part).filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { "unnamed".to_owned() } else { parts.join("/") }
}

/// Names that Windows gives to devices, with any extension.
fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let numbered = |name: &str| {
        let digit = stem.strip_prefix(name).unwrap_or_default();
        digit.len() == 1 && digit.bytes().all(|b| b.is_ascii_digit())
    };
    matches!(&*stem, "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt")
}

/// `a/b.log` with number 2 is `a/b-2.log`.
fn numbered(path: &str, number: usize) -> String {
    if number <= 1 {
        return path.to_owned();
    }
    let name_at = path.rfind('/').map_or(0, |slash| slash + 1);
    let dot = path.get(name_at..).and_then(|name| name.rfind('.')).map(|dot| name_at + dot);
    match dot.and_then(|dot| path.split_at_checked(dot)) {
        Some((stem, extension)) => format!("{stem}-{number}{extension}"),
        None => format!("{path}-{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(wanted: &[&str]) -> Vec<String> {
        let mut places = Places::reserving("manifest.json");
        wanted.iter().map(|path| places.place(path)).collect()
    }

    #[test]
    fn equal_names_get_numbers_whatever_their_case() {
        assert_eq!(
            placed(&["a/b.log", "A/B.log", "a/b.log", "a/b-2.log", "Manifest.JSON", "x"]),
            ["a/b.log", "A/B-2.log", "a/b-3.log", "a/b-2-2.log", "Manifest-2.JSON", "x"]
        );
    }

    #[test]
    fn a_file_is_never_also_a_folder() {
        assert_eq!(placed(&["a", "a/b"]), ["a", "a_b"]);
        assert_eq!(placed(&["a/b/c", "a/b", "A"]), ["a/b/c", "a/b-2", "A-2"]);
    }

    #[test]
    fn a_long_path_keeps_its_end() {
        let long =
            format!("{}/end.log", ["x".repeat(100), "y".repeat(100), "z".repeat(100)].join("/"));
        let path = placed(&[&long]).remove(0);
        assert!(path.len() <= MAX_PATH && path.ends_with("z/end.log"), "{path}");
    }

    #[test]
    fn no_part_of_a_path_means_anything_to_a_file_system() {
        assert_eq!(
            placed(&["con", "a/NUL.log", "com1.txt", "lpt0", "console", "a./b", "..", "x/-rf"]),
            ["_con", "a/_NUL.log", "_com1.txt", "_lpt0", "console", "a/b", "unnamed", "x/rf"]
        );
        // The cut falls into the first part and leaves its end.
        let long = format!("{}../{}/{}", "x".repeat(98), "y".repeat(97), "z".repeat(99));
        let path = placed(&[&long]).remove(0);
        assert!(path.split('/').all(|part| !part.starts_with('.')), "{path}");
    }

    #[test]
    fn ten_thousand_equal_names_are_placed_in_linear_time() {
        let mut places = Places::reserving("manifest.json");
        let last = (0..10_000).map(|_| places.place("same.log")).last();
        assert_eq!(last.as_deref(), Some("same-10000.log"));
    }
}
