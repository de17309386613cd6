//! Findings and policy -> a verdict and a runner. Pure: same input, same output, no clock.
//!
//! A finding about this run decides directly. A finding about a candidate decides only whether that candidate is eligible; the deploy is
//! blocked when none is.

use crate::config::{Config, Gate, Level, Mode, Runner};
use crate::redact::{Redacted, Redactor};
use crate::report::verdict::BlockClass;
use crate::report::{Candidate, Finding, Reason, Selection, Status, Verdict};

/// What the gate decided.
#[derive(Debug, Clone)]
pub struct Decision {
    /// The verdict, as if enforced.
    pub verdict: Verdict,
    /// The chosen runner; without candidates there is nothing to choose.
    pub selection: Option<Selection>,
    /// Whether the verdict is only reported.
    pub shadow: bool,
}

/// What one finding means under the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    Nothing,
    Warns,
    BlocksAsUnknown,
    BlocksAsFailed,
}

/// Decides. `candidates` are the configured runners in the order of preference; their findings carry their names.
pub fn decide(
    findings: &[Finding],
    candidates: &[Runner],
    config: &Config,
    redactor: &Redactor,
) -> Decision {
    let about_run: Vec<&Finding> = findings.iter().filter(|f| f.runner.is_none()).collect();
    let mut block = reasons(&about_run, config, |w| w >= Weight::BlocksAsUnknown);
    let mut warnings = reasons(&about_run, config, |w| w == Weight::Warns);
    let mut class = if about_run.iter().any(|f| weigh(f, config) == Weight::BlocksAsFailed) {
        BlockClass::Failed
    } else {
        BlockClass::Unknown
    };
    let selection =
        (!candidates.is_empty()).then(|| select(findings, candidates, config, redactor));
    if let Some(selection) = &selection {
        if let Some(chosen) = selection.chosen() {
            warnings.extend(warnings_of(findings, &chosen.name, selection, config));
        } else {
            if block.is_empty() {
                class = BlockClass::NoRunner;
            }
            block.extend(selection.candidates.iter().map(|c| not_eligible(c, findings, config)));
        }
    }
    let verdict = match (block.is_empty(), warnings.is_empty()) {
        (false, _) => Verdict::Block { by: block, warnings, class },
        (true, false) => Verdict::ProceedWithWarnings(warnings),
        (true, true) => Verdict::Proceed,
    };
    Decision { verdict, selection, shadow: config.gate.mode == Mode::Shadow }
}

/// Chooses the first eligible candidate and says for every other one why not.
pub fn select(
    findings: &[Finding],
    candidates: &[Runner],
    config: &Config,
    redactor: &Redactor,
) -> Selection {
    let mut taken = false;
    let mut choose = |runner: &Runner| {
        let name = redactor.redact(&runner.name);
        let own: Vec<&Finding> =
            findings.iter().filter(|f| f.runner.as_ref() == Some(&name)).collect();
        let mut why_not = obstacles(&own, runner, config, redactor);
        let chosen = why_not.is_empty() && !taken;
        if why_not.is_empty() && taken {
            why_not.push(redactor.redact("eligible, but one that is preferred was chosen"));
        }
        taken |= chosen;
        let labels = runner.labels.iter().map(|l| redactor.redact(l)).collect();
        let role = redactor.redact(&runner.role);
        Candidate { name, role, labels, host: None, score: None, why_not, chosen }
    };
    Selection { candidates: candidates.iter().map(&mut choose).collect() }
}

fn obstacles(
    own: &[&Finding],
    runner: &Runner,
    config: &Config,
    redactor: &Redactor,
) -> Vec<Redacted> {
    let mut why_not = Vec::new();
    if config.gate.require_authorized {
        why_not.extend(unauthorized(own, runner).map(|text| redactor.redact(text)));
    }
    for finding in own.iter().filter(|f| weigh(f, config) >= Weight::BlocksAsUnknown) {
        why_not.push(redactor.redact(&format!("{}: {}", finding.check, finding.summary)));
    }
    let known = own.iter().any(|f| matches!(f.status, Status::Pass | Status::Warn));
    if why_not.is_empty() && !known && config.gate.on_unknown == Level::Deny {
        why_not.push(
            redactor.redact("nothing is known about its health: no source could say anything"),
        );
    }
    why_not
}

const UNAUTHORIZED: &str = "not authorised for production";

/// The configuration and the exporter's label must not contradict each other; silence of both is no permission.
fn unauthorized(own: &[&Finding], runner: &Runner) -> Option<&'static str> {
    let label = own.iter().find_map(|f| f.observed("authorized_for_prod"));
    match (runner.authorized_for_prod, label) {
        (Some(false), _) => {
            Some("not authorised for production: the configuration says authorized-for-prod: false")
        }
        (Some(true), Some("false")) => Some(
            "not authorised for production: its exporter says authorized_for_prod=\"false\", the configuration says true",
        ),
        (None, Some(word)) if word != "true" => Some(
            "not authorised for production: its exporter does not say authorized_for_prod=\"true\"",
        ),
        (None, None) => Some(
            "not authorised for production: neither the configuration nor its exporter says so",
        ),
        (Some(true) | None, _) => None,
    }
}

fn weigh(finding: &Finding, config: &Config) -> Weight {
    let settings = config.check(finding.check);
    let blocks = |level: Level, weight: Weight| match level {
        Level::Allow => Weight::Nothing,
        Level::Warn => Weight::Warns,
        Level::Deny => weight,
    };
    match finding.status {
        Status::Pass | Status::Skipped => Weight::Nothing,
        Status::Warn => blocks(settings.level.min(Level::Warn), Weight::Warns),
        Status::Fail => blocks(settings.level, Weight::BlocksAsFailed),
        Status::Unknown => blocks(
            settings.level.min(on_unknown(&config.gate, settings.on_unknown)),
            Weight::BlocksAsUnknown,
        ),
    }
}

fn on_unknown(gate: &Gate, of_check: Option<Level>) -> Level {
    of_check.unwrap_or(gate.on_unknown)
}

fn reasons(findings: &[&Finding], config: &Config, wanted: impl Fn(Weight) -> bool) -> Vec<Reason> {
    let mut weighed: Vec<(Weight, &Finding)> =
        findings.iter().map(|f| (weigh(f, config), *f)).filter(|(w, _)| wanted(*w)).collect();
    weighed.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    weighed.into_iter().map(|(_, finding)| reason(finding)).collect()
}

fn reason(finding: &Finding) -> Reason {
    Reason {
        check: finding.check,
        runner: finding.runner.clone(),
        status: finding.status,
        summary: finding.summary.clone(),
        help: finding.help.clone(),
        runbook: finding.runbook,
    }
}

/// Why a candidate can not be used: the finding that speaks against it, with its own help and runbook.
fn not_eligible(candidate: &Candidate, findings: &[Finding], config: &Config) -> Reason {
    let against = findings
        .iter()
        .filter(|f| f.runner.as_ref() == Some(&candidate.name))
        .find(|f| weigh(f, config) >= Weight::BlocksAsUnknown);
    match against {
        // What stands first is the authorisation: health does not matter without it.
        Some(finding) if !is_unauthorized(candidate) => reason(finding),
        Some(_) | None => Reason {
            check: "selection",
            runner: Some(candidate.name.clone()),
            status: Status::Fail,
            summary: candidate.why_not.first().cloned().unwrap_or_default(),
            help: None,
            runbook: "runner-offline-restore",
        },
    }
}

fn is_unauthorized(candidate: &Candidate) -> bool {
    candidate.why_not.first().is_some_and(|why| why.as_str().starts_with(UNAUTHORIZED))
}

/// What should be looked at although a runner was chosen: its own warnings, and why the preferred ones were passed over.
fn warnings_of(
    findings: &[Finding],
    chosen: &Redacted,
    selection: &Selection,
    config: &Config,
) -> Vec<Reason> {
    let own: Vec<&Finding> =
        findings.iter().filter(|f| f.runner.as_ref() == Some(chosen)).collect();
    let mut warnings = reasons(&own, config, |w| w == Weight::Warns);
    let passed_over = selection.candidates.iter().take_while(|c| !c.chosen);
    warnings.extend(
        passed_over.map(|c| Reason { status: Status::Warn, ..not_eligible(c, findings, config) }),
    );
    warnings
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::KnownCheck;
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
        Finding::new(
            Answer { check, question: "?", runbook: "r", runner, outcome, took },
            &redactor(),
        )
    }

    fn decided(yaml: &str, findings: &[Finding]) -> Decision {
        let config = config(yaml);
        decide(findings, &config.runners, &config, &redactor())
    }

    const TWO: &str = "environment: production
runners:
  - {name: a, labels: [x, a], authorized-for-prod: true}
  - {name: b, labels: [x, b], authorized-for-prod: true}
";

    fn online(runner: &str, label: &str) -> Finding {
        finding(
            "runner-online",
            Some(runner),
            Outcome::pass("on").saw("authorized_for_prod", label),
        )
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
        let selection =
            decided(TWO, &[online("a", "false"), online("b", "true")]).selection.unwrap();
        assert_eq!(selection.chosen().unwrap().name.as_str(), "b");
        assert!(
            selection.candidates[0].why_not[0].as_str().contains("authorized_for_prod=\"false\"")
        );
    }

    #[test]
    fn silence_about_the_authorisation_is_no_permission() {
        let yaml = "environment: production\nrunners: [{name: a}]\n";
        let silent = finding("runner-online", Some("a"), Outcome::pass("on"));
        assert!(decided(yaml, &[silent]).selection.unwrap().chosen().is_none());
        assert!(decided(yaml, &[online("a", "true")]).selection.unwrap().chosen().is_some());
    }

    #[test]
    fn a_candidate_about_whom_nothing_is_known_is_not_chosen_for_production() {
        let skipped =
            |runner| finding("runner-online", Some(runner), Outcome::skipped("no source"));
        let selection = decided(TWO, &[skipped("a"), skipped("b")]).selection.unwrap();
        assert!(selection.chosen().is_none());
        assert!(selection.candidates[0].why_not[0].as_str().contains("nothing is known"));
    }
}
