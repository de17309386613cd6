//! Paths inside an archive that stay apart on every file system it may be unpacked on.

use std::collections::{HashMap, HashSet};

/// Longest path in bytes.
const MAX_PATH: usize = 200;

/// The paths given out so far, compared without regard to case.
pub(super) struct Places {
    files: HashSet<String>,
    folders: HashSet<String>,
    numbers: HashMap<String, usize>,
}

impl Places {
    /// No paths but one that is taken from the start.
    pub(super) fn reserving(path: &str) -> Self {
        Self {
            files: HashSet::from([fold(path)]),
            folders: HashSet::new(),
            numbers: HashMap::new(),
        }
    }

    /// The wanted path, or one like it that is free: neither taken, nor a folder of another file, nor inside of a file.
    pub(super) fn place(&mut self, wanted: &str) -> String {
        let base = self.rooted(&shorten(wanted));
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
    fn ten_thousand_equal_names_are_placed_in_linear_time() {
        let mut places = Places::reserving("manifest.json");
        let last = (0..10_000).map(|_| places.place("same.log")).last();
        assert_eq!(last.as_deref(), Some("same-10000.log"));
    }
}
