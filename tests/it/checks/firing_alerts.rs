//! Cases of `firing-alerts`.
