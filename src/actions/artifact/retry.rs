//! When a call is tried again, how long to wait before, and when to give up.

use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::time::Instant;

use super::error::{Cause, Error};

/// How often and how fast failed calls are repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Tries of one call, the first included.
    pub attempts: u32,
    /// Longest wait before the second try; it doubles with every further one.
    pub base: Duration,
    /// Longest wait before any try.
    pub cap: Duration,
    /// A call in which no byte moves for this long has failed.
    pub idle: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            attempts: 6,
            base: Duration::from_secs(1),
            cap: Duration::from_secs(20),
            idle: Duration::from_secs(30),
        }
    }
}

/// A pace and the point in time after which nothing is waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    pub(super) pace: Pace,
    deadline: Instant,
    /// The time that there was at first.
    limit: Duration,
}

impl Clock {
    pub(super) fn new(pace: Pace, deadline: std::time::Instant) -> Self {
        let deadline = Instant::from_std(deadline);
        Self { pace, deadline, limit: deadline.saturating_duration_since(Instant::now()) }
    }

    /// Runs `once` until it succeeds, fails for good, is out of tries, or would wait beyond the deadline.
    pub(super) async fn retry<T, F, R>(&self, tried: &str, mut once: F) -> Result<T, Error>
    where
        F: FnMut() -> R,
        R: Future<Output = Result<T, Error>>,
    {
        let mut attempt = 1;
        let mut last = None;
        loop {
            let limit = self.limit;
            let late = |last: Option<Error>| {
                last.unwrap_or_else(|| Error::new(tried, Cause::Deadline { limit }))
            };
            let Ok(answer) = tokio::time::timeout_at(self.deadline, once()).await else {
                return Err(late(last));
            };
            let error = match answer {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            if !error.is_transient() || attempt >= self.pace.attempts {
                return Err(error.spent());
            }
            let wait = error.retry_after().unwrap_or_else(|| self.wait(attempt));
            last = Some(error);
            if self.pause(wait).await.is_none() {
                return Err(late(last).spent());
            }
            attempt += 1;
        }
    }

    /// Runs it once; `None` at the deadline.
    pub(super) async fn in_time<T>(
        &self,
        once: impl Future<Output = Result<T, Error>>,
    ) -> Result<Option<T>, Error> {
        tokio::time::timeout_at(self.deadline, once).await.ok().transpose()
    }

    /// Waits, or answers `None` at once when the wait would end after the deadline.
    pub(super) async fn pause(&self, wait: Duration) -> Option<()> {
        let until = Instant::now().checked_add(wait)?;
        if until >= self.deadline {
            return None;
        }
        tokio::time::sleep_until(until).await;
        Some(())
    }

    /// Full jitter: anything between nothing and the exponential wait.
    fn wait(&self, attempt: u32) -> Duration {
        longest(self.pace, attempt).mul_f64(random_fraction())
    }
}

fn longest(pace: Pace, attempt: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(attempt.saturating_sub(1));
    pace.base.saturating_mul(doubled).min(pace.cap)
}

fn random_fraction() -> f64 {
    let mut byte = [u8::MAX];
    // Without randomness the full wait is as right as any other.
    let _ = SystemRandom::new().fill(&mut byte);
    f64::from(byte[0]) / f64::from(u8::MAX)
}

/// How long an answer asks to wait: Azure's headers in milliseconds, or `Retry-After` in seconds or as the time to come back at.
///
/// That time is compared with the answer's own `Date`, because the clock of the runner may be wrong; without one it is not known.
pub(super) fn wished_wait<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Option<Duration> {
    let number = |name: &str| header(name)?.trim().parse::<u32>().ok();
    if let Some(ms) = ["x-ms-retry-after-ms", "retry-after-ms"].into_iter().find_map(number) {
        return Some(Duration::from_millis(ms.into()));
    }
    if let Some(seconds) = number("retry-after") {
        return Some(Duration::from_secs(seconds.into()));
    }
    let span = time(header("retry-after")?)?.duration_since(time(header("date")?)?);
    // A time that has passed is one to come back at once.
    Some(Duration::try_from(span).unwrap_or_default())
}

/// A time as HTTP writes it (RFC 9110, 5.6.7).
fn time(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::super::error::Refusal;
    use super::*;

    fn clock(limit_s: u64) -> Clock {
        let limit = Duration::from_secs(limit_s);
        Clock { pace: Pace::default(), deadline: Instant::now() + limit, limit }
    }

    fn refused(status: u16, after: Option<u64>) -> Error {
        let refusal = Refusal { status, host: "h".to_owned(), ..Refusal::default() };
        Error::new("try", Cause::Refused(Box::new(refusal))).after(after.map(Duration::from_secs))
    }

    #[test]
    fn waits_double_up_to_the_cap() {
        let seconds: Vec<u64> = (1..=7).map(|n| longest(Pace::default(), n).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 20, 20]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_overloaded_server_is_asked_six_times() {
        let mut calls = 0;
        let answer: Result<(), Error> = clock(600)
            .retry("try", || {
                calls += 1;
                async { Err(refused(503, None)) }
            })
            .await;
        assert_eq!(calls, 6);
        assert!(
            !answer.expect_err("always refused").is_transient(),
            "it must not be tried again further out"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_final() {
        let mut calls = 0;
        let answer: Result<(), Error> = clock(600)
            .retry("try", || {
                calls += 1;
                async { Err(refused(401, None)) }
            })
            .await;
        assert!(answer.is_err());
        assert_eq!(calls, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn the_servers_wish_is_obeyed_unless_it_lies_beyond_the_deadline() {
        let start = Instant::now();
        let mut calls = 0;
        let done = clock(60)
            .retry("try", || {
                calls += 1;
                let first = calls == 1;
                async move { if first { Err(refused(429, Some(7))) } else { Ok(()) } }
            })
            .await;
        assert!(done.is_ok());
        assert_eq!(start.elapsed().as_secs(), 7);

        let answer: Result<(), Error> =
            clock(60).retry("try", || async { Err(refused(429, Some(3600))) }).await;
        assert!(answer.is_err());
        assert_eq!(start.elapsed().as_secs(), 7, "nothing was waited for");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_never_ends_is_cut_at_the_deadline() {
        let start = Instant::now();
        let answer: Result<(), Error> = clock(5).retry("try", std::future::pending).await;
        assert_eq!(
            answer.expect_err("cut").chain(),
            "try: no time is left before the deadline of 5 s"
        );
        assert_eq!(start.elapsed().as_secs(), 5);
    }

    #[test]
    fn a_wished_wait_is_read_in_milliseconds_in_seconds_and_as_a_time() {
        let wait = |headers: &[(&'static str, &'static str)]| {
            wished_wait(|name| {
                headers.iter().find(|(own, _)| *own == name).map(|(_, value)| *value)
            })
        };
        assert_eq!(wait(&[("retry-after", "7")]), Some(Duration::from_secs(7)));
        let azure = [("x-ms-retry-after-ms", "250"), ("retry-after", "1")];
        assert_eq!(wait(&azure), Some(Duration::from_millis(250)));
        let date = ("date", "Tue, 24 Nov 2026 15:59:58 GMT");
        let at = ("retry-after", "Tue, 24 Nov 2026 16:00:05 GMT");
        assert_eq!(wait(&[date, at]), Some(Duration::from_secs(7)));
        let passed = ("retry-after", "Tue, 24 Nov 2026 15:00:00 GMT");
        assert_eq!(wait(&[date, passed]), Some(Duration::ZERO));
        assert_eq!(wait(&[at]), None, "the clock of the runner is not asked");
        for junk in ["", "-1", "Wed, 21 Oct", "99999999999", "Tue, 24 Nov 99999 16:00:05 GMT"] {
            assert_eq!(wait(&[date, ("retry-after", junk)]), None, "{junk}");
        }
    }
}
