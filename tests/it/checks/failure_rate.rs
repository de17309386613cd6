//! Cases of `failure-rate`.
