use super::super::sample::{blocked, empty, failed, failure, text};
use super::*;

#[test]
fn a_shut_gate_reads_from_the_top() {
    let shown = to_text(&blocked(), Style::Plain);
    let expected = "\
BLOCKED  Gate blocked: disk-space on prod-a: 1.2 GiB free of 100 GiB (limit 5 GiB) (and 1 more
         reason)
asked  6 questions: 1 failed, 1 without an answer, 1 to look at, 2 passed, 1 skipped
what   job deploy of Release in octo/app on runner prod-a for environment production; took 1.2 s
run    https://github.com/octo/app/actions/runs/1

What to do now
  1.  disk-space on prod-a: free space on the runner: remove old images with `docker image prune
      -a`, or lower checks.disk-space.min_free (runbook:
      https://github.com/octo/guard/blob/v1/docs/runbooks/disk-space.md#disk-space)
";
    assert!(shown.starts_with(expected), "{shown}");
    assert!(shown.contains("\nFindings\n  fail (blocks)     disk-space on prod-a: 1.2 GiB free of 100 GiB (limit 5 GiB)\n  unknown (blocks)  exporter-fresh on prod-a:"), "{shown}");
    assert!(
        shown.contains("  warn              secret-age: DEPLOY_KEY was changed 200 days ago\n"),
        "{shown}"
    );
}

#[test]
fn a_failed_deploy_shows_cause_evidence_and_bundle() {
    let shown = to_text(&failed(), Style::Plain);
    for part in [
        "FAILED  Deploy failed: Disk is full on the runner or target: task \"Copy release\" on web1\n",
        "\nWhy\n  Disk is full on the runner or target: task \"Copy release\" on web1\n",
        "  Log excerpt (untrusted output of the job):\n  │ ansible/play.log:42: cannot write /srv/app: no space is left\n",
        "\nWhat was collected\n  ok         ansible: log_path of the play\n",
        "  timed out  job-log: stopped at its time limit\n",
        "\nEvidence\n  bundle    /github/workspace/runner-guard/bundle.tar.gz (1.2 MiB, 12 entries, 34 secrets replaced)\n",
    ] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
}

#[test]
fn an_unknown_cause_is_called_unknown() {
    let mut report = failed();
    report.diagnoses.clear();
    assert!(to_text(&report, Style::Plain).contains("\nWhy\n  No known cause matched"));
}

#[test]
fn no_line_is_wider_than_a_hundred_columns_except_excerpts() {
    for report in [blocked(), failed()] {
        for line in to_text(&report, Style::Plain).lines().filter(|line| !line.contains('│')) {
            assert!(width(line) <= WIDTH, "{line}");
        }
    }
}

#[test]
fn colour_is_ours_alone_and_only_when_asked_for() {
    let mut report = failed();
    report.failures =
        vec![failure("x\u{1b}[32mgreen", "\u{1b}]0;owned\u{7}::error::x\r##[error]y", true)];
    report.notes = vec![text("note\u{1b}[2J")];
    let plain = to_text(&report, Style::Plain);
    assert!(!plain.contains('\u{1b}'));
    let colour = to_text(&report, Style::Colour);
    assert!(colour.starts_with("\u{1b}[1;31mFAILED\u{1b}[0m  Deploy failed"));
    assert!(!colour.contains("[2J") && !colour.contains("]0;"));
}

#[test]
fn no_line_is_a_workflow_command() {
    let mut report = failed();
    let bad = text("::error::x\r::set-output name=a::b\n ##[error]y");
    report.job.job = bad.clone();
    report.notes = vec![bad.clone()];
    report.diagnoses[0].subject = Some(bad.clone());
    report.diagnoses[0].evidence[0].text = bad;
    report.failures = vec![failure("::error::x", "::add-path::/x\n\u{3000}::warning::y", true)];
    for line in to_text(&report, Style::Plain).lines() {
        assert!(!line.trim_start().starts_with("::") && !line.contains("##["), "{line}");
    }
}

#[test]
fn a_wrapped_command_is_no_command_either() {
    let mut report = empty(Stage::Preflight);
    report.notes = vec![text(&format!("{} ::error::x", "y".repeat(90)))];
    for line in to_text(&report, Style::Plain).lines() {
        assert!(!line.trim_start().starts_with("::"), "{line}");
    }
}

#[test]
fn a_long_word_is_broken_and_wide_letters_count_twice() {
    assert_eq!(wrapped("abcdef gh", 4), ["abcd", "ef ", "gh"]);
    assert_eq!(wrapped("日本語", 4), ["日本", "語"]);
    assert_eq!(wrapped("", 4), [""]);
}
