//! A report on its way to where people and programs read it: summary, annotations, outputs, log, stdout.

use std::path::Path;

use super::args::Format;
use super::exit;
use super::failure::Failure;
use super::session::Session;
use crate::actions::{Kind, files};
use crate::redact::Redacted;
use crate::report::text::Style;
use crate::report::{Report, Stage, annotations, json, summary, text};

/// Prints a report in this form.
pub(super) fn print(session: &Session, report: &Report, format: Format) {
    match format {
        Format::Text => {
            let text = session.red(&text::to_text(report, Style::Plain));
            session.console(|console| console.text(&text));
        }
        Format::Json => {
            let json = to_json(session, report);
            session.console(|console| console.exact(&json));
        }
        Format::Summary => {
            let summary = render(session, report, summary::BUDGET);
            session.console(|console| console.exact(&summary));
        }
    }
}

/// The JSON form with every text redacted once more.
pub(super) fn to_json(session: &Session, report: &Report) -> Redacted {
    session.redactor.pretty_json(json::to_json(report))
}

/// The summary; a template that fails must not cost the report, so the plain text stands in.
fn render(session: &Session, report: &Report, budget: usize) -> Redacted {
    let rendered = summary::render(report, budget).unwrap_or_else(|error| {
        format!(
            "```text\n{}\n```\n(the summary could not be rendered: {error})\n",
            text::to_text(report, Style::Plain).replace("```", "'''")
        )
    });
    session.red(&rendered)
}

/// Leaves the job summary beside the other files of a plain command.
pub(super) fn leave_summary(
    session: &Session,
    report: &Report,
    folder: &Path,
) -> Result<(), Failure> {
    let summary = render(session, report, summary::BUDGET);
    let left = files::leave(folder, "summary.md", &summary);
    left.map(drop).map_err(|problem| Failure::Unexpected(anyhow::anyhow!(problem.0)))
}

/// Hands a report to the runner: log, annotations, summary, outputs. What can not be handed over is said on stdout.
pub(super) fn to_runner(session: &Session, report: &Report, code: u8) {
    log(session, report);
    annotate(session, report);
    let summary = render(session, report, session.context.files.summary_budget().saturating_sub(1));
    if let Err(problem) = session.context.files.summary(&summary) {
        warn(session, "Summary not written", &format!("{problem}; it follows here"));
        session.console(|console| console.text(&summary));
    }
    let outputs = outputs(session, report, code);
    if let Err(problem) = session.context.files.outputs(&outputs) {
        warn(session, "Outputs not written", &problem.to_string());
    }
}

/// The report in the log of the step: the answer in the open, the rest folded.
fn log(session: &Session, report: &Report) {
    let text = text::to_text(report, Style::Plain);
    let (answer, rest) = text.split_once("\n\n").unwrap_or((&text, ""));
    let (answer, rest) = (session.red(answer), session.red(rest));
    let title = session.red("runner-guard: the whole report");
    session.console(|console| {
        console.text(&answer);
        console.group(&title);
        console.text(&rest);
        console.end_group();
    });
}

fn annotate(session: &Session, report: &Report) {
    for annotation in annotations::annotations(report) {
        let kind = match annotation.kind {
            annotations::Kind::Error => Kind::Error,
            annotations::Kind::Warning => Kind::Warning,
            annotations::Kind::Notice => Kind::Notice,
        };
        let (title, message) = (session.red(&annotation.title), session.red(&annotation.message));
        session.console(|console| console.annotation(kind, &title, &message));
    }
}

/// A warning of our own, about something that went wrong beside the report.
pub(super) fn warn(session: &Session, title: &str, message: &str) {
    let (title, message) = (session.red(title), session.red(message));
    session.console(|console| console.annotation(Kind::Warning, &title, &message));
}

fn outputs(session: &Session, report: &Report, code: u8) -> Vec<(&'static str, Redacted)> {
    match report.stage {
        Stage::Preflight => gate_outputs(session, report, code),
        Stage::Diagnose => cause_outputs(session, report),
    }
}

fn gate_outputs(session: &Session, report: &Report, code: u8) -> Vec<(&'static str, Redacted)> {
    let verdict = report.verdict.as_ref();
    let reasons: Vec<String> = verdict
        .map(crate::report::Verdict::reasons)
        .unwrap_or_default()
        .iter()
        .map(|r| reason_line(r))
        .collect();
    let chosen = report.selection.as_ref().and_then(crate::report::Selection::chosen);
    // A watching gate changes nothing: the deploy goes where it would have gone without it.
    let first =
        report.selection.as_ref().and_then(|s| s.candidates.first()).filter(|_| report.shadow);
    let runner = chosen.or(first);
    let labels: Vec<&str> =
        runner.map(|c| c.labels.iter().map(Redacted::as_str).collect()).unwrap_or_default();
    let json = |value: serde_json::Value| session.redactor.json(value);
    vec![
        ("verdict", session.red(verdict.map_or("", |v| v.word()))),
        ("reason", session.red(reasons.first().map_or("", String::as_str))),
        ("reasons", json(serde_json::json!(reasons))),
        ("exit-code", session.red(&code.to_string())),
        ("runner", runner.map(|c| c.name.clone()).unwrap_or_default()),
        ("role", runner.map(|c| c.role.clone()).unwrap_or_default()),
        ("runs-on", json(serde_json::json!(labels))),
        ("report", leave_report(session, report)),
    ]
}

fn reason_line(reason: &crate::report::Reason) -> String {
    match &reason.runner {
        Some(runner) => format!("{} on {runner}: {}", reason.check, reason.summary),
        None => format!("{}: {}", reason.check, reason.summary),
    }
}

/// Leaves the report for the black box of the same job; the path, or blank.
fn leave_report(session: &Session, report: &Report) -> Redacted {
    let folder = super::action::folder(session);
    match files::leave(&folder, "preflight.json", &to_json(session, report)) {
        Ok(path) => session.red(&path.display().to_string()),
        Err(problem) => {
            warn(session, "Report not left for the black box", &problem.to_string());
            Redacted::default()
        }
    }
}

fn cause_outputs(session: &Session, report: &Report) -> Vec<(&'static str, Redacted)> {
    let cause = report.diagnoses.first();
    let artifact =
        report.bundle.as_ref().and_then(|b| b.artifact.as_ref()).and_then(|a| a.as_ref().ok());
    let text = |value: Option<&str>| session.red(value.unwrap_or_default());
    let runbook = cause.map(|c| format!("{}/{}.md#{}", report.runbooks, c.runbook, c.id));
    vec![
        ("cause", text(cause.map(|c| c.title.as_str()))),
        ("cause-id", text(cause.map(|c| c.id.as_str()))),
        ("confidence", text(cause.map(|c| format!("{:.2}", c.confidence)).as_deref())),
        ("runbook", text(runbook.as_deref())),
        ("bundle", text(report.bundle.as_ref().map(|b| b.path.as_str()))),
        ("artifact-name", text(artifact.map(|a| a.name.as_str()))),
        ("artifact-id", text(artifact.map(|a| a.id.as_str()))),
        ("artifact-url", text(artifact.map(|a| a.url.as_str()))),
        ("exit-code", session.red(&exit::PROCEED.to_string())),
    ]
}
