//! The Prometheus text format (0.0.4 and `OpenMetrics` 1.0): read from foreign exporters, written by our own.
//!
//! What a sample means is not decided here, and nothing is fetched here. A body that is not in this format is an error that names
//! the line and the column; nothing is skipped in silence. Parsing takes linear time for any input.

mod parse;
mod render;

pub use parse::{MAX_LABELS, MAX_QUOTED, MAX_SAMPLES, ParseError, parse};
pub use render::{render, write_family, write_sample};

/// The content of one scrape.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Exposition {
    /// The samples in the order of the text.
    pub samples: Vec<Sample>,
    /// What the text says about its metric families, in the order of first mention.
    pub families: Vec<Family>,
}

/// One sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The name of the metric, with the suffix (`_total`, `_bucket`, …) that the text gives.
    pub name: String,
    /// Name and value of each label, unescaped, in the order of the text; no name occurs twice.
    pub labels: Vec<(String, String)>,
    /// The value; may be not a number or infinite.
    pub value: f64,
    /// Milliseconds since the epoch, when the text gives a time (`OpenMetrics` seconds are converted).
    pub timestamp_ms: Option<i64>,
}

/// Metadata of one metric family.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Family {
    /// The name of the family.
    pub name: String,
    /// Its type, when a `# TYPE` line gives it.
    pub kind: Option<Kind>,
    /// Its help text, unescaped; empty when there is none.
    pub help: String,
    /// Its unit, when a `# UNIT` line gives it.
    pub unit: Option<String>,
}

/// The type of a metric family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, except when its process restarts.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Cumulative buckets.
    Histogram,
    /// Quantiles.
    Summary,
    /// No type known (0.0.4).
    Untyped,
    /// No type known (`OpenMetrics`).
    Unknown,
    /// Facts as labels (`OpenMetrics`).
    Info,
    /// One series for each state (`OpenMetrics`).
    StateSet,
    /// Buckets that also shrink (`OpenMetrics`).
    GaugeHistogram,
}

impl Kind {
    /// Every type.
    pub const ALL: [Self; 9] = [
        Self::Counter,
        Self::Gauge,
        Self::Histogram,
        Self::Summary,
        Self::Untyped,
        Self::Unknown,
        Self::Info,
        Self::StateSet,
        Self::GaugeHistogram,
    ];

    /// The word that stands in a `# TYPE` line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
            Self::Untyped => "untyped",
            Self::Unknown => "unknown",
            Self::Info => "info",
            Self::StateSet => "stateset",
            Self::GaugeHistogram => "gaugehistogram",
        }
    }
}

impl Exposition {
    /// The samples of this exact name, in the order of the text.
    pub fn find<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Sample> {
        self.samples.iter().filter(move |sample| sample.name == name)
    }
}

impl Sample {
    /// The value of a label; `None` when the sample has no such label.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Whether a metric name needs no quotes.
fn is_plain_metric_name(name: &str) -> bool {
    is_plain(name, |byte| byte == b'_' || byte == b':')
}

/// Whether a label name needs no quotes.
fn is_plain_label_name(name: &str) -> bool {
    is_plain(name, |byte| byte == b'_')
}

fn is_plain(name: &str, also: impl Fn(u8) -> bool) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || also(byte))
}

#[cfg(test)]
mod tests;
