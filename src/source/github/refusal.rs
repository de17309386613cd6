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

/// What to do about a rule of the organisation that refuses a token which may do everything else.
fn policy(words: &str) -> Option<&'static str> {
    let rules = [
        (
            "IP allow list",
            "let an owner add the address from which this runner reaches GitHub to the organisation's IP allow list",
        ),
        (
            "SAML enforcement",
            "authorise the token for the organisation's single sign-on, under Settings, Personal access tokens, Configure SSO",
        ),
        (
            "lifetime is greater than",
            "make a new token that ends earlier: the organisation refuses tokens that live so long",
        ),
    ];
    rules.into_iter().find(|(said, _)| words.contains(said)).map(|(_, help)| help)
}

/// Every error of this boundary says what to do; those that do not yet say it by the class of their cause.
pub(super) fn advised(error: Error) -> Error {
    if error.own_help().is_some() {
        return error;
    }
    let help = match error.cause() {
        Cause::Dns(_) | Cause::Connect(_) | Cause::Tls(_) | Cause::Timeout(_) => {
            "GitHub's API can not be reached from here, or not in time: see the row of endpoint-reachable"
        }
        Cause::Status { status: 500.., .. } => {
            "a fault of GitHub's servers: look at its status page, then run the gate again"
        }
        Cause::Status { .. } | Cause::Permission { .. } => {
            "GitHub does not take this request: use another token, or a newer runner-guard"
        }
        Cause::TooLarge(_) | Cause::Parse(_) | Cause::Io(_) | Cause::Other(_) => {
            "this is not how GitHub's API answers: run the gate again; then look for a proxy in between and at GITHUB_API_URL"
        }
    };
    error.with_help(help)
}

fn permission(tried: &str, status: u16, needs: Option<String>) -> Error {
    let help = match &needs {
        Some(needs) => match of_workflow(needs) {
            Some(keys) => format!("add `permissions: {{{keys}}}` to the job"),
            None => format!(
                "use a GitHub App or fine-grained token with {needs} as github-token; the workflow's own token can not have it"
            ),
        },
        None => "use a GitHub App or fine-grained token with more permissions as github-token"
            .to_owned(),
    };
    Error::new(tried, Cause::Permission { status, needs }).with_help(help)
}

/// Permissions that a workflow can give to its own token and that a gate may need.
const OF_WORKFLOW: [&str; 6] =
    ["actions", "checks", "contents", "deployments", "pull_requests", "statuses"];

/// Keys for `permissions:`, from what the server named (`a=read,b=read; c=read`: the comma means and, the semicolon or).
fn of_workflow(needs: &str) -> Option<String> {
    let key = |one: &str| {
        let (name, level) = one.trim().split_once('=')?;
        OF_WORKFLOW.contains(&name).then(|| format!("{}: {level}", name.replace('_', "-")))
    };
    let keys = |all: &str| all.split(',').map(key).collect::<Option<Vec<String>>>();
    needs.split(';').find_map(keys).map(|keys| keys.join(", "))
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
    fn every_error_says_what_to_do_and_none_loses_what_it_said() {
        let broken = Error::new("t", Cause::Status { status: 502, message: String::new() });
        assert!(advised(broken).help().unwrap().contains("status page"));
        let slow = Error::new("t", Cause::Timeout(std::time::Duration::ZERO));
        assert!(advised(slow).help().unwrap().contains("endpoint-reachable"));
        let said = Error::new("t", Cause::Other(String::new())).with_help("own");
        assert_eq!(advised(said).help(), Some("own"));
    }

    #[test]
    fn what_a_workflow_can_grant_is_asked_of_the_workflow() {
        let help = |needs: &str| {
            let body = r#"{"message":"Resource not accessible by integration"}"#;
            let reply = reply(403, &[("x-accepted-github-permissions", needs)], body);
            refused("t", &reply).help().unwrap_or_default().to_owned()
        };
        assert_eq!(help("actions=read"), "add `permissions: {actions: read}` to the job");
        assert_eq!(
            help("administration=read; actions=read,pull_requests=read"),
            "add `permissions: {actions: read, pull-requests: read}` to the job"
        );
        assert!(help("administration=read").contains("own token can not have it"));
        assert!(help("organization_x=read,actions=read").contains("own token can not have it"));
    }

    #[test]
    fn a_rule_of_the_organisation_is_not_a_missing_permission() {
        let body = r#"{"message":"Although you appear to have the correct authorization, the `o` organization has an IP allow list enabled, and your IP address is not permitted"}"#;
        let error = refused("t", &reply(403, &[], body));
        assert!(error.help().unwrap().contains("allow list"), "{error:?}");
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
            (403, none, "Resource protected by organization SAML enforcement.", false, "sign-on"),
            (403, none, "has an IP allow list enabled, and your IP address", false, "allow list"),
            (403, none, "if the token's lifetime is greater than 366 days", false, "ends earlier"),
            (403, none, "Forbidden", false, "another token"),
            (429, &[("retry-after", "3600")], "secondary rate limit", false, "nobody waited"),
            (404, none, "Not Found", false, "may mean that the token lacks"),
            (500, none, "Server Error", false, "status page"),
            (503, none, "No server is currently available", false, "status page"),
        ] {
            let body = format!(r#"{{"message":"{words}"}}"#);
            let error = advised(refused("ask", &reply(status, headers, &body)));
            let class = matches!(error.cause(), Cause::Permission { .. });
            let said = error.help().unwrap_or_default();
            assert!(class == permission && said.contains(help), "{status} {words}: {error:?}");
        }
    }
}
