//! What the black box collects from GitHub, the host, the engine and Loki.

mod metrics;
