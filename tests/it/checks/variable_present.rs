//! Cases of `variable-present`.

use serde_json::{Value, json};

use super::queue_age::{ask, guard};
use super::{row, says};
use crate::support::command::Guard;
use crate::support::fake_github::{Denial, FakeGitHub, Script};

const ID: &str = "variable-present";
const CONFIG: &str = "environment: prod\nvariables: [TARGET]\n";
const REPOSITORY: &str = "/repos/{owner}/{repo}/actions/variables";
const ORGANISATION: &str = "/repos/{owner}/{repo}/actions/organization-variables";
const ENVIRONMENT: &str = "/repos/{owner}/{repo}/environments/{environment_name}/variables";

fn list(total: usize, names: &[&str]) -> Value {
    let at = "2026-03-01T09:30:00Z";
    let one = |name: &&str| json!({ "name": name, "value": "not-to-be-shown", "created_at": at, "updated_at": at });
    json!({ "total_count": total, "variables": names.iter().map(one).collect::<Vec<_>>() })
}

/// A GitHub with these variables in the repository, the organisation and the environment.
fn defined(repository: &[&str], organisation: &[&str], environment: &[&str]) -> Script {
    let script = Script::default();
    [
        (REPOSITORY, "/repos/octo/app/actions/variables", repository),
        (ORGANISATION, "/repos/octo/app/actions/organization-variables", organisation),
        (ENVIRONMENT, "/repos/octo/app/environments/prod/variables", environment),
    ]
    .into_iter()
    .fold(script, |script, (template, path, names)| {
        script.route(template, path, list(names.len(), names))
    })
}

fn asked(script: Script) -> Value {
    ask(ID, script, CONFIG)
}

#[test]
fn the_value_that_was_handed_in_decides() {
    let with = |value: &str| {
        Guard::preflight(CONFIG).env("RUNNER_GUARD_VARIABLE_TARGET", value).run().finding(ID)
    };
    says("set", &with("blue"), ("pass", "1 of 1 required variables are set", ""));
    for blank in ["", "  "] {
        says("blank", &with(blank), ("fail", "TARGET is missing or blank", "Settings"));
    }
}

#[test]
fn where_a_variable_is_defined_is_said_and_its_value_is_not() {
    let (here, none): (&[&str], &[&str]) = (&["OTHER", "target"], &[]);
    for (script, place) in [
        (defined(here, none, none), "set (defined in the repository)"),
        (defined(none, here, none), "set (defined in the organisation)"),
        (defined(here, here, here), "set (defined in the environment prod)"),
    ] {
        let row = asked(script);
        says(place, &row, ("pass", "1 of 1", ""));
        assert!(row.to_string().contains(place), "{row:#}");
        assert!(!row.to_string().contains("not-to-be-shown"), "{row:#}");
    }
}

#[test]
fn only_complete_lists_prove_that_a_variable_is_missing() {
    let missing = asked(defined(&["OTHER"], &[], &[]));
    says("missing", &missing, ("fail", "TARGET is missing", "Settings"));
    let half = Script::default().route(
        REPOSITORY,
        "/repos/octo/app/actions/variables",
        list(31, &["OTHER"]),
    );
    says("half a list", &asked(half), ("unknown", "the list is not complete", "vars.TARGET"));
}

#[test]
fn a_list_that_can_not_be_read_never_makes_a_variable_missing() {
    let needs = Denial::Integration("actions_variables=read");
    let denied = defined(&[], &[], &[]).deny("/actions/variables", needs);
    let row = asked(denied);
    let wanted = (
        "unknown",
        "actions_variables=read",
        "with Variables: read and Environments: read (repository)",
    );
    says("denied", &row, wanted);
    let all = asked(Script::default().deny("variables", Denial::NotFound));
    let once = "(environment prod, repository, organisation: status 404";
    says("the same reason once", &all, ("unknown", once, "vars.TARGET"));
    assert!(row["help"].to_string().contains("RUNNER_GUARD_VARIABLE_TARGET"), "{row:#}");
    let hidden = defined(&[], &[], &[]).deny("/environments/", Denial::NotFound);
    says("hidden", &asked(hidden), ("unknown", "404", "with Variables: read and Environments"));
    let elsewhere = defined(&["TARGET"], &[], &[]).deny("/environments/", Denial::NotFound);
    says("found elsewhere", &asked(elsewhere), ("pass", "1 of 1", ""));
    let nowhere = Guard::preflight(CONFIG).env("GITHUB_TOKEN", "not-a-real-token").run();
    let wanted = ("unknown", "no repository is named", "GITHUB_REPOSITORY");
    says("no repository", &nowhere.finding(ID), wanted);
    let token = Guard::preflight(CONFIG).run().finding(ID);
    says("no token", &token, ("unknown", "no GitHub token was given", "vars.TARGET"));
}

#[test]
fn lists_are_read_only_for_names_that_were_not_handed_in_and_thirty_a_page() {
    let github = FakeGitHub::start(defined(&["TARGET"], &[], &[]));
    let lists = || {
        let requests = github.requests();
        requests.into_iter().map(|r| r.line()).filter(|l| l.contains("variables")).collect()
    };
    let handed_in = guard(&github, CONFIG).env("RUNNER_GUARD_VARIABLE_TARGET", "blue").run();
    says("handed in", &handed_in.finding(ID), ("pass", "1 of 1", ""));
    let asked: Vec<String> = lists();
    assert_eq!(asked, Vec::<String>::new());
    says("not handed in", &guard(&github, CONFIG).run().finding(ID), ("pass", "1 of 1", ""));
    let asked: Vec<String> = lists();
    assert!(asked.len() == 3 && asked.iter().all(|l| l.ends_with("?per_page=30")), "{asked:#?}");
}

#[test]
fn without_a_required_variable_there_is_no_question() {
    says("none", &row(ID, ""), ("skipped", "no variable is required", "required-variables"));
}
