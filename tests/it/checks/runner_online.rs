//! Cases of `runner-online`.

use super::{prometheus, prometheus_with, row, says};
use crate::support::http::{Behaviour, exporter_page, serve};

const ID: &str = "runner-online";

fn through(source: &str) -> String {
    format!("timeout: 5s\nprometheus: {{url: '{source}'}}\nrunners: [{{name: a}}]\n")
}

fn directly(page: Behaviour) -> String {
    let at = serve(page);
    format!("timeout: 5s\nrunners: [{{name: a, exporter: 'http://{at}/metrics'}}]\n")
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
fn a_broken_prometheus_is_made_up_for_by_the_exporter() {
    let broken = serve(Behaviour::Answer(500, "text/plain", "boom".to_owned()));
    let config = format!(
        "prometheus: {{url: 'http://{broken}'}}\n{}",
        directly(exporter_page("a", 1, "true"))
    );
    says("exporter", &row(ID, &config), ("pass", "a is online", ""));
}

#[test]
fn without_a_source_it_is_skipped() {
    says("none", &row(ID, "runners: [{name: a}]\n"), ("skipped", "neither", "prometheus-url"));
}
