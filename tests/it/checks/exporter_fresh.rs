//! Cases of `exporter-fresh`.

use super::{prometheus, prometheus_with, row, says};
use crate::support::http::{Behaviour, exporter_page, serve};

const ID: &str = "exporter-fresh";

/// The sample's value is its own time and `up` too, so a value of 1 at second 31 is a scraped sample of 30 s.
fn through(source: &str) -> String {
    format!("timeout: 5s\nprometheus: {{url: '{source}'}}\nrunners: [{{name: a}}]\n")
}

fn directly(page: Behaviour) -> String {
    let at = serve(page);
    format!("timeout: 5s\nrunners: [{{name: a, exporter: 'http://{at}/metrics'}}]\n")
}

#[test]
fn the_age_is_held_against_the_limit() {
    let young = through(&prometheus(31, 1));
    says("young", &row(ID, &young), ("pass", "30 s old", ""));
    let old = through(&prometheus(601, 1));
    says("old", &row(ID, &old), ("fail", "600 s old", "runner-guard-exporter"));
    let wider = format!("{old}checks: {{exporter-fresh: {{max-age: 15m}}}}\n");
    says("wider", &row(ID, &wider), ("pass", "600 s old", ""));
    let narrow = format!("{young}checks: {{exporter-fresh: {{max-age: 10s}}}}\n");
    says("narrow", &row(ID, &narrow), ("fail", "30 s old", "healthz"));
}

#[test]
fn a_target_that_is_down_fails_however_young_its_last_sample() {
    let row = row(ID, &through(&prometheus(5, 0)));
    says("down", &row, ("fail", "can not be scraped", "runner-guard-exporter"));
}

#[test]
fn never_seen_is_no_answer() {
    let silent = ("unknown", "no sample of runner_status in the last 6 h", "healthz");
    says("no series", &row(ID, &through(&prometheus_with(""))), silent);
    says("another runner", &row(ID, &directly(exporter_page("b", 1, "true"))), silent);
}

#[test]
fn an_exporter_that_is_asked_directly_is_as_old_as_it_says() {
    says("now", &row(ID, &directly(exporter_page("a", 1, "true"))), ("pass", "0 s old", ""));
    let page = "runner_status{runner=\"a\"} 1 1000\n".to_owned();
    let old = directly(Behaviour::Answer(200, "text/plain", page));
    says("since 1970", &row(ID, &old), ("fail", " s old", "runner-guard-exporter"));
}

#[test]
fn a_prometheus_that_is_blind_says_nothing_about_an_exporter_that_answers() {
    for blind in [prometheus_with(""), prometheus(601, 1), prometheus(5, 0)] {
        let page = directly(exporter_page("a", 1, "true"));
        let config = format!("prometheus: {{url: '{blind}'}}\n{page}");
        says("exporter", &row(ID, &config), ("pass", "0 s old", ""));
    }
}

#[test]
fn a_runner_that_is_made_for_one_job_is_not_asked_for_metrics() {
    let config = through(&prometheus_with("")).replace("name: a", "name: a, expect: ephemeral");
    says("ephemeral", &row(ID, &config), ("skipped", "is made for one job", ""));
}

#[test]
fn without_a_source_it_is_skipped() {
    says("none", &row(ID, "runners: [{name: a}]\n"), ("skipped", "neither", "prometheus-url"));
}
