//! A wrong configuration: where it is wrong, and what would be right. Exit code 2, whatever is wrong.

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

#[test]
fn values_that_can_not_be_are_refused() {
    refused("version: 2\n", &["version 2 is not known"]);
    refused("prometheus: {url: 'http://user:pw@host'}\n", &["must not carry a user or a password"]);
    refused("secrets: ['hunter2 is my password']\n", &["never put a value here"]);
    refused("runners: [{name: a}, {name: a}]\n", &["named twice"]);
    refused("timeout: 2h\n", &["longer than the limit"]);
    refused("runners: {a: 1}\n", &["c.yml:1"]);
    refused("a: [\n", &["c.yml:"]);
}

#[test]
fn a_right_file_is_said_to_be_right() {
    let ended = Guard::plain(&["config", "check", "c.yml"])
        .file("c.yml", "version: 1\nsecrets: [A]\n")
        .run();
    assert_eq!(
        (ended.code, ended.stdout.trim()),
        (0, "c.yml: ok (0 runner(s), 0 endpoint(s), 1 required secret(s), 34 check(s))")
    );
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
