//! The search for causes, with the signatures that come with the program, in any text.
//!
//! An input is: one byte (the kind of evidence), text.

use std::sync::OnceLock;

use runner_guard::collect::log_evidence;
use runner_guard::diagnose::{Signatures, diagnose};
use runner_guard::redact::Redactor;
use runner_guard::report::{BundlePath, Diagnosis, Evidence, EvidenceKind};

const KINDS: [EvidenceKind; 4] =
    [EvidenceKind::JobLog, EvidenceKind::RunnerLog, EvidenceKind::Ansible, EvidenceKind::Context];

/// Panics when the search breaks a promise on this text.
pub fn check(data: &[u8]) {
    static BUILTIN: OnceLock<Signatures> = OnceLock::new();
    let signatures = BUILTIN.get_or_init(|| Signatures::builtin().expect("they can be read"));
    let [kind, text @ ..] = data else { return };
    search(*kind, &String::from_utf8_lossy(text), signatures);
}

/// Searches the text as evidence of the kind of this number.
pub fn search(kind: u8, text: &str, signatures: &Signatures) {
    let redactor = Redactor::new(&[]);
    let path = BundlePath::new("logs", "fuzz.log");
    let evidence = match KINDS.get(usize::from(kind)) {
        Some(kind) => Evidence::new(path, *kind, "a log", text),
        None => log_evidence(path, "a log", text),
    };
    let evidence = [evidence.redact(&redactor).expect("it fits into memory")];
    let causes = diagnose(&evidence, signatures);
    assert!(causes.len() <= 3);
    let lines = evidence[0].text.text(usize::MAX).as_str().lines().count().max(1);
    for cause in &causes {
        is_sound(cause, lines);
    }
    let again = diagnose(&evidence, signatures);
    assert_eq!(format!("{causes:?}"), format!("{again:?}"), "not the same twice: {text:?}");
}

fn is_sound(cause: &Diagnosis, lines: usize) {
    assert!((0.0..=1.0).contains(&cause.confidence), "{cause:?}");
    assert!(!cause.id.is_empty());
    for quoted in &cause.evidence {
        assert!((1..=lines).contains(&quoted.line), "line {} of {lines}: {cause:?}", quoted.line);
    }
}
