//! Runs many fallible futures at once: bounded, deadlined, cancellable, and each with an answer.
//!
//! Nothing here knows what the work is. Nothing in flight is dropped without its answer being recorded.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use tokio::sync::watch;
use tokio::time::Instant;

/// A boxed future that may borrow for `'a`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A point in time after which work stops; carried by value through every call that waits.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// The deadline that lies `limit` after now.
    pub fn after(limit: Duration) -> Self {
        Self(Instant::now() + limit)
    }

    /// The earlier of this deadline and `limit` after now.
    #[must_use]
    pub fn at_most(self, limit: Duration) -> Self {
        Self(self.0.min(Instant::now() + limit))
    }

    /// The time that is left; zero when it has passed.
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// The instant itself, for `tokio::time::timeout_at`.
    pub fn instant(self) -> Instant {
        self.0
    }
}

/// Tells work in progress that the process was asked to stop (SIGINT, SIGTERM).
#[derive(Debug, Clone)]
pub struct Cancel(watch::Receiver<bool>);

/// The sending half of a [`Cancel`].
#[derive(Debug)]
pub struct CancelSource(watch::Sender<bool>);

impl CancelSource {
    /// A source and the token that observes it.
    pub fn new() -> (Self, Cancel) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Cancel(receiver))
    }

    /// Asks everything that observes the token to stop.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }
}

impl Cancel {
    /// Whether the process was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }

    /// Completes when the process is asked to stop; never completes when the source is gone.
    ///
    /// # Cancel safety
    /// Safe: it holds no state of its own.
    pub async fn cancelled(&self) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// One piece of work with its own time limit.
pub struct Job<'a, T> {
    /// The longest that this piece may take; the total deadline may cut it shorter.
    pub limit: Duration,
    /// The work.
    pub work: BoxFuture<'a, T>,
}

/// What became of one [`Job`]; there is exactly one for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended<T> {
    /// It finished with this value.
    Done(T),
    /// It was stopped at its own limit or at the total deadline, whichever came first.
    TimedOut,
    /// The process was asked to stop before it finished.
    Cancelled,
}

/// An ending and the time that the work took.
#[derive(Debug, Clone)]
pub struct Timed<T> {
    /// How it ended.
    pub ended: Ended<T>,
    /// Wall time from its start.
    pub took: Duration,
}

/// Runs all jobs, at most `at_once` together, and answers for every one of them in the order given.
///
/// # Cancel safety
/// Not cancel-safe: dropping the returned future drops the work in flight without answers.
pub async fn run_all<T: Send>(
    jobs: Vec<Job<'_, T>>,
    at_once: usize,
    total: Deadline,
    cancel: &Cancel,
) -> Vec<Timed<T>> {
    let running: Vec<_> = jobs
        .into_iter()
        .enumerate()
        .map(|(place, job)| placed(place, job, total, cancel))
        .collect();
    let mut ended: Vec<_> = stream::iter(running).buffer_unordered(at_once.max(1)).collect().await;
    ended.sort_by_key(|(place, _)| *place);
    ended.into_iter().map(|(_, timed)| timed).collect()
}

fn placed<'a, T: Send + 'a>(
    place: usize,
    job: Job<'a, T>,
    total: Deadline,
    cancel: &'a Cancel,
) -> BoxFuture<'a, (usize, Timed<T>)> {
    Box::pin(async move { (place, run_one(job, total, cancel).await) })
}

async fn run_one<T>(job: Job<'_, T>, total: Deadline, cancel: &Cancel) -> Timed<T> {
    let start = Instant::now();
    let until = total.at_most(job.limit).instant();
    let ended = tokio::select! {
        biased;
        () = cancel.cancelled() => Ended::Cancelled,
        done = tokio::time::timeout_at(until, job.work) => done.map_or(Ended::TimedOut, Ended::Done),
    };
    Timed { ended, took: start.elapsed() }
}

/// Runs `work`, which may block (a file system that hangs), beside the other futures. `None`: it panicked.
///
/// # Cancel safety
/// Safe; the thread goes on until the work returns, and the process does not wait for it.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

/// Runs `work` in the background for as long as the process lives. The only use is a server's connection: it ends with its peer.
pub fn serve(work: impl Future<Output = ()> + Send + 'static) {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that may spawn")]
    drop(tokio::spawn(work));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job<'a, T: Send + 'a>(
        limit_ms: u64,
        work: impl Future<Output = T> + Send + 'a,
    ) -> Job<'a, T> {
        Job { limit: Duration::from_millis(limit_ms), work: Box::pin(work) }
    }

    #[tokio::test(start_paused = true)]
    async fn every_job_gets_its_answer_in_the_order_given() {
        let (_source, cancel) = CancelSource::new();
        let jobs = vec![
            job(1000, async {
                tokio::time::sleep(Duration::from_millis(500)).await;
                "slow"
            }),
            job(1000, async { "fast" }),
            job(100, std::future::pending()),
        ];
        let ended: Vec<_> = run_all(jobs, 8, Deadline::after(Duration::from_secs(5)), &cancel)
            .await
            .into_iter()
            .map(|t| t.ended)
            .collect();
        assert_eq!(ended, [Ended::Done("slow"), Ended::Done("fast"), Ended::TimedOut]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_total_deadline_cuts_every_job() {
        let (_source, cancel) = CancelSource::new();
        let start = Instant::now();
        let jobs = (0..20).map(|_| job(60_000, std::future::pending::<()>())).collect();
        let ended = run_all(jobs, 4, Deadline::after(Duration::from_secs(2)), &cancel).await;
        assert!(ended.iter().all(|t| t.ended == Ended::TimedOut));
        assert_eq!(ended.len(), 20);
        assert!(start.elapsed() <= Duration::from_millis(2010), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_run_still_answers_for_every_job() {
        let (source, cancel) = CancelSource::new();
        let jobs = vec![job(1000, async { 1 }), job(60_000, std::future::pending())];
        let (ended, ()) = tokio::join!(
            run_all(jobs, 8, Deadline::after(Duration::from_mins(1)), &cancel),
            async {
                tokio::time::sleep(Duration::from_millis(20)).await;
                source.cancel();
            }
        );
        assert_eq!(ended[0].ended, Ended::Done(1));
        assert_eq!(ended[1].ended, Ended::Cancelled);
    }
}
