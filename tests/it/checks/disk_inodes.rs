//! Cases of `disk-inodes`.
