//! Cases of `runner-steady`.

use serde_json::Value;

use super::{row, says};
use crate::support::http::{Behaviour, serve};
use crate::support::scripted::{Scripted, matrix, vector};

const ID: &str = "runner-steady";
const LABELS: &str = r#""runner":"a""#;

/// Samples every 15 s of the twenty minutes before second 2000, those of which the test wants.
fn past(keep: impl Fn(u32) -> Option<u8>) -> Scripted {
    let times = (0..=80).map(|n| 790 + n * 15);
    let samples: Vec<(u32, u8)> = times.filter_map(|t| Some((t, keep(t)?))).collect();
    let newest = samples.last().map_or(0, |(time, _)| *time);
    Scripted::start(&[
        ("query=timestamp(runner_status", vector(&[(LABELS, 2000, f64::from(newest))])),
        ("query=runner_status{runner=\"a\"}[1230s]", matrix(LABELS, &samples)),
    ])
}

fn through(prometheus: &Scripted, more: &str) -> String {
    format!(
        "timeout: 5s\nprometheus: {{url: '{}'}}\nrunners: [{{name: a{more}}}]\n",
        prometheus.url()
    )
}

fn asked(keep: impl Fn(u32) -> Option<u8>) -> Value {
    row(ID, &through(&past(keep), ""))
}

fn steady(row: &Value) -> Value {
    let all = row["observations"].as_array().cloned().unwrap_or_default();
    all.into_iter().find(|o| o["name"] == "steady").map_or(Value::Null, |o| o["value"].clone())
}

#[test]
fn only_health_without_a_break_is_steady() {
    let healthy = asked(|_| Some(1));
    says("healthy", &healthy, ("pass", "healthy without a break for at least 20 min", ""));
    assert_eq!(steady(&healthy), "true");
    let down = asked(|t| Some(u8::from(!(1700..1800).contains(&t))));
    says(
        "down",
        &down,
        ("warn", "was offline 3 min ago; it must be healthy for 10 min", "gate.stable-for"),
    );
    assert_eq!(steady(&down), "false");
    let gap = asked(|t| (!(1700..1800).contains(&t)).then_some(1));
    says("gap", &gap, ("warn", "was silent for 2 min until 3 min ago", "steady candidate"));
    let lost = asked(|t| (t != 1765).then_some(1));
    says("one scrape lost", &lost, ("pass", "without a break", ""));
}

#[test]
fn a_runner_that_is_down_or_new_is_not_steady() {
    says("down", &asked(|t| Some(u8::from(t < 1980))), ("warn", "is offline now", "journal"));
    says("silent", &asked(|t| (t < 1900).then_some(1)), ("warn", "has been silent for", "journal"));
    let new = asked(|t| (t > 1900).then_some(1));
    says("new", &new, ("warn", "is known for only 85 s", "until the time has passed"));
}

#[test]
fn without_samples_there_is_no_answer_and_without_a_question_none_is_asked() {
    let none = Scripted::start(&[]);
    says("none", &row(ID, &through(&none, "")), ("unknown", "has no sample", "another name there"));
    let broken = serve(Behaviour::Answer(500, "text/plain", "boom".to_owned()));
    let config = format!("prometheus: {{url: 'http://{broken}'}}\nrunners: [{{name: a}}]\n");
    says("broken", &row(ID, &config), ("unknown", "query", "look into its log"));
    let ephemeral = row(ID, &through(&none, ", expect: ephemeral"));
    says("ephemeral", &ephemeral, ("skipped", "is made for one job", ""));
    let off = format!("{}gate: {{stable-for: 0s}}\n", through(&none, ""));
    says("off", &row(ID, &off), ("skipped", "gate.stable-for is 0", ""));
    says(
        "no source",
        &row(ID, "runners: [{name: a}]\n"),
        ("skipped", "no Prometheus", "gate.state-file"),
    );
}
