//! Cases of `github-rate-limit`.
