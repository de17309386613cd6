//! Cases of `secret-expiry`.
