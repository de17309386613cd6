//! The metrics endpoint of a runner host: `GET /metrics` in the Prometheus text format.
//!
//! Every scrape reads the machine afresh; nothing is cached and nothing is pushed. It judges nothing: alerts live in the rules. It has
//! no TLS and no log-in, so the address that it listens on is the user's choice.

mod collectors;
mod docs;
pub mod metrics;
mod scrape;
mod server;
mod settings;

pub use docs::markdown;
pub use server::{Error, serve};
pub use settings::{Authorization, Settings};
