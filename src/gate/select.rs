//! Which candidate runs the deploy, and for every other one why not.

use super::Situation;
use super::score::{Score, is_idle, score};
use super::weight::{Weight, reason, reasons, weigh};
use crate::config::{Config, Level, Runner};
use crate::redact::Redacted;
use crate::report::{Candidate, Finding, Reason, Selection, Status};

const UNAUTHORIZED: &str = "not authorised for production";

/// Nobody says yes; when its host is silent too, that is the news.
const SILENT: &str =
    "not authorised for production: neither the configuration nor its exporter says so";

/// The check that asks the same, with its own help and runbook.
const AUTHORIZED: &str = "runner-authorized";

/// A candidate with what speaks against it.
struct Examined<'a> {
    runner: &'a Runner,
    name: Redacted,
    host: Option<String>,
    obstacles: Vec<Redacted>,
    own: Vec<&'a Finding>,
}

/// Chooses: the first in the order of preference that is eligible and well enough, else the best of the eligible ones.
pub(super) fn select(findings: &[Finding], situation: &Situation<'_>) -> Selection {
    let mut all: Vec<Examined<'_>> =
        situation.candidates.iter().map(|runner| examine(runner, findings, situation)).collect();
    if situation.config.gate.distinct_hosts {
        same_hosts(&mut all, situation);
    }
    let few = too_few_idle(&all, situation);
    let first_role = all.first().map_or("", |first| first.runner.role.as_str()).to_owned();
    let scores: Vec<Option<Score>> = all
        .iter()
        .map(|one| {
            let few = few.as_deref().filter(|_| one.runner.role == first_role);
            let scored = || score(one.name.as_str(), &one.own, few, situation);
            one.obstacles.is_empty().then(scored)
        })
        .collect();
    let chosen = choose(&scores, situation.config.gate.min_score);
    let candidate = |(at, (one, score)): (usize, (Examined<'_>, Option<Score>))| {
        candidate(one, score, chosen.map(|c| c == at), situation)
    };
    Selection { candidates: all.into_iter().zip(scores).enumerate().map(candidate).collect() }
}

fn examine<'a>(
    runner: &'a Runner,
    findings: &'a [Finding],
    situation: &Situation<'_>,
) -> Examined<'a> {
    let name = situation.redactor.redact(&runner.name);
    let own: Vec<&Finding> = findings.iter().filter(|f| f.runner.as_ref() == Some(&name)).collect();
    let told = || own.iter().find_map(|f| f.observed("hostname")).map(str::to_owned);
    let host = runner.host.clone().or_else(told).filter(|host| !host.is_empty());
    let obstacles = obstacles(&own, runner, situation);
    Examined { runner, name, host, obstacles, own }
}

fn obstacles(own: &[&Finding], runner: &Runner, situation: &Situation<'_>) -> Vec<Redacted> {
    let (config, redactor) = (situation.config, situation.redactor);
    let mut why_not = Vec::new();
    if config.gate.require_authorized {
        why_not.extend(unauthorized(own, runner).map(|text| redactor.redact(text)));
    }
    let said = !why_not.is_empty();
    for finding in own.iter().filter(|f| weigh(f, config) >= Weight::BlocksAsUnknown) {
        if said && finding.check == AUTHORIZED {
            continue;
        }
        why_not.push(redactor.redact(&format!("{}: {}", finding.check, finding.summary)));
    }
    if why_not.first().is_some_and(|why| why.as_str() == SILENT) {
        why_not.rotate_left(1);
    }
    let known = own.iter().any(|f| matches!(f.status, Status::Pass | Status::Warn));
    if why_not.is_empty() && !known && config.gate.on_unknown == Level::Deny {
        why_not.push(
            redactor.redact("nothing is known about its health: no source could say anything"),
        );
    }
    why_not
}

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
        (None, None) => Some(SILENT),
        (Some(true) | None, _) => None,
    }
}

/// One host can not be primary and secondary: what takes the one down takes the other down.
fn same_hosts(all: &mut [Examined<'_>], situation: &Situation<'_>) {
    for at in 1..all.len() {
        let (before, rest) = all.split_at_mut(at);
        let Some(one) = rest.first_mut() else { continue };
        let Some(host) = one.host.as_deref() else { continue };
        let same = |other: &&Examined<'_>| {
            other.runner.role != one.runner.role
                && other.host.as_deref().is_some_and(|h| h.eq_ignore_ascii_case(host))
        };
        if let Some(other) = before.iter().find(same) {
            let text = format!(
                "is on the same host as {} ({host}): one host can not be {} and {}",
                other.name, other.runner.role, one.runner.role
            );
            one.obstacles.push(situation.redactor.redact(&text));
        }
    }
}

/// Why the first role is spared, when fewer of it are idle than the policy wants.
fn too_few_idle(all: &[Examined<'_>], situation: &Situation<'_>) -> Option<String> {
    let gate = &situation.config.gate;
    let role = &all.first()?.runner.role;
    let of_role = || all.iter().filter(|one| one.runner.role == *role);
    let usable = |one: &&Examined<'_>| one.obstacles.is_empty();
    let idle = of_role().filter(usable).filter(|one| is_idle(&one.own, gate.on_unknown)).count();
    (idle < gate.min_idle).then(|| {
        format!(
            "{idle} of {} {role} are idle, the policy wants {}",
            of_role().count(),
            gate.min_idle
        )
    })
}

/// The place of the choice.
fn choose(scores: &[Option<Score>], min_score: u8) -> Option<usize> {
    let points = |at: &usize| scores[*at].as_ref().map(|s| s.points);
    let eligible = || (0..scores.len()).filter(|at| points(at).is_some());
    let well = eligible().find(|at| points(at) >= Some(min_score));
    // Of equals the one that is preferred: the first.
    well.or_else(|| eligible().rev().max_by_key(|at| points(at)))
}

fn candidate(
    one: Examined<'_>,
    score: Option<Score>,
    chosen: Option<bool>,
    situation: &Situation<'_>,
) -> Candidate {
    let chosen = chosen == Some(true);
    let redactor = situation.redactor;
    let mut why_not = one.obstacles;
    if let (false, Some(score)) = (chosen, &score) {
        why_not.push(redactor.redact(&passed_over(score, situation.config.gate.min_score)));
    }
    Candidate {
        name: one.name,
        role: redactor.redact(&one.runner.role),
        labels: one.runner.labels.iter().map(|l| redactor.redact(l)).collect(),
        host: one.host.map(|host| redactor.redact(&host)),
        score: score.map(|score| score.points),
        why_not,
        chosen,
    }
}

fn passed_over(score: &Score, min_score: u8) -> String {
    if score.points >= min_score || score.because.is_empty() {
        return "eligible, but one that is preferred was chosen".to_owned();
    }
    format!("score {}, below {min_score}: {}", score.points, score.because.join("; "))
}

/// Why a candidate was not chosen: the finding that speaks against it, with its own help and runbook.
pub(super) fn not_eligible(candidate: &Candidate, findings: &[Finding], config: &Config) -> Reason {
    let mut against = findings
        .iter()
        .filter(|f| f.runner.as_ref() == Some(&candidate.name))
        .filter(|f| weigh(f, config) >= Weight::BlocksAsUnknown);
    // What stands first is the authorisation: health does not matter without it.
    let against = if is_unauthorized(candidate) {
        against.find(|f| f.check == AUTHORIZED)
    } else {
        against.next()
    };
    match against {
        Some(finding) => reason(finding),
        None => Reason {
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
pub(super) fn warnings_of(
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
