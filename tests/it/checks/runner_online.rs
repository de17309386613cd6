//! Cases of `runner-online`.

use super::{prometheus, prometheus_with, row, says};
use crate::support::http::{Behaviour, exporter_page, serve};
use crate::support::scripted::{Scripted, vector};

const ID: &str = "runner-online";
const LABELS: &str = r#""runner":"a","hostname":"h-1","authorized_for_prod":"true""#;

fn through(source: &str) -> String {
    format!("timeout: 5s\nprometheus: {{url: '{source}'}}\nrunners: [{{name: a}}]\n")
}

fn directly(page: Behaviour) -> String {
    let at = serve(page);
    format!("timeout: 5s\nrunners: [{{name: a, exporter: 'http://{at}/metrics'}}]\n")
}

/// A Prometheus with these samples of the status, as labels, age in seconds and value.
fn aged(samples: &[(&str, f64, f64)]) -> Scripted {
    let times: Vec<_> = samples.iter().map(|(l, age, _)| (*l, 1000, 1000.0 - age)).collect();
    let values: Vec<_> = samples.iter().map(|(l, _, value)| (*l, 1000, *value)).collect();
    let answers = [
        ("query=timestamp(runner_status", vector(&times)),
        ("query=runner_status", vector(&values)),
    ];
    Scripted::start(&answers)
}

#[test]
fn prometheus_or_the_exporter_itself_answers() {
    let offline = ("fail", "a is offline", "systemctl restart");
    says("online", &row(ID, &through(&prometheus(9, 1))), ("pass", "a is online", ""));
    says("offline", &row(ID, &through(&prometheus(9, 0))), offline);
    says("direct", &row(ID, &directly(exporter_page("a", 1, "true"))), ("pass", "a is online", ""));
    says("direct, offline", &row(ID, &directly(exporter_page("a", 0, "true"))), offline);
}

#[test]
fn two_targets_that_contradict_each_other_make_no_runner_online() {
    let both = r#"{"metric":{"instance":"x"},"value":[9,"1"]},{"metric":{"instance":"y"},"value":[9,"0"]}"#;
    says("both", &row(ID, &through(&prometheus_with(both))), ("fail", "a is offline", "restart"));
}

#[test]
fn a_sample_of_five_minutes_ago_passes_nobody() {
    let old = aged(&[(LABELS, 299.0, 1.0)]);
    let found = row(ID, &through(&old.url()));
    says("old", &found, ("unknown", "is 299 s old, older than the limit of 120 s", "/targets"));
    let wider = format!("{}checks: {{exporter-fresh: {{max-age: 5m}}}}\n", through(&old.url()));
    says("wider", &row(ID, &wider), ("pass", "a is online", ""));
    let gone = aged(&[(r#""runner":"a","instance":"old""#, 250.0, 0.0), (LABELS, 3.0, 1.0)]);
    says("gone", &row(ID, &through(&gone.url())), ("pass", "a is online", ""));
}

#[test]
fn the_host_and_the_authorisation_are_told_to_the_gate() {
    let found = row(ID, &through(&aged(&[(LABELS, 3.0, 1.0)]).url()));
    let seen = |name: &str| {
        let all = found["observations"].as_array().cloned().unwrap_or_default();
        all.into_iter().find(|o| o["name"] == name).map(|o| o["value"].clone())
    };
    assert_eq!(seen("hostname"), Some("h-1".into()), "{found:#}");
    assert_eq!(seen("authorized_for_prod"), Some("true".into()), "{found:#}");
}

#[test]
fn without_a_sample_there_is_no_answer() {
    let silent = ("unknown", "no current sample", "the host or its exporter may be down");
    says("no series", &row(ID, &through(&prometheus_with(""))), silent);
    says("another runner", &row(ID, &directly(exporter_page("b", 1, "true"))), silent);
}

#[test]
fn a_page_of_something_else_is_no_answer_and_the_help_names_the_setting() {
    let html = || Behaviour::Answer(200, "text/html", "<html>Login</html>".to_owned());
    let login = format!("http://{}", serve(html()));
    says("prometheus", &row(ID, &through(&login)), ("unknown", "query", "prometheus-url"));
    says("exporter", &row(ID, &directly(html())), ("unknown", "scrape", "/metrics"));
}

#[test]
fn a_broken_or_late_prometheus_is_made_up_for_by_the_exporter() {
    let broken = serve(Behaviour::Answer(500, "text/plain", "boom".to_owned()));
    let late = aged(&[(LABELS, 290.0, 1.0)]);
    for source in [format!("http://{broken}"), late.url()] {
        let page = directly(exporter_page("a", 1, "true"));
        let config = format!("prometheus: {{url: '{source}'}}\n{page}");
        says("exporter", &row(ID, &config), ("pass", "a is online", ""));
    }
}

#[test]
fn a_runner_that_is_made_for_one_job_need_not_be_there() {
    let config = |page| directly(page).replace("name: a,", "name: a, expect: ephemeral,");
    let absent = ("skipped", "is made for one job", "");
    says("there", &row(ID, &config(exporter_page("a", 1, "true"))), ("pass", "a is online", ""));
    says("ended", &row(ID, &config(exporter_page("a", 0, "true"))), absent);
    says("gone", &row(ID, &config(exporter_page("b", 1, "true"))), absent);
}

/// The listener of the scale set `s`, in Prometheus.
fn listener(age: f64, busy: f64, max: f64) -> Scripted {
    let count = |metric: &str| format!(r#""__name__":"gha_{metric}_runners","name":"s""#);
    let (registered, busy_label, max_label) = (count("registered"), count("busy"), count("max"));
    let all = [
        (registered.as_str(), 1000, busy),
        (busy_label.as_str(), 1000, busy),
        (max_label.as_str(), 1000, max),
    ];
    let time = vector(&[(r#""name":"s""#, 1000, 1000.0 - age)]);
    Scripted::start(&[("query=timestamp(gha_", time), ("__name__=~\"gha_(", vector(&all))])
}

fn scale_set(prometheus: &Scripted) -> String {
    let runner = "{name: arc, role: primary, labels: [s], scale-set: s}";
    format!("timeout: 5s\nprometheus: {{url: '{}'}}\nrunners: [{runner}]\n", prometheus.url())
}

#[test]
fn a_scale_set_has_room_or_is_full() {
    let asked = |age, busy, max| row(ID, &scale_set(&listener(age, busy, max)));
    says("room", &asked(5.0, 2.0, 10.0), ("pass", "2 of 10 runners are busy", ""));
    says("full", &asked(5.0, 10.0, 10.0), ("warn", "the deploy would wait", "maxRunners"));
    says("closed", &asked(5.0, 0.0, 0.0), ("fail", "may have no runner", "maxRunners"));
    says("late", &asked(250.0, 2.0, 10.0), ("unknown", "are 250 s old", "listener's pod"));
}

#[test]
fn a_scale_set_whose_listener_is_silent_is_unknown_not_down() {
    let never = Scripted::start(&[]);
    says(
        "never",
        &row(ID, &scale_set(&never)),
        ("unknown", "no sample of gha_", "runners[].scale-set"),
    );
    let before = vector(&[(r#""name":"s""#, 1000, 400.0)]);
    let before = Scripted::start(&[("max_over_time(timestamp(gha_", before)]);
    says("before", &row(ID, &scale_set(&before)), ("unknown", "is 600 s old", "listener's pod"));
    let nobody = "runners: [{name: arc, scale-set: s}]\n";
    says("nobody", &row(ID, nobody), ("skipped", "nobody can be asked", "prometheus-url"));
}

#[test]
fn the_page_of_a_listener_can_be_read_itself() {
    let page = "gha_registered_runners{name=\"s\"} 3\ngha_busy_runners{name=\"s\"} 1\ngha_max_runners{name=\"s\"} 4\ngha_max_runners{name=\"other\"} 0\n";
    let at = serve(Behaviour::Answer(200, "text/plain", page.to_owned()));
    let config =
        format!("runners: [{{name: arc, scale-set: s, exporter: 'http://{at}/metrics'}}]\n");
    says("page", &row(ID, &config), ("pass", "1 of 4 runners are busy", ""));
}

#[test]
fn without_a_source_it_is_skipped() {
    says("none", &row(ID, "runners: [{name: a}]\n"), ("skipped", "neither", "prometheus-url"));
}
