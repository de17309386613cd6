//! The fake GitHub answers as GitHub's own description of its API says, so that tests against it mean something.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::client;
use crate::support::fake_github::{Denial, FakeGitHub, Rate, Runner, Script};
use crate::support::openapi::{DESCRIPTION, differences};

fn script() -> Script {
    let many = |prefix: &str, n: usize| (0..n).map(|i| format!("{prefix}_{i}")).collect::<Vec<_>>();
    let never_seen = Runner { version: None, status: "offline", ..Runner::online("new", &[]) };
    let runners =
        (0..45).map(|i| Runner::online(&format!("prod-{i}"), &["self-hosted", "deploy"])).collect();
    Script {
        repo_runners: runners,
        org_runners: vec![Runner::online("shared-1", &["self-hosted"]), never_seen],
        repo_secrets: many("REPO", 101),
        org_secrets: many("ORG", 2),
        environments: BTreeMap::from([("prod/eu".to_owned(), many("ENV", 1))]),
        ..Script::default()
    }
}

struct Got {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: String,
}

impl Got {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

#[expect(clippy::disallowed_methods, reason = "the bodies of the fake are small")]
async fn get(server: &FakeGitHub, target: &str) -> Got {
    let url = if target.starts_with("http") { target.to_owned() } else { server.url() + target };
    let request = client().get(url).bearer_auth("ghs_x").header("user-agent", "tests");
    let response = request.send().await.expect("answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Got { status, headers, body: response.text().await.expect("body") }
}

#[test]
fn a_wrong_answer_would_be_noticed() {
    let secret = json!({ "name": "A", "created_at": "2026-03-01T09:30:00Z" });
    let body = json!({ "total_count": "1", "secrets": [secret] });
    let found = differences("/repos/{owner}/{repo}/actions/secrets", "200", &body);
    assert_eq!(found.len(), 2, "the count is a text, updated_at is missing: {found:#?}");
}

#[tokio::test]
async fn every_list_is_as_github_describes_it() {
    let server = FakeGitHub::start(script());
    for (target, path) in [
        ("/repos/octo/app/actions/runners?per_page=100", "/repos/{owner}/{repo}/actions/runners"),
        ("/orgs/octo/actions/runners", "/orgs/{org}/actions/runners"),
        ("/repos/octo/app/actions/secrets", "/repos/{owner}/{repo}/actions/secrets"),
        (
            "/repos/octo/app/actions/organization-secrets",
            "/repos/{owner}/{repo}/actions/organization-secrets",
        ),
        (
            "/repos/octo/app/environments/prod%2Feu/secrets",
            "/repos/{owner}/{repo}/environments/{environment_name}/secrets",
        ),
        ("/rate_limit", "/rate_limit"),
        ("/meta", "/meta"),
    ] {
        let got = get(&server, target).await;
        assert_eq!(got.status, 200, "{target}: {}", got.body);
        assert_eq!(differences(path, "200", &got.json()), [""; 0], "{path}");
        assert!(
            got.header("x-github-request-id").is_some()
                && got.header("x-ratelimit-remaining").is_some()
        );
    }
}

#[tokio::test]
async fn pages_are_linked_by_id_and_lead_to_every_item() {
    let server = FakeGitHub::start(script());
    let (mut target, mut names) =
        ("/repos/octo/app/actions/secrets?per_page=100".to_owned(), Vec::new());
    loop {
        let got = get(&server, &target).await;
        let page = got.json();
        names.extend(
            page["secrets"].as_array().expect("secrets").iter().map(|s| s["name"].to_string()),
        );
        assert_eq!(page["total_count"], 101);
        let Some(link) = got.header("link") else { break };
        target = link.split(['<', '>']).nth(1).expect("address").to_owned();
        assert!(target.contains("/repositories/"), "{target}");
    }
    assert_eq!(names.len(), 101);
}

#[tokio::test]
async fn the_name_filter_matches_the_whole_name() {
    let server = FakeGitHub::start(script());
    let found = get(&server, "/repos/octo/app/actions/runners?name=prod-1").await.json();
    assert_eq!(
        (&found["total_count"], &found["runners"][0]["name"]),
        (&1.into(), &"prod-1".into())
    );
}

#[tokio::test]
async fn every_refusal_has_the_body_and_the_headers_of_github() {
    let denied = [
        (
            Denial::Integration("administration=read"),
            403,
            "Resource not accessible",
            "x-accepted-github-permissions",
        ),
        (Denial::BadCredentials, 401, "Bad credentials", "x-github-request-id"),
        (Denial::NotFound, 404, "Not Found", "x-github-request-id"),
        (Denial::PrimaryLimit, 403, "API rate limit exceeded", "x-ratelimit-reset"),
        (Denial::SecondaryLimit(60), 403, "secondary rate limit", "retry-after"),
    ];
    for (denial, status, message, header) in denied {
        let rate = Rate { limit: 1000, remaining: 0, reset: 1_900_000_000 };
        let denied = vec![("/actions/runners".to_owned(), denial)];
        let server = FakeGitHub::start(Script { denied, rate, ..script() });
        let got = get(&server, "/repos/octo/app/actions/runners").await;
        assert_eq!(got.status, status);
        assert!(got.body.contains(message), "{}", got.body);
        assert!(got.header(header).is_some(), "{header}");
        let schema = json!({ "$ref": "#/components/schemas/basic-error", "components": DESCRIPTION["components"] });
        assert!(jsonschema::draft202012::new(&schema).expect("schema").is_valid(&got.json()));
    }
}

#[tokio::test]
async fn what_does_not_exist_is_not_found_and_what_is_public_needs_no_token() {
    let server = FakeGitHub::start(script());
    for target in [
        "/repos/octo/other/actions/runners",
        "/repos/octo/app/actions/runners/",
        "/repos/octo/app/environments/none/secrets",
    ] {
        assert_eq!(get(&server, target).await.status, 404, "{target}");
    }
    assert_eq!(get(&server, "/").await.status, 200);
    assert!(get(&server, "/zen").await.body.len() > 5);
    let bare = client().get(server.url() + "/zen").header("user-agent", "tests");
    assert_eq!(bare.send().await.expect("answer").status(), 200);
    let anonymous =
        client().get(server.url() + "/orgs/octo/actions/runners").header("user-agent", "tests");
    assert_eq!(anonymous.send().await.expect("answer").status(), 401);
    let unnamed = client().get(server.url() + "/zen");
    assert_eq!(unnamed.send().await.expect("answer").status(), 403, "GitHub wants a User-Agent");
}
