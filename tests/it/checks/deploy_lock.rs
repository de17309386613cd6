//! Cases of `deploy-lock`.

use serde_json::{Value, json};

use super::queue_age::{ask, iso, run, with_runs};
use super::{row, says};
use crate::support::fake_github::{Denial, Script};

const ID: &str = "deploy-lock";
const OPTION: &str = "checks: {deploy-lock: {group: deploy/prod}}\n";
const URL: &str = "https://github.com/octo/app/actions/runs";

fn member(id: u64, status: &str) -> Value {
    let page = format!("{URL}/{id}");
    json!({ "run_id": id, "run_name": "Deploy", "run_url": page, "run_html_url": page, "status": status })
}

fn group(members: &[Value]) -> Script {
    let body = json!({
        "group_name": "deploy/prod", "group_url": "https://api.github.com/x",
        "total_count": members.len(), "group_members": members,
    });
    let template = "/repos/{owner}/{repo}/actions/concurrency_groups/{concurrency_group_name}";
    active(&["deploy/prod"]).route(
        template,
        "/repos/octo/app/actions/concurrency_groups/deploy/prod",
        body,
    )
}

fn active(names: &[&str]) -> Script {
    let one = |name: &&str| json!({ "group_name": name, "group_url": "https://api.github.com/x", "last_acquired_at": iso(12) });
    let groups: Vec<Value> = names.iter().map(one).collect();
    let body = json!({ "total_count": groups.len(), "concurrency_groups": groups });
    let template = "/repos/{owner}/{repo}/actions/concurrency_groups";
    Script::default().route(template, "/repos/octo/app/actions/concurrency_groups", body)
}

fn asked(script: Script) -> Value {
    ask(ID, script, OPTION)
}

#[test]
fn a_lock_that_nobody_else_has_passes() {
    says("free", &asked(active(&["ci"])), ("pass", "nobody holds `deploy/prod`", ""));
    let own = group(&[member(77, "in_progress"), member(8, "pending")]);
    says("own", &asked(own), ("pass", "this run holds", ""));
    says("next", &asked(group(&[member(77, "pending")])), ("pass", "this run is the next", ""));
}

#[test]
fn a_lock_of_another_run_says_who_since_when_and_who_waits() {
    let mut job = member(7, "in_progress");
    job["job_name"] = json!("ship");
    let members = [job, member(8, "pending"), member(77, "pending")];
    let queued = run(8, "queued", None, 4);
    let row = asked(with_runs(group(&members), &[queued]));
    let held = "held by run 7 (Deploy, job ship) for 12 min; run 8 (Deploy) of octocat waits";
    says("held", &row, ("warn", held, "wait for the other deploy"));
    let seen = row["observations"].to_string();
    assert!(seen.contains("runs/7") && seen.contains("started 4 min ago"), "{seen}");
    let two = group(&[member(7, "in_progress"), member(8, "pending"), member(9, "pending")]);
    says("two", &asked(two), ("warn", "2 runs wait", "wait for the other deploy"));
    let nobody = group(&[member(8, "pending")]);
    says("not yet", &asked(nobody), ("warn", "nobody holds `deploy/prod` yet", "wait"));
    says("just now", &asked(active(&["deploy/prod"])), ("warn", "taken this moment", "wait"));
}

#[test]
fn a_group_whose_name_is_written_in_another_case_is_the_same_lock() {
    let path = "/repos/octo/app/actions/concurrency_groups/Deploy/Prod";
    let template = "/repos/{owner}/{repo}/actions/concurrency_groups/{concurrency_group_name}";
    let body = json!({
        "group_name": "Deploy/Prod", "group_url": "https://api.github.com/x",
        "total_count": 1, "group_members": [member(7, "in_progress")],
    });
    let script = active(&["Deploy/Prod"]).route(template, path, body);
    says("case", &asked(script), ("warn", "held by run 7", "wait for the other deploy"));
}

#[test]
fn a_404_is_a_free_lock_only_with_the_list_that_proves_it() {
    says("hidden", &asked(Script::default()), ("unknown", "status 404", "actions: read"));
    let own_server = asked(with_runs(Script::default(), &[]));
    says("own server", &own_server, ("skipped", "does not tell about concurrency groups", ""));
    let denied = group(&[]).deny("/concurrency_groups", Denial::Integration("actions=read"));
    says("denied", &asked(denied), ("unknown", "actions=read", "actions: read"));
}

#[test]
fn an_expression_is_not_the_name_of_a_free_group() {
    let config = "checks: {deploy-lock: {group: 'deploy-${{ github.ref }}'}}\n";
    let row = ask(ID, active(&["deploy-main"]), config);
    says("expression", &row, ("unknown", "holds an expression", "write the name"));
}

#[test]
fn without_a_group_or_a_token_nobody_asks() {
    says("none", &row(ID, ""), ("skipped", "no concurrency group", "checks.deploy-lock.group"));
    says("nowhere", &row(ID, OPTION), ("skipped", "no repository is named", ""));
}
