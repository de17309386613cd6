//! Cases of `runner-authorized`.
