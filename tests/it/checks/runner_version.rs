//! Cases of `runner-version`.
