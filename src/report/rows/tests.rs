use super::super::sample::{blocked, candidate, empty, finding, reason};
use super::super::{Outcome, Selection, Stage};
use super::*;

fn report(findings: Vec<Finding>) -> Report {
    Report { findings, ..empty(Stage::Preflight) }
}

#[test]
fn runners_that_share_an_answer_share_a_row() {
    let offline =
        |name: &str| finding("runner-online", name, Outcome::fail(format!("{name} is offline")));
    let full = |name: &str| finding("disk-space", name, Outcome::fail("1 GiB free"));
    let report = report(vec![
        offline("a"),
        offline("b"),
        full("a"),
        full("b"),
        finding("disk-space", "c", Outcome::fail("2 GiB free")),
        finding("network", "", Outcome::fail("1 GiB free")),
    ]);
    let rows = ordered(&report);
    let shown: Vec<_> = rows.iter().map(|r| (r.runners.join("+"), r.summary.as_ref())).collect();
    assert_eq!(
        shown,
        [
            ("a+b".to_owned(), "it is offline"),
            ("a+b".to_owned(), "1 GiB free"),
            ("c".to_owned(), "2 GiB free"),
            (String::new(), "1 GiB free")
        ]
    );
}

#[test]
fn a_name_inside_of_a_word_stays() {
    assert_eq!(nameless("a has a label prod-a; a, a.", "a"), "it has it label prod-a; it, it.");
    assert_eq!(nameless("prod-a-2 and prod-a", "prod-a"), "prod-a-2 and it");
    assert_eq!(nameless("x{runner=\"a\"} of `a`", "a"), "x{runner=\"…\"} of `…`");
    assert_eq!(nameless("x", ""), "x");
}

#[test]
fn reasons_with_the_same_help_are_one_step_and_questions_about_the_run_stay_apart() {
    let one = |name, said: &str| {
        reason(&finding("runner-online", name, Outcome::fail(said).help("start the service")))
    };
    let reasons = [one("a", "offline since 5 min"), one("b", "offline since 7 min"), one("", "x")];
    let steps = shared(&reasons, Alike::Help);
    assert_eq!(steps.len(), 2);
    assert_eq!(steps[0].runners, ["a", "b"]);
    assert_eq!(shared(&reasons, Alike::Answer).len(), 3);
}

#[test]
fn the_table_of_secrets_joins_three_questions_and_shows_the_worst_first() {
    let present = Outcome::fail("OLD is missing")
        .saw("DEPLOY_KEY", "present (handed in)")
        .saw("OLD", "missing (in none of the lists)")
        .saw("VAULT", "cannot be known here (403)");
    let expiry = Outcome::warn("CERT expires in 9 days")
        .saw_limit("CERT", "expires in 9 days", "warns within 14 days")
        .saw_limit("DEPLOY_KEY", "expires in 300 days", "warns within 14 days");
    let format = Outcome::pass("whole").saw("DEPLOY_KEY", "present (an OpenSSH private key)");
    let report = report(vec![
        finding("secret-present", "", present),
        finding("secret-format", "", format),
        finding("secret-expiry", "", expiry),
        finding("disk-space", "", Outcome::pass("x").saw("free", "5 GiB")),
    ]);
    let rows = secrets(&report);
    let shown: Vec<_> = rows.iter().map(|s| (s.name, s.worst)).collect();
    assert_eq!(
        shown,
        [
            ("OLD", Status::Fail),
            ("VAULT", Status::Unknown),
            ("CERT", Status::Warn),
            ("DEPLOY_KEY", Status::Pass)
        ]
    );
    assert_eq!(rows[3].format, Some("present (an OpenSSH private key)"));
    assert_eq!((rows[2].present, rows[2].expiry), (None, Some("expires in 9 days")));
}

#[test]
fn the_health_of_a_candidate_is_its_worst_answer() {
    let mut report = blocked();
    report.selection =
        Some(Selection { candidates: vec![candidate("prod-a", &["x"]), candidate("nobody", &[])] });
    let candidates = &report.selection.as_ref().unwrap().candidates;
    assert_eq!(worst(&report, &candidates[0]).unwrap().check, "disk-space");
    assert_eq!(worst(&report, &candidates[1]), None);
    assert!(is_known(&report, &candidates[0]) && !is_known(&report, &candidates[1]));
}

#[test]
fn a_runner_is_busy_when_the_question_says_so() {
    let asked = |outcome| {
        let report = report(vec![finding("runner-busy", "a", outcome)]);
        busy(&report, &candidate("a", &[]))
    };
    assert_eq!(asked(Outcome::warn("runs a job").saw("busy", "true")), "busy");
    assert_eq!(asked(Outcome::pass("free").saw("busy", "false")), "idle");
    assert_eq!(asked(Outcome::unknown("no answer")), "unknown");
    assert_eq!(busy(&report(Vec::new()), &candidate("a", &[])), "unknown");
}
