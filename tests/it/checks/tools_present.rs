//! Cases of `tools-present`.
