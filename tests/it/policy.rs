//! The policy that a team writes, from end to end: levels and unknowns of each check, in each environment, in shadow, and what is said
//! about rules that match nothing.

use runner_guard::check::ALL;

use crate::support::command::{Ended, Guard};
use crate::support::http::{Behaviour, serve};

/// More than any disk has: `disk-space` answers no.
const FULL: &str = "min-free: 8000000 GiB, min-free-percent: 100";

/// Settings below `checks:` in which every other check is only shown.
fn only(settings: &[(&str, &str)]) -> String {
    let others = ALL.iter().map(|c| c.id()).filter(|id| settings.iter().all(|(s, _)| s != id));
    let others: Vec<String> = others.map(|id| format!("  {id}: allow\n")).collect();
    let own: Vec<String> = settings.iter().map(|(id, text)| format!("  {id}: {text}\n")).collect();
    format!("checks:\n{}{}", own.concat(), others.concat())
}

/// A gate in which `disk-space` answers no, or `runner-online` has no answer; the other one passes or is only shown.
fn asked(head: &str, settings: &[(&str, &str)]) -> Ended {
    let silent = serve(Behaviour::Answer(200, "text/plain", "other_metric 1\n".to_owned()));
    let exporter = format!("exporter: 'http://{silent}/metrics'\n");
    Guard::preflight(&format!("timeout: 5s\n{exporter}{head}{}", only(settings))).run()
}

fn verdict(head: &str, settings: &[(&str, &str)]) -> (String, i32) {
    let ended = asked(head, settings);
    let verdict = ended.report()["verdict"].as_str().unwrap_or_default().to_owned();
    (verdict, ended.code)
}

#[test]
fn each_check_fails_open_or_closed_as_it_is_told() {
    const PRODUCTION: &str = "environment: production\n";
    const STAGING: &str = "environment: staging\n";
    for (head, setting, wanted, code) in [
        (PRODUCTION, "deny", "block", 11),
        (STAGING, "deny", "warn", 0),
        (PRODUCTION, "{level: deny, on-unknown: warn}", "warn", 0),
        (PRODUCTION, "{level: deny, on-unknown: allow}", "pass", 0),
        (STAGING, "{level: deny, on-unknown: deny}", "block", 11),
        // An unknown never weighs more than the level of its check.
        (PRODUCTION, "warn", "warn", 0),
        (PRODUCTION, "{level: warn, on-unknown: deny}", "warn", 0),
        (PRODUCTION, "{level: allow, on-unknown: deny}", "pass", 0),
        ("environment: production\ngate: {on-unknown: warn}\n", "deny", "warn", 0),
        ("environment: staging\ngate: {on-unknown: deny}\n", "deny", "block", 11),
        ("environment: staging\ngate: {on-unknown: deny}\n", "{on-unknown: allow}", "pass", 0),
    ] {
        let got = verdict(head, &[("runner-online", setting)]);
        assert_eq!(got, (wanted.to_owned(), code), "{head}{setting}");
    }
}

#[test]
fn two_checks_without_an_answer_are_each_judged_by_their_own_word() {
    let open = "{level: deny, on-unknown: warn}";
    let closed = "{level: deny, on-unknown: deny}";
    let head = "environment: production\n";
    for (online, fresh, code) in
        [(open, open, 0), (open, closed, 11), (closed, open, 11), (closed, closed, 11)]
    {
        let ended = asked(head, &[("runner-online", online), ("exporter-fresh", fresh)]);
        assert_eq!(ended.finding("exporter-fresh")["status"], "unknown", "{}", ended.stdout);
        assert_eq!(ended.code, code, "runner-online {online}, exporter-fresh {fresh}");
    }
}

#[test]
fn a_no_is_judged_by_the_level_of_its_check() {
    for (level, wanted, code) in [("deny", "block", 10), ("warn", "warn", 0), ("allow", "pass", 0)]
    {
        let setting = format!("{{level: {level}, {FULL}}}");
        let got = verdict("", &[("disk-space", &setting)]);
        assert_eq!(got, (wanted.to_owned(), code), "{level}");
    }
}

#[test]
fn levels_and_unknowns_of_a_section_hold_in_that_environment_only() {
    let full = format!("{{level: warn, {FULL}}}");
    let sections = "environments:
  production: {checks: {disk-space: deny}}
  qa: {gate: {on-unknown: deny}}
  dev: {checks: {disk-space: allow, runner-online: {on-unknown: allow}}}
";
    let settings = [("disk-space", full.as_str()), ("runner-online", "deny")];
    for (environment, wanted, code) in
        [("production", "block", 10), ("Qa", "block", 11), ("dev", "pass", 0), ("other", "warn", 0)]
    {
        let got = verdict(&format!("environment: {environment}\n{sections}"), &settings);
        assert_eq!(got, (wanted.to_owned(), code), "{environment}");
    }
}

#[test]
fn shadow_says_what_would_have_been_blocked_and_only_where_it_is_on() {
    let head = |environment: &str| {
        format!(
            "environment: {environment}\nenvironments: {{staging: {{gate: {{mode: shadow}}}}}}\n"
        )
    };
    let full = format!("{{level: deny, {FULL}}}");
    let settings = [("disk-space", full.as_str())];
    let watched = asked(&head("staging"), &settings);
    assert_eq!((watched.code, &watched.report()["verdict"]), (0, &"block".into()));
    assert_eq!(watched.report()["shadow"], true);
    let summary = watched.left("runner-guard-out/summary.md");
    assert!(summary.contains("would have blocked") && summary.contains("disk-space"), "{summary}");
    let enforced = asked(&head("production"), &settings);
    assert_eq!((enforced.code, &enforced.report()["shadow"]), (10, &false.into()));
}

#[test]
fn a_rule_that_matches_nothing_is_a_note_of_the_report() {
    let config = "checks:\n  runner-group: deny\n  disk-space: warn\ngate: {poll: 5s}\n";
    let ended = Guard::preflight(config).run();
    let notes = ended.report()["notes"].to_string();
    for wanted in [
        "checks.runner-group (c.yml:2) matched nothing: no runner has a `group`",
        "gate.poll (c.yml:4) means nothing without `gate.wait`",
    ] {
        assert!(notes.contains(wanted), "no {wanted} in {notes}");
    }
    for absent in ["disk-space", "tools-present"] {
        assert!(!notes.contains(absent), "{notes}");
    }
}
