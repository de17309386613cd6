//! The two calls of the results service: JSON over HTTP POST, with the runtime token.

use std::time::Duration;

use jiff::SignedDuration;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, USER_AGENT};
use reqwest::{RequestBuilder, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::blob::{Meter, Target};
use super::error::{Cause, Error, Refusal, chain_of};
use super::{Kind, Session, retry};

const SERVICE: &str = "/twirp/github.actions.results.api.v1.ArtifactService/";
const AGENT: &str = concat!("runner-guard/", env!("CARGO_PKG_VERSION"));
/// Longest answer that is read, in bytes.
const ANSWER_CAP: usize = 64 * 1024;
/// Longest word of a server that is repeated, in characters.
const WORDS_CAP: usize = 200;

/// The forms of `CreateArtifact`. For a zip every known server takes the first; the others are for one that insists on a type, and
/// for one that does not know that of zips. A page has one form only.
#[derive(Clone, Copy)]
enum Form {
    Plain,
    Typed,
    Bytes,
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
    let mut forms = match session.request.kind {
        Kind::Zip => [Form::Plain, Form::Typed, Form::Bytes].as_slice(),
        Kind::Page => &[Form::Typed],
    }
    .iter();
    let mut form = forms.next().copied().unwrap_or(Form::Plain);
    let created = loop {
        let asked =
            session.clock.retry("create the artifact", || create_once(session, name, form)).await;
        match (asked, forms.next()) {
            (Err(error), Some(next)) if wants_type(&error) => form = *next,
            (answer, _) => break answer.map_err(|error| told(session, error))?,
        }
    };
    Target::new(&created.signed_upload_url, &session.service.origin, session.request.mask)
}

/// What a refused first call means.
fn told(session: &Session<'_>, error: Error) -> Error {
    match (error.status(), session.request.kind) {
        (Some(409), _) => error.or_other_name(),
        (Some(404 | 405 | 501), _) => error.with_help(
            "this server has no v4 artifact service, as GitHub Enterprise Server: set upload-artifact to false, and upload the folder of the bundle with the version of actions/upload-artifact that it supports",
        ),
        _ => error,
    }
}

async fn create_once(session: &Session<'_>, name: &str, form: Form) -> Result<Created, Error> {
    let (version, mime_type) = match form {
        Form::Plain => (4, None),
        Form::Typed => (7, Some(session.request.kind.media_type())),
        Form::Bytes => (7, Some("application/octet-stream")),
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
    let asks = |words: &str| words.contains("mime_type") || words.contains("version");
    matches!(error.cause(), Cause::Refused(r) if r.status == 400 && asks(&r.message))
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

impl Id {
    /// The number as text; `None` when it is something else.
    fn digits(&self) -> Option<String> {
        match self {
            Self::Number(id) => Some(id.to_string()),
            Self::Text(id) => is_number(id).then(|| id.clone()),
        }
    }
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
        hash: session.digest(),
    };
    let answer: Finalized = call(session, "FinalizeArtifact", &body).await?;
    let host = host_of(&session.service.origin);
    let reason = "artifact_id is not a number".to_owned();
    let unusable = || Error::new("finalize the artifact", Cause::Answer { host, reason });
    answer.artifact_id.digits().ok_or_else(unusable)
}

#[derive(Serialize)]
struct List<'a> {
    workflow_run_backend_id: &'a str,
    workflow_job_run_backend_id: &'a str,
    name_filter: &'a str,
}

#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    artifacts: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(alias = "databaseId")]
    database_id: Id,
    #[serde(default)]
    digest: Option<String>,
}

/// Compares what the server lists with what was sent. A server that does not answer, does not list the artifact, or tells no digest has
/// said nothing against it.
pub(super) async fn verify(session: &Session<'_>, name: &str, id: &str) -> Result<(), Error> {
    let body = List {
        workflow_run_backend_id: &session.service.run_backend_id,
        workflow_job_run_backend_id: &session.service.job_backend_id,
        name_filter: name,
    };
    let asked: Result<Option<Listed>, Error> =
        session.clock.in_time(call(session, "ListArtifacts", &body)).await;
    let rows = asked.ok().flatten().map(|listed| listed.artifacts).unwrap_or_default();
    let ours = rows.into_iter().find(|row| row.database_id.digits().as_deref() == Some(id));
    let sent = session.digest();
    match ours.and_then(|row| row.digest).filter(|digest| digest.starts_with("sha256:")) {
        Some(stored) if !stored.eq_ignore_ascii_case(&sent) => {
            let host = host_of(&session.service.origin);
            let reason = format!("it holds {}, sent was {sent}", printable(&stored));
            Err(Error::new("compare the artifact with the file", Cause::Answer { host, reason })
                .or_other_name())
        }
        Some(_) | None => Ok(()),
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
    let (idle, meter) = (session.clock.pace.idle, Meter::default());
    let (status, headers, body) = tokio::select! {
        done = exchange(request, &meter) => done.map_err(|e| transport(&tried(), &host, e))?,
        () = meter.stalled(idle) => return Err(Error::new(tried(), Cause::Stalled { host, idle })),
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

/// Sends the request; of the body of the answer at most [`ANSWER_CAP`] bytes are read, and what follows is dropped. The meter is told
/// of everything that comes.
pub(super) async fn exchange(
    request: RequestBuilder,
    meter: &Meter,
) -> Result<(StatusCode, HeaderMap, Vec<u8>), reqwest::Error> {
    let mut response = request.send().await?;
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = Vec::new();
    while body.len() < ANSWER_CAP {
        meter.moved();
        let Some(chunk) = response.chunk().await? else { break };
        let room = ANSWER_CAP - body.len();
        body.extend(chunk.iter().take(room));
    }
    Ok((status, headers, body))
}

/// Code and words of a Twirp error body; of anything else, such as the page of a proxy, its words alone.
fn said(body: &[u8], token: &str) -> (String, String) {
    #[derive(Deserialize, Default)]
    struct Body {
        #[serde(default)]
        code: String,
        #[serde(default)]
        msg: String,
    }
    let Ok(body) = serde_json::from_slice::<Body>(body) else {
        return (String::new(), page_words(body, &[token.to_owned()]));
    };
    let shown = |text: &str| printable(&text.replace(token, "***"));
    (shown(&body.code), shown(&body.msg))
}

/// What a page says to a reader: its text without tags, styles and scripts, in one line.
pub(super) fn page_words(body: &[u8], secrets: &[String]) -> String {
    let page = String::from_utf8_lossy(body);
    let mut text = String::new();
    let mut hidden = false;
    for (at, piece) in page.split('<').enumerate() {
        let (tag, words) =
            if at == 0 { ("", piece) } else { piece.split_once('>').unwrap_or_default() };
        let tag = tag.to_ascii_lowercase();
        if tag.starts_with("style") || tag.starts_with("script") {
            hidden = true;
        } else if tag.starts_with("/style") || tag.starts_with("/script") {
            hidden = false;
        }
        if !hidden {
            text.extend([words, " "]);
        }
    }
    let text = secrets.iter().fold(text, |text, secret| text.replace(secret.as_str(), "***"));
    // An address that is quoted may hold a signature in a form that is not known here.
    let words = text.split_whitespace().filter(|word| !word.contains("sig="));
    printable(&words.collect::<Vec<_>>().join(" "))
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
        wait: wished_wait(headers).filter(|wait| !wait.is_zero()),
    };
    Error::new(tried, Cause::Refused(Box::new(refusal))).after(wished_wait(headers))
}

/// How long the server asks to wait.
fn wished_wait(headers: &HeaderMap) -> Option<Duration> {
    retry::wished_wait(|name| headers.get(name)?.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_and_both_kinds_of_number_are_understood() {
        for json in [r#"{"ok":true,"artifact_id":"12"}"#, r#"{"ok":true,"artifactId":12}"#] {
            let answer: Finalized = serde_json::from_str(json).expect(json);
            assert_eq!(answer.artifact_id.digits().as_deref(), Some("12"));
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
        let page =
            b"<html><style>a{}</style><title>Blocked</title>\n<p>by policy: k.e.y</p></html>";
        assert_eq!(said(page, "k.e.y"), (String::new(), "Blocked by policy: ***".to_owned()));
        assert_eq!(page_words(b"see https://b.test/x?a=1&sig=abc now", &[]), "see now");
        assert_eq!(printable(&"x".repeat(999)).len(), 200);
    }
}
