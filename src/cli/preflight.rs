//! The gate: configuration -> findings -> verdict -> report; once, or until what blocks has healed.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::failure::Failure;
use super::session::Session;
use crate::actions;
use crate::actions::command::Live;
use crate::check;
use crate::config::{Config, Job, SecretValues};
use crate::gate::{self, Decision, Memory, Situation};
use crate::redact::Redacted;
use crate::report::verdict::BlockClass;
use crate::report::{ApiUse, Finding, Reason, Report, Selection, Stage, Status, Verdict};
use crate::source::Sources;
use crate::source::files::Keep;
use crate::source::github::GitHub;
use crate::task::Deadline;

/// Longest time to take the token of a GitHub App back.
const REVOKE_LIMIT: Duration = Duration::from_millis(900);

/// Time after which a waiting gate says again what it waits for.
const SAY_AGAIN: Duration = Duration::from_mins(1);

/// Largest file with what the gate remembers, in bytes.
const MAX_MEMORY: usize = 256 * 1024;

/// Asks every question and decides.
pub(super) async fn run(session: &Session) -> Result<Report, Failure> {
    let start = Instant::now();
    let config = session.config()?;
    let mut run = Run {
        session,
        sources: session.sources(&config)?,
        job: session.job(),
        secrets: session.secrets(),
        memory: remembered(session, &config),
        config: &config,
        notes: Vec::new(),
        said: None,
        start,
    };
    let (findings, decision) = run.until_healed().await;
    // Answers that never came say nothing about a runner.
    if !session.cancel.is_cancelled() {
        run.remember(&decision);
    }
    let api = match &run.sources.github {
        Ok(github) => api_use(session, github),
        Err(_) => None,
    };
    if let Ok(github) = &run.sources.github {
        // A token that is not taken back ends by itself; nobody needs to hear of it.
        drop(github.revoke(Deadline::after(REVOKE_LIMIT)).await);
    }
    let mut notes = session.notes(&config);
    notes.append(&mut run.notes);
    notes.extend(config.matched_nothing(&skipped(&findings)).iter().map(|note| session.red(note)));
    Ok(Report {
        stage: Stage::Preflight,
        job: session.job_row(&config),
        findings,
        verdict: Some(decision.verdict),
        selection: decision.selection,
        shadow: decision.shadow,
        diagnoses: Vec::new(),
        collected: Vec::new(),
        job_status: None,
        failures: Vec::new(),
        charts: Vec::new(),
        timeline: Vec::new(),
        bundle: None,
        partial: session.cancel.is_cancelled(),
        api,
        notes,
        runbooks: session.runbooks(&config),
        took: start.elapsed(),
    })
}

/// Checks that had nothing to ask about, for the run and for every candidate.
fn skipped(findings: &[Finding]) -> Vec<&'static str> {
    let asked = |id: &str| findings.iter().any(|f| f.check == id && f.status != Status::Skipped);
    let ids: BTreeSet<&'static str> = findings.iter().map(|f| f.check).collect();
    ids.into_iter().filter(|id| !asked(id)).collect()
}

/// One run of the gate, over all its rounds.
struct Run<'a> {
    session: &'a Session,
    config: &'a Config,
    sources: Sources,
    job: Job,
    secrets: SecretValues,
    memory: Memory,
    notes: Vec<Redacted>,
    /// What it last said that it waits for.
    said: Option<(Redacted, Instant)>,
    start: Instant,
}

impl Run<'_> {
    /// Asks, and asks again while the answer is a block that may heal and there is time to wait.
    async fn until_healed(&mut self) -> (Vec<Finding>, Decision) {
        let gate = &self.config.gate;
        let mut rounds = 1;
        loop {
            let findings = self.ask().await;
            let decision = self.decide(&findings);
            let left = gate.wait.saturating_sub(self.start.elapsed());
            let waits = may_heal(&decision.verdict) && left >= gate.poll;
            if !waits || self.session.cancel.is_cancelled() {
                if rounds > 1 {
                    self.say_waited(rounds, &decision);
                }
                return (findings, decision);
            }
            self.say_waiting(&decision, left);
            tokio::select! {
                () = tokio::time::sleep(gate.poll) => {}
                () = self.session.cancel.cancelled() => {}
            }
            rounds += 1;
            self.memory = decision.memory;
            self.sources.forget();
            self.sources.now = self.now();
        }
    }

    async fn ask(&self) -> Vec<Finding> {
        let ctx = check::Ctx {
            config: self.config,
            job: &self.job,
            runner: None,
            sources: &self.sources,
            secrets: &self.secrets,
            deadline: Deadline::after(self.config.timeout),
        };
        let live = Live::stderr(&self.session.env);
        let show = |progress: check::Progress| {
            if let Some(live) = &live {
                live.show(&self.session.red(&words(&progress)));
            }
        };
        let (runners, cancel) = (&self.config.runners, &self.session.cancel);
        let answers = check::run_told(ctx, runners, cancel, &show).await;
        drop(live);
        answers.into_iter().map(|a| Finding::new(a, &self.session.redactor)).collect()
    }

    fn decide(&self, findings: &[Finding]) -> Decision {
        let situation = Situation {
            candidates: &self.config.runners,
            config: self.config,
            memory: &self.memory,
            now: self.now(),
            redactor: &self.session.redactor,
        };
        gate::decide(findings, &situation)
    }

    /// The time of the run, in seconds since 1970: its start and what has passed.
    fn now(&self) -> i64 {
        self.session.now.saturating_add(i64::try_from(self.start.elapsed().as_secs()).unwrap_or(0))
    }

    /// Says what it waits for: when that changes, and once a minute.
    fn say_waiting(&mut self, decision: &Decision, left: Duration) {
        let reason = decision.verdict.reasons().first().map(|r| r.summary.clone());
        let reason = reason.unwrap_or_default();
        let again = self
            .said
            .as_ref()
            .is_some_and(|(before, at)| *before == reason && at.elapsed() < SAY_AGAIN);
        if again {
            return;
        }
        let left = left.as_secs();
        let line = self.session.red(&format!("waiting, at most {left} s more: {reason}"));
        actions::command::complain(&line);
        self.said = Some((reason, Instant::now()));
    }

    fn say_waited(&mut self, rounds: usize, decision: &Decision) {
        let how = match &decision.verdict {
            Verdict::Block { .. } => "what blocked did not heal",
            Verdict::Proceed | Verdict::ProceedWithWarnings(_) => "then what blocked had healed",
        };
        let waited = self.start.elapsed().as_secs();
        self.notes.push(self.session.red(&format!("asked {rounds} times in {waited} s: {how}")));
    }

    /// Keeps what the next run should know.
    fn remember(&mut self, decision: &Decision) {
        if let (times, Some(_)) = decision.memory.fail_overs()
            && decision.selection.as_ref().is_some_and(Selection::failed_over)
        {
            let line = format!("fail-over number {times} since the state file was begun");
            self.notes
                .extend(self.config.gate.state_file.is_some().then(|| self.session.red(&line)));
        }
        let Some(path) = &self.config.gate.state_file else { return };
        let path = self.session.context.workspace.join(path);
        let folder = path.parent().unwrap_or(&self.session.context.workspace);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let text = self.session.red(&decision.memory.text());
        if let Err(problem) = actions::files::leave(folder, &name, &text) {
            self.notes
                .push(self.session.red(&format!("gate.state-file was not written: {problem}")));
        }
    }
}

/// `[12/41] waiting for: endpoint-reachable, github-status`.
fn words(progress: &check::Progress) -> String {
    let check::Progress { done, total, waiting } = progress;
    format!("[{done}/{total}] waiting for: {}", waiting.join(", "))
}

/// What earlier runs left; nothing when there is no file yet, or it can not be read.
fn remembered(session: &Session, config: &Config) -> Memory {
    let path = config.gate.state_file.as_ref().map(|path| session.context.workspace.join(path));
    let read = path.and_then(|path| session.roots().read(&path, MAX_MEMORY, Keep::Head).ok());
    read.map(|read| Memory::read(&read.text())).unwrap_or_default()
}

/// Whether waiting can change a block: all that speaks against the run may heal, and of the candidates at least one.
fn may_heal(verdict: &Verdict) -> bool {
    let Verdict::Block { by, class, .. } = verdict else { return false };
    let heals = |reason: &&Reason| check::heals(reason.check);
    let (about_runners, about_run): (Vec<&Reason>, Vec<&Reason>) =
        by.iter().partition(|reason| reason.runner.is_some());
    let run_heals = about_run.iter().all(heals);
    match class {
        BlockClass::NoRunner => about_runners.iter().any(heals),
        BlockClass::Failed | BlockClass::Unknown => {
            run_heals && (about_runners.is_empty() || about_runners.iter().any(heals))
        }
    }
}

/// What the API cost, when it was asked at all.
fn api_use(session: &Session, github: &GitHub) -> Option<ApiUse> {
    let budget = github.budget();
    (budget.calls > 0).then(|| ApiUse {
        identity: session.red(&github.identity()),
        calls: budget.calls,
        not_modified: budget.not_modified,
        remaining: budget.remaining,
        limit: budget.limit,
        reset: budget.reset,
    })
}
