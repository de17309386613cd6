//! Cases of `cpu-pressure`.
