//! One scrape: all parts at once, each answered for, and the text made from what they read.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::collectors::{Collected, Collector, Row, Sources, since_epoch};
use super::metrics::{self, About, Metric};
use crate::source::exposition::{Family, Sample, write_family, write_sample};

/// The labels that come from the settings.
#[derive(Debug, Clone)]
pub(super) struct Labels {
    pub(super) hostname: String,
    pub(super) environment: String,
    pub(super) authorized_for_prod: &'static str,
}

/// Makes scrapes, one at a time.
pub(super) struct Scraper {
    sources: Arc<Sources>,
    labels: Labels,
    slots: Vec<Slot>,
    turn: tokio::sync::Mutex<()>,
}

struct Slot {
    collector: &'static Collector,
    /// Taken while the collector runs. One that hangs keeps it, and is not started a second time.
    free: Arc<Semaphore>,
    /// What was last written to the log about it, so that the same is not written every few seconds.
    said: Mutex<String>,
}

impl Scraper {
    pub(super) fn new(sources: Sources, collectors: &'static [Collector], labels: Labels) -> Self {
        let slot = |collector| Slot {
            collector,
            free: Arc::new(Semaphore::new(1)),
            said: Mutex::default(),
        };
        let slots = collectors.iter().map(slot).collect();
        Self { sources: Arc::new(sources), labels, slots, turn: tokio::sync::Mutex::new(()) }
    }

    /// The text of a scrape at `now`, after at most `limit`.
    ///
    /// # Cancel safety
    /// Safe: a collector that is dropped meanwhile ends by itself.
    pub(super) async fn scrape(&self, now: SystemTime, limit: Duration) -> String {
        let _turn = self.turn.lock().await;
        let start = Instant::now();
        let running: Vec<_> = self.slots.iter().map(|slot| slot.start(&self.sources)).collect();
        let mut rows = vec![
            own(&metrics::BUILD_INFO, &[env!("CARGO_PKG_VERSION")], 1.0),
            own(&metrics::SCRAPE_TIMESTAMP, &[], since_epoch(now)),
        ];
        for (slot, running) in self.slots.iter().zip(running) {
            slot.record(slot.ended(running, start + limit).await, start.elapsed(), &mut rows);
        }
        render(&rows, &self.labels)
    }
}

/// A collector at work: `None` when it still hangs from before.
type Running = Option<JoinHandle<(Collected, Duration)>>;

impl Slot {
    /// Starts the collector on a thread of its own, since it blocks.
    fn start(&self, sources: &Arc<Sources>) -> Running {
        let permit = Arc::clone(&self.free).try_acquire_owned().ok()?;
        let sources = Arc::clone(sources);
        let run = self.collector.run;
        Some(tokio::task::spawn_blocking(move || {
            let start = Instant::now();
            let collected = run(&sources);
            drop(permit);
            (collected, start.elapsed())
        }))
    }

    /// What it read and how long it took, or why there is nothing.
    async fn ended(
        &self,
        running: Running,
        until: Instant,
    ) -> Result<(Collected, Duration), &'static str> {
        let Some(running) = running else { return Err("it still hangs from before") };
        match tokio::time::timeout_at(until, running).await {
            Ok(Ok(ended)) => Ok(ended),
            Ok(Err(_)) => Err("it broke down"),
            Err(_) => Err("it did not end within the limit"),
        }
    }

    fn record(
        &self,
        ended: Result<(Collected, Duration), &'static str>,
        waited: Duration,
        rows: &mut Vec<Row>,
    ) {
        let (fault, took) = match ended {
            Ok((collected, took)) => {
                rows.extend(collected.rows);
                let chains = collected.errors.iter().map(crate::source::Error::chain);
                (chains.collect::<Vec<_>>().join("; "), took)
            }
            Err(why) => (why.to_owned(), waited),
        };
        let name = [self.collector.name];
        let success = f64::from(u8::from(fault.is_empty()));
        rows.push(own(&metrics::COLLECTOR_SUCCESS, &name, success));
        rows.push(own(&metrics::COLLECTOR_DURATION, &name, took.as_secs_f64()));
        self.say(fault);
    }

    fn say(&self, fault: String) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if *said != fault && !fault.is_empty() {
            tracing::warn!(collector = self.collector.name, "{fault}");
        }
        *said = fault;
    }
}

fn own(metric: &'static Metric, labels: &[&str], value: f64) -> Row {
    let labels = labels.iter().map(|label| (*label).to_owned()).collect();
    Row { metric, runner: String::new(), labels, value }
}

/// The rows as text, family by family in the order of the table; families without a row are left out.
fn render(rows: &[Row], labels: &Labels) -> String {
    let mut text = String::new();
    for metric in metrics::ALL {
        let mut of_metric = rows.iter().filter(|row| row.metric == *metric).peekable();
        if of_metric.peek().is_some() {
            write_family(&mut text, &family(metric));
        }
        for row in of_metric {
            write_sample(&mut text, &sample(row, labels));
        }
    }
    text
}

fn family(metric: &Metric) -> Family {
    Family {
        name: metric.name.to_owned(),
        kind: Some(metric.kind),
        help: metric.help.to_owned(),
        unit: None,
    }
}

fn sample(row: &Row, labels: &Labels) -> Sample {
    let common: &[&str] = match row.metric.about {
        About::Runner => {
            &[&labels.hostname, &labels.environment, labels.authorized_for_prod, &row.runner]
        }
        About::Host => &[&labels.hostname, &labels.environment, labels.authorized_for_prod],
        About::Exporter => &[],
    };
    let names = row.metric.about.labels().iter().chain(row.metric.labels);
    let values = common.iter().copied().chain(row.labels.iter().map(String::as_str));
    let labels =
        names.zip(values).map(|(name, value)| ((*name).to_owned(), value.to_owned())).collect();
    Sample { name: row.metric.name.to_owned(), labels, value: row.value, timestamp_ms: None }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::source::exposition::parse;
    use crate::source::host::Host;

    static GATE: Mutex<()> = Mutex::new(());

    fn stuck(_: &Sources) -> Collected {
        drop(GATE.lock());
        Collected::default()
    }

    fn quick(_: &Sources) -> Collected {
        let row = Row {
            metric: &metrics::RUNNER_STATUS,
            runner: "a\"b".to_owned(),
            labels: Vec::new(),
            value: 1.0,
        };
        Collected { rows: vec![row], errors: Vec::new() }
    }

    static COLLECTORS: &[Collector] =
        &[Collector { name: "stuck", run: stuck }, Collector { name: "quick", run: quick }];

    fn scraper() -> Scraper {
        let labels = Labels {
            hostname: "h".to_owned(),
            environment: "production".to_owned(),
            authorized_for_prod: "true",
        };
        let sources = Sources::new(Host::default(), Vec::new());
        Scraper::new(sources, COLLECTORS, labels)
    }

    fn success(text: &str, collector: &str) -> f64 {
        let exposition = parse(text).unwrap();
        let found = exposition
            .find("runner_exporter_collector_success")
            .find(|s| s.label("collector") == Some(collector));
        found.unwrap().value
    }

    #[tokio::test]
    #[expect(clippy::await_holding_lock, reason = "the test holds the collector up on purpose")]
    async fn a_part_that_hangs_does_not_hold_up_the_others_and_is_not_started_again() {
        let scraper = scraper();
        let gate = GATE.lock().unwrap();
        for _ in 0..3 {
            let text = scraper.scrape(UNIX_EPOCH, Duration::from_millis(50)).await;
            assert!(success(&text, "stuck").abs() < f64::EPSILON, "{text}");
            assert!((success(&text, "quick") - 1.0).abs() < f64::EPSILON, "{text}");
        }
        assert_eq!(scraper.slots[0].free.available_permits(), 0);
        drop(gate);
    }

    #[test]
    fn rows_become_text_with_the_labels_of_the_settings() {
        let labels = Labels {
            hostname: "h".to_owned(),
            environment: "production".to_owned(),
            authorized_for_prod: "false",
        };
        let sources = Sources::new(Host::default(), Vec::new());
        let text = render(&quick(&sources).rows, &labels);
        let sample = text.lines().nth(2).unwrap();
        assert_eq!(
            sample,
            r#"runner_status{hostname="h",environment="production",authorized_for_prod="false",runner="a\"b"} 1"#
        );
        assert!(
            text.starts_with("# HELP runner_status ")
                && text.contains("\n# TYPE runner_status gauge\n")
        );
    }
}
