//! One line of a log in `_diag`: `[2026-01-31 10:00:00Z INFO JobDispatcher] message`. Lines without such a head continue the message
//! before them.

/// The head of a message and what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// When, in seconds since 1970.
    pub at: i64,
    /// Whether its level is one of a trouble: `WARN`, `ERR` or `CRIT`.
    pub trouble: bool,
    /// The part of the runner that speaks.
    pub source: &'a str,
    /// What it says.
    pub message: &'a str,
}

/// The longest head that is looked at, in bytes.
const LONGEST: usize = 160;

/// Reads the head of a line; `None` when the line continues the one before.
pub fn record(line: &str) -> Option<Record<'_>> {
    let inner = line.trim_start_matches('\u{feff}').strip_prefix('[')?;
    let inner =
        inner.strip_prefix("RUNNER ").or_else(|| inner.strip_prefix("WORKER ")).unwrap_or(inner);
    let at = time(inner.get(..20)?)?;
    let rest = inner.get(20..)?.strip_prefix(' ')?;
    let end = rest.find("] ").or_else(|| rest.ends_with(']').then(|| rest.len() - 1))?;
    if end > LONGEST {
        return None;
    }
    let (level, source) = rest.get(..end)?.split_once(' ')?;
    Some(Record {
        at,
        trouble: matches!(level, "CRIT" | "ERR" | "WARN"),
        source: source.trim_start(),
        message: rest.get(end + 1..)?.trim_start_matches(' ').trim_end_matches('\r'),
    })
}

/// A point in time as the runner writes it, always UTC: `2026-01-31 10:00:00Z`, with `T`, or in messages `01/31/2026 10:00:00` and
/// `1/31/2026 10:00:00 AM`. In seconds since 1970.
pub fn time(text: &str) -> Option<i64> {
    let text = text.trim().trim_end_matches(['.', 'Z']);
    let (day, clock) = text.split_once([' ', 'T'])?;
    let (year, month, date) = if day.contains('/') {
        let [month, date, year] = numbers(day, '/')?;
        (year, month, date)
    } else {
        let [year, month, date] = numbers(day, '-')?;
        (year, month, date)
    };
    let (clock, half) = clock.split_once(' ').map_or((clock, None), |(c, half)| (c, Some(half)));
    let [hour, minute, second] = numbers(clock, ':')?;
    let hour = match half {
        Some("PM") => hour % 12 + 12,
        Some("AM") => hour % 12,
        Some(_) => return None,
        None => hour,
    };
    let small = |number: i64| i8::try_from(number).ok();
    let date =
        jiff::civil::Date::new(i16::try_from(year).ok()?, small(month)?, small(date)?).ok()?;
    let time = jiff::civil::Time::new(small(hour)?, small(minute)?, small(second)?, 0).ok()?;
    let zoned = date.to_datetime(time).to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_second())
}

fn numbers(text: &str, between: char) -> Option<[i64; 3]> {
    let mut parts = text.splitn(3, between).map(|part| {
        let digits = part.split('.').next().unwrap_or_default();
        digits.parse::<u32>().ok().map(i64::from)
    });
    Some([parts.next()??, parts.next()??, parts.next()??])
}

/// The start of the process in the name of its log, `Worker_20260131-100000-utc.log`, in seconds since 1970.
pub fn time_in_name(name: &str) -> Option<i64> {
    let stamp = name.split(['_', '-']).find(|part| part.len() == 8)?;
    let clock = name.split('-').find(|part| part.len() == 6)?;
    let part = |text: &str, from: usize, to: usize| text.get(from..to).map(str::to_owned);
    let day = [part(stamp, 0, 4)?, part(stamp, 4, 6)?, part(stamp, 6, 8)?].join("-");
    let clock = [part(clock, 0, 2)?, part(clock, 2, 4)?, part(clock, 4, 6)?].join(":");
    time(&format!("{day} {clock}"))
}

/// A time as the logs write it.
pub fn shown(at: i64) -> String {
    let stamp = jiff::Timestamp::from_second(at).unwrap_or_default();
    stamp.to_string().replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: i64 = 1_769_853_600;

    #[test]
    fn heads_of_files_and_of_the_console_are_read() {
        for (line, trouble) in [
            ("[2026-01-31 10:00:00Z INFO JobDispatcher] it went", false),
            ("\u{feff}[2026-01-31 10:00:00Z ERR  JobDispatcher] it went\r", true),
            ("[RUNNER 2026-01-31 10:00:00Z WARN JobDispatcher] it went", true),
        ] {
            let want = Record { at: TEN, trouble, source: "JobDispatcher", message: "it went" };
            assert_eq!(record(line), Some(want), "{line}");
        }
        for line in [
            "",
            "[x",
            "   at System.IO",
            "[2026-01-31 10:00:00Z INFO",
            "[2026-13-31 10:00:00Z INFO A] b",
        ] {
            assert_eq!(record(line), None, "{line}");
        }
    }

    #[test]
    fn every_spelling_of_a_time_is_the_same_time() {
        for text in [
            "2026-01-31 10:00:00Z",
            "2026-01-31T10:00:00.1234567Z",
            "01/31/2026 10:00:00",
            "1/31/2026 10:00:00 AM",
        ] {
            assert_eq!(time(text), Some(TEN), "{text}");
        }
        assert_eq!(time("1/31/2026 12:00:00 AM"), Some(TEN - 36_000));
        assert_eq!(time("1/31/2026 12:00:00 PM"), Some(TEN + 7_200));
        assert_eq!(time("soon"), None);
        assert_eq!(time_in_name("Worker_20260131-100000-utc.log"), Some(TEN));
        assert_eq!(time_in_name("SelfUpdate-20260131-100000.log.failed"), None);
        assert_eq!(time_in_name("Worker_x.log"), None);
        assert_eq!(shown(TEN), "2026-01-31 10:00:00Z");
    }

    proptest::proptest! {
        #[test]
        fn no_line_makes_it_panic(line in "(\\[|RUNNER |[0-9/ :TZ-]|ä|\\] |AM|INFO ){0,40}") {
            let _ = (record(&line), time(&line), time_in_name(&line));
        }
    }
}
