//! Who set a value: nobody, a line of the file, the section of an environment, an input, or a flag.

use std::collections::BTreeMap;
use std::fmt;

/// Who set a value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Origin {
    /// Nobody: what holds when nothing is configured.
    #[default]
    Default,
    /// The base of the file.
    File {
        /// Name of the file.
        name: String,
        /// Line from 1, when it is known.
        line: Option<usize>,
    },
    /// The section of an environment in the file.
    Environment {
        /// Name of the environment as the file writes it.
        name: String,
        /// Line from 1, when it is known.
        line: Option<usize>,
    },
    /// An input of the action.
    Input(String),
    /// A flag of the command line.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { name, line: Some(line) } => write!(f, "{name}:{line}"),
            Self::File { name, line: None } => f.write_str(name),
            Self::Environment { name, line: Some(line) } => {
                write!(f, "environments.{name}, line {line}")
            }
            Self::Environment { name, line: None } => write!(f, "environments.{name}"),
            Self::Input(name) => write!(f, "input {name}"),
            Self::Flag(name) => write!(f, "--{name}"),
        }
    }
}

/// The origins of values by their path: `gate.mode`, `runners[1].exporter`. What is not in it is a default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origins(BTreeMap<String, Origin>);

impl Origins {
    /// Who set the value with this path.
    pub fn of(&self, path: &str) -> Origin {
        self.0.get(path).cloned().unwrap_or_default()
    }

    /// Whether somebody set the value with this path, or one below it.
    pub fn is_set(&self, path: &str) -> bool {
        self.first(path).is_some()
    }

    /// The origin of the value with this path, or of the first one below it; `None` when nobody set any.
    pub fn first(&self, path: &str) -> Option<&Origin> {
        let below = |key: &str| {
            key.strip_prefix(path)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        self.0
            .range(path.to_owned()..)
            .take_while(|(k, _)| k.starts_with(path))
            .find_map(|(key, origin)| below(key).then_some(origin))
    }

    pub(super) fn set(&mut self, path: impl Into<String>, origin: Origin) {
        self.0.insert(path.into(), origin);
    }

    /// Forgets this path and everything below it.
    pub(super) fn forget(&mut self, path: &str) {
        self.0.retain(|key, _| {
            !key.strip_prefix(path)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        });
    }
}
