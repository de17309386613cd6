//! Cases of `runner-resources`.
