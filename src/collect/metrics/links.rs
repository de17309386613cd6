//! Addresses at which people see the same window of the same expression.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::super::Ctx;
use crate::source::prometheus::Range;

/// The page of Prometheus, and Grafana's Explore when Grafana is configured.
pub(super) fn all(ctx: &Ctx<'_>, query: &str, range: Range) -> Vec<(String, String)> {
    let prometheus = ctx.sources.prometheus.as_ref().map(|p| {
        let url = p.url();
        ("Prometheus".to_owned(), graph(url, query, range))
    });
    let grafana = ctx.config.grafana.as_deref();
    let grafana = grafana.map(|url| ("Grafana".to_owned(), explore(url, query, range)));
    prometheus.into_iter().chain(grafana).collect()
}

fn graph(url: &str, query: &str, range: Range) -> String {
    let end = jiff::Timestamp::from_second(range.end).unwrap_or_default();
    let end = end.strftime("%Y-%m-%d %H:%M:%S").to_string();
    format!(
        "{url}/graph?g0.expr={}&g0.tab=0&g0.range_input={}s&g0.end_input={}",
        encoded(query),
        range.end - range.start,
        encoded(&end)
    )
}

fn explore(url: &str, query: &str, range: Range) -> String {
    let milliseconds = |seconds: i64| seconds.saturating_mul(1000).to_string();
    let panes = json!({ "guard": {
        "datasource": "prometheus",
        "queries": [{ "refId": "A", "expr": query, "range": true, "datasource": { "type": "prometheus" } }],
        "range": { "from": milliseconds(range.start), "to": milliseconds(range.end) },
    }});
    format!("{url}/explore?schemaVersion=1&orgId=1&panes={}", encoded(&panes.to_string()))
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANGE: Range = Range { start: 1_790_000_000, end: 1_790_000_900, step: 15 };

    #[test]
    fn the_page_of_prometheus_shows_the_window() {
        assert_eq!(
            graph("http://p:9090", "up{a=\"b\"}", RANGE),
            "http://p:9090/graph?g0.expr=up%7Ba%3D%22b%22%7D&g0.tab=0&g0.range_input=900s&g0.end_input=2026%2D09%2D21%2014%3A28%3A20"
        );
    }

    #[test]
    fn explore_gets_the_expression_and_the_window() {
        let address = explore("https://g.example", "up", RANGE);
        assert!(address.starts_with("https://g.example/explore?schemaVersion=1&orgId=1&panes=%7B"));
        assert!(address.contains("%22expr%22%3A%22up%22"), "{address}");
        assert!(address.contains("%22from%22%3A%221790000000000%22"), "{address}");
    }
}
