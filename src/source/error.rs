//! The one error of this boundary: what was tried and on what, why it did not work, and what to change.

use std::error::Error as StdError;
use std::time::Duration;

use super::http::advice;

/// Why the outside could not be read. `Display` says what was tried; the cause comes from `source()`.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{tried}")]
pub struct Error {
    tried: String,
    help: Option<String>,
    #[source]
    cause: Cause,
}

/// The classes of causes that callers tell apart.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// The name has no address.
    #[error("dns: {0}")]
    Dns(String),
    /// Nobody listens, or no route.
    #[error("tcp: {0}")]
    Connect(String),
    /// The handshake failed.
    #[error("tls: {0}")]
    Tls(String),
    /// No answer within the limit.
    #[error("no answer within {}", seconds(*.0))]
    Timeout(Duration),
    /// The server answered, but not with success; `message` is the server's own word, shortened.
    #[error("status {status}{}", said(.message))]
    Status {
        /// The HTTP status code.
        status: u16,
        /// What the server said, at most 200 characters.
        message: String,
    },
    /// The credentials do not reach this far; the permissions that would, as the server named them.
    #[error("status {status}: the token lacks a permission{}", named(.needs.as_ref()))]
    Permission {
        /// The HTTP status code.
        status: u16,
        /// Content of `x-accepted-github-permissions`, when the server sent it.
        needs: Option<String>,
    },
    /// The answer is larger than the cap.
    #[error("the answer is larger than the limit of {0} bytes")]
    TooLarge(u64),
    /// The answer has not the form that was expected.
    #[error("unexpected answer: {0}")]
    Parse(String),
    /// The file system refused.
    #[error("{0}")]
    Io(String),
    /// Something else; the chain of causes in one line.
    #[error("{0}")]
    Other(String),
}

fn said(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

fn named(needs: Option<&String>) -> String {
    needs.map(|n| format!(" (needs {n})")).unwrap_or_default()
}

fn seconds(limit: Duration) -> String {
    format!("{:.1} s", limit.as_secs_f64())
}

impl Error {
    /// An error: what was tried on what (`read memory from /proc/meminfo`), and why it did not work.
    pub fn new(tried: impl Into<String>, cause: Cause) -> Self {
        Self { tried: tried.into(), help: None, cause }
    }

    /// With the input or permission to change.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The input or permission to change, else what people do about a cause of this class.
    pub fn help(&self) -> Option<&str> {
        self.own_help().or_else(|| advice(&self.cause))
    }

    /// What whoever made this error said about what to change, without the general advice.
    pub fn own_help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The class of the cause.
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// Whether the same question may be answered the next time: the connection broke on the way. A port where nobody listens, a name
    /// without an address and a silent server are answers.
    pub(super) fn may_pass(&self) -> bool {
        match &self.cause {
            Cause::Other(_) => true,
            Cause::Dns(_)
            | Cause::Connect(_)
            | Cause::Tls(_)
            | Cause::Timeout(_)
            | Cause::Status { .. }
            | Cause::Permission { .. }
            | Cause::TooLarge(_)
            | Cause::Parse(_)
            | Cause::Io(_) => false,
        }
    }

    /// The HTTP status, when the server answered.
    pub fn status(&self) -> Option<u16> {
        match &self.cause {
            Cause::Status { status, .. } | Cause::Permission { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The whole chain in one line, from what was tried to the root cause, each link once.
    pub fn chain(&self) -> String {
        chain_of(self)
    }
}

/// The chain of an error in one line; a link that the one before it already quotes is left out.
pub fn chain_of(error: &dyn StdError) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(link) = cause {
        let text = link.to_string();
        if !line.contains(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        cause = link.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_names_what_was_tried_and_why_once() {
        let error =
            Error::new("query http://prometheus:9090", Cause::Timeout(Duration::from_millis(1500)));
        assert_eq!(error.chain(), "query http://prometheus:9090: no answer within 1.5 s");
    }

    #[test]
    fn a_missing_permission_is_named_as_the_server_named_it() {
        let cause =
            Cause::Permission { status: 403, needs: Some("administration=read".to_owned()) };
        let error = Error::new("list runners of octo/app", cause);
        assert_eq!(
            error.chain(),
            "list runners of octo/app: status 403: the token lacks a permission (needs administration=read)"
        );
    }
}
