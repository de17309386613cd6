//! What must hold for any bytes: one module for each reader of foreign text, each with one function `check` that panics when it does not.
//!
//! The fuzz targets call these with what libFuzzer makes up, and `tests/it/fuzz_corpus.rs` with every kept input. Only public functions
//! of the library are called.

pub mod ansible;
pub mod bundle;
pub mod config;
pub mod credential;
pub mod diag;
pub mod diagnose;
pub mod escape;
pub mod exposition;
pub mod folder;
pub mod redactor;
pub mod redactor_stream;
pub mod secrets;
pub mod signatures;
