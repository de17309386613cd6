//! Logs as evidence: read by the grammar of Ansible where they hold a run, else as plain text of a job.
//!
//! Nothing is read before it is its turn. The secrets are gone before the parser reads.

use std::io::{self, BufRead, Write};
use std::path::Path;
use std::sync::Arc;

use crate::redact::{Redactor, Sealed};
use crate::report::{
    Allowance, BundlePath, Evidence, EvidenceKind, Excerpt, Look, Opened, Play, PlayHost, Raw,
    Structure, Truncation,
};
use crate::source::Error;
use crate::source::ansible::{self, Checkout, Digest, Failure, Run, Verdict};
use crate::source::files::{self, Folder, Roots, Stream};

/// How GitHub's log marks an error of a step.
const ERROR_MARK: &[u8] = b"##[error]";

/// Gives the checkout in which the places of failures are looked for; asked only when something failed.
pub(super) type Places = Box<dyn FnOnce() -> Option<Checkout> + Send>;

/// Evidence of a log that is at hand.
pub fn log_evidence(path: BundlePath, origin: &str, text: impl Into<String>) -> Evidence<Raw> {
    let plain = Evidence::new(path, EvidenceKind::JobLog, origin, text);
    plain.looked_at(look(Box::new(|| None)))
}

/// Evidence of a log in a file.
///
/// # Errors
/// It can not be opened.
pub fn log_file(path: BundlePath, file: &Path) -> Result<Evidence<Raw>, Error> {
    self::file(path, file, &Roots::default(), Box::new(|| None))
}

/// As [`log_file`], below foreign folders, with the places of the failures in a checkout.
pub(super) fn file(
    path: BundlePath,
    file: &Path,
    roots: &Roots,
    places: Places,
) -> Result<Evidence<Raw>, Error> {
    let size = roots.size(file)?;
    let (from, roots) = (file.to_owned(), roots.clone());
    let open = move |most: Allowance| {
        let stream = roots.stream(&from, most.bytes, most.lines);
        stream.map(opened).map_err(|e| e.chain())
    };
    let origin = file.display().to_string();
    let raw = Evidence::later(path, EvidenceKind::JobLog, origin, size, Box::new(open));
    Ok(raw.looked_at(look(places)))
}

/// Evidence of a log below an open folder; nothing in it can lead out.
pub(super) fn below(path: BundlePath, folder: &Arc<Folder>, entry: &files::Entry) -> Evidence<Raw> {
    let (folder, name) = (Arc::clone(folder), entry.path.clone());
    let origin = folder.path().join(&name).display().to_string();
    let open = move |most: Allowance| {
        let stream = folder.stream(&name, most.bytes, most.lines);
        stream.map(opened).map_err(|e| e.chain())
    };
    let raw = Evidence::later(path, EvidenceKind::JobLog, origin, entry.size, Box::new(open));
    raw.looked_at(look(Box::new(|| None)))
}

/// Evidence of a folder with the output of Ansible, read as one text.
pub(super) fn folder(
    path: BundlePath,
    folder: Folder,
    places: Places,
) -> Result<Evidence<Raw>, Error> {
    let origin = folder.path().display().to_string();
    let from = ansible::Input::of_folder(folder)?;
    let open = move |_| Ok(Opened { reader: from.into_reader(), truncated: None });
    let raw = Evidence::later(path, EvidenceKind::JobLog, origin, 0, Box::new(open));
    Ok(raw.looked_at(look(places)))
}

fn opened(stream: Stream) -> Opened {
    let Stream { reader, original, cap, truncated } = stream;
    let truncated = truncated.then_some(Truncation { original: Some(original), cap });
    Opened { reader, truncated }
}

fn look(places: Places) -> Box<Look> {
    Box::new(move |text, redactor| structured(text, redactor, places))
}

/// What the parser finds; a text that can not be read again is plain text.
fn structured(text: &Sealed, redactor: &Redactor, places: Places) -> Structure {
    let mut marks = Marks::default();
    let read = ansible::read(|stream| {
        marks = Marks::default();
        text.read(|text| copy(text, &mut [stream, &mut marks]))
    });
    let mut digest = read.unwrap_or_default();
    // A green job must not wait for a walk through its workspace.
    if digest.failed()
        && let Some(checkout) = places()
    {
        checkout.place(&mut digest);
    }
    // A job's log that went wrong outside of Ansible must not be silenced by a green recap.
    let plain = !digest.is_ansible() || (!digest.failed() && marks.seen);
    Structure {
        kind: if plain { EvidenceKind::JobLog } else { EvidenceKind::Ansible },
        excerpts: (!plain).then(|| excerpts(&digest)),
        plays: digest.runs.iter().map(|run| play(run, redactor)).collect(),
    }
}

fn copy(from: &mut dyn BufRead, to: &mut [&mut dyn Write]) -> io::Result<()> {
    loop {
        let piece = from.fill_buf()?;
        if piece.is_empty() {
            return Ok(());
        }
        let length = piece.len();
        for writer in &mut *to {
            writer.write_all(piece)?;
        }
        from.consume(length);
    }
}

/// Looks for the mark of an error in what is written to it.
#[derive(Default)]
struct Marks {
    seen: bool,
    end: Vec<u8>,
}

impl Write for Marks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.seen {
            let width = ERROR_MARK.len();
            self.end.extend_from_slice(bytes.get(..width).unwrap_or(bytes));
            let holds = |text: &[u8]| memchr::memmem::find(text, ERROR_MARK).is_some();
            self.seen = holds(&self.end) || holds(bytes);
            if let Some(rest) = bytes.get(width..) {
                self.end.extend_from_slice(
                    rest.get(rest.len().saturating_sub(width)..).unwrap_or_default(),
                );
            }
            let over = self.end.len().saturating_sub(width);
            self.end.drain(..over);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn play(run: &Run, redactor: &Redactor) -> Play {
    let host = |host: &ansible::Host| {
        let ansible::Host { name, ok, changed, unreachable, failed, skipped, rescued, ignored } =
            host;
        PlayHost {
            name: redactor.redact(name),
            counts: [*ok, *changed, *unreachable, *failed, *skipped, *rescued, *ignored],
        }
    };
    Play {
        entry: String::new(),
        verdict: redactor.redact(&run.verdict_line()),
        hosts: run.hosts.iter().map(host).collect(),
    }
}

fn excerpts(digest: &Digest) -> Vec<Excerpt<Raw>> {
    let mut all = Vec::new();
    for error in &digest.errors {
        let label = "Ansible stopped before it could run";
        all.push(Excerpt {
            label: Raw::new(label),
            text: Raw::new(error.clone()),
            line: 1,
            root: true,
        });
    }
    for run in &digest.runs {
        let before = all.len();
        all.extend(run.failures.iter().filter(|f| run.failed() && f.counts()).map(of_failure));
        if all.len() == before && (run.failed() || did_nothing(run)) {
            all.push(of_run(run));
        }
    }
    all
}

fn of_failure(failure: &Failure) -> Excerpt<Raw> {
    let place = failure.place.as_ref().map(|p| {
        let how = if p.by_name { ", found by name" } else { "" };
        format!(" ({}:{}{how})", p.path, p.line)
    });
    Excerpt {
        label: Raw::new(failure.headline() + &place.unwrap_or_default()),
        text: Raw::new(failure.excerpt()),
        line: failure.line,
        root: failure.root_cause,
    }
}

/// A green run that deployed nothing, or less than it should.
fn did_nothing(run: &Run) -> bool {
    run.verdict == Verdict::NoHosts || !run.doubts.is_empty()
}

/// A run that says why it stopped without naming a task.
fn of_run(run: &Run) -> Excerpt<Raw> {
    let verdict = run.verdict_line();
    let lines: Vec<&str> = run
        .errors
        .iter()
        .map(String::as_str)
        .chain(run.remarks())
        .chain([verdict.as_str()])
        .collect();
    Excerpt {
        label: Raw::new(verdict.clone()),
        text: Raw::new(lines.join("\n")),
        line: 1,
        root: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> Evidence<crate::redact::Redacted> {
        let raw = log_evidence(BundlePath::new("", "x"), "x", text);
        raw.redact(&Redactor::new(&[])).unwrap()
    }

    #[test]
    fn a_log_without_ansible_is_plain_text_of_a_job() {
        let evidence = kind("npm ERR! code E401\n");
        assert_eq!(evidence.kind, EvidenceKind::JobLog);
        assert!(evidence.excerpts.is_none() && evidence.plays.is_empty());
    }

    #[test]
    fn a_green_run_in_a_log_with_an_error_of_a_step_does_not_silence_it() {
        let run = "PLAY [web] ****\n\nTASK [Copy] ****\nok: [web1]\n\nPLAY RECAP ****\nweb1 : ok=1 changed=0 unreachable=0 failed=0 skipped=0 rescued=0 ignored=0\n";
        assert_eq!(kind(run).kind, EvidenceKind::Ansible);
        let evidence = kind(&format!("{run}##[error]Process completed with exit code 1.\n"));
        assert_eq!(evidence.kind, EvidenceKind::JobLog);
        assert_eq!(evidence.plays.len(), 1);
    }

    #[test]
    fn the_mark_of_an_error_is_seen_wherever_the_pieces_end() {
        let text = b"abc##[error]def";
        for cut in 0..text.len() {
            for second in cut..text.len() {
                let mut marks = Marks::default();
                for piece in [&text[..cut], &text[cut..second], &text[second..]] {
                    marks.write_all(piece).unwrap();
                }
                assert!(marks.seen, "{cut} {second}");
            }
        }
    }
}
