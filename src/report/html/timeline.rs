//! When what happened, as a table: one row for an event, its lane beside its time. On a phone a row becomes a block.

use super::parts::{cell, table};
use super::writer::Html;
use crate::report::timeline::{self, Severity, TimelineRow};
use crate::report::{Report, escape};

/// The table; nothing when there are no events.
pub(super) fn section(html: &mut Html, report: &Report) {
    if report.timeline.is_empty() {
        return;
    }
    html.leaf("h2", "", "When what happened (UTC)");
    let heads = ["time", "who", "what"];
    table(html, "rows time", &heads, report.timeline.iter(), |html, row| event(html, report, row));
}

fn event(html: &mut Html, report: &Report, row: &TimelineRow) {
    let (class, sign) = match row.severity {
        Severity::Info => ("", ""),
        Severity::Look => ("look", "⚠ "),
        Severity::Bad => ("bad", "✖ "),
    };
    html.start("tr", &[]);
    cell(html, "time", "n w", &timeline::time(report, row.at));
    cell(html, "who", "lane w", row.lane.word());
    let words = escape::one_line(row.text.as_str(), escape::LINE);
    cell(html, "what", class, &format!("{sign}{words}"));
    html.end();
}
