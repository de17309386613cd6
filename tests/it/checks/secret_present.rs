//! Cases of `secret-present`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{row, says};
use crate::support::command::{Ended, Guard};
use crate::support::fake_github::{Denial, FakeGitHub, Fault, FaultKind, Script};

const ID: &str = "secret-present";
const ON_GITHUB: &str = "environment: staging\nsecrets: [DEPLOY_KEY]\n";
const DEFINE: &str = "Settings, Secrets and variables, Actions";

fn handed_in(value: &str) -> Ended {
    Guard::preflight("secrets: [DEPLOY_KEY]\n").env("RUNNER_GUARD_SECRET_DEPLOY_KEY", value).run()
}

fn asking(config: &str, github: &FakeGitHub) -> Guard {
    Guard::preflight(config)
        .env("GITHUB_API_URL", &github.url())
        .env("GITHUB_TOKEN", "not-a-real-token")
        .env("GITHUB_REPOSITORY", "octo/app")
}

fn listed(script: Script) -> Value {
    asking(ON_GITHUB, &FakeGitHub::start(script)).run().finding(ID)
}

fn named() -> Vec<String> {
    vec!["DEPLOY_KEY".to_owned()]
}

fn in_environment(names: &[&str]) -> Script {
    let names = names.iter().map(|&n| n.to_owned()).collect();
    Script { environments: BTreeMap::from([("staging".to_owned(), names)]), ..Script::default() }
}

fn seen(row: &Value, name: &str) -> String {
    let all = row["observations"].as_array().cloned().unwrap_or_default();
    let found = all.iter().find(|o| o["name"] == name);
    found.and_then(|o| o["value"].as_str()).unwrap_or_else(|| panic!("{row:#}")).to_owned()
}

#[test]
fn a_value_that_was_handed_in_decides() {
    let good = handed_in("w0rdsOfItsOwn").finding(ID);
    says("value", &good, ("pass", "1 of 1 required secrets are present", ""));
    assert_eq!(seen(&good, "DEPLOY_KEY"), "present (handed in)");
    let again = "gh secret set DEPLOY_KEY < FILE";
    let empty = handed_in("").finding(ID);
    says("empty", &empty, ("fail", "DEPLOY_KEY is missing", again));
    assert_eq!(seen(&empty, "DEPLOY_KEY"), "missing (the job got an empty value)");
    for blank in ["  ", "\n\t\n"] {
        let row = handed_in(blank).finding(ID);
        says("blank", &row, ("fail", "DEPLOY_KEY is blank", again));
        assert!(seen(&row, "DEPLOY_KEY").starts_with("blank"), "{row:#}");
    }
    for word in ["CHANGE_ME", "<your token>", "xxxxxxxx", "***", "${{ secrets.X }}", "TODO"] {
        let row = handed_in(word).finding(ID);
        says(word, &row, ("fail", "DEPLOY_KEY is a placeholder", again));
        assert!(seen(&row, "DEPLOY_KEY").starts_with("placeholder"), "{row:#}");
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
fn without_a_value_each_of_the_three_lists_can_prove_it_and_the_first_one_counts() {
    let empty = || in_environment(&[]);
    let organisation = Script { org_secrets: named(), ..empty() };
    let repository = Script { repo_secrets: named(), ..empty() };
    let all =
        Script { repo_secrets: named(), org_secrets: named(), ..in_environment(&["DEPLOY_KEY"]) };
    for (place, script) in [
        ("present (environment staging;", in_environment(&["DEPLOY_KEY"])),
        ("present (repository;", repository),
        ("present (organisation;", organisation),
        ("present (environment staging, also repository, organisation;", all),
    ] {
        let row = listed(script);
        says(place, &row, ("pass", "1 of 1", ""));
        assert!(seen(&row, "DEPLOY_KEY").starts_with(place), "{row:#}");
    }
    let nowhere = listed(empty());
    says("nowhere", &nowhere, ("fail", "DEPLOY_KEY is missing", "--env staging < FILE"));
    let place = "missing (in none of environment staging, repository, organisation)";
    assert_eq!(seen(&nowhere, "DEPLOY_KEY"), place);
}

#[test]
fn the_last_page_of_a_list_counts_as_much_as_the_first() {
    let mut names: Vec<String> = (0..230).map(|number| format!("OTHER_{number}")).collect();
    names.push("DEPLOY_KEY".to_owned());
    let row = listed(Script { repo_secrets: names, ..in_environment(&[]) });
    says("third page", &row, ("pass", "1 of 1", ""));
}

#[test]
fn a_list_that_can_not_be_read_never_means_missing_and_the_permission_is_named() {
    let value = "env RUNNER_GUARD_SECRET_DEPLOY_KEY: ${{ secrets.DEPLOY_KEY }}";
    for (path, permission) in [
        ("/actions/secrets", "Secrets: read"),
        ("/actions/organization-secrets", "Secrets: read"),
        ("/environments/", "Environments: read"),
    ] {
        let denied = |denial| listed(in_environment(&[]).deny(path, denial));
        let hidden = denied(Denial::NotFound);
        says(path, &hidden, ("unknown", "404", value));
        says(path, &hidden, ("unknown", "can not tell whether DEPLOY_KEY is there", permission));
        says(
            path,
            &denied(Denial::Integration("secrets=read")),
            ("unknown", "secrets=read", value),
        );
        assert!(seen(&hidden, "DEPLOY_KEY").starts_with("cannot be known here ("), "{hidden:#}");
    }
    says("no environment", &listed(Script::default()), ("unknown", "404", value));
    let refused = listed(in_environment(&[]).deny("secrets", Denial::BadCredentials));
    says("expired", &refused, ("unknown", "Bad credentials", value));
    says("no token", &row(ID, ON_GITHUB), ("unknown", "no GitHub token was given", value));
}

#[test]
fn without_the_name_of_an_environment_only_a_repository_that_has_none_proves_absence() {
    let asked = |script: Script| {
        asking("secrets: [DEPLOY_KEY]\n", &FakeGitHub::start(script)).run().finding(ID)
    };
    says("none", &asked(Script::default()), ("fail", "DEPLOY_KEY is missing", DEFINE));
    let some = asked(in_environment(&["DEPLOY_KEY"]));
    says("some", &some, ("unknown", "in one of staging", "the input environment"));
    let hidden = asked(Script::default().deny("/environments", Denial::NotFound));
    says("hidden", &hidden, ("unknown", "list the environments", "Actions: read"));
}

#[test]
fn an_empty_value_that_is_defined_says_where_and_why_the_job_does_not_get_it() {
    let github = FakeGitHub::start(in_environment(&["DEPLOY_KEY"]));
    let guard = asking(ON_GITHUB, &github).env("RUNNER_GUARD_SECRET_DEPLOY_KEY", "");
    let row = guard.run().finding(ID);
    let help = "defined in environment staging, and this job does not get it";
    says("defined", &row, ("fail", "DEPLOY_KEY is missing", help));
    let github = FakeGitHub::start(Script::default().deny("secrets", Denial::NotFound));
    let guard = asking(ON_GITHUB, &github).env("RUNNER_GUARD_SECRET_DEPLOY_KEY", "");
    says("unread", &guard.run().finding(ID), ("fail", "DEPLOY_KEY is missing", DEFINE));
}

#[test]
fn what_the_values_say_is_not_lost_with_a_github_that_hangs() {
    let faults = vec![Fault::on("secrets", 99, FaultKind::Hang)];
    let github = FakeGitHub::start(Script { faults, ..Script::default() });
    let config = "timeout: 1s\nenvironment: staging\nsecrets: [DEPLOY_KEY, OTHER]\n";
    let row = asking(config, &github).env("RUNNER_GUARD_SECRET_DEPLOY_KEY", "").run().finding(ID);
    says("hangs", &row, ("fail", "DEPLOY_KEY is missing", DEFINE));
    assert!(seen(&row, "OTHER").contains("no answer within"), "{row:#}");
}

#[test]
fn runs_that_get_no_secrets_are_told_from_secrets_that_are_missing() {
    let pull = |source: &str| {
        let body = json!({ "head": { "repo": { "full_name": source } } });
        let routes = vec![("/repos/octo/app/pulls/7".to_owned(), body)];
        FakeGitHub::start(Script { routes, ..in_environment(&["DEPLOY_KEY"]) })
    };
    let asked = |github: &FakeGitHub, actor: &str, event: &str, value: Option<&str>| {
        let guard = asking(ON_GITHUB, github)
            .env("GITHUB_ACTOR", actor)
            .env("GITHUB_EVENT_NAME", event)
            .env("GITHUB_REF", "refs/pull/7/merge");
        let guard = value
            .into_iter()
            .fold(guard, |guard, value| guard.env("RUNNER_GUARD_SECRET_DEPLOY_KEY", value));
        guard.run().finding(ID)
    };
    let (own, fork) = (pull("octo/app"), pull("mallory/app"));
    for value in [None, Some("")] {
        let bot = asked(&own, "dependabot[bot]", "push", value);
        says("Dependabot", &bot, ("unknown", "only the secrets of Dependabot", "Dependabot"));
        let forked = asked(&fork, "mallory", "pull_request", value);
        says("fork", &forked, ("unknown", "from a fork gets no secrets", "on push"));
    }
    let empty = asked(&own, "octocat", "pull_request", Some(""));
    says("own branch", &empty, ("fail", "DEPLOY_KEY is missing", "environment staging"));
    let target = asked(&fork, "mallory", "pull_request_target", Some(""));
    says("with secrets", &target, ("fail", "DEPLOY_KEY is missing", "does not get it"));
    let silent = FakeGitHub::start(in_environment(&[]));
    let perhaps = asked(&silent, "octocat", "pull_request", Some(""));
    says("not known", &perhaps, ("unknown", "could not be read", "pull-requests: read"));
    let given = asked(&fork, "mallory", "pull_request", Some("w0rdsOfItsOwn"));
    says("given all the same", &given, ("pass", "1 of 1", ""));
}

#[test]
fn an_optional_secret_may_be_missing_and_a_word_in_its_place_is_worth_a_look() {
    let config = "secrets: [DEPLOY_KEY, {name: EXTRA, required: false}]\n";
    let asked = |extra: &str| {
        let guard = Guard::preflight(config).env("RUNNER_GUARD_SECRET_DEPLOY_KEY", "w0rdsOfItsOwn");
        guard.env("RUNNER_GUARD_SECRET_EXTRA", extra).run().finding(ID)
    };
    let missing = asked("");
    says("missing", &missing, ("pass", "1 of 1 required secrets are present; 1 optional", ""));
    assert!(seen(&missing, "EXTRA").starts_with("missing (optional"), "{missing:#}");
    says(
        "placeholder",
        &asked("changeme"),
        ("warn", "EXTRA is a placeholder", "gh secret set EXTRA"),
    );
}

#[test]
fn one_that_is_missing_for_certain_is_not_hidden_by_one_that_can_not_be_known() {
    let ended = Guard::preflight("secrets: [DEPLOY_KEY, OTHER]\n")
        .env("RUNNER_GUARD_SECRET_DEPLOY_KEY", "")
        .run();
    says("both", &ended.finding(ID), ("fail", "DEPLOY_KEY is missing", DEFINE));
}

#[test]
fn nothing_required_is_skipped() {
    let help = "required-secrets";
    says("none", &row(ID, "environment: staging\n"), ("skipped", "no secret is required", help));
}
