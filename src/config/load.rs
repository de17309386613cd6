//! Text of a configuration file and inputs -> a validated configuration, or every mistake with its place.

use super::apply::{Mistake, build};
use super::checks::KnownCheck;
use super::error::{ConfigError, ConfigErrors, suggest};
use super::locate::Places;
use super::shape::misshapen;
use super::stray;
use super::tree::Node;
use super::{Config, Inputs, schema};

/// Where the file lies when nobody says otherwise; it may be missing.
pub const DEFAULT_FILE: &str = ".github/runner-guard.yml";

/// Largest configuration file in bytes.
const MAX_BYTES: usize = 256 * 1024;

/// Most sections of environments: each one is validated with the whole file.
const MAX_SECTIONS: usize = 64;

/// Most mistakes that are told; nobody reads more.
const MAX_MISTAKES: usize = 100;

/// Reads a configuration. `file` is the name and text of the file, or `None` when there is none; inputs win over the section of the
/// environment, the section over the rest of the file. The sections of other environments are validated too.
///
/// # Errors
/// All mistakes that could be found, each with file, line, key and what would be right.
pub fn load(
    file: Option<(&str, &str)>,
    inputs: &Inputs,
    known: &[KnownCheck],
) -> Result<Config, ConfigErrors> {
    let (name, text) = file.unwrap_or(("defaults", ""));
    let document = Document::read(name, text)?;
    let environment = document.environment(inputs);
    let mut errors = Errors::default();
    let (base, mistakes) = build(&document, None, &environment, inputs, known);
    errors.of_base(mistakes);
    let mut config = base;
    for (name, section) in &document.sections {
        let is_current = name.eq_ignore_ascii_case(&environment);
        let named = if is_current { &environment } else { name };
        let (with_section, mistakes) =
            build(&document, Some((name, section)), named, inputs, known);
        errors.of_section(name, mistakes);
        if is_current {
            config = with_section;
        }
    }
    config.unused.extend(document.without_section(&environment));
    if errors.found.is_empty() { Ok(config) } else { Err(ConfigErrors(errors.found)) }
}

/// What holds when nobody configures anything.
pub fn defaults(known: &[KnownCheck]) -> Config {
    build(&Document::empty("defaults"), None, "", &Inputs::default(), known).0
}

/// A file of the right shape.
pub(super) struct Document {
    pub(super) name: String,
    pub(super) places: Places,
    /// Everything but the head and the sections.
    pub(super) base: Node,
    /// What the key `environment` says.
    pub(super) named: Option<String>,
    /// The sections of environments, by name.
    sections: Vec<(String, Node)>,
}

impl Document {
    fn empty(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            places: Places::default(),
            base: Node::empty(),
            named: None,
            sections: Vec::new(),
        }
    }

    fn read(name: &str, text: &str) -> Result<Self, ConfigErrors> {
        let one = |error: ConfigError| ConfigErrors(vec![error]);
        if text.len() > MAX_BYTES {
            let message = format!("the file has {} bytes, the limit is {MAX_BYTES}", text.len());
            return Err(one(ConfigError::new(name, message)));
        }
        let text = text.trim_start_matches('\u{feff}');
        let mut document = Self { places: Places::of(text), ..Self::empty(name) };
        if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            return Ok(document);
        }
        let mut value: serde_yaml::Value =
            serde_yaml::from_str(text).map_err(|error| document.explain(text, &error))?;
        value.apply_merge().map_err(|error| document.explain(text, &error))?;
        let mut root = Node::new(value, "");
        let errors = document.take_apart(&mut root);
        document.base = root;
        if errors.is_empty() { Ok(document) } else { Err(ConfigErrors(errors)) }
    }

    /// Takes the head out of the tree, and names every mistake in the shape.
    fn take_apart(&mut self, root: &mut Node) -> Vec<ConfigError> {
        let mut errors = Vec::new();
        if let Some(version) = root.take("version").filter(|v| v.text() != "1") {
            let message = format!("version {} is not known", version.text());
            errors.push(self.error(&version.from, message).help("write `version: 1`"));
        }
        if let Some(node) = root.take("environment") {
            let name = node.text();
            if !matches!(node.content, super::tree::Content::Scalar(_)) {
                let error = self.error(&node.from, "`environment` takes a text");
                errors
                    .push(error.help("the section of an environment stands below `environments`"));
            }
            self.named = Some(name.trim().to_owned()).filter(|n| !n.is_empty());
        }
        let sections = root.take("environments");
        let schema = schema::settings();
        let mut wrong = misshapen(root, &schema, false);
        if let Some(node) = sections {
            if !matches!(node.content, super::tree::Content::Map(_)) {
                let error = self.error(&node.from, "`environments` takes a map");
                errors
                    .push(error.help("write the name of each environment, and its keys below it"));
            }
            if node.entries().len() > MAX_SECTIONS {
                let message = format!("{} environments are too many", node.entries().len());
                let error = self.error(&node.from, message);
                errors.push(error.help(format!("the limit is {MAX_SECTIONS}")));
            }
            for (name, section) in node.entries().iter().take(MAX_SECTIONS) {
                wrong.extend(misshapen(section, &schema, true));
                if self.sections.iter().any(|(n, _)| n.eq_ignore_ascii_case(name)) {
                    let message = format!("the environment `{name}` stands here twice");
                    let error = self.error(&section.from, message);
                    errors.push(error.help("names are compared whatever their case: keep one"));
                }
                self.sections.push((name.clone(), section.clone()));
            }
        }
        errors.extend(wrong.into_iter().map(|m| self.error(&m.path, m.message).help(m.help)));
        errors.sort_by_key(|e| (e.line, e.column));
        errors.truncate(MAX_MISTAKES);
        errors
    }

    /// A mistake at this path of the file.
    pub(super) fn error(&self, path: &str, message: impl Into<String>) -> ConfigError {
        ConfigError::new(&self.name, message).at(self.places.find(path))
    }

    /// The name of the environment: the input's, else the file's.
    fn environment(&self, inputs: &Inputs) -> String {
        let given = inputs.given("environment").map(|name| name.trim().to_owned());
        given.or_else(|| self.named.clone()).unwrap_or_default()
    }

    /// That the environment has no section although others have one, and one of them has nearly its name.
    fn without_section(&self, environment: &str) -> Option<String> {
        let wanted = environment.to_ascii_lowercase();
        let names = || self.sections.iter().map(|(name, _)| name);
        if wanted.is_empty() || names().any(|n| n.eq_ignore_ascii_case(environment)) {
            return None;
        }
        let score = |name: &String| strsim::jaro_winkler(&wanted, &name.to_ascii_lowercase());
        let near = names().map(|n| (score(n), n)).filter(|(score, _)| *score > 0.85);
        let (_, best) = near.max_by(|a, b| a.0.total_cmp(&b.0))?;
        Some(format!("environment `{environment}` has no section; did you mean `{best}`?"))
    }

    /// Turns the parser's words into file, line, key and suggestion.
    fn explain(&self, text: &str, error: &serde_yaml::Error) -> ConfigErrors {
        let second = stray::error_of_second_document(text, error);
        let error = second.as_ref().unwrap_or(error);
        let message = error.to_string();
        if message.contains("duplicate entry") {
            let twice = |place: &super::locate::Place| {
                let key = place.path.rsplit('.').next().unwrap_or_default();
                ConfigError::new(&self.name, format!("the key `{key}` stands here twice"))
                    .at(Some((place.line, place.column)))
                    .help("keep one of the two")
            };
            let places = self.places.repeated().iter().take(MAX_MISTAKES);
            let all: Vec<ConfigError> = places.map(twice).collect();
            if !all.is_empty() {
                return ConfigErrors(all);
            }
        }
        let short = message.split(" at line ").next().unwrap_or_default();
        let known = error.location().map(|l| (l.line(), l.column()));
        let position = known.or_else(|| stray::place(text, short));
        ConfigErrors(vec![ConfigError::new(&self.name, short).at(position).help(advice(short))])
    }
}

/// What usually is meant when the parser stops.
fn advice(message: &str) -> &'static str {
    match message {
        m if m.contains("cannot start any token") => {
            "indent with spaces, not with a tab, and put texts that begin with @, ` or % in quotes"
        }
        m if m.contains("mapping values are not allowed") => {
            "put a text that holds `: ` in quotes, and indent keys of one map alike"
        }
        m if m.contains("more than one document") => "keep one document: remove `---`",
        m if m.contains("unknown anchor") => {
            "an alias (*name) needs its anchor (&name) before it; put other texts with * in quotes"
        }
        m if m.contains("did not find expected") || m.contains("unexpected end of stream") => {
            "look for a bracket, brace or quote that is not closed, or for a line that is indented otherwise"
        }
        _ => "see docs/configuration.md for every key and its type",
    }
}

/// The mistakes of the base and of every section, each once.
#[derive(Default)]
struct Errors {
    found: Vec<ConfigError>,
}

impl Errors {
    fn of_base(&mut self, mistakes: Vec<Mistake>) {
        self.found.extend(mistakes.into_iter().map(|m| m.error).take(MAX_MISTAKES));
    }

    fn of_section(&mut self, name: &str, mistakes: Vec<Mistake>) {
        for mut mistake in mistakes {
            if self.found.len() >= MAX_MISTAKES || self.found.contains(&mistake.error) {
                continue;
            }
            if !mistake.in_section {
                let message = &mut mistake.error.message;
                *message = format!("{message} (together with environments.{name})");
            }
            if !self.found.contains(&mistake.error) {
                self.found.push(mistake.error);
            }
        }
    }
}

/// The nearest of these words, for a mistake.
pub(super) fn not_one_of(word: &str, what: &str, known: &[&str]) -> (String, String) {
    (format!("`{word}` is not {what}"), suggest(word, known))
}
