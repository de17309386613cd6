//! `redact`: stdin to stdout, files to a folder, or a bundle to a new one.
//!
//! Nothing is given out before the redactor proved itself; of files and bundles only what passed the second look is.

use std::collections::BTreeSet;
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::args::{ProfileWord, RedactArgs};
use super::failure::Failure;
use super::redact_bundle;
use super::session::Session;
use super::sharing;
use crate::actions::files as written;
use crate::collect::bundle::rewrite;
use crate::config;
use crate::redact::{Profile, Verifier};
use crate::report::redaction::{self, Redaction};
use crate::source::files;

/// Bytes of an input that are read at a time.
const BUFFER: usize = 1 << 20;

pub(super) fn run(session: &Session, args: &RedactArgs) -> Result<(), Failure> {
    let config = match &args.config {
        Some(_) => session.config()?,
        None => config::defaults(&crate::check::known()),
    };
    session.share_as(args.profile.map_or(sharing::profile(config.redact.profile), of), &config);
    let redaction = match (&args.bundle, &args.out) {
        (Some(bundle), Some(out)) => redact_bundle::run(session, bundle, out, prove(session)?)?,
        (None, Some(out)) if !args.files.is_empty() => {
            of_files(session, &args.files, out, prove(session)?)?
        }
        (Some(_), None) | (None, Some(_)) => {
            return Err(Failure::usage(
                "--out without a file or a bundle has nothing to write\n  help: name files, or --bundle BUNDLE",
            ));
        }
        (None, None) => of_stdin(session, prove(session)?)?,
    };
    if let Some(file) = &args.report {
        leave_report(session, file, &redaction)?;
    }
    match redaction.withheld.as_slice() {
        [] => Ok(()),
        withheld => Err(Failure::Unexpected(held(withheld))),
    }
}

const fn of(word: ProfileWord) -> Profile {
    match word {
        ProfileWord::Internal => Profile::Internal,
        ProfileWord::ShareWithVendor => Profile::ShareWithVendor,
        ProfileWord::Public => Profile::Public,
    }
}

/// Nothing is given out by a redactor that misses a planted secret.
fn prove(session: &Session) -> Result<Redaction, Failure> {
    match session.redactor.prove() {
        Ok(proof) => Ok(Redaction { proof: Some(Ok(proof)), ..Redaction::default() }),
        Err(missed) => Err(Failure::Unexpected(anyhow::anyhow!(
            "nothing was written: the redactor missed what was planted to prove it ({})",
            missed.join(", ")
        ))),
    }
}

fn held(withheld: &[(String, Vec<String>)]) -> anyhow::Error {
    let told = |(path, names): &(String, Vec<String>)| {
        format!("{path} was withheld: after redaction it still held {}", names.join(", "))
    };
    anyhow::anyhow!("{}", withheld.iter().map(told).collect::<Vec<_>>().join("; "))
}

fn of_stdin(session: &Session, mut redaction: Redaction) -> Result<Redaction, Failure> {
    let mut input = BufReader::with_capacity(BUFFER, io::stdin());
    let copied = session.console(|console| session.redactor.copy(&mut input, console.writer()));
    let counts = copied.context("copy stdin to stdout")?;
    redaction.files.push(("stdin".to_owned(), counts));
    Ok(redaction)
}

fn of_files(
    session: &Session,
    inputs: &[PathBuf],
    out: &Path,
    mut redaction: Redaction,
) -> Result<Redaction, Failure> {
    let targets = targets(inputs, out)?;
    let learned = session.redactor.profile() != Profile::Internal;
    for (input, _, _) in targets.iter().filter(|_| learned) {
        learn(session, input)?;
    }
    for (input, name, target) in &targets {
        let file = files::open(input).map_err(|e| Failure::usage(e.chain()))?;
        let mut reader = BufReader::with_capacity(BUFFER, file);
        make(out)?;
        let done = rewrite::stream(target, |writer| {
            let mut tee = Tee { writer, verifier: session.redactor.verifier() };
            let counts = session.redactor.copy_at(name, &mut reader, &mut tee)?;
            match tee.verifier.finish() {
                held if held.is_empty() => Ok(counts),
                held => Err(io::Error::other(Held(held))),
            }
        });
        match done {
            Ok(counts) => redaction.files.push((name.clone(), counts)),
            Err(error) => match error.downcast::<Held>() {
                Ok(Held(names)) => redaction.withheld.push((name.clone(), names)),
                Err(error) => {
                    return Err(Failure::Unexpected(
                        anyhow::Error::new(error).context(format!("write {}", target.display())),
                    ));
                }
            },
        }
    }
    Ok(redaction)
}

/// Names of values that a text still holds.
#[derive(Debug, thiserror::Error)]
#[error("it still holds known values")]
struct Held(Vec<String>);

/// Input, name and place of every file.
fn targets(inputs: &[PathBuf], out: &Path) -> Result<Vec<(PathBuf, String, PathBuf)>, Failure> {
    let mut names = BTreeSet::new();
    let mut targets = Vec::new();
    for input in inputs {
        let shown = input.display();
        // Opened here as well, so that a mistake in the last name costs no half of the work.
        files::open(input).map_err(|e| {
            Failure::usage(format!(
                "{}\n  help: name regular files, no folders and no links",
                e.chain()
            ))
        })?;
        let name = input.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !names.insert(name.clone()) {
            return Err(Failure::usage(format!(
                "{shown}: another file is called {name} as well\n  help: redact them to different folders"
            )));
        }
        let target = out.join(&name);
        if std::fs::symlink_metadata(&target).is_ok() {
            return Err(Failure::usage(format!(
                "{} is there already\n  help: give --out a new folder; nothing is written over",
                target.display()
            )));
        }
        targets.push((input.clone(), name, target));
    }
    Ok(targets)
}

fn learn(session: &Session, input: &Path) -> Result<(), Failure> {
    const LOOKED_AT: usize = 64 << 20;
    let read = files::read(input, LOOKED_AT, files::Keep::HeadAndTail);
    session.redactor.learn(&read.map_err(|e| Failure::usage(e.chain()))?.text());
    Ok(())
}

fn make(folder: &Path) -> Result<(), Failure> {
    std::fs::DirBuilder::new().recursive(true).create(folder).map_err(|error| {
        Failure::usage(format!(
            "make the folder {}: {error}\n  help: give --out a folder that can be written",
            folder.display()
        ))
    })
}

fn leave_report(session: &Session, file: &Path, redaction: &Redaction) -> Result<(), Failure> {
    if file.is_symlink() {
        return Err(Failure::usage(format!(
            "{} is a symbolic link\n  help: give --report a file",
            file.display()
        )));
    }
    let folder = file.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let text = redaction::to_json(redaction, &session.redactor);
    written::leave(folder, &name, &text).map_err(|problem| {
        Failure::usage(format!("{problem}\n  help: give --report a file that can be written"))
    })?;
    Ok(())
}

/// Writes to one place and shows the same to the verifier.
struct Tee<'a> {
    writer: &'a mut dyn Write,
    verifier: Verifier,
}

impl Write for Tee<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.writer.write(bytes)?;
        self.verifier.push(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}
