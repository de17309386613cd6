use std::time::Duration;

use super::*;
use crate::config::{KnownCheck, Level};
use crate::report::{Answer, Outcome};

const KNOWN: [KnownCheck; 2] = [
    KnownCheck { id: "disk-space", level: Level::Deny, on_unknown: None, options: &[] },
    KnownCheck { id: "runner-online", level: Level::Deny, on_unknown: None, options: &[] },
];

fn redactor() -> Redactor {
    Redactor::new(&[])
}

fn config(yaml: &str) -> Config {
    let inputs = crate::config::Inputs::default();
    crate::config::load(Some(("c.yml", yaml)), &inputs, &KNOWN).unwrap()
}

fn finding(check: &'static str, runner: Option<&str>, outcome: Outcome) -> Finding {
    let runner = runner.map(str::to_owned);
    let took = Duration::ZERO;
    Finding::new(Answer { check, question: "?", runbook: "r", runner, outcome, took }, &redactor())
}

fn decided(yaml: &str, findings: &[Finding]) -> Decision {
    let config = config(yaml);
    decided_with(&config, findings, &Memory::default(), 0)
}

fn decided_with(config: &Config, findings: &[Finding], memory: &Memory, now: i64) -> Decision {
    let redactor = redactor();
    let situation =
        Situation { candidates: &config.runners, config, memory, now, redactor: &redactor };
    decide(findings, &situation)
}

const TWO: &str = "environment: production
runners:
  - {name: a, labels: [x, a], authorized-for-prod: true}
  - {name: b, labels: [x, b], authorized-for-prod: true}
";

fn online(runner: &str, label: &str) -> Finding {
    finding("runner-online", Some(runner), Outcome::pass("on").saw("authorized_for_prod", label))
}

fn offline(runner: &str) -> Finding {
    finding("runner-online", Some(runner), Outcome::fail("off"))
}

#[test]
fn a_failed_check_blocks_at_deny_warns_at_warn_and_is_only_shown_at_allow() {
    let findings = [finding("disk-space", None, Outcome::fail("full"))];
    let verdict = |level: &str| {
        decided(&format!("checks: {{disk-space: {level}}}"), &findings).verdict.word()
    };
    assert_eq!([verdict("deny"), verdict("warn"), verdict("allow")], ["block", "warn", "pass"]);
}

#[test]
fn an_unknown_blocks_production_and_warns_elsewhere() {
    let findings = [finding("disk-space", None, Outcome::unknown("silent"))];
    let production = decided("environment: production", &findings).verdict;
    assert!(matches!(production, Verdict::Block { class: BlockClass::Unknown, .. }));
    assert_eq!(decided("environment: staging", &findings).verdict.word(), "warn");
}

#[test]
fn an_unknown_never_weighs_more_than_its_checks_level() {
    let findings = [finding("disk-space", None, Outcome::unknown("silent"))];
    let yaml = "environment: production\nchecks: {disk-space: warn}";
    assert_eq!(decided(yaml, &findings).verdict.word(), "warn");
}

#[test]
fn the_first_eligible_candidate_is_chosen() {
    let decision = decided(TWO, &[online("a", "true"), online("b", "true")]);
    assert_eq!(decision.verdict, Verdict::Proceed);
    let selection = decision.selection.unwrap();
    assert_eq!(selection.chosen().unwrap().name.as_str(), "a");
    assert!(!selection.failed_over());
}

#[test]
fn an_offline_primary_fails_over_with_a_warning_that_says_why() {
    let decision = decided(TWO, &[offline("a"), online("b", "true")]);
    let selection = decision.selection.unwrap();
    assert!(selection.failed_over());
    assert_eq!(selection.chosen().unwrap().name.as_str(), "b");
    assert_eq!(selection.candidates[0].why_not[0].as_str(), "runner-online: off");
    assert_eq!(decision.verdict.word(), "warn");
}

#[test]
fn without_an_eligible_candidate_the_deploy_is_blocked() {
    let decision = decided(TWO, &[offline("a"), offline("b")]);
    assert!(matches!(decision.verdict, Verdict::Block { class: BlockClass::NoRunner, .. }));
    assert!(decision.selection.unwrap().chosen().is_none());
}

#[test]
fn an_exporter_that_contradicts_the_authorisation_is_believed() {
    let selection = decided(TWO, &[online("a", "false"), online("b", "true")]).selection.unwrap();
    assert_eq!(selection.chosen().unwrap().name.as_str(), "b");
    assert!(selection.candidates[0].why_not[0].as_str().contains("authorized_for_prod=\"false\""));
}

#[test]
fn silence_about_the_authorisation_is_no_permission() {
    let yaml = "environment: production\nrunners: [{name: a}]\n";
    let silent = finding("runner-online", Some("a"), Outcome::pass("on"));
    assert!(decided(yaml, &[silent]).selection.unwrap().chosen().is_none());
    assert!(decided(yaml, &[online("a", "true")]).selection.unwrap().chosen().is_some());
}

#[test]
fn a_silent_host_is_said_before_that_nobody_authorises_it() {
    let yaml = "environment: production\nrunners: [{name: a}]\n";
    let silent = finding("runner-online", Some("a"), Outcome::unknown("no sample"));
    let decision = decided(yaml, &[silent]);
    let why: Vec<String> =
        decision.selection.unwrap().candidates[0].why_not.iter().map(|w| w.to_string()).collect();
    assert_eq!(why[0], "runner-online: no sample");
    assert!(why[1].starts_with("not authorised for production"), "{why:?}");
}

#[test]
fn a_candidate_about_whom_nothing_is_known_is_not_chosen_for_production() {
    let skipped = |runner| finding("runner-online", Some(runner), Outcome::skipped("no source"));
    let selection = decided(TWO, &[skipped("a"), skipped("b")]).selection.unwrap();
    assert!(selection.chosen().is_none());
    assert!(selection.candidates[0].why_not[0].as_str().contains("nothing is known"));
}

fn busy(runner: &str, word: &str) -> Finding {
    finding("runner-busy", Some(runner), Outcome::pass("seen").saw("busy", word))
}

fn chosen(decision: &Decision) -> String {
    let chosen = decision.selection.as_ref().and_then(|s| s.chosen());
    chosen.map_or_else(|| "nobody".to_owned(), |c| c.name.as_str().to_owned())
}

/// The choices of a series of runs, each at its second, with what is remembered in between.
fn series(yaml: &str, runs: &[(i64, bool, bool)]) -> (Vec<String>, Memory) {
    let config = config(yaml);
    let mut memory = Memory::default();
    let mut choices = Vec::new();
    for &(now, a, b) in runs {
        let state = |runner, up| if up { online(runner, "true") } else { offline(runner) };
        let decision = decided_with(&config, &[state("a", a), state("b", b)], &memory, now);
        choices.push(chosen(&decision));
        memory = Memory::read(&decision.memory.text());
    }
    (choices, memory)
}

#[test]
fn a_primary_that_comes_back_is_preferred_only_when_it_was_well_for_long_enough() {
    let yaml = format!("{TWO}gate: {{stable-for: 60s}}\n");
    let runs =
        [(0, true, true), (10, false, true), (20, true, true), (69, true, true), (70, true, true)];
    let (choices, memory) = series(&yaml, &runs);
    assert_eq!(choices, ["a", "b", "b", "b", "a"]);
    assert_eq!(memory.fail_overs(), (1, Some(10)));
}

#[test]
fn an_unsteady_primary_is_still_better_than_nobody() {
    let yaml = format!("{TWO}gate: {{stable-for: 60s}}\n");
    let (choices, _) = series(&yaml, &[(0, false, true), (10, true, false), (20, true, false)]);
    assert_eq!(choices, ["b", "a", "a"]);
}

#[test]
fn two_unsteady_ones_do_not_block_and_the_preferred_one_is_chosen() {
    let yaml = format!("{TWO}gate: {{stable-for: 60s}}\n");
    let (choices, _) = series(&yaml, &[(0, false, false), (10, true, true)]);
    assert_eq!(choices, ["nobody", "a"]);
}

#[test]
fn a_finding_that_says_unsteady_moves_the_choice_and_says_why() {
    let shaky =
        finding("runner-steady", Some("a"), Outcome::warn("down 2 min ago").saw("steady", "false"));
    let decision = decided(TWO, &[online("a", "true"), shaky, online("b", "true")]);
    assert_eq!(chosen(&decision), "b");
    let first = &decision.selection.unwrap().candidates[0];
    assert_eq!(first.score, Some(40));
    assert_eq!(first.why_not[0].as_str(), "score 40, below 50: down 2 min ago");
}

#[test]
fn warnings_lower_the_score_but_five_of_them_do_not_move_the_choice() {
    let warned = |n: usize| {
        let mut findings = vec![online("a", "true"), online("b", "true")];
        findings.extend((0..n).map(|_| finding("disk-space", Some("a"), Outcome::warn("low"))));
        let decision = decided(TWO, &findings);
        (chosen(&decision), decision.selection.unwrap().candidates[0].score)
    };
    assert_eq!(warned(5), ("a".to_owned(), Some(50)));
    assert_eq!(warned(6), ("b".to_owned(), Some(40)));
}

#[test]
fn too_few_idle_primaries_spare_the_primaries() {
    let yaml = format!("{TWO}gate: {{min-idle: 1}}\n");
    let with = |a: &str| {
        let findings = [online("a", "true"), busy("a", a), online("b", "true"), busy("b", "false")];
        chosen(&decided(&yaml, &findings))
    };
    assert_eq!((with("false").as_str(), with("true").as_str()), ("a", "b"));
    // Production is closed on unknowns: a state that nobody knows is not idle.
    assert_eq!(chosen(&decided(&yaml, &[online("a", "true"), online("b", "true")])), "b");
    let staging = yaml.replace("production", "staging");
    assert_eq!(chosen(&decided(&staging, &[online("a", "true"), online("b", "true")])), "a");
}

#[test]
fn one_host_is_not_primary_and_secondary() {
    let at = |runner: &str, host: &str| {
        let outcome = Outcome::pass("on").saw("authorized_for_prod", "true").saw("hostname", host);
        finding("runner-online", Some(runner), outcome)
    };
    let down = |runner: &str, host: &str| {
        finding("runner-online", Some(runner), Outcome::fail("off").saw("hostname", host))
    };
    let decision = decided(TWO, &[down("a", "h1"), at("b", "H1")]);
    assert_eq!(chosen(&decision), "nobody");
    let why = decision.selection.unwrap().candidates[1].why_not[0].clone();
    assert_eq!(
        why.as_str(),
        "is on the same host as a (H1): one host can not be primary and secondary"
    );
    assert_eq!(chosen(&decided(TWO, &[down("a", "h1"), at("b", "h2")])), "b");
    let off = format!("{TWO}gate: {{distinct-hosts: false}}\n");
    assert_eq!(chosen(&decided(&off, &[down("a", "h1"), at("b", "h1")])), "b");
}

proptest::proptest! {
    #[test]
    fn nobody_who_is_not_eligible_is_ever_chosen(
        states in proptest::collection::vec((0_u8..5, proptest::bool::ANY, 0_u8..3), 2),
        remembered in 0_i64..200,
    ) {
        let config = config(TWO);
        let outcome = |state: u8, label: bool, host: u8| {
            let outcome = match state {
                0 => Outcome::pass("p"),
                1 => Outcome::warn("w"),
                2 => Outcome::fail("f"),
                3 => Outcome::unknown("u"),
                _ => Outcome::skipped("s"),
            };
            outcome.saw("authorized_for_prod", label.to_string()).saw("hostname", host.to_string())
        };
        let findings: Vec<Finding> = ["a", "b"]
            .into_iter()
            .zip(&states)
            .map(|(name, (state, label, host))| finding("runner-online", Some(name), outcome(*state, *label, *host)))
            .collect();
        let memory = Memory::read(&format!(r#"{{"version":1,"unusable_at":{{"a":{remembered}}}}}"#));
        let decision = decided_with(&config, &findings, &memory, 100);
        let selection = decision.selection.clone().unwrap();
        proptest::prop_assert!(selection.candidates.iter().filter(|c| c.chosen).count() <= 1);
        let some_eligible = selection.candidates.iter().any(|c| c.score.is_some());
        proptest::prop_assert_eq!(some_eligible, selection.chosen().is_some());
        if let Some(chosen) = selection.chosen() {
            let at = usize::from(chosen.name.as_str() == "b");
            proptest::prop_assert!(states[at].0 < 2 && states[at].1, "{:?}", states);
        }
        proptest::prop_assert_eq!(decided_with(&config, &findings, &memory, 100).verdict, decision.verdict);
    }
}
