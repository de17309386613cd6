//! Series of a metric as pictures that need no service: Mermaid text for a job summary, a line of block characters for where Mermaid is
//! not drawn, SVG text for a page. Pure: the same chart is the same text. A gap stays a gap, and what is no finite number is one.

mod mermaid;
mod svg;
mod values;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::escape;
use super::units::clock;
use crate::redact::Redacted;

pub use mermaid::mermaid;
pub use svg::svg;

/// Most charts of a run.
pub const CHARTS: usize = 8;
/// Most series of a chart.
pub const SERIES: usize = 6;
/// Most samples of a series.
pub const SAMPLES: usize = 120;

/// Longest title or name that is drawn, in characters.
const NAME: usize = 60;

/// One picture: a few series over the same window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chart {
    /// What is shown.
    pub title: String,
    /// What the numbers are.
    pub unit: Unit,
    /// The expression behind it.
    pub query: String,
    /// Time of the first sample, in seconds since 1970.
    pub start: i64,
    /// Distance of the samples in seconds.
    pub step: u32,
    /// When the job began, in seconds since 1970, when that is known.
    pub job: Option<i64>,
    /// The series, the most telling first.
    pub series: Vec<Series>,
    /// Series that were left out.
    pub more: usize,
    /// Where to look further: Prometheus or Grafana, by its name, and the address.
    #[serde(default)]
    pub links: Vec<(String, String)>,
}

/// One line of a chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// What tells it from the others.
    pub name: String,
    /// A value for every sample; `None` where there was none.
    pub values: Vec<Option<f64>>,
}

/// What a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// A share, 0 to 1.
    Share,
    /// Seconds.
    Seconds,
    /// A number of things, or a number without a unit.
    Count,
}

impl Series {
    /// The values that can be drawn.
    fn drawn(&self) -> impl Iterator<Item = Option<f64>> + '_ {
        self.values.iter().take(SAMPLES).map(|value| value.filter(|v| v.is_finite()))
    }

    /// The value at the start of the window.
    pub fn before(&self) -> Option<f64> {
        self.drawn().next().flatten()
    }

    /// The value at the end of the window, which is the failure.
    pub fn at_failure(&self) -> Option<f64> {
        self.drawn().last().flatten()
    }
}

impl Chart {
    /// Number of samples of the longest series.
    fn length(&self) -> usize {
        self.shown().iter().map(|s| s.values.len().min(SAMPLES)).max().unwrap_or(0)
    }

    fn shown(&self) -> &[Series] {
        self.series.get(..SERIES).unwrap_or(&self.series)
    }

    /// The end of the window in seconds since 1970: the time of the failure.
    pub fn end(&self) -> i64 {
        let last = i64::try_from(self.length().saturating_sub(1)).unwrap_or(0);
        self.start.saturating_add(last.saturating_mul(i64::from(self.step)))
    }

    /// The sample at which the job began; `None` when it is not known or lies outside.
    fn job_at(&self) -> Option<usize> {
        let since = self.job?.checked_sub(self.start).filter(|s| *s >= 0 && self.step > 0)?;
        usize::try_from(since / i64::from(self.step)).ok().filter(|at| *at < self.length())
    }

    /// What the marks mean: `14:02 job started, 14:30 failure (UTC)`.
    fn marks(&self) -> String {
        let failure = format!("{} failure (UTC)", clock(self.end()));
        match self.job.filter(|_| self.job_at().is_some()) {
            Some(job) => format!("{} job started, {failure}", clock(job)),
            None => failure,
        }
    }
}

/// The charts in the entry `metrics/snapshot.json` of a bundle; none when it holds none. What is over the caps is left out.
pub fn read(snapshot: &Redacted) -> Vec<Chart> {
    #[derive(Deserialize)]
    struct Snapshot {
        #[serde(default)]
        charts: Vec<Chart>,
    }
    let snapshot = serde_json::from_str::<Snapshot>(snapshot.as_str());
    let mut charts = snapshot.map(|s| s.charts).unwrap_or_default();
    charts.truncate(CHARTS);
    for chart in &mut charts {
        chart.series.truncate(SERIES);
        for series in &mut chart.series {
            series.values.truncate(SAMPLES);
        }
    }
    charts
}

/// A value as people write it: `1.2 GiB`, `42.0 %`, `3.5 s`, `7`; `no sample` where there is none.
pub fn humanised(value: Option<f64>, unit: Unit) -> String {
    values::humanised(value, unit)
}

/// The chart as lines of text: every series as block characters with its first, last, lowest and highest value, and the marks below.
/// A `·` is a sample that is missing.
pub fn text(chart: &Chart) -> String {
    let name = |s: &Series| escape::one_line(&s.name, NAME);
    let width = chart.shown().iter().map(|s| name(s).chars().count()).max().unwrap_or(0);
    let mut lines = vec![escape::one_line(&chart.title, NAME)];
    for series in chart.shown() {
        let name = name(series);
        let pad = " ".repeat(width.saturating_sub(name.chars().count()));
        lines.push(format!(
            "{name}{pad}  {}  {}",
            sparkline(series),
            values::range(series, chart.unit)
        ));
    }
    let failure = chart.length().saturating_sub(1);
    let mark = |at: usize| if at == failure || Some(at) == chart.job_at() { '^' } else { ' ' };
    let row: String = (0..=failure).map(mark).collect();
    lines.push(format!("{}  {row}  {}", " ".repeat(width), chart.marks()));
    if chart.more > 0 {
        lines.push(format!("{} more series are not shown", chart.more));
    }
    lines.join("\n")
}

/// A series as a line of block characters from its lowest to its highest value; `·` where a sample is missing.
pub fn sparkline(series: &Series) -> String {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let (low, high) = values::bounds(series.drawn().flatten()).unwrap_or((0.0, 0.0));
    let block = |value: f64| {
        let share = values::share(value, low, high);
        // The scale has eight steps; a share is between 0 and 1.
        BLOCKS
            .iter()
            .zip(1_u8..)
            .find(|(_, n)| share * 8.0 <= f64::from(*n))
            .map_or('█', |(b, _)| *b)
    };
    series.drawn().map(|value| value.map_or('·', block)).collect()
}
