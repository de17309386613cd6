//! The configuration: every mistake has a place, and what holds can be printed and read back as the same.
//!
//! An input is the text of a file; after a NUL, inputs of the action as `name=value`, each up to the next NUL.

use std::sync::OnceLock;

use runner_guard::check;
use runner_guard::config::{self, Config, ConfigError, Inputs, KnownCheck, OptionKind, Origins};

const FILE: &str = "c.yml";

/// Panics when the reader of the configuration breaks a promise on this input.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut parts = text.split('\0');
    let yaml = parts.next().unwrap_or_default();
    let given: Vec<(String, String)> = parts
        .filter_map(|part| part.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let has_inputs = !given.is_empty();
    match config::load(Some((FILE, yaml)), &Inputs::new(given), known()) {
        Err(errors) => {
            assert!(!errors.0.is_empty(), "refused without a mistake");
            errors.0.iter().for_each(|error| has_a_place(error, yaml));
        }
        Ok(config) => {
            let printed = config::print(&config, known());
            // What only an input can set stands as a comment.
            if !has_inputs {
                let again = config::load(Some((FILE, &printed)), &Inputs::default(), known());
                let again = again.unwrap_or_else(|errors| panic!("{errors}\n{printed}"));
                assert_eq!(plain(again), plain(config), "{printed}");
            }
        }
    }
}

fn known() -> &'static [KnownCheck] {
    static KNOWN: OnceLock<Vec<KnownCheck>> = OnceLock::new();
    KNOWN.get_or_init(check::known)
}

fn has_a_place(error: &ConfigError, yaml: &str) {
    let shown = error.to_string();
    assert!(!error.message.is_empty() && !error.message.contains('\n'), "{shown}");
    if error.place != FILE {
        assert!(error.place.starts_with("input "), "{shown}");
        return;
    }
    let line = error.line.unwrap_or_else(|| panic!("no line: {shown}\n{yaml}"));
    let lines = yaml.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).count();
    assert!((1..=lines + 1).contains(&line), "no such line: {shown}\n{yaml}");
    assert!(error.column.is_none_or(|column| column >= 1), "{shown}");
}

/// A configuration without the words about where it came from, and with the defaults of every option written out.
fn plain(mut config: Config) -> Config {
    config.origin = String::new();
    config.unused = Vec::new();
    config.origins = Origins::default();
    for check in known() {
        let settings = config.checks.entry(check.id.to_owned()).or_default();
        for option in check.options {
            let value =
                settings.options.entry(option.name.to_owned()).or_insert(option.default.to_owned());
            // A list may be written in one line or in several.
            if option.kind == OptionKind::List {
                let items: Vec<&str> = value.split(['\n', ',']).map(str::trim).collect();
                *value = items.join("\n");
            }
        }
        settings.options.retain(|_, value| !value.trim().is_empty());
    }
    config
}
