//! Cases of `environment-protection`.

use serde_json::{Value, json};

use super::queue_age::{ask, with_runs};
use super::{row, says};
use crate::support::fake_github::{Denial, Fault, FaultKind, Script};
use crate::support::openapi::DESCRIPTION;

const ID: &str = "environment-protection";

/// GitHub's own example of an environment, under this name and with these rules.
fn environment(name: &str, rules: &Value, branches: &Value) -> Script {
    let mut body = DESCRIPTION["components"]["examples"]["environment"]["value"].clone();
    body["name"] = json!(name);
    body["protection_rules"] = rules.clone();
    body["deployment_branch_policy"] = branches.clone();
    let template = "/repos/{owner}/{repo}/environments/{environment_name}";
    Script::default().route(template, &format!("/repos/octo/app/environments/{name}"), body)
}

fn asked(script: Script, name: &str) -> Value {
    ask(ID, script, &format!("environment: {name}\n"))
}

fn reviewers() -> Value {
    let rules = &DESCRIPTION["components"]["examples"]["environment"]["value"]["protection_rules"];
    rules.clone()
}

#[test]
fn a_production_environment_must_be_approved_by_somebody() {
    let rules = reviewers();
    let guarded = asked(environment("production", &rules, &Value::Null), "production");
    says("guarded", &guarded, ("pass", "by one of octocat, justice-league", ""));
    let bare = asked(environment("production", &json!([]), &Value::Null), "production");
    says("bare", &bare, ("warn", "nobody has to approve", "Settings, Environments"));
    let staging = asked(environment("staging", &json!([]), &Value::Null), "staging");
    says("staging", &staging, ("pass", "not a production environment", ""));
}

#[test]
fn the_row_shows_what_the_environment_asks_of_a_deploy() {
    let policy = json!({ "protected_branches": true, "custom_branch_policies": false });
    let row = asked(environment("production", &reviewers(), &policy), "production");
    let seen = row["observations"].to_string();
    for text in ["protected branches", "30 min", "who starts it may approve it"] {
        assert!(seen.contains(text), "no {text} in {seen}");
    }
}

#[test]
fn an_environment_is_absent_only_for_a_token_that_could_see_it() {
    let absent = asked(with_runs(Script::default(), &[]), "prod/eu");
    says("absent", &absent, ("warn", "`prod/eu` does not exist", "create it"));
    // GitHub names the permission of a path on every answer, so its name does not say that it is missing.
    let header = vec![("x-accepted-github-permissions", "actions=read")];
    let kind = FaultKind::Answer(404, header, r#"{"message": "Not Found"}"#);
    let faults = vec![Fault::on("/environments/", 9, kind)];
    let named = with_runs(Script { faults, ..Script::default() }, &[]);
    says("named", &asked(named, "production"), ("warn", "does not exist", "create it"));
    let hidden = asked(Script::default(), "production");
    says("hidden", &hidden, ("unknown", "status 404", "actions: read"));
    let denied = Script::default().deny("/environments/", Denial::Integration("actions=read"));
    says("denied", &asked(denied, "production"), ("unknown", "actions=read", "actions: read"));
}

#[test]
fn without_an_environment_or_a_repository_there_is_no_question() {
    says("none", &row(ID, ""), ("skipped", "no environment is named", "environment"));
    says("nowhere", &row(ID, "environment: dev\n"), ("skipped", "no repository is named", ""));
}
