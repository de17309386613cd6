//! Errors of the configuration: file, line, column, key, and the nearest thing that would be right.

use std::fmt;

/// One mistake in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// File name, or `input NAME`.
    pub place: String,
    /// Line from 1, when it is known.
    pub line: Option<usize>,
    /// Column from 1, when it is known.
    pub column: Option<usize>,
    /// What is wrong, naming the key.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
}

impl ConfigError {
    /// A mistake without a line.
    pub fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        let message = one_line(&message.into());
        Self { place: place.into(), line: None, column: None, message, help: None }
    }

    /// With its line and column.
    #[must_use]
    pub fn at(mut self, position: Option<(usize, usize)>) -> Self {
        self.line = position.map(|(line, _)| line);
        self.column = position.map(|(_, column)| column);
        self
    }

    /// With what would be right.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(one_line(&help.into()));
        self
    }
}

/// What the file holds may stand in a message: in one line, without what moves a terminal, and not without end.
fn one_line(text: &str) -> String {
    const LONGEST: usize = 1000;
    let moves = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut line: String =
        text.chars().take(LONGEST).map(|c| if moves(c) { ' ' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        line.push('…');
    }
    line
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.place)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
            if let Some(column) = self.column {
                write!(f, ":{column}")?;
            }
        }
        write!(f, ": {}", self.message)?;
        if let Some(help) = &self.help {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// All mistakes that were found; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for ConfigErrors {}

/// `did you mean …`, or the list of what would be right when nothing is near.
pub(crate) fn suggest(wrong: &str, known: &[&str]) -> String {
    match nearest(wrong, known) {
        Some(best) => format!("did you mean `{best}`?"),
        None => format!("known here: {}", known.join(", ")),
    }
}

/// The word that is spelled nearly so, else the only one that holds every part of it (`ssh-key`, `ssh-private-key`).
fn nearest<'a>(wrong: &str, known: &[&'a str]) -> Option<&'a str> {
    let wrong = wrong.to_ascii_lowercase();
    let near = known
        .iter()
        .map(|k| (strsim::jaro_winkler(&wrong, k), *k))
        .filter(|(score, _)| *score > 0.8);
    if let Some((_, best)) = near.max_by(|a, b| a.0.total_cmp(&b.0)) {
        return Some(best);
    }
    let parts: Vec<&str> = wrong.split(['-', '_', ' ']).filter(|p| p.len() > 2).collect();
    let holds = |word: &&&str| parts.iter().all(|part| word.split('-').any(|p| p == *part));
    let mut holding = known.iter().filter(holds);
    let first = holding.next().filter(|_| !parts.is_empty())?;
    holding.next().is_none().then_some(*first)
}
