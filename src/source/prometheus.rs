//! Reads the HTTP API of Prometheus: instant and range queries. What several checks ask is asked once in a round.

use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;

use super::brief::brief;
use super::error::{Cause, Error, chain_of};
use super::http::{Http, Reply, just_before};
use super::memo::Memo;
use crate::task::Deadline;

/// What to correct when the answer is not one of Prometheus.
pub(super) const WHERE: &str = "check the input prometheus-url: it is the base address, without /api or /graph; a web page there is a login page or a proxy";

/// Largest answer that is read, in bytes: a thousand series have about 300 kB.
const MAX_ANSWER: usize = 2 << 20;
/// Most queries under way at a time: together with the cap above, a server that floods can not fill the memory.
const AT_ONCE: usize = 8;

/// A Prometheus server.
#[derive(Clone)]
pub struct Prometheus {
    http: Http,
    url: String,
    at_once: Arc<Semaphore>,
    /// Answers of this round, by the path that was asked.
    answers: Memo<Vec<Series>>,
}

/// One series of an answer with its samples, the oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Labels, sorted by name; `__name__` is one of them.
    pub labels: Vec<(String, String)>,
    /// Time in seconds since 1970 and value.
    pub samples: Vec<(f64, f64)>,
}

impl Series {
    /// The value of a label.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The newest sample.
    pub fn last(&self) -> Option<(f64, f64)> {
        self.samples.last().copied()
    }
}

/// The span of a range query.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    /// Start in seconds since 1970.
    pub start: i64,
    /// End in seconds since 1970.
    pub end: i64,
    /// Distance of the samples in seconds.
    pub step: u32,
}

/// What every answer of the API is wrapped in.
#[derive(Deserialize)]
struct Body<T> {
    status: String,
    #[serde(default)]
    error: String,
    data: Option<T>,
}

/// What an answer wraps.
///
/// # Errors
/// Not an answer of Prometheus, or its own refusal, shortened.
pub(super) fn unwrapped<T: DeserializeOwned>(reply: &Reply) -> Result<T, Cause> {
    let body: Body<T> = match serde_json::from_slice(&reply.body) {
        Ok(body) => body,
        Err(_) if reply.status >= 300 => return Err(reply.refusal()),
        Err(error) => return Err(reply.misfit(&format!("not an answer of Prometheus: {error}"))),
    };
    if body.status != "success" || reply.status >= 300 {
        let words = brief(&body.error, 200);
        return Err(Cause::Other(format!("prometheus says: {words}")));
    }
    body.data.ok_or_else(|| Cause::Parse("the answer has no data".to_owned()))
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    metric: std::collections::BTreeMap<String, String>,
    value: Option<(f64, String)>,
    values: Option<Vec<(f64, String)>>,
}

impl Prometheus {
    /// A server at this base address.
    pub fn new(http: Http, url: &str) -> Self {
        let at_once = Arc::new(Semaphore::new(AT_ONCE));
        let url = url.trim_end_matches('/').to_owned();
        Self { http, url, at_once, answers: Memo::default() }
    }

    /// Begins a new round: everything is asked again.
    pub fn forget(&self) {
        self.answers.forget();
    }

    /// The base address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Evaluates an expression now. A range selector gives several samples a series.
    ///
    /// # Errors
    /// Unreachable, refused, too large, or not an answer of Prometheus.
    pub async fn query(&self, expression: &str, deadline: Deadline) -> Result<Vec<Series>, Error> {
        let query = utf8_percent_encode(expression, NON_ALPHANUMERIC);
        self.ask(&format!("query?query={query}"), expression, deadline).await
    }

    /// Evaluates an expression over a span.
    ///
    /// # Errors
    /// As [`Prometheus::query`].
    pub async fn query_range(
        &self,
        expression: &str,
        range: Range,
        deadline: Deadline,
    ) -> Result<Vec<Series>, Error> {
        let query = utf8_percent_encode(expression, NON_ALPHANUMERIC);
        let Range { start, end, step } = range;
        self.ask(
            &format!("query_range?query={query}&start={start}&end={end}&step={step}"),
            expression,
            deadline,
        )
        .await
    }

    async fn ask(
        &self,
        path: &str,
        expression: &str,
        deadline: Deadline,
    ) -> Result<Vec<Series>, Error> {
        self.answers.get(path, self.fetch(path, expression, deadline)).await
    }

    async fn fetch(
        &self,
        path: &str,
        expression: &str,
        deadline: Deadline,
    ) -> Result<Vec<Series>, Error> {
        let tried = format!("query `{expression}` at {}", self.url);
        let reply = self.get(&tried, path, deadline).await?;
        read_answer(&reply).map_err(|cause| {
            let help = help(&cause);
            let error = Error::new(tried, cause);
            help.map_or(error.clone(), |help| error.with_help(help))
        })
    }

    /// The answer to a path below `/api/v1/`, whatever its status.
    ///
    /// # Errors
    /// Unreachable, or too large.
    pub(super) async fn get(
        &self,
        tried: &str,
        path: &str,
        deadline: Deadline,
    ) -> Result<Reply, Error> {
        let limit = deadline.remaining();
        let place = tokio::time::timeout_at(just_before(deadline), self.at_once.acquire()).await;
        let place = place.map_err(|_| Error::new(tried, Cause::Timeout(limit)))?;
        let _place = place.map_err(|e| Error::new(tried, Cause::Other(chain_of(&e))))?;
        self.http.get(tried, &format!("{}/api/v1/{path}", self.url), deadline, MAX_ANSWER).await
    }
}

/// What to change for causes that mean something of their own here.
fn help(cause: &Cause) -> Option<&'static str> {
    if matches!(cause, Cause::Status { status: 401 | 403, .. }) {
        return Some(
            "Prometheus or a proxy before it wants a login, and the gate has none to give: let this host read /api/v1 without one",
        );
    }
    matches!(cause, Cause::Status { status: 404, .. } | Cause::Parse(_)).then_some(WHERE)
}

fn read_answer(reply: &Reply) -> Result<Vec<Series>, Cause> {
    let data: Data = unwrapped(reply)?;
    data.result.into_iter().map(series).collect()
}

fn series(item: Item) -> Result<Series, Cause> {
    let number = |text: &str| {
        text.parse::<f64>().map_err(|_| Cause::Parse(format!("`{text}` is not a sample value")))
    };
    let pairs: Vec<(f64, String)> = item.values.into_iter().flatten().chain(item.value).collect();
    let samples = pairs
        .into_iter()
        .map(|(time, text)| Ok((time, number(&text)?)))
        .collect::<Result<_, Cause>>()?;
    Ok(Series { labels: item.metric.into_iter().collect(), samples })
}

/// A label value as it must stand between the quotes of an expression.
pub fn quote(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Result<Vec<Series>, Cause> {
        let body = body.as_bytes().to_vec();
        read_answer(&Reply { status, headers: http::HeaderMap::new(), body })
    }

    #[test]
    fn instant_and_range_answers_are_read() {
        let body = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"x"},"value":[12.5,"1"]}]}}"#;
        let series = read(200, body).unwrap();
        assert_eq!(series[0].label("job"), Some("x"));
        assert_eq!(series[0].last(), Some((12.5, 1.0)));
        let body = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"2"],[2,"NaN"]]}]}}"#;
        assert_eq!(read(200, body).unwrap()[0].samples.len(), 2);
    }

    #[test]
    fn a_page_is_not_an_answer_and_an_error_keeps_its_words() {
        assert!(matches!(read(200, "<html>"), Err(Cause::Parse(words)) if words == "a web page"));
        let body = r#"{"status":"error","errorType":"bad_data","error":"parse error at char 3"}"#;
        assert!(
            matches!(read(400, body), Err(Cause::Other(words)) if words == "prometheus says: parse error at char 3")
        );
        let success = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
        assert!(read(503, success).is_err(), "a status that refuses is believed");
        assert!(matches!(read(503, "starting"), Err(Cause::Status { status: 503, .. })));
    }

    #[test]
    fn a_login_and_a_wrong_address_have_help_of_their_own() {
        let status = |status| Cause::Status { status, message: String::new() };
        assert!(help(&status(401)).is_some_and(|h| h.contains("login")));
        assert!(help(&status(404)).is_some_and(|h| h.contains("prometheus-url")));
        assert_eq!(help(&status(500)), None);
    }

    #[test]
    fn a_name_can_not_leave_its_quotes() {
        assert_eq!(quote("a\"} or up{x=\"\n\\"), "a\\\"} or up{x=\\\"\\n\\\\");
    }
}
