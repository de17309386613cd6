//! The rules of redaction and the profile.

use std::collections::BTreeSet;

use super::super::raw::{RawRedact, RawRedactRule};
use super::super::redaction::{Profile, RULES_MAX, Redact, RedactFind, RedactRule};
use super::Build;
use crate::config::load::not_one_of;

impl Build<'_> {
    pub(super) fn redact(&mut self, raw: RawRedact) -> Redact {
        if raw.rules.len() > RULES_MAX {
            let message = format!("{} rules are more than {RULES_MAX}", raw.rules.len());
            self.wrong("redact.rules", message, "join some of them with `|` in one regex");
        }
        let profile = raw.profile.as_deref().unwrap_or("internal");
        let profile = Profile::of(profile).unwrap_or_else(|| {
            let words = Profile::WORDS;
            let (message, help) = not_one_of(profile, "a profile", &words);
            self.wrong("redact.profile", message, help);
            Profile::default()
        });
        let mut names = BTreeSet::new();
        let rules = raw.rules.into_iter().enumerate();
        let rules = rules.filter_map(|(at, raw)| {
            let path = format!("redact.rules[{at}]");
            let rule = self.redact_rule(&path, raw)?;
            if !names.insert(rule.name.clone()) {
                let message = format!("two rules have the name `{}`", rule.name);
                self.wrong(&format!("{path}.name"), message, "give each rule a name of its own");
            }
            Some(rule)
        });
        Redact { profile, rules: rules.collect() }
    }

    fn redact_rule(&mut self, path: &str, raw: RawRedactRule) -> Option<RedactRule> {
        let name = raw.name.trim().to_owned();
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
        let starts = name.starts_with(|c: char| c.is_ascii_lowercase());
        if !starts || name.len() > 40 || !name.bytes().all(plain) {
            let message = format!("`{name}` is not a name of a rule");
            let help = "a lower-case letter, then letters, digits, `.`, `_` and `-`, at most 40";
            self.wrong(&format!("{path}.name"), message, help);
            return None;
        }
        let given = [
            raw.literal.map(|text| RedactFind::Literal(text.0)),
            raw.regex.map(RedactFind::Regex),
            raw.path.map(RedactFind::Path),
        ];
        let mut given: Vec<RedactFind> = given.into_iter().flatten().collect();
        if given.len() != 1 {
            let message =
                format!("the rule `{name}` has {} of literal, regex and path", given.len());
            self.wrong(path, message, "write exactly one of them");
            return None;
        }
        let find = given.pop()?;
        if let Some((problem, help)) = find.problem() {
            self.wrong(&format!("{path}.{}", find.key()), problem, help);
            return None;
        }
        let files = raw.files.map(|files| files.trim().to_owned()).filter(|f| !f.is_empty());
        Some(RedactRule { name, find, files })
    }
}
