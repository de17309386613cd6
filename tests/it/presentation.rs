//! What people and programs read of the gate: outputs of one shape, JUnit XML, a JSON report that fits its schema, colours and progress
//! only where somebody can see them.

#![expect(
    clippy::disallowed_methods,
    reason = "tests start tools and read the files that the program leaves"
)]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use runner_guard::report::json;
use serde_json::Value;

use crate::support::command::Guard;
use crate::support::http::{Behaviour, exporter_page, serve};

/// Two candidates, of which the first has this state.
fn candidates(first: u8) -> String {
    let row = |name: &str, status: u8| {
        let exporter = serve(exporter_page(name, status, "true"));
        format!(
            "  - {{name: {name}, labels: [self-hosted, {name}], authorized-for-prod: true, exporter: 'http://{exporter}/metrics'}}\n"
        )
    };
    format!(
        "environment: production\ntimeout: 5s\nrunners:\n{}{}checks: {{docker-daemon: allow, disk-space: allow, endpoint-reachable: allow}}\n",
        row("a", first),
        row("b", 1)
    )
}

const BLOCKED: &str = "secrets: [DEPLOY_KEY]\nchecks: {docker-daemon: allow}\n";

/// What a run of the action left.
struct Told {
    code: i32,
    outputs: String,
    stdout: String,
}

impl Told {
    fn of(guard: Guard) -> Self {
        let ended = guard.run();
        Self { code: ended.code, outputs: ended.left("commands/output"), stdout: ended.stdout }
    }

    /// The action, stopped by a signal while it waits for an answer.
    fn terminated(guard: Guard) -> Self {
        let silent = serve(Behaviour::Hang);
        let guard =
            guard.env("GITHUB_TOKEN", "t").env("GITHUB_API_URL", &format!("http://{silent}"));
        let child = guard.command().stdout(Stdio::piped()).spawn().expect("it starts");
        let until = Instant::now() + Duration::from_secs(30);
        while !guard.path("commands/state").exists() {
            assert!(Instant::now() < until, "the gate did not begin");
            std::thread::yield_now();
        }
        let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
        assert!(sent.expect("kill is installed").success());
        let output = child.wait_with_output().expect("an end");
        let outputs = std::fs::read_to_string(guard.path("commands/output")).unwrap_or_default();
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        Self { code: output.status.code().unwrap_or(-1), outputs, stdout }
    }

    fn names(&self) -> BTreeSet<String> {
        let name = |line: &str| Some(line.split_once("<<ghadelimiter_")?.0.to_owned());
        self.outputs.lines().filter_map(name).collect()
    }

    fn value(&self, name: &str) -> String {
        let begin = format!("{name}<<ghadelimiter_");
        let mut lines = self.outputs.lines().skip_while(|line| !line.starts_with(&begin));
        lines.nth(1).unwrap_or_default().to_owned()
    }
}

/// Certificates that are none: the gate can not even open its connections.
const BROKEN: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";

fn action(config: &str) -> Guard {
    Guard::action("runner-guard").file("ws/.github/runner-guard.yml", config)
}

#[test]
fn every_output_of_the_gate_is_there_on_every_path() {
    let wanted: BTreeSet<String> = [
        "verdict",
        "reason",
        "reasons",
        "exit-code",
        "runner",
        "role",
        "failed-over",
        "runs-on",
        "report",
    ]
    .map(str::to_owned)
    .into();
    let blank = ("RUNNER_GUARD_SECRET_DEPLOY_KEY", "");
    for (path, code, told) in [
        ("passed", 0, Told::of(action(&candidates(1)))),
        ("blocked", 10, Told::of(action(BLOCKED).env(blank.0, blank.1))),
        ("failed over", 0, Told::of(action(&candidates(0)))),
        ("usage", 2, Told::of(action("chekcs: {}\n"))),
        ("mode", 2, Told::of(action("timeout: 5s\n").env("INPUT_MODE", "preflite"))),
        ("unexpected", 1, Told::of(action("timeout: 5s\n").env("INPUT_CA-BUNDLE", BROKEN))),
        ("cancelled", 130, Told::terminated(action("timeout: 60s\n"))),
    ] {
        assert_eq!((told.code, told.names()), (code, wanted.clone()), "{path}: {}", told.stdout);
        assert_eq!(told.value("exit-code"), code.to_string(), "{path}");
        let over = if path == "failed over" { "true" } else { "false" };
        assert_eq!(told.value("failed-over"), over, "{path}");
        for list in ["reasons", "runs-on"] {
            let value: Value = serde_json::from_str(&told.value(list)).expect(path);
            assert!(value.is_array(), "{path}: {list}");
        }
        if !matches!(code, 0 | 130) {
            assert_ne!(told.value("reason"), "", "{path}");
        }
    }
}

#[test]
fn a_fail_over_is_one_warning_that_says_from_where_to_where_and_why() {
    let ended = action(&candidates(0)).run();
    let told: Vec<&str> = ended
        .stdout
        .lines()
        .filter(|line| line.starts_with("::warning title=Failed over::"))
        .collect();
    assert_eq!(told.len(), 1, "{}", ended.stdout);
    assert!(
        told[0].contains("failed over from a to b: runner-online: a is offline"),
        "{}",
        told[0]
    );
    let again = "::warning title=Look at runner-online on a::";
    assert!(!ended.stdout.contains(again), "{}", ended.stdout);
}

#[test]
fn the_findings_are_left_as_junit_xml_that_a_parser_reads() {
    let ended = action(BLOCKED)
        .env("RUNNER_GUARD_SECRET_DEPLOY_KEY", "")
        .env("INPUT_JUNIT", "reports/junit.xml")
        .run();
    assert_eq!(ended.code, 10, "{}", ended.stdout);
    let script = "
import sys, xml.etree.ElementTree as E
suites = E.fromstring(sys.stdin.buffer.read())
suite, = suites
assert (suites.tag, suite.tag) == ('testsuites', 'testsuite')
assert [p.get('value') for p in suite.iter('property') if p.get('name') == 'verdict'] == ['block']
cases = suite.findall('testcase')
kinds = [child.tag for case in cases for child in case]
assert len(cases) == int(suite.get('tests')) > 30
for tag, count in ('failure', 'failures'), ('error', 'errors'), ('skipped', 'skipped'):
    assert kinds.count(tag) == int(suite.get(count)), tag
assert set(kinds) <= {'failure', 'error', 'skipped', 'system-out'}
assert all(c.get('classname') and c.get('name') and float(c.get('time')) >= 0 for c in cases)
failed, = [c for c in cases if c.get('classname') == 'secret-present']
print(failed[0].tag, failed[0].text)
";
    let said = python(script, &ended.left("ws/reports/junit.xml"));
    assert!(said.starts_with("failure ") && said.contains("DEPLOY_KEY"), "{said}");
    assert!(said.contains("what to do now: ") && said.contains("#secret-present"), "{said}");
}

#[test]
fn a_junit_file_that_can_not_be_written_is_only_a_warning() {
    for file in ["../junit.xml", "/junit.xml", ".github/runner-guard.yml/x.xml"] {
        let ended = action(&candidates(1)).env("INPUT_JUNIT", file).run();
        assert_eq!(ended.code, 0, "{file}: {}", ended.stdout);
        assert!(ended.stdout.contains("::warning title=JUnit report not written::"), "{file}");
    }
    let ended = Guard::plain(&["preflight", "--config", "c.yml", "--junit", "c.yml/x.xml"])
        .file("c.yml", "checks: {docker-daemon: allow}\n")
        .run();
    assert!(ended.stderr.contains("warning: JUnit report not written"), "{}", ended.stderr);
}

#[test]
fn the_schema_of_the_report_is_fresh_and_printed() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("schema/report.schema.json");
    let fresh = format!("{}\n", serde_json::to_string_pretty(&json::schema()).expect("JSON"));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &fresh).expect("schema/report.schema.json");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(kept, fresh, "run UPDATE_DOCS=1 cargo test --test it presentation");
    let printed = Guard::plain(&["explain", "report-schema"]).run().report();
    assert_eq!(printed, json::schema());
}

#[test]
fn real_reports_fit_the_schema() {
    let schema = jsonschema::validator_for(&json::schema()).expect("a schema");
    let diagnose = |log: &str| {
        Guard::plain(&["diagnose", "--format", "json", "--log", "a.log"]).file("a.log", log).run()
    };
    for (name, ended) in [
        ("pass", Guard::preflight(&candidates(1)).run()),
        ("fail-over", Guard::preflight(&candidates(0)).run()),
        ("block", Guard::preflight(BLOCKED).env("RUNNER_GUARD_SECRET_DEPLOY_KEY", "").run()),
        ("diagnose", diagnose("tar: write error: No space left on device\n")),
        ("nothing", diagnose("all is well\n")),
    ] {
        let report = ended.report();
        let faults: Vec<String> =
            schema.iter_errors(&report).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert_eq!(faults, Vec::<String>::new(), "{name}");
    }
    assert!(!schema.is_valid(&serde_json::json!({"schema": 2})));
}

#[test]
fn the_secrets_stand_in_a_table_by_name_and_state_alone() {
    let ended = Guard::preflight(BLOCKED).env("RUNNER_GUARD_SECRET_DEPLOY_KEY", "").run();
    let row = &ended.report()["secrets"][0];
    assert_eq!((row["name"].as_str(), row["status"].as_str()), (Some("DEPLOY_KEY"), Some("fail")));
    let summary = ended.left("runner-guard-out/summary.md");
    assert!(summary.contains("| ❌ | `DEPLOY_KEY` | "), "{summary}");
}

#[test]
fn outside_of_a_workflow_the_line_about_the_job_begins_with_a_word() {
    let ended = Guard::preflight(&candidates(1)).run();
    let summary = ended.left("runner-guard-out/summary.md");
    assert!(summary.contains("\n<sub>for environment `production` · took "), "{summary}");
}

#[test]
fn colours_are_only_where_somebody_sees_them_or_asks_for_them() {
    let run = |args: &[&str], env: &[(&str, &str)]| {
        let all: Vec<&str> =
            ["preflight", "--config", "c.yml"].iter().chain(args).copied().collect();
        let guard = Guard::plain(&all).file("c.yml", "checks: {docker-daemon: allow}\n");
        let guard = env.iter().fold(guard, |guard, (name, value)| guard.env(name, value));
        guard.run().stdout.contains("\u{1b}[")
    };
    assert!(!run(&[], &[]));
    assert!(run(&["--color", "always"], &[]));
    assert!(run(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!run(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(!run(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]));
}

#[test]
fn progress_is_one_line_on_a_terminal_that_is_gone_at_the_end_and_nothing_elsewhere() {
    let quiet = Guard::preflight(&candidates(1)).run();
    assert!(!quiet.stderr.contains(['\u{1b}', '\r']), "{:?}", quiet.stderr);
    assert!(!quiet.stderr.contains("waiting for"), "{}", quiet.stderr);
    let guard = Guard::preflight(&candidates(1)).env("TERM", "xterm");
    let script = "
import json, os, pty, subprocess, sys, threading
ours, theirs = pty.openpty()
seen = bytearray()
def read():
    try:
        while part := os.read(ours, 65536): seen.extend(part)
    except OSError: pass
reader = threading.Thread(target=read); reader.start()
child = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, stderr=theirs)
os.close(theirs); reader.join()
text = seen.decode()
assert json.loads(child.stdout)['stage'] == 'preflight'
assert b'waiting for' not in child.stdout
assert '] waiting for: runner-online, ' in text, text
assert text.endswith('\\r\\x1b[2K') and '\\n' not in text, repr(text)
assert all(len(line) <= 79 for line in text.replace('\\x1b[2K', '').split('\\r')), repr(text)
print('seen')
";
    let command = guard.command();
    let program = command.get_program().to_owned();
    let args: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    let mut python = Command::new("python3");
    python.args(["-c", script]).arg(program).args(args).current_dir(guard.path(""));
    python.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = python.output().expect("python3 is installed");
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "seen\n", "{error}");
}

/// What a Python script prints about this text.
fn python(script: &str, text: &str) -> String {
    use std::io::Write as _;
    let mut child = Command::new("python3")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python3 is installed");
    let mut stdin = child.stdin.take().expect("stdin");
    stdin.write_all(text.as_bytes()).expect("written");
    drop(stdin);
    let output = child.wait_with_output().expect("an end");
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
