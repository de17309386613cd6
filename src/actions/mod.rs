//! The Actions runner's protocol: context, inputs, workflow commands, output, state and summary files, artifacts.
//!
//! The only reader of the environment and the only writer of stdout and of the runner's files. It decides nothing.

pub mod artifact;
pub mod command;
pub mod context;
pub mod env;
pub mod files;
pub mod log;

pub use command::{Console, Kind};
pub use context::{Context, Stage};
pub use env::Environment;
pub use files::{CommandFiles, FileProblem};
