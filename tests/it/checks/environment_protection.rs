//! Cases of `environment-protection`.
