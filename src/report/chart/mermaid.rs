//! A chart as Mermaid text (`xychart-beta`), which GitHub draws in a job summary.
//!
//! Its lines know no gaps, so only series that last to the end without one are drawn, from where the last of them begins; the others
//! stand in the text below.

use super::values::{bounds, decimal, float, scale};
use super::{Chart, NAME, Series};
use crate::report::escape;

/// The chart as a fenced block; `None` when no series can be drawn.
pub fn mermaid(chart: &Chart) -> Option<String> {
    let length = chart.length();
    let whole: Vec<(&Series, usize)> =
        chart.shown().iter().filter_map(|s| first_of_whole(s, length).map(|at| (s, at))).collect();
    let from = whole.iter().map(|(_, at)| *at).max()?;
    let lines: Vec<Vec<f64>> =
        whole.iter().map(|(s, _)| s.drawn().skip(from).flatten().collect()).collect();
    let (low, high) = bounds(lines.iter().flatten().copied())?;
    let (by, unit) = scale(low.abs().max(high.abs()), chart.unit)?;
    let low = (low / by).min(0.0);
    let high = if high / by > low { high / by } else { low + 1.0 };
    let back = length.saturating_sub(1 + from).saturating_mul(chart.step as usize);
    let minutes = float(u64::try_from(back).ok()?) / 60.0;
    let mut out = vec![
        "```mermaid".to_owned(),
        "xychart-beta".to_owned(),
        format!("  title \"{}\"", label(&format!("{}, {}", short(&chart.title), chart.marks()))),
        format!("  x-axis \"minutes before the failure\" -{} --> 0", decimal(minutes)),
        format!("  y-axis \"{unit}\" {} --> {}", decimal(low), decimal(high * 1.05)),
    ];
    out.extend(lines.iter().map(|line| {
        let numbers: Vec<String> = line.iter().map(|v| decimal(v / by)).collect();
        format!("  line [{}]", numbers.join(", "))
    }));
    out.push("```".to_owned());
    Some(out.join("\n"))
}

/// Where a series begins that has every sample from there to the end of the window, and at least two.
fn first_of_whole(series: &Series, length: usize) -> Option<usize> {
    let values: Vec<Option<f64>> = series.drawn().collect();
    let first = values.iter().position(Option::is_some)?;
    let whole = values.len() == length && values.iter().skip(first).all(Option::is_some);
    (whole && length - first >= 2).then_some(first)
}

fn short(text: &str) -> String {
    escape::one_line(text, NAME)
}

/// A text that can stand between Mermaid's quotes: it knows no way to escape one, nor anything else that means something to it or to
/// a browser.
fn label(text: &str) -> String {
    let plain = |c: char| {
        if c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | ',' | '/' | ':' | '(' | ')') {
            c
        } else {
            '_'
        }
    };
    text.chars().map(plain).collect()
}
