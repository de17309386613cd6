//! Cases of `sources-agree`.
