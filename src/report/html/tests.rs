use serde_json::json;

use super::super::{PlayHost, sample};
use super::*;

const HOSTILE: &str = "</pre></td></script><script>document.title='owned'</script><img src=x onerror=alert(1)>\" onload=\"x";

fn page_of(report: &Report, items: &[Item<'_>]) -> String {
    render(&Page { report, gate: None, plays: &[], items, created: "2026-01-31 03:00 UTC" })
}

fn tags(page: &str, tag: &str) -> usize {
    page.matches(&format!("<{tag}")).count()
}

#[test]
fn the_answer_comes_first_and_every_part_is_there() {
    let page = page_of(&sample::failed(), &[]);
    let at = |words: &str| page.find(words).unwrap_or_else(|| panic!("{words} is missing"));
    let order = ["Deploy failed", "What to do now", ">Why<", "Failures (2)", "What was collected"];
    assert!(order.map(at).is_sorted());
    assert!(page.contains("ansible/play.log:42"));
    assert!(page.contains(
        "<a href=\"https://github.com/octo/guard/blob/v1/docs/runbooks/disk-space.md#disk-full\""
    ));
}

#[test]
fn the_policy_of_the_page_allows_its_own_script_and_nothing_else() {
    let page = page_of(&sample::failed(), &[]);
    let hash = STANDARD.encode(digest(&SHA256, SCRIPT.as_bytes()));
    assert!(page.contains(&format!("script-src &#39;sha256-{hash}&#39;")), "{page:.900}");
    assert!(page.contains(&format!("<script>{SCRIPT}</script>")));
    assert!(!SCRIPT.contains("</") && !STYLE.contains("</"));
    assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
    for word in ["src=", "innerHTML", "eval(", "<iframe", "<form"] {
        assert!(!page.contains(word), "{word}");
    }
}

#[test]
fn foreign_text_adds_no_element_in_any_part() {
    let mut report = sample::failed();
    let quiet = page_of(&report, &[]);
    let hostile = sample::text(HOSTILE);
    report.job.job = hostile.clone();
    report.job.runner = hostile.clone();
    report.diagnoses[0].subject = Some(hostile.clone());
    report.diagnoses[0].evidence[0].text = hostile.clone();
    report.failures[0].label = hostile.clone();
    report.failures[0].text = hostile;
    let page = page_of(&report, &[]);
    for tag in ["script", "img", "td", "pre", "a "] {
        assert_eq!(tags(&page, tag), tags(&quiet, tag), "{tag}");
    }
}

#[test]
fn a_gate_and_plays_and_entries_full_of_markup_add_no_element() {
    let gate = |words: &str| {
        json!({"verdict": "block", "selection": {"chosen": words, "candidates": [{"name": words, "why_not": [words]}]},
            "secrets": [{"name": words, "present": words}],
            "findings": [{"status": "fail", "check": words, "summary": words, "observations": [{"name": words, "value": words}]}]})
    };
    let counts = Counts::from([(HOSTILE.to_owned(), 1)]);
    let report = sample::failed();
    let with = |words: &str| {
        let host = PlayHost { name: sample::text(words), counts: [1; 7] };
        let play =
            Play { entry: words.to_owned(), verdict: sample::text(words), hosts: vec![host] };
        let item = Item {
            path: words,
            kind: "job-log",
            origin: words,
            text: words,
            size: words.len() as u64,
            sha256: "00",
            truncated: true,
            redactions: &counts,
        };
        let gate = gate(words);
        let (plays, items) = ([play], [item]);
        render(&Page {
            report: &report,
            gate: Some(&gate),
            plays: &plays,
            items: &items,
            created: words,
        })
    };
    let (quiet, page) = (with("x"), with(HOSTILE));
    for tag in ["script", "img", "td", "pre", "a ", "details", "dd"] {
        assert_eq!(tags(&page, tag), tags(&quiet, tag), "{tag}");
    }
}

#[test]
fn a_huge_report_stays_within_its_budget_and_says_what_is_missing() {
    let mut report = sample::failed();
    let big = "<\u{202e}".repeat(10_000);
    report.failures = (0..500).map(|n| sample::failure(&format!("task {n}"), &big, true)).collect();
    report.notes = (0..500).map(|_| sample::text(&big)).collect();
    let none = Counts::new();
    let text = format!("{}the end\n", "a <line> & more\n".repeat(1000));
    let names: Vec<String> = (0..3000).map(|n| format!("runner/{n}.log")).collect();
    let items: Vec<Item<'_>> = names
        .iter()
        .map(|path| Item {
            path,
            kind: "runner-log",
            origin: "the runner",
            text: &text,
            size: text.len() as u64,
            sha256: "00",
            truncated: false,
            redactions: &none,
        })
        .collect();
    let page = page_of(&report, &items);
    assert!(page.len() <= BUDGET, "{}", page.len());
    assert!(page.contains("more are in report.json") && page.contains("more are in the bundle"));
    assert!(page.contains("the end"));
    let few = page_of(&sample::failed(), &items[..3]);
    assert!(
        few.len() <= BUDGET
            && few.matches("the end\n</pre>").count() + few.matches("the end</pre>").count() == 3
    );
}

#[test]
fn every_collector_shows_the_size_of_what_it_brought_unless_the_numbers_disagree() {
    let report = sample::failed();
    let none = Counts::new();
    let text = "x".repeat(2048);
    let item = Item {
        path: "ansible/play.log",
        kind: "ansible",
        origin: "o",
        text: &text,
        size: text.len() as u64,
        sha256: "00",
        truncated: false,
        redactions: &none,
    };
    let size = "<td title=\"size\" class=\"n\">2.0 KiB</td>";
    assert_eq!(page_of(&report, &[item]).matches(size).count(), 1);
    assert_eq!(page_of(&report, &[item, item]).matches(size).count(), 0);
}

#[test]
fn the_timeline_stands_on_the_page_with_lanes_and_without_markup() {
    use super::super::timeline::{Lane, Severity, TimelineRow};
    let row = |at, lane, words: &str, severity| TimelineRow {
        at,
        lane,
        text: sample::text(words),
        severity,
    };
    let mut report = sample::failed();
    report.timeline = vec![
        row(1_769_828_400, Lane::Job, "step 1: done", Severity::Info),
        row(1_769_828_410, Lane::Ansible, HOSTILE, Severity::Bad),
    ];
    let page = page_of(&report, &[]);
    assert!(page.contains("When what happened (UTC)"));
    assert!(page.contains("<td title=\"time\" class=\"n w\">03:00:00</td>"), "{page}");
    assert!(page.contains("<td title=\"what\" class=\"bad\">✖ "));
    report.timeline[0].at -= 86_400;
    assert!(page_of(&report, &[]).contains(">2026-01-30 03:00:00</td>"));
    assert_eq!(tags(&page, "script"), 1, "only our own");
}

#[test]
fn a_matrix_of_twelve_jobs_with_two_causes_shows_two_failures() {
    let mut report = sample::failed();
    let (disk, unit) = (report.failures[0].clone(), report.failures[1].clone());
    report.failures =
        (0..12).map(|n| if n % 3 == 0 { unit.clone() } else { disk.clone() }).collect();
    let page = page_of(&report, &[]);
    assert!(page.contains("<h2>Failures (2)</h2>"), "{page}");
    assert!(page.contains(">seen 8 times<") && page.contains(">seen 4 times<"), "{page}");
    let summary = crate::report::summary::render(&report, 900 << 10).unwrap();
    assert!(summary.contains("All failures in order (2)"), "{summary}");
    assert_eq!(summary.matches(", seen 8 times.").count(), 1, "{summary}");
}

#[test]
fn charts_are_pictures_that_hold_no_markup_of_their_labels() {
    use super::super::chart::{Chart, Series, Unit};
    let mut report = sample::failed();
    report.charts = vec![Chart {
        title: HOSTILE.to_owned(),
        unit: Unit::Bytes,
        query: HOSTILE.to_owned(),
        start: 1_900_000_000,
        step: 60,
        job: None,
        series: vec![Series { name: HOSTILE.to_owned(), values: vec![Some(1.0), None, Some(2.0)] }],
        more: 0,
        links: vec![("Prometheus".to_owned(), "https://prometheus.example/graph?x=1".to_owned())],
    }];
    let page = page_of(&report, &[]);
    assert!(page.contains("Metrics around the failure"));
    assert_eq!((tags(&page, "img"), tags(&page, "svg")), (1, 0));
    assert!(page.contains("<img src=\"data:image/svg+xml;base64,"), "{page}");
    assert!(page.contains("<a href=\"https://prometheus.example/graph?x=1\""), "{page}");
    assert_eq!(tags(&page, "script"), 1, "only our own");
    assert!(!page.contains("onerror=alert(1)>"));
}
