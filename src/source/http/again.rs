//! When a question is asked a second time: after a fault that passes by itself, and only when there is time.

use std::time::Duration;

use super::super::error::Error;
use super::Reply;

/// Wait before the second time, when the server does not name one; also what the second time itself needs at least.
const PAUSE: Duration = Duration::from_millis(250);

/// How long to wait before the same question is asked again; `None` when that can not help or would not end in time.
pub(super) fn wait(answer: &Result<Reply, Error>, remaining: Duration) -> Option<Duration> {
    let wait = match answer {
        Ok(reply) => match reply.status {
            502..=504 => reply.retry_after().unwrap_or(PAUSE),
            // Without a time of the server's own, asking again only makes it worse.
            429 => reply.retry_after()?,
            _ => return None,
        },
        Err(error) if error.may_pass() => PAUSE,
        Err(_) => return None,
    };
    (wait + PAUSE < remaining).then_some(wait)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, header::RETRY_AFTER};

    use super::super::super::error::Cause;

    use super::*;

    fn waits(status: u16, retry_after: Option<&'static str>, left: u64) -> Option<u128> {
        let headers: HeaderMap = retry_after
            .map(|value| (RETRY_AFTER, HeaderValue::from_static(value)))
            .into_iter()
            .collect();
        let reply = Reply { status, headers, body: Vec::new() };
        wait(&Ok(reply), Duration::from_secs(left)).map(|wait| wait.as_millis())
    }

    #[test]
    fn a_passing_fault_is_asked_again_and_a_refusal_is_not() {
        for status in [502, 503, 504] {
            assert_eq!(waits(status, None, 10), Some(250), "{status}");
        }
        for status in [200, 301, 401, 403, 404, 429, 500, 501] {
            assert_eq!(waits(status, None, 10), None, "{status}");
        }
        assert_eq!(waits(429, Some("2"), 10), Some(2000));
    }

    #[test]
    fn nobody_waits_longer_than_there_is_time() {
        assert_eq!(waits(503, Some("3600"), 60), None);
        assert_eq!(waits(429, Some("3600"), 60), None);
        assert_eq!(waits(502, None, 0), None);
    }

    #[test]
    fn a_broken_connection_is_asked_again_and_a_closed_port_is_not() {
        let after = |cause| wait(&Err(Error::new("t", cause)), Duration::from_secs(10));
        assert!(after(Cause::Other("connection reset by peer".to_owned())).is_some());
        assert!(after(Cause::Connect("connection refused".to_owned())).is_none());
        assert!(after(Cause::Timeout(PAUSE)).is_none() && after(Cause::TooLarge(1)).is_none());
    }
}
