//! Cases of `runner-group`.

use serde_json::{Value, json};

use super::runner_registered::row_with;
use super::says;
use crate::support::command::Guard;
use crate::support::fake_github::{Denial, FakeGitHub, Runner, Script};

const ID: &str = "runner-group";
const GROUP: &str = "timeout: 5s\nenvironment: production\nrunners: [{name: a, group: deploy}]\n";
const WORKFLOW: &str = "octo/app/.github/workflows/deploy.yml@refs/heads/main";

/// A group of id 2 whose name is `deploy`, and the default one.
fn groups(change: &[(&str, Value)]) -> Script {
    let group = |id: u32, name: &str| {
        json!({
            "id": id, "name": name, "visibility": "selected", "default": id == 1, "inherited": false,
            "runners_url": "https://api.example/runners", "allows_public_repositories": false,
        })
    };
    let mut deploy = group(2, "deploy");
    for (name, value) in change {
        deploy[*name] = value.clone();
    }
    let body = json!({ "total_count": 2, "runner_groups": [group(1, "Default"), deploy] });
    let template = "/orgs/{org}/actions/runner-groups";
    Script::default().route(template, "/orgs/octo/actions/runner-groups", body)
}

fn in_group(id: u64, script: Script) -> Script {
    let runner = Runner { group: id, ..Runner::online("a", &[]) };
    Script { org_runners: vec![runner], ..script }
}

#[test]
fn the_runner_must_be_in_a_group_that_this_repository_may_use() {
    let row = |script| row_with(ID, GROUP, script);
    says("in it", &row(in_group(2, groups(&[]))), ("pass", "`a` is in group `deploy`", ""));
    let moved = row(in_group(1, groups(&[])));
    says(
        "elsewhere",
        &moved,
        ("fail", "not in group `deploy` but in `Default`", "move the runner"),
    );
    let hidden = row(in_group(9, groups(&[])));
    says("hidden", &hidden, ("fail", "but in another one (id 9)", "move the runner"));
    let closed = row(in_group(2, groups(&[("name", "other".into())])));
    says("closed", &closed, ("fail", "octo/app may not use group `deploy`", "Runner groups"));
    let own = Script { repo_runners: vec![Runner::online("a", &[])], ..groups(&[]) };
    says("repository", &row(own), ("fail", "registered for the repository", "organisation"));
    let gone = row_with(ID, &GROUP.replace("group:", "expect: ephemeral, group:"), groups(&[]));
    says("one job", &gone, ("pass", "octo/app may use group `deploy`; GitHub lists no runner", ""));
}

#[test]
fn only_the_groups_of_this_repository_are_asked_for_and_only_once() {
    let config = "timeout: 5s\nrunners: [{name: a, group: deploy}, {name: b, group: deploy}]\n";
    let github = FakeGitHub::start(in_group(2, groups(&[])));
    let guard = |config: &str| {
        Guard::preflight(config)
            .env("GITHUB_API_URL", &github.url())
            .env("GITHUB_TOKEN", "not-a-real-token")
            .env("GITHUB_REPOSITORY", "octo/app")
            .run();
        github.calls().into_iter().filter(|c| c.contains("runner-groups")).collect::<Vec<_>>()
    };
    assert_eq!(guard("timeout: 5s\nrunners: [{name: a}]\n"), [""; 0], "no group is configured");
    let path = "GET /orgs/octo/actions/runner-groups?visible_to_repository=app&per_page=100";
    assert_eq!(guard(config), [path]);
}

#[test]
fn a_group_may_be_kept_for_some_workflows() {
    let row = |allowed: &str| {
        let script = groups(&[
            ("restricted_to_workflows", true.into()),
            ("selected_workflows", json!([allowed])),
        ]);
        let github = FakeGitHub::start(in_group(2, script));
        Guard::preflight(GROUP)
            .env("GITHUB_API_URL", &github.url())
            .env("GITHUB_TOKEN", "not-a-real-token")
            .env("GITHUB_REPOSITORY", "octo/app")
            .env("GITHUB_WORKFLOW_REF", WORKFLOW)
            .run()
            .finding(ID)
    };
    says(
        "this one",
        &row("octo/app/.github/workflows/deploy.yml@main"),
        ("pass", "is in group", ""),
    );
    let other = row("octo/app/.github/workflows/deploy.yml@release");
    says("another ref", &other, ("fail", "only from another ref", "the ref that is allowed"));
    let central = row("octo/central/.github/workflows/deploy.yml@main");
    says("another file", &central, ("warn", "this one is not found", "reusable workflow"));
}

#[test]
fn a_group_that_is_open_to_the_public_warns_where_authorised_runners_are_required() {
    let open = || in_group(2, groups(&[("allows_public_repositories", true.into())]));
    let production = row_with(ID, GROUP, open());
    says("production", &production, ("warn", "public repositories may use it", "pull request"));
    let staging = row_with(ID, &GROUP.replace("production", "staging"), open());
    says("staging", &staging, ("pass", "is in group", ""));
}

#[test]
fn without_a_group_there_is_no_question_and_without_permission_no_answer() {
    let none = row_with(ID, "timeout: 5s\nrunners: [{name: a}]\n", groups(&[]));
    says("none", &none, ("skipped", "no group is configured", "runners[].group"));
    let needs = "organization_self_hosted_runners=read";
    let denied = Script::default().deny("/orgs/octo/actions", Denial::Integration(needs));
    says("denied", &row_with(ID, GROUP, denied), ("unknown", needs, needs));
    let personal = Script::default();
    says(
        "personal account",
        &row_with(ID, GROUP, personal),
        ("unknown", "404", "Self-hosted runners"),
    );
    let no_token = Guard::preflight(GROUP).env("GITHUB_REPOSITORY", "octo/app").run().finding(ID);
    says("no token", &no_token, ("unknown", "no GitHub token was given", "github-token"));
}
