//! The few lines that GitHub shows next to the run: ranked, because only ten of each kind are kept.
//!
//! Writes no workflow command and escapes for none (`actions` does).

use super::rows::{self, Alike, Shared};
use super::story::{self, Mark, Piece};
use super::{BundleRow, Collected, Diagnosis, Reason, Report, Stage, Verdict, escape, units};

/// Most annotations of one kind; GitHub keeps ten per step, and two are left for what goes wrong beside the report.
pub const MOST: usize = 8;

/// The longest message in characters.
pub const MESSAGE: usize = 1000;

/// The longest title in characters.
const TITLE: usize = 200;

/// The longest foreign text in a sentence, in characters.
const FOREIGN: usize = 200;

/// How urgent an annotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Red.
    Error,
    /// Yellow.
    Warning,
    /// Grey.
    Notice,
}

/// One annotation: a title and a message of one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// How urgent it is.
    pub kind: Kind,
    /// What it is about.
    pub title: String,
    /// What was found and what to do, at most [`MESSAGE`] characters.
    pub message: String,
}

/// The annotations of a report, errors first, each kind with the most important first and at most [`MOST`] of it; the last one of a kind
/// counts those that were left out.
pub fn annotations(report: &Report) -> Vec<Annotation> {
    let mut all = match report.stage {
        Stage::Preflight => gate(report),
        Stage::Diagnose => black_box(report),
    };
    if report.partial {
        all.push(made(
            Kind::Warning,
            "Partial report",
            "the run was stopped by a signal; what is missing was not asked or not collected",
        ));
    }
    all.extend(report.notes.iter().map(|note| made(Kind::Notice, "Note", note.as_str())));
    [Kind::Error, Kind::Warning, Kind::Notice]
        .into_iter()
        .flat_map(|kind| few(&all, kind))
        .collect()
}

fn few(all: &[Annotation], kind: Kind) -> Vec<Annotation> {
    let same: Vec<_> = all.iter().filter(|a| a.kind == kind).collect();
    let left_out = same.len().saturating_sub(MOST);
    let mut kept: Vec<_> = same.into_iter().take(MOST).cloned().collect();
    if let Some(last) = kept.last_mut().filter(|_| left_out > 0) {
        let more = format!(" (and {left_out} more in the job summary)");
        let room = MESSAGE - more.chars().count();
        last.message = format!("{}{more}", escape::cut(&last.message, room));
    }
    kept
}

fn gate(report: &Report) -> Vec<Annotation> {
    let mut all = Vec::new();
    match &report.verdict {
        None => all.push(made(
            Kind::Warning,
            "Gate has no decision",
            &sentence(&story::headline(report).pieces),
        )),
        Some(Verdict::Proceed) => all.extend(fail_over(report)),
        Some(Verdict::ProceedWithWarnings(warnings)) => {
            all.extend(fail_over(report));
            all.extend(look_at(report, warnings));
        }
        Some(Verdict::Block { by, warnings, class: _ }) => {
            let (kind, lead) = if report.shadow {
                (Kind::Warning, "Would have blocked")
            } else {
                (Kind::Error, "Blocked by")
            };
            all.extend(rows::shared(by, Alike::Answer).iter().map(|r| because(kind, lead, r)));
            all.extend(fail_over(report));
            all.extend(look_at(report, warnings));
        }
    }
    all
}

fn fail_over(report: &Report) -> Option<Annotation> {
    story::fail_over(report).map(|pieces| made(Kind::Warning, "Failed over", &sentence(&pieces)))
}

/// The warnings; why a candidate was passed over is told once, as the fail-over.
fn look_at(report: &Report, warnings: &[Reason]) -> Vec<Annotation> {
    let told = report.selection.as_ref().filter(|s| s.failed_over()).and_then(|s| {
        let first = s.candidates.first()?;
        Some((&first.name, first.why_not.first()?))
    });
    let is_told = |reason: &&Reason| {
        told.is_some_and(|(name, why)| {
            reason.runner.as_ref() == Some(name) && why.as_str().ends_with(reason.summary.as_str())
        })
    };
    let rest = warnings.iter().filter(|reason| !is_told(reason));
    let shared = rows::shared(rest, Alike::Answer);
    shared.iter().map(|r| because(Kind::Warning, "Look at", r)).collect()
}

fn because(kind: Kind, lead: &str, shared: &Shared<'_>) -> Annotation {
    let about = if shared.runners.is_empty() {
        String::new()
    } else {
        format!(" on {}", sentence(&story::names(&shared.runners)))
    };
    let reason = shared.reason;
    let help = shared.help.as_ref().map(|help| format!(" - {help}")).unwrap_or_default();
    let message = format!("{}{help} (runbook {})", shared.summary, reason.runbook);
    made(kind, &format!("{lead} {}{about}", reason.check), &message)
}

fn black_box(report: &Report) -> Vec<Annotation> {
    let headline = story::headline(report);
    let (kind, title) = (urgency(headline.mark), sentence(&headline.pieces));
    let mut all = Vec::new();
    match report.diagnoses.split_first() {
        None if story::is_quiet(report) => {}
        None => all.push(made(kind, &title, &unexplained(report))),
        Some((best, others)) => {
            all.push(made(kind, &title, &why(best)));
            all.extend(
                others
                    .iter()
                    .map(|d| made(Kind::Notice, &format!("Also possible: {}", d.title), &why(d))),
            );
        }
    }
    all.extend(report.collected.iter().filter_map(|row| match &row.collected {
        Collected::Failed(chain) => {
            Some(made(Kind::Notice, &format!("Not collected: {}", row.collector), chain.as_str()))
        }
        Collected::TimedOut => Some(made(
            Kind::Notice,
            &format!("Not collected: {}", row.collector),
            "stopped at its time limit",
        )),
        Collected::Ok { .. } | Collected::Skipped(_) => None,
    }));
    // What a reader opens first stands before the causes that are less likely.
    let place = usize::from(!all.is_empty());
    all.splice(place..place, report.bundle.iter().map(bundle));
    all
}

const fn urgency(mark: Mark) -> Kind {
    match mark {
        Mark::Shut | Mark::Bad => Kind::Error,
        Mark::Look | Mark::Open => Kind::Warning,
        Mark::Good => Kind::Notice,
    }
}

fn unexplained(report: &Report) -> String {
    match story::last_error(report) {
        Some(error) => format!("line {}: {}", error.line, foreign(error.text.as_str())),
        None => "no error could be read in the evidence; see the end of the job's log".to_owned(),
    }
}

fn why(diagnosis: &Diagnosis) -> String {
    let evidence = diagnosis
        .evidence
        .first()
        .map(|e| format!("{}:{}: {}", e.path, e.line, foreign(e.text.as_str())))
        .unwrap_or_default();
    let fix = diagnosis.remediation.first().map(|fix| format!(" - {fix}")).unwrap_or_default();
    format!(
        "{evidence}{fix} ({}, {} %; {}; runbook {})",
        diagnosis.certainty().word(),
        story::percent(diagnosis.confidence),
        story::retry_advice(diagnosis),
        diagnosis.runbook
    )
}

fn bundle(bundle: &BundleRow) -> Annotation {
    let size = units::bytes(bundle.bytes);
    match &bundle.artifact {
        Some(Ok(artifact)) => made(
            Kind::Notice,
            "Evidence",
            &format!("artifact {} ({size}): {}", artifact.name, artifact.url),
        ),
        Some(Err(why)) => made(
            Kind::Warning,
            "Evidence was not uploaded",
            &format!("{}; it lies at {} ({size})", why.as_str(), bundle.path),
        ),
        None => made(Kind::Notice, "Evidence", &format!("it lies at {} ({size})", bundle.path)),
    }
}

fn made(kind: Kind, title: &str, message: &str) -> Annotation {
    let line = escape::terminal_line;
    Annotation { kind, title: line(title, TITLE), message: line(message, MESSAGE) }
}

fn foreign(text: &str) -> String {
    escape::terminal_line(text, FOREIGN)
}

fn sentence(pieces: &[Piece<'_>]) -> String {
    let words = |piece: &Piece<'_>| match piece {
        Piece::Own(words) => words.clone(),
        Piece::Id(words) => (*words).to_owned(),
        Piece::Prose(words) => words.clone().into_owned(),
        Piece::Foreign(words) => foreign(words),
    };
    pieces.iter().map(words).collect()
}

#[cfg(test)]
mod tests;
