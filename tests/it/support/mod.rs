//! The only code of the tests that knows how to start things.

pub(crate) mod authority;
pub(crate) mod azurite;
pub(crate) mod bundle;
pub(crate) mod command;
pub(crate) mod fake_app;
pub(crate) mod fake_artifacts;
pub(crate) mod fake_github;
pub(crate) mod fake_logs;
mod fake_rest;
pub(crate) mod fleet;
pub(crate) mod http;
pub(crate) mod keys;
pub(crate) mod openapi;
pub(crate) mod runner_root;
pub(crate) mod scripted;
pub(crate) mod tls;

use std::path::PathBuf;

use ring::digest::{SHA256, digest};

/// A plain client for the loopback: no proxy, no redirects.
#[expect(clippy::disallowed_methods, reason = "tests talk to their own servers")]
pub(crate) fn client() -> reqwest::Client {
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    builder.build().expect("client")
}

/// A folder that the set-up of the tests fills; without it the test fails and says how to get it.
#[expect(clippy::disallowed_methods, reason = "the set-up tells tests where their peers are")]
pub(crate) fn needed_folder(variable: &str, what: &str) -> PathBuf {
    let folder = std::env::var_os(variable).unwrap_or_else(|| {
        panic!("{variable} is not set: it names the folder with {what}; run `make test`, which fetches it")
    });
    PathBuf::from(folder)
}

/// Lower-case hex SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    format!("{:?}", digest(&SHA256, bytes)).trim_start_matches("SHA256:").to_owned()
}
