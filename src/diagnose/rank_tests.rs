//! What stands first, what falls away, and where matches are looked for.

use super::{Signatures, diagnose};
use crate::redact::{Redacted, Redactor};
use crate::report::{BundlePath, Diagnosis, Evidence, EvidenceKind, Excerpt, Raw};

fn clean(text: &str) -> Redacted {
    Redactor::new(&[]).redact(text)
}

fn evidence(kind: EvidenceKind, text: &str) -> Evidence<Redacted> {
    Evidence::<Raw>::new(BundlePath::new("logs", kind.word()), kind, "test", text)
        .redact(&Redactor::new(&[]))
        .unwrap()
}

fn failure(line: usize, root: bool, text: &str) -> Excerpt<Redacted> {
    Excerpt { label: clean("task \"Copy release\" on web1"), text: clean(text), line, root }
}

fn structured(text: &str, excerpts: Vec<Excerpt<Redacted>>) -> Evidence<Redacted> {
    Evidence { excerpts: Some(excerpts), ..evidence(EvidenceKind::Ansible, text) }
}

fn of(evidence: &[Evidence<Redacted>]) -> Vec<Diagnosis> {
    diagnose(evidence, &Signatures::builtin().unwrap())
}

fn ids(diagnoses: &[Diagnosis]) -> Vec<&str> {
    diagnoses.iter().map(|d| d.id.as_str()).collect()
}

const FULL: &str = "tar: write error: No space left on device";

#[test]
fn a_match_names_its_entry_its_line_and_what_was_extracted() {
    let log = format!("start\n2026-03-02T09:14:07.1Z \u{1b}[31m{FULL}\u{1b}[0m\nend");
    let found = of(&[evidence(EvidenceKind::JobLog, &log)]);
    assert_eq!(ids(&found), ["disk-full"]);
    let line = &found[0].evidence[0];
    assert_eq!((line.path.as_str(), line.line, line.text.as_str()), ("logs/job-log", 2, FULL));
    let refused = "ssh: connect to host 10.1.2.3 port 22: Connection refused";
    let subject = of(&[evidence(EvidenceKind::JobLog, refused)])[0].subject.clone();
    assert_eq!(subject.unwrap().as_str(), "host 10.1.2.3, port 22");
}

#[test]
fn a_consequence_falls_away_beside_its_cause() {
    let log = "The runner has received a shutdown signal.\n##[error]The operation was canceled.";
    assert_eq!(ids(&of(&[evidence(EvidenceKind::JobLog, log)])), ["runner-shutdown-signal"]);
}

#[test]
fn the_surest_stands_first_then_the_earliest_and_three_are_enough() {
    let log =
        format!("Connection reset by peer\nlisten EADDRINUSE\n{FULL}\ndb: Too many connections");
    let found = of(&[evidence(EvidenceKind::JobLog, &log)]);
    assert_eq!(ids(&found), ["disk-full", "db-too-many-connections", "port-in-use"]);
}

#[test]
fn structured_evidence_is_searched_only_in_its_root_failures() {
    let text = format!("{FULL}\nok: [web1]");
    let roots = vec![
        failure(7, true, "copy failed\nbind: address already in use"),
        failure(9, false, FULL),
    ];
    let found = of(&[structured(&text, roots)]);
    assert_eq!(ids(&found), ["port-in-use"]);
    assert_eq!(found[0].evidence[0].line, 8);
    assert_eq!(found[0].subject.as_ref().unwrap().as_str(), "task \"Copy release\" on web1");
}

#[test]
fn a_structured_text_without_failures_has_no_cause() {
    assert!(of(&[structured(FULL, Vec::new())]).is_empty());
}

#[test]
fn an_unknown_failure_is_named_as_open() {
    let found = of(&[structured("", vec![failure(7, true, "\npump 7 stuck\nrc: 3")])]);
    assert_eq!(ids(&found), ["ansible-task-failed"]);
    assert!((0.4..0.5).contains(&found[0].confidence), "{}", found[0].confidence);
    assert_eq!(
        (found[0].evidence[0].line, found[0].evidence[0].text.as_str()),
        (7, "pump 7 stuck")
    );
    assert!(found[0].subject.is_some());
}

#[test]
fn what_a_runner_log_says_about_others_weighs_less() {
    let refused = "connect: connection refused";
    let confidence = |kind| of(&[evidence(kind, refused)])[0].confidence;
    assert!(confidence(EvidenceKind::RunnerLog) < confidence(EvidenceKind::JobLog));
    let about = |kind| of(&[evidence(kind, FULL)])[0].confidence;
    assert!(about(EvidenceKind::RunnerLog) >= about(EvidenceKind::JobLog));
}

#[test]
fn metrics_are_no_place_for_log_messages() {
    assert!(of(&[evidence(EvidenceKind::Metrics, FULL)]).is_empty());
    assert!(of(&[]).is_empty());
}

#[test]
fn the_same_message_is_quoted_once() {
    let log = format!("{FULL}\n{FULL}\nmkdir: No space left on device");
    let lines: Vec<usize> =
        of(&[evidence(EvidenceKind::JobLog, &log)])[0].evidence.iter().map(|e| e.line).collect();
    assert_eq!(lines, [1, 3]);
}

#[test]
fn the_same_cause_in_several_jobs_is_one_cause_with_a_line_of_each() {
    let of_job = |name: &str, text: &str| Evidence {
        path: BundlePath::new("jobs", name),
        ..evidence(EvidenceKind::JobLog, text)
    };
    let log = format!("{FULL}\n{FULL}\n");
    let jobs: Vec<_> = (1..=4).map(|n| of_job(&format!("deploy-{n}.log"), &log)).collect();
    let found = of(&jobs);
    assert_eq!(found.len(), 1);
    assert!(found[0].subject.as_ref().unwrap().as_str().ends_with("in 4 jobs"));
    let places: Vec<&str> = found[0].evidence.iter().map(|e| e.path.as_str()).collect();
    assert_eq!(places, (1..=4).map(|n| format!("jobs/deploy-{n}.log")).collect::<Vec<_>>());
    let alone = of(&jobs[..1]);
    assert!(alone[0].subject.as_ref().is_none_or(|s| !s.as_str().contains("jobs")));
    let in_a_runner_log = [of_job("a.log", FULL), evidence(EvidenceKind::RunnerLog, FULL)];
    assert_eq!(of(&in_a_runner_log)[0].evidence.len(), 1);
}

#[test]
fn the_same_open_failure_in_several_jobs_is_one_too() {
    let of_job = |name: &str| Evidence {
        path: BundlePath::new("jobs", name),
        ..structured("", vec![failure(7, true, "pump 7 stuck")])
    };
    let found = of(&[of_job("a.log"), of_job("b.log")]);
    assert_eq!((ids(&found), found[0].evidence.len()), (vec!["ansible-task-failed"], 2));
    assert!(found[0].subject.as_ref().unwrap().as_str().ends_with(" on web1, in 2 jobs"));
}
