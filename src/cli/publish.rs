//! A report on its way to where people and programs read it: summary, annotations, outputs, log, stdout.

use std::path::{Component, Path};

use super::args::{CommonArgs, Format};
use super::exit;
use super::failure::Failure;
use super::session::Session;
use crate::actions::command::{Colours, complain};
use crate::actions::{Kind, files};
use crate::redact::Redacted;
use crate::report::text::Style;
use crate::report::{
    Report, Selection, Stage, Verdict, annotations, escape, json, junit, summary, text,
};

/// Prints a report in the form that was asked for.
pub(super) fn print(session: &Session, report: &Report, args: &CommonArgs) {
    match args.format {
        Format::Text => {
            let coloured = Colours::from(args.color).on_stdout(&session.env);
            let style = if coloured { Style::Colour } else { Style::Plain };
            let text = session.page(&text::to_text(report, style));
            session.console(|console| console.text(&text));
        }
        Format::Json => {
            let json = to_json(session, report);
            session.console(|console| console.exact(&json));
        }
        Format::Summary => {
            let summary = render(session, report, summary::BUDGET).starred();
            // In a workflow the runner may read it: a line of a log excerpt stands first in its line.
            if session.context.in_actions {
                session.console(|console| console.text(&summary));
            } else {
                session.console(|console| console.exact(&summary));
            }
        }
    }
}

/// The JSON form, every string of it redacted once more: by itself, since a rule that reads over lines would take our own layout for a log.
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
    session.page(&rendered)
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

/// Largest part of a draft that shows the report, in bytes: the whole follows, and a draft is written when time counts.
const DRAFT: usize = 128 * 1024;

/// Leaves what is known so far in the place of the step summary. A process that is killed has no later moment to say it.
pub(super) fn draft(session: &Session, known: Option<&Report>) {
    let head = "### ⏳ runner-guard is still at work\n\nIf the job has ended, it was stopped here (cancelled, out of memory, or the runner went away)";
    let text = match known {
        Some(report) => {
            let place = report.bundle.as_ref().map_or_else(String::new, |bundle| {
                format!(" The evidence lies at {}.", escape::code_span(&bundle.path))
            });
            let shown = render(session, report, DRAFT);
            format!("{head}, and this is what it knew.{place}\n\n{}", shown.as_str())
        }
        None => format!("{head} while it collected the evidence: start the job again to get it.\n"),
    };
    if let Err(problem) = session.context.files.draft_summary(&session.red(&text)) {
        tracing::debug!("no draft of the summary: {problem}");
    }
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
    hand_over(session, &outputs);
    junit(session, report);
}

fn hand_over(session: &Session, outputs: &[(&'static str, Redacted)]) {
    let shown = |(name, value): &(&'static str, Redacted)| {
        (*name, session.redactor.redact_page(&escape::output(value.as_str())))
    };
    let outputs: Vec<_> = outputs.iter().map(shown).collect();
    if let Err(problem) = session.context.files.outputs(&outputs) {
        warn(session, "Outputs not written", &problem.to_string());
    }
}

/// Leaves the findings of the gate as JUnit XML where the input `junit` says. A file that can not be written is only a warning.
pub(super) fn junit(session: &Session, report: &Report) {
    let Some(file) = session.inputs.given("junit").filter(|_| report.stage == Stage::Preflight)
    else {
        return;
    };
    if let Err(problem) = leave_junit(session, report, Path::new(file)) {
        let problem = format!("{problem}\n  help: correct the input junit: {file}");
        warn(session, "JUnit report not written", &problem);
        if !session.context.in_actions {
            complain(&session.red(&format!("warning: JUnit report not written: {problem}")));
        }
    }
}

fn leave_junit(session: &Session, report: &Report, file: &Path) -> Result<(), String> {
    let workspace = &session.context.workspace;
    let inside =
        file.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if session.context.in_actions && !inside {
        return Err("the file must lie in the workspace: a relative path without `..`".to_owned());
    }
    let path = workspace.join(file);
    // A link in a checked-out repository must not choose another file.
    if path.is_symlink() {
        return Err("the file is a symbolic link".to_owned());
    }
    let name = path.file_name().ok_or("a file name is missing")?.to_string_lossy();
    let folder = path.parent().unwrap_or(workspace);
    let text = junit::to_junit(report, &session.redactor);
    files::leave(folder, &name, &text).map(drop).map_err(|problem| problem.to_string())
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
        let (title, message) =
            (session.shown(&annotation.title), session.shown(&annotation.message));
        session.console(|console| console.annotation(kind, &title, &message));
    }
}

/// A warning of our own, about something that went wrong beside the report.
pub(super) fn warn(session: &Session, title: &str, message: &str) {
    let (title, message) = (session.shown(title), session.shown(message));
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
    let reasons = verdict.map(Verdict::reasons).unwrap_or_default();
    let selection = report.selection.as_ref();
    let chosen = selection.and_then(Selection::chosen);
    // A watching gate changes nothing: the deploy goes where it would have gone without it.
    let first = selection.and_then(|s| s.candidates.first()).filter(|_| report.shadow);
    let runner = chosen.or(first);
    let labels = runner.map(|c| c.labels.iter().map(|l| l.as_str().to_owned()).collect());
    let told = GateOutputs {
        verdict: verdict.map_or("", Verdict::word),
        reasons: reasons.into_iter().map(reason_line).collect(),
        runner: runner.map(|c| c.name.clone()).unwrap_or_default(),
        role: runner.map(|c| c.role.clone()).unwrap_or_default(),
        labels: labels.unwrap_or_default(),
        failed_over: selection.is_some_and(Selection::failed_over),
        report: leave_report(session, report),
    };
    told.named(session, code)
}

/// The outputs of a gate that could not do its work: the same names, so that no workflow meets a name that is not there.
pub(super) fn failed_gate(session: &Session, why: &str, code: u8) {
    let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
    let told = GateOutputs { reasons: vec![why], ..GateOutputs::default() };
    hand_over(session, &told.named(session, code));
}

/// What the gate hands to the workflow; blank where there is nothing.
#[derive(Default)]
struct GateOutputs {
    verdict: &'static str,
    reasons: Vec<String>,
    runner: Redacted,
    role: Redacted,
    labels: Vec<String>,
    failed_over: bool,
    report: Redacted,
}

impl GateOutputs {
    fn named(self, session: &Session, code: u8) -> Vec<(&'static str, Redacted)> {
        let json = |value: serde_json::Value| session.redactor.json(value);
        let failed_over = if self.failed_over { "true" } else { "false" };
        vec![
            ("verdict", session.red(self.verdict)),
            ("reason", session.red(self.reasons.first().map_or("", String::as_str))),
            ("reasons", json(serde_json::json!(self.reasons))),
            ("exit-code", session.red(&code.to_string())),
            ("runner", self.runner),
            ("role", self.role),
            ("failed-over", session.red(failed_over)),
            ("runs-on", json(serde_json::json!(self.labels))),
            ("report", self.report),
        ]
    }
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
    let text = |value: Option<&str>| session.exact(value.unwrap_or_default());
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
        ("report-url", text(report.bundle.as_ref().and_then(|b| b.page.as_deref()))),
        ("exit-code", session.red(&exit::PROCEED.to_string())),
    ]
}
