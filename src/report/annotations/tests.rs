use super::super::sample::{blocked, diagnosis, empty, failed, finding, reason, text};
use super::super::{BlockClass, Outcome};
use super::*;

fn of(report: &Report, kind: Kind) -> Vec<Annotation> {
    annotations(report).into_iter().filter(|a| a.kind == kind).collect()
}

#[test]
fn every_blocking_reason_is_an_error_with_its_help() {
    let errors = of(&blocked(), Kind::Error);
    assert_eq!(errors.len(), 2);
    assert_eq!(errors[0].title, "Blocked by disk-space on prod-a");
    assert_eq!(
        errors[0].message,
        "1.2 GiB free of 100 GiB (limit 5 GiB) - free space on the runner: remove old images with `docker image prune -a`, or lower checks.disk-space.min_free (runbook disk-space)"
    );
    assert_eq!(of(&blocked(), Kind::Warning)[0].title, "Look at secret-age");
}

#[test]
fn a_watching_gate_makes_no_error() {
    let mut report = blocked();
    report.shadow = true;
    assert_eq!(of(&report, Kind::Error), []);
    assert_eq!(of(&report, Kind::Warning)[0].title, "Would have blocked disk-space on prod-a");
}

#[test]
fn a_gate_that_passed_is_silent() {
    let mut report = blocked();
    report.verdict = Some(Verdict::Proceed);
    assert_eq!(annotations(&report), []);
}

#[test]
fn a_fail_over_is_noticed() {
    let mut report = blocked();
    report.verdict = Some(Verdict::Proceed);
    if let Some(second) = report.selection.as_mut().and_then(|s| s.candidates.get_mut(1)) {
        second.chosen = true;
    }
    let all = annotations(&report);
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].kind, Kind::Warning);
    assert_eq!(all[0].title, "Failed over");
    assert_eq!(all[0].message, "failed over from prod-a to prod-b: disk-space: 1.2 GiB free");
}

#[test]
fn a_failed_deploy_is_one_error_with_evidence_fix_and_runbook() {
    let all = annotations(&failed());
    assert_eq!(all[0].kind, Kind::Error);
    assert_eq!(
        all[0].title,
        "Deploy failed: Disk is full on the runner or target: task \"Copy release\" on web1"
    );
    assert_eq!(
        all[0].message,
        "ansible/play.log:42: cannot write /srv/app: no space is left - Free space on web1: `df -h`, then remove old releases below /srv/app/releases (certain, 97 %; run the job again only after the fix; runbook disk-space)"
    );
    assert_eq!(all[1].title, "Evidence");
    assert!(all[1].message.ends_with("/actions/runs/1/artifacts/77"));
}

#[test]
fn a_green_job_with_a_failure_inside_is_a_warning() {
    let mut report = failed();
    report.job_status = Some("success".to_owned());
    assert_eq!(of(&report, Kind::Error), []);
    assert!(of(&report, Kind::Warning)[0].title.starts_with("Job is green, but something failed"));
    assert_eq!(
        annotations(&Report { job_status: Some("success".to_owned()), ..empty(Stage::Diagnose) }),
        []
    );
}

#[test]
fn an_unknown_cause_is_an_error_that_shows_the_last_error() {
    let mut report = failed();
    report.diagnoses.clear();
    let first = &annotations(&report)[0];
    assert_eq!(
        (first.kind, first.title.as_str()),
        (
            Kind::Error,
            "Deploy failed: no known cause matched; last error: task \"Copy release\" on web1"
        )
    );
    assert_eq!(first.message, "line 42: rc=1 cannot write /srv/app: no space is left");
}

#[test]
fn the_last_of_eight_counts_the_others() {
    let mut report = empty(Stage::Preflight);
    let rows: Vec<_> = (0..20)
        .map(|n| {
            finding("network", &format!("r{n}"), Outcome::fail(format!("{n}{}", "x".repeat(3000))))
        })
        .collect();
    report.verdict = Some(Verdict::Block {
        by: rows.iter().map(reason).collect(),
        warnings: Vec::new(),
        class: BlockClass::Failed,
    });
    let errors = of(&report, Kind::Error);
    assert_eq!(errors.len(), MOST);
    assert!(
        errors[7].message.ends_with(" (and 12 more in the job summary)"),
        "{}",
        errors[7].message
    );
    assert!(errors.iter().all(|a| a.message.chars().count() <= MESSAGE));
    assert!(!errors[6].message.contains("in the job summary"));
}

#[test]
fn no_annotation_holds_a_line_end_or_a_command() {
    let mut report = failed();
    let bad = text("a\r\n::set-output name=x::y\n##[error]forged\u{1b}[2J\u{202e}");
    report.notes = vec![bad.clone()];
    report.diagnoses = vec![diagnosis("x", 0.9)];
    report.diagnoses[0].subject = Some(bad.clone());
    report.diagnoses[0].evidence[0].text = bad;
    for annotation in annotations(&report) {
        for text in [annotation.title, annotation.message] {
            assert!(
                !text.contains(['\r', '\n', '\u{1b}', '\u{202e}']) && !text.contains("##["),
                "{text:?}"
            );
            assert!(!text.trim_start().starts_with("::"), "{text:?}");
        }
    }
}

#[test]
fn a_run_that_was_stopped_says_so() {
    let report = Report { partial: true, ..blocked() };
    assert!(of(&report, Kind::Warning).iter().any(|a| a.title == "Partial report"));
}
