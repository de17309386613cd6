//! Why an artifact could not be uploaded: what was asked of which host, and what it answered. Never a query string, never a token.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

/// Why an upload failed. `Display` says what was tried; the cause comes from `source()`.
#[derive(Debug, thiserror::Error)]
#[error("{tried}")]
pub struct Error {
    tried: String,
    help: Option<&'static str>,
    #[source]
    cause: Cause,
    retry_after: Option<Duration>,
    retry: Retry,
    next: Next,
}

/// The classes of causes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// The runtime token can not be used; the text says why.
    #[error("{0}")]
    Token(&'static str),
    /// An address can not be used; the text says why and never holds its query.
    #[error("{0}")]
    Address(String),
    /// The server answered, but not with success.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// No connection, or it broke.
    #[error("{host}: {reason}")]
    Transport {
        /// Host and port.
        host: String,
        /// The chain of causes in one line.
        reason: String,
    },
    /// No byte moved for this long.
    #[error("{host}: no byte moved for {} s", .idle.as_secs_f64())]
    Stalled {
        /// Host and port.
        host: String,
        /// The limit.
        idle: Duration,
    },
    /// The deadline of the upload has passed.
    #[error("no time is left before the deadline of {} s", .limit.as_secs_f64().round())]
    Deadline {
        /// The time that the whole upload had.
        limit: Duration,
    },
    /// The answer has not the form that was expected.
    #[error("{host}: unexpected answer: {reason}")]
    Answer {
        /// Host and port.
        host: String,
        /// What was missing or wrong.
        reason: String,
    },
    /// The file could not be read.
    #[error(transparent)]
    File(#[from] std::io::Error),
}

/// An answer that is not the expected success; empty fields were not sent.
#[derive(Debug, Default)]
pub struct Refusal {
    /// The HTTP status code.
    pub status: u16,
    /// Host and port.
    pub host: String,
    /// The server's code for the fault: of Twirp, or `x-ms-error-code`.
    pub code: String,
    /// The server's own words, at most 200 characters.
    pub message: String,
    /// The id under which the server's operator finds the request.
    pub request_id: String,
    /// How long the server asks to wait.
    pub wait: Option<Duration>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} answered status {}", self.host, self.status)?;
        for (lead, value) in
            [(" ", &self.code), (": ", &self.message), (", request id ", &self.request_id)]
        {
            if !value.is_empty() {
                write!(f, "{lead}{value}")?;
            }
        }
        self.wait.map_or(Ok(()), |wait| write!(f, ", asks to wait {} s", wait.as_secs_f64().ceil()))
    }
}

/// Whether the same call may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Retry {
    /// When its cause is of a passing kind.
    ByCause,
    /// It was repeated as often as allowed.
    Spent,
}

/// What may still help when a whole upload has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing.
    GiveUp,
    /// The name is taken or burnt: another one.
    OtherName,
}

impl Error {
    pub(super) fn new(tried: impl Into<String>, cause: Cause) -> Self {
        let help = help_for(&cause);
        let tried = tried.into();
        Self { tried, help, cause, retry_after: None, retry: Retry::ByCause, next: Next::GiveUp }
    }

    /// The setting to change, when one would help.
    pub fn help(&self) -> Option<&str> {
        self.help
    }

    /// The class of the cause.
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// The HTTP status, when the server answered.
    pub fn status(&self) -> Option<u16> {
        if let Cause::Refused(refusal) = &self.cause { Some(refusal.status) } else { None }
    }

    /// The whole chain in one line, from what was tried to the root cause.
    pub fn chain(&self) -> String {
        chain_of(self)
    }

    pub(super) fn after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }

    pub(super) fn with_help(mut self, help: &'static str) -> Self {
        self.help = Some(help);
        self
    }

    pub(super) fn or_other_name(mut self) -> Self {
        self.next = Next::OtherName;
        self
    }

    pub(super) fn spent(mut self) -> Self {
        self.retry = Retry::Spent;
        self
    }

    pub(super) fn under(mut self, name: &str) -> Self {
        self.tried = format!("upload artifact `{name}`: {}", self.tried);
        self
    }

    pub(super) fn next(&self) -> Next {
        self.next
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether the same call may succeed a little later.
    pub(super) fn is_transient(&self) -> bool {
        let passing = match &self.cause {
            Cause::Refused(refusal) => {
                let passes = matches!(refusal.status, 408 | 425 | 429 | 500 | 502 | 503 | 504);
                !is_quota(refusal) && (passes || is_damage(refusal) || is_early(refusal))
            }
            Cause::Transport { reason, .. } => !wants_login(reason),
            Cause::Stalled { .. } => true,
            Cause::Token(_)
            | Cause::Address(_)
            | Cause::Deadline { .. }
            | Cause::Answer { .. }
            | Cause::File(_) => false,
        };
        passing && self.retry == Retry::ByCause
    }
}

fn is_quota(refusal: &Refusal) -> bool {
    matches!(refusal.status, 413 | 507) || refusal.message.contains("insufficient usage")
}

/// A block arrived with other bytes than it was sent with.
fn is_damage(refusal: &Refusal) -> bool {
    refusal.code == "Md5Mismatch"
}

/// The service learns of a run a moment after its first job has begun.
fn is_early(refusal: &Refusal) -> bool {
    refusal.status == 404 && refusal.message.contains("workflow run not found")
}

/// The tunnel through a proxy was refused for want of a login; the client has no other sign of it than these words.
fn wants_login(reason: &str) -> bool {
    reason.contains("proxy authorization required")
}

const PROXY_LOGIN: &str = "the proxy asks for a login: put it into HTTPS_PROXY on the runner, as http://user:password@host:port";
const AS_ACTION: &str = "run it as a container action: the runner gives ACTIONS_RUNTIME_TOKEN and ACTIONS_RESULTS_URL to actions only, not to run steps";
const QUOTA: &str = "the storage quota for artifacts is used up, or the server or a proxy takes no request of this size: delete old artifacts, lower retention-days, or raise the limit";
const WAY: &str = "allow this host in the firewall or set HTTPS_PROXY on the runner; uploads go to *.actions.githubusercontent.com and *.blob.core.windows.net";
const DOWN: &str = "the service is overloaded or down (https://www.githubstatus.com for GitHub): save the bundle with actions/upload-artifact in a step after this one, or run the job again later";
const REFUSED: &str = "something refuses it: the service, or a proxy or firewall that must allow *.actions.githubusercontent.com and *.blob.core.windows.net; when the request id is GitHub's, run the job again later";
const TAKEN: &str = "set artifact-name to one that no other job of this run uses";
const SLOW: &str = "the line is too slow for the bundle, or something stops it: collect less, or save the bundle with actions/upload-artifact in a step after this one";
const LOST: &str =
    "leave the folder of RUNNER_TEMP alone until the action has ended, and look at its disk";

fn help_for(cause: &Cause) -> Option<&'static str> {
    match cause {
        Cause::Token(_) | Cause::Address(_) => Some(AS_ACTION),
        Cause::Refused(refusal) if is_quota(refusal) => Some(QUOTA),
        Cause::Refused(refusal) => match refusal.status {
            407 => Some(PROXY_LOGIN),
            408 | 425 | 429 | 500..=599 => Some(DOWN),
            401 | 403 => Some(REFUSED),
            409 => Some(TAKEN),
            _ => None,
        },
        Cause::Transport { reason, .. } if wants_login(reason) => Some(PROXY_LOGIN),
        // What answers in another form is most often the page of a proxy.
        Cause::Transport { .. } | Cause::Stalled { .. } | Cause::Answer { .. } => Some(WAY),
        Cause::Deadline { .. } => Some(SLOW),
        Cause::File(_) => Some(LOST),
    }
}

/// The chain of an error in one line; a link that the one before it already quotes is left out.
pub(super) fn chain_of(error: &dyn StdError) -> String {
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
    fn a_refusal_names_status_code_words_and_request_id() {
        let refusal = Refusal {
            status: 409,
            host: "results.test".to_owned(),
            code: "already_exists".to_owned(),
            message: "taken".to_owned(),
            request_id: "ABC:1".to_owned(),
            wait: None,
        };
        let error =
            Error::new("create the artifact", Cause::Refused(Box::new(refusal))).under("box");
        assert_eq!(
            error.chain(),
            "upload artifact `box`: create the artifact: results.test answered status 409 already_exists: taken, request id ABC:1"
        );
    }

    #[test]
    fn a_used_up_quota_is_not_tried_again_and_says_what_to_do() {
        let refusal = Refusal {
            status: 429,
            message: "insufficient usage to create artifact".to_owned(),
            ..Refusal::default()
        };
        let error = Error::new("create the artifact", Cause::Refused(Box::new(refusal)));
        assert!(!error.is_transient());
        assert!(error.help().is_some_and(|h| h.contains("retention-days")));
    }

    #[test]
    fn every_cause_that_someone_can_do_something_about_says_what() {
        let refused = |status| Cause::Refused(Box::new(Refusal { status, ..Refusal::default() }));
        let (host, limit) = (|| "h".to_owned(), Duration::from_mins(2));
        let words = || "x".to_owned();
        for (cause, word) in [
            (Cause::Token("x"), "container action"),
            (refused(503), "actions/upload-artifact"),
            (refused(429), "overloaded"),
            (refused(403), "firewall"),
            (refused(407), "HTTPS_PROXY"),
            (refused(409), "artifact-name"),
            (refused(413), "quota"),
            (Cause::Transport { host: host(), reason: words() }, "firewall"),
            (Cause::Stalled { host: host(), idle: limit }, "firewall"),
            (Cause::Answer { host: host(), reason: words() }, "HTTPS_PROXY"),
            (Cause::Deadline { limit }, "actions/upload-artifact"),
            (Cause::File(std::io::Error::other("x")), "RUNNER_TEMP"),
        ] {
            let error = Error::new("try", cause);
            assert!(error.help().is_some_and(|help| help.contains(word)), "{error:?}");
        }
        let late = Error::new("upload", Cause::Deadline { limit });
        assert_eq!(late.chain(), "upload: no time is left before the deadline of 120 s");
    }
}
