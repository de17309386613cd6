//! Whole outputs: real ones from `tests/fixtures/ansible`, and composed ones for what the small playbooks do not show.

use std::io::Write as _;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::{Digest, Kind, Run, Verdict, digest, read};

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/ansible/", $name))
    };
}

const DEPLOY_216: &str = fixture!("deploy-2.16.txt");
const DEPLOY_219: &str = fixture!("deploy-2.19.txt");
const FORGED: &str = fixture!("forged-2.19.txt");
const STARS: &str = "*********";

fn only(text: &str) -> Run {
    let mut runs = digest(text).runs;
    assert_eq!(runs.len(), 1, "{runs:#?}");
    runs.remove(0)
}

/// Kind, host, task, item and exit code of every failure, one a line.
fn facts(run: &Run) -> String {
    let line = |f: &super::Failure| {
        let item = f.item.as_ref().map(|i| format!(" {i}")).unwrap_or_default();
        let rc = f.rc.map(|rc| format!(" rc={rc}")).unwrap_or_default();
        format!("{:?} {} {}{item}{rc}\n", f.kind, f.host, f.task)
    };
    run.failures.iter().map(line).collect()
}

const DEPLOY: &str = "\
Ignored web1 Stop old release rc=3
Ignored web2 Stop old release rc=3
Rescued web1 Point to new release rc=4
Ignored web2 Create users {\"name\":\"bob) => {x\",\"uid\":3000} rc=1
Ignored web2 Leave balancer rc=44
LABEL
LABEL
Ignored web2 Probe rc=22
Failed web1 app : Restart app rc=5
Failed web2 Reload proxy rc=9
";

/// The failures of the deploy in the order of their tasks; hosts finish in any order.
fn assert_deploy(text: &str, label: &str) {
    let run = only(text);
    let mut got: Vec<_> = facts(&run).lines().map(str::to_owned).collect();
    let hidden = format!("Ignored web2 Set password{label}");
    let mut want: Vec<_> = DEPLOY.replace("LABEL", &hidden).lines().map(str::to_owned).collect();
    got.sort();
    want.sort();
    assert_eq!(got, want);
    assert_eq!((run.verdict, run.complete, run.hosts.len()), (Verdict::Failed, true, 2));
    assert_eq!((run.hosts[0].rescued, run.hosts[1].ignored), (1, 5));
}

#[test]
fn every_form_of_the_same_deploy_gives_the_same_failures() {
    let none = " \"None\"";
    let censored = " \"(censored due to no_log)\"";
    assert_deploy(DEPLOY_216, none);
    assert_deploy(fixture!("deploy-2.16.log"), none);
    assert_deploy(DEPLOY_219, censored);
    assert_deploy(fixture!("deploy-2.19-yaml.txt"), censored);
    assert_deploy(fixture!("colour-2.19.txt"), censored);
    assert_deploy(&DEPLOY_219.replace('\n', "\r\n"), censored);
    assert_deploy(&in_job_log(DEPLOY_219), censored);
    assert_deploy(&format!("web-1  | {}", DEPLOY_216.replace('\n', "\nweb-1  | ")), none);
}

fn in_job_log(text: &str) -> String {
    let line = |l: &str| format!("deploy\tRun it\t2026-01-31T12:00:00.1234567Z {l}\n");
    let head = line("##[group]Run ansible-playbook site.yml") + &line("##[endgroup]");
    head + &text.lines().map(line).collect::<String>()
        + &line("##[error]Process completed with exit code 2.")
}

#[test]
fn a_failure_carries_everything_that_explains_it() {
    let run = only(DEPLOY_219);
    let restart = run.failures.iter().find(|f| f.task == "app : Restart app").unwrap();
    assert_eq!((restart.play.as_str(), restart.role.as_deref()), ("Deploy", Some("app")));
    assert_eq!(restart.stderr_tail, "unit app.service not found");
    assert_eq!(restart.cmd.as_deref(), Some("echo 'unit app.service not found' >&2; exit 5"));
    let place = restart.location.as_ref().unwrap();
    assert_eq!((place.file.as_str(), place.line), ("/srv/app/roles/app/tasks/main.yml", 1));
    assert!(DEPLOY_219.lines().nth(restart.line - 1).unwrap().starts_with("fatal: [web1]"));
    let by_task = |task: &str| run.failures.iter().find(|f| f.task == task).unwrap();
    assert_eq!(by_task("Leave balancer").delegate_to.as_deref(), Some("lb1"));
    assert_eq!(by_task("Probe").attempts, Some(2));
    assert!(by_task("Reload proxy").handler && !restart.handler);
    assert!(by_task("Set password").no_log && by_task("Set password").msg.is_empty());
}

#[test]
fn the_trouble_of_a_host_began_at_its_first_failure_that_counts() {
    let roots: Vec<_> =
        only(DEPLOY_216).failures.into_iter().filter(|f| f.root_cause).map(|f| f.task).collect();
    assert_eq!(roots, ["app : Restart app", "Reload proxy"]);
    let text = run_of(&[
        "TASK [Deploy] ***",
        r#"fatal: [a]: FAILED! => {"msg": "one", "rc": 3}"#,
        "TASK [Roll back] ***",
        r#"fatal: [a]: FAILED! => {"msg": "two", "rc": 4}"#,
        "PLAY RECAP ***",
        "a : ok=0 changed=0 unreachable=0 failed=1 skipped=0 rescued=1 ignored=0",
    ]);
    let run = only(&text);
    let roots: Vec<_> = run.failures.iter().map(|f| (f.kind, f.root_cause)).collect();
    assert_eq!(roots, [(Kind::Rescued, true), (Kind::Failed, false)]);
}

fn run_of(lines: &[&str]) -> String {
    format!("\nPLAY [p] {STARS}\n\n{}\n", lines.join("\n"))
}

#[test]
fn a_message_that_looks_like_output_forges_nothing() {
    for text in [FORGED, fixture!("forged-2.19.log"), &in_job_log(FORGED)] {
        let run = only(text);
        assert_eq!(facts(&run), "Failed web1 Ask policy\n");
        assert_eq!((run.hosts.len(), run.hosts[0].failed, run.play()), (1, 1, "Gatekeeper"));
        let place = run.failures[0].location.as_ref().unwrap();
        assert_eq!((place.file.as_str(), place.line), ("/srv/app/forged.yml", 5));
    }
}

impl Run {
    fn play(&self) -> &str {
        &self.failures[0].play
    }
}

#[test]
fn a_log_that_is_cut_inside_a_forged_message_invents_no_failure() {
    for end in (0..FORGED.len()).filter(|end| FORGED.is_char_boundary(*end)) {
        // A message that forges the place as well cannot be told from a real one until it is repeated.
        let text = FORGED[..end].replace("Origin: /srv/app/never.yml:1:1", "Source: none");
        let read = digest(&text);
        assert!(
            read.runs.iter().flat_map(|r| &r.failures).all(|f| f.host == "web1"),
            "cut at {end}: {read:#?}"
        );
    }
}

#[test]
fn every_prefix_of_an_output_gives_only_failures_that_the_whole_has() {
    for text in [
        DEPLOY_216,
        fixture!("deploy-2.19-yaml.txt"),
        fixture!("colour-2.19.txt"),
        fixture!("deploy-2.16.log"),
    ] {
        let known: Vec<_> =
            only(text).failures.into_iter().map(|f| (f.host, f.task, f.line)).collect();
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            for failure in digest(&text[..end]).runs.into_iter().flat_map(|r| r.failures) {
                let found = (failure.host, failure.task, failure.line);
                assert!(known.contains(&found), "cut at {end}: {found:?}");
            }
        }
    }
}

#[test]
fn an_output_without_recap_was_cut_off() {
    let cut = DEPLOY_216.split_once("TASK [Probe]").unwrap().0;
    let run = only(cut);
    assert_eq!((run.verdict, run.complete), (Verdict::Killed, false));
    assert_eq!(run.last_task.as_deref(), Some("Set password"));
    assert!(run.failed());
    let interrupted = only(&run_of(&["TASK [Slow] ***", " [ERROR]: User interrupted execution"]));
    assert_eq!(interrupted.verdict, Verdict::Interrupted);
}

#[test]
fn an_unreachable_host_is_its_own_verdict() {
    let run = only(fixture!("unreachable-2.19.txt"));
    assert_eq!(facts(&run), "Unreachable db1 Check connectivity\n");
    assert_eq!(run.verdict, Verdict::Unreachable);
    assert!(run.failures[0].root_cause && run.failed());
}

#[test]
fn an_error_before_the_first_play_is_reported_whole() {
    for text in [fixture!("syntax-2.16.txt"), fixture!("syntax-2.19.txt")] {
        let read = digest(text);
        assert_eq!(read.runs[0].verdict, Verdict::ParseError);
        assert!(read.errors[0].contains("/srv/app/broken.yml"), "{:?}", read.errors);
        assert!(read.failed() && read.is_ansible());
    }
    let usage = only(fixture!("usage-2.19.txt"));
    assert_eq!(
        (usage.verdict, usage.errors[0].as_str()),
        (Verdict::UsageError, "unrecognized arguments: --bogus")
    );
}

#[test]
fn a_green_run_that_did_nothing_says_why() {
    let run = only(fixture!("nobody-2.16.txt"));
    assert_eq!((run.verdict, run.failed()), (Verdict::NoHosts, false));
    assert_eq!(run.warnings[0], "Could not match supplied host pattern, ignoring: nobody");
    assert_eq!(run.warnings[1], "play \"Nobody\" matched no hosts");
}

#[test]
fn the_raw_output_of_the_debug_callback_is_no_header() {
    let text = run_of(&[
        "TASK [Deploy] ***",
        "fatal: [a]: FAILED! => {",
        "    \"cmd\": \"deploy\",",
        "    \"rc\": 3",
        "}",
        "",
        "STDOUT:",
        "",
        "PLAY RECAP ***",
        "a : ok=9 changed=0 unreachable=0 failed=0 skipped=0 rescued=0 ignored=0",
        "fatal: [b]: FAILED! => {\"msg\": \"forged\"}",
        "",
        "",
        "STDERR:",
        "",
        "real trouble",
        "",
        "",
        "MSG:",
        "",
        "non-zero return code",
        "...ignoring",
        "",
        "PLAY RECAP ***",
        "a : ok=1 changed=0 unreachable=0 failed=0 skipped=0 rescued=0 ignored=1",
    ]);
    let run = only(&text);
    assert_eq!(facts(&run), "Ignored a Deploy rc=3\n");
    let failure = &run.failures[0];
    assert_eq!(
        (failure.msg.as_str(), failure.stderr_tail.as_str()),
        ("non-zero return code", "real trouble")
    );
    assert!(failure.stdout_tail.starts_with("PLAY RECAP"));
    assert_eq!(run.hosts[0].ok, 1);
}

#[test]
fn the_message_of_the_debug_callback_forges_nothing_when_it_was_printed_before() {
    let text = run_of(&[
        "TASK [Deploy] ***",
        "[ERROR]: Task failed: Action failed: no",
        "",
        "TASK [forged] ***",
        "fatal: [b]: FAILED! => {\"msg\": \"forged\"}",
        "Origin: /srv/app/site.yml:5:7",
        "",
        "fatal: [a]: FAILED! => {",
        "    \"changed\": false",
        "}",
        "",
        "MSG:",
        "",
        "no",
        "",
        "TASK [forged] ***",
        "fatal: [b]: FAILED! => {\"msg\": \"forged\"}",
        "",
        "PLAY RECAP ***",
        "a : ok=0 changed=0 unreachable=0 failed=1 skipped=0 rescued=0 ignored=0",
    ]);
    assert_eq!(facts(&only(&text)), "Failed a Deploy\n");
}

#[test]
fn items_of_two_hosts_that_mix_are_all_ignored() {
    let text = run_of(&[
        "TASK [t] ***",
        "failed: [a] (item=1) => {\"item\": 1, \"msg\": \"x\"}",
        "failed: [b] (item=1) => {\"item\": 1, \"msg\": \"x\"}",
        "failed: [a] (item=2) => {\"item\": 2, \"msg\": \"x\"}",
        "...ignoring",
        "failed: [b] (item=2) => {\"item\": 2, \"msg\": \"x\"}",
        "...ignoring",
    ]);
    assert!(only(&text).failures.iter().all(|f| f.kind == Kind::Ignored));
}

#[test]
fn raw_output_whose_message_never_comes_hides_no_later_failure() {
    let text = run_of(&[
        "TASK [One] ***",
        "fatal: [a]: FAILED! => {}",
        "",
        "STDOUT:",
        "",
        "x",
        "",
        "TASK [Two] ***",
        "fatal: [a]: FAILED! => {\"msg\": \"two\"}",
    ]);
    assert_eq!(facts(&only(&text)), "Failed a One\nFailed a Two\n");
}

#[test]
fn several_runs_of_one_text_stay_apart() {
    let text =
        format!("{DEPLOY_216}{}{}", fixture!("nobody-2.16.txt"), fixture!("syntax-2.16.txt"));
    let verdicts: Vec<_> = digest(&text).runs.iter().map(|r| r.verdict).collect();
    assert_eq!(verdicts, [Verdict::Failed, Verdict::NoHosts, Verdict::ParseError]);
    let job = format!("{}{}", in_job_log(FORGED), in_job_log(fixture!("unreachable-2.19.txt")));
    let codes: Vec<_> = digest(&job).runs.iter().map(|r| r.exit_code).collect();
    assert_eq!(codes, [Some(2), Some(2)]);
}

#[test]
fn two_processes_in_one_log_file_are_told_apart() {
    let head = |p: u8, l: &str| format!("2026-01-31 12:00:00,123 p={p} u=ci n=ansible | {l}\n");
    let text = [
        head(1, "PLAY [one] ***"),
        head(2, "PLAY [two] ***"),
        head(1, "TASK [t1] ***"),
        head(2, "TASK [t2] ***"),
        head(1, "fatal: [a]: FAILED! => {\"msg\": \"x\"}"),
    ];
    let failure = &digest(&text.concat()).runs[0].failures[0];
    assert_eq!((failure.play.as_str(), failure.task.as_str()), ("one", "t1"));
}

#[test]
fn text_of_other_programs_is_not_ansible() {
    for text in
        ["", "ERROR! out of memory", "[ERROR]: compile failed", "ok: [x]\nfailed", "TASK\nPLAY [x]"]
    {
        assert_eq!(digest(text), Digest::default(), "{text}");
    }
}

#[test]
fn time_grows_linearly_with_hostile_text() {
    let lines = [
        "[ERROR]: Task failed: x\n",
        "fatal: [a]: FAILED! => {\n",
        "failed: [a] (item=) => {) => {) => {) => {\n",
        "fatal: [a]: FAILED! => {}\n\nSTDOUT:\n\n",
        "PLAY RECAP ***\na : ok=1 changed=1 unreachable=1 failed=1\n[ERROR]: x\n",
        "PLAY [x] ***\nPLAY RECAP ***\n",
        "fatal: [a]: FAILED! => {\"msg\": \"[[[[[[[[\\n\n",
        "fatal: [a]: FAILED! =>\n  msg: |-\n    a\n\n",
    ];
    for line in lines {
        let text = line.repeat((2 << 20) / line.len());
        let start = Instant::now();
        let _ = digest(&text);
        assert!(start.elapsed() < Duration::from_secs(20), "{line:?} took {:?}", start.elapsed());
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(lines in prop::collection::vec(prop_oneof![
        Just("PLAY [x] ***".to_owned()), Just("TASK [y] ***".to_owned()), Just("PLAY RECAP ***".to_owned()),
        Just("fatal: [a]: FAILED! => {".to_owned()), Just("}".to_owned()), Just(String::new()), Just("MSG:".to_owned()),
        Just("failed: [a] (item=é) => ".to_owned()), Just("  msg: |-".to_owned()), Just("[ERROR]: Task failed: x".to_owned()),
        Just("...ignoring".to_owned()), Just("a : ok=1 changed=1 unreachable=1 failed=1".to_owned()),
        Just("2026-01-31 12:00:00,123 p=7 u=ci n=ansible | ok: [a]".to_owned()), ".{0,60}",
    ], 0..40)) {
        let read = digest(&lines.join("\n"));
        for run in &read.runs {
            prop_assert!(run.verdict_line().len() < 4096);
            for failure in &run.failures {
                prop_assert!(failure.headline().len() < 4096 && failure.excerpt().len() <= 4096);
            }
        }
    }
}

#[test]
fn a_text_in_pieces_reads_as_the_whole_does() {
    let text = format!(
        "\u{feff}2026-01-31T12:00:00.1234567Z PLAY [p é] ***\r\n\nTASK [t] ***\n{}\nPLAY RECAP ***\nweb1 : ok=0 changed=0 unreachable=0 failed=1\n",
        r#"fatal: [web1]: FAILED! => {"msg": "nö", "rc": 2}"#
    );
    let whole = digest(&text);
    assert_eq!(whole.runs[0].failures[0].msg, "nö");
    for size in [1, 2, 3, 7, 64] {
        let pieces =
            read(|stream| text.as_bytes().chunks(size).try_for_each(|c| stream.write_all(c)));
        assert_eq!(pieces.unwrap(), whole, "in pieces of {size}");
    }
}

#[test]
fn ten_thousand_long_failures_do_not_grow_without_end() {
    let long = "x".repeat(30_000);
    let mut text = "PLAY [p] ***\nTASK [t] ***\n".to_owned();
    for host in 0..2_000 {
        text.push_str(&format!("fatal: [h{host}]: FAILED! => {{\"msg\": \"{host} {long}\"}}\n"));
    }
    let run = digest(&text).runs.remove(0);
    assert_eq!(run.failures.len(), 2_000);
    assert!(run.failures[1_999].msg.starts_with("1999 "));
    let kept: usize = run.failures.iter().map(|f| f.msg.len()).sum();
    assert!(kept < 10 << 20, "{kept}");
}
