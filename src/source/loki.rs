//! Loki: the newest lines that a log query finds in a span of time.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::brief::brief;
use super::error::{Cause, Error};
use super::http::{Http, Reply};
use crate::task::Deadline;

/// Most lines of one answer.
pub const LINES: usize = 500;
/// Lines that are asked for when that many were too large.
const FEWER: usize = 50;
/// Largest answer that is read, in bytes.
const MAX_ANSWER: usize = 4 << 20;

const WHERE: &str = "check loki.url: it is the base address, without /loki/api";

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When it was written, in nanoseconds since 1970.
    pub at: i64,
    /// The stream that it is of: place in [`Found::streams`].
    pub stream: usize,
    /// The text.
    pub text: String,
}

/// What a query found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The labels of every stream.
    pub streams: Vec<BTreeMap<String, String>>,
    /// The lines, the oldest first.
    pub lines: Vec<Line>,
    /// How many lines were asked for; when as many came there may be older ones.
    pub limit: usize,
}

#[derive(Deserialize)]
struct Body {
    data: Data,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    result_type: String,
    #[serde(default)]
    result: serde_json::Value,
}

#[derive(Deserialize)]
struct Stream {
    #[serde(default)]
    stream: BTreeMap<String, String>,
    /// Time in nanoseconds and text; newer servers add a third member.
    #[serde(default)]
    values: Vec<Vec<serde_json::Value>>,
}

/// Asks for the newest [`LINES`] lines between two times in seconds since 1970; for fewer when they are too large.
///
/// # Errors
/// Unreachable, refused, or not an answer of Loki. What Loki says about a query that it does not understand is kept.
pub async fn newest(
    http: &Http,
    url: &str,
    query: &str,
    (start, end): (i64, i64),
    deadline: Deadline,
) -> Result<Found, Error> {
    let tried = format!("query `{query}` at {url}");
    let address = |limit: usize| {
        let encoded = utf8_percent_encode(query, NON_ALPHANUMERIC);
        format!(
            "{url}/loki/api/v1/query_range?query={encoded}&start={start}000000000&end={end}000000000&limit={limit}&direction=backward"
        )
    };
    let mut limit = LINES;
    let mut answer = http.get(&tried, &address(limit), deadline, MAX_ANSWER).await;
    if answer.as_ref().is_err_and(|e| matches!(e.cause(), Cause::TooLarge(_))) {
        limit = FEWER;
        answer = http.get(&tried, &address(limit), deadline, MAX_ANSWER).await;
    }
    read(&tried, &answer?, limit)
}

fn read(tried: &str, reply: &Reply, limit: usize) -> Result<Found, Error> {
    if reply.status == 401 || reply.status == 403 {
        return Err(Error::new(tried, reply.refusal())
            .with_help("Loki or a proxy before it wants a login, and there is none to give: let this host read /loki/api without one"));
    }
    if reply.status != 200 {
        return Err(Error::new(tried, reply.refusal()).with_help(if reply.status == 404 {
            WHERE
        } else {
            "correct the query in loki.queries"
        }));
    }
    let body: Body = reply.json(tried).map_err(|e| e.with_help(WHERE))?;
    if body.data.result_type != "streams" {
        let kind = brief(&body.data.result_type, 20);
        let cause = Cause::Parse(format!("`{kind}` in place of streams of lines"));
        return Err(Error::new(tried, cause)
            .with_help("write a log query in loki.queries, not a metric query"));
    }
    let streams: Vec<Stream> = serde_json::from_value(body.data.result)
        .map_err(|e| Error::new(tried, Cause::Parse(e.to_string())).with_help(WHERE))?;
    let mut found = Found { limit, ..Found::default() };
    for (place, stream) in streams.into_iter().enumerate() {
        found.lines.extend(stream.values.into_iter().filter_map(|value| line(&value, place)));
        found.streams.push(stream.stream);
    }
    found.lines.sort_by_key(|line| line.at);
    let over = found.lines.len().saturating_sub(LINES);
    found.lines.drain(..over);
    Ok(found)
}

fn line(value: &[serde_json::Value], stream: usize) -> Option<Line> {
    let at = value.first()?.as_str()?.parse().ok()?;
    Some(Line { at, stream, text: value.get(1)?.as_str()?.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> Result<Found, Error> {
        let body = body.as_bytes().to_vec();
        read("ask", &Reply { status, headers: http::HeaderMap::new(), body }, LINES)
    }

    #[test]
    fn lines_of_all_streams_stand_in_the_order_of_time() {
        let body = r#"{"status":"success","data":{"resultType":"streams","result":[
            {"stream":{"job":"a"},"values":[["3","c"],["1","a"]]},
            {"stream":{"job":"b"},"values":[["2","b",{"level":"x"}],["nonsense","d"],[]]}]}}"#;
        let found = of(200, body).unwrap();
        let lines: Vec<_> = found.lines.iter().map(|l| (l.stream, l.text.as_str())).collect();
        assert_eq!(lines, [(0, "a"), (1, "b"), (0, "c")]);
        assert_eq!(found.streams.len(), 2);
    }

    #[test]
    fn a_query_that_is_not_understood_keeps_the_words_of_loki() {
        let error = of(400, "parse error at line 1, col 2: syntax error").unwrap_err();
        assert!(error.chain().contains("parse error at line 1, col 2"), "{}", error.chain());
        assert_eq!(error.help(), Some("correct the query in loki.queries"));
    }

    #[test]
    fn numbers_and_pages_are_no_lines() {
        let matrix = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;
        assert!(
            of(200, matrix).unwrap_err().help().is_some_and(|h| h.contains("not a metric query"))
        );
        assert!(of(200, "<html>").unwrap_err().chain().contains("a web page"));
        assert_eq!(of(404, "no").unwrap_err().help(), Some(WHERE));
    }
}
