//! The two calls of the results service: JSON over HTTP POST, with the runtime token.

use std::time::Duration;

use jiff::SignedDuration;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, RETRY_AFTER, USER_AGENT};
use reqwest::{Response, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Session;
use super::blob::Target;
use super::error::{Cause, Error, Refusal, chain_of};

const SERVICE: &str = "/twirp/github.actions.results.api.v1.ArtifactService/";
const AGENT: &str = concat!("runner-guard/", env!("CARGO_PKG_VERSION"));
/// Longest answer that is read, in bytes.
const ANSWER_CAP: usize = 64 * 1024;
/// Longest word of a server that is repeated, in characters.
const WORDS_CAP: usize = 200;

/// The two forms of `CreateArtifact`: every known server takes the first, and the second is for one that insists on a type.
#[derive(Clone, Copy)]
enum Form {
    Plain,
    Typed,
}

#[derive(Serialize)]
struct Create<'a> {
    workflow_run_backend_id: &'a str,
    workflow_job_run_backend_id: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    version: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    mime_type: Option<&'static str>,
}

#[derive(Deserialize)]
struct Created {
    #[serde(alias = "signedUploadUrl")]
    signed_upload_url: String,
}

/// Announces the artifact; the place to put its bytes.
pub(super) async fn create(session: &Session<'_>, name: &str) -> Result<Target, Error> {
    let ask = |form: Form| {
        session.clock.retry("create the artifact", move || create_once(session, name, form))
    };
    let answer = match ask(Form::Plain).await {
        Err(error) if wants_type(&error) => ask(Form::Typed).await,
        other => other,
    };
    let created =
        answer.map_err(|e| if e.status() == Some(409) { e.or_other_name() } else { e })?;
    Target::new(&created.signed_upload_url, &session.service.origin, session.request.mask)
}

async fn create_once(session: &Session<'_>, name: &str, form: Form) -> Result<Created, Error> {
    let (version, mime_type) = match form {
        Form::Plain => (4, None),
        Form::Typed => (7, Some("application/zip")),
    };
    let body = Create {
        workflow_run_backend_id: &session.service.run_backend_id,
        workflow_job_run_backend_id: &session.service.job_backend_id,
        name,
        expires_at: expiry(session),
        version,
        mime_type,
    };
    call(session, "CreateArtifact", &body).await
}

fn wants_type(error: &Error) -> bool {
    matches!(error.cause(), Cause::Refused(r) if r.status == 400 && r.message.contains("mime_type"))
}

fn expiry(session: &Session<'_>) -> Option<String> {
    let days = session.request.retention_days.filter(|days| *days > 0)?;
    let span = SignedDuration::from_hours(24 * i64::from(days));
    session.request.now.checked_add(span).ok().map(|t| t.to_string())
}

#[derive(Serialize)]
struct Finalize<'a> {
    workflow_run_backend_id: &'a str,
    workflow_job_run_backend_id: &'a str,
    name: &'a str,
    size: String,
    hash: String,
}

#[derive(Deserialize)]
struct Finalized {
    #[serde(alias = "artifactId")]
    artifact_id: Id,
}

/// Servers write 64-bit numbers as text; some as a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Id {
    Number(u64),
    Text(String),
}

/// Makes the stored bytes visible as an artifact; its id.
///
/// GitHub has refused finalizations with 403 for moments, so that status gets two more tries. After a failure the name is burnt.
pub(super) async fn finalize(session: &Session<'_>, name: &str) -> Result<String, Error> {
    let base = session.clock.pace.base;
    let mut waits = [base.saturating_mul(2), base.saturating_mul(5)].into_iter();
    loop {
        let answer =
            session.clock.retry("finalize the artifact", || finalize_once(session, name)).await;
        let error = match answer {
            Ok(id) => return Ok(id),
            Err(error) => error,
        };
        let wait = waits.next().filter(|_| error.status() == Some(403));
        match wait {
            Some(wait) if session.clock.pause(wait).await.is_some() => {}
            _ if burns_name(&error) => return Err(error.or_other_name()),
            _ => return Err(error),
        }
    }
}

/// An answer that another name would only repeat is final.
fn burns_name(error: &Error) -> bool {
    error.status().is_some_and(|status| status != 401)
}

async fn finalize_once(session: &Session<'_>, name: &str) -> Result<String, Error> {
    let body = Finalize {
        workflow_run_backend_id: &session.service.run_backend_id,
        workflow_job_run_backend_id: &session.service.job_backend_id,
        name,
        size: session.request.size.to_string(),
        hash: format!("sha256:{}", session.request.sha256),
    };
    let answer: Finalized = call(session, "FinalizeArtifact", &body).await?;
    match answer.artifact_id {
        Id::Number(id) => Ok(id.to_string()),
        Id::Text(id) if is_number(&id) => Ok(id),
        Id::Text(_) => {
            let host = host_of(&session.service.origin);
            let reason = "artifact_id is not a number".to_owned();
            Err(Error::new("finalize the artifact", Cause::Answer { host, reason }))
        }
    }
}

fn is_number(id: &str) -> bool {
    (1..=20).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit())
}

async fn call<A: DeserializeOwned>(
    session: &Session<'_>,
    method: &'static str,
    body: &(impl Serialize + Sync),
) -> Result<A, Error> {
    let mut url = session.service.origin.clone();
    url.set_path(&format!("{SERVICE}{method}"));
    let host = host_of(&url);
    let tried = || format!("call {method}");
    let answer = |reason: String| Error::new(tried(), Cause::Answer { host: host.clone(), reason });
    let bytes = serde_json::to_vec(body).map_err(|e| answer(e.to_string()))?;
    let token = session.service.token.as_str();
    let request = session
        .client
        .post(url)
        .header(CONTENT_TYPE, "application/json")
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .header(USER_AGENT, AGENT)
        .body(bytes);
    let exchange = async {
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok((status, headers, capped_body(response).await?))
    };
    let idle = session.clock.pace.idle;
    let (status, headers, body) = match tokio::time::timeout(idle, exchange).await {
        Ok(exchanged) => exchanged.map_err(|e| transport(&tried(), &host, e))?,
        Err(_) => return Err(Error::new(tried(), Cause::Stalled { host, idle })),
    };
    if !status.is_success() {
        return Err(refused(&tried(), &host, status, &headers, said(&body, token)));
    }
    serde_json::from_slice(&body)
        .map_err(|_| answer(format!("{} bytes that are not the JSON of {method}", body.len())))
}

/// The host and port of an address: all of it that an error may name.
pub(super) fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// A failed exchange without its address, whose query may hold a signature.
pub(super) fn transport(tried: &str, host: &str, error: reqwest::Error) -> Error {
    let reason = chain_of(&error.without_url());
    Error::new(tried, Cause::Transport { host: host.to_owned(), reason })
}

/// Reads at most [`ANSWER_CAP`] bytes; what follows is dropped.
pub(super) async fn capped_body(mut response: Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while body.len() < ANSWER_CAP {
        let Some(chunk) = response.chunk().await? else { break };
        let room = ANSWER_CAP - body.len();
        body.extend(chunk.iter().take(room));
    }
    Ok(body)
}

/// Code and words of a Twirp error body; empty for anything else, such as the page of a proxy.
fn said(body: &[u8], token: &str) -> (String, String) {
    #[derive(Deserialize, Default)]
    struct Body {
        #[serde(default)]
        code: String,
        #[serde(default)]
        msg: String,
    }
    let body: Body = serde_json::from_slice(body).unwrap_or_default();
    let shown = |text: &str| printable(&text.replace(token, "***"));
    (shown(&body.code), shown(&body.msg))
}

fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(WORDS_CAP).collect()
}

/// The error for an answer that is not the expected success.
pub(super) fn refused(
    tried: &str,
    host: &str,
    status: StatusCode,
    headers: &HeaderMap,
    (code, message): (String, String),
) -> Error {
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let first = |names: [&str; 2]| {
        printable(names.into_iter().map(header).find(|v| !v.is_empty()).unwrap_or_default())
    };
    let refusal = Refusal {
        status: status.as_u16(),
        host: host.to_owned(),
        code,
        message,
        request_id: first(["x-github-request-id", "x-ms-request-id"]),
    };
    Error::new(tried, Cause::Refused(Box::new(refusal))).after(wished_wait(headers))
}

/// How long the server asks to wait: `Retry-After` in seconds, or Azure's header in milliseconds.
fn wished_wait(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u32>().ok();
    let azure = ["x-ms-retry-after-ms", "retry-after-ms"].into_iter().find_map(number);
    azure
        .map(|ms| Duration::from_millis(ms.into()))
        .or_else(|| number(RETRY_AFTER.as_str()).map(|s| Duration::from_secs(s.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_and_both_kinds_of_number_are_understood() {
        for json in [r#"{"ok":true,"artifact_id":"12"}"#, r#"{"ok":true,"artifactId":12}"#] {
            let answer: Finalized = serde_json::from_str(json).expect(json);
            let id = match answer.artifact_id {
                Id::Number(id) => id.to_string(),
                Id::Text(id) => id,
            };
            assert_eq!(id, "12");
        }
        let created: Created = serde_json::from_str(r#"{"signedUploadUrl":"u"}"#).expect("camel");
        assert_eq!(created.signed_upload_url, "u");
    }

    #[test]
    fn an_id_that_is_no_number_never_reaches_an_address() {
        assert!(is_number("18446744073709551615"));
        for id in ["", "1/../2", "1 2", "-1", &"9".repeat(21)] {
            assert!(!is_number(id), "{id}");
        }
    }

    #[test]
    fn the_words_of_a_server_are_cleaned_and_hold_no_token() {
        let body =
            br#"{"code":"unauthenticated","msg":"bad token tok.en.x\u001b[31m\n::warning::x"}"#;
        let (code, words) = said(body, "tok.en.x");
        assert_eq!(code, "unauthenticated");
        assert_eq!(words, "bad token ***[31m::warning::x");
        assert_eq!(said(b"<html>403</html>", "t"), (String::new(), String::new()));
        assert_eq!(printable(&"x".repeat(999)).len(), 200);
    }

    #[test]
    fn a_wished_wait_is_read_in_seconds_or_milliseconds() {
        let headers = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().expect("value"));
            headers
        };
        assert_eq!(wished_wait(&headers("retry-after", "7")), Some(Duration::from_secs(7)));
        assert_eq!(
            wished_wait(&headers("x-ms-retry-after-ms", "250")),
            Some(Duration::from_millis(250))
        );
        assert_eq!(wished_wait(&headers("retry-after", "Wed, 21 Oct")), None);
        assert_eq!(wished_wait(&headers("retry-after", "-1")), None);
    }
}
