//! stub

pub mod bundle;
