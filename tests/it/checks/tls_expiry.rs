//! Cases of `tls-expiry`.
