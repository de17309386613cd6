//! Cases of `runner-busy`.
