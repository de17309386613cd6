//! What the gate of the same job had found, from the JSON report that it left: verdict, reasons, candidates, secrets, all answers.
//!
//! The document is read leniently: a part that is missing or of another kind is not shown.

use serde_json::Value;

use super::parts::{cell, table};
use super::writer::Html;
use crate::report::escape;

/// Findings with these answers stand in the open; the others are folded.
const LOUD: [&str; 3] = ["fail", "unknown", "warn"];

pub(super) fn section(html: &mut Html, gate: &Value) {
    let (class, words) = match word(gate, "verdict") {
        "pass" => ("good", "the gate had passed"),
        "warn" => ("look", "the gate had passed with warnings"),
        "block" => ("bad", "the gate had blocked"),
        _ => return,
    };
    html.leaf("h2", "", "Before the deploy");
    html.start("p", &[]);
    html.leaf("strong", class, words);
    if let Some(chosen) = gate.pointer("/selection/chosen").and_then(Value::as_str) {
        html.text(", runner ");
        html.leaf("code", "", &escape::one_line(chosen, 200));
    }
    if let Some(reason) = list(gate, "reasons").first() {
        let (check, summary) = (word(reason, "check"), word(reason, "summary"));
        html.text(&escape::one_line(&format!(": {check}: {summary}"), escape::LINE));
    }
    html.end();
    let (loud, quiet): (Vec<_>, Vec<_>) = shared(list(gate, "findings"))
        .into_iter()
        .partition(|row| LOUD.contains(&word(row.finding, "status")));
    findings(html, &loud);
    candidates(html, list(gate.get("selection").unwrap_or(&Value::Null), "candidates"));
    secrets(html, list(gate, "secrets"));
    if !quiet.is_empty() {
        html.start("details", &[]);
        html.leaf("summary", "", &format!("{} answers that need no look", quiet.len()));
        html.start("div", &[("class", "in")]);
        findings(html, &quiet);
        html.end();
        html.end();
    }
}

/// A finding, and the runners that share it.
struct Row<'a> {
    finding: &'a Value,
    runners: Vec<&'a str>,
}

/// The findings, what weighs most first; those that say the same of several runners as one.
fn shared(all: &[Value]) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    let said = |finding| ["check", "status", "summary", "help"].map(|key| word(finding, key));
    for finding in all {
        let runner = Some(word(finding, "runner")).filter(|name| !name.is_empty());
        let bare = list(finding, "observations").is_empty();
        match rows.iter_mut().find(|row| bare && said(row.finding) == said(finding)) {
            Some(row) => row.runners.extend(runner),
            None => rows.push(Row { finding, runners: runner.into_iter().collect() }),
        }
    }
    let weight =
        |row: &Row<'_>| LOUD.iter().position(|status| *status == word(row.finding, "status"));
    rows.sort_by_key(|row| weight(row).unwrap_or(LOUD.len()));
    rows
}

fn findings(html: &mut Html, all: &[Row<'_>]) {
    if all.is_empty() {
        return;
    }
    table(
        html,
        "rows",
        &["answer", "check", "runner", "what was found"],
        all.iter(),
        |html, row| {
            let finding = row.finding;
            let status = word(finding, "status");
            html.start("tr", &[]);
            cell(html, "answer", class(status), status);
            cell(html, "check", "w", word(finding, "check"));
            cell(html, "runner", "", &row.runners.join(", "));
            cell(html, "found", "", &seen(finding));
            html.end();
        },
    );
}

/// The summary, what was observed, and the help.
fn seen(finding: &Value) -> String {
    let observation = |seen: &Value| {
        let limit = word(seen, "limit");
        let limit = if limit.is_empty() { String::new() } else { format!(" (limit {limit})") };
        format!("{} {}{limit}", word(seen, "name"), word(seen, "value"))
    };
    let observed: Vec<String> =
        list(finding, "observations").iter().take(20).map(observation).collect();
    let observed = observed.join(", ");
    let parts = [word(finding, "summary"), &observed, word(finding, "help")];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

fn candidates(html: &mut Html, all: &[Value]) {
    if all.is_empty() {
        return;
    }
    html.leaf("h3", "", "Candidates");
    table(
        html,
        "rows",
        &["runner", "role", "score", "now", "why not"],
        all.iter(),
        |html, candidate| {
            let chosen = candidate.get("chosen") == Some(&Value::Bool(true));
            let score = candidate.get("score").and_then(Value::as_u64).map(|n| n.to_string());
            let why: Vec<&str> =
                list(candidate, "why_not").iter().filter_map(Value::as_str).take(10).collect();
            html.start("tr", &[]);
            cell(html, "runner", if chosen { "good w" } else { "w" }, word(candidate, "name"));
            cell(html, "role", "", word(candidate, "role"));
            cell(html, "score", "n", &score.unwrap_or_default());
            cell(html, "now", "", word(candidate, "busy"));
            cell(
                html,
                "lot",
                "",
                if chosen { "chosen".to_owned() } else { why.join("; ") }.as_str(),
            );
            html.end();
        },
    );
}

fn secrets(html: &mut Html, all: &[Value]) {
    if all.is_empty() {
        return;
    }
    html.leaf("h3", "", "Secrets by name (never a value)");
    table(html, "rows", &["secret", "present", "format", "expiry"], all.iter(), |html, secret| {
        html.start("tr", &[]);
        cell(html, "secret", class(word(secret, "status")), word(secret, "name"));
        for column in ["present", "format", "expiry"] {
            cell(html, column, "", word(secret, column));
        }
        html.end();
    });
}

fn class(status: &str) -> &'static str {
    match status {
        "pass" => "good w",
        "warn" => "look w",
        "fail" => "bad w",
        "unknown" => "open w",
        _ => "off w",
    }
}

fn word<'a>(of: &'a Value, key: &str) -> &'a str {
    of.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(of: &'a Value, key: &str) -> &'a [Value] {
    of.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
