//! The plain command `explain`: prints what is known about an id.

use anyhow::Context as _;

use super::failure::Failure;
use super::session::Session;
use crate::check;
use crate::collect;
use crate::diagnose::Signatures;
use crate::report::json;

/// What `explain` calls the JSON Schema of the report.
const REPORT_SCHEMA: &str = "report-schema";

/// Explains one id, or lists what can be explained.
pub(super) fn explain(session: &Session, id: Option<&str>) -> Result<(), Failure> {
    if id == Some(REPORT_SCHEMA) {
        let text = session.redactor.pretty_json(json::schema());
        session.console(|console| console.exact(&text));
        return Ok(());
    }
    let signatures = Signatures::builtin().context("load the built-in signatures")?;
    let text = match id {
        Some(id) => explanation(id, &signatures).ok_or_else(|| unknown_id(id, &signatures))?,
        None => format!(
            "checks, collectors, signatures, exit codes and the schema of the report:\n  {}",
            ids(&signatures).join("\n  ")
        ),
    };
    let text = session.red(&text);
    session.console(|console| console.text(&text));
    Ok(())
}

fn explanation(id: &str, signatures: &Signatures) -> Option<String> {
    if let Some(check) = check::ALL.iter().find(|c| c.id() == id) {
        return Some(of_check(*check));
    }
    if let Some(collector) = collect::ALL.iter().find(|c| c.id() == id) {
        return Some(format!("{id} (collector)\n\n{}", collector.explain()));
    }
    if let Some(signature) = signatures.get(id) {
        let steps: Vec<String> = signature
            .remediation
            .iter()
            .enumerate()
            .map(|(i, step)| format!("  {}. {step}", i + 1))
            .collect();
        let runbook = &signature.runbook;
        return Some(format!(
            "{id} (signature): {}\n\ncategory {}, confidence {:.2}, run again: {}\n\n{}\n\nrunbook: docs/runbooks/{runbook}.md#{id}",
            signature.title,
            signature.category,
            signature.confidence,
            signature.retryable,
            steps.join("\n")
        ));
    }
    exit_code(id).map(|meaning| format!("exit code {id}: {meaning}"))
}

fn of_check(check: &dyn check::Check) -> String {
    let options: Vec<String> = check
        .options()
        .iter()
        .map(|o| format!("  {} (default {}): {}", o.name, o.default, o.help))
        .collect();
    let options = if options.is_empty() {
        String::new()
    } else {
        format!("\n\noptions under checks.{}:\n{}", check.id(), options.join("\n"))
    };
    format!(
        "{} (check, level {} by default): {}\n\n{}{options}\n\nrunbook: docs/runbooks/{}.md#{}",
        check.id(),
        check.level().word(),
        check.question(),
        check.explain(),
        check.runbook(),
        check.id()
    )
}

fn exit_code(id: &str) -> Option<&'static str> {
    Some(match id {
        "0" => "the deploy may proceed, or the command did its work",
        "1" => "something failed that should not have",
        "2" => "the command line or the configuration is wrong",
        "10" => "blocked: a check answered no",
        "11" => "blocked: a check had no answer, and policy fails closed",
        "12" => "blocked: none of the candidates is eligible",
        "130" => "cancelled by a signal; what was there was written",
        _ => return None,
    })
}

fn ids(signatures: &Signatures) -> Vec<String> {
    let mut ids: Vec<String> = check::ALL.iter().map(|c| c.id().to_owned()).collect();
    ids.extend(collect::ALL.iter().map(|c| c.id().to_owned()));
    ids.extend(signatures.iter().map(|s| s.id.clone()));
    ids.extend(["0", "1", "2", "10", "11", "12", "130"].map(str::to_owned));
    ids.push(REPORT_SCHEMA.to_owned());
    ids
}

fn unknown_id(id: &str, signatures: &Signatures) -> Failure {
    let all = ids(signatures);
    let near = all
        .iter()
        .max_by(|a, b| strsim::jaro_winkler(id, a).total_cmp(&strsim::jaro_winkler(id, b)));
    let near = near.map(|n| format!("did you mean `{n}`? ")).unwrap_or_default();
    Failure::usage(format!(
        "nothing is called `{id}`\n  help: {near}`runner-guard explain` lists everything"
    ))
}
