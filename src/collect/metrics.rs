//! A snapshot of metrics around the failure: for every query its expression, its time, its value now and the last half hour.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{Collector, Ctx, Harvest};
use crate::report::{BundlePath, Evidence, EvidenceKind};
use crate::source::Error;
use crate::source::prometheus::{Prometheus, Range, Series};
use crate::task::BoxFuture;

pub(super) struct Metrics;

/// Seconds of the past that the snapshot covers, and the distance of its samples.
const SPAN: i64 = 30 * 60;
const STEP: u32 = 30;

/// Most series of one query that are kept.
const MAX_SERIES: usize = 50;

impl Collector for Metrics {
    fn id(&self) -> &'static str {
        "metrics"
    }

    fn explain(&self) -> &'static str {
        "Asks Prometheus for each query of collect.metrics.queries: the value now and the last 30 minutes, with expression, time and unit."
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Harvest, Error>> {
        Box::pin(async move {
            let Some(prometheus) = &ctx.sources.prometheus else {
                return Ok(Harvest::Nothing(
                    "no Prometheus is configured; add `prometheus-url: http://…` under `with:`"
                        .to_owned(),
                ));
            };
            let queries = &ctx.config.collect.queries;
            let answers = join_all(queries.iter().map(|q| ask(prometheus, q, ctx))).await;
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
            let text =
                serde_json::to_string_pretty(&json!({ "queries": rows })).unwrap_or_default();
            let origin = format!("prometheus {}", prometheus.url());
            let entry = Evidence::new(
                BundlePath::new("metrics", "snapshot.json"),
                EvidenceKind::Metrics,
                origin.clone(),
                text,
            );
            let note = format!(
                "{} of {} queries answered by {origin}",
                queries.len() - failed,
                queries.len()
            );
            Ok(Harvest::Found { note, entries: vec![entry] })
        })
    }
}

async fn ask(prometheus: &Prometheus, query: &str, ctx: &Ctx<'_>) -> Result<Value, Error> {
    let now = ctx.sources.now;
    let range = Range { start: now - SPAN, end: now, step: STEP };
    let (instant, past) = futures_util::join!(
        prometheus.query(query, ctx.deadline),
        prometheus.query_range(query, range, ctx.deadline)
    );
    let (instant, past) = (instant?, past?);
    Ok(json!({
        "query": query,
        "time": now,
        "unit": unit(query),
        "series_left_out": past.len().saturating_sub(MAX_SERIES),
        "now": instant.iter().take(MAX_SERIES).map(series).collect::<Vec<_>>(),
        "range": { "start": range.start, "end": range.end, "step": STEP },
        "past": past.iter().take(MAX_SERIES).map(series).collect::<Vec<_>>(),
    }))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_comes_from_the_name_of_the_metric() {
        assert_eq!(unit("sum(rate(runner_host_cpu_seconds_total[5m]))"), "seconds");
        assert_eq!(unit("runner_host_memory_available_bytes"), "bytes");
        assert_eq!(unit("up"), "");
    }

    #[test]
    fn a_sample_that_is_no_number_stays_visible() {
        let one = Series {
            labels: vec![("a".to_owned(), "b".to_owned())],
            samples: vec![(1.0, f64::NAN)],
        };
        assert_eq!(series(&one), json!({"labels": {"a": "b"}, "samples": [[1.0, "NaN"]]}));
    }
}
