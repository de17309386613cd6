//! Sections of environments: which one holds, what it changes, and that mistakes in every one of them are found.

use super::refused;
use crate::support::command::Guard;

const FILE: &str = "\
timeout: 9s
gate: {mode: shadow, wait: 1m}
secrets: [A]
checks: {disk-space: {min-free: 1 GiB}}
environments:
  production:
    timeout: 8s
    gate: {mode: enforce}
    secrets: [{name: A, kind: url}, B]
    checks: {disk-space: warn}
  Staging:
    runners: [{name: s}]
";

fn printed(environment: &str) -> String {
    let args = ["config", "print", "c.yml", "--environment", environment];
    let ended = Guard::plain(&args).file("c.yml", FILE).run();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    ended.stdout
}

fn line(page: &str, start: &str) -> String {
    let found = page.lines().find(|l| l.trim_start().starts_with(start));
    let words = found.unwrap_or_else(|| panic!("no {start} in\n{page}")).split_whitespace();
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn the_section_of_the_environment_is_laid_over_the_rest() {
    let page = printed("production");
    assert_eq!(line(&page, "timeout:"), "timeout: 8s # environments.production, line 7");
    assert_eq!(line(&page, "mode:"), "mode: enforce # environments.production, line 8");
    assert_eq!(line(&page, "wait:"), "wait: 1m # c.yml:2");
    assert_eq!(line(&page, "on-unknown: deny"), "on-unknown: deny # default");
    assert_eq!(line(&page, "- name: A"), "- name: A # environments.production, line 9");
    assert_eq!(line(&page, "kind: url"), "kind: url # environments.production, line 9");
    assert_eq!(line(&page, "- name: B"), "- name: B # environments.production, line 9");
    let (_, check) = page.split_once("\n  disk-space:\n").expect("the check");
    assert_eq!(line(check, "level:"), "level: warn # environments.production, line 10");
    assert_eq!(line(&page, "min-free: 1 GiB"), "min-free: 1 GiB # c.yml:4");
}

#[test]
fn names_of_environments_are_compared_whatever_their_case_and_others_take_the_base() {
    assert_eq!(line(&printed("STAGING"), "- name: s"), "- name: s # environments.Staging, line 12");
    let page = printed("qa");
    assert_eq!(line(&page, "timeout:"), "timeout: 9s # c.yml:1");
    assert!(!page.contains("# note"), "{page}");
}

#[test]
fn an_input_wins_over_the_section() {
    let ended = Guard::plain(&["config", "print", "c.yml"])
        .file("c.yml", FILE)
        .env("INPUT_ENVIRONMENT", "production")
        .env("INPUT_TIMEOUT", "7s")
        .run();
    assert_eq!(line(&ended.stdout, "timeout:"), "timeout: 7s # input timeout");
    let environment = line(&ended.stdout, "environment:");
    assert_eq!(environment, "environment: production # input environment");
}

#[test]
fn a_name_that_is_nearly_that_of_a_section_is_told_and_nothing_breaks() {
    let note = "environment `prodution` has no section; did you mean `production`?";
    assert!(printed("prodution").contains(note));
    let file = FILE.replace("wait: 1m", "wait: 0s");
    let ended = Guard::preflight(&format!("environment: prodution\n{file}")).run();
    assert!(ended.report()["notes"].to_string().contains(note), "{}", ended.stdout);
}

#[test]
fn mistakes_in_the_sections_of_other_environments_are_found() {
    refused(
        "environment: production\ntimeout: 1s\nenvironments:\n  staging:\n    timeout: soon\n    checks: {disk-spce: warn}\n  qa: {gate: {mode: shadw}}\n",
        &[
            "c.yml:5:5: `soon` is not a duration",
            "c.yml:6:14: unknown check `disk-spce`",
            "c.yml:7:15: `shadw` is not a mode",
        ],
    );
}

#[test]
fn what_is_wrong_only_together_with_a_section_names_the_section() {
    refused(
        "gate:\n  min-idle: 1\nrunners: [{name: a}]\nenvironments:\n  qa:\n    gate: {min-idle: 2}\n  big:\n    runners: [{name: b, host: x}, {name: c, host: x}]\n",
        &[
            "c.yml:6:12: 2 candidates must be idle, and the role `primary` has 1\n",
            "c.yml:8:45: `b` (primary) and `c` (secondary) are on the same host",
        ],
    );
    refused(
        "gate:\n  min-idle: 2\nrunners: [{name: a}, {name: b, role: primary}]\nenvironments:\n  qa:\n    runners: [{name: c}]\n",
        &[
            "c.yml:2:3: 2 candidates must be idle, and the role `primary` has 1 (together with environments.qa)",
        ],
    );
}

#[test]
fn a_mistake_of_the_base_is_told_once() {
    let yaml =
        "timeout: soon\nenvironments: {a: {}, b: {exporter: x}, production: {timeout: 1s}}\n";
    let ended = Guard::plain(&["config", "check", "c.yml"]).file("c.yml", yaml).run();
    assert_eq!(ended.stderr.matches("`soon`").count(), 1, "{}", ended.stderr);
}

#[test]
fn a_section_holds_no_head_and_stands_once() {
    for key in ["environment: x", "environments: {}", "version: 1"] {
        let wanted = "can not stand in the section of an environment";
        refused(&format!("environments:\n  qa:\n    {key}\n"), &["c.yml:3:5", wanted]);
    }
    refused("environments: {qa: {}, QA: {}}\n", &["c.yml:1:24", "stands here twice"]);
    let many: Vec<String> = (0..65).map(|n| format!("e{n}: {{}}")).collect();
    refused(&format!("environments: {{{}}}\n", many.join(", ")), &["65 environments are too many"]);
    refused("environments: [qa]\n", &["c.yml:1:1", "takes a map"]);
    refused("environment: {qa: {}}\n", &["c.yml:1:1", "below `environments`"]);
}
