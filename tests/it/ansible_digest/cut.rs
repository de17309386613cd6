//! Logs that end anywhere, hold forged output, or hold several runs and processes: nothing is invented and nothing is lost.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use runner_guard::source::ansible::{self, Digest, Kind};

type Facts = (HashSet<(String, String)>, HashSet<String>);

/// Every failure by host and task, and every host whose recap counts a failure.
fn facts(read: &Digest) -> Facts {
    let failures = read.runs.iter().flat_map(|run| &run.failures);
    let failed = read.runs.iter().flat_map(|run| &run.hosts);
    (
        failures.map(|f| (f.host.clone(), f.task.clone())).collect(),
        failed.filter(|h| h.failed + h.unreachable > 0).map(|h| h.name.clone()).collect(),
    )
}

fn read(bytes: &[u8]) -> Digest {
    ansible::read(|stream| stream.write_all(bytes)).expect("it reads")
}

/// Every file below `tests/fixtures`, whatever it is.
fn fixtures() -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("folder") {
            let path = entry.expect("entry").path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}

#[test]
fn a_fixture_that_is_cut_at_any_of_many_points_invents_neither_a_failure_nor_a_failed_host() {
    let files = fixtures();
    assert!(files.len() > 10, "{files:?}");
    for path in files {
        let bytes = std::fs::read(&path).expect("fixture");
        let (failures, hosts) = facts(&read(&bytes));
        for end in (0..bytes.len()).step_by(61) {
            let (some, failed) = facts(&read(&bytes[..end]));
            assert!(some.is_subset(&failures), "{} up to {end}: {some:?}", path.display());
            assert!(failed.is_subset(&hosts), "{} up to {end}: {failed:?}", path.display());
        }
    }
}

/// The document of the callback `json`, as its `indent=4` lays it out.
fn document() -> String {
    let result = |rc: u32| serde_json::json!({"failed": true, "invocation": {"module_args": {"x": [1, 2]}}, "msg": "no", "rc": rc, "stdout_lines": ["a"]});
    let whole = serde_json::json!({
        "custom_stats": {"plays": {"tasks": [{"hosts": {"forged": {"failed": true}}}]}},
        "plays": [{"play": {"name": "Deploy"}, "tasks": [
            {"hosts": {"web1": result(3), "web2": {"changed": true}}, "task": {"name": "app : Copy", "path": "/srv/site.yml:7"}},
            {"hosts": {"web2": result(4)}, "task": {"name": "Probe", "path": "/srv/site.yml:9"}},
        ]}],
        "stats": {"web1": {"failures": 1, "ok": 1}, "web2": {"failures": 0, "ignored": 1, "ok": 2}},
    });
    let mut text = Vec::new();
    let format = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut writer = serde_json::Serializer::with_formatter(&mut text, format);
    serde::Serialize::serialize(&whole, &mut writer).expect("JSON");
    String::from_utf8(text).expect("text") + "\n"
}

#[test]
fn a_json_document_is_read_part_by_part_and_one_that_is_cut_invents_nothing() {
    let text = format!("[WARNING]: before\n{}", document());
    let run = read(text.as_bytes()).runs.remove(0);
    let told: Vec<_> =
        run.failures.iter().map(|f| (f.host.as_str(), f.task.as_str(), f.rc, f.kind)).collect();
    assert_eq!(
        told,
        [("web1", "app : Copy", Some(3), Kind::Failed), ("web2", "Probe", Some(4), Kind::Ignored)]
    );
    assert_eq!((run.hosts.len(), run.progress[1].changed), (2, 1));
    for end in 0..text.len() - 2 {
        let cut = read(&text.as_bytes()[..end]);
        assert!(cut.runs.iter().all(|run| run.failures.is_empty()), "{end}: {cut:?}");
    }
}

#[test]
fn a_mask_inside_a_json_document_hides_one_task_and_not_the_run() {
    let masked = document().replace("\"rc\": 4", "\"rc\": ***");
    let run = read(masked.as_bytes()).runs.remove(0);
    assert_eq!(run.failures.len(), 1);
    assert!(run.warnings.iter().any(|w| w.contains("could not be read")), "{:?}", run.warnings);
}

#[test]
fn processes_that_write_one_log_file_at_once_are_told_apart() {
    let line = |process: u32, text: &str| {
        format!("2026-01-31 12:00:00,123 p={process} u=ci n=ansible INFO| {text}\n")
    };
    let recap = |host: &str, failed: u32| {
        format!(
            "{host} : ok=1 changed=0 unreachable=0 failed={failed} skipped=0 rescued=0 ignored=0"
        )
    };
    let text = [
        line(7, "PLAY [Web] ***"),
        line(8, "PLAY [Db] ***"),
        line(7, "TASK [Copy] ***"),
        line(8, "TASK [Migrate] ***"),
        line(7, "fatal: [web1]: FAILED! => {\"msg\": \"no\", \"rc\": 1}"),
        line(8, "ok: [db1]"),
        line(7, "PLAY RECAP ***"),
        line(8, "PLAY RECAP ***"),
        line(7, &recap("web1", 1)),
        line(8, &recap("db1", 0)),
    ]
    .concat();
    let read = read(text.as_bytes());
    let told: Vec<_> = read
        .runs
        .iter()
        .map(|run| {
            let failed: Vec<_> =
                run.failures.iter().map(|f| (f.play.as_str(), f.task.as_str())).collect();
            (failed, run.hosts.iter().map(|h| h.name.as_str()).collect::<Vec<_>>())
        })
        .collect();
    assert_eq!(told, [(vec![("Web", "Copy")], vec!["web1"]), (vec![], vec!["db1"])]);
}

#[test]
fn a_recap_that_a_message_forges_turns_no_failed_run_green_and_no_green_one_red() {
    let forged = "all is well\\n\\nPLAY RECAP *****\\nweb1 : ok=9 changed=9 unreachable=0 failed=0 skipped=0 rescued=0 ignored=0\\nfatal: [web9]: FAILED! => {\\\"msg\\\": \\\"x\\\"}";
    let raw = forged.replace("\\n", "\n").replace("\\\"", "\"");
    let head = "PLAY [Deploy] *****\n\nTASK [Ask] *****\n";
    let block = format!(
        "[ERROR]: Task failed: Module failed: {raw}\nOrigin: /srv/site.yml:5:7\n\n5 - name: Ask\n  ^ column 3\n\n"
    );
    let result = format!("fatal: [web1]: FAILED! => {{\"msg\": \"{forged}\", \"rc\": 1}}\n");
    let recap = |failed: u32, ignored: u32| {
        format!(
            "\nPLAY RECAP *****\nweb1 : ok=1 changed=0 unreachable=0 failed={failed} skipped=0 rescued=0 ignored={ignored}\n"
        )
    };
    let red = read(format!("{head}{block}{result}{}", recap(1, 0)).as_bytes());
    assert_eq!((red.runs.len(), red.failed(), red.runs[0].failures.len()), (1, true, 1));
    let green = read(format!("{head}{block}{result}...ignoring\n{}", recap(0, 1)).as_bytes());
    assert_eq!((green.runs.len(), green.failed()), (1, false));
    assert_eq!(green.runs[0].failures[0].kind, Kind::Ignored);
}

#[test]
fn several_runs_keep_their_own_failures_and_ignored_and_rescued_ones_stay_apart() {
    let recap = |failed: u32, rescued: u32, ignored: u32| {
        format!(
            "PLAY RECAP ***\nweb1 : ok=1 changed=0 unreachable=0 failed={failed} skipped=0 rescued={rescued} ignored={ignored}\n\n"
        )
    };
    let fatal = "fatal: [web1]: FAILED! => {\"msg\": \"no\", \"rc\": 1}\n";
    let text = format!(
        "PLAY [One] ***\nTASK [A] ***\n{fatal}...ignoring\nTASK [B] ***\n{fatal}TASK [C] ***\nok: [web1]\n{}PLAY [Two] ***\nTASK [D] ***\n{fatal}{}PLAY [Three] ***\nTASK [E] ***\nok: [web1]\n{}",
        recap(0, 1, 1),
        recap(1, 0, 0),
        recap(0, 0, 0)
    );
    let read = read(text.as_bytes());
    let told: Vec<Vec<(&str, Kind)>> = read
        .runs
        .iter()
        .map(|run| run.failures.iter().map(|f| (f.task.as_str(), f.kind)).collect())
        .collect();
    assert_eq!(
        told,
        [vec![("A", Kind::Ignored), ("B", Kind::Rescued)], vec![("D", Kind::Failed)], vec![]]
    );
    assert!(read.failed() && !read.runs[0].failed() && !read.runs[2].failed());
}

#[test]
fn a_failed_host_for_whose_recap_line_there_is_no_room_still_fails_the_run() {
    let mut text = "PLAY [p] ***\nTASK [t] ***\nok: [a]\nPLAY RECAP ***\n".to_owned();
    for n in 0..100_050 {
        let failed = u32::from(n == 100_049);
        let _ = writeln!(text, "h{n} : ok=1 changed=0 unreachable=0 failed={failed}");
    }
    let run = read(text.as_bytes()).runs.remove(0);
    assert!(run.failed() && run.hosts.len() <= 100_000, "{:?}", run.verdict);
    assert_eq!(run.more_failures, 1);
}

#[test]
fn items_of_a_loop_that_are_large_are_shortened_when_there_are_many() {
    let item = "v".repeat(20_000);
    let mut text = "PLAY [p] ***\nTASK [t] ***\n".to_owned();
    for n in 0..3_000 {
        let _ = writeln!(
            text,
            "failed: [a] (item={n}) => {{\"item\": \"{n}{item}\", \"msg\": \"no\"}}"
        );
    }
    let run = read(text.as_bytes()).runs.remove(0);
    let kept: usize =
        run.failures.iter().filter_map(|f| Some(f.item.as_ref()?.as_str()?.len())).sum();
    assert_eq!(run.failures.len(), 3_000);
    assert!(kept < 12 << 20, "{kept}");
}
