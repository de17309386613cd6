//! Cases of `runner-identity`.
