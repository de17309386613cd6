//! What the black box learns from GitHub about the jobs that failed.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::command::{Ended, Guard};
use crate::support::fake_github::{Denial, FakeGitHub, Fault, FaultKind, Script};
use crate::support::fake_logs::Log;

const JOBS: &str = "/repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}/jobs";
const TOKEN: &str = "ghs_0123456789abcdefghijklmnopqrstuvwxyz";
const FULL: &str = "\u{feff}2026-11-22T09:00:02.1234567Z ##[group]Run tar\r\n\
                    2026-11-22T09:00:03.1234567Z \u{1b}[31mtar: write error: No space left on device\u{1b}[0m\r\n\
                    2026-11-22T09:00:04.1234567Z ##[error]Process completed with exit code 2.\r\n";

fn job(id: u64, name: &str, conclusion: Option<&str>, steps: &[Option<&str>]) -> Value {
    let status = |ended: bool| if ended { "completed" } else { "in_progress" };
    let step = |(number, conclusion): (usize, Option<&str>)| {
        json!({ "name": format!("Step {number}"), "number": number, "status": status(conclusion.is_some()), "conclusion": conclusion,
                "started_at": "2026-11-22T09:00:00Z", "completed_at": conclusion.map(|_| "2026-11-22T09:00:05Z") })
    };
    let runner = if steps.is_empty() { "" } else { "prod-a" };
    json!({
        "id": id, "run_id": 77, "run_url": "https://api.github.com/r", "node_id": "J", "head_sha": "a", "head_branch": "main",
        "url": "https://api.github.com/j", "html_url": "https://github.com/j", "check_run_url": "https://api.github.com/c", "name": name,
        "workflow_name": "deploy", "status": status(conclusion.is_some()), "conclusion": conclusion, "labels": ["self-hosted", "prod"],
        "created_at": "2026-11-22T08:00:00Z", "started_at": "2026-11-22T09:00:00Z",
        "completed_at": conclusion.map(|_| "2026-11-22T09:01:00Z"), "runner_id": 1, "runner_name": runner, "runner_group_id": 1,
        "runner_group_name": "Default", "steps": (1..).zip(steps.iter().copied()).map(step).collect::<Vec<_>>(),
    })
}

const FAILED: &[Option<&str>] = &[Some("success"), Some("failure"), Some("skipped")];
const LOST: &[Option<&str>] = &[Some("success"), None, None];

/// A GitHub with these jobs in attempt 2 of run 77.
fn with_jobs(jobs: &[Value], logs: Vec<(u64, Log)>) -> Script {
    let body = json!({ "total_count": jobs.len(), "jobs": jobs });
    let script = Script { logs, ..Script::default() };
    script.route(JOBS, "/repos/octo/app/actions/runs/77/attempts/2/jobs", body)
}

/// What a run of the black box left.
struct Seen {
    ended: Ended,
    bundle: BTreeMap<String, String>,
}

impl Seen {
    fn row(&self, collector: &str) -> (String, String) {
        let report = self.ended.report();
        let rows = report["collected"].as_array().expect("rows").clone();
        let row = rows.iter().find(|row| row["collector"] == collector).expect("row");
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        (text("status"), text("detail"))
    }

    fn jobs(&self) -> Vec<&str> {
        let entries = self.bundle.keys().map(String::as_str);
        entries.filter(|path| path.starts_with("jobs/")).collect()
    }

    fn causes(&self) -> Vec<String> {
        let report = self.ended.report();
        let all = report["diagnoses"].as_array().cloned().unwrap_or_default();
        all.iter().map(|d| d["id"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

fn prepared(server: &FakeGitHub) -> Guard {
    Guard::plain(&["diagnose", "--format", "json", "--out", "out"])
        .env("GITHUB_API_URL", &server.url())
        .env("GITHUB_REPOSITORY", "octo/app")
        .env("GITHUB_RUN_ID", "77")
        .env("GITHUB_RUN_ATTEMPT", "2")
        .env("GITHUB_JOB", "deploy")
        .env("RUNNER_NAME", "prod-a")
        .env("GITHUB_TOKEN", TOKEN)
}

fn seen(guard: Guard) -> Seen {
    let archive = guard.path("out/runner-guard-bundle.tar.gz");
    let ended = guard.run();
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    let bundle = unpacked(&archive);
    Seen { ended, bundle }
}

#[expect(clippy::disallowed_methods, reason = "a test reads what the program wrote")]
fn unpacked(archive: &std::path::Path) -> BTreeMap<String, String> {
    let packed = std::fs::read(archive).expect("a bundle");
    let mut archive = tar::Archive::new(flate2::read::MultiGzDecoder::new(&*packed));
    let file = |entry: std::io::Result<tar::Entry<'_, _>>| {
        let mut entry: tar::Entry<'_, flate2::read::MultiGzDecoder<&[u8]>> = entry.expect("entry");
        let path = entry.path().expect("path").display().to_string();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("read");
        (path, String::from_utf8_lossy(&bytes).into_owned())
    };
    archive.entries().expect("entries").map(file).collect()
}

fn text(text: &str) -> Log {
    Log::Text(text.to_owned())
}

#[test]
fn the_same_cause_in_a_matrix_is_one_cause_and_the_token_stays_with_the_api() {
    let names = ["eu", "us", "ap", "sa"];
    let jobs: Vec<Value> = (1..)
        .zip(names)
        .map(|(id, region)| job(id, &format!("deploy ({region})"), Some("failure"), FAILED))
        .collect();
    let logs = (1..=4).map(|id| (id, text(FULL))).collect();
    let server = FakeGitHub::start(with_jobs(&jobs, logs));
    let seen = seen(prepared(&server));
    assert_eq!(seen.causes(), ["disk-full"]);
    let cause = seen.ended.report()["diagnoses"][0].clone();
    assert!(cause["subject"].as_str().expect("subject").ends_with("in 4 jobs"), "{cause:#}");
    let files = ["ap_-3", "eu_-1", "sa_-4", "us_-2"].map(|n| format!("jobs/deploy__{n}.log"));
    assert_eq!(seen.jobs(), [&files[..], &["jobs/steps.txt".to_owned()]].concat());
    let log = &seen.bundle[&files[0]];
    assert!(log.starts_with("2026-11-22T09:00:02.1234567Z ##[group]Run tar\n"), "{log:?}");
    assert!(
        seen.bundle["jobs/steps.txt"].contains("runner-guard: step failed: job \"deploy (eu)\"")
    );
    let requests = server.requests();
    let fetched: Vec<_> = requests.iter().filter(|r| r.target.starts_with("/logs/")).collect();
    assert_eq!(fetched.len(), 4);
    assert!(fetched.iter().all(|r| r.header("authorization").is_none()));
    assert!(requests.iter().all(|r| !r.target.contains(TOKEN)));
    assert_eq!(server.calls().iter().filter(|c| c.contains("/attempts/2/jobs")).count(), 1);
    assert!(server.most_at_once() <= 4);
}

#[test]
fn the_signature_in_the_address_of_a_log_is_hidden_in_what_was_collected() {
    let signature = "c2lnbmVkIGJ5+nVib2R5IGF0IGFsbA==";
    let hex = data_encoding::HEXLOWER.encode(signature.as_bytes());
    let log = format!("read {signature}\nas {hex}\ntar: write error: No space left on device\n");
    let jobs = [job(1, "deploy", Some("failure"), FAILED)];
    let server = FakeGitHub::start(with_jobs(&jobs, vec![(1, text(&log))]));
    let seen = seen(prepared(&server));
    let log = &seen.bundle[seen.jobs()[0]];
    assert!(log.contains("as [redacted:known-value"), "{log}");
    for (path, text) in &seen.bundle {
        assert!(!text.contains(signature) && !text.contains(&hex), "{path}: {text}");
    }
}

#[test]
fn twelve_jobs_of_a_matrix_that_failed_for_two_causes_give_two_blocks() {
    let refused = "2026-11-22T09:00:03.1234567Z ssh: connect to host web1 port 22: Connection refused\n\
                   2026-11-22T09:00:04.1234567Z ##[error]Process completed with exit code 255.\n";
    let jobs: Vec<Value> =
        (1..=12).map(|id| job(id, &format!("deploy ({id})"), Some("failure"), FAILED)).collect();
    let log = |id| (id, text(if id % 2 == 0 { FULL } else { refused }));
    let server = FakeGitHub::start(with_jobs(&jobs, (1..=12).map(log).collect()));
    let event = r#"{"action": "completed", "workflow_run": {"id": 77, "run_attempt": 2}}"#;
    let guard = prepared(&server).file("event.json", event);
    let path = guard.path("event.json").display().to_string();
    let guard = guard.env("GITHUB_EVENT_NAME", "workflow_run").env("GITHUB_EVENT_PATH", &path);
    let seen = seen(guard.env("GITHUB_RUN_ID", "999"));
    let mut causes = seen.causes();
    causes.sort();
    assert_eq!(causes, ["connection-refused", "disk-full"]);
    let report = seen.ended.report();
    for cause in report["diagnoses"].as_array().expect("causes") {
        assert!(cause["subject"].as_str().is_some_and(|s| s.ends_with("in 6 jobs")), "{cause:#}");
    }
    assert_eq!(seen.jobs().iter().filter(|path| path.starts_with("jobs/deploy_")).count(), 12);
}

#[test]
fn a_machine_that_was_lost_is_named_from_the_steps_alone() {
    let jobs = [job(1, "deploy", Some("failure"), LOST)];
    for log in [Log::Missing, Log::NoBlob] {
        let server = FakeGitHub::start(with_jobs(&jobs, vec![(1, log)]));
        let seen = seen(prepared(&server));
        assert_eq!(seen.causes(), ["runner-lost-communication"]);
        let (status, detail) = seen.row("job-logs");
        assert_eq!(status, "ok");
        assert!(detail.contains("the log of job \"deploy\" never came"), "{detail}");
        assert_eq!(seen.jobs(), ["jobs/notes.txt", "jobs/steps.txt"]);
    }
}

#[test]
fn a_job_that_nobody_took_and_one_over_its_limit_are_told_apart() {
    for (ended, steps, cause) in [
        ("failure", &[][..], "job-never-assigned"),
        ("timed_out", &[Some("success"), Some("cancelled")], "job-timeout"),
        ("cancelled", &[Some("success"), Some("cancelled")], "job-cancelled"),
    ] {
        let jobs = [job(1, "deploy", Some(ended), steps)];
        let server = FakeGitHub::start(with_jobs(&jobs, vec![(1, text("nothing to see\n"))]));
        assert_eq!(seen(prepared(&server)).causes(), [cause]);
    }
}

#[test]
fn the_log_of_the_job_itself_is_not_asked_for_and_the_way_to_it_is_said() {
    let running = [Some("success"), Some("failure"), None];
    let jobs = [job(1, "deploy", None, &running), job(2, "test", Some("success"), &[])];
    let server = FakeGitHub::start(with_jobs(&jobs, vec![(1, text(FULL))]));
    let seen = seen(prepared(&server));
    let (status, detail) = seen.row("job-logs");
    assert_eq!(status, "skipped");
    assert!(detail.contains("needs: [deploy]") && detail.contains("if: failure()"), "{detail}");
    let (status, detail) = seen.row("steps");
    assert_eq!(status, "ok");
    assert!(detail.contains("step failed: job \"deploy\" on prod-a, in step 2"), "{detail}");
    assert!(server.calls().iter().all(|call| !call.ends_with("/logs")));
}

#[test]
fn an_expired_a_slow_and_a_cut_log_leave_a_sentence_and_cost_no_other() {
    let jobs: Vec<Value> =
        (1..=4).map(|id| job(id, &format!("job {id}"), Some("failure"), FAILED)).collect();
    let cut = Log::Cut("a whole line\nhalf of a li".to_owned());
    let logs = vec![(1, Log::Expired), (2, text("dripping\n")), (3, cut), (4, text(FULL))];
    let slow = Fault::on("/logs/2?", 1, FaultKind::Drip(Duration::from_mins(10)));
    let passing = [Fault::on("/logs/4?", 1, FaultKind::Reset), Fault::status("/logs/3?", 1, 503)];
    let server = FakeGitHub::start(Script {
        faults: passing.into_iter().chain([slow]).collect(),
        ..with_jobs(&jobs, logs)
    });
    let seen = seen(
        prepared(&server).file(".github/runner-guard.yml", "version: 1\ncollect:\n  timeout: 6s\n"),
    );
    let (status, detail) = seen.row("job-logs");
    assert_eq!(status, "ok", "{detail}");
    assert!(detail.contains("job \"job 1\" was deleted"), "{detail}");
    assert!(detail.contains("job \"job 2\" was cut: ") && detail.contains("no answer within"));
    assert!(detail.contains("job \"job 3\" was cut: "), "{detail}");
    assert_eq!(seen.bundle["jobs/job_3-3.log"], "a whole line\n");
    assert_eq!(seen.causes(), ["disk-full"]);
}

#[test]
fn of_a_huge_log_the_beginning_and_the_end_reach_the_bundle() {
    const LINE: &str = "2026-11-22T09:00:02.1234567Z a line of a build that talks too much, and then talks some more\n";
    let jobs = [job(1, "deploy", Some("failure"), FAILED)];
    let server = FakeGitHub::start(with_jobs(&jobs, vec![(1, Log::Lines(LINE, 400_000))]));
    let seen = seen(prepared(&server));
    assert_eq!(seen.row("job-logs").0, "ok");
    let log = &seen.bundle["jobs/deploy-1.log"];
    assert!(log.contains(" bytes left out ...]\n") && log.ends_with(LINE), "{}", log.len());
    assert!(log.len() <= (8 << 20) + 100);
    let manifest: Value = serde_json::from_str(&seen.bundle["manifest.json"]).expect("JSON");
    let entries = manifest["entries"].as_array().expect("entries");
    let entry = entries.iter().find(|e| e["path"] == "jobs/deploy-1.log").expect("entry");
    assert!(entry.to_string().contains(&(LINE.len() * 400_000).to_string()), "{entry:#}");
}

#[test]
fn without_a_permission_or_a_token_the_line_to_add_is_named_and_nothing_fails() {
    let jobs = [job(1, "deploy", Some("failure"), FAILED)];
    let denied = with_jobs(&jobs, Vec::new()).deny("/jobs", Denial::Integration("actions=read"));
    let server = FakeGitHub::start(denied);
    for (guard, line) in [
        (prepared(&server), "permissions: { actions: read, contents: read }"),
        (prepared(&server).env("GITHUB_TOKEN", ""), "github-token: ${{ github.token }}"),
    ] {
        let seen = seen(guard);
        for collector in ["steps", "job-logs"] {
            let (status, detail) = seen.row(collector);
            assert_eq!(status, "skipped", "{detail}");
            assert!(detail.contains(line), "{detail}");
        }
    }
}

#[test]
fn a_workflow_that_another_one_started_explains_that_one_as_a_command_and_as_an_action() {
    let ansible = "2026-11-22T09:00:02.1234567Z PLAY [Deploy] ****\n2026-11-22T09:00:02.1234567Z \n\
                   2026-11-22T09:00:02.1234567Z TASK [Copy release] ****\n\
                   2026-11-22T09:00:03.1234567Z fatal: [web1]: FAILED! => {\"changed\": false, \"msg\": \"No space left on device\"}\n\
                   2026-11-22T09:00:03.1234567Z \n2026-11-22T09:00:03.1234567Z PLAY RECAP ****\n\
                   2026-11-22T09:00:03.1234567Z web1 : ok=0 changed=0 unreachable=0 failed=1 skipped=0 rescued=0 ignored=0\n\
                   2026-11-22T09:00:04.1234567Z ##[error]Process completed with exit code 2.\n";
    let jobs = [job(1, "deploy", Some("failure"), FAILED), job(2, "late", Some("skipped"), &[])];
    let server = FakeGitHub::start(with_jobs(&jobs, vec![(1, text(ansible))]));
    let event = r#"{"action": "completed", "workflow_run": {"id": 77, "run_attempt": 2}}"#;
    let started = |guard: Guard| {
        let path = guard.path("event.json").display().to_string();
        guard
            .file("event.json", event)
            .env("GITHUB_EVENT_NAME", "workflow_run")
            .env("GITHUB_EVENT_PATH", &path)
            .env("GITHUB_RUN_ID", "999")
            .env("GITHUB_RUN_ATTEMPT", "1")
            .env("GITHUB_API_URL", &server.url())
    };
    let seen = seen(started(prepared(&server)));
    assert_eq!(seen.causes(), ["disk-full"]);
    let cause = seen.ended.report()["diagnoses"][0].clone();
    assert!(cause["subject"].as_str().expect("subject").contains("Copy release"), "{cause:#}");
    assert!(seen.row("job-logs").1.contains("run 77, attempt 2"));

    let action = started(Guard::action("runner-guard"))
        .env("INPUT_MODE", "diagnose")
        .env("INPUT_UPLOAD-ARTIFACT", "false")
        .env("INPUT_GITHUB-TOKEN", TOKEN);
    let archive = action.path("temp/runner-guard/runner-guard-bundle.tar.gz");
    let ended = action.run();
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    assert!(ended.left("commands/output").contains("disk-full"));
    assert!(ended.left("commands/summary").contains("Copy release"));
    assert!(unpacked(&archive).contains_key("jobs/deploy-1.log"));
}
