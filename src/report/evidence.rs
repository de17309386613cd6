//! What a collector brings back: raw text first, redacted text after; only the latter reaches a bundle or a diagnosis.

use std::fmt;
use std::io::{self, Read};
use std::time::Duration;

use super::Play;
use crate::redact::{Counts, Packing, Redacted, Redactor, Sealed, Store};

/// Text from outside that was not redacted yet. It has no `Display`, and `Debug` prints its size alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Raw(String);

impl Raw {
    /// Wraps text from outside.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Raw({} bytes)", self.0.len())
    }
}

/// A path inside the bundle: generated, never absolute, no `..`, only `A-Z a-z 0-9 . _ -` in its parts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BundlePath(String);

impl BundlePath {
    /// Makes a safe path of `folder` and a name from outside: other characters become `_`, each part is at most 100 bytes.
    pub fn new(folder: &str, name: &str) -> Self {
        let parts: Vec<String> = folder
            .split('/')
            .chain(name.split('/'))
            .map(safe_part)
            .filter(|p| !p.is_empty())
            .collect();
        if parts.is_empty() { Self("unnamed".to_owned()) } else { Self(parts.join("/")) }
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BundlePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn safe_part(part: &str) -> String {
    let allowed =
        |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '_' };
    let cleaned: String = part.chars().map(allowed).take(100).collect();
    cleaned.trim_start_matches(['.', '-']).to_owned()
}

/// Which kind of evidence this is; it decides how much a match in it weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EvidenceKind {
    /// Output of Ansible, read by its grammar.
    Ansible,
    /// The log of a job.
    JobLog,
    /// A listener or worker log of the runner.
    RunnerLog,
    /// Samples of metrics.
    Metrics,
    /// Facts of the job.
    Context,
}

impl EvidenceKind {
    /// The word that signatures use under `sources`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ansible => "ansible",
            Self::JobLog => "job-log",
            Self::RunnerLog => "runner-log",
            Self::Metrics => "metrics",
            Self::Context => "context",
        }
    }
}

/// What was left out of a text because of a cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truncation {
    /// Size of the original in bytes, when it is known.
    pub original: Option<u64>,
    /// The cap in bytes.
    pub cap: u64,
}

/// One structured failure that a parser found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt<T> {
    /// What failed, in one line: `task "Copy release" on web1`.
    pub label: T,
    /// The failure in a few lines: message, return code, tail of stderr.
    pub text: T,
    /// Line of the text at which it stands, from 1.
    pub line: usize,
    /// Whether it is a root cause (not a failure after a failure).
    pub root: bool,
}

/// Whether text was redacted, and how a whole text is held before and after.
pub trait Form {
    /// How a text of any size is held.
    type Text;
}

impl Form for Raw {
    type Text = Foreign;
}

impl Form for Redacted {
    type Text = Sealed;
}

/// A text from outside: small ones are there, large ones are opened when it is their turn.
pub struct Foreign {
    source: Source,
    look: Option<Box<Look>>,
}

enum Source {
    Text(String),
    Later { size: u64, open: Box<Open> },
}

/// How much of one text is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Most bytes.
    pub bytes: u64,
    /// Most lines from its end; `None` for as many as the bytes hold.
    pub lines: Option<u64>,
}

impl Allowance {
    /// All of it.
    pub const ALL: Self = Self { bytes: u64::MAX, lines: None };
}

/// Opens a text of which so much is wanted; an error is a sentence.
pub type Open = dyn FnOnce(Allowance) -> Result<Opened, String> + Send;

/// Reads the structure of a text after its secrets were removed.
pub type Look = dyn FnOnce(&Sealed, &Redactor) -> Structure + Send;

/// A text that is open.
pub struct Opened {
    /// Its bytes.
    pub reader: Box<dyn Read + Send>,
    /// What of it is not there.
    pub truncated: Option<Truncation>,
}

/// What a parser found in a text.
#[derive(Debug)]
pub struct Structure {
    /// The kind of evidence it turned out to be.
    pub kind: EvidenceKind,
    /// The failures; see [`Evidence::excerpts`].
    pub excerpts: Option<Vec<Excerpt<Raw>>>,
    /// The runs of Ansible in it; their entry is not known yet.
    pub plays: Vec<Play>,
}

impl Foreign {
    /// Size in bytes; 0 when it is not known before reading.
    pub fn size(&self) -> u64 {
        match &self.source {
            Source::Text(text) => text.len() as u64,
            Source::Later { size, .. } => *size,
        }
    }

    fn open(self, most: Allowance) -> Result<(Opened, Option<Box<Look>>), String> {
        let opened = match self.source {
            Source::Text(text) => in_hand(text, most),
            Source::Later { open, .. } => open(most)?,
        };
        Ok((opened, self.look))
    }
}

/// The end of a text that does not fit: what failed stands there.
fn in_hand(mut text: String, most: Allowance) -> Opened {
    let original = text.len() as u64;
    let over = original.saturating_sub(most.bytes);
    let at = text.ceil_char_boundary(usize::try_from(over).unwrap_or(usize::MAX));
    let line = text.get(at..).and_then(|rest| rest.find('\n')).map_or(at, |end| at + end + 1);
    let line = if at == 0 { 0 } else { line }.max(last_lines(&text, most.lines));
    if line > 0 {
        text.drain(..line);
        text.insert_str(0, &format!("[... {line} bytes left out ...]\n"));
    }
    let cap = most.bytes.min(original);
    let truncated = (line > 0).then_some(Truncation { original: Some(original), cap });
    Opened { reader: Box::new(io::Cursor::new(text.into_bytes())), truncated }
}

/// Where the last so many lines begin.
fn last_lines(text: &str, lines: Option<u64>) -> usize {
    let Some(lines) = lines.and_then(|lines| usize::try_from(lines).ok()) else { return 0 };
    let body = text.strip_suffix('\n').unwrap_or(text);
    if lines == 0 {
        return text.len();
    }
    body.rmatch_indices('\n').nth(lines - 1).map_or(0, |(at, _)| at + 1)
}

impl fmt::Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Foreign({} bytes)", self.size())
    }
}

/// One piece of evidence.
#[derive(Debug, Clone)]
pub struct Evidence<T: Form> {
    /// Where it lies in the bundle.
    pub path: BundlePath,
    /// Its kind.
    pub kind: EvidenceKind,
    /// Where it came from, for people.
    pub origin: T,
    /// The text.
    pub text: T::Text,
    /// What was left out.
    pub truncated: Option<Truncation>,
    /// Failures that a parser found. `None`: the text has no known structure, all of it may hold the cause.
    /// `Some` and empty: the parser read it, and nothing failed.
    pub excerpts: Option<Vec<Excerpt<T>>>,
    /// The runs of Ansible in it.
    pub plays: Vec<Play>,
    /// Replacements made, by rule.
    pub redactions: Counts,
    /// Time from its opening until it was sealed.
    pub took: Duration,
}

/// How much a text may have over its allowance: the line about what is missing, in bytes.
const SLACK: u64 = 64;

/// How evidence is sealed.
#[derive(Clone, Copy)]
pub struct Seal<'a> {
    /// Removes secrets.
    pub redactor: &'a Redactor,
    /// Where the texts wait.
    pub store: &'a Store,
    /// How tightly they are packed.
    pub packing: Packing,
    /// How much is kept of this text.
    pub most: Allowance,
    /// Whether it is time to stop: what was read so far is kept.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

/// A text that ends at its allowance, or when it is time to stop.
struct Held<'a> {
    reader: Box<dyn Read + Send>,
    left: u64,
    stop: &'a (dyn Fn() -> bool + Sync),
    cut: bool,
}

impl Read for Held<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.cut || (self.stop)() {
            self.cut = true;
            return Ok(0);
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        if most == 0 && !into.is_empty() {
            self.cut = self.reader.read(&mut [0])? > 0;
            return Ok(0);
        }
        let read = self.reader.read(into.get_mut(..most).unwrap_or_default())?;
        self.left -= read as u64;
        Ok(read)
    }
}

impl Evidence<Raw> {
    /// Evidence without structure.
    pub fn new(
        path: BundlePath,
        kind: EvidenceKind,
        origin: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        Self::of(path, kind, origin, Source::Text(text.into()))
    }

    /// Evidence that is opened when it is its turn; `size` is what it has in bytes, 0 when nobody knows.
    pub fn later(
        path: BundlePath,
        kind: EvidenceKind,
        origin: impl Into<String>,
        size: u64,
        open: Box<Open>,
    ) -> Self {
        Self::of(path, kind, origin, Source::Later { size, open })
    }

    fn of(path: BundlePath, kind: EvidenceKind, origin: impl Into<String>, source: Source) -> Self {
        Self {
            path,
            kind,
            origin: Raw::new(origin),
            text: Foreign { source, look: None },
            truncated: None,
            excerpts: None,
            plays: Vec::new(),
            redactions: Counts::new(),
            took: Duration::ZERO,
        }
    }

    /// The same evidence, whose structure is read after its secrets were removed: what a parser shortens or puts together anew could
    /// otherwise hold a part of a secret that no later pass can know.
    #[must_use]
    pub fn looked_at(mut self, look: Box<Look>) -> Self {
        self.text.look = Some(look);
        self
    }

    /// The same evidence without its secrets, in memory: for texts of some MiB.
    ///
    /// # Errors
    /// As [`Self::seal`].
    pub fn redact(self, redactor: &Redactor) -> Result<Evidence<Redacted>, String> {
        let store = Store::in_memory();
        let (packing, most, stop) = (Packing::Tight, Allowance::ALL, &|| false);
        self.seal(&Seal { redactor, store: &store, packing, most, stop })
    }

    /// The same evidence without its secrets.
    ///
    /// # Errors
    /// A sentence: it can not be opened or read, or there is no room for it.
    pub fn seal(self, how: &Seal<'_>) -> Result<Evidence<Redacted>, String> {
        let size = self.text.size();
        // What is in hand is read at once.
        let stop = if matches!(self.text.source, Source::Text(_)) { &|| false } else { how.stop };
        let (Opened { reader, truncated }, look) = self.text.open(how.most)?;
        // The line about a gap and whole characters take a little more than the allowance.
        let left = how.most.bytes.saturating_add(SLACK);
        let mut held = Held { reader, left, stop, cut: false };
        let most = if size == 0 { left } else { size.min(left) };
        let place = self.path.as_str();
        let sealed = how.redactor.seal(place, &mut held, (most, how.packing), how.store);
        let (text, redactions) = sealed.map_err(|error| error.to_string())?;
        let original = (size > 0).then_some(size);
        let cut = held.cut.then_some(Truncation { original, cap: how.most.bytes });
        let read = look.map(|look| look(&text, how.redactor));
        let (kind, excerpts, plays) = match read {
            Some(Structure { kind, excerpts, plays }) => (kind, excerpts, plays),
            None => (self.kind, self.excerpts, self.plays),
        };
        let clean = |raw: &Raw| how.redactor.redact(&raw.0);
        let excerpt = |e: &Excerpt<Raw>| Excerpt {
            label: clean(&e.label),
            text: clean(&e.text),
            line: e.line,
            root: e.root,
        };
        Ok(Evidence {
            path: self.path,
            kind,
            origin: clean(&self.origin),
            text,
            truncated: cut.or(truncated).or(self.truncated),
            excerpts: excerpts.map(|all| all.iter().map(excerpt).collect()),
            plays,
            redactions,
            took: self.took,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_path_never_leaves_the_bundle() {
        assert_eq!(BundlePath::new("runner", "../../etc/passwd").as_str(), "runner/etc/passwd");
        assert_eq!(BundlePath::new("", "/abs").as_str(), "abs");
        assert_eq!(BundlePath::new("metrics", "host:9101.prom").as_str(), "metrics/host_9101.prom");
        assert_eq!(BundlePath::new("", "..").as_str(), "unnamed");
        assert_eq!(BundlePath::new("a", "x\ny").as_str(), "a/x_y");
    }

    #[test]
    fn raw_text_prints_only_its_size() {
        assert_eq!(format!("{:?}", Raw::new("hunter2")), "Raw(7 bytes)");
    }

    fn log(text: &str) -> Evidence<Raw> {
        Evidence::new(BundlePath::new("", "a.log"), EvidenceKind::JobLog, "a job", text)
    }

    #[test]
    fn a_text_over_its_allowance_keeps_its_last_lines_and_says_how_much_is_missing() {
        let (redactor, store) = (Redactor::new(&[]), Store::in_memory());
        let most = |bytes, lines| Seal {
            redactor: &redactor,
            store: &store,
            packing: Packing::Quick,
            most: Allowance { bytes, lines },
            stop: &|| false,
        };
        let how = most(12, None);
        let sealed = log("first\nsecond\nthird\n").seal(&how).unwrap();
        assert_eq!(sealed.text.tail().as_str(), "[... 13 bytes left out ...]\nthird\n");
        assert_eq!(sealed.truncated, Some(Truncation { original: Some(19), cap: 12 }));
        assert_eq!(log("short\n").seal(&how).unwrap().truncated, None);
        let lines = log("first\nsecond\nthird\n").seal(&most(1 << 20, Some(2))).unwrap();
        assert_eq!(lines.text.tail().as_str(), "[... 6 bytes left out ...]\nsecond\nthird\n");
        assert_eq!(log("a\nb\n").seal(&most(9, Some(2))).unwrap().truncated, None);
    }

    #[test]
    fn a_structure_is_read_in_the_text_without_secrets() {
        let redactor = Redactor::new(&[crate::redact::Known::new("A", "swordfish")]);
        let look = |text: &Sealed, _: &Redactor| {
            let label = Raw::new(text.tail().as_str());
            let excerpt = Excerpt { label, text: Raw::new("x"), line: 1, root: true };
            let excerpts = Some(vec![excerpt]);
            Structure { kind: EvidenceKind::Ansible, excerpts, plays: Vec::new() }
        };
        let sealed = log("a swordfish").looked_at(Box::new(look)).redact(&redactor).unwrap();
        assert_eq!(sealed.kind, EvidenceKind::Ansible);
        assert_eq!(sealed.excerpts.unwrap()[0].label.as_str(), "a [redacted:known-value#1]");
    }
}
