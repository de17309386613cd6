//! The documentation of the metrics, made from their table.

use std::fmt::Write as _;

use super::metrics::{self, About, Metric};

const INTRODUCTION: &str = "# Metrics

Made from the table in `src/exporter/metrics.rs`; a test keeps this page current.

`runner-guard exporter` serves these at `/metrics` in the Prometheus text format 0.0.4. Every scrape reads the host afresh.
A collector that fails leaves its metrics out, sets its `runner_exporter_collector_success` to 0 and does not hold up the others;
a missing `runner_status` therefore means *unknown*, and 0 means *cannot take jobs*.

The labels `hostname`, `environment` and `authorized_for_prod` come from the exporter's settings. Do not set them on the scrape
target as well, and leave `honor_labels` at `false`.
";

/// The text of `docs/metrics.md`.
pub fn markdown() -> String {
    let mut text = INTRODUCTION.to_owned();
    for (about, title) in [
        (About::Runner, "About each runner"),
        (About::Host, "About the host"),
        (About::Exporter, "About the exporter"),
    ] {
        let _ = write!(text, "\n## {title}\n\n{}", common(about));
        text.push_str("| name | type | unit | labels | help |\n|---|---|---|---|---|\n");
        for metric in metrics::ALL.iter().filter(|metric| metric.about == about) {
            push_row(&mut text, metric);
        }
    }
    text
}

fn common(about: About) -> String {
    if about.labels().is_empty() {
        return String::new();
    }
    format!("Each has the labels {}.\n\n", listed(about.labels()))
}

fn push_row(text: &mut String, metric: &Metric) {
    let labels = listed(metric.labels);
    let (name, kind, unit, help) =
        (metric.name, metric.kind.word(), metric.unit.word(), metric.help);
    let _ = writeln!(text, "| `{name}` | {kind} | {unit} | {labels} | {help} |");
}

fn listed(labels: &[&str]) -> String {
    labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_page_is_current() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
        let page = crate::source::files::read_capped(&path, 1 << 20).unwrap().text();
        assert_eq!(page, markdown(), "docs/metrics.md must hold what exporter::markdown() returns");
    }
}
