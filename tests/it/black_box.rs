//! What the black box collects from GitHub, the host, the engine and Loki.

mod github;
mod metrics;
mod streaming;
