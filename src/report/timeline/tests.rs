use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::report::sample;

const AT: i64 = 1_769_828_400; // 2026-01-31 03:00:00 UTC

fn told(path: &str, text: &str) -> Vec<(i64, &'static str, String, &'static str)> {
    let rows = read(path, &sample::text(text), &Redactor::new(&[]));
    let plain = |row: TimelineRow| {
        (row.at - AT, row.lane.word(), row.text.into_string(), row.severity.word())
    };
    rows.into_iter().map(plain).collect()
}

#[test]
fn the_steps_of_a_job_stand_at_their_ends() {
    let text = "The jobs of run 1, attempt 1 that failed, as GitHub knows them.\n\n\
        job \"deploy\" (id 7): failure\n  runner prod-a\n  group  Default\n  began  2026-01-31T03:00:00Z\n  ended  2026-01-31T03:04:10Z\n  labels x\n\n\
        \u{20}   #  state         seconds  step\n\
        \u{20}   1  success             2  Set up job\n\
        \u{20}   2  failure           240  Run  ansible\n\
        \u{20}   3  skipped             0  Later\n\n\
        runner-guard: step failed: job \"deploy\"\n";
    let expected = [
        (0, "job", "job deploy began on runner prod-a", "info"),
        (250, "job", "job deploy ended: failure", "fail"),
        (2, "job", "step “Set up job”: done", "info"),
        (242, "job", "step “Run  ansible”: failed", "fail"),
    ];
    let expected: Vec<_> =
        expected.into_iter().map(|(at, lane, words, s)| (at, lane, words.to_owned(), s)).collect();
    assert_eq!(told("jobs/steps.txt", text), expected);
}

#[test]
fn states_of_the_listener_and_alerts_and_telemetry_are_events() {
    let states = "# What the logs mean\nx\n\n# States of the listener\n\
        2026-01-31 03:00:01Z  runs a job  (Runner_1.log:7)\n\
        2026-01-31 03:05:12Z  a job ended: Failed  (Runner_1.log:9)\n\
        last state: x\n\n# Lines\n2026-01-31 03:00:01Z  no state  (x:1)\n";
    let rows = told("runner-logs/states.txt", states);
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1], (312, "runner", "a job ended: Failed".to_owned(), "fail"));
    let snapshot = json!({"alerts": [
        {"labels": {"alertname": "DiskFull", "severity": "critical"}, "annotations": {"summary": "4 % left"}, "since": AT + 60},
        {"labels": {"alertname": "NoTime"}, "annotations": {}, "since": null},
    ]});
    assert_eq!(
        told("metrics/snapshot.json", &snapshot.to_string()),
        [(60, "alert", "DiskFull fires: 4 % left".to_owned(), "fail")]
    );
    let worker = json!({"steps": [{"name": "Build", "result": "failed", "started": "2026-01-31T03:00:10Z", "seconds": 5.4}]});
    assert_eq!(
        told("runner-logs/steps.json", &worker.to_string()),
        [(15, "job", "step “Build”: failed".to_owned(), "fail")]
    );
    assert!(told("jobs/other.log", states).is_empty());
}

#[test]
fn a_failed_task_stands_at_the_last_time_stamp_before_it_or_nowhere() {
    let log = "2026-01-31T03:00:01.1234567Z TASK [x]\nno stamp\n2026-01-31T03:00:09.1Z fatal\nmore";
    let mut failure = sample::failure("task x on web1", "rc=1", true);
    for (line, at) in [(1, 1), (2, 1), (3, 9), (4, 9)] {
        failure.line = line;
        let rows = failed_tasks(log.lines(), std::slice::from_ref(&failure));
        assert_eq!(rows.iter().map(|row| row.at - AT).collect::<Vec<_>>(), [at], "{line}");
    }
    failure.line = 2;
    assert!(failed_tasks("a\nb\nc".lines(), &[failure.clone()]).is_empty());
    failure.line = usize::MAX;
    assert!(failed_tasks(log.lines(), &[failure]).is_empty());
}

#[test]
fn the_gate_stands_at_its_end() {
    let rows = gate(AT, &json!({"verdict": "warn", "took_ms": 4200}), &Redactor::new(&[]));
    assert_eq!((rows[0].at, rows[0].severity), (AT + 4, Severity::Look));
    assert!(gate(AT, &json!([]), &Redactor::new(&[])).is_empty());
}

fn row(at: i64, lane: Lane, words: &str, severity: Severity) -> TimelineRow {
    TimelineRow { at, lane, text: sample::text(words), severity }
}

#[test]
fn events_are_in_order_once_and_what_weighs_is_kept() {
    let mut rows = vec![
        row(1_000_009, Lane::Job, "b", Severity::Bad),
        row(1_000_000, Lane::Job, "a", Severity::Info),
        row(1_000_003, Lane::Job, "a", Severity::Info),
        row(1, Lane::Runner, "long ago", Severity::Look),
    ];
    let words =
        |rows: &[TimelineRow]| -> String { rows.iter().map(|row| row.text.as_str()).collect() };
    assert_eq!(words(&ordered(rows.clone())), "ab");
    rows.extend((0..500).map(|n| row(1_000_100 + 60 * n, Lane::Job, "noise", Severity::Info)));
    let kept = ordered(rows);
    assert_eq!(kept.len(), ROWS);
    assert_eq!(kept[0].text.as_str(), "b");
}

proptest! {
    #[test]
    fn no_text_breaks_the_reading(
        text in "(job \"|\" \\(id 1\\): |\n|  began  |2026-01-31T03:00:00Z|  1  failure  9  |# States of the listener\n|(?s).){0,60}",
        path in prop_oneof![Just("jobs/steps.txt"), Just("runner-logs/states.txt"), Just("runner-logs/steps.json"), Just("metrics/snapshot.json")],
    ) {
        let rows = read(path, &sample::text(&text), &Redactor::new(&[]));
        prop_assert!(ordered(rows).is_sorted_by_key(|row| row.at));
        failed_tasks(text.lines(), &[sample::failure("x", "y", true)]);
    }
}

#[test]
fn a_line_of_any_length_is_kept_by_its_beginning_and_counts_once() {
    let text = format!("one\n{}\n\nlast", "x".repeat(1 << 20));
    let mut reader = std::io::BufReader::with_capacity(7, text.as_bytes());
    let lines: Vec<String> = beginnings(&mut reader).collect();
    assert_eq!(lines, ["one", &"x".repeat(BEGINNING), "", "last"]);
}
