//! The metric `runner_status` of one runner: through Prometheus when there is one, else from the exporter itself.

use super::Sources;
use super::error::Error;
use super::exposition::{self, Sample};
use super::http::{MAX_BODY, shown};
use super::prometheus::{Prometheus, Series, quote};
use crate::task::Deadline;

/// Whom to ask about and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Name of the runner; empty takes the only one that the exporter shows.
    pub name: String,
    /// Address of its exporter's `/metrics`.
    pub exporter: Option<String>,
}

/// What the metric says.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Whether the value is 1.
    pub online: bool,
    /// The label of the same name.
    pub authorized_for_prod: Option<String>,
    /// Which source was read.
    pub via: String,
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

/// Reads the status; `None` when no source has a current sample.
///
/// # Errors
/// No source could be read.
pub async fn read(
    sources: &Sources,
    subject: &Subject,
    deadline: Deadline,
) -> Result<Option<Reading>, Error> {
    let Some(prometheus) = &sources.prometheus else {
        return read_exporter(sources, subject, deadline).await;
    };
    let answer = read_prometheus(prometheus, subject, deadline).await;
    if matches!(answer, Ok(Some(_))) || subject.exporter.is_none() {
        return answer;
    }
    // Prometheus is silent or broken: the exporter itself is the better witness.
    match read_exporter(sources, subject, deadline).await {
        Ok(Some(reading)) => Ok(Some(reading)),
        Ok(None) | Err(_) => answer,
    }
}

async fn read_prometheus(
    prometheus: &Prometheus,
    subject: &Subject,
    deadline: Deadline,
) -> Result<Option<Reading>, Error> {
    let selector = selector(subject);
    let found = prometheus.query(&selector, deadline).await?;
    let value = |s: &Series| s.last().map(|(_, value)| value);
    // Two targets may show the same runner; one that says "online" while another says "offline" is not online.
    let worst = found
        .iter()
        .filter(|s| value(s).is_some())
        .min_by(|a, b| value(a).unwrap_or(0.0).total_cmp(&value(b).unwrap_or(0.0)));
    Ok(worst.map(|series| Reading {
        online: value(series).is_some_and(is_one),
        authorized_for_prod: series.label("authorized_for_prod").map(str::to_owned),
        via: format!("prometheus {}", prometheus.url()),
    }))
}

fn selector(subject: &Subject) -> String {
    format!("runner_status{{runner=\"{}\"}}", quote(&subject.name))
}

async fn read_exporter(
    sources: &Sources,
    subject: &Subject,
    deadline: Deadline,
) -> Result<Option<Reading>, Error> {
    let Some(url) = &subject.exporter else { return Ok(None) };
    let found = scrape(sources, subject, url, deadline).await?;
    Ok(found.map(|sample| Reading {
        online: is_one(sample.value),
        authorized_for_prod: sample.label("authorized_for_prod").map(str::to_owned),
        via: format!("exporter {}", shown(url)),
    }))
}

async fn scrape(
    sources: &Sources,
    subject: &Subject,
    url: &str,
    deadline: Deadline,
) -> Result<Option<Sample>, Error> {
    let tried = format!("scrape {}", shown(url));
    let reply = sources.http.get(&tried, url, deadline, MAX_BODY).await?;
    if reply.status != 200 {
        return Err(Error::new(tried, reply.refusal()));
    }
    let exposition = exposition::parse(&reply.text()).map_err(|e| {
        Error::new(tried, reply.misfit(&e.to_string()))
            .with_help("the address must be the exporter's /metrics; a web page there is a login page or a proxy")
    })?;
    let mut of_runner = exposition.samples.into_iter().filter(|s| s.name == "runner_status");
    let named = |s: &Sample| s.label("runner") == Some(subject.name.as_str());
    if subject.name.is_empty() {
        return Ok(of_runner.next());
    }
    Ok(of_runner.find(named))
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
    if let Some(prometheus) = &sources.prometheus {
        return prometheus_freshness(prometheus, subject, deadline).await;
    }
    let Some(url) = &subject.exporter else {
        return Ok(Freshness { age: None, up: None, via: "nothing".to_owned() });
    };
    let sample = scrape(sources, subject, url, deadline).await?;
    // The exporter collects when it is scraped: what it shows is as old as the answer, unless it says otherwise.
    let age = sample.map(|s| s.timestamp_ms.map_or(0.0, |ms| age_of(sources.now, ms)));
    Ok(Freshness { age, up: Some(true), via: format!("exporter {}", shown(url)) })
}

#[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit")]
fn age_of(now: i64, sample_ms: i64) -> f64 {
    (now - sample_ms / 1000).max(0) as f64
}

async fn prometheus_freshness(
    prometheus: &Prometheus,
    subject: &Subject,
    deadline: Deadline,
) -> Result<Freshness, Error> {
    let metric = selector(subject);
    let current = format!("timestamp({metric})");
    let past = format!("max_over_time(timestamp({metric})[6h:1m])");
    let up = format!("up and on(instance, job) last_over_time({metric}[6h])");
    let (current, past, up) = futures_util::join!(
        prometheus.query(&current, deadline),
        prometheus.query(&past, deadline),
        prometheus.query(&up, deadline)
    );
    let newest = |all: &[Series]| {
        all.iter().filter_map(Series::last).map(|(now, seen)| now - seen).min_by(f64::total_cmp)
    };
    let age = match newest(&current?) {
        Some(age) => Some(age),
        None => newest(&past?),
    };
    let up =
        up?.iter().filter_map(Series::last).map(|(_, value)| is_one(value)).reduce(|a, b| a && b);
    Ok(Freshness {
        age: age.map(|a| a.max(0.0)),
        up,
        via: format!("prometheus {}", prometheus.url()),
    })
}

fn is_one(value: f64) -> bool {
    (value - 1.0).abs() < f64::EPSILON
}
