//! The ladder of the summary: whatever the report and the budget, it stays whole.

use proptest::prelude::*;

use super::*;
use crate::report::Stage;
use crate::report::sample::{blocked, diagnosis, failed, failure, large, text};
use crate::report::timeline::{Lane, Severity, TimelineRow};

/// Why this is no summary that a reader can trust; `None` when it is one.
fn fault(page: &str, budget: usize) -> Option<String> {
    if page.len() > budget {
        return Some(format!("{} bytes", page.len()));
    }
    if !page.starts_with("### ") {
        return Some("the first line is no verdict".to_owned());
    }
    let mut fence: Option<&str> = None;
    let mut folded = 0_i32;
    for line in page.lines() {
        match fence {
            Some(open) if line == open => fence = None,
            None if line == "<pre>" => fence = Some("</pre>"),
            None if line.starts_with("```") => {
                fence = Some(line.trim_end_matches(|c: char| c != '`'));
            }
            None if line.starts_with("<details>") => folded += 1,
            None if line == "</details>" => folded -= 1,
            Some(_) | None => {}
        }
    }
    (fence.is_some() || folded != 0).then(|| format!("open fence {fence:?}, {folded} open details"))
}

fn any_report() -> impl Strategy<Value = Report> {
    let words = "(`{1,5}|</details>|<details>|\n|\\||#|ä|\u{1b}\\[1m|\u{202e}|(?s).){0,40}";
    let repeated = (words, 1_usize..120).prop_map(|(words, times)| words.repeat(times));
    let texts = prop::collection::vec(repeated, 4);
    (0_u8..4, texts, 0_usize..80, 0_usize..30).prop_map(|(which, texts, many, causes)| {
        let mut report = match which {
            0 => blocked(),
            1 => large(),
            2 => failed(),
            _ => Report { diagnoses: Vec::new(), ..failed() },
        };
        let t = |n: usize| text(&texts[n]);
        report.job.job = t(0);
        report.notes = (0..many).map(|_| t(1)).collect();
        if report.stage == Stage::Diagnose {
            let numbered =
                |n: usize| failure(&format!("{n} {}", texts[2]), &texts[3], n.is_multiple_of(2));
            report.failures = (0..many).map(numbered).collect();
            report.timeline = (0..many)
                .map(|_| TimelineRow {
                    at: 0,
                    lane: Lane::Job,
                    text: t(3),
                    severity: Severity::Bad,
                })
                .collect();
        }
        if which == 2 {
            report.diagnoses.extend((0..causes).map(|_| diagnosis("disk-full", 0.6)));
            report.diagnoses[0].subject = Some(t(2));
            report.diagnoses[0].evidence[0].text = t(3);
        }
        report
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn at_every_budget_a_summary_is_whole_and_begins_with_the_verdict(
        report in any_report(),
        budget in prop_oneof![2048_usize..8192, 8192_usize..(1 << 20)],
    ) {
        let page = render(&report, budget).unwrap();
        prop_assert_eq!(fault(&page, budget), None, "budget {}\n{}", budget, page);
        if report.bundle.is_some() {
            prop_assert!(page.contains("**Evidence:** "), "no pointer at {}:\n{}", budget, page);
        }
    }
}

#[test]
fn the_smallest_summary_of_a_failure_has_its_cause_in_brief_and_the_pointer() {
    let mut report = failed();
    report.job.job = text(&"j".repeat(3000));
    report.diagnoses[0].evidence[0].text = text(&"e".repeat(3000));
    let page = render(&report, 2048).unwrap();
    assert_eq!(fault(&page, 2048), None, "{page}");
    assert!(page.starts_with("### ❌ Deploy failed: Disk is full"), "{page}");
    assert!(page.contains("**Evidence:** [download the bundle]"), "{page}");
    let page = render(&report, 4096).unwrap();
    assert!(page.contains("#### Why") && page.contains("characters omitted"), "{page}");
    assert!(page.contains("#### What to do now"), "{page}");
}
