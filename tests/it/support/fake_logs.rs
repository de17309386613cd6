//! The logs of jobs as GitHub serves them: a redirect to a storage elsewhere, which wants no token.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::Response;
use hyper::body::Frame;
use hyper::header::HeaderValue;

use super::fake_github::{Answer, Recorded, State, plain};
use super::fake_rest::refusal;

/// The query of the address of a log: the end of its time, and the signature as it is written there.
pub(crate) const SIGNED: &str =
    "se=2027-01-01T00%3A00%3A00Z&sig=c2lnbmVkIGJ5%2BnVib2R5IGF0IGFsbA%3D%3D";

/// What the storage has of a job.
#[derive(Clone)]
pub(crate) enum Log {
    /// This text.
    Text(String),
    /// A line, so many times.
    Lines(&'static str, usize),
    /// These bytes, which are said to be packed with `gzip`.
    Packed(Vec<u8>),
    /// This text, and the connection ends before the announced end.
    Cut(String),
    /// Nothing: 404 of the API.
    Missing,
    /// Nothing: the API redirects, and the storage says 404.
    NoBlob,
    /// It was deleted: 410.
    Expired,
}

/// The answer of the API to `…/actions/jobs/{id}/logs`.
pub(super) fn redirect(state: &State, id: &str) -> Option<Answer> {
    Some(match log(state, id)? {
        Log::Missing => refusal(404, "Not Found", "https://docs.github.com/rest"),
        Log::Expired => refusal(410, "Server Error", "https://docs.github.com/rest"),
        Log::Text(_) | Log::Packed(_) | Log::Lines(..) | Log::Cut(_) | Log::NoBlob => {
            let mut answer = plain(302, "text/html", "");
            let location = format!("http://{}/logs/{id}?{SIGNED}", state.blobs);
            let location = HeaderValue::from_str(&location).expect("location");
            answer.headers_mut().insert("location", location);
            answer
        }
    })
}

/// The answer of the storage; like Azure's it refuses a token.
pub(super) fn blob(state: &State, request: &Recorded) -> Option<Answer> {
    let (id, query) = request.target.strip_prefix("/logs/")?.split_once('?')?;
    let error = |status, code: &str| {
        plain(
            status,
            "application/xml",
            format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code></Error>"),
        )
    };
    if request.header("authorization").is_some() || query != SIGNED {
        return Some(error(403, "AuthenticationFailed"));
    }
    Some(match log(state, id)? {
        Log::Text(text) => plain(200, "text/plain", text),
        Log::Packed(bytes) => {
            let mut answer = plain(200, "text/plain", bytes);
            answer.headers_mut().insert("content-encoding", HeaderValue::from_static("gzip"));
            answer
        }
        Log::Lines(line, times) => {
            let chunk = Bytes::from(line.repeat(1000));
            let chunks = stream::iter(0..times / 1000)
                .map(move |_| Ok::<_, Infallible>(Frame::data(chunk.clone())));
            Response::new(StreamBody::new(chunks).boxed_unsync())
        }
        Log::Cut(text) => {
            let announced = HeaderValue::from_str(&(text.len() + 100).to_string());
            let some = stream::iter([Ok::<_, Infallible>(Frame::data(Bytes::from(text)))]);
            // The text leaves before the connection ends.
            let end = stream::once(tokio::time::sleep(Duration::from_millis(50)))
                .map(|()| Ok(Frame::data(Bytes::new())));
            let mut answer = Response::new(StreamBody::new(some.chain(end)).boxed_unsync());
            answer.headers_mut().insert("content-length", announced.expect("length"));
            answer
        }
        Log::Missing | Log::NoBlob | Log::Expired => error(404, "BlobNotFound"),
    })
}

fn log(state: &State, id: &str) -> Option<Log> {
    state.script.logs.iter().find(|(job, _)| job.to_string() == id).map(|(_, log)| log.clone())
}
