//! Cases of `runner-authorized`.

use serde_json::{Value, json};

use super::runner_registered::asking;
use super::{row, says};
use crate::support::command::Guard;
use crate::support::fake_github::{Runner, Script};
use crate::support::http::{Behaviour, exporter_page, serve};

const ID: &str = "runner-authorized";

fn config(setting: &str, page: Behaviour) -> String {
    let at = serve(page);
    format!(
        "timeout: 5s\nenvironment: production\nrunners: [{{name: a, {setting}exporter: 'http://{at}/metrics'}}]\n"
    )
}

/// The row, and whether the gate would take the runner: they may not contradict each other.
fn asked(setting: &str, label: &str) -> (Value, bool) {
    let ended = Guard::preflight(&config(setting, exporter_page("a", 1, label))).run();
    let chosen = ended.report()["selection"]["candidates"][0]["chosen"] == true;
    (ended.finding(ID), chosen)
}

const YES: &str = "authorized-for-prod: true, ";
const NO: &str = "authorized-for-prod: false, ";

#[test]
fn the_configuration_and_the_label_must_agree() {
    for (setting, label, wanted) in [
        (YES, "true", ("pass", "the configuration and its exporter say so", "")),
        ("", "true", ("pass", "its exporter says authorized_for_prod=\"true\"", "")),
        (
            YES,
            "maybe",
            ("warn", "its exporter says authorized_for_prod=\"maybe\"", "true or false"),
        ),
        (
            YES,
            "false",
            ("fail", "its exporter says authorized_for_prod=\"false\"", "correct the label"),
        ),
        (
            "",
            "false",
            ("fail", "its exporter says authorized_for_prod=\"false\"", "another runner"),
        ),
        (NO, "true", ("fail", "the configuration says authorized-for-prod: false", "responsible")),
    ] {
        let (row, chosen) = asked(setting, label);
        says(&format!("{setting}{label}"), &row, wanted);
        assert_eq!(chosen, wanted.0 != "fail", "the gate decides otherwise: {setting}{label}");
    }
}

#[test]
fn silence_of_both_is_no_permission_and_a_source_that_breaks_is_no_answer() {
    let nobody = row(ID, "environment: production\nrunners: [{name: a}]\n");
    says(
        "nobody",
        &nobody,
        ("fail", "neither the configuration nor its exporter", "authorized-for-prod"),
    );
    let said =
        row(ID, "environment: production\nrunners: [{name: a, authorized-for-prod: true}]\n");
    says("configuration", &said, ("pass", "the configuration says so", ""));
    let broken = row(ID, &config("", Behaviour::Answer(500, "text/plain", String::new())));
    says("broken", &broken, ("unknown", "status 500", "authorized-for-prod: true"));
    let broken = row(ID, &config(YES, Behaviour::Answer(500, "text/plain", String::new())));
    says("broken, but said", &broken, ("pass", "the configuration says so", ""));
}

#[test]
fn a_group_that_is_configured_must_agree_too() {
    let config = "timeout: 5s\nenvironment: production\nrunners: [{name: a, authorized-for-prod: true, group: deploy}]\n";
    let group = json!({
        "id": 1, "name": "deploy", "visibility": "all", "default": false, "inherited": false,
        "runners_url": "https://api.example/runners", "allows_public_repositories": false,
    });
    let body = json!({ "total_count": 1, "runner_groups": [group] });
    let template = "/orgs/{org}/actions/runner-groups";
    let with = |id: u64| {
        let runner = Runner { group: id, ..Runner::online("a", &[]) };
        let script = Script { org_runners: vec![runner], ..Script::default() };
        let script = script.route(template, "/orgs/octo/actions/runner-groups", body.clone());
        asking(config, script).finding(ID)
    };
    says("in it", &with(1), ("pass", "the configuration says so", ""));
    says("elsewhere", &with(7), ("fail", "not in group `deploy`", "move the runner"));
    let unread = asking(config, Script::default()).finding(ID);
    says("unread", &unread, ("unknown", "404", "Self-hosted runners"));
}

#[test]
fn without_candidates_the_exporter_of_this_runner_alone_can_speak() {
    let own = |label: &str| {
        let at = serve(exporter_page("a", 1, label));
        let config = format!("environment: production\nexporter: 'http://{at}/metrics'\n");
        Guard::preflight(&config).env("RUNNER_NAME", "a").run().finding(ID)
    };
    says("yes", &own("true"), ("pass", "authorized_for_prod=\"true\"", ""));
    says("no", &own("false"), ("fail", "authorized_for_prod=\"false\"", "another runner"));
    let nothing = row(ID, "environment: production\n");
    says("nowhere", &nothing, ("skipped", "no exporter to ask", "authorized-for-prod"));
    let at = serve(exporter_page("b", 1, "true"));
    let config = format!("environment: production\nexporter: 'http://{at}/metrics'\n");
    let silent = Guard::preflight(&config).env("RUNNER_NAME", "a").run().finding(ID);
    says("silent", &silent, ("unknown", "nobody says whether `a`", "start its exporter"));
}

#[test]
fn where_every_runner_may_deploy_there_is_no_question() {
    let staging =
        row(ID, "environment: staging\nrunners: [{name: a, authorized-for-prod: false}]\n");
    says("staging", &staging, ("skipped", "takes every runner", "require-authorized"));
}
