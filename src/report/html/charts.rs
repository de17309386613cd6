//! The metrics around the failure, as pictures inside of the page. As images they can run nothing, whatever their labels say.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::writer::Html;
use crate::report::{Report, chart};

/// One figure for each chart; nothing when there are none.
pub(super) fn section(html: &mut Html, report: &Report) {
    if report.charts.is_empty() {
        return;
    }
    html.leaf("h2", "", "Metrics around the failure");
    html.start("div", &[("class", "charts")]);
    for chart in &report.charts {
        let picture = format!("data:image/svg+xml;base64,{}", STANDARD.encode(chart::svg(chart)));
        html.start("figure", &[]);
        html.start("img", &[("src", &picture), ("alt", &chart::text(chart))]);
        html.start("figcaption", &[]);
        html.leaf("code", "", &chart.query);
        for (name, to) in &chart.links {
            html.text(" · ");
            html.link(name, to);
        }
        html.end();
        html.end();
    }
    html.end();
}
