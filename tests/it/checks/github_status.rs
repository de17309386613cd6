//! Cases of `github-status`.
