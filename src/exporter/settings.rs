//! What the user decides about the exporter.

use std::net::SocketAddr;
use std::path::PathBuf;

/// How to serve, which runners to look at, and what to call them.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// The root folders of the runners (the parents of `bin` and `_diag`).
    pub roots: Vec<PathBuf>,
    /// Value of the label `environment`.
    pub environment: String,
    /// Value of the label `authorized_for_prod`.
    pub authorized_for_prod: Authorization,
    /// Value of the label `hostname`; `None` takes the name of the host.
    pub hostname: Option<String>,
}

/// Whether the runners of this host may deploy to production.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authorization {
    /// They may.
    Authorized,
    /// They may not.
    NotAuthorized,
}

impl Authorization {
    /// The value of the label.
    pub fn label(self) -> &'static str {
        match self {
            Self::Authorized => "true",
            Self::NotAuthorized => "false",
        }
    }
}
