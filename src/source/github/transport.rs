//! One request: its place in the queue, its deadline, its repeats, its headers.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use http_body_util::{BodyExt as _, Limited};
use octocrab::Octocrab;

use super::super::error::{Cause, Error, chain_of};
use super::super::http::{MAX_BODY, Reply, classify, just_before};
use super::refusal::refused;
use super::{Auth, Budget, GitHub};
use crate::task::Deadline;

/// Most repeats of one request.
const REPEATS: u32 = 2;
/// Wait before the first repeat; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// Most redirects that are followed, below the base address only: repositories are renamed.
pub(super) const REDIRECTS: usize = 2;

impl GitHub {
    /// What the API cost so far.
    pub fn budget(&self) -> Budget {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How we show ourselves, for people.
    pub fn identity(&self) -> String {
        self.auth.word()
    }

    /// Asks for a path, repeats after a passing fault, and follows a renamed repository.
    ///
    /// # Errors
    /// As [`GitHub::reply`].
    pub(super) async fn get(
        &self,
        tried: &str,
        path: &str,
        deadline: Deadline,
    ) -> Result<Arc<Reply>, Error> {
        let mut path = path.to_owned();
        for _ in 0..=REDIRECTS {
            let once = || self.once(tried, &path, deadline);
            let reply = self.repeated(&path, deadline, once).await?;
            match reply.status {
                200..=299 => return Ok(reply),
                301 | 302 | 307 | 308 => path = self.below_base(tried, reply.header("location"))?,
                _ => return Err(refused(tried, &reply)),
            }
        }
        Err(Error::new(tried, Cause::Other("too many redirects".to_owned())))
    }

    /// Sends a request, and again after a passing fault.
    pub(super) async fn repeated<F>(
        &self,
        path: &str,
        deadline: Deadline,
        once: impl Fn() -> F + Send,
    ) -> Result<Arc<Reply>, Error>
    where
        F: Future<Output = Result<Arc<Reply>, Error>> + Send,
    {
        let mut repeat = 0;
        loop {
            let answer = once().await;
            let wait = wait(&answer, repeat, path, deadline.remaining());
            let Some(wait) = wait.filter(|_| repeat < REPEATS) else { return answer };
            repeat += 1;
            self.note(|budget| budget.repeats += 1);
            tokio::time::sleep(wait).await;
        }
    }

    /// Sends a request once, and follows nothing.
    pub(super) async fn once(
        &self,
        tried: &str,
        path: &str,
        deadline: Deadline,
    ) -> Result<Arc<Reply>, Error> {
        let limit = deadline.remaining();
        let answer = async {
            let client = self.client(deadline).await?;
            let place = self.at_once.acquire().await;
            let _place = place.map_err(|e| Error::new(tried, Cause::Other(chain_of(&e))))?;
            self.note(|budget| budget.calls += 1);
            let before = self.seen(path);
            let response = client._get_with_headers(path, condition(before.as_deref())).await;
            let response = response.map_err(|e| transport(tried, &e))?;
            let (parts, body) = response.into_parts();
            self.note(|budget| budget.note(&parts.headers));
            if let (304, Some(before)) = (parts.status.as_u16(), before) {
                self.note(|budget| budget.not_modified += 1);
                return Ok(Arc::new(refreshed(&before, &parts.headers)));
            }
            let body = Limited::new(body, MAX_BODY).collect().await;
            let body = body.map_err(|e| Error::new(tried, too_large_or(&*e)))?.to_bytes().to_vec();
            let reply = Reply { status: parts.status.as_u16(), headers: parts.headers, body };
            Ok(self.keep(path, reply))
        };
        let answer = tokio::time::timeout_at(just_before(deadline), answer).await;
        answer.unwrap_or_else(|_| Err(Error::new(tried, Cause::Timeout(limit))))
    }

    async fn client(&self, deadline: Deadline) -> Result<Octocrab, Error> {
        let cell = self.client_cell();
        let made = cell.get_or_init(|| async {
            let token = match &self.auth {
                Auth::Token(token) => token.clone(),
                Auth::App(app) => self.installation_token(app, deadline).await?,
            };
            let built = octocrab::OctocrabBuilder::new()
                .base_uri(self.api_url.as_str())
                .map(|builder| builder.personal_token(token))
                .and_then(|builder| builder.build_with_reqwest(self.http.client().clone()));
            let tried = format!("use the GitHub API at {}", self.api_url);
            let client = built.map_err(|e| Error::new(tried, Cause::Other(chain_of(&e))))?;
            Ok((client, tokio::time::Instant::now()))
        });
        made.await.clone().map(|(client, _)| client)
    }

    /// The path of an address that must lie below our own base address, so that no token goes elsewhere.
    pub(super) fn below_base(&self, tried: &str, url: Option<&str>) -> Result<String, Error> {
        let path = url.and_then(|url| url.strip_prefix(&self.api_url));
        path.filter(|path| path.starts_with('/')).map(str::to_owned).ok_or_else(|| {
            let cause = "the answer leads to another host; not followed".to_owned();
            Error::new(tried, Cause::Other(cause))
        })
    }

    pub(super) fn note(&self, act: impl FnOnce(&mut Budget)) {
        act(&mut self.budget.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn seen(&self, path: &str) -> Option<Arc<Reply>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }

    /// Keeps an answer that can be asked for conditionally.
    fn keep(&self, path: &str, reply: Reply) -> Arc<Reply> {
        let reply = Arc::new(reply);
        if reply.status == 200 && reply.header("etag").is_some() {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.insert(path.to_owned(), Arc::clone(&reply));
        }
        reply
    }
}

/// An answer that still holds, with the time at which the server said so.
fn refreshed(before: &Reply, now: &HeaderMap) -> Reply {
    let mut headers = before.headers.clone();
    if let Some(date) = now.get(http::header::DATE) {
        headers.insert(http::header::DATE, date.clone());
    }
    Reply { status: before.status, headers, body: before.body.clone() }
}

fn condition(before: Option<&Reply>) -> Option<HeaderMap> {
    let tag = HeaderValue::from_str(before?.header("etag")?).ok()?;
    Some(HeaderMap::from_iter([(http::header::IF_NONE_MATCH, tag)]))
}

/// How long to wait before a request is sent again; `None` when a repeat can not help or would not end in time.
fn wait(
    answer: &Result<Arc<Reply>, Error>,
    repeat: u32,
    path: &str,
    remaining: Duration,
) -> Option<Duration> {
    // Spread by the path: four requests that failed together do not come back together.
    let spread = Duration::from_millis(path.bytes().map(u64::from).sum::<u64>() % 100);
    let growing = FIRST_WAIT * 2_u32.pow(repeat) + spread;
    let wait = match answer {
        Ok(reply) => match reply.status {
            500 | 502 | 503 | 504 => reply.retry_after().unwrap_or(growing),
            // A spent budget says when it is full again; without a time a repeat only makes it worse.
            403 | 429 => reply.retry_after()?,
            _ => return None,
        },
        Err(error) if error.may_pass() => growing,
        Err(_) => return None,
    };
    (wait + FIRST_WAIT < remaining).then_some(wait)
}

fn too_large_or(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Cause {
    if error.is::<http_body_util::LengthLimitError>() {
        Cause::TooLarge(MAX_BODY as u64)
    } else {
        Cause::Other(chain_of(error))
    }
}

/// Finds the class of a transport error; the client's own error lies somewhere below octocrab's.
fn transport(tried: &str, error: &octocrab::Error) -> Error {
    let mut link: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    while let Some(cause) = link {
        if let Some(error) = cause.downcast_ref::<reqwest::Error>() {
            return Error::new(tried, classify(error, Duration::ZERO));
        }
        link = cause.source();
    }
    Error::new(tried, Cause::Other(chain_of(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, retry_after: Option<&'static str>) -> Arc<Reply> {
        let headers = retry_after
            .map(|v| (http::header::RETRY_AFTER, HeaderValue::from_static(v)))
            .into_iter()
            .collect();
        Arc::new(Reply { status, headers, body: Vec::new() })
    }

    fn waits(status: u16, retry_after: Option<&'static str>, remaining: u64) -> Option<u64> {
        let left = Duration::from_secs(remaining);
        wait(&Ok(answer(status, retry_after)), 0, "", left).map(|w| w.as_secs())
    }

    #[test]
    fn an_answer_that_still_holds_tells_the_time_of_now() {
        let at = |date: &'static str| {
            HeaderMap::from_iter([(http::header::DATE, HeaderValue::from_static(date))])
        };
        let before = Reply { status: 200, headers: at("then"), body: b"{}".to_vec() };
        let now = refreshed(&before, &at("now"));
        assert_eq!(
            (now.status, now.header("date"), now.body.as_slice()),
            (200, Some("now"), &b"{}"[..])
        );
        assert_eq!(refreshed(&before, &HeaderMap::new()).header("date"), Some("then"));
    }

    #[test]
    fn a_passing_fault_is_repeated_and_a_refusal_is_not() {
        assert_eq!(waits(503, None, 10), Some(0));
        assert_eq!(waits(404, None, 10), None);
        assert_eq!(waits(403, None, 10), None);
        assert_eq!(waits(429, Some("2"), 10), Some(2));
    }

    #[test]
    fn nobody_sleeps_longer_than_there_is_time() {
        assert_eq!(waits(429, Some("3600"), 60), None);
        assert_eq!(waits(503, Some("3600"), 60), None);
        assert_eq!(waits(503, None, 0), None);
    }
}
