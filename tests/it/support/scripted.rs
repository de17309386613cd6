//! A server that answers by what is asked: a Prometheus with the series that a test needs, an Alertmanager, an exporter.
#![expect(clippy::disallowed_methods, reason = "the server lives in a thread of the test")]

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use percent_encoding::percent_decode_str;

/// The running server; it lives as long as the tests.
pub(crate) struct Scripted {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    /// Answers with the body of the first fragment that the decoded path and query hold; else as a Prometheus that has no such series.
    pub(crate) fn start(answers: &[(&str, String)]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("port");
        let address = listener.local_addr().expect("address");
        let answers: Vec<(String, String)> =
            answers.iter().map(|(fragment, body)| ((*fragment).to_owned(), body.clone())).collect();
        let asked = Arc::default();
        let (answers, seen) = (Arc::new(answers), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answers, seen) = (Arc::clone(&answers), Arc::clone(&seen));
                std::thread::spawn(move || drop(answer(stream, &answers, &seen)));
            }
        });
        Self { address, asked }
    }

    /// The base address.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was asked so far, decoded.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn answer(
    mut stream: TcpStream,
    answers: &[(String, String)],
    asked: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut head = [0; 8192];
    let length = stream.read(&mut head)?;
    let head = String::from_utf8_lossy(&head[..length]).into_owned();
    let target = head.split(' ').nth(1).unwrap_or_default();
    let target = percent_decode_str(target).decode_utf8_lossy().into_owned();
    asked.lock().unwrap_or_else(PoisonError::into_inner).push(target.clone());
    let found = answers.iter().find(|(fragment, _)| target.contains(fragment));
    let body = found.map_or_else(|| vector(&[]), |(_, body)| body.clone());
    let kind = if body.starts_with(['{', '[']) { "application/json" } else { "text/plain" };
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// An instant answer: labels (the inside of a JSON object), the time of the evaluation, the value.
pub(crate) fn vector(samples: &[(&str, u32, f64)]) -> String {
    let one = |(labels, time, value): &(&str, u32, f64)| {
        format!(r#"{{"metric":{{{labels}}},"value":[{time},"{value}"]}}"#)
    };
    answer_of("vector", &samples.iter().map(one).collect::<Vec<_>>().join(","))
}

/// The answer to a range selector: one series with these samples.
pub(crate) fn matrix(labels: &str, samples: &[(u32, u8)]) -> String {
    let mut values = String::new();
    for (time, value) in samples {
        let comma = if values.is_empty() { "" } else { "," };
        let _ = write!(values, r#"{comma}[{time},"{value}"]"#);
    }
    answer_of("matrix", &format!(r#"{{"metric":{{{labels}}},"values":[{values}]}}"#))
}

fn answer_of(kind: &str, result: &str) -> String {
    format!(r#"{{"status":"success","data":{{"resultType":"{kind}","result":[{result}]}}}}"#)
}
