//! What a user wants to have removed besides secrets, validated. It removes nothing.

use regex::RegexBuilder;
use serde_yaml::Value;

use super::Inputs;
use super::load::load;

/// Largest compiled expression, in bytes.
const SIZE_MAX: usize = 1 << 20;
/// Most rules.
pub(super) const RULES_MAX: usize = 64;
/// Shortest literal, in characters.
const LITERAL_MIN: usize = 3;

/// What a file that can not be used says about redaction, as far as it can be understood: a mistake elsewhere must not open what it
/// closes. When it is not understood as a whole, the rules that are right hold with the strictest profile.
pub fn salvaged(text: &str) -> Option<Redact> {
    let strictest = |rules| Redact { profile: Profile::Public, rules };
    let Ok(file) = serde_yaml::from_str::<Value>(text) else {
        return text.contains("redact").then(|| strictest(Vec::new()));
    };
    let section = file.get("redact")?;
    if let Some(whole) = alone(section.clone()) {
        return Some(whole);
    }
    let rules = section.get("rules").and_then(Value::as_sequence).into_iter().flatten();
    let one = |rule: &Value| {
        let rules = Value::Sequence(vec![rule.clone()]);
        alone(Value::Mapping([(Value::from("rules"), rules)].into_iter().collect()))
    };
    Some(strictest(rules.take(RULES_MAX).filter_map(one).flat_map(|r| r.rules).collect()))
}

/// The section `redact` read as a file of its own.
fn alone(section: Value) -> Option<Redact> {
    let file = Value::Mapping([(Value::from("redact"), section)].into_iter().collect());
    let text = serde_yaml::to_string(&file).ok()?;
    load(Some(("redact", &text)), &Inputs::default(), &[]).ok().map(|config| config.redact)
}

/// What is removed from texts besides secrets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Redact {
    /// For whom the texts are.
    pub profile: Profile,
    /// The rules of the user.
    pub rules: Vec<RedactRule>,
}

/// For whom the bundle and the summary are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// The people who run the machines.
    #[default]
    Internal,
    /// A vendor.
    ShareWithVendor,
    /// Everybody.
    Public,
}

impl Profile {
    /// The words, from the most open on.
    pub const WORDS: [&str; 3] = ["internal", "share-with-vendor", "public"];

    /// The profile of a word.
    pub fn of(word: &str) -> Option<Self> {
        let all = [Self::Internal, Self::ShareWithVendor, Self::Public];
        all.into_iter().find(|profile| profile.word() == word)
    }

    /// Its word.
    pub const fn word(self) -> &'static str {
        let [internal, vendor, public] = Self::WORDS;
        match self {
            Self::Internal => internal,
            Self::ShareWithVendor => vendor,
            Self::Public => public,
        }
    }
}

/// A rule of the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedactRule {
    /// Stands in the replacement.
    pub name: String,
    /// What it finds.
    pub find: RedactFind,
    /// Pattern of the paths in the bundle for which it holds.
    pub files: Option<String>,
}

/// What a rule finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedactFind {
    /// This text.
    Literal(String),
    /// What the expression matches.
    Regex(String),
    /// The value behind a chain of keys.
    Path(String),
}

impl RedactFind {
    /// Its key in the file.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Literal(_) => "literal",
            Self::Regex(_) => "regex",
            Self::Path(_) => "path",
        }
    }

    /// Its text.
    pub fn text(&self) -> &str {
        match self {
            Self::Literal(text) | Self::Regex(text) | Self::Path(text) => text,
        }
    }

    /// What is wrong with it, and what would be right.
    pub(super) fn problem(&self) -> Option<(String, &'static str)> {
        match self {
            Self::Literal(text) if text.trim().chars().count() < LITERAL_MIN => Some((
                format!("a literal of less than {LITERAL_MIN} characters is everywhere"),
                "write a longer one, or a regex with what stands around it",
            )),
            Self::Literal(_) => None,
            Self::Regex(pattern) => of_regex(pattern),
            Self::Path(path) => of_path(path),
        }
    }
}

fn of_regex(pattern: &str) -> Option<(String, &'static str)> {
    let built = RegexBuilder::new(pattern).size_limit(SIZE_MAX).dfa_size_limit(SIZE_MAX).build();
    match built {
        Ok(shape) if shape.is_match("") => Some((
            "the expression matches the empty text".to_owned(),
            "let it match at least one character: `+` in place of `*`",
        )),
        Ok(_) => None,
        Err(regex::Error::CompiledTooBig(limit)) => Some((
            format!("the expression is larger than the limit of {limit} bytes when it is compiled"),
            "use smaller counts, or several rules",
        )),
        Err(error) => {
            let last = error.to_string();
            let last = last.lines().last().unwrap_or_default().trim_start_matches("error: ");
            let help = "the syntax is that of RE2: no look-around and no back-references";
            Some((format!("the expression can not be read: {last}"), help))
        }
    }
}

fn of_path(path: &str) -> Option<(String, &'static str)> {
    let keys: Vec<&str> =
        path.strip_prefix("$.").unwrap_or(path).split('.').map(str::trim).collect();
    let help = "write keys with dots between them: db.admin.pin";
    if keys.iter().any(|key| key.is_empty() || key.len() > 128) || keys.len() > 32 {
        let message = "a path is at most 32 keys with dots between them, each of 1 to 128 bytes";
        return Some((message.to_owned(), help));
    }
    let any = keys.iter().all(|key| *key == "*");
    any.then(|| ("a path must name at least one key".to_owned(), help))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(redact: &Redact) -> Vec<&str> {
        redact.rules.iter().map(|rule| rule.name.as_str()).collect()
    }

    #[test]
    fn a_mistake_elsewhere_costs_no_rule() {
        let good = "redact: {profile: share-with-vendor, rules: [{name: a, literal: abc}]}\n";
        let redact = salvaged(&format!("timeout: never\nchekcs: 1\n{good}")).unwrap();
        assert_eq!((redact.profile, names(&redact)), (Profile::ShareWithVendor, vec!["a"]));
    }

    #[test]
    fn a_mistake_in_the_section_leaves_the_other_rules_and_the_strictest_profile() {
        let rules = "[{name: a, literal: abc}, {name: b, regex: '('}, {name: c, path: x.y}]";
        let redact = salvaged(&format!("redact: {{profile: intrenal, rules: {rules}}}")).unwrap();
        assert_eq!((redact.profile, names(&redact)), (Profile::Public, vec!["a", "c"]));
        let redact = salvaged("redact: {rules: [\n  x").unwrap();
        assert_eq!((redact.profile, redact.rules.len()), (Profile::Public, 0));
    }

    #[test]
    fn a_file_that_says_nothing_about_redaction_gives_nothing() {
        assert_eq!(salvaged("timeout: never"), None);
        assert_eq!(salvaged("{ not yaml"), None);
    }
}
