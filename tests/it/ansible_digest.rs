//! What `runner-guard digest` makes of Ansible's output, in every form of it.

#![expect(clippy::disallowed_methods, reason = "tests start the program and lay out its folders")]

mod cut;
mod page;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use runner_guard::source::ansible;
use serde_json::{Value, json};

/// What the program prints for this place.
fn digest(path: &Path, format: &str, workspace: Option<&Path>) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runner-guard"));
    command.env_clear().args(["digest", "--format", format]).arg(path);
    if let Some(workspace) = workspace {
        command
            .env("GITHUB_REPOSITORY", "octo/app")
            .env("GITHUB_SERVER_URL", "https://github.com")
            .env("GITHUB_SHA", "0123456789abcdef0123456789abcdef01234567")
            .env("GITHUB_WORKSPACE", workspace);
    }
    let ended = command.output().expect("it starts");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    String::from_utf8(ended.stdout).expect("text")
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("parent")).expect("folder");
    std::fs::write(path, text).expect("file");
}

/// Events as ansible-runner leaves them: one failure on web1 that was ignored, one on web2 that counts.
fn runner_folder(folder: &Path) {
    let task = json!({"play": "Deploy", "task": "Restart", "role": "app", "task_path": "/home/runner/work/app/app/roles/app/tasks/main.yml:12"});
    let result = |host: &str, ignored: Value| {
        let mut data = task.clone();
        data["host"] = host.into();
        data["ignore_errors"] = ignored;
        data["res"] = json!({"rc": 5, "msg": "non-zero return code", "stderr": format!("{host}: unit not found")});
        data
    };
    let stats = json!({"ok": {"web1": 1}, "failures": {"web2": 1}, "ignored": {"web1": 1}, "processed": {"web1": 1, "web2": 1}});
    let events = [
        ("playbook_on_start", json!({})),
        ("playbook_on_play_start", json!({"name": "Deploy"})),
        ("playbook_on_task_start", task.clone()),
        ("runner_on_failed", result("web1", true.into())),
        ("runner_on_failed", result("web2", Value::Null)),
        ("playbook_on_stats", stats),
    ];
    for (number, (name, data)) in events.into_iter().enumerate() {
        // More than nine events: their order is that of the numbers, not of the names.
        let number = number + 6;
        let event = json!({"uuid": "u", "counter": number, "stdout": "", "event": name, "event_data": data});
        let file =
            format!("artifacts/1/job_events/{number}-0d3e5c1a-0000-4000-8000-000000000000.json");
        write(folder, &file, &event.to_string());
    }
    write(folder, "artifacts/1/rc", "2");
    write(folder, "artifacts/1/status", "failed");
}

#[test]
fn the_folder_of_ansible_runner_says_exactly_which_failure_counts() {
    let folder = tempfile::tempdir().expect("folder");
    runner_folder(folder.path());
    let read: Value = serde_json::from_str(&digest(folder.path(), "json", None)).expect("JSON");
    let run = &read["runs"][0];
    let told: Vec<String> = run["failures"]
        .as_array()
        .expect("failures")
        .iter()
        .map(|f| format!("{} {} {}", f["host"], f["kind"], f["task"]))
        .collect();
    assert_eq!(told, [r#""web1" "ignored" "app : Restart""#, r#""web2" "failed" "app : Restart""#]);
    assert_eq!((&run["exit_code"], &run["form"]), (&json!(2), &json!("runner")));
}

#[test]
fn in_a_job_the_markdown_links_the_line_of_the_task_at_its_commit() {
    let folder = tempfile::tempdir().expect("folder");
    runner_folder(folder.path());
    write(folder.path(), "roles/app/tasks/main.yml", "- name: Restart\n");
    let page = digest(folder.path(), "markdown", Some(folder.path()));
    let link = "https://github.com/octo/app/blob/0123456789abcdef0123456789abcdef01234567/roles/app/tasks/main.yml#L12";
    assert!(page.contains(link), "{page}");
    assert!(page.starts_with("### ❌ Ansible: failed on 1 of 2 hosts"), "{page}");
    assert!(
        page.contains("exit code 2 (failed hosts)") && page.contains("ansible-runner, exact"),
        "{page}"
    );
}

#[test]
fn a_folder_with_nothing_of_ansible_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().expect("folder");
    write(folder.path(), "notes.md", "nothing");
    let mut command = Command::new(env!("CARGO_BIN_EXE_runner-guard"));
    let ended = command.env_clear().arg("digest").arg(folder.path()).output().expect("it starts");
    assert_eq!(ended.status.code(), Some(2));
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(said.contains("no events of ansible-runner, no JUnit files"), "{said}");
}

#[test]
fn the_last_results_of_hosts_are_read_from_a_tree() {
    let folder = tempfile::tempdir().expect("folder");
    write(
        folder.path(),
        "web1",
        r#"{"changed": true, "rc": 3, "msg": "non-zero return code", "stderr": "full"}"#,
    );
    write(folder.path(), "web2", r#"{"changed": false, "ping": "pong"}"#);
    let text = digest(folder.path(), "text", None);
    assert!(text.starts_with("failed on 1 of 2 hosts: a task on web1: full (rc=3)"), "{text}");
    assert!(text.contains("only the last result of every host is here"), "{text}");
}

#[test]
fn a_text_of_many_runs_keeps_the_failed_ones_and_counts_the_others() {
    let mut text = String::new();
    for n in 0..600 {
        let failed = n == 300;
        let _ = write!(text, "PLAY [Deploy {n}] ***\nTASK [Copy] ***\n");
        if failed {
            text.push_str("fatal: [web1]: FAILED! => {\"msg\": \"no space\", \"rc\": 1}\n");
        } else {
            text.push_str("ok: [web1]\n");
        }
        let _ = write!(
            text,
            "PLAY RECAP ***\nweb1 : ok=1 changed=0 unreachable=0 failed={} skipped=0 rescued=0 ignored=0\n\n",
            u8::from(failed)
        );
    }
    let read = ansible::digest(&text);
    assert_eq!(read.runs.len() + read.omitted.runs, 600);
    assert!(read.runs.len() < 250, "{}", read.runs.len());
    assert_eq!(read.runs.iter().filter(|run| run.failed()).count(), 1);
    assert!(read.failed());
    assert_eq!(read.runs.last().map(|run| run.hosts.len()), Some(1));
}
