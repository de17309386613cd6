//! What may enter a bundle, and what its manifest says about it.

use super::*;
use crate::redact::Known;
use crate::report::{Collected, EvidenceKind};

fn evidence(path: &str, text: &str) -> Evidence<Redacted> {
    let raw = Evidence::new(BundlePath::new("", path), EvidenceKind::JobLog, "a job", "");
    let sealed = raw.redact(&Redactor::new(&[])).expect("sealed");
    let knowing = Redactor::new(&[Known::new("DB_PASSWORD", "hunter2")]);
    let text = knowing.seal_own(text, &Store::in_memory()).expect("kept");
    Evidence { text, ..sealed }
}

fn hunter(bytes: &[u8]) -> Vec<String> {
    if bytes.windows(7).any(|w| w == b"hunter2") {
        vec!["DB_PASSWORD".to_owned()]
    } else {
        Vec::new()
    }
}

fn manifest_of(entries: &[Evidence<Redacted>], collected: &[CollectedRow]) -> serde_json::Value {
    let sifted = sift(entries.iter().map(Item::of_evidence), &hunter);
    let meta = ManifestMeta {
        created: Timestamp::UNIX_EPOCH,
        job: &JobRow::default(),
        collected,
        left: &[],
    };
    serde_json::from_str(&manifest::render(&sifted, &meta, &hunter)).expect("JSON")
}

#[test]
fn an_entry_that_still_holds_a_secret_is_withheld_and_named() {
    let entries = [evidence("a.log", "left: hunter2"), evidence("b.log", "fine")];
    let sifted = sift(entries.iter().map(Item::of_evidence), &hunter);
    assert_eq!(sifted.kept.iter().map(|k| k.path.as_str()).collect::<Vec<_>>(), ["b.log"]);
    let manifest = manifest_of(&entries, &[]);
    assert_eq!(manifest["withheld"][0]["path"], "a.log");
    assert_eq!(
        manifest["withheld"][0]["reason"],
        "withheld: it still holds the value of DB_PASSWORD"
    );
    assert!(!manifest.to_string().contains("hunter2"));
}

#[test]
fn a_path_that_holds_a_secret_is_not_shown_anywhere() {
    let manifest = manifest_of(&[evidence("logs/hunter2.log", "fine")], &[]);
    assert_eq!(manifest["withheld"][0]["path"], "withheld-1");
    assert!(!manifest.to_string().contains("hunter2"));
}

#[test]
fn a_manifest_that_would_hold_a_secret_says_only_that() {
    let note = Redactor::new(&[]).redact("read hunter2");
    let row = CollectedRow {
        collector: "job-log",
        collected: Collected::Failed(note),
        took: Duration::ZERO,
    };
    let manifest = manifest_of(&[evidence("a.log", "x")], &[row]);
    assert!(manifest["withheld"][0]["reason"].as_str().is_some_and(|r| r.contains("DB_PASSWORD")));
    assert!(!manifest.to_string().contains("hunter2"));
}

#[test]
fn the_manifest_says_what_was_cut_and_replaced_and_how_collectors_ended() {
    let mut cut = evidence("a.log", "abc");
    cut.truncated = Some(Truncation { original: Some(9000), cap: 3 });
    cut.redactions = Counts::from([("known-value".to_owned(), 2)]);
    let row = CollectedRow {
        collector: "metrics",
        collected: Collected::TimedOut,
        took: Duration::from_millis(1500),
    };
    let manifest = manifest_of(&[cut], &[row]);
    let entry = &manifest["entries"][0];
    assert_eq!(entry["truncated"], serde_json::json!({ "original": 9000, "cap": 3 }));
    assert_eq!(entry["redactions"]["known-value"], 2);
    assert_eq!(entry["size"], 3);
    assert_eq!(entry["status"], "cut");
    assert_eq!(entry["kind"], "job-log");
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(entry["sha256"], abc);
    assert_eq!(manifest["collectors"][0]["ended"], "timed out");
    assert_eq!(manifest["collectors"][0]["took_ms"], 1500);
}
