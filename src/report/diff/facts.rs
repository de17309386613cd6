//! A run as facts that can be held against those of another run: what it is about, its value, and how bad that is.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{About, Facts, Side};
use crate::report::play::RECAP;

/// What a fact is about, and which one it is.
pub(super) type Key = (About, String);

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fact {
    /// What is compared.
    pub(super) value: String,
    /// What is shown.
    pub(super) shown: String,
    /// How bad it is; only the order counts.
    pub(super) rank: u8,
}

impl Fact {
    fn new(value: &str, rank: u8) -> Self {
        Self { value: value.to_owned(), shown: value.to_owned(), rank }
    }

    fn shown(self, shown: String) -> Self {
        Self { shown, ..self }
    }
}

/// The checks whose observations are the states of secrets.
const ABOUT_SECRETS: [&str; 3] = ["secret-present", "secret-format", "secret-expiry"];

/// The version of the program.
pub(super) fn of_tool(side: &Side) -> Facts {
    let known = (!side.tool.is_empty())
        .then(|| ((About::Tool, "made by".to_owned()), Fact::new(&side.tool, 0)));
    known.into_iter().collect()
}

/// What the gate found; `None` without its report.
pub(super) fn of_gate(side: &Side) -> Option<Facts> {
    let gate = side.gate.as_ref()?;
    let mut facts = BTreeMap::new();
    let verdict = word(gate, "verdict");
    let decided = Fact::new(verdict, rank(verdict)).shown(with_reason(verdict, gate));
    facts.insert((About::Verdict, "verdict".to_owned()), decided);
    let selection = gate.get("selection").unwrap_or(&Value::Null);
    let chosen = word(selection, "chosen");
    if !chosen.is_empty() {
        facts.insert((About::Verdict, "chosen runner".to_owned()), Fact::new(chosen, 0));
    }
    for finding in list(gate, "findings") {
        of_finding(finding, &mut facts);
    }
    for candidate in list(selection, "candidates") {
        of_candidate(candidate, &mut facts);
    }
    for secret in list(gate, "secrets") {
        let states: Vec<&str> = ["present", "format", "expiry"]
            .map(|key| word(secret, key))
            .into_iter()
            .filter(|state| !state.is_empty())
            .collect();
        let key = (About::Secret, word(secret, "name").to_owned());
        facts.insert(key, Fact::new(&states.join(", "), rank(word(secret, "status"))));
    }
    Some(facts)
}

fn with_reason(verdict: &str, gate: &Value) -> String {
    match list(gate, "reasons").first() {
        Some(reason) => {
            format!("{verdict} ({}: {})", word(reason, "check"), word(reason, "summary"))
        }
        None => verdict.to_owned(),
    }
}

fn of_finding(finding: &Value, facts: &mut Facts) {
    let (check, runner) = (word(finding, "check"), word(finding, "runner"));
    let name = if runner.is_empty() { check.to_owned() } else { format!("{check} on {runner}") };
    let status = word(finding, "status");
    let shown = format!("{status}: {}", word(finding, "summary"));
    facts.insert((About::Finding, name.clone()), Fact::new(status, rank(status)).shown(shown));
    if ABOUT_SECRETS.contains(&check) {
        return;
    }
    for seen in list(finding, "observations") {
        let key = (About::Value, format!("{name}, {}", word(seen, "name")));
        facts.insert(key, Fact::new(word(seen, "value"), 0));
    }
}

fn of_candidate(candidate: &Value, facts: &mut Facts) {
    let name = word(candidate, "name");
    let labels: Vec<&str> = list(candidate, "labels").iter().filter_map(Value::as_str).collect();
    let fits = list(candidate, "why_not").is_empty();
    for (what, value, rank) in [
        ("role", word(candidate, "role"), 0),
        ("labels", &labels.join(", "), 0),
        ("host", word(candidate, "host"), 0),
        ("eligible", if fits { "yes" } else { "no" }, u8::from(!fits)),
    ] {
        if !value.is_empty() {
            facts.insert((About::Candidate, format!("{what} of {name}")), Fact::new(value, rank));
        }
    }
}

/// What the black box found; `None` without its report.
pub(super) fn of_report(side: &Side) -> Option<Facts> {
    let report = side.report.as_ref()?;
    let mut facts = BTreeMap::new();
    let status = word(report, "job_status");
    if !status.is_empty() {
        let fact = Fact::new(status, u8::from(status != "success"));
        facts.insert((About::Cause, "job status".to_owned()), fact);
    }
    for cause in list(report, "diagnoses") {
        let shown = format!("{} ({})", word(cause, "title"), word(cause, "certainty"));
        let key = (About::Cause, word(cause, "id").to_owned());
        facts.insert(key, Fact::new("there", 1).shown(shown));
    }
    for row in list(report, "collected") {
        let status = word(row, "status");
        let shown = match word(row, "detail") {
            "" => status.to_owned(),
            detail => format!("{status}: {detail}"),
        };
        let key = (About::Collector, word(row, "collector").to_owned());
        facts.insert(key, Fact::new(status, rank(status)).shown(shown));
    }
    Some(facts)
}

/// The recaps; `None` without evidence.
pub(super) fn of_plays(side: &Side) -> Option<Facts> {
    let plays = side.plays.as_ref()?;
    let mut totals: BTreeMap<&str, [u64; 7]> = BTreeMap::new();
    for host in plays.iter().flat_map(|play| &play.hosts) {
        let total = totals.entry(host.name.as_str()).or_default();
        for (sum, n) in total.iter_mut().zip(host.counts) {
            *sum = sum.saturating_add(n);
        }
    }
    let fact = |(name, counts): (&str, [u64; 7])| {
        let told = RECAP.into_iter().zip(counts).filter(|(word, n)| *n > 0 || *word == "ok");
        let shown: Vec<String> = told.map(|(word, n)| format!("{word}={n}")).collect();
        let [_, _, unreachable, failed, ..] = counts;
        let rank = u8::from(unreachable > 0) * 2 + u8::from(failed > 0);
        ((About::Ansible, name.to_owned()), Fact::new(&shown.join(" "), rank))
    };
    Some(totals.into_iter().map(fact).collect())
}

/// How bad a word of an answer, a verdict or a collector is.
fn rank(word: &str) -> u8 {
    match word {
        "warn" | "skipped" => 1,
        "unknown" | "timed_out" => 2,
        "fail" | "failed" | "block" => 3,
        _ => 0,
    }
}

fn word<'a>(of: &'a Value, key: &str) -> &'a str {
    of.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(of: &'a Value, key: &str) -> &'a [Value] {
    of.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
