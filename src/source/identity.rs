//! The identity token of the job (`OpenID` Connect): asked for at the runner's token service, read without being verified, and dropped.
//!
//! No error quotes an answer: the token is the answer.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

use super::error::{Cause, Error};
use super::http::{Http, bearer};
use crate::config::IdentityRequest;
use crate::task::Deadline;

/// Longest time for the answer.
const LIMIT: Duration = Duration::from_secs(5);
/// Largest answer that is read, in bytes; a token has about 2 kB.
const MAX_ANSWER: usize = 64 << 10;
const TRIED: &str = "ask the runner's token service for an identity token";
const HELP: &str = "run the job again; if it stays, look at GitHub's status page and at the way from here to the token service, whose \
                    address is in ACTIONS_ID_TOKEN_REQUEST_URL";

/// What an identity token says. The token itself is not in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Whom it is for.
    pub audiences: Vec<String>,
    /// Whose it is: `repo:octo/app:environment:production`.
    pub subject: String,
    /// Who made it.
    pub issuer: String,
    /// When it ends, in seconds since 1970.
    pub ends: Option<i64>,
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    aud: Value,
    #[serde(default)]
    sub: String,
    #[serde(default)]
    iss: String,
    #[serde(default)]
    exp: Option<i64>,
}

/// The claims of a token for this audience; without one GitHub takes the address of the repository's owner.
///
/// # Errors
/// The service can not be reached, refuses, or its answer holds no token.
pub async fn claims(
    http: &Http,
    request: &IdentityRequest,
    audience: Option<&str>,
    deadline: Deadline,
) -> Result<Claims, Error> {
    let credential =
        bearer(request.token.expose()).map_err(|_| wrong("its own token can not be sent"));
    let (name, value) = credential?;
    let url = address(&request.url, audience);
    let asked = http.client().get(url).header(name, value).header("accept", "application/json");
    let reply = http.send(TRIED, asked, deadline.at_most(LIMIT), MAX_ANSWER).await;
    let reply = reply.map_err(|error| error.with_help(HELP))?;
    if reply.status != 200 {
        let cause = Cause::Status { status: reply.status, message: String::new() };
        return Err(Error::new(TRIED, cause).with_help(HELP));
    }
    let answer: Value =
        serde_json::from_slice(&reply.body).map_err(|_| wrong("the answer is not JSON"))?;
    let token = answer.get("value").and_then(Value::as_str);
    let token = token.ok_or_else(|| wrong("the answer holds no token"))?;
    http.obtained("the identity token", token);
    read(token)
}

fn address(url: &str, audience: Option<&str>) -> String {
    let Some(audience) = audience else { return url.to_owned() };
    let joint = if url.contains('?') { '&' } else { '?' };
    let audience =
        percent_encoding::utf8_percent_encode(audience, percent_encoding::NON_ALPHANUMERIC);
    format!("{url}{joint}audience={audience}")
}

fn read(token: &str) -> Result<Claims, Error> {
    let part = token.split('.').nth(1).ok_or_else(|| wrong("the token has no claims"))?;
    let bytes = URL_SAFE_NO_PAD.decode(part.trim_end_matches('='));
    let bytes = bytes.map_err(|_| wrong("the claims are not base64"))?;
    let raw: Raw =
        serde_json::from_slice(&bytes).map_err(|_| wrong("the claims have another form"))?;
    let audiences = match raw.aud {
        Value::String(one) => vec![one],
        Value::Array(all) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    };
    Ok(Claims { audiences, subject: raw.sub, issuer: raw.iss, ends: raw.exp })
}

fn wrong(why: &str) -> Error {
    Error::new(TRIED, Cause::Parse(why.to_owned())).with_help(HELP)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn the_claims_are_read_with_one_audience_or_many() {
        let one = read(&token(r#"{"aud": "sts", "sub": "repo:o/r", "iss": "i", "exp": 5}"#));
        let wanted = Claims {
            audiences: vec!["sts".to_owned()],
            subject: "repo:o/r".to_owned(),
            issuer: "i".to_owned(),
            ends: Some(5),
        };
        assert_eq!(one.unwrap(), wanted);
        assert_eq!(read(&token(r#"{"aud": ["a", "b"]}"#)).unwrap().audiences, ["a", "b"]);
    }

    #[test]
    fn what_is_no_token_is_never_quoted() {
        let typed = token(r#"{"sub": ["not-to-be-seen"]}"#);
        for text in ["not-to-be-seen", "a.not-to-be-seen.c", typed.as_str()] {
            let error = read(text).unwrap_err().chain();
            assert!(!error.contains("not-to-be-seen"), "{error}");
        }
    }

    #[test]
    fn the_audience_is_encoded_behind_what_the_address_asks_already() {
        assert_eq!(address("https://t/?v=2", Some("a&b")), "https://t/?v=2&audience=a%26b");
        assert_eq!(address("https://t/", Some("a")), "https://t/?audience=a");
        assert_eq!(address("https://t/", None), "https://t/");
    }
}
