//! How a command fails: with wrong usage, or unexpectedly. The chain of causes is printed once.

use crate::config::ConfigErrors;
use crate::report::escape;
use crate::source;

use super::exit;

/// Why a command did not do its work.
#[derive(Debug)]
pub(super) enum Failure {
    /// The command line, an input or the configuration is wrong; the text says what and where.
    Usage(String),
    /// A source that could not be read although the command can not do without it.
    Source(source::Error),
    /// Anything else.
    Unexpected(anyhow::Error),
}

impl Failure {
    pub(super) fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into())
    }

    pub(super) fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => exit::USAGE,
            Self::Source(_) | Self::Unexpected(_) => exit::UNEXPECTED,
        }
    }

    /// What the user reads: the chain, each link once, and the help on a line of its own. Names in it may be chosen by others, so it is
    /// cleaned.
    pub(super) fn text(&self) -> String {
        escape::clean(&self.raw())
    }

    fn raw(&self) -> String {
        match self {
            Self::Usage(text) => text.clone(),
            Self::Source(error) => {
                let help = error.help().map(|help| format!("\n  help: {help}")).unwrap_or_default();
                format!("{}{help}", error.chain())
            }
            Self::Unexpected(error) => format!("{error:#}"),
        }
    }
}

impl From<source::Error> for Failure {
    fn from(error: source::Error) -> Self {
        Self::Source(error)
    }
}

impl From<ConfigErrors> for Failure {
    fn from(errors: ConfigErrors) -> Self {
        Self::Usage(errors.to_string())
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Unexpected(error)
    }
}
