use serde_json::json;

use super::*;
use crate::report::{PlayHost, sample};

fn gate(verdict: &str, disk: (&str, &str), key: &str) -> Value {
    json!({
        "verdict": verdict,
        "reasons": [{"check": "disk-space", "summary": "the disk"}],
        "selection": {"chosen": "prod-a", "candidates": [{"name": "prod-a", "role": "primary", "labels": ["x"], "why_not": []}]},
        "secrets": [{"name": "DEPLOY_KEY", "status": "pass", "present": key}],
        "findings": [{"check": "disk-space", "runner": "prod-a", "status": disk.0, "summary": "seen",
            "observations": [{"name": "free", "value": disk.1}]}],
    })
}

fn side(gate: Value, failed: u64, cause: Option<&str>) -> Side {
    let causes: Vec<Value> =
        cause.iter().map(|id| json!({"id": id, "title": "T", "certainty": "likely"})).collect();
    let host = PlayHost { name: sample::text("web1"), counts: [5, 1, 0, failed, 0, 0, 0] };
    let play = Play { entry: "a".to_owned(), verdict: sample::text("v"), hosts: vec![host] };
    Side {
        name: "x".to_owned(),
        gate: Some(gate),
        report: Some(json!({"job_status": "failure", "diagnoses": causes,
            "collected": [{"collector": "metrics", "status": "ok", "detail": "d"}]})),
        plays: Some(vec![play]),
        ..Side::default()
    }
}

fn told(changes: &Changes) -> Vec<(&'static str, &str, &'static str)> {
    changes.changes.iter().map(|c| (c.about.word(), c.what.as_str(), c.trend.word())).collect()
}

#[test]
fn everything_that_changed_is_named_and_says_whether_it_is_worse() {
    let old = side(gate("pass", ("pass", "40 GiB"), "present"), 0, Some("old-cause"));
    let new = side(gate("block", ("fail", "1 GiB"), "missing"), 1, Some("disk-full"));
    let changes = diff(&old, &new);
    assert_eq!(
        told(&changes),
        [
            ("verdict", "verdict", "worse"),
            ("cause", "disk-full", "worse"),
            ("cause", "old-cause", "better"),
            ("finding", "disk-space on prod-a", "worse"),
            ("secret", "DEPLOY_KEY", "changed"),
            ("ansible", "web1", "worse"),
            ("value", "disk-space on prod-a, free", "changed"),
        ]
    );
    let text = to_text(&changes);
    assert!(text.starts_with("4 worse, 1 better, 2 different since then"), "{text}");
    assert!(text.contains("was  ok=5 changed=1\n          is   ok=5 changed=1 failed=1"), "{text}");
}

#[test]
fn the_same_run_twice_is_an_answer() {
    let one = side(gate("pass", ("pass", "40 GiB"), "present"), 0, None);
    let changes = diff(&one, &one);
    assert!(changes.changes.is_empty() && changes.same > 5, "{changes:?}");
    assert!(to_text(&changes).starts_with("nothing changed that this program can see"));
    assert_eq!(to_json(&changes)["changed"], json!(false));
}

#[test]
fn what_only_one_side_has_is_not_a_change() {
    let old = Side { plays: None, report: None, ..side(gate("pass", ("pass", "1"), "x"), 0, None) };
    let new = side(gate("pass", ("pass", "1"), "x"), 1, Some("disk-full"));
    let changes = diff(&old, &new);
    assert_eq!(told(&changes), []);
    assert_eq!(changes.not_compared.len(), 2, "{changes:?}");
    let nothing = diff(&Side::default(), &new);
    assert!(to_text(&nothing).starts_with("nothing could be compared"));
}

#[test]
fn documents_of_another_kind_compare_to_nothing() {
    for odd in [json!(null), json!([1]), json!({"findings": 7, "selection": "x", "secrets": {}})] {
        let side = Side { gate: Some(odd.clone()), report: Some(odd), ..Side::default() };
        assert!(diff(&side, &side).changes.is_empty());
    }
}

#[test]
fn nothing_foreign_commands_a_terminal() {
    let new = side(gate("pass\u{1b}[2J\n::error::x", ("pass", "\u{1b}]0;x\u{7}"), "x"), 0, None);
    let text = to_text(&diff(&side(gate("pass", ("pass", "1"), "x"), 0, None), &new));
    assert!(
        !text.contains('\u{1b}') && !text.lines().any(|l| l.trim_start().starts_with("::")),
        "{text}"
    );
}
