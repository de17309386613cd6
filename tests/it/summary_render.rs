//! The job summary, rendered by GitHub's own Markdown renderer: text from outside makes no element.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a broken test environment should stop the test"
)]

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use runner_guard::redact::{Redacted, Redactor};
use runner_guard::report::chart::{Chart, Series, Unit};
use runner_guard::report::timeline::{Lane, Severity};
use runner_guard::report::{
    Answer, BlockClass, BundlePath, BundleRow, Candidate, Collected, CollectedRow, Diagnosis,
    EvidenceLine, Excerpt, Finding, JobRow, Outcome, Reason, Report, Selection, Stage, Status,
    TimelineRow, Verdict, summary,
};

/// Texts that try to leave their place; `OWNED` must never stand in an element of their making.
const HOSTILE: [&str; 34] = [
    "ok\n```\n# OWNED\n[rotate](https://evil.example/login)\n",
    "ok\n````\n# OWNED\n",
    "   ```\n# OWNED\n",
    "line\r```\r# OWNED\r",
    "```   \t\n# OWNED\n",
    "~~~\n# OWNED\n~~~",
    "</code></pre><h1>OWNED</h1><pre>",
    "</PrE ><a href=\"https://evil.example\">OWNED</a>",
    "</details>\n\n# OWNED\n<details open>",
    "<!-- hide the rest",
    "<script>OWNED",
    "<![CDATA[ OWNED",
    "![x](https://evil.example/p.png)",
    "<img src=\"https://evil.example/x.png\">",
    "[Runbook]\n\n[Runbook]: https://evil.example/",
    "https://evil.example/login www.evil.example evil@example.com",
    "cc @octocat @org/security fixes #1 GH-1",
    "a | b | c\\| `x | y`",
    "a\n| --- |\n| OWNED |",
    "a ` b `` c",
    "OWNED\n=====\n",
    "> [!CAUTION]\n> OWNED",
    "x[^1]\n\n[^1]: OWNED",
    "&lt;b&gt; &#60;b&#62; &commat;octocat",
    "{{#each env}}{{this}}{{/each}} {{{raw}}}",
    "\\",
    "\\`",
    "trailing backslash \\|",
    "**OWNED** _OWNED_ ~~OWNED~~",
    "- [ ] OWNED\n1. OWNED",
    "***\n---\n___",
    "\u{202e}OWNED\u{2066} \u{1b}]8;;https://evil.example\u{7}OWNED",
    "mailto:evil@example.com xmpp:evil@example.com ftp://evil.example",
    "` ``` ` <b>OWNED</b> `",
];

#[test]
fn no_hostile_text_makes_an_element_of_its_own() {
    let calm = elements(&page("calm", Stage::Preflight));
    let calm_after = elements(&page("calm", Stage::Diagnose));
    let huge = format!("{}\n# OWNED\n", "`".repeat(100_000));
    for raw in HOSTILE.into_iter().chain([huge.as_str()]) {
        for (stage, wanted) in [(Stage::Preflight, &calm), (Stage::Diagnose, &calm_after)] {
            let html = page(raw, stage);
            let found = without(&elements(&html), "code");
            let pre = |all: &[String]| {
                all.iter().filter(|e| !e.contains("pre")).cloned().collect::<Vec<_>>()
            };
            assert_eq!(pre(&found), pre(&without(wanted, "code")), "{raw:?}\n{html}");
            assert!(!html.contains("\"https://evil"), "{raw:?}");
        }
    }
}

#[test]
fn the_summary_uses_only_elements_that_github_keeps() {
    let kept: BTreeSet<&str> = [
        "h3", "h4", "p", "a", "code", "pre", "sub", "strong", "ol", "ul", "li", "table", "thead",
        "tbody", "tr", "th", "td", "details", "summary",
    ]
    .into();
    for stage in [Stage::Preflight, Stage::Diagnose] {
        for element in elements(&page("calm", stage)) {
            let name = element.trim_start_matches('/');
            assert!(kept.contains(name), "{name}");
        }
    }
}

#[test]
fn what_is_cut_to_a_budget_still_closes_every_element() {
    let report = report("a ``` b", Stage::Diagnose);
    for budget in [600, 1500, 2500, 4000, 6000] {
        let html = html_of(&summary::render(&report, budget).unwrap());
        let all = elements(&html);
        for name in ["details", "table", "pre", "code", "h3"] {
            let open = all.iter().filter(|e| *e == name).count();
            assert_eq!(
                open,
                all.iter().filter(|e| **e == format!("/{name}")).count(),
                "{name} at {budget}\n{html}"
            );
        }
    }
}

/// The names of all elements in order, closing ones with a slash.
fn elements(html: &str) -> Vec<String> {
    html.split('<')
        .skip(1)
        .map(|tag| tag.split(['>', ' ', '\n']).next().unwrap_or_default().to_owned())
        .collect()
}

fn without(all: &[String], name: &str) -> Vec<String> {
    all.iter().filter(|e| e.trim_start_matches('/') != name).cloned().collect()
}

fn page(raw: &str, stage: Stage) -> String {
    html_of(&summary::render(&report(raw, stage), summary::BUDGET).unwrap())
}

/// What GitHub's renderer makes of it, with raw HTML let through: the worst case.
#[expect(clippy::disallowed_methods, reason = "the renderer is a tool of the test")]
fn html_of(markdown: &str) -> String {
    let mut renderer = Command::new("cmark-gfm")
        .args([
            "--unsafe",
            "-e",
            "table",
            "-e",
            "autolink",
            "-e",
            "strikethrough",
            "-e",
            "tagfilter",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("cmark-gfm is installed (Debian package cmark-gfm)");
    let mut input = renderer.stdin.take().unwrap();
    let text = markdown.to_owned();
    let writer = std::thread::scope(|scope| {
        scope.spawn(move || input.write_all(text.as_bytes()).unwrap());
        renderer.wait_with_output()
    });
    String::from_utf8(writer.unwrap().stdout).unwrap()
}

fn text(raw: &str) -> Redacted {
    Redactor::new(&[]).redact(raw)
}

/// A report in which every text from outside is `raw`.
fn report(raw: &str, stage: Stage) -> Report {
    let t = text(raw);
    let gate = stage == Stage::Preflight;
    let row = |collected| CollectedRow { collector: "job-log", collected, took: Duration::ZERO };
    Report {
        stage,
        job: job(&t),
        findings: if gate {
            vec![finding(raw, Status::Fail), finding(raw, Status::Warn)]
        } else {
            Vec::new()
        },
        verdict: gate.then(|| verdict(&t)),
        selection: gate.then(|| Selection { candidates: vec![candidate(&t)] }),
        shadow: false,
        diagnoses: if gate { Vec::new() } else { vec![diagnosis(&t), diagnosis(&t)] },
        collected: vec![
            row(Collected::Ok { note: t.clone(), entries: 1 }),
            row(Collected::Failed(t.clone())),
            row(Collected::Skipped(t.clone())),
        ],
        job_status: Some("failure".to_owned()),
        failures: vec![Excerpt { label: t.clone(), text: t.clone(), line: 3, root: true }],
        charts: vec![chart(&t)],
        timeline: vec![event(&t)],
        bundle: Some(BundleRow {
            path: raw.to_owned(),
            artifact: Some(Err(t.clone())),
            ..BundleRow::default()
        }),
        partial: true,
        api: None,
        notes: vec![t],
        runbooks: "docs/runbooks".to_owned(),
        took: Duration::ZERO,
    }
}

fn event(t: &Redacted) -> TimelineRow {
    TimelineRow { at: 0, lane: Lane::Ansible, text: t.clone(), severity: Severity::Bad }
}

fn chart(t: &Redacted) -> Chart {
    let name = t.as_str().to_owned();
    let series = Series { name: name.clone(), values: vec![Some(1.0), None, Some(2.0)] };
    Chart {
        title: name.clone(),
        unit: Unit::Count,
        query: name,
        start: 0,
        step: 60,
        job: Some(60),
        series: vec![series.clone(), Series { values: vec![Some(1.0); 3], ..series }],
        more: 1,
        links: vec![("Prometheus".to_owned(), "http://prometheus:9090/graph".to_owned())],
    }
}

fn job(t: &Redacted) -> JobRow {
    JobRow {
        repository: t.clone(),
        workflow: t.clone(),
        job: t.clone(),
        runner: t.clone(),
        environment: t.clone(),
        run_url: "https://github.com/o/r/actions/runs/1".to_owned(),
    }
}

fn finding(raw: &str, status: Status) -> Finding {
    let outcome = Outcome::new(status, raw).help(raw).saw_limit(raw, raw, raw);
    let runner = Some(raw.to_owned());
    let answer = Answer {
        check: "disk-space",
        question: "?",
        runbook: "disk-space",
        runner,
        outcome,
        took: Duration::ZERO,
    };
    Finding::new(answer, &Redactor::new(&[]))
}

fn verdict(t: &Redacted) -> Verdict {
    let reason = Reason {
        check: "disk-space",
        runner: Some(t.clone()),
        status: Status::Fail,
        summary: t.clone(),
        help: Some(t.clone()),
        runbook: "disk-space",
    };
    Verdict::Block { by: vec![reason], warnings: Vec::new(), class: BlockClass::Failed }
}

fn candidate(t: &Redacted) -> Candidate {
    Candidate {
        host: None,
        score: None,
        name: t.clone(),
        role: t.clone(),
        labels: vec![t.clone()],
        why_not: vec![t.clone()],
        chosen: false,
    }
}

fn diagnosis(t: &Redacted) -> Diagnosis {
    Diagnosis {
        id: "disk-full".to_owned(),
        title: "Disk is full".to_owned(),
        category: "resources".to_owned(),
        confidence: 0.9,
        subject: Some(t.clone()),
        evidence: vec![EvidenceLine {
            path: BundlePath::new("a", "b.log"),
            line: 3,
            text: t.clone(),
        }],
        runbook: "disk-full".to_owned(),
        remediation: vec!["Free space".to_owned()],
        retryable: "after-fix".to_owned(),
    }
}
