//! Cases of `runner-labels`.
