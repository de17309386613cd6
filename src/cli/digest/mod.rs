//! `digest`: what failed in Ansible's output, and why; as text, JSON or Markdown.

mod json;
mod markdown;
mod pipe;

use std::fmt::Write as _;

use anyhow::Context as _;

use super::args::{DigestArgs, DigestForm};
use super::failure::Failure;
use super::session::Session;
use crate::report::escape;
use crate::source::ansible::{self, Checkout};

/// Prints what failed.
pub(super) fn run(session: &Session, args: &DigestArgs) -> Result<(), Failure> {
    let input = ansible::Input::open(&args.path).map_err(|e| Failure::usage(e.chain()))?;
    let pass =
        |stream: &mut ansible::Stream| pipe::redacted(&session.redactor, || input.reader(), stream);
    let mut digest =
        ansible::read(pass).with_context(|| format!("read {}", args.path.display()))?;
    let job = session.job();
    // Only in a job the working folder is surely the repository that the log is about.
    if !job.repository.is_empty() && digest.failed() {
        let base = Checkout::base(&job.server_url, &job.repository, &job.sha);
        if let Some(checkout) = Checkout::open(&job.workspace, base) {
            let clean = |text: &str| session.redactor.redact(text).as_str().to_owned();
            checkout.explain(&mut digest, clean);
        }
    }
    match args.format {
        DigestForm::Json => {
            let mut written = Ok(());
            session.console(|c| written = json::write(digest, &session.redactor, c.writer()));
            written.context("write the digest as JSON")?;
        }
        DigestForm::Text => {
            // Failure by failure: a long log must not stand in memory a second time.
            text(&digest, |part| {
                let part = session.red(part);
                session.console(|console| console.text(&part));
            });
        }
        DigestForm::Markdown => {
            let source = session.red(&args.path.display().to_string());
            let hosts: Vec<String> = escape::host(&job.server_url).into_iter().collect();
            let place =
                markdown::Place { source: source.as_str(), hosts: &hosts, budget: args.budget };
            let page = markdown::page(&digest, &place);
            let text = session.page(&page);
            session.console(|console| console.text(&text));
        }
    }
    Ok(())
}

/// Kind of trouble, place and time, each on its own line below the failure.
fn explained(failure: &ansible::Failure) -> String {
    let mut lines = String::new();
    if let Some(class) = failure.class.filter(|_| failure.counts()) {
        let _ = write!(lines, "\n    {}: {}", class.words(), class.first_look());
    }
    if let Some(place) = failure.shown_place() {
        let _ = write!(lines, "\n    at {place}");
    }
    for (number, line) in failure.source.iter().flat_map(ansible::Source::numbered) {
        let _ = write!(lines, "\n    {number:>5} {line}");
    }
    lines
}

fn text(digest: &ansible::Digest, mut say: impl FnMut(&str)) {
    let safe = |line: &str| escape::terminal_line(line, escape::LINE);
    let mut say = |text: &str| say(&text.split('\n').map(safe).collect::<Vec<_>>().join("\n"));
    if !digest.is_ansible() {
        return say("no Ansible output in this file");
    }
    for error in &digest.errors {
        say(&format!("Ansible stopped before it could run: {error}"));
    }
    for run in &digest.runs {
        say(&run.verdict_line());
        for failure in &run.failures {
            let excerpt =
                failure.excerpt().lines().fold(String::new(), |out, l| out + "\n    " + l);
            say(&format!("\n{}{excerpt}{}", failure.headline(), explained(failure)));
        }
        run.aftermath().iter().for_each(|line| say(line));
        run.remarks().for_each(|remark| say(&format!("warning: {remark}")));
    }
    if let Some(line) = digest.omitted_line() {
        say(&line);
    }
}
