//! Readers of the world outside. Every read has a deadline and a size cap; nothing here decides what an answer means.

pub mod ansible;
pub mod docker;
pub mod error;
pub mod exposition;
pub mod files;
pub mod github;
pub mod host;
pub mod http;
pub mod net;
pub mod prometheus;
pub mod runner_files;

pub use error::Error;
