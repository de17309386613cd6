use super::super::sample::{
    blocked, diagnosis, empty, failed, failure, finding, large, reason, text,
};
use super::super::{BlockClass, Outcome, Selection, Stage, Verdict};
use super::*;

/// One text that tries everything at once.
const HOSTILE: &str = "x\r\n\r\n# ✅ All passed\n</details>\n\n```\n````\n[a](https://evil.example) @octocat <img src=x> | y |\u{202e}\u{1b}[2J";

fn shown(report: &Report) -> String {
    render(report, BUDGET).unwrap()
}

fn first_line(report: &Report) -> String {
    let page = shown(report);
    let mut lines = page.lines();
    let first = lines.next().unwrap().to_owned();
    assert_eq!(lines.next(), Some(""), "an empty line follows the headline");
    first
}

#[test]
fn a_shut_gate_names_the_first_reason_in_the_first_line() {
    assert_eq!(
        first_line(&blocked()),
        "### ⛔ Gate blocked: disk-space on `prod-a`: 1.2 GiB free of 100 GiB (limit 5 GiB) (and 1 more reason)"
    );
}

#[test]
fn an_open_gate_names_the_runner() {
    let mut report = blocked();
    report.verdict = Some(Verdict::Proceed);
    let mut selection = report.selection.take().unwrap();
    selection.candidates[1].chosen = true;
    selection.candidates[1].why_not.clear();
    report.selection = Some(selection.clone());
    assert_eq!(
        first_line(&report),
        "### ✅ Gate passed: deploy may run on `prod-b`, failed over from `prod-a`"
    );
    selection.candidates[1].chosen = false;
    selection.candidates[0].chosen = true;
    report.selection = Some(selection);
    assert_eq!(first_line(&report), "### ✅ Gate passed: deploy may run on `prod-a`");
    report.selection = Some(Selection::default());
    report.verdict = Some(Verdict::ProceedWithWarnings(vec![reason(&report.findings[1])]));
    assert_eq!(first_line(&report), "### ⚠️ Gate passed with 1 warning: deploy may run");
}

#[test]
fn a_watching_gate_would_have_blocked() {
    let mut report = blocked();
    report.shadow = true;
    assert!(
        first_line(&report)
            .starts_with("### ⚠️ Gate would have blocked (shadow mode): disk-space on")
    );
    assert!(shown(&report).contains("Shadow mode: the gate only watches"));
}

#[test]
fn a_question_without_an_answer_is_not_called_a_failure() {
    let mut report = blocked();
    let silent = reason(&report.findings[2]);
    report.verdict =
        Some(Verdict::Block { by: vec![silent], warnings: Vec::new(), class: BlockClass::Unknown });
    assert!(
        first_line(&report)
            .starts_with("### ⛔ Gate blocked: no answer to exporter-fresh on `prod-a`: query")
    );
}

#[test]
fn a_run_that_was_stopped_says_so() {
    let mut report = blocked();
    report.partial = true;
    report.verdict = None;
    assert_eq!(
        first_line(&report),
        "### ❔ Gate has no decision: the run ended before every question was asked"
    );
    assert!(shown(&report).contains("**Partial report:**"));
}

#[test]
fn what_blocks_stands_first_among_the_findings() {
    let page = shown(&blocked());
    let rows: Vec<_> =
        page.lines().filter(|l| l.starts_with("| ") && l.contains("/runbooks/")).collect();
    assert_eq!(rows.len(), 3);
    for (row, begin) in rows.iter().zip(["| ⛔ fail", "| ⛔ unknown", "| ⚠️ warn"]) {
        assert!(row.starts_with(begin), "{row}");
    }
    assert!(page.contains("<details><summary>Passed and skipped (3)</summary>"), "{page}");
}

#[test]
fn the_steps_are_few_and_lead_to_the_runbook() {
    let page = shown(&blocked());
    let begin = page.find("#### What to do now").unwrap();
    assert!(begin < page.find("#### Findings").unwrap());
    assert!(page.contains(
        "#### What to do now\n\n**disk-space** on `prod-a`: free space on the runner: remove old images with `docker image prune -a`, or lower `checks.disk-space.min_free` → [runbook](https://github.com/octo/guard/blob/v1/docs/runbooks/disk-space.md#disk-space)\n\nThen:\n\n- **exporter-fresh** on `prod-a`: find out why there is no answer"
    ), "{page}");
}

#[test]
fn a_runbook_folder_is_shown_as_a_path() {
    let mut report = blocked();
    report.runbooks = "docs/runbooks".to_owned();
    let page = shown(&report);
    assert!(page.contains("→ `docs/runbooks/disk-space.md#disk-space`"));
    assert!(page.contains("| disk-space |"), "the table names its checks\n{page}");
}

#[test]
fn many_passed_findings_are_folded() {
    let mut report = blocked();
    report
        .findings
        .extend((0..30).map(|n| finding("network", &format!("r{n}"), Outcome::pass("ok"))));
    let page = shown(&report);
    assert!(page.contains("<details><summary>Passed and skipped (4)</summary>\n\n|"), "{page}");
}

#[test]
fn a_failed_deploy_names_cause_and_subject_in_the_first_line() {
    assert_eq!(
        first_line(&failed()),
        "### ❌ Deploy failed: Disk is full on the runner or target: `task \"Copy release\" on web1`"
    );
}

#[test]
fn a_large_gate_reads_from_what_to_do_to_what_nobody_needs() {
    let page = shown(&large());
    let parts = [
        "### ⛔ Gate blocked: secret-present: `VAULT_TOKEN` is missing: in none of the 3 lists (and 1 more reason)\n",
        "\n20 questions: 3 failed, 1 without an answer, 3 to look at, 9 passed, 4 skipped\n",
        "#### What to do now\n\n**secret-present**: store it:",
        "Then:\n\n- **runner-online** on `prod-a` and `prod-b`: start the service of it:",
        "#### Findings",
        "| ⛔ fail | [runner-online](",
        " | `prod-a, prod-b` | it is offline:",
        "#### Runner candidates",
        "| ❌ | `prod-a` | `primary` | `self-hosted, linux` | `host-1` | – | ❌ runner-online | idle | runner-online: it is offline; b: c; and 1 more |\n",
        "#### Secrets",
        "| ❌ | `VAULT_TOKEN` | missing (in none of the 3 lists) | – | – |\n",
        "| ❔ | `ORG_KEY` | cannot be known here",
        "| ⚠️ | `CERT` | present (handed in) | – | expires in 9 days (it ends 2026-12-03) |\n",
        "<details><summary>Passed and skipped (12)</summary>",
        "<details><summary>How long each question took (20)</summary>",
        " | ██████████ |\n",
        "<sub>GitHub API: 4 calls as the job's `GITHUB_TOKEN` (1 of them free), 4,996 of 5,000 left until 14:13 UTC</sub>\n",
    ];
    let mut rest = page.as_str();
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { panic!("{part}\n{page}") };
        rest = after;
    }
}

#[test]
fn a_watching_gate_lists_what_it_would_have_blocked() {
    let page = shown(&Report { shadow: true, ..large() });
    assert!(page.contains("#### Would have blocked\n\n- **secret-present** (fail): `VAULT_TOKEN` is missing: in none of the 3 lists\n- **runner-online** on `prod-a` and `prod-b` (fail): it is offline:"), "{page}");
    assert!(!shown(&large()).contains("Would have blocked"));
}

#[test]
fn evidence_stands_with_its_file_and_line_behind_a_warning() {
    let page = shown(&failed());
    assert!(page.contains(
        "Log excerpt (untrusted output of the job):\n\n```text\nansible/play.log:42: cannot write /srv/app: no space is left\nansible/play.log:40: TASK [Copy release]\n```\n"
    ), "{page}");
    assert!(page.contains("**certain** (97 %) · signature disk-full · resources · [runbook]("));
}

#[test]
fn the_artifact_is_linked_with_size_and_digest() {
    let page = shown(&failed());
    assert!(page.contains("**Evidence:** [download the bundle](https://github.com/octo/app/actions/runs/1/artifacts/77) `runner-guard-deploy-1`, 1.2 MiB, 12 entries, 34 secrets replaced."), "{page}");
    let mut report = failed();
    let bundle = report.bundle.as_mut().unwrap();
    bundle.artifact = Some(Err(text("status 403")));
    assert!(shown(&report).contains("Not uploaded: `status 403`."));
}

#[test]
fn every_collector_has_its_row() {
    let page = shown(&failed());
    for row in [
        "| ✅ | ansible | 1 entry |",
        "| ❌ | metrics | failed |",
        "| ⏭️ | runner-logs | skipped |",
        "| ⏱️ | job-log | timed out |",
    ] {
        assert!(page.contains(row), "{row}\n{page}");
    }
}

#[test]
fn an_unknown_cause_shows_the_last_error_and_what_to_add() {
    let mut report = failed();
    report.diagnoses.clear();
    assert_eq!(
        first_line(&report),
        "### ❌ Deploy failed: no known cause matched; last error: `task \"Copy release\" on web1`"
    );
    let page = shown(&report);
    assert!(page.contains("No known cause matched"));
    assert!(page.contains("```text\nrc=1\ncannot write /srv/app: no space is left\n```"));
    assert!(page.contains("- For the next time, runner-logs: the folder is not mounted; add `-v /opt/runner/_diag:/diag:ro`"), "{page}");
    report.failures.clear();
    assert_eq!(first_line(&report), "### ❌ Deploy failed: no known cause matched");
}

#[test]
fn a_green_job_with_a_failure_inside_is_not_green() {
    let mut report = failed();
    report.job_status = Some("success".to_owned());
    assert!(
        first_line(&report).starts_with("### ⚠️ Job is green, but something failed: Disk is full")
    );
    let mut quiet = empty(Stage::Diagnose);
    quiet.job_status = Some("success".to_owned());
    assert_eq!(first_line(&quiet), "### ✅ Job succeeded: nothing to explain");
    assert!(!shown(&quiet).contains("#### Why"));
    quiet.job_status = None;
    assert!(first_line(&quiet).starts_with("### ❔ Job status is unknown"));
}

#[test]
fn hostile_text_starts_no_line_and_no_link_anywhere() {
    let page = shown(&hostile());
    assert!(!page.contains(['\u{202e}', '\u{1b}', '\r']));
    let mut fence = None;
    for line in page.lines() {
        let ticks = line.trim_end_matches("text");
        match &fence {
            None if line.starts_with("```") => fence = Some(ticks.to_owned()),
            Some(open) if line == open => fence = None,
            Some(_) => {}
            None => {
                let begin = line.split(' ').next().unwrap_or_default();
                assert!(
                    [
                        "",
                        "###",
                        "####",
                        "|",
                        "**Evidence:**",
                        "Log",
                        "Failed:",
                        "</details>",
                        "-",
                        "Free",
                        "Then:",
                        "6"
                    ]
                    .contains(&begin)
                        || line.starts_with("<details><summary>")
                        || line.starts_with("<sub>")
                        || line.starts_with("**")
                        || line.starts_with("**certain")
                        || line.starts_with("**possible"),
                    "{line}"
                );
            }
        }
    }
    assert_eq!(fence, None, "every fence is closed");
}

#[test]
fn the_budget_holds_at_every_size_and_says_what_is_missing() {
    let mut report = failed();
    let long = format!("{}\n", "ä".repeat(900)).repeat(60);
    report.failures = (0..100).map(|n| failure(&format!("task {n}"), &long, true)).collect();
    report.diagnoses = (0..60).map(|_| diagnosis("disk-full", 0.6)).collect();
    for budget in (0..10).map(|n| n * 137).chain([4000, 8000, 60_000, BUDGET]) {
        let page = render(&report, budget).unwrap();
        assert!(page.len() <= budget, "{} > {budget}", page.len());
        assert_eq!(page.matches("<details>").count(), page.matches("</details>").count());
        if budget >= 4000 {
            assert!(page.contains("Left out because"), "{budget}");
        }
    }
    let page = render(&report, 8000).unwrap();
    assert!(
        page.contains("#### What to do now")
            && page.contains("**Evidence:**")
            && page.contains("failures"),
        "{page}"
    );
}

#[test]
fn a_report_within_the_budget_leaves_nothing_out() {
    assert!(!shown(&failed()).contains("Left out"));
    assert!(!shown(&blocked()).contains("Left out"));
}

#[test]
fn a_table_ends_after_fifty_rows_and_says_how_many_are_missing() {
    let mut report = empty(Stage::Preflight);
    report.findings = (0..120)
        .map(|n| finding("network", &format!("r{n}"), Outcome::fail(format!("{n} of 9 answer"))))
        .collect();
    let page = shown(&report);
    assert_eq!(page.matches("| ❌ fail |").count(), 50);
    assert!(page.contains("\n\n70 more are in the JSON report.\n"));
}

/// A report in which every foreign text is hostile.
fn hostile() -> Report {
    let mut report = failed();
    let gate = blocked();
    let bad = text(HOSTILE);
    report.findings = gate.findings;
    report.selection = gate.selection;
    for finding in &mut report.findings {
        finding.summary = bad.clone();
        finding.runner = Some(bad.clone());
        finding.help = Some(bad.clone());
    }
    report.job.job = bad.clone();
    report.job.runner = bad.clone();
    for diagnosis in &mut report.diagnoses {
        diagnosis.subject = Some(bad.clone());
        HOSTILE.clone_into(&mut diagnosis.title);
        diagnosis.evidence[0].text = bad.clone();
    }
    report.failures = vec![failure(HOSTILE, HOSTILE, true)];
    report.notes = vec![bad];
    report
}

#[test]
fn charts_are_drawn_with_a_text_beside_them_and_linked() {
    use crate::report::chart::{Chart, Series, Unit};
    let values = vec![Some(4.0), Some(2.0), Some(1.0)];
    let chart = Chart {
        title: "load".to_owned(),
        unit: Unit::Count,
        query: "runner_host_load1".to_owned(),
        start: 50_400,
        step: 60,
        job: None,
        series: vec![Series { name: "host-a".to_owned(), values }],
        more: 0,
        links: vec![("Prometheus".to_owned(), "http://p:9090/graph?g0.expr=up".to_owned())],
    };
    let page = shown(&Report { charts: vec![chart], ..empty(Stage::Diagnose) });
    for wanted in [
        "<details><summary>Metrics around the failure (1 charts)</summary>",
        "```mermaid\nxychart-beta\n",
        "  line [4, 2, 1]\n```\n",
        "host-a  █▃▁  4 → 1 (lowest 1, highest 4)",
        "[Prometheus](http://p:9090/graph?g0.expr=up)",
    ] {
        assert!(page.contains(wanted), "{wanted}\n{page}");
    }
}
