//! Durations and sizes in words for people. The JSON report has plain numbers instead.

use std::time::Duration;

/// `420 ms`, `1.2 s`, `2 min 3 s`, `1 h 2 min`.
pub(super) fn duration(took: Duration) -> String {
    let (millis, seconds) = (took.as_millis(), took.as_secs());
    match seconds {
        0 => format!("{millis} ms"),
        1..60 => format!("{}.{} s", seconds, millis % 1000 / 100),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// `512 B`, `1.2 KiB`, `900.0 MiB`.
pub(super) fn bytes(size: u64) -> String {
    if size < 1024 {
        return format!("{size} B");
    }
    let mut tenths = u128::from(size) * 10 / 1024;
    let mut unit = "KiB";
    for larger in ["MiB", "GiB", "TiB"] {
        if tenths < 10_240 {
            break;
        }
        tenths /= 1024;
        unit = larger;
    }
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

/// `1 warning`, `2 warnings`.
pub(super) fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// `4,996`.
pub(super) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `14:05`: the time of day in UTC of seconds since 1970.
pub(super) fn clock(at: i64) -> String {
    let minutes = at.rem_euclid(86_400) / 60;
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Whole milliseconds.
pub(super) fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_like_words() {
        for (ms, words) in [
            (0, "0 ms"),
            (420, "420 ms"),
            (1250, "1.2 s"),
            (123_000, "2 min 3 s"),
            (3_720_000, "1 h 2 min"),
        ] {
            assert_eq!(duration(Duration::from_millis(ms)), words);
        }
    }

    #[test]
    fn sizes_read_like_words() {
        for (size, words) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1_300_000, "1.2 MiB"),
            (5 << 40, "5.0 TiB"),
        ] {
            assert_eq!(bytes(size), words);
        }
        assert!(bytes(u64::MAX).ends_with(" TiB"));
    }

    #[test]
    fn numbers_and_times_of_day_read_like_words() {
        assert_eq!([0, 999, 4996, 1_234_567].map(thousands), ["0", "999", "4,996", "1,234,567"]);
        assert_eq!(
            [0, 86_399, 1_790_000_000, -60].map(clock),
            ["00:00", "23:59", "14:13", "23:59"]
        );
    }

    #[test]
    fn one_is_singular() {
        assert_eq!(count(1, "warning"), "1 warning");
        assert_eq!(count(0, "warning"), "0 warnings");
    }
}
