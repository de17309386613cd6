//! stub

pub mod artifact;
