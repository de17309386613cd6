//! A job log as text: without byte-order marks and without what a progress bar drew over; its time stamps stay.

/// The log as text. A mark may stand in the middle too, where the runner joined two blocks.
pub(super) fn text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut clean = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        let line = line.trim_start_matches('\u{feff}').trim_end_matches('\r');
        match line.rsplit_once('\r') {
            Some((before, last)) => {
                clean.push_str(stamp(before).map_or("", |(_, stamp)| stamp));
                clean.push_str(last);
            }
            None => clean.push_str(line),
        }
        clean.push_str(end);
    }
    clean
}

/// The first and the last time stamp, in seconds since 1970.
pub(super) fn span(text: &str) -> Option<(i64, i64)> {
    let time = |line| stamp(line).map(|(time, _)| time);
    Some((text.lines().find_map(time)?, text.lines().rev().find_map(time)?))
}

/// The time stamp in front of a line, and its text with the blank behind it.
fn stamp(line: &str) -> Option<(i64, &str)> {
    let end = line.get(..40).unwrap_or(line).find("Z ")? + 1;
    let time = line.get(..end)?.parse::<jiff::Timestamp>().ok()?;
    Some((time.as_second(), line.get(..=end)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_drawn_over_progress_go_and_time_stamps_stay() {
        let raw = "\u{feff}2026-11-22T12:00:00.1234567Z start\r\n2026-11-22T12:00:01.1234567Z 10%\r 50%\rdone\r\n\
                   \u{feff}2026-11-22T12:00:02.1234567Z \u{1b}[31mred\u{1b}[0m\nno stamp 1\rno stamp 2";
        let want = "2026-11-22T12:00:00.1234567Z start\n2026-11-22T12:00:01.1234567Z done\n\
                    2026-11-22T12:00:02.1234567Z \u{1b}[31mred\u{1b}[0m\nno stamp 2";
        assert_eq!(text(raw.as_bytes()), want);
        assert_eq!(span(want), Some((1_795_348_800, 1_795_348_802)));
        assert_eq!(span("nothing\n"), None);
    }
}
