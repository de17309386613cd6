//! Cases of `secret-format`.
