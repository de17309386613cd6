//! What is diagnosed does not depend on what was redacted: the same failures at the same lines, the same causes, whatever value is secret.
//!
//! Every labelled example of every signature, and the outputs of Ansible among the fixtures.
#![expect(clippy::disallowed_methods, reason = "the test reads its fixtures")]

use std::path::Path;

use runner_guard::collect::log_evidence;
use runner_guard::diagnose::{Signatures, diagnose};
use runner_guard::redact::{Known, Profile, Redactor};
use runner_guard::report::BundlePath;
use runner_guard::source::ansible;

/// Redactors that know more and more, each with its name.
fn redactors() -> Vec<(&'static str, Redactor)> {
    let named = |names: &[&str]| -> Vec<Known> {
        names.iter().map(|name| Known::new(*name, *name)).collect()
    };
    let fifty = (0..50).map(|n| Known::new(format!("S{n}"), format!("wq{}Zk-{n}", n * 7919)));
    let hosts = named(&["web1", "web2", "db1", "deployer", "/srv/app", "Deploy", "shop", "acme"]);
    let shared = |profile| {
        let redactor = Redactor::new(&[]);
        redactor.share(profile, &["web1".to_owned()], &["deployer".to_owned()]);
        redactor
    };
    vec![
        ("no value", Redactor::new(&[])),
        ("fifty values", Redactor::new(&fifty.collect::<Vec<_>>())),
        ("hosts, users and a path", Redactor::new(&hosts)),
        ("a vendor", shared(Profile::ShareWithVendor)),
        ("the public", shared(Profile::Public)),
    ]
}

/// The outputs of Ansible, by the names of their files.
fn outputs() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/ansible");
    let entries = std::fs::read_dir(folder).expect("fixtures").map(|e| e.expect("an entry").path());
    let logs = entries.filter(|path| path.extension().is_some_and(|e| e == "txt" || e == "log"));
    let mut all: Vec<_> = logs
        .map(|path| (path.display().to_string(), std::fs::read_to_string(&path).expect("text")))
        .collect();
    all.sort();
    assert!(all.len() >= 12, "{}", all.len());
    all
}

/// What a reader of the structure goes by: verdicts, and of each failure all but its words.
fn structure(text: &str) -> Vec<String> {
    let digest = ansible::digest(text);
    let mut lines = Vec::new();
    for run in &digest.runs {
        let (hosts, errors) = (run.hosts.len(), run.errors.len());
        lines.push(format!(
            "{:?} exit {:?} {} {hosts} hosts {errors} errors {:?} {}",
            run.verdict, run.exit_code, run.complete, run.form, run.diffs
        ));
        for f in &run.failures {
            let place = f.location.as_ref().map(|at| at.line);
            lines.push(format!(
                "line {}: {:?} rc {:?} class {:?} root {} unreachable {} no_log {} at {place:?}",
                f.line, f.kind, f.rc, f.class, f.root_cause, f.unreachable, f.no_log
            ));
        }
    }
    lines
}

#[test]
fn the_output_of_ansible_is_read_the_same_before_and_after_redaction() {
    let mut failures = 0;
    for (name, text) in outputs() {
        let before = structure(&text);
        failures += before.len();
        for (who, redactor) in redactors() {
            let redacted = redactor.redact(&text);
            assert_eq!(structure(redacted.as_str()), before, "{who}: {name}");
        }
    }
    assert!(failures > 20, "{failures}");
}

/// Causes with the lines that support them, as the black box and `diagnose --log` find them.
fn causes(text: &str, redactor: &Redactor, signatures: &Signatures) -> Vec<(String, Vec<usize>)> {
    let raw = log_evidence(BundlePath::new("logs", "job.log"), "a log", text);
    let evidence = [raw.redact(redactor).expect("it fits into memory")];
    let lines =
        |lines: &[runner_guard::report::EvidenceLine]| lines.iter().map(|l| l.line).collect();
    let causes = diagnose(&evidence, signatures);
    causes.into_iter().map(|cause| (cause.id, lines(&cause.evidence))).collect()
}

#[test]
fn every_labelled_fragment_gets_its_label_whoever_may_read_it_and_also_from_a_redacted_file() {
    let signatures = Signatures::builtin().expect("they can be read");
    let labelled = signatures.iter().flat_map(|s| {
        let of_a_log = s.applies_to(runner_guard::report::EvidenceKind::JobLog);
        s.examples.iter().filter(move |_| of_a_log).map(|text| (s.id.clone(), text.clone()))
    });
    let labelled: Vec<(String, String)> = labelled.collect();
    assert!(labelled.len() > 150, "{}", labelled.len());
    let all = labelled.into_iter().map(|(id, text)| (Some(id), text));
    let all: Vec<_> = all.chain(outputs().into_iter().map(|(_, text)| (None, text))).collect();
    let plain = Redactor::new(&[]);
    for (who, redactor) in redactors() {
        for (label, text) in &all {
            let before = causes(text, &plain, &signatures);
            assert_eq!(causes(text, &redactor, &signatures), before, "{who}: {text}");
            if label.is_some() {
                assert_eq!(before.first().map(|(id, _)| id), label.as_ref(), "{text}");
            }
            let file = redactor.redact(text).into_string();
            assert_eq!(causes(&file, &plain, &signatures), before, "{who}, from a file: {file}");
        }
    }
}
