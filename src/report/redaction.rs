//! What redaction did in a bundle: how often each rule replaced something in each file, what could not be masked, and what was proved.
//!
//! A pure function of numbers and names. It never sees a value, and never says how long one was.

use serde_json::{Value, json};

use crate::redact::{Counts, Proof, Redacted, Redactor};

/// Version of this report; it grows only when a field changes meaning.
const SCHEMA: u32 = 1;

/// The name of the report in a bundle.
pub const NAME: &str = "redaction-report.json";

/// What a redaction did.
#[derive(Debug, Clone, Default)]
pub struct Redaction {
    /// Replacements in each file, by its path in the bundle and by rule.
    pub files: Vec<(String, Counts)>,
    /// What the second look found, and so was left out: where, and the names of the values.
    pub withheld: Vec<(String, Vec<String>)>,
    /// What the redactor proved about itself, or the names of the forms that it missed.
    pub proof: Option<Result<Proof, Vec<&'static str>>>,
}

impl Redaction {
    /// Replacements in all files, by rule.
    pub fn totals(&self) -> Counts {
        let mut totals = Counts::new();
        for (rule, count) in self.files.iter().flat_map(|(_, counts)| counts) {
            *totals.entry(rule.clone()).or_default() += count;
        }
        totals
    }
}

/// The report as JSON. Rules are values and not keys: a key such as `url-password` would hide its own number.
pub fn to_json(redaction: &Redaction, redactor: &Redactor) -> Redacted {
    let canary = match &redaction.proof {
        None => json!({"result": "not run"}),
        Some(Ok(proof)) => {
            json!({"result": "passed", "encodings": proof.encodings, "shapes": proof.shapes})
        }
        Some(Err(missed)) => json!({"result": "failed", "missed": missed}),
    };
    let withheld: Vec<Value> =
        redaction.withheld.iter().map(|(path, of)| json!({"path": path, "holds": of})).collect();
    let rules = redactor.user_rules();
    let unmatched: Vec<&str> =
        rules.iter().filter(|(_, hits)| *hits == 0).map(|(name, _)| *name).collect();
    let files: Vec<Value> = redaction
        .files
        .iter()
        .map(|(path, counts)| json!({"path": path, "replaced": rows(counts)}))
        .collect();
    redactor.pretty_json(json!({
        "schema": SCHEMA,
        "tool": concat!("runner-guard ", env!("CARGO_PKG_VERSION")),
        "profile": redactor.profile().word(),
        "replaced": rows(&redaction.totals()),
        "files": files,
        "unmaskable": redactor.unmaskable(),
        "user-rules": rules.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        "user-rules-without-a-match": unmatched,
        "verified": {
            "result": if withheld.is_empty() { "passed" } else { "withheld" },
            "withheld": withheld,
        },
        "canary": canary,
    }))
}

fn rows(counts: &Counts) -> Vec<Value> {
    counts.iter().map(|(rule, count)| json!({"rule": rule, "count": count})).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::{Find, Known, UserRule};

    #[test]
    fn the_report_says_what_was_replaced_and_what_was_proved_and_no_value() {
        let redactor =
            Redactor::new(&[Known::new("KEY", "swordfish-and-chips"), Known::new("SHORT", "abc")]);
        let rule = |name: &str, text: &str| UserRule {
            name: name.to_owned(),
            find: Find::Literal(text.to_owned()),
            files: None,
        };
        redactor.adopt(&[rule("customer", "ACME"), rule("nobody", "Nobody Ltd")]).unwrap();
        let (_, counts) = redactor.redact_at("a.log", "ACME swordfish-and-chips ACME");
        let redaction = Redaction {
            files: vec![("a.log".to_owned(), counts.clone()), ("b.log".to_owned(), counts)],
            withheld: vec![("c.log".to_owned(), vec!["KEY".to_owned()])],
            proof: Some(redactor.prove()),
        };
        let text = to_json(&redaction, &redactor);
        let report: Value = serde_json::from_str(text.as_str()).unwrap();
        assert_eq!(
            report["replaced"],
            json!([{"rule": "customer", "count": 4}, {"rule": "known-value", "count": 2}])
        );
        assert_eq!(report["files"][0]["path"], "a.log");
        assert_eq!(report["unmaskable"], json!(["SHORT"]));
        assert_eq!(report["user-rules-without-a-match"], json!(["nobody"]));
        assert_eq!(report["verified"]["withheld"][0]["holds"], json!(["KEY"]));
        assert_eq!(report["canary"]["result"], "passed");
        assert_eq!(report["profile"], "internal");
        assert!(!text.as_str().contains("swordfish") && !text.as_str().contains("ACME"));
    }
}
