//! Text to samples. One pass over each line; every error names the place.

use std::collections::HashMap;

use super::{Exposition, Family, Kind, Sample, is_plain_label_name, is_plain_metric_name};

/// The most samples that one text may hold, and the most families that it may describe: what is kept of each costs more than its line.
pub const MAX_SAMPLES: usize = 100_000;

/// The longest text in quotes, in bytes: a label value, or a name.
pub const MAX_QUOTED: usize = 64 << 10;

/// The most labels that one sample may have.
pub const MAX_LABELS: usize = 128;

/// Where a text leaves the format, and how.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {what}")]
pub struct ParseError {
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// What was expected and what was found.
    pub what: String,
}

/// Reads a whole exposition. `# EOF` makes it `OpenMetrics`: timestamps are then seconds, and nothing may follow.
pub fn parse(text: &str) -> Result<Exposition, ParseError> {
    let mut reading = Reading::default();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, line) in text.split('\n').enumerate() {
        let mut cursor = Cursor { line: line.strip_suffix('\r').unwrap_or(line), at: 0 };
        reading.line(&mut cursor).map_err(|fault| ParseError {
            line: index + 1,
            column: fault.column,
            what: fault.what,
        })?;
    }
    Ok(reading.finish())
}

/// An error within a line.
struct Fault {
    column: usize,
    what: String,
}

#[derive(Default)]
struct Reading {
    samples: Vec<Sample>,
    /// The timestamps as written, for the samples that have one.
    times: Vec<(usize, Time)>,
    families: Vec<Family>,
    places: HashMap<String, usize>,
    ended: bool,
}

#[derive(Clone, Copy)]
enum Time {
    Whole(i64),
    Fraction(f64),
}

impl Reading {
    fn line(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        cursor.skip_blanks();
        match cursor.peek() {
            None => Ok(()),
            Some(_) if self.ended => Err(cursor.expected("nothing after `# EOF`")),
            Some('#') => self.comment(cursor),
            Some('<') if self.samples.is_empty() => {
                let fault = cursor.expected("a metric name or `#`");
                Err(Fault {
                    what: format!("{}: this is an HTML page, not metrics", fault.what),
                    ..fault
                })
            }
            Some(_) => self.sample(cursor),
        }
    }

    fn comment(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        if self.families.len() >= MAX_SAMPLES {
            return Err(cursor.fault(format!("more than the limit of {MAX_SAMPLES} families")));
        }
        cursor.advance('#');
        cursor.skip_blanks();
        match cursor.word() {
            "EOF" => self.ended = cursor.rest().trim().is_empty(),
            "TYPE" => {
                let Some(name) = cursor.family_name()? else { return Ok(()) };
                let kind = cursor.kind()?;
                self.describe(name, |family| family.kind = Some(kind));
            }
            "HELP" => {
                let Some(name) = cursor.family_name()? else { return Ok(()) };
                self.describe(name, |family| family.help = unescape(cursor.rest()));
            }
            "UNIT" => {
                let Some(name) = cursor.family_name()? else { return Ok(()) };
                let unit = cursor.rest().trim().to_owned();
                self.describe(name, |family| family.unit = Some(unit));
            }
            _ => {}
        }
        Ok(())
    }

    fn describe(&mut self, name: String, fact: impl FnOnce(&mut Family)) {
        let next = self.families.len();
        let place = *self.places.entry(name.clone()).or_insert(next);
        if place == next {
            self.families.push(Family { name, ..Family::default() });
        }
        if let Some(family) = self.families.get_mut(place) {
            fact(family);
        }
    }

    fn sample(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        if self.samples.len() >= MAX_SAMPLES {
            return Err(cursor.fault(format!("more than the limit of {MAX_SAMPLES} samples")));
        }
        let mut name = None;
        if cursor.peek() != Some('{') {
            name = Some(cursor.metric_name()?);
            cursor.skip_blanks();
        }
        let labels = if cursor.take('{') { cursor.labels(&mut name)? } else { Vec::new() };
        let Some(name) = name else {
            return Err(cursor.fault("expected a quoted metric name between the braces".to_owned()));
        };
        let value = cursor.value()?;
        if let Some(time) = cursor.time()? {
            self.times.push((self.samples.len(), time));
        }
        cursor.end_of_sample()?;
        self.samples.push(Sample { name, labels, value, timestamp_ms: None });
        Ok(())
    }

    fn finish(mut self) -> Exposition {
        for (place, time) in self.times {
            if let Some(sample) = self.samples.get_mut(place) {
                sample.timestamp_ms = Some(time.milliseconds(self.ended));
            }
        }
        Exposition { samples: self.samples, families: self.families }
    }
}

impl Time {
    /// 0.0.4 writes whole milliseconds, `OpenMetrics` writes seconds; a fraction exists only in the latter.
    fn milliseconds(self, seconds: bool) -> i64 {
        match self {
            Self::Whole(number) if seconds => number.saturating_mul(1000),
            Self::Whole(number) => number,
            #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, as intended")]
            Self::Fraction(number) => (number * 1000.0).round() as i64,
        }
    }
}

/// A place in one line.
struct Cursor<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        self.line.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn advance(&mut self, c: char) {
        self.at += c.len_utf8();
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.advance(wanted);
        }
        found
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
    }

    /// The characters up to the next blank; the blanks behind them are skipped.
    fn word(&mut self) -> &'a str {
        self.take_until(|c| c == ' ' || c == '\t')
    }

    fn take_until(&mut self, stop: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let (word, _) = rest.split_at(rest.find(stop).unwrap_or(rest.len()));
        self.at += word.len();
        self.skip_blanks();
        word
    }

    fn fault(&self, what: String) -> Fault {
        let before = self.line.get(..self.at).unwrap_or(self.line);
        Fault { column: before.chars().count() + 1, what }
    }

    fn expected(&self, what: &str) -> Fault {
        let found = match self.peek() {
            None => "the end of the line".to_owned(),
            Some(c) => format!("`{}`", c.escape_debug()),
        };
        self.fault(format!("expected {what}, found {found}"))
    }

    /// The name in a `# HELP`, `# TYPE` or `# UNIT` line; a line without one is an ordinary comment.
    fn family_name(&mut self) -> Result<Option<String>, Fault> {
        if self.peek().is_none() {
            return Ok(None);
        }
        let name = if self.peek() == Some('"') { self.quoted()? } else { self.word().to_owned() };
        self.skip_blanks();
        Ok(Some(name))
    }

    fn kind(&mut self) -> Result<Kind, Fault> {
        let start = self.at;
        let word = self.word();
        if let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.word() == word) {
            return Ok(kind);
        }
        let words = Kind::ALL.map(Kind::word).join(", ");
        Err(Self { line: self.line, at: start }.expected(&format!("a metric type ({words})")))
    }

    fn metric_name(&mut self) -> Result<String, Fault> {
        self.name("a metric name", is_plain_metric_name)
    }

    /// The longest run of name characters; what follows it is judged by the caller.
    fn name(&mut self, what: &str, is_plain: fn(&str) -> bool) -> Result<String, Fault> {
        let rest = self.rest();
        let part_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        let end = rest.find(|c| !part_of_name(c)).unwrap_or(rest.len());
        let (name, _) = rest.split_at(end);
        if !is_plain(name) {
            return Err(self.expected(what));
        }
        self.at += end;
        Ok(name.to_owned())
    }

    /// The labels behind `{`, and with them a quoted metric name, which takes the place of a label.
    fn labels(&mut self, name: &mut Option<String>) -> Result<Vec<(String, String)>, Fault> {
        let mut labels: Vec<(String, String)> = Vec::new();
        loop {
            self.skip_blanks();
            if self.take('}') {
                return Ok(labels);
            }
            if labels.len() >= MAX_LABELS {
                return Err(self.fault(format!("more than the limit of {MAX_LABELS} labels")));
            }
            self.label(name, &mut labels)?;
            self.skip_blanks();
            if !self.take(',') && self.peek() != Some('}') {
                return Err(self.expected("`,` or `}`"));
            }
        }
    }

    fn label(
        &mut self,
        name: &mut Option<String>,
        labels: &mut Vec<(String, String)>,
    ) -> Result<(), Fault> {
        let quoted = self.peek() == Some('"');
        let start = Self { line: self.line, at: self.at };
        let key = if quoted {
            self.quoted()?
        } else {
            self.name("a label name or `}`", is_plain_label_name)?
        };
        self.skip_blanks();
        if quoted && name.is_none() && matches!(self.peek(), Some(',' | '}')) {
            *name = Some(key);
            return Ok(());
        }
        if !self.take('=') {
            return Err(self.expected("`=`"));
        }
        if labels.iter().any(|(other, _)| *other == key) {
            return Err(start.fault(format!("the label `{}` occurs twice", key.escape_debug())));
        }
        self.skip_blanks();
        labels.push((key, self.quoted()?));
        Ok(())
    }

    /// A string in quotes. An escape that the format does not know stays as it is.
    fn quoted(&mut self) -> Result<String, Fault> {
        if !self.take('"') {
            return Err(self.expected("`\"`"));
        }
        let body = self.rest();
        let mut escaped = false;
        for (end, byte) in body.bytes().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' if end > MAX_QUOTED => {
                    return Err(self.fault(format!(
                        "a text of {end} bytes, more than the limit of {MAX_QUOTED}"
                    )));
                }
                b'"' => {
                    self.at += end + 1;
                    return Ok(unescape(body.get(..end).unwrap_or_default()));
                }
                _ => {}
            }
        }
        self.at = self.line.len();
        Err(self.expected("`\"` at the end of the text in quotes"))
    }

    fn value(&mut self) -> Result<f64, Fault> {
        self.skip_blanks();
        let start = Self { line: self.line, at: self.at };
        let word = self.word();
        word.parse().map_err(|_| start.expected("a number"))
    }

    fn time(&mut self) -> Result<Option<Time>, Fault> {
        if matches!(self.peek(), None | Some('#')) {
            return Ok(None);
        }
        let start = Self { line: self.line, at: self.at };
        let word = self.word();
        if let Ok(whole) = word.parse() {
            return Ok(Some(Time::Whole(whole)));
        }
        match word.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Some(Time::Fraction(number))),
            Ok(_) | Err(_) => Err(start.expected("a timestamp or the end of the line")),
        }
    }

    /// Behind the sample stands nothing, or an exemplar, which is not kept.
    fn end_of_sample(&self) -> Result<(), Fault> {
        match self.peek() {
            None | Some('#') => Ok(()),
            Some(_) => Err(self.expected("the end of the line")),
        }
    }
}

/// `\\`, `\"` and `\n` become what they stand for; any other backslash stays.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find('\\') {
        let (before, from) = rest.split_at(place);
        plain.push_str(before);
        let (c, length) = match from.as_bytes().get(1) {
            Some(b'\\') => ('\\', 2),
            Some(b'"') => ('"', 2),
            Some(b'n') => ('\n', 2),
            Some(_) | None => ('\\', 1),
        };
        plain.push(c);
        rest = from.get(length..).unwrap_or_default();
    }
    plain.push_str(rest);
    plain
}
