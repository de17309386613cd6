//! What a refusal means: a missing permission, a spent budget, a bad token, or something that is not there.

use super::super::error::{Cause, Error};
use super::super::http::Reply;

/// Status and headers first, words second: a missing permission is not a missing thing.
pub(super) fn refused(tried: &str, reply: &Reply) -> Error {
    let needs = reply
        .header("x-accepted-github-permissions")
        .map(str::to_owned)
        .filter(|n| !n.trim().is_empty());
    let limited =
        reply.header("x-ratelimit-remaining") == Some("0") || reply.header("retry-after").is_some();
    let words = reply.refusal().to_string();
    let lacks =
        words.contains("not accessible by") || words.contains("admin rights") || needs.is_some();
    match reply.status {
        401 => Error::new(tried, reply.refusal()).with_help(
            "the token is expired, revoked or mistyped: renew the secret behind github-token",
        ),
        403 | 429 if limited => Error::new(tried, reply.refusal()).with_help(spent(reply)),
        403 if policy(&words).is_some() => {
            Error::new(tried, reply.refusal()).with_help(policy(&words).unwrap_or_default())
        }
        403 if lacks => permission(tried, reply.status, needs),
        404 if needs.is_some() => permission(tried, reply.status, needs),
        404 => Error::new(tried, reply.refusal()).with_help(
            "a 404 may mean that the token lacks a permission: runners need Administration read (repository) or Self-hosted runners read \
             (organisation), secrets need Secrets read",
        ),
        500..=599 => Error::new(tried, reply.refusal()).with_help(
            "GitHub or a proxy before it is broken: look at its status page, and run again later",
        ),
        _ => Error::new(tried, reply.refusal()),
    }
}

/// A spent budget: when it is full again, and that nobody waited for that.
fn spent(reply: &Reply) -> String {
    let when = match (reply.header("retry-after"), reply.header("x-ratelimit-reset")) {
        (Some(wait), _) => {
            format!("in {wait} s, which is longer than the time left: nobody waited")
        }
        (None, Some(reset)) => format!("at {reset} (seconds since 1970)"),
        (None, None) => "later".to_owned(),
    };
    format!(
        "the API budget of this token is used up; it is full again {when}; ask as a GitHub App of your own (app-id) for a larger one"
    )
}

/// Refusals of an organisation's policy, by GitHub's own words: more permissions would not help.
fn policy(words: &str) -> Option<&'static str> {
    if words.contains("SAML") {
        Some("authorise the token for the organisation's single sign-on (SSO)")
    } else if words.contains("IP allow list") {
        Some("add the address of this runner to the organisation's IP allow list")
    } else if words.contains("lifetime is greater") {
        Some(
            "the organisation refuses tokens that live that long: make one with a shorter lifetime",
        )
    } else {
        None
    }
}

fn permission(tried: &str, status: u16, needs: Option<String>) -> Error {
    let help = match &needs {
        Some(needs) => format!(
            "use a GitHub App or fine-grained token with {needs} as github-token; the workflow's own token can not have it"
        ),
        None => "use a GitHub App or fine-grained token with more permissions as github-token"
            .to_owned(),
    };
    Error::new(tried, Cause::Permission { status, needs }).with_help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, headers: &[(&'static str, &str)], body: &str) -> Reply {
        let headers =
            headers.iter().map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap())).collect();
        Reply { status, headers, body: body.as_bytes().to_vec() }
    }

    #[test]
    fn a_refused_permission_is_named_as_the_server_named_it() {
        let reply = reply(
            403,
            &[("x-accepted-github-permissions", "administration=read")],
            r#"{"message":"Resource not accessible by integration"}"#,
        );
        let error = refused("list runners", &reply);
        assert!(
            matches!(error.cause(), Cause::Permission { needs: Some(n), .. } if n == "administration=read")
        );
    }

    #[test]
    fn a_spent_budget_is_not_a_missing_permission() {
        let spent = |headers: &[(&'static str, &str)]| {
            let reply = reply(403, headers, r#"{"message":"API rate limit exceeded"}"#);
            let error = refused("list runners", &reply);
            assert!(matches!(error.cause(), Cause::Status { status: 403, .. }));
            error.help().map(str::to_owned).unwrap()
        };
        let primary = spent(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "99")]);
        assert!(primary.contains("at 99"), "{primary}");
        let secondary = spent(&[("retry-after", "3600")]);
        assert!(secondary.contains("in 3600 s") && secondary.contains("nobody waited"));
    }

    /// Status, headers, words, and the class and help that must come of it.
    #[test]
    fn every_refusal_that_github_documents_has_its_own_help() {
        let none: &[(&'static str, &str)] = &[];
        for (status, headers, words, permission, help) in [
            (401, none, "Bad credentials", false, "expired, revoked or mistyped"),
            (403, none, "Resource not accessible by integration", true, "GitHub App"),
            (403, none, "Resource not accessible by personal access token", true, "GitHub App"),
            (403, none, "Must have admin rights to Repository.", true, "GitHub App"),
            (403, none, "Resource protected by organization SAML enforcement.", false, "SSO"),
            (403, none, "has an IP allow list enabled, and your IP address", false, "allow list"),
            (403, none, "if the token's lifetime is greater than 366 days", false, "shorter"),
            (403, none, "Forbidden", false, "access rules"),
            (429, &[("retry-after", "3600")], "secondary rate limit", false, "nobody waited"),
            (429, none, "secondary rate limit", false, "less often"),
            (404, none, "Not Found", false, "may mean that the token lacks"),
            (500, none, "Server Error", false, "status page"),
            (503, none, "No server is currently available", false, "status page"),
        ] {
            let body = format!(r#"{{"message":"{words}"}}"#);
            let error = refused("ask", &reply(status, headers, &body));
            let class = matches!(error.cause(), Cause::Permission { .. });
            let said = error.help().unwrap_or_default();
            assert!(class == permission && said.contains(help), "{status} {words}: {error:?}");
        }
    }
}
