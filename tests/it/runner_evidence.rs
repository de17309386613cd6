//! The runner's own logs: which way led to them, and what they say about this job.
#![expect(
    clippy::disallowed_methods,
    reason = "the tests build runners on the disk and start programs beside them"
)]

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::command::{Ended, Guard};
use crate::support::runner_root::{JOB, Root, ago, stamp, till};

/// The black box over this folder, outside of a run.
fn diagnose(root: &Root) -> Ended {
    Guard::plain(&["diagnose", "--format", "json", "--runner-logs", &root.diag()]).run()
}

fn first(ended: &Ended) -> String {
    ended.report()["diagnoses"][0]["id"].as_str().unwrap_or("nothing").to_owned()
}

/// The row of the collector: its status and its note.
fn row(ended: &Ended) -> (String, String) {
    let report = ended.report();
    let rows = report["collected"].as_array().cloned().unwrap_or_default();
    let row = rows.into_iter().find(|row| row["collector"] == "runner-logs").unwrap_or(Value::Null);
    let text = row.to_string();
    (row["status"].as_str().unwrap_or_default().to_owned(), text)
}

/// A file of the bundle; empty when it holds none of this name.
fn bundled(ended: &Ended, name: &str) -> String {
    let report = ended.report();
    let place = report["bundle"]["path"]
        .as_str()
        .unwrap_or_else(|| panic!("no bundle: {report:#}"))
        .to_owned();
    let packed = ended.bytes(Path::new(&place));
    let mut archive = tar::Archive::new(flate2::read::MultiGzDecoder::new(packed.as_slice()));
    for entry in archive.entries().expect("entries") {
        let mut entry = entry.expect("entry");
        if entry.path().expect("path").ends_with(name) {
            let mut text = String::new();
            entry.read_to_string(&mut text).expect("text");
            return text;
        }
    }
    String::new()
}

const LISTENING: &str = "WRITE LINE: Listening for Jobs";
const RECEIVED: &str = "Job request 7 for plan 0c0ffee0-0000-4000-8000-0000000000aa job 0c0ffee0-0000-4000-8000-000000000001 received.";
const CONFLICT: &str = "!WRITE ERROR: A session for this runner already exists.";

#[test]
fn a_session_conflict_is_named_with_its_length() {
    let root = Root::new().log(
        "Runner_20260101-000000-utc.log",
        &[
            (60, LISTENING),
            (30, "Attempt to create session."),
            (30, CONFLICT),
            (18, CONFLICT),
            (18, "Runner execution has finished with return code 5"),
        ],
    );
    let ended = diagnose(&root);
    assert_eq!(first(&ended), "runner-session-conflict", "{}", ended.stdout);
    let states = bundled(&ended, "runner-logs/states.txt");
    assert!(states.contains("session conflict  (Runner_20260101-000000-utc.log:3)"), "{states}");
    assert!(
        states.contains("ended at") && states.contains("with code 5: session conflict"),
        "{states}"
    );
    assert!(
        states.contains("another process has held it since") && states.contains("12 min 0 s long"),
        "{states}"
    );
}

#[test]
fn trouble_that_healed_is_no_cause() {
    let root = Root::new().log("Runner_20260101-000000-utc.log", &[
        (60, CONFLICT),
        (57, "!Catch exception during get next message."),
        (57, "!System.Net.Sockets.SocketException: Name or service not known (broker.example:443)"),
        (56, "WRITE LINE: Runner reconnected."),
        (1, "No message retrieved within last 30 minutes."),
    ]);
    let _listener = root.listener();
    let ended = diagnose(&root);
    assert_eq!(ended.report()["diagnoses"], Value::Array(Vec::new()), "{}", ended.stdout);
    assert!(
        bundled(&ended, "runner-logs/Runner_20260101-000000-utc.log")
            .contains("Name or service not known")
    );
}

#[test]
fn a_lost_lease_is_computed_from_its_last_renewal() {
    let before = stamp(30);
    let renewed = format!("Successfully renew job {JOB}, job is valid till {}", till(20));
    let after = stamp(30);
    let root = Root::new()
        .log("Runner_20260101-000000-utc.log", &[
            (40, RECEIVED),
            (30, &renewed),
            (29, "!Catch exception during renew runner job 0c0ffee0-0000-4000-8000-000000000001."),
            (20, "WRITE LINE: Job deploy completed with result: Abandoned"),
            (1, LISTENING),
        ])
        .worker("Worker_20260101-000000-utc.log", "77", 39, &[(2, "Job completed.")]);
    let _listener = root.listener();
    let ended = diagnose(&root);
    assert_eq!(first(&ended), "runner-lost-communication", "{}", ended.stdout);
    let states = bundled(&ended, "runner-logs/states.txt");
    let (_, stopped) = states.split_once("the listener stopped talking at ").expect("a sentence");
    let (stopped, _) = stopped.split_once(',').expect("a time");
    // The log is written while the clock goes on: the lease began between the two looks at it.
    assert!((before.as_str()..=after.as_str()).contains(&stopped), "{before} {after}: {states}");
    assert!(states.contains("issue 4635"), "{states}");
}

#[test]
fn a_wedged_listener_is_named_though_its_process_runs() {
    let root = Root::new().log(
        "Runner_20260101-000000-utc.log",
        &[(200, RECEIVED), (180, "WRITE LINE: Job deploy completed with result: Abandoned")],
    );
    let listener = root.listener();
    let in_run = || {
        Guard::plain(&["diagnose", "--format", "json", "--runner-logs", &root.diag()])
            .env("GITHUB_RUN_ID", "77")
    };
    let ended = in_run().run();
    assert_eq!(first(&ended), "runner-listener-wedged", "{}", ended.stdout);
    assert!(bundled(&ended, "runner-logs/states.txt").contains("3 h 0 min ago"));
    drop(listener);
}

#[test]
fn a_copy_of_a_log_that_ends_proves_no_silence() {
    let root = Root::new().log("Runner_20260101-000000-utc.log", &[(200, LISTENING)]);
    let copy = TempDir::new().expect("folder");
    let copied =
        Command::new("/bin/cp").arg("-rp").arg(root.path("_diag/.")).arg(copy.path()).status();
    assert!(copied.expect("cp").success());
    let ended = Guard::plain(&[
        "diagnose",
        "--format",
        "json",
        "--runner-logs",
        &copy.path().display().to_string(),
    ])
    .run();
    assert_eq!(first(&ended), "nothing", "{}", ended.stdout);
}

#[test]
fn a_worker_crash_is_told_with_the_meaning_of_its_code() {
    let root = Root::new()
        .log(
            "Runner_20260101-000000-utc.log",
            &[
                (20, RECEIVED),
                (10, "Worker finished for job 0c0ffee0-0000-4000-8000-000000000001. Code: 134"),
                (10, "WRITE LINE: Job deploy completed with result: Failed"),
                (1, LISTENING),
            ],
        )
        .worker("Worker_20260101-000000-utc.log", "77", 19, &[]);
    let _listener = root.listener();
    let ended = diagnose(&root);
    assert_eq!(first(&ended), "runner-worker-crash", "{}", ended.stdout);
    assert!(bundled(&ended, "runner-logs/states.txt").contains(
        "Return code 134 indicate worker encounter an unhandled exception or app crash: it aborted"
    ));
}

#[test]
fn a_signal_to_the_runner_during_the_job_is_named() {
    let root = Root::new().log(
        "Runner_20260101-000000-utc.log",
        &[
            (20, RECEIVED),
            (10, "Runner will be shutdown for OperatingSystemShutdown"),
            (10, "Runner execution has finished with return code 0"),
        ],
    );
    let ended = diagnose(&root);
    assert_eq!(first(&ended), "runner-shutdown-signal", "{}", ended.stdout);
}

#[test]
fn this_job_is_told_from_others_and_its_log_on_the_host_is_read() {
    let page = |text: &str| format!("\u{feff}2026-01-31T10:00:00.0000000Z {text}\n");
    let root = Root::new()
        .worker(
            "Worker_20260101-000000-utc.log",
            "77",
            5,
            &[(1, "Cleaning up: Terminate orphan process: pid (7) (node)")],
        )
        .worker(
            "Worker_20260101-000001-utc.log",
            "78",
            0,
            &[(0, "!another job: TOKEN-OF-ANOTHER-JOB")],
        )
        .file(
            &format!("_diag/pages/t1_{JOB}_2.log"),
            &page("##[error]tar: write error: No space left on device"),
            0,
        )
        .file(&format!("_diag/pages/t1_{JOB}_1.log"), &page("begin"), 1)
        .file("_diag/pages/t1_other_1.log", &page("page of another record"), 0);
    let ended = Guard::plain(&["diagnose", "--format", "json", "--runner-logs", &root.diag()])
        .env("GITHUB_RUN_ID", "77")
        .env("GITHUB_JOB", "deploy")
        .run();
    assert_eq!(first(&ended), "disk-full", "{}", ended.stdout);
    let log = bundled(&ended, "runner-logs/job.log");
    assert!(log.find("begin") < log.find("No space left") && !log.contains('\u{feff}'), "{log}");
    let (status, note) = row(&ended);
    assert_eq!(status, "ok");
    assert!(
        note.contains("is this job's (by the ids of run and job)")
            && note.contains("1 worker log(s) of other jobs were left"),
        "{note}"
    );
    let steps: Value =
        serde_json::from_str(&bundled(&ended, "runner-logs/steps.json")).expect("JSON");
    assert_eq!(
        (&steps["steps"][0]["name"], &steps["steps"][0]["result"]),
        (&"Ship".into(), &"failed".into())
    );
    assert_eq!(
        (&steps["step_under_way"], &steps["orphan_processes_ended"][0]),
        (&"Watch".into(), &"pid (7) (node)".into())
    );
    for name in [
        "runner-logs/Worker_20260101-000001-utc.log",
        "runner-logs/states.txt",
        "runner-logs/job.log",
    ] {
        let text = bundled(&ended, name);
        assert!(!text.contains("ANOTHER") && !text.contains("another record"), "{name}: {text}");
    }
}

#[test]
fn the_words_of_a_commit_in_the_job_message_are_no_cause() {
    let root =
        Root::new().worker("Worker_20260101-000000-utc.log", "77", 5, &[(1, "Job completed.")]);
    let ended = diagnose(&root);
    assert_eq!(first(&ended), "nothing", "{}", ended.stdout);
    assert!(
        bundled(&ended, "runner-logs/Worker_20260101-000000-utc.log").contains("No space left")
    );
}

#[test]
fn a_job_that_no_worker_took_is_said_so() {
    let root =
        Root::new().worker("Worker_20260101-000000-utc.log", "70", 90, &[(80, "Job completed.")]);
    let started = ago(30).to_string();
    let ended = Guard::plain(&["diagnose", "--format", "json", "--runner-logs", &root.diag()])
        .env("GITHUB_RUN_ID", "77")
        .env("STATE_started", &started)
        .run();
    let (_, note) = row(&ended);
    assert!(
        note.contains("no worker of this runner took this job")
            && note.contains("before this job began"),
        "{note}"
    );
    assert!(bundled(&ended, "runner-logs/Worker_20260101-000000-utc.log").is_empty());
}

#[test]
fn of_the_registration_and_the_environment_only_harmless_fields_are_told() {
    let root = Root::new().log("Runner_20260101-000000-utc.log", &[(1, LISTENING)]);
    let ended = diagnose(&root);
    let facts: Value =
        serde_json::from_str(&bundled(&ended, "runner-logs/runner.json")).expect("JSON");
    assert_eq!(
        (&facts["registration"]["name"], &facts["registration"]["pool"]),
        (&"prod-a".into(), &"Default".into())
    );
    assert_eq!(facts["variable_names"], serde_json::json!(["DEPLOY_KEY"]));
    assert!(!facts.to_string().contains("hunter2"), "{facts:#}");
}

#[test]
fn the_runner_among_the_parents_is_found() {
    let root = Root::new().log("Runner_20260101-000000-utc.log", &[(1, LISTENING)]);
    root.program("/bin/sh", "Runner.Worker");
    let guard = Guard::plain(&["diagnose", "--format", "json"]);
    let binary = guard.command().get_program().to_owned();
    let script = format!("{} diagnose --format json; true", binary.display());
    let ended = guard.through(&root.path("bin/Runner.Worker"), &["-c", &script]);
    let (status, note) = row(&ended);
    assert_eq!(status, "ok", "{note}");
    assert!(note.contains("beside the runner that started this process"), "{note}");
    assert!(note.contains("the input runner-logs is not set"), "{note}");
}

#[test]
fn the_folder_above_the_workspace_is_found() {
    let root = Root::new().log("Runner_20260101-000000-utc.log", &[(1, LISTENING)]);
    let work = root.path("_work/app/app").display().to_string();
    fs::create_dir_all(&work).expect("folder");
    let ended =
        Guard::plain(&["diagnose", "--format", "json"]).env("GITHUB_WORKSPACE", &work).run();
    let (status, note) = row(&ended);
    assert_eq!(status, "ok", "{note}");
    assert!(
        note.contains("above the workspace") && note.contains("no runner is among the parents"),
        "{note}"
    );
}

#[test]
fn a_named_folder_that_is_not_there_does_not_hide_the_staged_copy() {
    let guard = Guard::plain(&["diagnose", "--format", "json", "--runner-logs", "absent"]).file(
        "temp/runner-guard/diag/Runner_20260101-000000-utc.log",
        &format!("[{} INFO A] Listening for Jobs\n", stamp(1)),
    );
    let temp = guard.path("temp").display().to_string();
    let ended = guard.env("GITHUB_ACTIONS", "true").env("RUNNER_TEMP", &temp).run();
    let (status, note) = row(&ended);
    assert_eq!(status, "ok", "{note}");
    assert!(note.contains("the copy that a step staged"), "{note}");
    assert!(
        note.contains("absent): no such file or folder")
            && note.contains("the Docker socket is not allowed"),
        "{note}"
    );
}

#[test]
fn without_any_way_the_note_lists_them_all_and_ends_with_the_line_to_add() {
    let ended = Guard::plain(&["diagnose", "--format", "json"]).run();
    let (status, note) = row(&ended);
    assert_eq!(status, "skipped", "{note}");
    for why in [
        "runner-logs is not set",
        "among the parents",
        "beside the work folder",
        "not allowed",
        "no copy in",
        "docker-socket: true",
    ] {
        assert!(note.contains(why), "{why}: {note}");
    }
}

#[test]
fn a_hostile_folder_neither_leads_out_nor_stops_the_rest() {
    let root = Root::new().log("Runner_20260101-000000-utc.log", &[(2, CONFLICT)]);
    let link = |to: &Path, name: &str| {
        std::os::unix::fs::symlink(to, root.path("_diag").join(name)).expect("link");
    };
    link(&root.path(".credentials"), "Worker_20260101-000009-utc.log");
    link(&root.path(".credentials"), "Runner_20260101-000009-utc.log");
    link(&root.path("."), "blocks");
    let root =
        root.file("_diag/Worker_20260101-000000-utc.log", "\u{0}[\u{1b}[31m broken \u{fffd}\n{", 1);
    let ended = diagnose(&root);
    assert_eq!(
        (row(&ended).0.as_str(), &*first(&ended)),
        ("ok", "runner-session-conflict"),
        "{}",
        ended.stdout
    );
    assert!(!ended.stdout.contains("hunter2"));
}

#[test]
fn the_journal_of_the_service_is_asked_and_only_its_last_trouble_counts() {
    let unit = "actions.runner.octo-app.prod-a.service";
    let root = Root::new().log("Runner_20260101-000000-utc.log", &[(1, LISTENING)]).file(
        ".service",
        &format!("{unit}\n"),
        1,
    );
    let _listener = root.listener();
    let tool = |lines: &str| {
        // Written by another process, as every program here.
        let script = format!(
            "mkdir -p bin2 && printf '#!/bin/sh\necho \"asked for $2\"\nprintf \"{lines}\"\n' > bin2/journalctl && chmod +x bin2/journalctl"
        );
        let written =
            Command::new("/bin/sh").args(["-c", &script]).current_dir(root.path(".")).status();
        assert!(written.expect("sh").success());
        let path = format!("{}:/usr/bin:/bin", root.path("bin2").display());
        Guard::plain(&["diagnose", "--format", "json", "--runner-logs", &root.diag()])
            .env("PATH", &path)
            .run()
    };
    let conflict =
        "Runner listener exit with Session Conflict error, stop the service, no retry needed.";
    let stopped =
        tool(&format!("x runsvc.sh[7]: Listening for Jobs\\\\nx runsvc.sh[7]: {conflict}\\\\n"));
    assert_eq!(first(&stopped), "runner-session-conflict", "{}", stopped.stdout);
    assert!(bundled(&stopped, "runner-logs/journal.txt").contains(&format!("asked for {unit}")));
    let healed =
        tool(&format!("x runsvc.sh[7]: {conflict}\\\\nx runsvc.sh[7]: Listening for Jobs\\\\n"));
    assert_eq!(first(&healed), "nothing", "{}", healed.stdout);
}

#[test]
fn blocks_are_read_where_there_is_no_page_and_ansible_in_them_is_understood() {
    let block = |number: i64, text: &str| {
        (format!("_diag/blocks/t1_{JOB}.{number}"), format!("\u{feff}{text}"))
    };
    let root = Root::new().worker("Worker_20260101-000000-utc.log", "77", 5, &[]);
    fs::create_dir_all(root.path("_diag/blocks")).expect("folder");
    let play = "PLAY [web] ****\n\nTASK [Copy release] ****\n";
    let fatal = "fatal: [web1]: FAILED! => {\"changed\": false, \"msg\": \"No space left on device\"}\n\nPLAY RECAP ****\n\
                 web1 : ok=0 changed=0 unreachable=0 failed=1 skipped=0 rescued=0 ignored=0\n";
    let (first_block, second_block) = (block(9, play), block(10, fatal));
    let root =
        root.file(&second_block.0, &second_block.1, 1).file(&first_block.0, &first_block.1, 0);
    let ended = Guard::plain(&["diagnose", "--format", "json", "--runner-logs", &root.diag()])
        .env("GITHUB_RUN_ID", "77")
        .run();
    assert_eq!(first(&ended), "disk-full", "{}", ended.stdout);
    let subject = ended.report()["diagnoses"][0]["subject"].to_string();
    assert!(subject.contains("Copy release") && subject.contains("web1"), "{subject}");
}

#[test]
fn a_deleted_registration_and_a_listener_that_left_are_named() {
    let root = Root::new().log(
        "Runner_20260101-000000-utc.log",
        &[
            (30, "Attempt to create session."),
            (30, "!Registration 0c0ffee0-0000-4000-8000-000000000002 was not found."),
            (29, "Runner execution has finished with return code 1"),
        ],
    );
    let ended = diagnose(&root);
    assert_eq!(first(&ended), "runner-registration-deleted", "{}", ended.stdout);
    assert!(bundled(&ended, "runner-logs/states.txt").contains("not registered any more"));
}

#[test]
fn a_worker_that_ended_without_its_last_word_was_killed() {
    let root = Root::new()
        .log(
            "Runner_20260101-000000-utc.log",
            &[
                (20, RECEIVED),
                (10, "WRITE LINE: Job deploy completed with result: Failed"),
                (1, LISTENING),
            ],
        )
        .worker("Worker_20260101-000000-utc.log", "77", 19, &[]);
    let _listener = root.listener();
    let ended = diagnose(&root);
    assert_eq!(first(&ended), "runner-worker-crash", "{}", ended.stdout);
    let states = bundled(&ended, "runner-logs/states.txt");
    assert!(states.contains("in step Watch without `Job completed.`"), "{states}");
    assert!(states.contains("step Ship (octo/ship@v1): failed after 8 s"), "{states}");
    assert!(states.contains("it broke in the middle"), "{states}");
}

#[test]
fn an_update_under_way_is_named_with_the_log_of_its_script() {
    let root = Root::new()
        .log(
            "Runner_20260101-000000-utc.log",
            &[
                (9, LISTENING),
                (2, "Runner update in progress, do not shutdown runner."),
                (1, "Generate and execute update script."),
            ],
        )
        .file("_diag/SelfUpdate-20260101-000000.log.failed", "mv: cannot move bin: busy\n", 1);
    let _listener = root.listener();
    let ended = diagnose(&root);
    assert_eq!(first(&ended), "runner-self-update", "{}", ended.stdout);
    let script = bundled(&ended, "runner-logs/SelfUpdate-20260101-000000.log.failed");
    assert!(script.contains("cannot move"), "{script}");
}
