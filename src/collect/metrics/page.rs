//! The charts as a page of Markdown for the bundle: a table of before and after, the alerts, and every chart.

use super::MAX_ALERTS;
use crate::report::chart::{self, Chart, humanised};
use crate::report::escape;
use crate::source::Error;
use crate::source::alerts::Alert;

/// The page.
pub(super) fn page(charts: &[Chart], firing: &Result<Vec<Alert>, Error>) -> String {
    let mut parts = vec!["# Metrics around the failure".to_owned()];
    parts.push(if charts.is_empty() {
        "Prometheus has no series of this runner's host: serve them with `runner-guard exporter` and let Prometheus scrape them."
            .to_owned()
    } else {
        table(charts)
    });
    parts.push("## Alerts that fire".to_owned());
    parts.push(match firing {
        Ok(alerts) if alerts.is_empty() => "None.".to_owned(),
        Ok(alerts) => alerts.iter().take(MAX_ALERTS).map(alert).collect::<Vec<_>>().join("\n"),
        Err(error) => format!("Not known: {}", escape::prose(&error.chain())),
    });
    parts.extend(charts.iter().flat_map(one));
    parts.join("\n\n") + "\n"
}

fn table(charts: &[Chart]) -> String {
    let mut lines = vec![
        "| What | Series | At the start of the window | At the failure |".to_owned(),
        "| :-- | :-- | --: | --: |".to_owned(),
    ];
    for chart in charts {
        lines.extend(chart.series.iter().map(|series| {
            format!(
                "| {} | {} | {} | {} |",
                escape::cell(&chart.title),
                escape::cell(&series.name),
                humanised(series.before(), chart.unit),
                humanised(series.at_failure(), chart.unit)
            )
        }));
    }
    lines.join("\n")
}

fn alert(alert: &Alert) -> String {
    let label =
        |name: &str| alert.labels.get(name).map(|v| format!(" {name} {}", escape::code_span(v)));
    let labels: String = ["severity", "instance", "runner"].into_iter().filter_map(label).collect();
    let since = alert.since.and_then(|s| jiff::Timestamp::from_second(s).ok());
    let since = since.map(|s| format!(" since {s}")).unwrap_or_default();
    let words = alert.annotations.get("summary").or_else(|| alert.annotations.get("description"));
    let words = words.map(|w| format!(": {}", escape::prose(w))).unwrap_or_default();
    format!("- {}{labels}{since}{words}", escape::code_span(alert.name()))
}

fn one(chart: &Chart) -> Vec<String> {
    let link = |(name, to): &(String, String)| {
        escape::link(name, to, &escape::host(to).into_iter().collect::<Vec<_>>())
    };
    let links: Vec<String> = chart.links.iter().filter_map(link).collect();
    let mut parts =
        vec![format!("## {}", escape::prose(&chart.title)), escape::code_span(&chart.query)];
    parts.extend(chart::mermaid(chart));
    parts.push(escape::fence(&chart::text(chart)));
    parts.push(links.join(", "));
    parts
}
