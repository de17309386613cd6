//! A chart as SVG text: no script, no link, no style from elsewhere.

use super::values::{bounds, decimal, float, share};
use super::{Chart, NAME, SAMPLES, Series, humanised};
use crate::report::escape;
use crate::report::units::clock;

/// Size of the picture, and where the lines are drawn, in pixels.
const WIDTH: f64 = 640.0;
const LEFT: f64 = 90.0;
const RIGHT: f64 = 620.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 150.0;
/// Height of one line of the legend.
const LINE: f64 = 16.0;

/// Colours that people who see few of them can tell apart (Okabe and Ito).
const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];

/// The chart as one `<svg>` element.
pub fn svg(chart: &Chart) -> String {
    let all = chart.shown().iter().flat_map(Series::drawn).flatten();
    let (low, high) = bounds(all).unwrap_or((0.0, 0.0));
    let low = low.min(0.0);
    let title = escape::html(&escape::one_line(&chart.title, NAME));
    let rows = float(chart.shown().len() as u64);
    let height = decimal(BOTTOM + LINE * (rows + 2.0));
    let width = decimal(WIDTH);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\
         <title>{title}</title>"
    );
    out.push_str(&words(0.0, 16.0, &title, "font-weight=\"bold\""));
    let word = |value| escape::html(&humanised(Some(value), chart.unit));
    out.push_str(&words(0.0, TOP + 4.0, &word(high), ""));
    out.push_str(&words(0.0, BOTTOM, &word(low), ""));
    out.push_str(&rule(LEFT, BOTTOM, RIGHT, BOTTOM, "#888"));
    out.push_str(&marks(chart));
    for ((series, colour), row) in chart.shown().iter().zip(COLOURS).zip(1_u8..) {
        out.push_str(&line(series, chart.length(), (low, high), colour));
        let y = BOTTOM + LINE * (f64::from(row) + 1.0);
        let name = escape::html(&escape::one_line(&series.name, NAME));
        let ends = escape::html(&super::values::range(series, chart.unit));
        out.push_str(&words(LEFT, y, &format!("{name}: {ends}"), &format!("fill=\"{colour}\"")));
    }
    out.push_str("</svg>");
    out
}

/// The job's start and the failure as upright lines, and the times below.
fn marks(chart: &Chart) -> String {
    let length = chart.length();
    let mut out = String::new();
    if let Some(at) = chart.job_at() {
        let x = across(at, length);
        out.push_str(&rule(x, TOP, x, BOTTOM, "#888"));
    }
    out.push_str(&rule(RIGHT, TOP, RIGHT, BOTTOM, "#c00"));
    let text = format!("from {}: {}", clock(chart.start), chart.marks());
    out + &words(LEFT, BOTTOM + LINE, &escape::html(&text), "")
}

/// A series: a line for every stretch without a gap, and a dot for a lone sample.
fn line(series: &Series, length: usize, (low, high): (f64, f64), colour: &str) -> String {
    let mut out = String::new();
    let mut stretch: Vec<String> = Vec::new();
    let place = |at: usize, value: f64| {
        let y = BOTTOM - share(value, low, high) * (BOTTOM - TOP);
        format!("{},{}", decimal(across(at, length)), decimal(y))
    };
    // One gap more behind the end closes the last stretch.
    for (at, value) in series.drawn().chain([None]).enumerate().take(SAMPLES + 1) {
        match value {
            Some(value) => stretch.push(place(at, value)),
            None => out.push_str(&drawn(&std::mem::take(&mut stretch), colour)),
        }
    }
    out
}

fn drawn(stretch: &[String], colour: &str) -> String {
    match stretch {
        [] => String::new(),
        [one] => {
            let (x, y) = one.split_once(',').unwrap_or(("0", "0"));
            format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"2\" fill=\"{colour}\"/>")
        }
        more => {
            let points = more.join(" ");
            format!(
                "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>"
            )
        }
    }
}

fn across(at: usize, length: usize) -> f64 {
    let last = float(length.saturating_sub(1).max(1) as u64);
    LEFT + (RIGHT - LEFT) * float(at as u64) / last
}

fn rule(x1: f64, y1: f64, x2: f64, y2: f64, colour: &str) -> String {
    let [x1, y1, x2, y2] = [x1, y1, x2, y2].map(decimal);
    format!("<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" stroke=\"{colour}\"/>")
}

/// `text` is escaped already.
fn words(x: f64, y: f64, text: &str, more: &str) -> String {
    let (x, y) = (decimal(x), decimal(y));
    format!("<text x=\"{x}\" y=\"{y}\" {more}>{text}</text>")
}
