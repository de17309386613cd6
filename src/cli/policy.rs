//! The commands about the policy that a team reads: check, schema, print, requirements.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::json;

use super::args::{ConfigCommand, DigestFormat, FileArgs};
use super::exit;
use super::failure::Failure;
use super::requirements;
use super::session::Session;
use crate::check;
use crate::config::{self, Config, ConfigErrors};
use crate::redact::unseen::is_unseen;
use crate::report::escape;
use crate::source::files;

const MAX_CONFIG: usize = 256 * 1024;

/// Runs one of them.
pub(super) fn run(session: &Session, command: &ConfigCommand) -> Result<u8, Failure> {
    match command {
        ConfigCommand::Check { file, format } => return config_check(session, file, *format),
        ConfigCommand::Schema => {
            let text = format!("{:#}\n", config::schema(&check::known(), &question));
            show(session, &text);
        }
        ConfigCommand::Print(args) => {
            let config = of_file(session, args)?;
            show(session, &visible(&config::print(&config, &check::known())));
            notes(session, &config);
        }
        ConfigCommand::Requirements(args) => {
            let config = of_file(session, args)?;
            // In the log of a job the old form of a command is obeyed anywhere in a line.
            show(session, &requirements::markdown(&config, check::ALL).replace("##[", "# #["));
        }
    }
    Ok(exit::PROCEED)
}

fn question(id: &str) -> &'static str {
    check::ALL.iter().find(|c| c.id() == id).map_or("", |c| c.question())
}

/// Reads a configuration file and says that it is right; every mistake is an error.
fn config_check(session: &Session, file: &Path, form: DigestFormat) -> Result<u8, Failure> {
    let name = file.display().to_string();
    let text = text_of(file)?;
    match (config::load(Some((&name, &text)), &session.inputs, &check::known()), form) {
        (Ok(config), DigestFormat::Text) => {
            let line = format!(
                "{name}: ok ({} runner(s), {} endpoint(s), {} required secret(s), {} check(s))\n",
                config.runners.len(),
                config.endpoints.len(),
                config.secrets.len(),
                config.checks.len()
            );
            show(session, &line);
            notes(session, &config);
            Ok(exit::PROCEED)
        }
        (Ok(config), DigestFormat::Json) => {
            json_answer(session, &ConfigErrors(Vec::new()), &config.unused);
            Ok(exit::PROCEED)
        }
        (Err(errors), DigestFormat::Json) => {
            json_answer(session, &errors, &[]);
            Ok(exit::USAGE)
        }
        (Err(errors), DigestFormat::Text) => Err(errors.into()),
    }
}

/// YAML that means the same and hides nothing: what nobody sees can stand only in its strings in double quotes, and so can `##[`, which
/// the runner obeys anywhere in a line.
fn visible(yaml: &str) -> String {
    let mut out = String::with_capacity(yaml.len());
    for c in yaml.replace("##[", "#\\x23[").chars() {
        if is_unseen(c) && c != '\n' {
            let _ = write!(out, "\\U{:08x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// For editors and for other programs.
fn json_answer(session: &Session, errors: &ConfigErrors, notes: &[String]) {
    let errors: Vec<serde_json::Value> = errors
        .0
        .iter()
        .map(|e| {
            json!({
                "place": e.place,
                "line": e.line,
                "column": e.column,
                "message": e.message,
                "help": e.help,
            })
        })
        .collect();
    let answer = json!({"ok": errors.is_empty(), "errors": errors, "notes": notes});
    let text = session.redactor.pretty_json(answer);
    session.console(|console| console.exact(&text));
}

/// The configuration of a file and of what else was given; a default file may be missing.
fn of_file(session: &Session, args: &FileArgs) -> Result<Config, Failure> {
    let name = args.file.display().to_string();
    if name == config::DEFAULT_FILE && !args.file.exists() {
        return Ok(config::load(None, &session.inputs, &check::known())?);
    }
    let text = text_of(&args.file)?;
    Ok(config::load(Some((&name, &text)), &session.inputs, &check::known())?)
}

fn text_of(file: &Path) -> Result<String, Failure> {
    let read = files::read_capped(file, MAX_CONFIG).map_err(|e| Failure::usage(e.chain()))?;
    if read.truncated {
        let name = file.display();
        return Err(Failure::usage(format!("{name}: larger than the limit of {MAX_CONFIG} bytes")));
    }
    Ok(read.text())
}

/// What matched nothing, as comments, so that what is printed stays YAML.
fn notes(session: &Session, config: &Config) {
    let safe = |note: &String| format!("# note: {}\n", escape::terminal_line(note, escape::LINE));
    let text: String = config.unused.iter().map(safe).collect();
    show(session, &text);
}

fn show(session: &Session, text: &str) {
    if !text.is_empty() {
        let text = session.red(text);
        session.console(|console| console.exact(&text));
    }
}
