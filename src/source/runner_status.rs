//! The metric `runner_status` of one runner: through Prometheus when there is one, else from the exporter itself.
//!
//! Prometheus repeats a sample for five minutes when nobody tells it that the series has ended, so every reading carries its age.

use std::time::Duration;

use super::Sources;
use super::error::Error;
use super::exposition::Sample;
use super::http::shown;
use super::prometheus::{Prometheus, Series, quote};
use crate::task::Deadline;

/// Whom to ask about and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Name of the runner; empty takes the only one that the exporter shows.
    pub name: String,
    /// Address of its exporter's `/metrics`.
    pub exporter: Option<String>,
    /// The oldest sample that still says something about now.
    pub max_age: Duration,
}

/// What the metric says.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Whether the value is 1.
    pub online: bool,
    /// The label of the same name.
    pub authorized_for_prod: Option<String>,
    /// The label of the same name: the host that the runner is on.
    pub hostname: Option<String>,
    /// Age of the sample in seconds; `None` when the source does not tell.
    pub age: Option<f64>,
    /// Which source was read.
    pub via: String,
}

impl Reading {
    /// Whether the sample is young enough to say something about now; one of unknown age is not.
    pub fn is_fresh(&self, max_age: Duration) -> bool {
        self.age.is_some_and(|age| age <= max_age.as_secs_f64())
    }
}

/// How old the newest sample is, and whether the exporter can be scraped.
#[derive(Debug, Clone, PartialEq)]
pub struct Freshness {
    /// Age of the newest sample in seconds; `None` when none was seen in the last six hours.
    pub age: Option<f64>,
    /// `up` of the exporter's target, when Prometheus knows it.
    pub up: Option<bool>,
    /// Which source was read.
    pub via: String,
}

/// Reads the status; `None` when no source has a current sample. Only when every sample is older than the subject allows, the youngest
/// of them comes back.
///
/// # Errors
/// No source could be read.
pub async fn read(
    sources: &Sources,
    subject: &Subject,
    deadline: Deadline,
) -> Result<Option<Reading>, Error> {
    let Some(prometheus) = &sources.prometheus else {
        return from_exporter(sources, subject, deadline).await;
    };
    let answer = from_prometheus(prometheus, subject, deadline).await;
    if matches!(&answer, Ok(Some(reading)) if reading.is_fresh(subject.max_age)) {
        return answer;
    }
    // Prometheus is silent, late or broken: the exporter itself is the better witness.
    match from_exporter(sources, subject, deadline).await {
        Ok(Some(reading)) => Ok(Some(reading)),
        Ok(None) | Err(_) => answer,
    }
}

/// What Prometheus has; `None` when it has no current sample.
///
/// # Errors
/// Prometheus could not be read.
pub async fn from_prometheus(
    prometheus: &Prometheus,
    subject: &Subject,
    deadline: Deadline,
) -> Result<Option<Reading>, Error> {
    let metric = selector("runner_status", subject);
    let times = format!("timestamp({metric})");
    let (found, times) = futures_util::join!(
        prometheus.query(&metric, deadline),
        prometheus.query(&times, deadline)
    );
    let (found, times) = (found?, times?);
    let via = format!("prometheus {}", prometheus.url());
    let readings = found.iter().filter_map(|series| reading(series, &times, &via)).collect();
    Ok(worst(readings, subject.max_age))
}

/// Two targets may show the same runner; one that says "online" while another says "offline" is not online. A stale one has no say.
fn worst(readings: Vec<Reading>, max_age: Duration) -> Option<Reading> {
    let (fresh, stale): (Vec<Reading>, Vec<Reading>) =
        readings.into_iter().partition(|reading| reading.is_fresh(max_age));
    let age = |reading: &Reading| reading.age.unwrap_or(f64::INFINITY);
    let youngest = |a: &Reading, b: &Reading| age(a).total_cmp(&age(b));
    fresh.into_iter().min_by_key(|reading| reading.online).or(stale.into_iter().min_by(youngest))
}

fn reading(series: &Series, times: &[Series], via: &str) -> Option<Reading> {
    let (_, value) = series.last()?;
    let same = |other: &&Series| {
        let labels = |s| unnamed(s).collect::<Vec<_>>();
        labels(series) == labels(other)
    };
    let age = times.iter().find(same).and_then(age);
    let label = |name| series.label(name).map(str::to_owned);
    Some(Reading {
        online: is_one(value),
        authorized_for_prod: label("authorized_for_prod"),
        hostname: label("hostname"),
        age,
        via: via.to_owned(),
    })
}

/// The labels without the name of the metric, which functions drop.
fn unnamed(series: &Series) -> impl Iterator<Item = &(String, String)> {
    series.labels.iter().filter(|(name, _)| name != "__name__")
}

/// Seconds between the evaluation and the sample, from a series of `timestamp(…)`: both by the server's clock.
pub(super) fn age(times: &Series) -> Option<f64> {
    times.last().map(|(now, seen)| (now - seen).max(0.0))
}

fn selector(metric: &str, subject: &Subject) -> String {
    format!("{metric}{{runner=\"{}\"}}", quote(&subject.name))
}

/// What the exporter itself says; `None` when it has no address or does not show this runner.
///
/// # Errors
/// The exporter could not be read.
pub async fn from_exporter(
    sources: &Sources,
    subject: &Subject,
    deadline: Deadline,
) -> Result<Option<Reading>, Error> {
    let Some(url) = &subject.exporter else { return Ok(None) };
    let found = sample(sources, "runner_status", subject, url, deadline).await?;
    Ok(found.map(|sample| Reading {
        online: is_one(sample.value),
        authorized_for_prod: sample.label("authorized_for_prod").map(str::to_owned),
        hostname: sample.label("hostname").map(str::to_owned),
        age: Some(age_of(sources.now, &sample)),
        via: format!("exporter {}", shown(url)),
    }))
}

async fn sample(
    sources: &Sources,
    metric: &str,
    subject: &Subject,
    url: &str,
    deadline: Deadline,
) -> Result<Option<Sample>, Error> {
    let page = sources.pages.get(&sources.http, url, deadline).await?;
    let named =
        |s: &&Sample| subject.name.is_empty() || s.label("runner") == Some(subject.name.as_str());
    Ok(page.find(metric).find(named).cloned())
}

/// The exporter collects when it is scraped: what it shows is as old as the answer, unless it says otherwise.
#[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit")]
fn age_of(now: i64, sample: &Sample) -> f64 {
    sample.timestamp_ms.map_or(0.0, |ms| (now - ms / 1000).max(0) as f64)
}

/// What a metric about the runner says now: from its exporter, else from Prometheus; `None` when nobody has it.
pub async fn value(
    sources: &Sources,
    metric: &str,
    subject: &Subject,
    deadline: Deadline,
) -> Option<f64> {
    if let Some(url) = &subject.exporter
        && let Ok(Some(sample)) = sample(sources, metric, subject, url, deadline).await
    {
        return Some(sample.value);
    }
    let prometheus = sources.prometheus.as_ref()?;
    let found = prometheus.query(&selector(metric, subject), deadline).await.ok()?;
    found.iter().filter_map(Series::last).map(|(_, value)| value).min_by(f64::total_cmp)
}

/// The samples of the last `span`, the oldest first, from all targets that show the runner.
///
/// # Errors
/// Prometheus could not be read.
pub async fn history(
    prometheus: &Prometheus,
    subject: &Subject,
    span: Duration,
    deadline: Deadline,
) -> Result<Vec<(f64, f64)>, Error> {
    let metric = selector("runner_status", subject);
    let found = prometheus.query(&format!("{metric}[{}s]", span.as_secs()), deadline).await?;
    let mut samples: Vec<(f64, f64)> = found.into_iter().flat_map(|s| s.samples).collect();
    samples.sort_by(|a, b| a.0.total_cmp(&b.0));
    Ok(samples)
}

/// The time of the Prometheus server and the age of the current sample, both in seconds; `None` when there is no current sample.
///
/// # Errors
/// Prometheus could not be read.
pub async fn server_time(
    prometheus: &Prometheus,
    subject: &Subject,
    deadline: Deadline,
) -> Result<Option<f64>, Error> {
    let times = format!("timestamp({})", selector("runner_status", subject));
    let found = prometheus.query(&times, deadline).await?;
    Ok(found.iter().filter_map(Series::last).map(|(now, _)| now).next())
}

/// Reads how fresh the samples are.
///
/// # Errors
/// No source could be read.
pub async fn freshness(
    sources: &Sources,
    subject: &Subject,
    deadline: Deadline,
) -> Result<Freshness, Error> {
    let Some(prometheus) = &sources.prometheus else {
        return exporter_freshness(sources, subject, deadline).await;
    };
    let answer = prometheus_freshness(prometheus, subject, deadline).await;
    let current = |f: &Freshness| {
        f.up != Some(false) && f.age.is_some_and(|age| age <= subject.max_age.as_secs_f64())
    };
    if matches!(&answer, Ok(f) if current(f)) || subject.exporter.is_none() {
        return answer;
    }
    // A Prometheus that is blind says nothing about an exporter that answers.
    match exporter_freshness(sources, subject, deadline).await {
        Ok(fresh) if fresh.age.is_some() => Ok(fresh),
        Ok(_) | Err(_) => answer,
    }
}

async fn exporter_freshness(
    sources: &Sources,
    subject: &Subject,
    deadline: Deadline,
) -> Result<Freshness, Error> {
    let via = subject
        .exporter
        .as_ref()
        .map_or("nothing".to_owned(), |url| format!("exporter {}", shown(url)));
    let reading = from_exporter(sources, subject, deadline).await?;
    let up = subject.exporter.is_some().then_some(true);
    Ok(Freshness { age: reading.and_then(|r| r.age), up, via })
}

async fn prometheus_freshness(
    prometheus: &Prometheus,
    subject: &Subject,
    deadline: Deadline,
) -> Result<Freshness, Error> {
    let metric = selector("runner_status", subject);
    let newest = |all: &[Series]| all.iter().filter_map(age).min_by(f64::total_cmp);
    let mut age = newest(&prometheus.query(&format!("timestamp({metric})"), deadline).await?);
    let seen = if age.is_some() { metric.clone() } else { format!("last_over_time({metric}[6h])") };
    let up = format!("up and on(instance, job) {seen}");
    if age.is_none() {
        // Finer for the last minutes, in which a few seconds matter.
        let within = |span| format!("max_over_time(timestamp({metric})[{span}])");
        let past = format!("{} or {}", within("10m:5s"), within("6h:1m"));
        age = newest(&prometheus.query(&past, deadline).await?);
    }
    let up = prometheus.query(&up, deadline).await?;
    let up = up.iter().filter_map(Series::last).map(|(_, v)| is_one(v)).reduce(|a, b| a && b);
    Ok(Freshness { age, up, via: format!("prometheus {}", prometheus.url()) })
}

fn is_one(value: f64) -> bool {
    (value - 1.0).abs() < f64::EPSILON
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(online: bool, age: f64) -> Reading {
        let via = String::new();
        Reading { online, authorized_for_prod: None, hostname: None, age: Some(age), via }
    }

    fn of(readings: &[(bool, f64)]) -> Option<(bool, Option<f64>)> {
        let all = readings.iter().map(|(online, age)| at(*online, *age)).collect();
        worst(all, Duration::from_mins(2)).map(|r| (r.online, r.age))
    }

    #[test]
    fn the_worst_of_the_fresh_ones_counts_and_a_stale_one_has_no_say() {
        assert_eq!(of(&[(true, 5.0), (false, 9.0)]), Some((false, Some(9.0))));
        assert_eq!(of(&[(true, 5.0), (false, 299.0)]), Some((true, Some(5.0))));
        assert_eq!(of(&[(true, 200.0), (false, 299.0)]), Some((true, Some(200.0))));
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn a_sample_of_unknown_age_is_not_fresh() {
        assert!(!Reading { age: None, ..at(true, 0.0) }.is_fresh(Duration::MAX));
    }
}
