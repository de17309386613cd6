//! What lies in a bundle.

#![expect(clippy::disallowed_methods, reason = "the bundle is our own")]

use std::collections::BTreeMap;
use std::io::Read as _;

/// The text of every entry of a `tar.gz`, by its path.
pub(crate) fn unpacked(packed: &[u8]) -> BTreeMap<String, String> {
    let mut archive = tar::Archive::new(flate2::read::MultiGzDecoder::new(packed));
    let mut entries = BTreeMap::new();
    for entry in archive.entries().expect("a bundle") {
        let mut entry = entry.expect("entry");
        let path = entry.path().expect("path").display().to_string();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("a whole entry");
        entries.insert(path, String::from_utf8_lossy(&bytes).into_owned());
    }
    entries
}
