//! What the listener of a scale set (Actions Runner Controller) says about its runners: the metrics `gha_…_runners`.

use super::Sources;
use super::error::Error;
use super::exposition::Sample;
use super::prometheus::{Series, quote};
use super::runner_status::age;
use crate::task::Deadline;

/// Labels that may hold the name of the scale set: the listener's own, as a scrape renames it, and those of other charts.
const NAMES: [&str; 4] = ["name", "exported_name", "scale_set", "runner_scale_set_name"];

/// A scale set as its listener counts it.
#[derive(Debug, Clone, PartialEq)]
pub struct ScaleSet {
    /// Runners that are registered.
    pub registered: Option<f64>,
    /// Runners that run a job.
    pub busy: Option<f64>,
    /// Most runners that there may be.
    pub max: Option<f64>,
    /// Runners that there should be now.
    pub desired: Option<f64>,
    /// Runners that wait for a job.
    pub idle: Option<f64>,
    /// Age of the newest sample in seconds; `None` when it is not known.
    pub age: Option<f64>,
    /// Which source was read.
    pub via: String,
}

/// What is known about a scale set.
#[derive(Debug, Clone, PartialEq)]
pub enum Known {
    /// Its listener reports.
    Now(ScaleSet),
    /// It reported within the last six hours, this many seconds ago.
    Before(f64),
    /// Nobody has heard of it.
    Never,
}

/// Reads the scale set from Prometheus, else from the page of its listener.
///
/// # Errors
/// The source could not be read.
pub async fn read(
    sources: &Sources,
    name: &str,
    listener: Option<&str>,
    deadline: Deadline,
) -> Result<Known, Error> {
    if let Some(prometheus) = &sources.prometheus {
        let all = "{__name__=~\"gha_(registered|busy|max|desired|idle)_runners\",";
        let counted = union(all, "}", name);
        let times = union("timestamp(gha_registered_runners{", "})", name);
        let (found, times) = futures_util::join!(
            prometheus.query(&counted, deadline),
            prometheus.query(&times, deadline)
        );
        let samples: Vec<Sample> = found?.iter().filter_map(sample).collect();
        let age = times?.iter().filter_map(age).min_by(f64::total_cmp);
        if !samples.is_empty() {
            let via = format!("prometheus {}", prometheus.url());
            return Ok(Known::Now(ScaleSet { age, via, ..count(&samples) }));
        }
    }
    if let Some(url) = listener {
        let page = sources.pages.get(&sources.http, url, deadline).await?;
        let of_set = |s: &&Sample| NAMES.iter().any(|label| s.label(label) == Some(name));
        let samples: Vec<Sample> = page.samples.iter().filter(of_set).cloned().collect();
        let set = count(&samples);
        if set.registered.is_some() || set.max.is_some() {
            let via = format!("listener {url}");
            return Ok(Known::Now(ScaleSet { age: Some(0.0), via, ..set }));
        }
    }
    before(sources, name, deadline).await
}

async fn before(sources: &Sources, name: &str, deadline: Deadline) -> Result<Known, Error> {
    let Some(prometheus) = &sources.prometheus else { return Ok(Known::Never) };
    let past = union("max_over_time(timestamp(gha_registered_runners{", "})[6h:1m])", name);
    let found = prometheus.query(&past, deadline).await?;
    let newest = found.iter().filter_map(age).min_by(f64::total_cmp);
    Ok(newest.map_or(Known::Never, Known::Before))
}

/// The expression `start label="name" end` for every label that may hold the name.
fn union(start: &str, end: &str, name: &str) -> String {
    let name = quote(name);
    NAMES.map(|label| format!("{start}{label}=\"{name}\"{end}")).join(" or ")
}

fn sample(series: &Series) -> Option<Sample> {
    let (_, value) = series.last()?;
    let name = series.label("__name__")?.to_owned();
    Some(Sample { name, labels: series.labels.clone(), value, timestamp_ms: None })
}

/// Several listeners may show one name (a copy that is going, another cluster): the one with the least room counts.
fn count(samples: &[Sample]) -> ScaleSet {
    let of = |metric: &str| {
        let metric = format!("gha_{metric}_runners");
        samples.iter().filter(move |s| s.name == metric).map(|s| s.value).collect::<Vec<_>>()
    };
    let most = |metric| of(metric).into_iter().max_by(f64::total_cmp);
    let least = |metric| of(metric).into_iter().min_by(f64::total_cmp);
    ScaleSet {
        registered: least("registered"),
        busy: most("busy"),
        max: least("max"),
        desired: most("desired"),
        idle: least("idle"),
        age: None,
        via: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_that_may_hold_the_name_is_asked_for_in_one_query() {
        let query = union("timestamp(gha_registered_runners{", "})", "a\"b");
        assert!(query.starts_with("timestamp(gha_registered_runners{name=\"a\\\"b\"}) or "));
        assert_eq!(query.matches(" or ").count(), 3);
    }

    #[test]
    fn of_two_listeners_the_one_with_the_least_room_counts() {
        let one = |name: &str, value: f64| Sample {
            name: format!("gha_{name}_runners"),
            labels: Vec::new(),
            value,
            timestamp_ms: None,
        };
        let set = count(&[one("busy", 1.0), one("busy", 4.0), one("max", 9.0), one("max", 4.0)]);
        assert_eq!((set.busy, set.max, set.idle), (Some(4.0), Some(4.0), None));
    }
}
