//! Cases of `secret-present`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{row, says};
use crate::support::command::{Ended, Guard};
use crate::support::fake_github::{Denial, FakeGitHub, Script};

const ID: &str = "secret-present";
const ON_GITHUB: &str = "environment: staging\nsecrets: [DEPLOY_KEY]\n";

fn handed_in(value: &str) -> Ended {
    Guard::preflight("secrets: [DEPLOY_KEY]\n").env("RUNNER_GUARD_SECRET_DEPLOY_KEY", value).run()
}

fn listed(script: Script) -> Value {
    let github = FakeGitHub::start(script);
    Guard::preflight(ON_GITHUB)
        .env("GITHUB_API_URL", &github.url())
        .env("GITHUB_TOKEN", "not-a-real-token")
        .env("GITHUB_REPOSITORY", "octo/app")
        .run()
        .finding(ID)
}

fn in_environment(names: &[&str]) -> Script {
    let names = names.iter().map(|&n| n.to_owned()).collect();
    Script { environments: BTreeMap::from([("staging".to_owned(), names)]), ..Script::default() }
}

#[test]
fn a_value_that_was_handed_in_decides() {
    let good = ("pass", "1 of 1 required secrets are present", "");
    says("value", &handed_in("w0rdsOfItsOwn").finding(ID), good);
    let help = "RUNNER_GUARD_SECRET_<NAME>";
    for blank in ["", "  ", "\n\t\n"] {
        let row = handed_in(blank).finding(ID);
        says("blank", &row, ("fail", "DEPLOY_KEY is missing or blank", help));
    }
    for word in ["CHANGE_ME", "<your token>", "xxxxxxxx", "${{ secrets.X }}", "TODO"] {
        let row = handed_in(word).finding(ID);
        says(word, &row, ("fail", "DEPLOY_KEY is a placeholder", help));
    }
}

#[test]
fn neither_a_value_nor_its_length_is_shown() {
    let value = "w0rdsOfItsOwn-and-a-tail-of-thirty-seven";
    let ended = handed_in(value);
    let everything =
        [ended.stdout.clone(), ended.stderr.clone(), ended.left("runner-guard-out/summary.md")];
    for part in [value, "w0rdsOf", "thirty-seven"] {
        assert!(everything.iter().all(|text| !text.contains(part)), "{part} is shown");
    }
    let seen = ended.finding(ID)["observations"].to_string();
    assert!(!seen.contains(&value.len().to_string()), "{seen}");
}

#[test]
fn without_a_value_each_of_the_three_lists_can_prove_it() {
    let named = || vec!["DEPLOY_KEY".to_owned()];
    let present = ("pass", "1 of 1", "");
    let empty = || in_environment(&[]);
    says("environment", &listed(in_environment(&["DEPLOY_KEY"])), present);
    says("repository", &listed(Script { repo_secrets: named(), ..empty() }), present);
    says("organisation", &listed(Script { org_secrets: named(), ..empty() }), present);
    says("nowhere", &listed(empty()), ("fail", "DEPLOY_KEY is missing", "Settings, Secrets"));
}

#[test]
fn a_list_that_can_not_be_read_never_means_missing() {
    let help = "env RUNNER_GUARD_SECRET_DEPLOY_KEY: ${{ secrets.DEPLOY_KEY }}";
    let denied = |path: &str, denial: Denial| {
        let denied = vec![(path.to_owned(), denial)];
        listed(Script { denied, ..in_environment(&[]) })
    };
    for path in ["/actions/secrets", "/actions/organization-secrets", "/environments/"] {
        says(path, &denied(path, Denial::NotFound), ("unknown", "404", help));
        let lacks = denied(path, Denial::Integration("secrets=read"));
        says(path, &lacks, ("unknown", "secrets=read", help));
    }
    says("no environment", &listed(Script::default()), ("unknown", "404", help));
    says(
        "expired",
        &denied("secrets", Denial::BadCredentials),
        ("unknown", "Bad credentials", help),
    );
    says("no token", &row(ID, ON_GITHUB), ("unknown", "no GitHub token was given", help));
}

#[test]
fn one_that_is_missing_for_certain_is_not_hidden_by_one_that_can_not_be_known() {
    let ended = Guard::preflight("secrets: [DEPLOY_KEY, OTHER]\n")
        .env("RUNNER_GUARD_SECRET_DEPLOY_KEY", "")
        .run();
    says("both", &ended.finding(ID), ("fail", "DEPLOY_KEY is missing", "Settings, Secrets"));
}

#[test]
fn nothing_required_is_skipped() {
    says("none", &row(ID, "environment: staging\n"), ("skipped", "no secret is required", ""));
}
