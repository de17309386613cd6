//! The known failures: reads their files and finds, for a line, which of them might match.

use std::collections::BTreeSet;

use aho_corasick::AhoCorasick;
use serde_yaml::Value;

use super::signature::{Entry, Signature, Wrong};

/// The signatures that come with the program: one file for each category.
const FILES: &[(&str, &str)] = &[
    ("runner.yaml", include_str!("../../signatures/runner.yaml")),
    ("resources.yaml", include_str!("../../signatures/resources.yaml")),
    ("secrets.yaml", include_str!("../../signatures/secrets.yaml")),
    ("network.yaml", include_str!("../../signatures/network.yaml")),
    ("ansible.yaml", include_str!("../../signatures/ansible.yaml")),
    ("deploy.yaml", include_str!("../../signatures/deploy.yaml")),
];

/// Why signatures could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// The file is no list in YAML.
    #[error("read the signatures of {file}")]
    Yaml {
        /// The file.
        file: String,
        /// Where and what.
        #[source]
        source: serde_yaml::Error,
    },
    /// One entry is wrong.
    #[error("signature {id} of {file}: {wrong}")]
    Entry {
        /// The file.
        file: String,
        /// The entry's id, or its place in the file from 1 when it has none.
        id: String,
        /// What is wrong.
        wrong: String,
    },
    /// The search for all fixed texts could not be built.
    #[error("build the search for {texts} fixed texts")]
    Search {
        /// How many texts.
        texts: usize,
        /// What was too large.
        #[source]
        source: aho_corasick::BuildError,
    },
}

/// A set of signatures.
#[derive(Debug)]
pub struct Signatures {
    all: Vec<Signature>,
    search: AhoCorasick,
    /// For each fixed text: the place of its signature and of its pattern in `any`.
    owners: Vec<(usize, usize)>,
}

impl Signatures {
    /// The signatures that come with the program.
    ///
    /// # Errors
    /// None as long as the tests pass; the type says so because the files are text.
    pub fn builtin() -> Result<Self, SignatureError> {
        let mut all = Vec::new();
        for (file, yaml) in FILES {
            all.extend(read(file, yaml)?);
        }
        Self::new(all)
    }

    /// The signatures of a text; `name` is the file that errors name. Every pattern is compiled, so that a wrong one is known now.
    ///
    /// # Errors
    /// When it is no list in YAML, or an entry is incomplete, or a pattern cannot be used.
    pub fn parse(name: &str, yaml: &str) -> Result<Self, SignatureError> {
        let all = read(name, yaml)?;
        for signature in &all {
            signature.compile().map_err(|e| wrong(name, &signature.id, &e))?;
        }
        Self::new(all)
    }

    /// The signature with this id.
    pub fn get(&self, id: &str) -> Option<&Signature> {
        self.all.iter().find(|s| s.id == id)
    }

    /// All signatures in the order of their files.
    pub fn iter(&self) -> impl Iterator<Item = &Signature> {
        self.all.iter()
    }

    /// The places of signatures and patterns whose fixed text stands in `line`; one may come twice.
    pub(super) fn candidates(&self, line: &str) -> impl Iterator<Item = (usize, usize)> {
        self.search
            .find_overlapping_iter(line)
            .filter_map(|m| self.owners.get(m.pattern().as_usize()).copied())
    }

    /// The signature at this place.
    pub(super) fn at(&self, place: usize) -> Option<&Signature> {
        self.all.get(place)
    }

    fn new(all: Vec<Signature>) -> Result<Self, SignatureError> {
        let mut owners = Vec::new();
        let mut texts = Vec::new();
        for (place, signature) in all.iter().enumerate() {
            for (number, pattern) in signature.any.iter().enumerate() {
                owners.extend(pattern.texts().iter().map(|_| (place, number)));
                texts.extend(pattern.texts());
            }
        }
        let search = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(&texts)
            .map_err(|source| SignatureError::Search { texts: texts.len(), source })?;
        Ok(Self { all, search, owners })
    }
}

fn read(file: &str, yaml: &str) -> Result<Vec<Signature>, SignatureError> {
    let entries: Vec<Value> = serde_yaml::from_str(yaml)
        .map_err(|source| SignatureError::Yaml { file: file.to_owned(), source })?;
    let mut seen = BTreeSet::new();
    let mut all = Vec::with_capacity(entries.len());
    for (place, value) in entries.into_iter().enumerate() {
        let id = value
            .get("id")
            .and_then(Value::as_str)
            .map_or_else(|| format!("number {}", place + 1), str::to_owned);
        let entry: Entry = serde_yaml::from_value(value).map_err(|e| wrong(file, &id, &e))?;
        if !seen.insert(id.clone()) {
            return Err(wrong(file, &id, &Wrong::Rule("the id stands twice in this file")));
        }
        all.push(Signature::new(entry).map_err(|e| wrong(file, &id, &e))?);
    }
    Ok(all)
}

fn wrong(file: &str, id: &str, wrong: &dyn std::error::Error) -> SignatureError {
    SignatureError::Entry { file: file.to_owned(), id: id.to_owned(), wrong: wrong.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = "
- id: pump-stuck
  title: The pump is stuck
  category: deploy
  severity: high
  confidence: 0.9
  runbook: production-deployment-failures
  owner: app
  retryable: after-fix
  match: {any: ['pump \\d+ stuck']}
  remediation: [Turn it.]
  examples: ['pump 7 stuck']
  counter-examples: ['pump 7 runs']
";

    fn error(from: &str, to: &str) -> String {
        assert!(ENTRY.contains(from), "{from}");
        Signatures::parse("own.yaml", &ENTRY.replace(from, to)).unwrap_err().to_string()
    }

    #[test]
    fn an_entry_is_read_and_found_by_its_id() {
        let own = Signatures::parse("own.yaml", ENTRY).unwrap();
        assert_eq!(own.iter().count(), 1);
        assert_eq!(own.get("pump-stuck").unwrap().title, "The pump is stuck");
        assert!(own.get("other").is_none());
    }

    #[test]
    fn an_error_names_the_file_the_signature_and_what_is_wrong() {
        let all = [
            ("severity: high", "severity: bad", "severity is \"bad\", not one of critical, high"),
            ("confidence: 0.9", "confidence: 9", "confidence is not between 0 and 1"),
            ("pump \\d+ stuck'", "(pump'", "pattern \"(pump\" is not a regular expression"),
            ("pump \\d+ stuck'", "\\d+'", "has no fixed text of at least 3 characters"),
            ("owner: app", "owner: app\n  colour: red", "unknown field `colour`"),
            ("[Turn it.]", "[]", "remediation is empty"),
            ("pump \\d+ stuck'", "abc\\w{900}\\w{900}\\w{900}'", "is larger than 1048576 bytes"),
        ];
        for (from, to, what) in all {
            let text = error(from, to);
            assert!(text.starts_with("signature pump-stuck of own.yaml: "), "{text}");
            assert!(text.contains(what), "{text}");
        }
    }

    #[test]
    fn an_entry_without_an_id_is_named_by_its_place() {
        assert!(
            error("id: pump-stuck", "ident: x").starts_with("signature number 1 of own.yaml: ")
        );
        assert!(error("id: pump-stuck", "id: Pump").contains("lower-case words joined by hyphens"));
    }

    #[test]
    fn an_id_that_stands_twice_is_refused() {
        let twice = format!("{ENTRY}{}", ENTRY.trim_start());
        let text = Signatures::parse("own.yaml", &twice).unwrap_err().to_string();
        assert_eq!(text, "signature pump-stuck of own.yaml: the id stands twice in this file");
    }

    #[test]
    fn text_that_is_no_list_is_refused_with_its_file() {
        let text = Signatures::parse("own.yaml", "{a: 1}").unwrap_err().to_string();
        assert_eq!(text, "read the signatures of own.yaml");
    }
}
