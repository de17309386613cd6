//! Cases of `sources-agree`.

use serde_json::Value;

use super::says;
use crate::support::command::Guard;
use crate::support::fake_github::{Denial, FakeGitHub, Runner, Script};
use crate::support::http::{Behaviour, serve};
use crate::support::scripted::{Scripted, vector};

const ID: &str = "sources-agree";
const LABELS: &str = r#""runner":"a""#;

fn github(status: &'static str) -> Script {
    let runner = Runner { status, ..Runner::online("a", &["self-hosted"]) };
    Script { repo_runners: vec![runner], ..Script::default() }
}

/// An exporter whose runner has this status and this listener process.
fn page(status: u8, listener: u8) -> String {
    format!(
        "runner_status{{runner=\"a\"}} {status}\nrunner_listener_up{{runner=\"a\"}} {listener}\n"
    )
}

fn exporter(page: String) -> String {
    format!("http://{}/metrics", serve(Behaviour::Answer(200, "text/plain", page)))
}

/// A Prometheus whose sample of the status is 9 s old.
fn prometheus(status: u8) -> Scripted {
    Scripted::start(&[
        ("query=timestamp(runner_status", vector(&[(LABELS, 1000, 991.0)])),
        ("query=runner_status", vector(&[(LABELS, 1000, f64::from(status))])),
    ])
}

/// A Prometheus that saw the runner last seven minutes ago.
fn silent() -> Scripted {
    Scripted::start(&[("max_over_time(timestamp(runner_status", vector(&[(LABELS, 1000, 580.0)]))])
}

fn asked(github: Option<Script>, exporter: Option<&str>, prometheus: Option<&Scripted>) -> Value {
    let exporter = exporter.map(|url| format!(", exporter: '{url}'")).unwrap_or_default();
    let source =
        prometheus.map(|p| format!("prometheus: {{url: '{}'}}\n", p.url())).unwrap_or_default();
    let guard =
        Guard::preflight(&format!("timeout: 5s\n{source}runners: [{{name: a{exporter}}}]\n"));
    let guard = guard.env("GITHUB_REPOSITORY", "octo/app");
    let Some(script) = github else { return guard.run().finding(ID) };
    let github = FakeGitHub::start(script);
    guard
        .env("GITHUB_API_URL", &github.url())
        .env("GITHUB_TOKEN", "not-a-real-token")
        .run()
        .finding(ID)
}

#[test]
fn sources_that_say_the_same_agree() {
    let (up, down) = (exporter(page(1, 1)), exporter(page(0, 0)));
    let all = asked(Some(github("online")), Some(&up), Some(&prometheus(1)));
    says("all", &all, ("pass", "GitHub, exporter, Prometheus agree: online", ""));
    let off = asked(Some(github("offline")), Some(&down), None);
    says("offline", &off, ("pass", "GitHub, exporter agree: offline", ""));
    let gone = asked(Some(github("offline")), None, Some(&silent()));
    says("gone", &gone, ("pass", "its host is silent: it is down or without network", ""));
}

#[test]
fn a_contradiction_that_costs_the_job_fails_and_names_its_likely_reading() {
    let (up, down) = (exporter(page(1, 1)), exporter(page(0, 0)));
    let dead = asked(Some(github("online")), Some(&down), None);
    says(
        "dead",
        &dead,
        ("fail", "the listener process is dead: GitHub notices after about a minute", "systemctl"),
    );
    let other = asked(Some(github("online")), Some(&exporter(page(0, 1))), None);
    says("other", &other, ("fail", "has lost its registration", "second machine"));
    let through = asked(Some(github("online")), None, Some(&prometheus(0)));
    says("not known", &through, ("fail", "its host says offline", "systemctl restart"));
    let cut = asked(Some(github("offline")), Some(&up), None);
    says("cut off", &cut, ("fail", "GitHub says offline, the listener runs", "_diag"));
    let unknown = asked(Some(Script::default()), Some(&up), None);
    says("unregistered", &unknown, ("fail", "GitHub does not know the runner", "config.sh"));
    let late = asked(None, Some(&down), Some(&prometheus(1)));
    says(
        "late",
        &late,
        ("fail", "Prometheus says 1, the exporter itself says 0: Prometheus is late", "systemctl"),
    );
}

#[test]
fn a_listener_that_has_written_nothing_for_hours_hangs() {
    let old =
        format!("{}runner_listener_last_log_timestamp_seconds{{runner=\"a\"}} 1000\n", page(1, 1));
    let found = asked(Some(github("offline")), Some(&exporter(old)), None);
    says("hangs", &found, ("fail", "it hangs", "restart the runner's service"));
}

#[test]
fn a_monitoring_that_is_blind_only_warns() {
    let up = exporter(page(1, 1));
    let blind = asked(Some(github("online")), None, Some(&silent()));
    says(
        "blind",
        &blind,
        ("warn", "GitHub says online, the exporter is silent for 7 min", "/targets"),
    );
    let not_scraped = asked(None, Some(&up), Some(&silent()));
    says("not scraped", &not_scraped, ("warn", "does not scrape it", "/targets"));
    let back = asked(None, Some(&up), Some(&prometheus(0)));
    says("back", &back, ("warn", "came back since the last scrape", "next scrape"));
    let closed = asked(None, Some("http://127.0.0.1:9/metrics"), Some(&prometheus(1)));
    says("closed", &closed, ("warn", "from here it can not be read", "port"));
}

#[test]
fn silence_of_all_is_no_answer_and_one_source_alone_is_not_asked() {
    let mute = asked(None, Some("http://127.0.0.1:9/metrics"), Some(&silent()));
    says("mute", &mute, ("unknown", "has a current word", "/targets"));
    let alone = asked(None, Some(&exporter(page(1, 1))), None);
    says(
        "alone",
        &alone,
        ("skipped", "fewer than two sources", "github-token that may list runners, prometheus-url"),
    );
    let refused =
        github("online").deny("/actions/runners", Denial::Integration("administration=read"));
    let refused = asked(Some(refused), Some(&exporter(page(1, 1))), None);
    says("refused", &refused, ("skipped", "fewer than two sources", "github-token"));
}

#[test]
fn what_several_checks_ask_is_asked_once() {
    let prometheus = prometheus(1);
    let page = Scripted::start(&[("/metrics", page(1, 1))]);
    asked(None, Some(&format!("{}/metrics", page.url())), Some(&prometheus));
    assert_eq!(page.asked().len(), 1, "{:#?}", page.asked());
    let mut queries = prometheus.asked();
    let all = queries.len();
    queries.sort();
    queries.dedup();
    assert_eq!(queries.len(), all, "{queries:#?}");
}
