//! Cases of `github-token`.
