//! An answer: its words, its form, and what a refusal says.

use std::time::Duration;

use http::HeaderMap;
use serde::de::DeserializeOwned;

use super::super::brief::brief;
use super::super::error::{Cause, Error};

/// An answer, whatever its status.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// The body as text, lossily.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    /// `retry-after` in seconds; the form with a date counts as none.
    pub fn retry_after(&self) -> Option<Duration> {
        self.header("retry-after")?.trim().parse().ok().map(Duration::from_secs)
    }

    /// The cause for a status that is not a success: the server's own words, shortened, and when it wants to be asked again.
    pub fn refusal(&self) -> Cause {
        let words = server_words(&self.body);
        let message = match self.retry_after().filter(|_| self.status >= 400) {
            Some(wait) if words.is_empty() => format!("come back in {} s", wait.as_secs()),
            Some(wait) => format!("{words} (come back in {} s)", wait.as_secs()),
            None => words,
        };
        Cause::Status { status: self.status, message }
    }

    /// The body as JSON, read leniently.
    ///
    /// # Errors
    /// [`Cause::Parse`]; a web page is called one, since it comes from somebody else: a login page, a proxy.
    pub fn json<T: DeserializeOwned>(&self, tried: &str) -> Result<T, Error> {
        let read = serde_json::from_slice(&self.body);
        read.map_err(|e| Error::new(tried, self.misfit(&e.to_string())))
    }

    /// The cause for a body of another form than expected; `why` is what the reader of that form says.
    pub fn misfit(&self, why: &str) -> Cause {
        if self.is_page() {
            let title = page_title(&self.text()).map(|t| format!(" (`{t}`)")).unwrap_or_default();
            return Cause::Parse(format!("a web page{title}"));
        }
        Cause::Parse(why.to_owned())
    }

    /// Whether a browser would show this.
    fn is_page(&self) -> bool {
        let body = self.body.trim_ascii_start();
        let starts =
            |word: &[u8]| body.get(..word.len()).is_some_and(|b| b.eq_ignore_ascii_case(word));
        self.header("content-type").is_some_and(|kind| kind.contains("text/html"))
            || starts(b"<!doctype")
            || starts(b"<html")
    }
}

/// What a server said, in one line of at most 200 characters and whole words: the `message` of a JSON body, else the title of a page, else the start.
fn server_words(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body.get(..4096).unwrap_or(body)).into_owned();
    let json = serde_json::from_slice::<serde_json::Value>(body).ok();
    let message = ["message", "error", "msg"]
        .iter()
        .find_map(|k| json.as_ref()?.get(k)?.as_str().map(str::to_owned));
    one_line(&message.or_else(|| page_title(&text)).unwrap_or(text))
}

fn page_title(text: &str) -> Option<String> {
    let title = text.split_once("<title>")?.1.split_once("</title>")?.0;
    Some(one_line(title)).filter(|title| !title.is_empty())
}

fn one_line(words: &str) -> String {
    brief(&words.split_whitespace().collect::<Vec<_>>().join(" "), 200)
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
    fn the_words_of_a_server_are_found_in_json_pages_and_text() {
        assert_eq!(server_words(br#"{"message":"Bad credentials"}"#), "Bad credentials");
        assert_eq!(server_words(b"<html><title>502 Bad Gateway</title>"), "502 Bad Gateway");
        assert_eq!(server_words(b"plain\n words"), "plain words");
        let long = server_words("wörd ".repeat(5000).as_bytes());
        assert!(long.ends_with("wörd …") && long.chars().count() <= 202, "{long}");
    }

    #[test]
    fn a_refusal_says_when_to_come_back() {
        let slow = [("retry-after", "3600")];
        let said = |body: &str| reply(429, &slow, body).refusal().to_string();
        assert_eq!(said(""), "status 429: come back in 3600 s");
        assert_eq!(said("slow down"), "status 429: slow down (come back in 3600 s)");
        let dated = reply(503, &[("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")], "");
        assert_eq!(dated.refusal().to_string(), "status 503");
    }

    #[test]
    fn a_page_in_place_of_json_is_called_one() {
        let read = |headers: &[(&'static str, &str)], body: &str| {
            reply(200, headers, body).json::<Vec<u8>>("read").unwrap_err().chain()
        };
        let page = "<!DOCTYPE html><html><title>Sign in</title>";
        assert_eq!(read(&[], page), "read: unexpected answer: a web page (`Sign in`)");
        assert_eq!(read(&[], "\n<HTML>"), "read: unexpected answer: a web page");
        let typed = [("content-type", "text/html; charset=utf-8")];
        assert_eq!(read(&typed, "hello"), "read: unexpected answer: a web page");
        assert!(read(&[], "[").contains("EOF"));
        assert_eq!(reply(200, &[], "[1]").json::<Vec<u8>>("read").unwrap(), [1]);
    }
}
