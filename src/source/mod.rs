//! Readers of the world outside. Every read has a deadline and a size cap; nothing here decides what an answer means.

pub mod alerts;
pub mod ansible;
pub mod arc;
pub mod at_rest;
mod brief;
pub mod command;
pub mod credential;
pub mod docker;
pub mod error;
pub mod exposition;
pub mod files;
pub mod github;
pub mod host;
pub mod host_metrics;
pub mod http;
pub mod identity;
pub mod loki;
mod memo;
pub mod net;
pub mod pages;
pub mod prometheus;
pub mod runner_files;
pub mod runner_status;
pub mod status_page;

pub use error::{Cause, Error};

use std::path::PathBuf;

/// The outside, as one run sees it.
pub struct Sources {
    /// The HTTP client.
    pub http: http::Http,
    /// The GitHub API, or why there is none.
    pub github: Result<github::GitHub, String>,
    /// Prometheus, when one is configured.
    pub prometheus: Option<prometheus::Prometheus>,
    /// The pages of exporters that were read in this round.
    pub pages: pages::Pages,
    /// Where the Docker engine listens.
    pub docker_socket: PathBuf,
    /// The host as this process sees it.
    pub host: host::Host,
    /// The time of the run in seconds since 1970.
    pub now: i64,
}

impl Sources {
    /// Begins a new round: everything is asked again.
    pub fn forget(&self) {
        self.http.forget();
        if let Ok(github) = &self.github {
            github.forget();
        }
        if let Some(prometheus) = &self.prometheus {
            prometheus.forget();
        }
        self.pages.forget();
    }
}
