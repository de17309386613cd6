//! Finds every signature that matches somewhere in the evidence, in time linear in its size. It does not rank.

use std::collections::HashMap;
use std::io::{self, BufRead, Read as _};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{panic, thread};

use memchr::{memchr_iter, memrchr};

use super::lines::{Line, lines};
use super::pattern::Pattern;
use super::signature::Signature;
use super::signatures::Signatures;
use crate::redact::{Redacted, Sealed};
use crate::report::{Evidence, EvidenceKind, Excerpt};

/// Most hits of one signature that are kept of the first entries: more would not be read. Of each further entry one is kept.
const MOST_HITS: usize = 3;
/// Most hits of one signature in all.
const MOST_PLACES: usize = 16;
/// Bytes of one passage on which one pattern may be tried in vain; then it is left alone there.
const VAIN: usize = 512 * 1024;

/// A text in which signatures are looked for: a whole text, or one structured failure.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passage<'a> {
    /// Place of its evidence.
    pub(super) evidence: usize,
    /// Kind of its evidence.
    pub(super) kind: EvidenceKind,
    /// What failed, when it is a structured failure.
    pub(super) label: Option<&'a Redacted>,
    /// The text.
    pub(super) text: Text<'a>,
    /// Number of its first line.
    pub(super) first: usize,
}

/// The text of a passage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text<'a> {
    /// A structured failure.
    Excerpt(&'a str),
    /// A whole text, read in pieces.
    Whole(&'a Sealed),
}

impl<'a> Text<'a> {
    /// What is at hand of it.
    pub(super) fn at_hand(self) -> &'a str {
        match self {
            Self::Excerpt(text) => text,
            Self::Whole(sealed) => sealed.tail().as_str(),
        }
    }
}

/// The passages of all evidence, in order.
pub(super) fn passages(evidence: &[Evidence<Redacted>]) -> Vec<Passage<'_>> {
    evidence.iter().enumerate().flat_map(|(place, e)| passages_of(place, e)).collect()
}

fn passages_of(evidence: usize, from: &Evidence<Redacted>) -> Vec<Passage<'_>> {
    let kind = from.kind;
    let Some(excerpts) = &from.excerpts else {
        let text = Text::Whole(&from.text);
        return vec![Passage { evidence, kind, label: None, text, first: 1 }];
    };
    let passage = |e| structured(evidence, kind, e);
    excerpts.iter().filter(|e| e.root).map(passage).collect()
}

fn structured(evidence: usize, kind: EvidenceKind, failure: &Excerpt<Redacted>) -> Passage<'_> {
    let Excerpt { label, text, line, .. } = failure;
    let text = Text::Excerpt(text.as_str());
    Passage { evidence, kind, label: Some(label), text, first: *line }
}

/// One place at which a signature matches.
#[derive(Debug, Clone)]
pub(super) struct Hit<'a> {
    /// Where it was found.
    pub(super) passage: Passage<'a>,
    /// Number of the line in the evidence.
    pub(super) line: usize,
    /// The message on that line.
    pub(super) message: String,
    /// The byte of the message at which the pattern matched.
    pub(super) at: usize,
    /// What the patterns of `extract` found around it.
    pub(super) fields: Vec<(String, String)>,
}

/// The hits of each signature, by its place; empty where it did not match. Two threads share the passages, which changes nothing but the
/// time: what one of them keeps too much is left out when the hits come together.
pub(super) fn scan<'a>(passages: &[Passage<'a>], signatures: &Signatures) -> Vec<Vec<Hit<'a>>> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(passage) = passages.get(place) else { break };
            let mut hits: Vec<Vec<Hit<'a>>> = signatures.iter().map(|_| Vec::new()).collect();
            Scanner::new(*passage, signatures).run(&mut hits);
            done.push((place, hits));
        }
        done
    };
    let mut all = thread::scope(|scope| {
        let alone = passages.len() < 2;
        let other = (!alone).then(|| thread::Builder::new().spawn_scoped(scope, work));
        let mut all = work();
        if let Some(Ok(other)) = other {
            all.extend(other.join().unwrap_or_else(|cause| panic::resume_unwind(cause)));
        }
        all
    });
    all.sort_by_key(|(place, _)| *place);
    let mut hits: Vec<Vec<Hit<'a>>> = signatures.iter().map(|_| Vec::new()).collect();
    for (place, found) in all {
        let Some(passage) = passages.get(place) else { continue };
        for (kept, found) in hits.iter_mut().zip(found) {
            for hit in found {
                if !is_full(kept, passage) && kept.iter().all(|k| !says_the_same(k, &hit)) {
                    kept.push(hit);
                }
            }
        }
    }
    hits
}

/// Whether no more hits in this passage are kept.
fn is_full(kept: &[Hit<'_>], passage: &Passage<'_>) -> bool {
    let seen_here = kept.iter().any(|hit| hit.passage.evidence == passage.evidence);
    kept.len() >= MOST_PLACES || (kept.len() >= MOST_HITS && (seen_here || !is_of_a_job(passage)))
}

/// Whether a hit adds nothing: the same message in the same entry, or once more in the log of a runner. In the log of another job it
/// says that this job has the cause too.
fn says_the_same(kept: &Hit<'_>, hit: &Hit<'_>) -> bool {
    let elsewhere = kept.passage.evidence != hit.passage.evidence && is_of_a_job(&hit.passage);
    kept.message == hit.message && !elsewhere
}

fn is_of_a_job(passage: &Passage<'_>) -> bool {
    matches!(passage.kind, EvidenceKind::JobLog | EvidenceKind::Ansible)
}

/// No line has this number.
const END: usize = usize::MAX;
/// What is read of a text at once, in bytes.
const BLOCK: u64 = 64 * 1024;
/// A line that is longer is looked at in parts, in bytes.
const LONG: usize = 4 << 20;

struct Scanner<'a, 's> {
    passage: Passage<'a>,
    signatures: &'s Signatures,
    /// Most lines around a match that any signature looks at.
    widest: usize,
    /// Lines that were looked at in earlier pieces.
    before: usize,
    /// For each pattern: the last line on which it was tried, and the bytes on which it was tried in vain.
    tried: HashMap<(usize, usize), (usize, usize)>,
}

impl<'a, 's> Scanner<'a, 's> {
    fn new(passage: Passage<'a>, signatures: &'s Signatures) -> Self {
        let widest = signatures.iter().map(|signature| signature.window).max().unwrap_or(0);
        Self { passage, signatures, widest, before: 0, tried: HashMap::new() }
    }

    fn run(mut self, hits: &mut [Vec<Hit<'a>>]) {
        match self.passage.text {
            Text::Excerpt(text) => self.run_lines(&lines(text, self.passage.first), 0..END, hits),
            Text::Whole(sealed) => {
                // What could not be unpacked again has no hits; what was found before it counts.
                drop(sealed.read(|reader| self.stream(reader, hits)));
            }
        }
    }

    /// Reads the text in pieces; around a line there are always as many others as a signature looks at.
    fn stream(&mut self, reader: &mut dyn BufRead, hits: &mut [Vec<Hit<'a>>]) -> io::Result<()> {
        let mut buffer = Vec::new();
        let (mut first, mut next) = (self.passage.first, self.passage.first);
        loop {
            let ends = (&mut *reader).take(BLOCK).read_to_end(&mut buffer)? == 0;
            let text = whole_lines(&buffer, ends);
            let found = lines(text, first);
            if ends {
                self.run_lines(&found, next..END, hits);
                return Ok(());
            }
            let until = found.len().checked_sub(1 + self.widest).and_then(|at| found.get(at));
            let until = until.map_or(0, |line| line.number);
            let used = if until > next {
                let mine = found.partition_point(|line| line.number < until);
                self.run_lines(&found, next..until, hits);
                let kept = found.get(mine.saturating_sub(self.widest));
                let kept = kept.map_or(until, |line| line.number);
                next = until;
                let used = start_of(text, kept - first);
                first = kept;
                used
            } else if text.len() > LONG {
                self.run_lines(&found, next..END, hits);
                first += text.matches('\n').count();
                next = first;
                text.len()
            } else {
                0
            };
            buffer.drain(..used);
        }
    }

    /// Looks at the lines with these numbers; the others only stand around them.
    fn run_lines(&mut self, lines: &[Line<'_>], which: Range<usize>, hits: &mut [Vec<Hit<'a>>]) {
        let place_of = |number| lines.partition_point(|line| line.number < number);
        for place in place_of(which.start)..place_of(which.end) {
            self.run_line(lines, place, hits);
        }
        self.before += lines.len();
    }

    fn run_line(&mut self, lines: &[Line<'_>], place: usize, hits: &mut [Vec<Hit<'a>>]) {
        let Some(line) = lines.get(place) else { return };
        for (owner, number) in self.signatures.candidates(&line.text) {
            let Some((signature, kept)) = self.signatures.at(owner).zip(hits.get_mut(owner)) else {
                continue;
            };
            if is_full(kept, &self.passage) || !signature.applies_to(self.passage.kind) {
                continue;
            }
            if !self.may_try((owner, number), self.before + place, line.text.len()) {
                continue;
            }
            let found = signature.any.get(number).and_then(|pattern| pattern.find(&line.text));
            if let Some(at) = found
                && let Some(hit) = self.hit(signature, lines, place, at)
                && kept.iter().all(|k| !says_the_same(k, &hit))
            {
                kept.push(hit);
            }
        }
    }

    /// Whether a pattern is still to be tried on this line; counts the try.
    fn may_try(&mut self, pattern: (usize, usize), place: usize, bytes: usize) -> bool {
        let (last, spent) = self.tried.entry(pattern).or_insert((usize::MAX, 0));
        if *last == place || *spent > VAIN {
            return false;
        }
        *last = place;
        *spent = spent.saturating_add(bytes);
        true
    }

    fn hit(
        &self,
        signature: &Signature,
        lines: &[Line<'_>],
        place: usize,
        at: usize,
    ) -> Option<Hit<'a>> {
        let window = window(lines, place, signature.window);
        let holds = |pattern: &Pattern| window.iter().any(|l| pattern.find(&l.text).is_some());
        if !signature.all.iter().all(holds) || signature.none.iter().any(holds) {
            return None;
        }
        let line = lines.get(place)?;
        let mut fields: Vec<(String, String)> = Vec::new();
        for (name, value) in signature.extract.iter().flat_map(|p| p.fields(&line.text)) {
            if fields.iter().all(|(have, _)| have != name) {
                fields.push((name.to_owned(), value.to_owned()));
            }
        }
        let message = line.text.clone().into_owned();
        Some(Hit { passage: self.passage, line: line.number, message, at, fields })
    }
}

/// The line and `width` lines before and after it.
fn window<'l, 't>(lines: &'l [Line<'t>], place: usize, width: usize) -> &'l [Line<'t>] {
    let end = place.saturating_add(width).saturating_add(1).min(lines.len());
    lines.get(place.saturating_sub(width)..end).unwrap_or_default()
}

/// The text up to its last line end; all of it at the end, or when a line is too long.
fn whole_lines(buffer: &[u8], ends: bool) -> &str {
    let last = memrchr(b'\n', buffer).map_or(0, |at| at + 1);
    let most = if ends || (last == 0 && buffer.len() > LONG) { buffer.len() } else { last };
    let text = buffer.get(..most).unwrap_or_default();
    match std::str::from_utf8(text) {
        Ok(text) => text,
        // A character may be cut; the sealed text itself is whole.
        Err(error) => std::str::from_utf8(text.get(..error.valid_up_to()).unwrap_or_default())
            .unwrap_or_default(),
    }
}

/// Where the line that has so many lines before it starts.
fn start_of(text: &str, lines: usize) -> usize {
    let Some(nth) = lines.checked_sub(1) else { return 0 };
    memchr_iter(b'\n', text.as_bytes()).nth(nth).map_or(text.len(), |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::Redactor;
    use crate::report::BundlePath;

    /// Line and message of every hit in a text.
    fn hits(text: &str) -> Vec<(usize, String)> {
        let path = BundlePath::new("", "a.log");
        let raw = Evidence::new(path, EvidenceKind::JobLog, "a job", text);
        let evidence = [raw.redact(&Redactor::new(&[])).unwrap()];
        let signatures = Signatures::builtin().unwrap();
        let found = scan(&passages(&evidence), &signatures);
        found.into_iter().flatten().map(|hit| (hit.line, hit.message)).collect()
    }

    const FULL: &str = "cp: cannot create regular file '/x': No space left on device";

    #[test]
    fn a_cause_is_found_wherever_the_pieces_of_a_text_end() {
        let plain = "a line of a log that says nothing at all\n";
        let block = usize::try_from(BLOCK).unwrap() / plain.len();
        for before in [0, 7, block - 1, block, block + 1, 2 * block, 5 * block + 3] {
            let text = format!("{}{FULL}\n{}", plain.repeat(before), plain.repeat(3 * block));
            assert_eq!(hits(&text).first(), Some(&(before + 1, FULL.to_owned())), "{before}");
        }
    }

    #[test]
    fn a_line_of_many_megabytes_hides_no_cause_and_its_end_keeps_its_number() {
        let text = format!("one\n{}\n{FULL}\n", "x y ".repeat(LONG));
        assert_eq!(hits(&text).first(), Some(&(3, FULL.to_owned())));
    }
}
