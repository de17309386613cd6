//! How we show ourselves to GitHub: a token that was handed in, or a GitHub App whose token is made for this run.

use std::fmt;

use super::super::error::{Cause, Error};
use super::super::http::bearer;
use super::AppKey;

/// How we show ourselves. `Debug` prints no secret.
#[derive(Clone)]
pub enum Auth {
    /// A token, trimmed.
    Token(String),
    /// A GitHub App.
    App(AppKey),
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.word())
    }
}

impl Auth {
    /// A token that was handed in; blanks and line ends around it are a paste fault and are removed.
    pub fn token(token: &str) -> Self {
        Self::Token(token.trim().to_owned())
    }

    /// What it is, for people: the kind of token by its prefix, never a part of its value.
    pub fn word(&self) -> String {
        let word = match self {
            Self::App(app) => return format!("GitHub App {}", app.id()),
            Self::Token(token) => match token.split_once('_').map(|(start, _)| start) {
                Some("ghs") => "installation token (the workflow's GITHUB_TOKEN or a GitHub App's)",
                Some("ghp") => "classic personal access token",
                Some("gho") => "OAuth token",
                Some("ghu") => "user token of a GitHub App",
                Some("github") if token.starts_with("github_pat_") => {
                    "fine-grained personal access token"
                }
                Some(_) | None => "token of a kind that is not known here",
            },
        };
        word.to_owned()
    }

    /// Whether it can be sent at all.
    ///
    /// # Errors
    /// Empty, or with a line break or another control character in its middle.
    pub(super) fn validate(&self) -> Result<(), Error> {
        match self {
            Self::App(_) => Ok(()),
            Self::Token(token) if token.is_empty() => {
                Err(Error::new("use the GitHub API", Cause::Other("no token".to_owned()))
                    .with_help("set the input github-token"))
            }
            Self::Token(token) => bearer(token).map(drop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_a_token_is_said_and_no_part_of_it() {
        let auth = Auth::token(" ghs_0123456789secret\n");
        assert!(auth.word().starts_with("installation token"), "{}", auth.word());
        assert!(!format!("{auth:?}").contains("0123"));
        assert!(Auth::token("github_pat_11AA").word().starts_with("fine-grained"));
        assert!(Auth::token("ghp_x").word().starts_with("classic"));
    }

    #[test]
    fn an_empty_token_and_one_with_a_line_break_are_refused() {
        assert!(Auth::token("  ").validate().is_err());
        assert!(Auth::token("a\nb").validate().is_err());
        assert!(Auth::token("a\n").validate().is_ok());
    }
}
