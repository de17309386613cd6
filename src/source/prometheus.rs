//! Reads the HTTP API of Prometheus: instant and range queries. What several checks ask is asked once in a round.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::error::{Cause, Error};
use super::http::{Http, MAX_BODY, Reply};
use super::memo::Memo;
use crate::task::Deadline;

/// What to correct when the answer is not one of Prometheus.
pub(super) const WHERE: &str =
    "check the input prometheus-url: it is the base address, without /api or /graph";

/// A Prometheus server.
#[derive(Clone)]
pub struct Prometheus {
    http: Http,
    url: String,
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

#[derive(Deserialize)]
struct Body {
    status: String,
    #[serde(default)]
    error: String,
    data: Option<Data>,
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
        Self { http, url: url.trim_end_matches('/').to_owned(), answers: Memo::default() }
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
        read_answer(&reply.body, reply.status).map_err(|cause| {
            let cause = if reply.status == 200 || matches!(cause, Cause::Other(_)) {
                cause
            } else {
                reply.refusal()
            };
            Error::new(tried, cause).with_help(WHERE)
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
        self.http.get(tried, &format!("{}/api/v1/{path}", self.url), deadline, MAX_BODY).await
    }
}

fn read_answer(body: &[u8], status: u16) -> Result<Vec<Series>, Cause> {
    let body: Body = serde_json::from_slice(body)
        .map_err(|e| Cause::Parse(format!("not an answer of Prometheus: {e}")))?;
    if body.status != "success" || status >= 300 {
        return Err(Cause::Other(format!(
            "prometheus says: {}",
            body.error.chars().take(200).collect::<String>()
        )));
    }
    let data = body.data.ok_or_else(|| Cause::Parse("the answer has no data".to_owned()))?;
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

    #[test]
    fn instant_and_range_answers_are_read() {
        let body = br#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"x"},"value":[12.5,"1"]}]}}"#;
        let series = read_answer(body, 200).unwrap();
        assert_eq!(series[0].label("job"), Some("x"));
        assert_eq!(series[0].last(), Some((12.5, 1.0)));
        let body = br#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"2"],[2,"NaN"]]}]}}"#;
        assert_eq!(read_answer(body, 200).unwrap()[0].samples.len(), 2);
    }

    #[test]
    fn a_page_is_not_an_answer_and_an_error_keeps_its_words() {
        assert!(matches!(read_answer(b"<html>", 200), Err(Cause::Parse(_))));
        let body = br#"{"status":"error","errorType":"bad_data","error":"parse error at char 3"}"#;
        assert!(
            matches!(read_answer(body, 400), Err(Cause::Other(words)) if words == "prometheus says: parse error at char 3")
        );
    }

    #[test]
    fn a_name_can_not_leave_its_quotes() {
        assert_eq!(quote("a\"} or up{x=\"\n\\"), "a\\\"} or up{x=\\\"\\n\\\\");
    }
}
