//! Numbers of a chart: their bounds, their place between them, and their words.

use super::{Series, Unit};
use crate::report::units;

/// The largest number that is written out; beyond it digits mean nothing to a reader.
const LARGEST: f64 = 1e15;

/// The lowest and the highest of finite numbers; `None` when there are none.
pub(super) fn bounds(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |so_far, value| match so_far {
        None => Some((value, value)),
        Some((low, high)) => Some((value.min(low), value.max(high))),
    })
}

/// Where a value lies between two bounds, from 0 to 1. A flat line of zeros lies at the bottom, any other in the middle.
pub(super) fn share(value: f64, low: f64, high: f64) -> f64 {
    let span = high / 2.0 - low / 2.0;
    if span > 0.0 {
        ((value / 2.0 - low / 2.0) / span).clamp(0.0, 1.0)
    } else if value == 0.0 {
        0.0
    } else {
        0.5
    }
}

/// See [`super::humanised`].
pub(super) fn humanised(value: Option<f64>, unit: Unit) -> String {
    let Some(value) = value else { return "no sample".to_owned() };
    if !value.is_finite() {
        return "not a number".to_owned();
    }
    if value.abs() > LARGEST * 1000.0 {
        return format!("{value:.1e}");
    }
    match unit {
        Unit::Bytes => {
            let sign = if value <= -1.0 { "-" } else { "" };
            format!("{sign}{}", units::bytes(whole(value.abs())))
        }
        Unit::Share => format!("{:.1} %", value * 100.0),
        Unit::Seconds => format!("{} s", decimal(value)),
        Unit::Count => decimal(value),
    }
}

/// `96.0 % → no sample (lowest 12.0 %, highest 96.0 %)`.
pub(super) fn range(series: &Series, unit: Unit) -> String {
    let word = |value| humanised(value, unit);
    let ends = format!("{} → {}", word(series.before()), word(series.at_failure()));
    match bounds(series.drawn().flatten()) {
        Some((low, high)) if low < high => {
            format!("{ends} (lowest {}, highest {})", word(Some(low)), word(Some(high)))
        }
        Some(_) | None => ends,
    }
}

/// At most three places, none that is zero; never with an exponent.
pub(super) fn decimal(value: f64) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// What the numbers of an axis are divided by, and the word for it; `None` when they are too large to be written out.
pub(super) fn scale(highest: f64, unit: Unit) -> Option<(f64, &'static str)> {
    let (by, word) = match unit {
        Unit::Bytes => {
            let steps =
                [(1_u64 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
            let larger = |(by, word): (u64, &'static str)| (float(by), word);
            steps.into_iter().map(larger).find(|(by, _)| highest >= *by).unwrap_or((1.0, "bytes"))
        }
        Unit::Share => (0.01, "%"),
        Unit::Seconds => (1.0, "seconds"),
        Unit::Count => (1.0, "count"),
    };
    (highest / by <= LARGEST).then_some((by, word))
}

#[expect(clippy::cast_precision_loss, reason = "a place in a picture or a power of two")]
pub(super) fn float(n: u64) -> f64 {
    n as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number that is not negative, and the cast saturates"
)]
fn whole(value: f64) -> u64 {
    value as u64
}
