//! The report of the black box as one page: what failed and why, what to do now, the evidence, all of it in one file that needs no network.
//!
//! The page asks nobody for anything: its style and its one script are inside, and its own policy forbids everything else. Without the
//! script it loses its search field. It reads nothing, redacts nothing and leaves nothing on disk.

mod charts;
mod gate;
mod items;
mod parts;
mod timeline;
mod writer;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use serde_json::Value;

use super::{Play, Report, Stage, escape};
use crate::redact::Counts;
use writer::Html;

/// Largest page in bytes.
pub const BUDGET: usize = 3 << 20;

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// Everything that the page shows.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// What the black box found out.
    pub report: &'a Report,
    /// The JSON report that the gate of the same job left.
    pub gate: Option<&'a Value>,
    /// The Ansible runs in the evidence.
    pub plays: &'a [Play],
    /// The entries of the bundle.
    pub items: &'a [Item<'a>],
    /// When it was made, as people read it.
    pub created: &'a str,
}

/// One entry of the bundle.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// Where it lies in the bundle.
    pub path: &'a str,
    /// What it is, in one word.
    pub kind: &'a str,
    /// Where it came from.
    pub origin: &'a str,
    /// Its redacted text, or the end of it.
    pub text: &'a str,
    /// Size of the whole text, in bytes.
    pub size: u64,
    /// Lower-case hex SHA-256 of the text.
    pub sha256: &'a str,
    /// Whether a cap cut it when it was collected.
    pub truncated: bool,
    /// Replacements by rule.
    pub redactions: &'a Counts,
}

/// The page, at most [`BUDGET`] bytes.
pub fn render(page: &Page<'_>) -> String {
    let report = page.report;
    let metrics = report.charts.iter().flat_map(|chart| &chart.links).map(|(_, to)| to);
    let hosts = [&report.job.run_url, &report.runbooks].into_iter().chain(metrics);
    let mut html = Html::new(hosts.filter_map(|to| escape::host(to)).collect());
    html.start("html", &[("lang", "en")]);
    head(&mut html);
    html.start("body", &[]);
    html.start("main", &[]);
    parts::headline(&mut html, page);
    parts::steps(&mut html, report);
    parts::causes(&mut html, page);
    parts::failures(&mut html, report);
    timeline::section(&mut html, report);
    parts::plays(&mut html, page.plays);
    charts::section(&mut html, report);
    if let Some(gate) = page.gate {
        gate::section(&mut html, gate);
    }
    parts::collectors(&mut html, page);
    parts::notes(&mut html, report);
    items::section(&mut html, page);
    parts::footer(&mut html, page);
    html.end();
    html.constant("script", SCRIPT);
    html.finish()
}

fn head(html: &mut Html) {
    html.start("head", &[]);
    html.start("meta", &[("charset", "utf-8")]);
    html.start("meta", &[("http-equiv", "Content-Security-Policy"), ("content", &policy())]);
    html.start("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]);
    html.start("meta", &[("name", "referrer"), ("content", "no-referrer")]);
    html.start("meta", &[("name", "color-scheme"), ("content", "light dark")]);
    // Without an icon of its own a browser would ask the server for one.
    html.start("link", &[("rel", "icon"), ("href", "data:,")]);
    html.leaf("title", "", "runner-guard report");
    html.constant("style", STYLE);
    html.end();
}

/// What a browser may do with the page: show it, and run the one script that is known by its hash.
fn policy() -> String {
    let hash = STANDARD.encode(digest(&SHA256, SCRIPT.as_bytes()));
    format!(
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'"
    )
}

/// Whether the report is about a deploy that was stopped, or about one that ran.
fn is_gate(report: &Report) -> bool {
    match report.stage {
        Stage::Preflight => true,
        Stage::Diagnose => false,
    }
}

#[cfg(test)]
mod tests;
