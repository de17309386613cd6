//! Cases of `runner-version`.

use serde_json::{Value, json};

use super::runner_registered::{row_with, with};
use super::{prometheus_with, says};
use crate::support::fake_github::{Denial, Runner, Script};

const ID: &str = "runner-version";
const ONE: &str = "timeout: 5s\nrunners: [{name: a}]\n";

fn runner() -> Runner {
    Runner::online("a", &[])
}

fn ends(place: &str, template: &str, script: Script, at: Option<&str>) -> Script {
    let mut body = json!({ "runner_version": "2.336.0" });
    if let Some(at) = at {
        body["runtime_deprecates_at"] = at.into();
    }
    let tail = "actions/runners/deprecations";
    script.route(
        &format!("{template}/{tail}/{{version}}"),
        &format!("{place}/{tail}/2.336.0"),
        body,
    )
}

fn asked(at: Option<&str>) -> Value {
    let script = ends("/repos/octo/app", "/repos/{owner}/{repo}", with(runner()), at);
    row_with(ID, ONE, script)
}

/// An ISO date some days from now.
fn days(from_now: i64) -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "the date must lie near the clock of the program"
    )]
    let now = jiff::Timestamp::now().as_second();
    jiff::Timestamp::from_second(now + from_now * 24 * 3600 + 600).expect("date").to_string()
}

#[test]
fn the_end_of_the_version_is_seen_before_it_comes() {
    says("none", &asked(None), ("pass", "version 2.336.0: GitHub announces no end of it", ""));
    says("far", &asked(Some(&days(90))), ("pass", "(90 days left)", ""));
    says("near", &asked(Some(&days(5))), ("warn", "(5 days left)", "unpack the newest release"));
    says(
        "over",
        &asked(Some("2026-09-01T00:00:00Z")),
        ("fail", "gets no jobs since 2026-09-01", "unpack"),
    );
}

#[test]
fn how_early_it_warns_is_an_option() {
    let config = format!("{ONE}checks: {{runner-version: {{warn-within: 3d}}}}\n");
    let end = days(5);
    let script = ends("/repos/octo/app", "/repos/{owner}/{repo}", with(runner()), Some(&end));
    says("three days", &row_with(ID, &config, script), ("pass", "(5 days left)", ""));
}

#[test]
fn a_runner_of_the_organisation_is_asked_about_there() {
    let script = Script { org_runners: vec![runner()], ..Script::default() };
    let script = ends("/orgs/octo", "/orgs/{org}", script, Some("2026-09-01T00:00:00Z"));
    says("organisation", &row_with(ID, ONE, script), ("fail", "gets no jobs since", "unpack"));
}

#[test]
fn a_server_that_does_not_say_is_no_fault_and_a_refusal_is_no_answer() {
    let own_server = row_with(ID, ONE, with(runner()));
    says("404", &own_server, ("skipped", "this server does not say", "releases/latest"));
    let never = with(Runner { version: None, ..runner() });
    says(
        "no version",
        &row_with(ID, ONE, never),
        ("unknown", "it has never connected", "start the"),
    );
    let denied = with(runner()).deny("/deprecations/", Denial::Integration("x=read"));
    says("denied", &row_with(ID, ONE, denied), ("unknown", "needs x=read", "x=read"));
    let denied = Script::default().deny("/actions/runners", Denial::Integration("y=read"));
    says("no list", &row_with(ID, ONE, denied), ("unknown", "needs y=read", "y=read"));
    let sample = r#"{"metric":{"runner":"a","version":"2.300.0"},"value":[9,"1"]}"#;
    let config = format!("{ONE}prometheus: {{url: '{}'}}\n", prometheus_with(sample));
    let denied = Script::default().deny("/actions/runners", Denial::Integration("y=read"));
    let noted = row_with(ID, &config, denied);
    says("by its exporter", &noted, ("unknown", "needs y=read", "y=read"));
    assert_eq!(noted["observations"][0]["value"], "2.300.0", "{noted:#}");
    let absent = row_with(ID, ONE, Script::default());
    says("absent", &absent, ("skipped", "lists no runner", "runner-registered"));
}
