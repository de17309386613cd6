//! Settings of checks, held against the table of checks.

use std::collections::BTreeMap;

use serde_yaml::Value;

use super::super::checks::{CheckSettings, KnownCheck, Level};
use super::super::error::suggest;
use super::super::load::not_one_of;
use super::super::tree::scalar;
use super::Build;

impl Build<'_> {
    pub(super) fn checks(
        &mut self,
        raw: BTreeMap<String, Value>,
        known: &[KnownCheck],
    ) -> BTreeMap<String, CheckSettings> {
        let unset = |k: &KnownCheck| (k.id.to_owned(), unset(k));
        let mut settings: BTreeMap<String, CheckSettings> = known.iter().map(unset).collect();
        for (id, value) in raw {
            if let Some(check) = known.iter().find(|k| k.id == id) {
                settings.insert(id, self.check(check, value));
            } else {
                let ids: Vec<&str> = known.iter().map(|k| k.id).collect();
                let message = format!("unknown check `{id}`");
                self.wrong(&format!("checks.{id}"), message, suggest(&id, &ids));
            }
        }
        settings
    }

    fn check(&mut self, check: &KnownCheck, value: Value) -> CheckSettings {
        let mut settings = unset(check);
        match value {
            Value::Mapping(options) => {
                for (key, value) in options {
                    self.option(check, &mut settings, &scalar(&key), &value);
                }
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Sequence(_)
            | Value::Tagged(_) => {
                let message = format!("`{}` takes a level or a map of options", check.id);
                self.wrong(
                    &format!("checks.{}", check.id),
                    message,
                    "write allow, warn or deny, or `level:` and options below it",
                );
            }
        }
        settings
    }

    fn option(
        &mut self,
        check: &KnownCheck,
        settings: &mut CheckSettings,
        key: &str,
        value: &Value,
    ) {
        let path = format!("checks.{}.{key}", check.id);
        match (key, check.options.iter().find(|o| o.name == key)) {
            ("level", _) => settings.level = self.level(&path, &scalar(value), check.level),
            ("on-unknown", _) => {
                settings.on_unknown = Some(self.level(&path, &scalar(value), Level::Deny));
            }
            (_, Some(spec)) => match spec.kind.read(value) {
                Ok(text) => drop(settings.options.insert(key.to_owned(), text)),
                Err(problem) => {
                    let help = match spec.default {
                        "" => "leave it out to set nothing".to_owned(),
                        default => format!("the default is {default}"),
                    };
                    self.wrong(&path, problem, help);
                }
            },
            (_, None) => {
                let mut names = vec!["level", "on-unknown"];
                names.extend(check.options.iter().map(|o| o.name));
                let message = format!("unknown key `{key}` of check `{}`", check.id);
                self.wrong(&path, message, suggest(key, &names));
            }
        }
    }

    fn level(&mut self, path: &str, word: &str, default: Level) -> Level {
        Level::parse(word).unwrap_or_else(|| {
            let (message, help) = not_one_of(word, "a level", &Level::WORDS);
            self.wrong(path, message, help);
            default
        })
    }
}

fn unset(check: &KnownCheck) -> CheckSettings {
    CheckSettings { level: check.level, on_unknown: check.on_unknown, ..CheckSettings::default() }
}
