//! The diagnosis survives redaction: every labelled fragment gets the same causes, at the same lines, before and after.
//!
//! The fragments are the examples of all signatures, with the id as their label, and the outputs of Ansible among the fixtures.

use std::collections::BTreeSet;

use super::rank::ranked;
use super::scan::{Passage, Text};
use super::{Signature, Signatures};
use crate::redact::{Known, Profile, Redactor};
use crate::report::EvidenceKind;

const FIXTURES: &[&str] = &[
    include_str!("../../tests/fixtures/ansible/colour-2.19.txt"),
    include_str!("../../tests/fixtures/ansible/deploy-2.16.log"),
    include_str!("../../tests/fixtures/ansible/deploy-2.16.txt"),
    include_str!("../../tests/fixtures/ansible/deploy-2.19-yaml.txt"),
    include_str!("../../tests/fixtures/ansible/deploy-2.19.txt"),
    include_str!("../../tests/fixtures/ansible/forged-2.19.log"),
    include_str!("../../tests/fixtures/ansible/forged-2.19.txt"),
    include_str!("../../tests/fixtures/ansible/nobody-2.16.txt"),
    include_str!("../../tests/fixtures/ansible/syntax-2.16.txt"),
    include_str!("../../tests/fixtures/ansible/syntax-2.19.txt"),
    include_str!("../../tests/fixtures/ansible/unreachable-2.19.txt"),
    include_str!("../../tests/fixtures/ansible/usage-2.19.txt"),
];

/// Secrets as they stand in logs around a failure; each is one line.
const BESIDE: &str = "+ deploy --token 7yQ2mZ9xKc4VtR8w --to production
export DB_PASSWORD='Tr0ub4dor&3-staple'
Authorization: Bearer q9WfT3kLx0ZbV7nM2cYs8HdJ
cloning https://ann:Vz4kQ8wLr2Nx@git.example.test/shop.git
\"api_key\": \"Hk3vN8qTz1LwPc6R\", \"retries\": 3
machine db.example.test login ann password Jm5wXr9TbQ2z
";

/// Cause, and the line of its first hit.
type Found = Vec<(String, usize)>;

/// What is diagnosed in a text, whether it was redacted or not.
fn found(text: &str, kind: EvidenceKind, signatures: &Signatures) -> Found {
    let passage = Passage { evidence: 0, kind, label: None, text: Text::Excerpt(text), first: 1 };
    let causes = ranked(&[passage], signatures);
    causes.iter().map(|c| (c.signature.id.clone(), c.hits.first().map_or(0, |h| h.line))).collect()
}

/// The kind of text in which the signature is looked for.
fn kind_of(signature: &Signature) -> EvidenceKind {
    [
        EvidenceKind::JobLog,
        EvidenceKind::RunnerLog,
        EvidenceKind::Ansible,
        EvidenceKind::Metrics,
        EvidenceKind::Context,
    ]
    .into_iter()
    .find(|kind| signature.applies_to(*kind))
    .unwrap_or(EvidenceKind::JobLog)
}

/// Every fragment with its kind and, when it has one, its label.
fn fragments(all: &Signatures) -> Vec<(&str, EvidenceKind, Option<&str>)> {
    let examples = all.iter().flat_map(|s| {
        let kind = kind_of(s);
        let good = s.examples.iter().map(move |text| (text.as_str(), kind, Some(s.id.as_str())));
        good.chain(s.counter_examples.iter().map(move |text| (text.as_str(), kind, None)))
    });
    let fixtures = FIXTURES.iter().flat_map(|text| {
        [(*text, EvidenceKind::Ansible, None), (*text, EvidenceKind::JobLog, None)]
    });
    examples.chain(fixtures).collect()
}

/// As many values of a user as a job may have; nothing of them stands in any fragment.
fn fifty() -> Vec<Known> {
    let value = |n: u32| format!("wq{}Zk-{}", n * 7919 % 10_007, n * 104_729 % 1_000_003);
    (0..50).map(|n| Known::new(format!("S{n:02}"), value(n))).collect()
}

/// What is diagnosed otherwise once a redactor has seen it, in words.
fn differences(redactor: &Redactor, change: impl Fn(&str) -> String) -> Vec<String> {
    let all = Signatures::builtin().unwrap();
    let mut wrong = Vec::new();
    for (text, kind, label) in fragments(&all) {
        let text = change(text);
        let before = found(&text, kind, &all);
        if let Some(label) = label {
            assert_eq!(before.first().map(|(id, _)| id.as_str()), Some(label), "{text}");
        }
        let redacted = redactor.redact(&text);
        let after = found(redacted.as_str(), kind, &all);
        if before != after {
            wrong.push(format!("{before:?} became {after:?}: {text} -> {redacted}"));
        }
    }
    wrong
}

#[test]
fn a_fragment_is_diagnosed_the_same_whether_no_value_is_known_or_fifty() {
    for known in [Vec::new(), fifty()] {
        let wrong = differences(&Redactor::new(&known), str::to_owned);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[test]
fn a_fragment_is_diagnosed_the_same_with_secrets_before_and_after_it() {
    let around = |text: &str| format!("{BESIDE}{text}\n{BESIDE}");
    let redactor = Redactor::new(&fifty());
    let beside = redactor.redact(BESIDE);
    let lines = BESIDE.lines().zip(beside.as_str().lines());
    assert!(lines.clone().count() > 5, "{beside}");
    lines.for_each(|(raw, redacted)| assert_ne!(raw, redacted));
    let wrong = differences(&redactor, around);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_fragment_is_diagnosed_the_same_for_a_vendor_and_for_the_public() {
    for profile in [Profile::ShareWithVendor, Profile::Public] {
        let redactor = Redactor::new(&fifty());
        redactor.share(profile, &["web1".to_owned()], &["deployer".to_owned()]);
        let wrong = differences(&redactor, str::to_owned);
        assert!(wrong.is_empty(), "{profile:?}:\n{}", wrong.join("\n"));
    }
}

/// The words of a text that might all be others, which changes nothing: names of hosts, users, variables.
fn names<'t>(text: &'t str, same: &dyn Fn(&str) -> bool) -> BTreeSet<&'t str> {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let words = text.split(|c| !part(c)).map(|w| w.trim_matches(['.', '-', '_']));
    let words: BTreeSet<&str> = words.filter(|w| w.chars().count() >= 4).collect();
    let mut changed = text.to_owned();
    let mut is_free = |word: &&str| {
        let upper = word.chars().all(|c| c.is_ascii_uppercase() || !c.is_alphabetic());
        let other = changed.replace(*word, if upper { "QXZV_JKW" } else { "qxzv7jkw" });
        let free = other != changed && same(&other);
        if free {
            changed = other;
        }
        free
    };
    words.into_iter().filter(|word| is_free(word)).collect()
}

#[test]
fn a_fragment_is_diagnosed_the_same_when_its_names_are_secrets() {
    let all = Signatures::builtin().unwrap();
    let (mut wrong, mut tried) = (Vec::new(), 0);
    for (text, kind, label) in fragments(&all) {
        if label.is_none() {
            continue;
        }
        let before = found(text, kind, &all);
        let names = names(text, &|other| found(other, kind, &all) == before);
        tried += names.len();
        let known: Vec<Known> = names.iter().map(|name| Known::new(*name, *name)).collect();
        let redacted = Redactor::new(&known).redact(text);
        if found(redacted.as_str(), kind, &all) != before {
            wrong.push(format!("{label:?}: {text} -> {redacted}"));
        }
    }
    assert!(tried > 500, "{tried}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
