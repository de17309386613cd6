//! Cases of `variable-present`.
