//! Values that people write: durations, sizes, endpoints.

use std::time::Duration;

/// Reads `90s`, `5m`, `1h30m`, `250ms` or a bare number of seconds.
///
/// # Errors
/// A sentence that says what was expected.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a duration: write 90s, 5m, 1h30m or 250ms");
    let mut rest = text.trim();
    if let Ok(seconds) = rest.parse::<u32>() {
        return Ok(Duration::from_secs(u64::from(seconds)));
    }
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let number: u32 = rest[..digits].parse().map_err(|_| wrong())?;
        let after = &rest[digits..];
        let unit_end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let unit = match after[..unit_end].trim() {
            "ms" => Duration::from_millis(1),
            "s" => Duration::from_secs(1),
            "m" | "min" => Duration::from_mins(1),
            "h" => Duration::from_hours(1),
            "d" => Duration::from_hours(24),
            _ => return Err(wrong()),
        };
        total =
            unit.checked_mul(number).and_then(|part| total.checked_add(part)).ok_or_else(wrong)?;
        rest = &after[unit_end..];
    }
    Ok(total)
}

/// Writes a time as people write it in the file: `1h30m`, `90s` is `1m30s`, `250ms`.
pub fn duration_text(time: Duration) -> String {
    let (seconds, millis) = (time.as_secs(), time.subsec_millis());
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3600 % 24, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
        (u64::from(millis), "ms"),
    ];
    let parts = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}"));
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() { "0s".to_owned() } else { parts.concat() }
}

/// Reads `5 GiB`, `500MB`, `1024` as bytes.
///
/// # Errors
/// A sentence that says what was expected.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is not a size: write 5 GiB, 500 MB or a number of bytes");
    let trimmed = text.trim();
    let split = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(split);
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "kib" | "k" => 1 << 10,
        "mb" => 1_000_000,
        "mib" | "m" => 1 << 20,
        "gb" => 1_000_000_000,
        "gib" | "g" => 1 << 30,
        "tb" => 1_000_000_000_000,
        "tib" | "t" => 1 << 40,
        _ => return Err(wrong()),
    };
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(factor).ok_or_else(wrong);
    }
    let number: f64 = number.parse().map_err(|_| wrong())?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a size below 2^53 bytes is meant"
    )]
    let bytes = (number * factor as f64) as u64;
    Ok(bytes)
}

/// Writes bytes as people read them: `1.2 GiB`.
pub fn bytes_text(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

/// Something that must be reachable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// An address to ask over HTTP or HTTPS.
    Http(String),
    /// A port to open.
    Tcp {
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
    },
}

impl Endpoint {
    /// Reads `https://host/path`, `http://host`, `tcp://host:port` or `host:port`.
    ///
    /// # Errors
    /// A sentence that says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let wrong =
            || format!("`{text}` is not an endpoint: write https://host/path or tcp://host:port");
        if text.starts_with("http://") || text.starts_with("https://") {
            let url: http::Uri = text.parse().map_err(|_| wrong())?;
            let authority = url.authority().ok_or_else(wrong)?;
            if authority.as_str().contains('@') {
                return Err("an endpoint must not carry a user or a password".to_owned());
            }
            return Ok(Self::Http(text.to_owned()));
        }
        let (host, port) =
            text.strip_prefix("tcp://").unwrap_or(text).rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| wrong())?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        if host.is_empty() || !host.chars().all(allowed) {
            return Err(wrong());
        }
        Ok(Self::Tcp { host: host.to_owned(), port })
    }

    /// The endpoint as the user wrote it.
    pub fn text(&self) -> String {
        match self {
            Self::Http(url) => url.clone(),
            Self::Tcp { host, port } => format!("tcp://{host}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        assert_eq!(parse_duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("1h30m"), Ok(Duration::from_mins(90)));
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_duration("60"), Ok(Duration::from_mins(1)));
        for wrong in ["", "soon", "5x", "-1s", "s"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_time_that_was_written_is_read_as_the_same_time() {
        for text in ["0s", "1m30s", "1h", "2d1ms", "250ms", "6h"] {
            assert_eq!(parse_duration(text).map(duration_text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn sizes_are_read_and_written_as_people_write_them() {
        assert_eq!(parse_bytes("5 GiB"), Ok(5 << 30));
        assert_eq!(parse_bytes("1.5GiB"), Ok(3 << 29));
        assert_eq!(parse_bytes("500 MB"), Ok(500_000_000));
        assert!(parse_bytes("lots").is_err());
        assert_eq!(bytes_text(5 << 30), "5.0 GiB");
        assert_eq!(bytes_text(512), "512 B");
    }

    #[test]
    fn endpoints_are_told_apart() {
        assert_eq!(
            Endpoint::parse("https://a.example/x"),
            Ok(Endpoint::Http("https://a.example/x".to_owned()))
        );
        assert_eq!(
            Endpoint::parse("tcp://db:5432"),
            Ok(Endpoint::Tcp { host: "db".to_owned(), port: 5432 })
        );
        assert_eq!(
            Endpoint::parse("[::1]:22"),
            Ok(Endpoint::Tcp { host: "::1".to_owned(), port: 22 })
        );
        for wrong in ["ftp//x", "db", "db:99999", "https://u:p@h/"] {
            assert!(Endpoint::parse(wrong).is_err(), "{wrong}");
        }
    }
}
