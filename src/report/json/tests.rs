use serde_json::json;

use super::*;
use crate::report::sample::{blocked, failed, text as redacted};

#[test]
fn the_keys_of_the_document_are_these() {
    let document = to_json(&blocked());
    let keys: Vec<_> = document.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "schema",
            "stage",
            "job",
            "verdict",
            "blocked_by",
            "reasons",
            "findings",
            "selection",
            "secrets",
            "shadow",
            "partial",
            "api",
            "job_status",
            "diagnoses",
            "failures",
            "timeline",
            "collected",
            "bundle",
            "notes",
            "runbooks",
            "took_ms"
        ]
    );
    assert_eq!(document["schema"], 1);
}

#[test]
fn a_gate_tells_its_verdict_and_which_reasons_block() {
    let document = to_json(&blocked());
    assert_eq!(document["verdict"], "block");
    assert_eq!(document["blocked_by"], "failed");
    let blocks: Vec<_> =
        document["reasons"].as_array().unwrap().iter().map(|r| r["blocks"].clone()).collect();
    assert_eq!(blocks, [json!(true), json!(true), json!(false)]);
    assert_eq!(
        document["findings"][3]["observations"],
        json!([{"name": "free", "value": "1.2 GiB", "limit": "5 GiB"}])
    );
    assert_eq!(document["findings"][3]["took_ms"], 42);
    assert_eq!(document["selection"]["chosen"], Value::Null);
}

#[test]
fn a_black_box_tells_cause_evidence_and_bundle() {
    let document = to_json(&failed());
    assert_eq!(
        document["diagnoses"][0],
        json!({
            "id": "disk-full", "title": "Disk is full on the runner or target", "category": "resources", "confidence": 0.97,
            "certainty": "certain", "subject": "task \"Copy release\" on web1",
            "evidence": [
                {"path": "ansible/play.log", "line": 42, "text": "cannot write /srv/app: no space is left"},
                {"path": "ansible/play.log", "line": 40, "text": "TASK [Copy release]"}
            ],
            "runbook": "disk-space",
            "remediation": failed().diagnoses[0].remediation,
            "retryable": "after-fix"
        })
    );
    let status: Vec<_> =
        document["collected"].as_array().unwrap().iter().map(|c| c["status"].clone()).collect();
    assert_eq!(status, ["ok", "failed", "skipped", "timed_out"]);
    assert_eq!(document["bundle"]["artifact"]["id"], "77");
    assert_eq!(document["bundle"]["artifact_error"], Value::Null);
}

#[test]
fn a_text_of_any_size_is_bounded() {
    let mut report = failed();
    report.notes = vec![redacted(&"ä".repeat(1_000_000))];
    report.failures[0].text = redacted(&"ä".repeat(1_000_000));
    let document = to_json(&report);
    assert!(document["notes"][0].as_str().unwrap().chars().count() <= escape::LINE);
    assert!(document["failures"][0]["text"].as_str().unwrap().chars().count() <= escape::BLOCK);
}
