//! Metrics around the failure: every query of the snapshot with its values, charts of the host's resources, and the alerts that fire.

mod charts;
mod links;
mod page;

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{Collector, Ctx, Harvest};
use crate::report::chart::Unit;
use crate::report::{BundlePath, Evidence, EvidenceKind, Raw};
use crate::source::Error;
use crate::source::alerts::{self, Alert};
use crate::source::prometheus::{Prometheus, Range, Series};
use crate::task::BoxFuture;

pub(super) struct Metrics;

/// The entry of the bundle that holds the charts as numbers.
pub const SNAPSHOT: &str = "metrics/snapshot.json";

/// Longest time of all questions together.
const LIMIT: Duration = Duration::from_secs(8);

/// Seconds of the past that are shown before the job's start, and before now when the start is not known or was just now.
const BEFORE_JOB: i64 = 10 * 60;
const BEFORE_NOW: i64 = 15 * 60;
/// The longest window in seconds.
const LONGEST: i64 = 6 * 60 * 60;
/// Steps of the window; one sample more is drawn.
const STEPS: i64 = 48;

/// Most series of one query that are kept.
const MAX_SERIES: usize = 50;
/// Most alerts that are kept.
const MAX_ALERTS: usize = 50;
/// Largest entry, in bytes.
const CAP: usize = 1 << 20;

impl Collector for Metrics {
    fn id(&self) -> &'static str {
        "metrics"
    }

    fn explain(&self) -> &'static str {
        "Asks Prometheus for each query of collect.metrics.queries, and for status, memory, disks, load and pressure of the runner's host: \
         every value from ten minutes before the job's start (at least 15 minutes) until now, drawn as charts. Adds the alerts that fire."
    }

    fn about(&self) -> &'static [&'static str] {
        &["exporter-fresh", "runner-resources", "sources-agree", "firing-alerts"]
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Harvest, Error>> {
        Box::pin(async move {
            let Some(prometheus) = &ctx.sources.prometheus else {
                return Ok(Harvest::Nothing(
                    "no Prometheus is configured; add `prometheus-url: http://…` under `with:`"
                        .to_owned(),
                ));
            };
            let ctx = Ctx { deadline: ctx.deadline.at_most(LIMIT), ..*ctx };
            let window = window(ctx.sources.now, ctx.job.started);
            let queries = &ctx.config.collect.queries;
            let (answers, charts, firing) = futures_util::join!(
                join_all(queries.iter().map(|q| ask(prometheus, q, window, &ctx))),
                charts::draw(prometheus, window, &ctx),
                firing(prometheus, &ctx),
            );
            if answers.iter().all(Result::is_err) {
                return answers.into_iter().find_map(Result::err).map_or_else(
                    || Ok(Harvest::Nothing("collect.metrics.queries is empty".to_owned())),
                    Err,
                );
            }
            let failed = answers.iter().filter(|a| a.is_err()).count();
            let rows: Vec<Value> = answers
                .into_iter()
                .zip(queries)
                .map(|(a, q)| a.unwrap_or_else(|e| failure(q, &e)))
                .collect();
            let origin = format!("prometheus {}", prometheus.url());
            let note = format!(
                "{} of {} queries answered by {origin}; {} chart(s); {}",
                queries.len() - failed,
                queries.len(),
                charts.len(),
                told(&firing)
            );
            let mut snapshot = json!({
                "queries": rows,
                "window": { "start": window.start, "end": window.end, "step": window.step },
                "alerts": alerts_json(&firing),
                "charts": charts,
            });
            let page = page::page(&charts, &firing);
            let entry = |name: &str, text: String| {
                let path = BundlePath::new("metrics", name);
                Evidence::new(path, EvidenceKind::Metrics, origin.clone(), text)
            };
            let entries: Vec<Evidence<Raw>> =
                vec![entry("snapshot.json", within_cap(&mut snapshot)), entry("charts.md", page)];
            Ok(Harvest::Found { note, entries })
        })
    }
}

/// From ten minutes before the job until now, on a grid of samples that ends now.
fn window(now: i64, started: i64) -> Range {
    let since = if started > 0 { now - started + BEFORE_JOB } else { BEFORE_NOW };
    let step = since.clamp(BEFORE_NOW, LONGEST).div_euclid(STEPS).max(1);
    let step = u32::try_from(step).unwrap_or(u32::MAX);
    Range { start: now - i64::from(step) * STEPS, end: now, step }
}

async fn ask(
    prometheus: &Prometheus,
    query: &str,
    range: Range,
    ctx: &Ctx<'_>,
) -> Result<Value, Error> {
    let (instant, past) = futures_util::join!(
        prometheus.query(query, ctx.deadline),
        prometheus.query_range(query, range, ctx.deadline)
    );
    let (instant, past) = (instant?, past?);
    Ok(json!({
        "query": query,
        "time": ctx.sources.now,
        "unit": unit(query),
        "series_left_out": past.len().saturating_sub(MAX_SERIES),
        "now": instant.iter().take(MAX_SERIES).map(series).collect::<Vec<_>>(),
        "past": past.iter().take(MAX_SERIES).map(series).collect::<Vec<_>>(),
    }))
}

/// The alerts that fire, as Alertmanager shows them, else as Prometheus does.
async fn firing(prometheus: &Prometheus, ctx: &Ctx<'_>) -> Result<Vec<Alert>, Error> {
    match &ctx.config.alertmanager {
        Some(url) => alerts::from_alertmanager(&ctx.sources.http, url, ctx.deadline).await,
        None => alerts::from_prometheus(prometheus, ctx.deadline).await,
    }
}

fn told(firing: &Result<Vec<Alert>, Error>) -> String {
    match firing {
        Ok(alerts) if alerts.is_empty() => "no alert fires".to_owned(),
        Ok(alerts) => {
            let mut names: Vec<&str> = alerts.iter().map(Alert::name).collect();
            names.sort_unstable();
            names.dedup();
            let more = names.len().saturating_sub(5);
            names.truncate(5);
            let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("alerts fire: {}{rest}", names.join(", "))
        }
        Err(error) => format!("the alerts could not be read: {}", error.chain()),
    }
}

fn alerts_json(firing: &Result<Vec<Alert>, Error>) -> Value {
    match firing {
        Ok(alerts) => {
            let one = |a: &Alert| json!({ "labels": a.labels, "annotations": a.annotations, "since": a.since });
            alerts.iter().take(MAX_ALERTS).map(one).collect()
        }
        Err(error) => json!({ "error": error.chain() }),
    }
}

/// The snapshot as text; the past of the queries is what is given up when it is too large, since the charts show the best of it.
fn within_cap(snapshot: &mut Value) -> String {
    let text = serde_json::to_string_pretty(snapshot).unwrap_or_default();
    if text.len() <= CAP {
        return text;
    }
    for row in snapshot.get_mut("queries").and_then(Value::as_array_mut).into_iter().flatten() {
        for part in ["past", "now"] {
            if row.get(part).is_some() {
                row[part] = json!("left out: the snapshot would be larger than 1 MiB");
            }
        }
    }
    serde_json::to_string_pretty(snapshot).unwrap_or_default()
}

fn failure(query: &str, error: &Error) -> Value {
    json!({ "query": query, "error": error.chain() })
}

fn series(series: &Series) -> Value {
    let labels: serde_json::Map<String, Value> =
        series.labels.iter().map(|(n, v)| (n.clone(), json!(v))).collect();
    // JSON has no NaN: what is not a number stays visible as a word.
    let number = |v: f64| if v.is_finite() { json!(v) } else { json!(v.to_string()) };
    let samples: Vec<Value> =
        series.samples.iter().map(|(time, value)| json!([time, number(*value)])).collect();
    json!({ "labels": labels, "samples": samples })
}

/// The unit that the name of a metric says (Prometheus' naming rules); empty when it says none.
fn unit(query: &str) -> &'static str {
    let names =
        query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|w| w.contains('_'));
    for name in names {
        let name = name.trim_end_matches("_total");
        for (suffix, unit) in [
            ("_bytes", "bytes"),
            ("_seconds", "seconds"),
            ("_ratio", "ratio"),
            ("_percent", "percent"),
            ("_celsius", "celsius"),
        ] {
            if name.ends_with(suffix) {
                return unit;
            }
        }
    }
    ""
}

/// How the numbers of a query that somebody configured are written; only of a bare metric is that certain.
fn drawn_unit(query: &str) -> Unit {
    if query.contains(['(', '/', '*']) {
        return Unit::Count;
    }
    match unit(query) {
        "bytes" => Unit::Bytes,
        "seconds" => Unit::Seconds,
        "ratio" => Unit::Share,
        _ => Unit::Count,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_comes_from_the_name_of_the_metric() {
        assert_eq!(unit("sum(rate(runner_host_cpu_seconds_total[5m]))"), "seconds");
        assert_eq!(unit("runner_host_memory_available_bytes"), "bytes");
        assert_eq!(unit("up"), "");
        assert_eq!(drawn_unit("a_bytes{x=\"y\"}"), Unit::Bytes);
        assert_eq!(drawn_unit("a_bytes / b_bytes"), Unit::Count, "a quotient has another unit");
    }

    #[test]
    fn a_sample_that_is_no_number_stays_visible() {
        let one = Series {
            labels: vec![("a".to_owned(), "b".to_owned())],
            samples: vec![(1.0, f64::NAN)],
        };
        assert_eq!(series(&one), json!({"labels": {"a": "b"}, "samples": [[1.0, "NaN"]]}));
    }

    #[test]
    fn the_window_begins_before_the_job_and_ends_now() {
        let of = |now, started| {
            let Range { start, end, step } = window(now, started);
            assert_eq!(end, now);
            (now - start, step)
        };
        assert_eq!(of(100_000, 0), (864, 18), "about a quarter of an hour");
        assert_eq!(of(100_000, 99_940), (864, 18), "a short job");
        assert_eq!(of(100_000, 97_000), (3600, 75), "the job and ten minutes before");
        assert_eq!(of(100_000, 7), (21_600, 450), "a start of another day");
        assert_eq!(of(100_000, 200_000), (864, 18), "a start in the future");
    }

    #[test]
    fn a_snapshot_that_is_too_large_keeps_its_charts() {
        let large = "x".repeat(CAP);
        let mut snapshot =
            json!({ "queries": [{ "query": "up", "past": large }], "charts": ["kept"] });
        let text = within_cap(&mut snapshot);
        assert!(text.len() < 1000 && text.contains("kept") && text.contains("left out"), "{text}");
    }
}
