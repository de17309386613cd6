//! Cases of `clock-skew`.
