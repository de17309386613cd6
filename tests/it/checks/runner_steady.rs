//! Cases of `runner-steady`.
