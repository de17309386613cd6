//! A bundle that somebody else made, read again: every name, note and chart in it is the hostile text.
#![expect(clippy::disallowed_methods, reason = "the test makes the bundle that is read")]

use serde_json::{Value, json};

use super::judge;
use crate::support::command::{Ended, Guard};
use crate::support::sha256;

/// What the commands print of such a bundle, in a workflow.
pub(super) struct Printed {
    pub(super) summary: Ended,
    pub(super) text: Ended,
    pub(super) json: Ended,
}

/// Reads a bundle of this text again, in every form.
pub(super) fn reread(text: &str) -> Printed {
    let folder = tempfile::tempdir().expect("folder");
    let mut name: String = text.chars().filter(|c| !matches!(c, '/' | '\0')).take(40).collect();
    name.push_str(".log");
    let files = [
        (name, "job-log", format!("{text}\nNo space left on device\n{text}\n##[error]{text}\n")),
        ("metrics/snapshot.json".to_owned(), "metrics", charts(text).to_string()),
        ("report.json".to_owned(), "report", json!({ "job_status": "failure" }).to_string()),
    ];
    let entry = |(path, kind, data): &(String, &str, String)| json!({ "path": path, "kind": kind, "origin": text, "sha256": sha256(data.as_bytes()), "truncated": null, "redactions": { text: 3 } });
    let gone = json!({ "path": text, "kind": text, "origin": text, "sha256": text });
    let manifest = json!({
        "schema": 1, "tool": text, "created": text,
        "job": { "repository": text, "workflow": text, "job": text, "runner": text, "environment": text, "run_url": text },
        "entries": files.iter().map(entry).chain([gone]).collect::<Vec<_>>(),
        "withheld": [{ "path": text, "reason": text }],
        "collectors": [{ "id": "ansible", "ended": "failed", "note": text, "entries": 1, "took_ms": 5 },
            { "id": "metrics", "ended": "ok", "note": text, "entries": 1, "took_ms": 5 }, { "id": text, "ended": text, "note": text }],
    });
    std::fs::create_dir(folder.path().join("metrics")).expect("folder");
    for (path, _, data) in &files {
        std::fs::write(folder.path().join(path), data).expect("file");
    }
    std::fs::write(folder.path().join("manifest.json"), manifest.to_string()).expect("manifest");
    let place = folder.path().display().to_string();
    let printed = |form: &str| {
        let guard = Guard::plain(&["diagnose", "--bundle", &place, "--format", form]);
        let ended = guard
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_SERVER_URL", "https://github.test")
            .run();
        assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
        ended
    };
    Printed { summary: printed("summary"), text: printed("text"), json: printed("json") }
}

/// Charts with titles, queries, series and links of the text; whole, so that they are drawn.
fn charts(text: &str) -> Value {
    let series = json!({ "name": text, "values": vec![1.0; 40] });
    let one = json!({ "title": text, "unit": "count", "query": text, "start": 1_790_000_000, "step": 60, "job": 1_790_000_600,
        "series": [series, series], "more": 1, "links": [[text, text], ["Prometheus", text], [text, "https://github.test/x"]] });
    json!({ "charts": [one] })
}

#[test]
fn a_foreign_bundle_shows_its_texts_and_draws_its_charts() {
    let printed = reread("calm");
    for (form, ended) in
        [("summary", &printed.summary), ("text", &printed.text), ("json", &printed.json)]
    {
        assert!(ended.stdout.contains("calm"), "{form}: {}", ended.stdout);
    }
    assert!(
        printed.summary.stdout.contains("```mermaid\nxychart-beta\n  title \"calm"),
        "{}",
        printed.summary.stdout
    );
}

#[test]
fn no_text_of_a_foreign_bundle_leaves_its_place() {
    let calm = reread("calm");
    let texts = super::hostile::all();
    let mut escapes = Vec::new();
    for text in &texts {
        let printed = reread(&text.text);
        let mut found = judge::summary(&printed.summary.stdout, &calm.summary.stdout);
        for (form, ended) in
            [("summary", &printed.summary), ("text", &printed.text), ("json", &printed.json)]
        {
            for words in [&ended.stdout, &ended.stderr] {
                found.extend(judge::commands(words));
                found.extend(judge::hidden(form, words));
            }
        }
        found.extend(
            serde_json::from_str::<Value>(&printed.json.stdout)
                .err()
                .map(|e| format!("no JSON: {e}")),
        );
        escapes
            .extend(found.into_iter().map(|what| format!("{} {}: {what}", text.rule, text.name)));
    }
    assert!(escapes.is_empty(), "{} escapes\n{}", escapes.len(), escapes.join("\n"));
}
