//! The catalogue keeps its promises: every entry is found by its examples and not by its look-alikes, and its runbook knows it.

use std::collections::BTreeSet;

use super::{Signature, Signatures, diagnose};
use crate::redact::Redactor;
use crate::report::{BundlePath, Diagnosis, Evidence, EvidenceKind};

const RUNBOOKS: &[(&str, &str)] = &[
    ("runner-offline-restore", include_str!("../../docs/runbooks/runner-offline-restore.md")),
    ("runner-degraded-resources", include_str!("../../docs/runbooks/runner-degraded-resources.md")),
    ("secrets-expired-rotation", include_str!("../../docs/runbooks/secrets-expired-rotation.md")),
    (
        "network-unreachable-troubleshooting",
        include_str!("../../docs/runbooks/network-unreachable-troubleshooting.md"),
    ),
    (
        "production-deployment-failures",
        include_str!("../../docs/runbooks/production-deployment-failures.md"),
    ),
];

fn of_text(text: &str, signatures: &Signatures) -> Vec<Diagnosis> {
    let path = BundlePath::new("job", "log.txt");
    let evidence = Evidence::new(path, EvidenceKind::JobLog, "job log", text);
    diagnose(&[evidence.redact(&Redactor::new(&[])).unwrap()], signatures)
}

fn ids(diagnoses: &[Diagnosis]) -> Vec<&str> {
    diagnoses.iter().map(|d| d.id.as_str()).collect()
}

/// Everything that `wrong` finds in any entry.
fn complaints<T: std::fmt::Debug>(
    wrong: impl Fn(&Signature, &Signatures) -> Vec<T>,
) -> Vec<String> {
    let all = Signatures::builtin().unwrap();
    all.iter()
        .flat_map(|s| wrong(s, &all).into_iter().map(move |w| format!("{}: {w:?}", s.id)))
        .collect()
}

#[test]
fn every_example_gets_its_signature_first() {
    let wrong = complaints(|s, all| {
        let missed = |text: &&String| ids(&of_text(text, all)).first() != Some(&s.id.as_str());
        s.examples
            .iter()
            .filter(missed)
            .map(|text| (text.clone(), ids(&of_text(text, all)).join(" ")))
            .collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_counter_example_gets_its_signature() {
    let wrong = complaints(|s, all| {
        let caught = |text: &&String| ids(&of_text(text, all)).contains(&s.id.as_str());
        s.counter_examples.iter().filter(caught).cloned().collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_pattern_compiles() {
    let wrong = complaints(|s, _| s.compile().err().into_iter().collect());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_signature_has_its_section_in_its_runbook() {
    let wrong = complaints(|s, _| {
        let text =
            RUNBOOKS.iter().find(|(stem, _)| *stem == s.runbook).map_or("", |(_, text)| text);
        let section = format!("## {}", s.id);
        if text.lines().any(|line| line == section) { Vec::new() } else { vec![s.runbook.clone()] }
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_section_of_a_runbook_is_a_signature_a_check_or_a_known_part() {
    let all = Signatures::builtin().unwrap();
    let checks = include_str!("../../docs/checks.md");
    let mut known: Vec<&str> = checks.lines().filter_map(|l| l.strip_prefix("## ")).collect();
    known.extend(["First look", "Escalate"]);
    for (stem, text) in RUNBOOKS {
        for section in text.lines().filter_map(|line| line.strip_prefix("## ")) {
            let of_this = all.get(section).is_some_and(|s| s.runbook == *stem);
            assert!(of_this || known.contains(&section), "{stem}: {section}");
        }
    }
}

#[test]
fn ids_are_unique_and_superseded_ids_exist() {
    let all = Signatures::builtin().unwrap();
    let unique: BTreeSet<&str> = all.iter().map(|s| s.id.as_str()).collect();
    assert_eq!(unique.len(), all.iter().count());
    assert!(unique.len() >= 100, "{}", unique.len());
    let wrong = complaints(|s, all| {
        let lost = |id: &&String| all.get(id).is_none_or(|other| other.supersedes.contains(&s.id));
        s.supersedes.iter().filter(lost).cloned().collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
