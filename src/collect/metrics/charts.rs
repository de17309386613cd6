//! Which charts there are, and how the series of an answer become the lines of one.

use futures_util::future::join_all;

use super::super::Ctx;
use super::{drawn_unit, links};
use crate::report::chart::{CHARTS, Chart, SERIES, Series, Unit};
use crate::source::prometheus::{self, Prometheus, Range};

/// One chart before anybody was asked.
struct Plan {
    title: String,
    unit: Unit,
    query: String,
}

/// The charts that have series, the basic ones first. A question without an answer costs its own chart alone.
pub(super) async fn draw(prometheus: &Prometheus, range: Range, ctx: &Ctx<'_>) -> Vec<Chart> {
    let host = host(prometheus, ctx).await;
    let plans = plans(host.as_deref(), configured(ctx));
    let answers = plans.iter().map(|p| prometheus.query_range(&p.query, range, ctx.deadline));
    let answers = join_all(answers).await;
    let drawn = plans.into_iter().zip(answers).filter_map(|(plan, answer)| {
        let mut found = answer.ok().filter(|series| !series.is_empty())?;
        // The runner of this job stands first.
        found.sort_by_key(|s| s.label("runner") != Some(ctx.job.runner_name.as_str()));
        let names = names(&found);
        let series = found.iter().zip(names).take(SERIES);
        let series = series.map(|(s, name)| Series { name, values: grid(&s.samples, range) });
        Some(Chart {
            links: links::all(ctx, &plan.query, range),
            title: plan.title,
            unit: plan.unit,
            query: plan.query,
            start: range.start,
            step: range.step,
            job: Some(ctx.job.started).filter(|started| *started > 0),
            series: series.collect(),
            more: found.len().saturating_sub(SERIES),
        })
    });
    drawn.take(CHARTS).collect()
}

/// The label `hostname` of this job's runner.
async fn host(prometheus: &Prometheus, ctx: &Ctx<'_>) -> Option<String> {
    if ctx.job.runner_name.is_empty() {
        return None;
    }
    let query = format!("runner_status{{runner=\"{}\"}}", prometheus::quote(&ctx.job.runner_name));
    let found = prometheus.query(&query, ctx.deadline).await.ok()?;
    found.first()?.label("hostname").map(str::to_owned)
}

/// The queries that somebody wrote down; the basic five are drawn anyway.
fn configured<'a>(ctx: &'a Ctx<'_>) -> &'a [String] {
    let written = ctx.config.origins.first("collect.metrics.queries").is_some();
    if written { &ctx.config.collect.queries } else { &[] }
}

fn plans(host: Option<&str>, configured: &[String]) -> Vec<Plan> {
    let of = host.map(|h| format!("{{hostname=\"{}\"}}", prometheus::quote(h))).unwrap_or_default();
    let pressure = |what: &str| format!("rate(runner_host_pressure_{what}_seconds_total{of}[2m])");
    let basic = [
        ("runners online (1) or not (0)", Unit::Count, "runner_status".to_owned()),
        ("memory available", Unit::Bytes, format!("runner_host_memory_available_bytes{of}")),
        ("disk space available", Unit::Bytes, format!("runner_host_filesystem_avail_bytes{of}")),
        (
            "load per processor",
            Unit::Count,
            format!("runner_host_load1{of} / runner_host_cpus{of}"),
        ),
        ("share of time that something waited", Unit::Share, pressure("waiting")),
        ("share of time that everything stood still", Unit::Share, pressure("stalled")),
        (
            "deployments",
            Unit::Count,
            "{__name__=~\"deployment_(attempts|failures|rollbacks)_total\"}".to_owned(),
        ),
    ];
    let basic = basic.map(|(title, unit, query)| Plan { title: title.to_owned(), unit, query });
    let own = configured.iter().take(CHARTS).map(|query| Plan {
        title: query.clone(),
        unit: drawn_unit(query),
        query: query.clone(),
    });
    own.chain(basic).collect()
}

/// What tells each series from the others: the values of the labels that differ.
fn names(found: &[prometheus::Series]) -> Vec<String> {
    let differs = |label: &str| {
        let first = found.first().and_then(|s| s.label(label));
        found.iter().any(|s| s.label(label) != first)
    };
    let name = |series: &prometheus::Series| {
        let telling: Vec<&str> = series
            .labels
            .iter()
            .filter(|(label, _)| differs(label))
            .map(|(_, value)| value.as_str())
            .collect();
        let lone = ["runner", "hostname", "instance", "__name__"];
        if telling.is_empty() {
            lone.iter().find_map(|label| series.label(label)).unwrap_or("value").to_owned()
        } else {
            telling.join(" ")
        }
    };
    found.iter().map(name).collect()
}

/// The samples on the grid of the window; a place without a sample, or with one that is no finite number, is a gap.
fn grid(samples: &[(f64, f64)], range: Range) -> Vec<Option<f64>> {
    let steps = (range.end - range.start) / i64::from(range.step.max(1));
    let at = |place: i64| {
        let time = range.start + place * i64::from(range.step);
        let near = |t: f64| (t - seconds(time)).abs() < f64::from(range.step) / 2.0;
        samples.iter().find(|(t, _)| near(*t)).map(|(_, value)| *value).filter(|v| v.is_finite())
    };
    (0..=steps).map(at).collect()
}

#[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are far below 2^52")]
fn seconds(time: i64) -> f64 {
    time as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(labels: &[(&str, &str)]) -> prometheus::Series {
        let labels = labels.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        prometheus::Series { labels, samples: Vec::new() }
    }

    #[test]
    fn series_are_called_by_what_differs() {
        let disk = |purpose, mount| {
            series(&[("hostname", "h"), ("mountpoint", mount), ("purpose", purpose)])
        };
        assert_eq!(names(&[disk("root", "/"), disk("work", "/srv")]), ["/ root", "/srv work"]);
        assert_eq!(names(&[series(&[("hostname", "h"), ("job", "x")])]), ["h"]);
        assert_eq!(names(&[series(&[])]), ["value"]);
    }

    #[test]
    fn a_missing_sample_is_a_gap_and_so_is_one_that_is_no_number() {
        let range = Range { start: 100, end: 140, step: 10 };
        let samples = [(100.0, 1.0), (110.0, f64::NAN), (130.4, 3.0)];
        assert_eq!(grid(&samples, range), [Some(1.0), None, None, Some(3.0), None]);
    }

    #[test]
    fn the_name_of_a_host_can_not_leave_its_quotes() {
        let plans = plans(Some("a\"} or up{x=\""), &[]);
        assert_eq!(
            plans[1].query,
            "runner_host_memory_available_bytes{hostname=\"a\\\"} or up{x=\\\"\"}"
        );
    }
}
