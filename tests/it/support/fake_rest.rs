//! The REST routes of the fake: runners, secrets, rate limit and the public ones, with paging and refusals as GitHub has them.

use hyper::header::HeaderValue;
use percent_encoding::percent_decode_str;
use reqwest::Url;
use serde_json::{Value, json};

use super::fake_github::{Answer, Denial, Recorded, Runner, State, plain};
use super::{fake_logs, sha256};

const DOCS: &str = "https://docs.github.com/rest";
const REPOSITORY_ID: u32 = 1_296_269;
const ORGANISATION_ID: u32 = 9919;
const JSON: &str = "application/json; charset=utf-8";

/// The answer to one request, with the headers that every answer of the API has.
pub(super) fn answer(state: &State, request: &Recorded) -> Answer {
    let mut answer = routed(state, request);
    let known = answer.headers().get("etag").and_then(|tag| tag.to_str().ok());
    if known.is_some() && known == request.header("if-none-match") {
        answer = with(plain(304, JSON, ""), "etag", known.unwrap_or_default());
    }
    let mut set = |name: &'static str, value: String| {
        answer.headers_mut().insert(name, HeaderValue::from_str(&value).expect("header"));
    };
    let rate = state.script.rate;
    set("x-ratelimit-limit", rate.limit.to_string());
    set("x-ratelimit-remaining", rate.remaining.to_string());
    set("x-ratelimit-reset", rate.reset.to_string());
    set("x-ratelimit-used", (rate.limit - rate.remaining).to_string());
    set("x-ratelimit-resource", "core".to_owned());
    set("x-github-request-id", "C0DE:1F2E:3D4C5B:6A7988:6743210F".to_owned());
    set("x-github-api-version-selected", "2022-11-28".to_owned());
    answer
}

fn routed(state: &State, request: &Recorded) -> Answer {
    if request.header("user-agent").is_none_or(str::is_empty) {
        let text = "Request forbidden by administrative rules. Please make sure your request has a User-Agent header";
        return plain(403, "text/html", text);
    }
    if request
        .header("x-github-api-version")
        .is_some_and(|v| v != "2022-11-28" && v != "2026-03-10")
    {
        return refusal(400, "The requested API version is not supported.", DOCS);
    }
    let url = Url::parse(&format!("http://{}{}", state.api, request.target)).expect("target");
    let Some(below) = url.path().strip_prefix(state.script.base) else { return not_found() };
    let parts: Vec<String> = below
        .trim_start_matches('/')
        .split('/')
        .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
        .collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    if let Some(answer) = public(state, &parts) {
        return answer;
    }
    if request.header("authorization").is_none() {
        return refusal(401, "Requires authentication", DOCS);
    }
    if state.script.app.as_ref().is_some_and(|app| !app.opens(request)) {
        return denied_as(&Denial::BadCredentials);
    }
    let denied = state.script.denied.iter().find(|(fragment, _)| url.path().contains(fragment));
    if let Some((_, denial)) = denied {
        return denied_as(denial);
    }
    let path = format!("/{}", parts.join("/"));
    if let Some((_, to)) = state.script.moved.iter().find(|(from, _)| *from == path) {
        let here = if to.starts_with('/') { base(state) } else { String::new() };
        let answer = refusal(301, "Moved Permanently", DOCS);
        return with(answer, "location", &format!("{here}{to}"));
    }
    if let Some((_, body)) = state.script.routes.iter().find(|(route, _)| *route == path) {
        return ok(body);
    }
    private(state, &url, &parts).unwrap_or_else(not_found)
}

fn public(state: &State, parts: &[&str]) -> Option<Answer> {
    match parts {
        [""] => Some(ok(&json!({ "current_user_url": format!("http://{}/user", state.api) }))),
        ["zen"] => Some(plain(200, "text/plain;charset=utf-8", "Keep it logically awesome.")),
        ["meta"] => Some(ok(&json!({
            "verifiable_password_authentication": false,
            "hooks": ["192.0.2.0/24"],
            "actions": ["198.51.100.0/24"],
            "domains": { "actions_inbound": { "full_domains": ["github.com"], "wildcard_domains": ["*.actions.githubusercontent.com"] } },
        }))),
        ["rate_limit"] => Some(rate_limit(state)),
        _ => None,
    }
}

fn rate_limit(state: &State) -> Answer {
    let rate = state.script.rate;
    let core = json!({ "limit": rate.limit, "remaining": rate.remaining, "reset": rate.reset, "used": rate.limit - rate.remaining });
    ok(&json!({ "resources": { "core": core, "search": core }, "rate": core }))
}

fn private(state: &State, url: &Url, parts: &[&str]) -> Option<Answer> {
    let script = &state.script;
    let (repository, organisation) = (REPOSITORY_ID.to_string(), ORGANISATION_ID.to_string());
    let repo_alias = format!("/repositories/{repository}");
    let (scope, alias, rest) = match parts {
        ["repos", owner, repo, rest @ ..] if *owner == script.owner && *repo == script.repo => {
            (Scope::Repo, repo_alias, rest)
        }
        ["repositories", id, rest @ ..] if *id == repository => (Scope::Repo, repo_alias, rest),
        ["orgs", org, rest @ ..] if *org == script.owner => {
            (Scope::Org, format!("/organizations/{organisation}"), rest)
        }
        ["organizations", id, rest @ ..] if *id == organisation => {
            (Scope::Org, format!("/organizations/{organisation}"), rest)
        }
        _ => return None,
    };
    let path = format!("{alias}/{}", rest.join("/"));
    let own = |secrets: &[String]| Some(page(state, url, (&path, "secrets"), secrets, secret));
    let runners = |all: &[Runner], first_id: usize| {
        let shown: Vec<(usize, &Runner)> = named(all, url, first_id).collect();
        Some(page(state, url, (&path, "runners"), &shown, runner))
    };
    match (scope, rest) {
        (Scope::Repo, ["actions", "jobs", id, "logs"]) => fake_logs::redirect(state, id),
        (Scope::Repo, ["actions", "runners"]) => runners(&script.repo_runners, 1),
        (Scope::Org, ["actions", "runners"]) => runners(&script.org_runners, 1001),
        (Scope::Repo, ["actions", "secrets"]) => own(&script.repo_secrets),
        (Scope::Repo, ["actions", "organization-secrets"]) => own(&script.org_secrets),
        (Scope::Repo, ["environments"]) => {
            let names: Vec<String> = script.environments.keys().cloned().collect();
            Some(page(state, url, (&path, "environments"), &names, environment))
        }
        (Scope::Repo, ["environments", name, "secrets"]) => own(script.environments.get(*name)?),
        (Scope::Repo | Scope::Org, _) => None,
    }
}

#[derive(Clone, Copy)]
enum Scope {
    Repo,
    Org,
}

/// The runners of the name that is asked for, with their ids.
fn named<'a>(
    all: &'a [Runner],
    url: &Url,
    first_id: usize,
) -> impl Iterator<Item = (usize, &'a Runner)> {
    let wanted = query(url, "name");
    let numbered = all.iter().enumerate().map(move |(at, runner)| (first_id + at, runner));
    numbered.filter(move |(_, r)| wanted.as_ref().is_none_or(|w| *w == r.name))
}

fn runner((id, runner): &(usize, &Runner)) -> Value {
    let label = |(id, name)| json!({ "id": id + 1, "name": name, "type": "custom" });
    let labels: Vec<Value> = runner.labels.iter().enumerate().map(label).collect();
    json!({
        "id": id, "runner_group_id": runner.group, "name": runner.name, "os": "Linux", "status": runner.status,
        "busy": runner.busy, "ephemeral": false, "version": runner.version, "labels": labels,
    })
}

fn secret(name: &String) -> Value {
    let at = "2026-03-01T09:30:00Z";
    json!({ "name": name, "created_at": at, "updated_at": at })
}

fn environment(name: &String) -> Value {
    let (at, of) = ("2026-03-01T09:30:00Z", "https://api.github.com/e");
    json!({ "id": 1, "node_id": "E", "name": name, "url": of, "html_url": of, "created_at": at, "updated_at": at })
}

/// The base address.
fn base(state: &State) -> String {
    format!("http://{}{}", state.api, state.script.base)
}

/// One page of a list, with the `Link` header that GitHub sends: by id, not by name.
fn page<T>(
    state: &State,
    url: &Url,
    (path, key): (&str, &'static str),
    all: &[T],
    shown: impl Fn(&T) -> Value,
) -> Answer {
    let number =
        |name: &str| query(url, name).and_then(|v| v.parse::<usize>().ok()).filter(|n| *n > 0);
    let per_page = number("per_page").unwrap_or(30).min(state.script.page_cap);
    let at = number("page").unwrap_or(1);
    let last = all.len().div_ceil(per_page).max(1);
    let items: Vec<Value> =
        all.iter().skip((at - 1) * per_page).take(per_page).map(shown).collect();
    let mut answer = ok(&json!({ "total_count": all.len(), key: items }));
    if at < last {
        let link = |page: usize, rel: &str| {
            format!("<{}{path}?per_page={per_page}&page={page}>; rel=\"{rel}\"", base(state))
        };
        let links = format!("{}, {}", link(at + 1, "next"), link(last, "last"));
        answer.headers_mut().insert("link", HeaderValue::from_str(&links).expect("header"));
    }
    answer
}

fn query(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn ok(body: &Value) -> Answer {
    let body = body.to_string();
    let tag = format!("\"{}\"", sha256(body.as_bytes()));
    with(plain(200, JSON, body), "etag", &tag)
}

fn not_found() -> Answer {
    refusal(404, "Not Found", DOCS)
}

pub(super) fn refusal(status: u16, message: &str, documentation: &str) -> Answer {
    let body = json!({ "message": message, "documentation_url": documentation, "status": status.to_string() });
    plain(status, JSON, body.to_string())
}

fn denied_as(denial: &Denial) -> Answer {
    let limits = "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api";
    match denial {
        Denial::Integration(needs) => {
            let answer = refusal(403, "Resource not accessible by integration", DOCS);
            with(answer, "x-accepted-github-permissions", needs)
        }
        Denial::BadCredentials => refusal(401, "Bad credentials", DOCS),
        Denial::NotFound => not_found(),
        Denial::PrimaryLimit => {
            refusal(403, "API rate limit exceeded for installation ID 1.", limits)
        }
        Denial::SecondaryLimit(wait) => {
            let answer = refusal(
                403,
                "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
                limits,
            );
            with(answer, "retry-after", &wait.to_string())
        }
    }
}

fn with(mut answer: Answer, name: &'static str, value: &str) -> Answer {
    answer.headers_mut().insert(name, HeaderValue::from_str(value).expect("header"));
    answer
}
