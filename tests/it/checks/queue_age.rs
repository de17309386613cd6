//! Cases of `queue-age`.
