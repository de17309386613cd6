//! The log of a finished job: GitHub answers with an address elsewhere, which is read at once, without our token and with a cap.

use std::collections::VecDeque;
use std::net::IpAddr;

use futures_util::StreamExt as _;
use reqwest::Url;

use super::super::error::{Cause, Error};
use super::super::files::{HEAD, first_line_start, last_line_end};
use super::super::http::{Reply, classify, just_before};
use super::refusal::{advised, refused};
use super::runs::reads_actions;
use super::transport::REDIRECTS;
use super::{GitHub, path_of};
use crate::task::Deadline;

/// What became of the question for a log.
#[derive(Debug)]
pub enum LogAnswer {
    /// It was read.
    Read(JobLog),
    /// There is none: not yet, or never when the machine died before it could send it.
    Absent,
    /// It was deleted, because it was too old or by hand.
    Expired,
}

/// A log: its beginning and its end.
#[derive(Debug)]
pub struct JobLog {
    /// The bytes that were kept, with a line between them that says how much is missing.
    pub bytes: Vec<u8>,
    /// How many bytes came.
    pub original: u64,
    /// Whether some of them were left out.
    pub truncated: bool,
    /// Why the end of the log did not come.
    pub broken: Option<Error>,
}

impl GitHub {
    /// The log of a job, of which at most `cap` bytes are kept. The token goes to the API alone.
    ///
    /// # Errors
    /// As [`GitHub::reply`]; also when the address of the log is no safe one, or the storage refuses.
    pub async fn job_log(
        &self,
        repository: &str,
        job: u64,
        cap: usize,
        deadline: Deadline,
    ) -> Result<LogAnswer, Error> {
        let tried = format!("read the log of job {job} of {repository}");
        let mut path = format!("/repos/{}/actions/jobs/{job}/logs", path_of(repository));
        for _ in 0..=REDIRECTS {
            let once = || self.once(&tried, &path, deadline);
            let reply = Box::pin(self.repeated(&path, deadline, once)).await.map_err(advised)?;
            match reply.status {
                // A server that answers by itself.
                200..=299 => return Ok(LogAnswer::Read(of_reply(&reply, cap))),
                // The repository was renamed, or here is the address of the log.
                301 | 302 | 307 | 308 => {
                    let location = reply.header("location");
                    match self.below_base(&tried, location) {
                        Ok(below) => path = below,
                        Err(_) => return self.stored(&tried, location, cap, deadline).await,
                    }
                }
                404 => return Ok(LogAnswer::Absent),
                410 => return Ok(LogAnswer::Expired),
                _ => return Err(reads_actions(refused(&tried, &reply))),
            }
        }
        Err(Error::new(tried, Cause::Other("too many redirects".to_owned())))
    }

    /// Reads from the storage of logs, with a client that knows no token; once more after a passing fault. The address holds a signature: no error quotes it.
    async fn stored(
        &self,
        tried: &str,
        location: Option<&str>,
        cap: usize,
        deadline: Deadline,
    ) -> Result<LogAnswer, Error> {
        let url = location.and_then(|location| Url::parse(location).ok()).filter(is_safe);
        let unsafe_one = || Cause::Parse("the address of the log is not an https one".to_owned());
        let url = url.ok_or_else(|| Error::new(tried, unsafe_one()))?;
        for signature in signatures(&url) {
            self.http.obtained("the signature of a log's address", &signature);
        }
        let response = match self.opened(tried, &url, deadline).await {
            Err(error) if matches!(error.cause(), Cause::Other(_)) => {
                self.opened(tried, &url, deadline).await?
            }
            Ok(response) if response.status().is_server_error() => {
                self.opened(tried, &url, deadline).await?
            }
            other => other?,
        };
        match response.status().as_u16() {
            200..=299 => Ok(LogAnswer::Read(streamed(tried, response, cap, deadline).await)),
            404 => Ok(LogAnswer::Absent),
            410 => Ok(LogAnswer::Expired),
            status => {
                let message = "the storage of logs refuses".to_owned();
                Err(Error::new(tried, Cause::Status { status, message }))
            }
        }
    }

    /// The head of the storage's answer.
    async fn opened(
        &self,
        tried: &str,
        url: &Url,
        deadline: Deadline,
    ) -> Result<reqwest::Response, Error> {
        let limit = deadline.remaining();
        let asked = self.http.client().get(url.clone()).send();
        match tokio::time::timeout_at(just_before(deadline), asked).await {
            Ok(answer) => answer.map_err(|e| Error::new(tried, classify(&e, limit))),
            Err(_) => Err(Error::new(tried, Cause::Timeout(limit))),
        }
    }
}

/// Encrypted, or on this machine.
fn is_safe(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    url.scheme() == "https" || (url.scheme() == "http" && here)
}

/// The proofs of who may read in a signed address, as written and as meant: `sig` of Azure, `X-Amz-Signature`, `X-Amz-Security-Token`, `X-Goog-Signature`.
fn signatures(url: &Url) -> Vec<String> {
    let named = |name: &str| {
        let name = name.to_ascii_lowercase();
        name == "sig" || name.ends_with("signature") || name.ends_with("token")
    };
    let written = url.query().unwrap_or_default().split('&').filter_map(|p| p.split_once('='));
    let written = written.filter(|(name, _)| named(name)).map(|(_, value)| value.to_owned());
    let meant = url.query_pairs().filter(|(name, _)| named(name)).map(|(_, v)| v.into_owned());
    let mut found: Vec<String> = written.chain(meant).filter(|value| !value.is_empty()).collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn of_reply(reply: &Reply, cap: usize) -> JobLog {
    let mut kept = Kept::new(cap);
    kept.add(&reply.body);
    kept.log(None)
}

/// What comes until the end, the deadline or a fault: a part of a log is worth more than none.
async fn streamed(
    tried: &str,
    response: reqwest::Response,
    cap: usize,
    deadline: Deadline,
) -> JobLog {
    let limit = deadline.remaining();
    let mut kept = Kept::new(cap);
    let mut stream = response.bytes_stream();
    loop {
        match tokio::time::timeout_at(just_before(deadline), stream.next()).await {
            Ok(None) => return kept.log(None),
            Ok(Some(Ok(chunk))) => kept.add(&chunk),
            Ok(Some(Err(error))) => {
                return kept.log(Some(Error::new(tried, classify(&error, limit))));
            }
            Err(_) => return kept.log(Some(Error::new(tried, Cause::Timeout(limit)))),
        }
    }
}

/// The beginning and the end of what came so far; never more than the cap.
struct Kept {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    first: usize,
    last: usize,
    came: u64,
}

impl Kept {
    fn new(cap: usize) -> Self {
        let first = HEAD.min(cap / 4);
        Self { head: Vec::new(), tail: VecDeque::new(), first, last: cap - first, came: 0 }
    }

    fn add(&mut self, chunk: &[u8]) {
        self.came += as_u64(chunk.len());
        let room = self.first - self.head.len();
        let (head, rest) = chunk.split_at(room.min(chunk.len()));
        self.head.extend_from_slice(head);
        self.tail.extend(rest.get(rest.len().saturating_sub(self.last)..).unwrap_or_default());
        let over = self.tail.len().saturating_sub(self.last);
        self.tail.drain(..over);
    }

    fn log(self, broken: Option<Error>) -> JobLog {
        let Self { head: mut bytes, tail, came, .. } = self;
        let truncated = came > as_u64(bytes.len() + tail.len());
        let tail: Vec<u8> = tail.into();
        let mut end = tail.as_slice();
        if truncated {
            bytes.truncate(last_line_end(&bytes));
            end = end.get(first_line_start(end)..).unwrap_or_default();
            let missing = came.saturating_sub(as_u64(bytes.len() + end.len()));
            if !bytes.ends_with(b"\n") {
                bytes.push(b'\n');
            }
            bytes.extend_from_slice(format!("[... {missing} bytes left out ...]\n").as_bytes());
        }
        bytes.extend_from_slice(end);
        if broken.is_some() {
            // Half a line may be half of a secret, which nobody would recognise.
            bytes.truncate(bytes.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1));
        }
        JobLog { bytes, original: came, truncated, broken }
    }
}

fn as_u64(size: usize) -> u64 {
    u64::try_from(size).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    #[test]
    fn every_proof_in_a_signed_address_is_named_as_written_and_as_meant() {
        let of =
            |query: &str| signatures(&Url::parse(&format!("https://logs.test/1?{query}")).unwrap());
        assert_eq!(of("sv=2025-01-05&sig=a%2Bb%3D&se=2026"), ["a%2Bb%3D", "a+b="]);
        let aws =
            "X-Amz-Credential=id&X-Amz-Security-Token=t0k&X-Amz-Signature=51g&X-Amz-Expires=60";
        assert_eq!(of(aws), ["51g", "t0k"]);
        assert_eq!(of("sig=&signed=yes&x"), [""; 0]);
    }

    #[test]
    fn of_a_huge_log_the_beginning_and_the_end_are_kept_and_never_more_than_the_cap_is_held() {
        let mut kept = Kept::new(8 * MIB);
        let line = b"2026-11-22T12:00:00.1234567Z something long happens here\n";
        let chunk = line.repeat(MIB / line.len());
        kept.add(b"the first line\n");
        let mut came = 15;
        while came < 200 * MIB {
            kept.add(&chunk);
            came += chunk.len();
            let held = kept.head.capacity() + kept.tail.capacity();
            assert!(held <= 20 * MIB, "{held} bytes are held");
        }
        kept.add(b"the last line\n");
        let log = kept.log(None);
        let text = String::from_utf8(log.bytes).unwrap();
        assert!(text.starts_with("the first line\n") && text.ends_with("\nthe last line\n"));
        assert!(text.len() <= 8 * MIB + 100 && text.len() > 7 * MIB, "{}", text.len());
        let gap = text.lines().position(|l| l.contains("bytes left out")).unwrap();
        let whole = |l: &str| l.starts_with("2026-") && l.ends_with("here");
        assert!(text.lines().skip(gap + 1).take(1).all(whole));
        assert!(log.truncated && log.original == as_u64(came + 14));
    }

    #[test]
    fn a_small_log_is_whole_and_of_a_cut_one_the_half_line_is_left_out() {
        let kept = |text: &[u8]| {
            let mut kept = Kept::new(1000);
            text.chunks(7).for_each(|chunk| kept.add(chunk));
            kept
        };
        let whole = b"one\ntwo and some more\n".repeat(30);
        let log = kept(&whole).log(None);
        assert!(log.bytes == whole && !log.truncated && log.broken.is_none());
        let cut = Error::new("read", Cause::Other("cut".to_owned()));
        let log = kept(b"a line\npassword is hun").log(Some(cut));
        assert_eq!(log.bytes, b"a line\n");
    }

    #[test]
    fn a_log_is_fetched_encrypted_or_from_this_machine() {
        let safe = |url: &str| is_safe(&Url::parse(url).unwrap());
        for url in ["https://blobs.example/x?sig=1", "http://127.0.0.1:8/x", "http://[::1]:8/x"] {
            assert!(safe(url), "{url}");
        }
        for url in ["http://blobs.example/x", "ftp://127.0.0.1/x", "file:///etc/passwd"] {
            assert!(!safe(url), "{url}");
        }
    }
}
