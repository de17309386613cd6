//! Cases of `queue-age`, and the runs of workflows that other cases need too.

use serde_json::{Value, json};

use super::{row, says};
use crate::support::command::Guard;
use crate::support::fake_github::{Denial, FakeGitHub, Recorded, Script};
use crate::support::openapi::DESCRIPTION;

const ID: &str = "queue-age";
const RUNNERS: &str = "runners: [{name: a, labels: [self-hosted, gpu]}]\n";

/// Seconds since 1970.
pub(super) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// So many minutes ago, as the API writes times. Ten seconds more: what is judged by whole minutes stays the same.
pub(super) fn iso(minutes_ago: i64) -> String {
    let time = jiff::Timestamp::from_second(now() - minutes_ago * 60 - 10);
    time.expect("time").to_string()
}

/// GitHub's own example of a run, changed.
pub(super) fn run(id: u64, status: &str, conclusion: Option<&str>, minutes_ago: i64) -> Value {
    let examples = &DESCRIPTION["components"]["examples"]["workflow-run-paginated"];
    let mut run = examples["value"]["workflow_runs"][0].clone();
    run["id"] = json!(id);
    run["status"] = json!(status);
    run["conclusion"] = json!(conclusion);
    run["path"] = json!(".github/workflows/deploy.yml");
    run["html_url"] = json!(format!("https://github.com/octo/app/actions/runs/{id}"));
    run["created_at"] = json!(iso(minutes_ago));
    run["run_started_at"] = json!(iso(minutes_ago));
    run
}

/// With these runs of the last hour.
pub(super) fn with_runs(script: Script, runs: &[Value]) -> Script {
    let body = json!({ "total_count": runs.len(), "workflow_runs": runs });
    script.route("/repos/{owner}/{repo}/actions/runs", "/repos/octo/app/actions/runs", body)
}

/// The row of a check in run 77 of octo/app, with this GitHub.
pub(super) fn ask(check: &str, script: Script, config: &str) -> Value {
    let github = FakeGitHub::start(script);
    guard(&github, config).run().finding(check)
}

/// Run 77 of octo/app with this GitHub.
pub(super) fn guard(github: &FakeGitHub, config: &str) -> Guard {
    Guard::preflight(&format!("timeout: 5s\n{config}"))
        .env("GITHUB_API_URL", &github.url())
        .env("GITHUB_TOKEN", "not-a-real-token")
        .env("GITHUB_REPOSITORY", "octo/app")
        .env("GITHUB_RUN_ID", "77")
        .env("GITHUB_WORKFLOW_REF", "octo/app/.github/workflows/deploy.yml@refs/heads/main")
}

/// With this job in a run.
fn with_job(script: Script, run: u64, labels: &[&str], status: &str, minutes_ago: i64) -> Script {
    let mut body = DESCRIPTION["components"]["examples"]["job-paginated"]["value"].clone();
    let job = &mut body["jobs"][0];
    job["name"] = json!("ship");
    job["labels"] = json!(labels);
    job["status"] = json!(status);
    job["conclusion"] = Value::Null;
    job["created_at"] = json!(iso(minutes_ago));
    let template = "/repos/{owner}/{repo}/actions/runs/{run_id}/jobs";
    script.route(template, &format!("/repos/octo/app/actions/runs/{run}/jobs"), body)
}

/// A run that is queued for so long with one job.
fn queued(labels: &[&str], minutes: i64) -> Script {
    let script = with_runs(Script::default(), &[run(1, "queued", None, minutes)]);
    with_job(script, 1, labels, "queued", minutes)
}

#[test]
fn a_job_that_our_runners_could_take_and_do_not_take_is_seen() {
    let job = &["self-hosted", "GPU"];
    says("short", &ask(ID, queued(job, 3), RUNNERS), ("pass", "no run of the last hour", ""));
    let warns = ("warn", "the job `ship` (self-hosted, GPU) waits for 7 min", "online and idle");
    says("long", &ask(ID, queued(job, 7), RUNNERS), warns);
    let fails = ("fail", "waits for 11 min: no runner takes it", "online and idle");
    says("longer", &ask(ID, queued(job, 11), RUNNERS), fails);
    let option = format!("{RUNNERS}checks: {{queue-age: {{max-wait: 20m}}}}\n");
    says("option", &ask(ID, queued(job, 11), &option), ("pass", "for 20 min or longer", ""));
}

#[test]
fn jobs_for_other_runners_prove_nothing_about_ours() {
    for labels in [&["ubuntu-latest"][..], &["self-hosted", "gpu", "windows"], &[]] {
        let row = ask(ID, queued(labels, 30), RUNNERS);
        says(&labels.join(" "), &row, ("pass", "could run on our runners", ""));
    }
    let given = ask(ID, queued(&["self-hosted", "Linux", "X64"], 7), RUNNERS);
    says("given labels", &given, ("warn", "waits for 7 min", "online and idle"));
}

#[test]
fn without_candidates_every_job_for_self_hosted_runners_counts() {
    let own = ask(ID, queued(&["self-hosted", "any"], 7), "");
    says("self-hosted", &own, ("warn", "waits for 7 min", "online and idle"));
    says("hosted", &ask(ID, queued(&["ubuntu-latest"], 7), ""), ("pass", "our runners", ""));
}

#[test]
fn this_run_and_jobs_that_wait_for_people_do_not_count() {
    let own = with_runs(Script::default(), &[run(77, "queued", None, 30)]);
    says("own", &ask(ID, own, RUNNERS), ("pass", "no run of the last hour", ""));
    let approval = with_runs(Script::default(), &[run(1, "waiting", None, 30)]);
    says("approval", &ask(ID, approval, RUNNERS), ("pass", "no run of the last hour", ""));
    let script = with_runs(Script::default(), &[run(1, "queued", None, 30)]);
    let waits = with_job(script, 1, &["self-hosted"], "waiting", 30);
    says("job", &ask(ID, waits, RUNNERS), ("pass", "could run on our runners", ""));
}

#[test]
fn at_most_the_three_oldest_runs_are_asked_for_their_jobs() {
    let runs: Vec<Value> = (1..=5).map(|n| run(n, "queued", None, 10 + n.cast_signed())).collect();
    let script = (1..=5).fold(with_runs(Script::default(), &runs), |script, id| {
        with_job(script, id, &["ubuntu-latest"], "queued", 11)
    });
    let github = FakeGitHub::start(script);
    let row = guard(&github, RUNNERS).run().finding(ID);
    says("five", &row, ("pass", "could run on our runners", ""));
    let lines: Vec<String> = github.requests().iter().map(Recorded::line).collect();
    let asked: Vec<&String> = lines.iter().filter(|l| l.contains("/jobs?")).collect();
    assert_eq!(asked.len(), 3, "{asked:#?}");
    assert!(
        [3, 4, 5].iter().all(|id| lines.iter().any(|l| l.contains(&format!("/runs/{id}/jobs"))))
    );
    let lists = lines.iter().filter(|l| l.contains("/actions/runs?"));
    assert_eq!(lists.count(), 1, "queue-age and failure-rate share one request: {lines:#?}");
}

#[test]
fn what_can_not_be_read_is_no_answer() {
    let denied = Script::default().deny("/actions/runs", Denial::Integration("actions=read"));
    says("runs", &ask(ID, denied, RUNNERS), ("unknown", "actions=read", "actions: read"));
    let jobs = with_runs(Script::default(), &[run(1, "queued", None, 9)]);
    says("jobs", &ask(ID, jobs, RUNNERS), ("unknown", "list the jobs of run 1", "actions: read"));
    let no_token = Guard::preflight(RUNNERS).env("GITHUB_REPOSITORY", "octo/app").run();
    says("token", &no_token.finding(ID), ("unknown", "no GitHub token", "github-token"));
    says("repository", &row(ID, RUNNERS), ("skipped", "no repository is named", ""));
}

#[test]
fn a_token_that_may_nothing_costs_three_requests_and_no_warning() {
    let denied = Script::default().deny("/repos/", Denial::Integration("actions=read"));
    let github = FakeGitHub::start(denied);
    let run = guard(&github, &format!("environment: production\n{RUNNERS}")).run();
    let reasons = run.report()["reasons"].to_string();
    assert!(reasons.contains("is not authorised"), "{reasons}");
    for id in [ID, "failure-rate", "environment-protection", "github-status", "github-token"] {
        assert!(!reasons.contains(id), "{id}: {reasons}");
    }
    let asked = github.requests();
    let ours = asked.iter().map(|r| r.target.split('?').next().unwrap_or_default());
    let mut ours: Vec<&str> = ours.filter(|p| *p != "/" && !p.contains("/runners")).collect();
    ours.sort_unstable();
    let wanted =
        ["/rate_limit", "/repos/octo/app/actions/runs", "/repos/octo/app/environments/production"];
    assert_eq!(ours, wanted, "what these questions cost in a default run");
}
