//! One job in which every text from outside is the hostile one: the gate of it, the black box of it, and what they left.

use std::os::unix::process::CommandExt as _;

use serde_json::{Value, json};

use crate::support::command::Guard;
use crate::support::fake_github::{FakeGitHub, Fault, FaultKind, Recorded, Runner, Script};
use crate::support::fake_logs::Log;
use crate::support::scripted::Scripted;

/// What the two stages of one job left in the five places, and beside them.
pub(super) struct Left {
    pub(super) gate: Stage,
    pub(super) after: Stage,
    /// `report.html` of the black box.
    pub(super) page: String,
    /// What was asked of GitHub and of the other sources: method and address.
    pub(super) asked: Vec<String>,
}

/// What one stage left.
pub(super) struct Stage {
    /// Annotations and text.
    pub(super) stdout: String,
    pub(super) stderr: String,
    pub(super) summary: String,
    pub(super) outputs: String,
    pub(super) junit: String,
}

/// Longest text of a variable or a label, in characters; logs hold it whole.
const SHORT: usize = 20_000;

/// Runs both stages with this text in the place of all that others write.
pub(super) fn left_by(text: &str) -> Left {
    let short: String = text.chars().take(SHORT).collect();
    let github = FakeGitHub::start(script(text, &short));
    let metrics = metrics(&short);
    let pages = pages(&short);
    let guard = guard(text, &github, &metrics, &pages);
    let gate = run(&guard, "runner-guard", "success");
    let after = run(&guard, "runner-guard-post", "failure");
    let page = read(&guard, "temp/runner-guard/report.html");
    let asked = asked(&github, &metrics, &pages);
    Left { gate, after, page, asked }
}

/// A text that no source ever sent would prove nothing.
fn asked(github: &FakeGitHub, metrics: &Scripted, pages: &Scripted) -> Vec<String> {
    let mut asked: Vec<String> = github.requests().iter().map(Recorded::line).collect();
    asked.extend(metrics.asked());
    asked.extend(pages.asked());
    for route in [
        "/actions/runners",
        "/actions/secrets",
        "/attempts/1/jobs",
        "/logs/1",
        "CreateArtifact",
        "/api/v1/query?",
        "/api/v1/query_range",
        "/api/v2/alerts",
        "/metrics",
        "/loki/",
        "/components.json",
    ] {
        assert!(asked.iter().any(|line| line.contains(route)), "{route}: {asked:#?}");
    }
    asked
}

fn guard(text: &str, github: &FakeGitHub, metrics: &Scripted, pages: &Scripted) -> Guard {
    // The kernel keeps NUL out of variables and names, and a slash out of names.
    let variable: String = text.replace('\0', "").chars().take(SHORT).collect();
    let part: String = variable.replace('/', "_").chars().take(40).collect();
    let named = format!("ws/{part}.log");
    let page = pages.url();
    let config = format!(
        "environment: staging\ntimeout: 20s\nsecrets: [DEPLOY_KEY, OTHER_KEY]\nvariables: [REGION]\nprometheus: {{url: '{}'}}\n\
         alertmanager: {{url: '{page}'}}\ngithub: {{status-page: '{page}'}}\nloki: {{url: '{page}', queries: ['{{job=\"x\"}}']}}\n\
         network: {{endpoints: ['{page}/healthz']}}\nrunners:\n  - {{name: prod-a, labels: [self-hosted], group: production, role: primary}}\n  \
         - {{name: prod-b, labels: [self-hosted], role: secondary, exporter: '{page}/metrics'}}\n",
        metrics.url()
    );
    Guard::action("runner-guard")
        .file("ws/.github/runner-guard.yml", &config)
        .file(&named, &ansible(text))
        .file("diag/Worker_20261122-120000-utc.log", &worker(text))
        .file("diag/Runner_20261122-120000-utc.log", &worker(text))
        .env("GITHUB_API_URL", &github.url())
        .env("GITHUB_SERVER_URL", "https://github.test")
        .env("ACTIONS_RESULTS_URL", &github.url())
        .env("ACTIONS_RUNTIME_TOKEN", &crate::support::command::runtime_token("a:b"))
        .env("INPUT_GITHUB-TOKEN", "not-a-real-token")
        .env("INPUT_ON-UNKNOWN", "warn")
        .env("INPUT_JUNIT", "junit.xml")
        .env("GITHUB_RUN_ATTEMPT", "1")
        .env("GITHUB_WORKFLOW", &variable)
        .env("GITHUB_JOB", &variable)
        .env("GITHUB_ACTOR", &variable)
        .env("GITHUB_REF", &variable)
        .env("RUNNER_NAME", &variable)
        .env("RUNNER_GUARD_SECRET_DEPLOY_KEY", "a-value-that-nobody-shows")
}

#[expect(clippy::disallowed_methods, reason = "tests read what the program left")]
fn run(guard: &Guard, name: &str, status: &str) -> Stage {
    let at = |file: &str| guard.path(&format!("commands/{name}-{file}"));
    let output = guard
        .command()
        .arg0(format!("/{name}"))
        .env("INPUT_JOB-STATUS", status)
        .env("INPUT_RUNNER-LOGS", guard.path("diag"))
        .env("GITHUB_STEP_SUMMARY", at("summary"))
        .env("GITHUB_OUTPUT", at("output"))
        .output()
        .expect("the program starts");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("what it says is UTF-8");
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.code().is_some_and(|code| code < 20), "{stdout}{stderr}");
    let left = |file: &str| {
        let bytes =
            std::fs::read(at(file)).unwrap_or_else(|e| panic!("{file}: {e}\n{stdout}{stderr}"));
        text(&bytes)
    };
    let (summary, outputs) = (left("summary"), left("output"));
    Stage { stdout, stderr, summary, outputs, junit: read(guard, "ws/junit.xml") }
}

#[expect(clippy::disallowed_methods, reason = "tests read what the program left")]
fn read(guard: &Guard, path: &str) -> String {
    let bytes = std::fs::read(guard.path(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    String::from_utf8(bytes).expect("what it leaves is UTF-8")
}

/// GitHub: names of runners, groups, jobs and steps, a log, and the words of refusals.
fn script(whole: &str, text: &str) -> Script {
    let refused = json!({ "message": text, "documentation_url": text }).to_string();
    let refused: &'static str = Box::leak(refused.into_boxed_str());
    let no =
        |status| FaultKind::Answer(status, vec![("content-type", "application/json")], refused);
    let group = json!({ "id": 1, "name": text, "allows_public_repositories": false });
    let jobs = json!({ "total_count": 1, "jobs": [job(text)] });
    let rule = json!({ "id": 1, "type": text });
    let routes = [
        ("/orgs/octo/actions/runner-groups", json!({ "total_count": 1, "runner_groups": [group] })),
        ("/repos/octo/app/actions/runs/77/attempts/1/jobs", jobs),
        (
            "/repos/octo/app/environments/staging",
            json!({ "id": 1, "name": text, "protection_rules": [rule], "deployment_branch_policy": null }),
        ),
    ];
    Script {
        repo_runners: vec![
            Runner::online("prod-a", &["self-hosted", text]),
            Runner::online(text, &[text]),
        ],
        routes: routes.map(|(path, body)| (path.to_owned(), body)).into(),
        logs: vec![(1, Log::Text(log(whole)))],
        faults: vec![
            Fault::on("/actions/secrets", 99, no(403)),
            Fault::on("/actions/variables", 99, no(404)),
            Fault::on("CreateArtifact", 99, no(403)),
        ],
        ..Script::default()
    }
}

fn job(text: &str) -> Value {
    let step = |number: u8, conclusion: &str| {
        json!({ "name": text, "number": number, "status": "completed", "conclusion": conclusion,
                "started_at": "2026-11-22T09:00:00Z", "completed_at": "2026-11-22T09:00:05Z" })
    };
    json!({
        "id": 1, "run_id": 77, "name": text, "workflow_name": text, "status": "completed", "conclusion": "failure", "labels": [text],
        "head_branch": text, "created_at": "2026-11-22T08:00:00Z", "started_at": "2026-11-22T09:00:00Z",
        "completed_at": "2026-11-22T09:01:00Z", "runner_id": 1, "runner_name": text, "runner_group_id": 1, "runner_group_name": text,
        "html_url": text, "steps": [step(1, "success"), step(2, "failure")],
    })
}

/// A log of a job as the service stores it: every line with its time.
fn log(text: &str) -> String {
    let stamped = |line: &str| format!("2026-11-22T09:00:03.1234567Z {line}\n");
    let lines = ["##[group]Run tar", text, "tar: write error: No space left on device"];
    lines.map(stamped).concat()
        + &stamped(&format!("##[error]{text}"))
        + &stamped("##[error]Process completed with exit code 2.")
}

/// Ansible: names of plays, tasks and hosts, a message, keys and values of a result, and raw lines between them.
pub(super) fn ansible(text: &str) -> String {
    let line = text.replace(['\n', '\r'], " ");
    let said = json!({ "changed": true, "rc": 1, "msg": text, "stderr": text, "cmd": [text, "No space left on device"], text: { text: text } });
    format!(
        "PLAY [{line}] ****\n\nTASK [{line}] ****\n{text}\nfatal: [{line}]: FAILED! => {said}\nfatal: [web1]: FAILED! => {said}\n\n\
         PLAY RECAP ****\nweb1 : ok=0 changed=0 unreachable=0 failed=1 skipped=0 rescued=0 ignored=0\n{text}\n"
    )
}

fn worker(text: &str) -> String {
    format!(
        "[2026-11-22 12:00:00Z ERR  Worker] {text}\n[2026-11-22 12:00:00Z INFO JobRunner] Processing step: DisplayName='{text}'\n\
         [2026-11-22 12:00:00Z ERR  Worker] System.IO.IOException: No space left on device : '{text}'\n"
    )
}

/// Prometheus: every label value is the text.
fn metrics(text: &str) -> Scripted {
    let now = now();
    let labels = |runner: &str, name: &str| {
        json!({ "__name__": name, "runner": runner, "hostname": text, "environment": text, "authorized_for_prod": text,
                "mountpoint": text, "device": text, "instance": text, text: text })
    };
    let host = [
        "runner_host_load1",
        "runner_host_cpus",
        "runner_host_memory_total_bytes",
        "runner_host_memory_available_bytes",
    ];
    let answer = |kind: &str, result: Value| {
        json!({ "status": "success", "warnings": [text], "data": { "resultType": kind, "result": result } }).to_string()
    };
    let one = |name: &str| json!({ "metric": labels("prod-a", name), "value": [now, "1"] });
    let values: Vec<Value> = (0..30).map(|n| json!([now - 60 * (30 - n), n.to_string()])).collect();
    let past =
        |runner: &str| json!({ "metric": labels(runner, "runner_status"), "values": values });
    Scripted::start(&[
        ("/query_range", answer("matrix", json!([past("prod-a"), past(text)]))),
        ("__name__", answer("vector", json!(host.map(one)))),
        (
            "timestamp(",
            answer(
                "vector",
                json!([{ "metric": labels("prod-a", "x"), "value": [now, now.to_string()] }]),
            ),
        ),
        (
            "/query",
            answer(
                "vector",
                json!([one("runner_status"), { "metric": labels(text, "x"), "value": [now, "0"] }]),
            ),
        ),
    ])
}

/// Alertmanager, status page, Loki, an exporter and an endpoint: alert names, incidents, lines, labels.
fn pages(text: &str) -> Scripted {
    let quoted = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let metrics = format!(
        "# HELP runner_status {}\n# TYPE runner_status gauge\nrunner_status{{runner=\"prod-b\",hostname=\"{quoted}\",authorized_for_prod=\"{quoted}\",environment=\"{quoted}\"}} 1\n",
        text.replace(['\n', '\r'], " ")
    );
    let alert = json!([{ "labels": { "alertname": text, "severity": "critical", "runner": "prod-a", "environment": "staging", text: text },
        "annotations": { "summary": text, "runbook_url": text }, "startsAt": "2026-11-22T09:00:00Z", "endsAt": "2099-01-01T00:00:00Z",
        "status": { "state": "active", "silencedBy": [], "inhibitedBy": [] }, "generatorURL": text, "fingerprint": "a" }]);
    let component = json!({ "id": "br0l2tvcx85d", "name": text, "status": "major_outage" });
    let incident = json!({ "id": "i", "name": text, "status": "investigating", "impact": "major", "shortlink": text, "components": [component] });
    let status = json!({ "page": { "name": text }, "status": { "indicator": "major", "description": text }, "components": [component], "incidents": [incident] });
    let nanoseconds = format!("{}000000000", now());
    let loki = json!({ "status": "success", "data": { "resultType": "streams", "result": [{ "stream": { "job": text, "runner": text }, "values": [[nanoseconds, text]] }] } });
    Scripted::start(&[
        ("/metrics", metrics),
        ("/api/v2/alerts", alert.to_string()),
        ("/loki/", loki.to_string()),
        ("/components.json", status.to_string()),
        ("/healthz", text.to_owned()),
    ])
}

#[expect(clippy::disallowed_methods, reason = "a fresh sample needs the time of the test")]
fn now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.expect("after 1970").as_secs()
}
