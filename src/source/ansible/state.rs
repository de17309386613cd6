//! What was read so far: the runs of one process, as drafts that can be set back to an earlier point.

use std::cell::Cell;
use std::rc::Rc;

use super::class;
use super::finish;
use super::grammar::{Effect, Section};
use super::kept::Kept;
use super::model::{Failure, Form, Host, Location, Running};
use super::prefix::cut;
use super::tally::Tally;
use super::ways::{Stand, Ways};

/// More failures than this are counted by the recap alone.
const FAILURES: usize = 10_000;
/// Bytes of messages and outputs that are kept whole, over all runs of a text; later failures keep their beginning.
const DETAILS: usize = 8 << 20;
/// As [`DETAILS`], with what every failure takes: from here on failures are only counted.
const ALL: usize = 20 << 20;
/// What a failure takes besides its texts.
const ENTRY: usize = 700;
/// Lines of recaps that are held at once.
const RECAPS: usize = 100_000;
const NOTES: usize = 50;
const NOTE_CAP: usize = 4 << 10;
/// Bytes that later failures keep of a text.
const SHORT: usize = 256;
/// Drafts that wait until they are turned into runs.
const SEAL: usize = 8;

/// What the readers of all processes of a text keep together.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// Bytes of failures, over all runs.
    failures: Cell<usize>,
    /// Lines of recaps that are held now.
    recaps: Cell<usize>,
    /// Hosts whose way is followed now.
    pub(super) hosts: Cell<usize>,
}

/// One run while it is read. The lists only grow; [`At`] says how much of them counts.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) failures: Vec<Entry>,
    pub(super) hosts: Vec<Host>,
    pub(super) warnings: Vec<String>,
    pub(super) errors: Vec<Halt>,
    pub(super) playbook: Option<String>,
    pub(super) inventory: Option<String>,
    /// Failures that are not in the list.
    pub(super) more_failures: u64,
    /// Whether lines of the recap are missing.
    pub(super) recap_cut: bool,
    room: Rc<Room>,
    pub(super) tally: Tally,
    pub(super) form: Form,
    pub(super) at: At,
}

/// A failure, and what is needed to judge it at the end.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) failure: Failure,
    /// Number of the task banner above it.
    pub(super) task_no: usize,
    /// Whether it was read where raw output of a command may stand.
    pub(super) doubtful: bool,
    /// Whether something went well on the host since its failure before this one.
    pub(super) recovered: bool,
}

/// An error that stopped the run, unless the run goes on.
#[derive(Debug)]
pub(super) struct Halt {
    pub(super) text: String,
    pub(super) kind: HaltKind,
}

/// Who printed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HaltKind {
    /// `ERROR! …`
    Old,
    /// `[ERROR]: …`, which also stands before results.
    New,
    /// The parser of the command line.
    Usage,
}

/// Where the reader stands.
#[derive(Debug, Clone, Default)]
pub(super) struct At {
    pub(super) play: Rc<str>,
    pub(super) task: Option<Rc<str>>,
    pub(super) section: Option<Section>,
    pub(super) task_no: usize,
    /// The number of the play's banner, in the same row of numbers.
    pub(super) play_from: usize,
    /// How many failures stood before the task.
    pub(super) task_from: usize,
    /// Where the task stands.
    pub(super) task_place: Option<Location>,
    /// First and last `Origin:` since the last error message.
    pub(super) origins: Option<(Option<Location>, Option<Location>)>,
    /// The last place that an `Origin:` named, whatever it belongs to.
    pub(super) last_origin: Option<Location>,
    /// From which host on the list is the last recap.
    pub(super) recap_from: Option<usize>,
    /// The failures that `...ignoring` would refer to: number of the first one; for a loop only the items from there on.
    pub(super) ignorable: Option<usize>,
    pub(super) note: Note,
    pub(super) after_raw: bool,
    pub(super) ending: Ending,
    pub(super) exit_code: Option<i64>,
    pub(super) no_hosts: bool,
}

/// What a line of text is added to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Note {
    /// Nothing.
    #[default]
    None,
    /// The last error.
    Halt,
    /// The last warning, up to the next blank line.
    Warning,
}

/// What is known of the end of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Ending {
    /// Nothing yet.
    #[default]
    Open,
    /// The job's step is over.
    Closed,
    /// Somebody interrupted it.
    Interrupted,
}

/// How long every list was and where the reader stood.
#[derive(Debug, Clone)]
pub(super) struct Point {
    runs: usize,
    failures: usize,
    hosts: usize,
    warnings: usize,
    errors: usize,
    at: At,
}

/// All runs of one process; there is always a current one.
#[derive(Debug, Default)]
pub(super) struct Runs {
    kept: Kept,
    /// How many drafts were turned into runs.
    sealed: usize,
    done: Vec<Draft>,
    current: Draft,
}

impl Runs {
    /// No run yet; what is kept takes its room from `room`.
    pub(super) fn new(room: &Rc<Room>) -> Self {
        Self { current: Draft::new(room), ..Self::default() }
    }

    /// The run that is being read.
    pub(super) fn current(&mut self) -> &mut Draft {
        &mut self.current
    }

    /// Begins another run if the current one holds anything.
    pub(super) fn begin(&mut self) {
        if self.current.is_used() {
            let next = Draft::new(&self.current.room);
            self.done.push(std::mem::replace(&mut self.current, next));
        }
    }

    /// Begins another run if the step of the current one is over.
    pub(super) fn enter(&mut self) -> &mut Draft {
        if self.current.at.ending != Ending::Open {
            self.begin();
        }
        &mut self.current
    }

    /// The point to come back to with [`Runs::back_to`].
    pub(super) fn point(&self) -> Point {
        Point {
            runs: self.sealed + self.done.len(),
            failures: self.current.failures.len(),
            hosts: self.current.hosts.len(),
            warnings: self.current.warnings.len(),
            errors: self.current.errors.len(),
            at: self.current.at.clone(),
        }
    }

    /// Forgets everything that was read since the point.
    pub(super) fn back_to(&mut self, point: Point) {
        let runs = point.runs.saturating_sub(self.sealed);
        if self.done.len() > runs
            && let Some(current) = self.done.drain(runs..).next()
        {
            self.current = current;
        }
        self.current.failures.truncate(point.failures);
        self.current.hosts.truncate(point.hosts);
        self.current.warnings.truncate(point.warnings);
        self.current.errors.truncate(point.errors);
        self.current.at = point.at;
    }

    /// Turns drafts into runs that no point can set back to any more; `oldest` is the first point that may be come back to.
    pub(super) fn seal(&mut self, oldest: Option<&Point>) {
        if self.done.len() < SEAL {
            return;
        }
        let safe = oldest.map_or(usize::MAX, |p| p.runs.saturating_sub(self.sealed));
        let count = safe.min(self.done.len());
        for draft in self.done.drain(..count) {
            let held = &draft.room.recaps;
            held.set(held.get().saturating_sub(draft.hosts.len()));
            if let Some(run) = finish::run(draft) {
                self.kept.add(run);
            }
        }
        self.sealed += count;
    }

    /// All runs in their order.
    pub(super) fn finish(self) -> Kept {
        let last = self.done.into_iter().chain([self.current]).filter_map(finish::run);
        self.kept.close(last)
    }
}

impl At {
    /// Where a result comes that is read now; `None` before the first task.
    pub(super) fn stand(&self) -> Option<Stand<'_>> {
        let (task_no, play_no) = (self.task_no, self.play_from);
        let handler = self.section == Some(Section::Handler);
        self.task.as_ref().map(|task| Stand { task, task_no, play_no, handler })
    }
}

impl Draft {
    fn new(room: &Rc<Room>) -> Self {
        let mut draft = Self { room: Rc::clone(room), ..Self::default() };
        draft.tally.ways = Ways::new(room);
        draft
    }

    /// Takes up a result that is no failure.
    pub(super) fn pass(&mut self, host: &str, effect: Effect) {
        if let Some(stand) = self.at.stand() {
            self.tally.ways.passed(host, stand, effect);
        }
    }

    /// Whether anything was read.
    pub(super) fn is_used(&self) -> bool {
        self.is_started() || !self.errors.is_empty() || self.playbook.is_some()
    }

    /// Whether a play began.
    pub(super) fn is_started(&self) -> bool {
        self.at.task.is_some()
            || self.at.recap_from.is_some()
            || !self.at.play.is_empty()
            || !self.failures.is_empty()
    }

    /// The task that had not ended everywhere.
    pub(super) fn running(&self) -> Option<Running> {
        let task = self.at.task.as_deref()?;
        self.tally.ways.running(task, self.at.task_no, self.at.play_from)
    }

    /// Takes up a failure and returns its number.
    pub(super) fn push(&mut self, mut failure: Failure) -> Option<usize> {
        let spent = self.room.failures.get();
        if self.failures.len() >= FAILURES || spent > ALL {
            self.more_failures += 1;
            return None;
        }
        failure.class = class::of(&failure);
        if spent > DETAILS {
            shorten(&mut failure);
        }
        self.room.failures.set(spent + weight(&failure));
        let passed = self.tally.ways.failed(&failure.host, self.at.stand());
        let number = self.failures.len();
        let (task_no, doubtful) = (self.at.task_no, self.at.after_raw);
        self.failures.push(Entry { failure, task_no, doubtful, recovered: passed });
        Some(number)
    }

    /// Takes up a line of the recap.
    pub(super) fn recap(&mut self, host: Host) {
        let held = self.room.recaps.get();
        if held < RECAPS {
            self.room.recaps.set(held + 1);
            self.hosts.push(host);
        } else {
            self.recap_cut = true;
            self.more_failures += u64::from(host.failed > 0 || host.unreachable > 0);
        }
    }

    /// Notes what may explain a green run that did nothing.
    pub(super) fn warn(&mut self, text: &str) {
        if self.warnings.len() < NOTES && !self.warnings.iter().any(|w| w == text) {
            self.warnings.push(text.to_owned());
            self.at.note = Note::Warning;
        }
    }

    /// Notes an error that may have stopped the run.
    pub(super) fn halt(&mut self, text: &str, kind: HaltKind) {
        if self.errors.len() < NOTES {
            self.errors.push(Halt { text: text.to_owned(), kind });
            self.at.note = match kind {
                HaltKind::Usage => Note::None,
                HaltKind::Old | HaltKind::New => Note::Halt,
            };
        }
    }

    /// Adds a line to the error or warning that is being read.
    pub(super) fn note(&mut self, line: &str) {
        let (note, glue) = match self.at.note {
            Note::None => return,
            Note::Halt => (self.errors.last_mut().map(|h| &mut h.text), '\n'),
            Note::Warning if line.trim().is_empty() => {
                self.at.note = Note::None;
                return;
            }
            Note::Warning => (self.warnings.last_mut(), ' '),
        };
        if let Some(note) = note.filter(|n| n.len() + line.len() < NOTE_CAP) {
            note.push(glue);
            note.push_str(line.trim_end());
        }
    }
}

/// Bytes that the texts of a failure take.
fn weight(failure: &Failure) -> usize {
    let item = failure.item.as_ref().map_or(0, |item| item.to_string().len());
    let named = failure.task.len() + failure.play.len() + failure.host.len();
    let said = failure.msg.len() + failure.stdout_tail.len() + failure.stderr_tail.len();
    ENTRY + item + named + said + failure.cmd.as_ref().map_or(0, String::len)
}

/// Keeps what tells the failures of a very long log apart.
fn shorten(failure: &mut Failure) {
    failure.msg = cut(&failure.msg, SHORT).to_owned();
    failure.stderr_tail = cut(&failure.stderr_tail, SHORT).to_owned();
    failure.stdout_tail = String::new();
    if let Some(item) = &mut failure.item {
        let text = item.to_string();
        if text.len() > SHORT {
            *item = cut(&text, SHORT).into();
        }
    }
    failure.cmd = failure.cmd.as_deref().map(|cmd| cut(cmd, SHORT).to_owned());
}
