//! Cases of `runner-group`.
