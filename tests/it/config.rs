//! A wrong configuration: where it is wrong, and what would be right. Exit code 2, whatever is wrong.

mod environments;
mod print;
mod requirements;
mod schema;

use runner_guard::check::ALL;

use crate::support::command::Guard;

fn refused(config: &str, wanted: &[&str]) {
    let ended = Guard::plain(&["config", "check", "c.yml"]).file("c.yml", config).run();
    assert_eq!(ended.code, 2, "{config}\n{}", ended.stderr);
    for part in wanted {
        assert!(ended.stderr.contains(part), "no {part:?} in\n{}", ended.stderr);
    }
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest_known_one() {
    refused(
        "version: 1\nchekcs: {}\n",
        &["c.yml:2:1: unknown key `chekcs`", "did you mean `checks`?"],
    );
    refused("gate:\n  on-unknwon: deny\n", &["c.yml:2:3", "did you mean `on-unknown`?"]);
    refused("runners:\n  - nam: a\n", &["c.yml:2", "nam"]);
}

#[test]
fn an_unknown_check_option_or_level_is_named_with_its_line() {
    refused("checks:\n  disk-spce: warn\n", &["c.yml:2:3", "did you mean `disk-space`?"]);
    refused(
        "checks:\n  disk-space:\n    min-fre: 1 GiB\n",
        &["c.yml:3:5", "did you mean `min-free`?"],
    );
    refused(
        "checks:\n  disk-space: denied\n",
        &["`denied` is not a level", "did you mean `deny`?"],
    );
    refused("checks:\n  disk-space:\n    min-free: lots\n", &["`lots` is not a size", "5 GiB"]);
}

#[test]
fn a_key_that_stands_twice_is_refused_instead_of_the_last_one_winning() {
    refused(
        "timeout: 5s\nsecrets: [A]\ntimeout: 9s\n",
        &["c.yml:3:1: the key `timeout` stands here twice", "keep one of the two"],
    );
    refused(
        "gate:\n  mode: shadow\n  mode: enforce\n",
        &["c.yml:3:3: the key `mode` stands here twice"],
    );
}

/// `allow` below `deny` would open the gate without a word.
#[test]
fn a_check_that_stands_twice_is_refused_instead_of_the_last_one_winning() {
    refused("checks:\n  disk-space: deny\n  disk-space: allow\n", &["c.yml:3:3", "disk-space"]);
}

#[test]
fn a_key_that_stands_twice_is_pointed_at_even_below_a_nested_one_of_the_same_name() {
    refused(
        "collect:\n  timeout: 9s\ntimeout: 1s\ntimeout: 2s\n",
        &["c.yml:4:1: the key `timeout` stands here twice"],
    );
}

#[test]
fn every_mistake_is_listed_at_once() {
    refused(
        "timeout: soon\ngate: {mode: shadw}\nnetwork: {endpoints: [nonsense]}\n",
        &["soon", "shadw", "nonsense"],
    );
}

/// Unknown keys and wrong types too, wherever they stand.
#[test]
fn every_mistake_in_the_shape_is_listed_at_once() {
    refused(
        "promtheus: {url: x}\ngate: {mood: shadow, min-score: high}\nrunners:\n  - {name: a, lables: [x]}\n  - role: b\nenvironments:\n  staging: {timeuot: 1s}\n",
        &[
            "c.yml:1:1: unknown key `promtheus`\n  help: did you mean `prometheus`?",
            "c.yml:2:8: unknown key `mood`\n  help: did you mean `mode`?",
            "c.yml:2:22: `min-score` takes a whole number, not a text",
            "c.yml:4:15: unknown key `lables`\n  help: did you mean `labels`?",
            "c.yml:5:5: the key `name` is missing\n  help: add `name:`",
            "c.yml:7:13: unknown key `timeuot`\n  help: did you mean `timeout`?",
        ],
    );
}

#[test]
fn a_mistake_inside_of_braces_or_of_a_list_is_pointed_at() {
    let runners = "runners:\n  - name: a\n  - name: b\n    exporter: nowhere\n";
    refused("gate: {wait: 1m, mode: shadw}\n", &["c.yml:1:18: `shadw` is not a mode"]);
    refused(runners, &["c.yml:4:5: `nowhere` is not an"]);
    refused("network:\n  endpoints: [a:1,\n    nonsense]\n", &["c.yml:3:5: `nonsense` is not an"]);
    refused("checks: {disk-space: {min-free: lots}}\n", &["c.yml:1:23: `lots` is not a size"]);
    refused("secrets:\n- A\n- {name: B, kind: ulr}\n", &["c.yml:3:13: `ulr` is not a kind"]);
    refused("gate: {mode: shadow, mode: enforce}\n", &["c.yml:1:22: the key `mode` stands"]);
    refused("gate:\n  \"wait\": 9h # long\n", &["c.yml:2:3: 9h is longer than the limit of 6h"]);
}

#[test]
fn every_wrong_word_is_told_with_the_nearest_right_one() {
    for (yaml, wanted) in [
        ("gate: {mode: shadw}", "did you mean `shadow`?"),
        ("gate: {on-unknown: denny}", "did you mean `deny`?"),
        ("checks: {disk-space: {on-unknown: wran}}", "did you mean `warn`?"),
        ("runners: [{name: a, expect: efemeral}]", "did you mean `ephemeral`?"),
        ("secrets: [{name: A, kind: ssh-key}]", "did you mean `ssh-private-key`?"),
        ("timeout: 2h", "the longest is 30m; use gate.wait to wait longer"),
        ("collect: {timeout: 2h}", "the longest is 30m"),
        ("runners: [{name: 7}]", "put it in quotes: \"7\""),
        ("variables: A", "write a list: [A]"),
        ("a:\n\tb: 1\n", "indent with spaces, not with a tab"),
        ("a: b: c\n", "put a text that holds `: ` in quotes"),
    ] {
        refused(yaml, &["c.yml:", wanted]);
    }
}

#[test]
fn candidates_of_two_roles_on_one_host_are_refused_unless_they_may_be() {
    let two = |key: &str, value: &str| {
        format!("runners:\n  - {{name: a, {key}: '{value}'}}\n  - {{name: b, {key}: '{value}'}}\n")
    };
    let wanted =
        ["c.yml:3:15:", "one host can not be primary and secondary", "distinct-hosts: false"];
    refused(&two("host", "box"), &wanted);
    refused(&two("exporter", "http://box:9101/metrics"), &wanted);
    let right = |yaml: String| {
        let ended = Guard::plain(&["config", "check", "c.yml"]).file("c.yml", &yaml).run();
        assert_eq!(ended.code, 0, "{yaml}\n{}", ended.stderr);
    };
    right(format!("{}gate: {{distinct-hosts: false}}\n", two("host", "box")));
    right(two("role: primary, host", "box"));
}

#[test]
fn more_idle_candidates_than_there_are_can_not_be_asked_for() {
    refused(
        "runners: [{name: a}, {name: b}]\ngate:\n  min-idle: 2\n",
        &["c.yml:3:3: 2 candidates must be idle, and the role `primary` has 1", "lower `min-idle`"],
    );
}

#[test]
fn mistakes_and_notes_come_as_json_for_editors() {
    let asked = |yaml: &str| {
        let args = ["config", "check", "c.yml", "--format", "json"];
        let ended = Guard::plain(&args).file("c.yml", yaml).run();
        (ended.code, ended.report())
    };
    let (code, answer) = asked("gate:\n  mode: shadw\n");
    assert_eq!((code, &answer["ok"]), (2, &false.into()));
    let error = &answer["errors"][0];
    assert_eq!((&error["line"], &error["column"]), (&2.into(), &3.into()), "{answer}");
    assert_eq!(error["help"], "did you mean `shadow`?");
    let (code, answer) = asked("gate: {poll: 5s}\n");
    assert_eq!((code, &answer["ok"]), (0, &true.into()));
    assert_eq!(answer["notes"][0], "gate.poll (c.yml:1) means nothing without `gate.wait`");
}

#[test]
fn a_merge_key_and_an_empty_section_are_read() {
    let yaml = "gate: &gate {wait: 5m}\ncollect:\nenvironments:\n  staging:\n    gate:\n      <<: *gate\n      mode: shadow\n";
    let ended = Guard::plain(&["config", "check", "c.yml"]).file("c.yml", yaml).run();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
}

#[test]
fn values_that_can_not_be_are_refused() {
    refused("version: 2\n", &["version 2 is not known"]);
    refused("prometheus: {url: 'http://user:pw@host'}\n", &["must not carry a user or a password"]);
    refused("secrets: ['hunter2 is my password']\n", &["never put a value here"]);
    refused("artifact: {retention-days: 900}\n", &["more than GitHub keeps"]);
    refused("gate: {min-score: 101}\n", &["from 0 to 100"]);
    refused("gate: {poll: 10ms}\n", &["shorter than 1s"]);
    refused("runners: [{name: a}, {name: a}]\n", &["named twice"]);
    refused("timeout: 2h\n", &["longer than the limit"]);
    refused("runners: {a: 1}\n", &["c.yml:1"]);
    refused("a: [\n", &["c.yml:", "not closed"]);
    refused("a: \"b\nc: d\n", &["c.yml:", "not closed"]);
    refused("- a\n", &["c.yml", "the file takes a map, not a list"]);
}

/// What is no name may be a value.
#[test]
fn what_could_be_a_secret_is_not_repeated() {
    let yaml = "secrets: ['hunter2 is my password', {name: 'pass word'}]\n";
    let ended = Guard::plain(&["config", "check", "c.yml"]).file("c.yml", yaml).run();
    assert_eq!(ended.code, 2);
    assert!(!ended.stderr.to_lowercase().contains("hunter2"), "{}", ended.stderr);
}

#[test]
fn what_a_file_holds_can_not_move_the_terminal_or_fill_it() {
    let long = "x".repeat(9000);
    let yaml = format!("timeout: \"1\\e[31m\\n::error::2\\u202e\"\nrunbooks: {long}\n");
    let ended = Guard::plain(&["config", "check", "c.yml"]).file("c.yml", &yaml).run();
    assert_eq!(ended.code, 2);
    for absent in ["\u{1b}", "\n::error", "\u{202e}"] {
        assert!(!ended.stderr.contains(absent), "{:?}", ended.stderr);
    }
    assert!(ended.stderr.len() < 3000, "{} bytes", ended.stderr.len());
    let many: Vec<String> = (0..9000).map(|n| format!("key{n}: 1\n")).collect();
    let ended = Guard::plain(&["config", "check", "c.yml"]).file("c.yml", &many.concat()).run();
    assert_eq!((ended.code, ended.stderr.matches("unknown key").count()), (2, 100));
}

#[test]
fn a_right_file_is_said_to_be_right() {
    let ended = Guard::plain(&["config", "check", "c.yml"])
        .file("c.yml", "version: 1\nsecrets: [A]\n")
        .run();
    let checks = ALL.len();
    let line =
        format!("c.yml: ok (0 runner(s), 0 endpoint(s), 1 required secret(s), {checks} check(s))");
    assert_eq!((ended.code, ended.stdout.trim()), (0, line.as_str()));
}

#[test]
fn a_named_file_must_exist_and_the_default_may_be_missing() {
    let named = Guard::plain(&["preflight", "--config", "nope.yml"]).run();
    assert_eq!(named.code, 2);
    assert!(named.stderr.contains("nope.yml"), "{}", named.stderr);
    let default = Guard::plain(&["preflight", "--format", "json"]).run();
    assert_eq!(default.code, 0, "{}", default.stdout);
}

#[test]
fn a_wrong_input_of_the_action_is_an_annotation_and_exit_code_2() {
    let ended = Guard::action("runner-guard").env("INPUT_MODE", "gate").run();
    assert_eq!(ended.code, 2);
    assert!(
        ended
            .stdout
            .contains("::error title=runner-guard is not configured correctly::input mode%3A")
            || ended
                .stdout
                .contains("::error title=runner-guard is not configured correctly::input mode"),
        "{}",
        ended.stdout
    );
    let ended = Guard::action("runner-guard").env("INPUT_ON-UNKNOWN", "dney").run();
    assert_eq!(ended.code, 2);
    assert!(ended.stdout.contains("did you mean `deny`?"), "{}", ended.stdout);
}

#[test]
fn a_broken_file_does_not_cost_the_explanation_of_a_broken_deploy() {
    let log = include_str!("../fixtures/ansible/deploy-2.19.txt");
    let ended = Guard::action("runner-guard-post")
        .env("INPUT_JOB-STATUS", "failure")
        .env("INPUT_UPLOAD-ARTIFACT", "false")
        .file("ws/.github/runner-guard.yml", "chekcs: {}\n")
        .file("ws/ansible.log", log)
        .run();
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    assert!(
        ended.left("commands/summary").starts_with("### ❌ Deploy failed"),
        "{}",
        ended.left("commands/summary")
    );
}

#[test]
fn a_missing_bundle_of_certificates_is_a_mistake_in_the_configuration() {
    let ended = Guard::plain(&["preflight", "--config", "c.yml"])
        .file("c.yml", "ca-bundle: nowhere.pem\n")
        .run();
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("input ca-bundle") && ended.stderr.contains("nowhere.pem"),
        "{}",
        ended.stderr
    );
}
