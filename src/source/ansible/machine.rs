//! Reads line after line and keeps what they say. It looks only back, never ahead, so that its memory does not grow with the text.

use std::rc::Rc;

use super::class;
use super::grammar::{self, Effect, Section, Shape};
use super::kept::Kept;
use super::marks::{Heard, Marks};
use super::model::Kind;
use super::payload;
use super::prefix::{Line, Record};
use super::raw::{Raw, Trust};
use super::recap;
use super::record::{Open, move_here, name_of, record};
use super::state::{At, Ending, HaltKind, Note, Point, Room, Runs};
use super::tally;

/// Longest payload in several lines.
const PAYLOAD_CAP: usize = 1 << 20;

/// Reads the output of one process.
#[derive(Debug)]
pub(super) struct Machine {
    runs: Runs,
    marks: Marks<Point>,
    mode: Mode,
    closer: Closer,
    /// The inventories that were named since the step began.
    inventory: Option<String>,
    trust: Trust,
}

/// What the next line belongs to.
#[derive(Debug)]
enum Mode {
    /// Nothing: every line stands for itself.
    Lines,
    /// An indented payload.
    Payload(Open, Form),
    /// Raw output that the `debug` callback prints behind a result.
    Raw(Raw),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Yaml,
}

/// Whether the line before ended a result, and a blank line followed: there raw output may begin.
#[derive(Debug, Clone, Copy)]
enum Closer {
    None,
    Result(Option<Target>),
    Blank(Option<Target>),
}

/// The failure that raw output belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) number: usize,
    pub(super) expects_message: bool,
}

impl Machine {
    /// A machine that has read nothing.
    pub(super) fn new(trust: Trust, room: &Rc<Room>) -> Self {
        Self {
            runs: Runs::new(room),
            marks: Marks::default(),
            mode: Mode::Lines,
            closer: Closer::None,
            inventory: None,
            trust,
        }
    }

    /// Reads the line with this number.
    pub(super) fn feed(&mut self, number: usize, line: &Line<'_>) {
        let text = &*line.text;
        if self.belongs(text, line.record) {
            self.marks.remember(text);
            return;
        }
        let shape = match line.record {
            Record::Continued => continued(text),
            Record::None | Record::Start(_) => grammar::shape(text),
        };
        match shape {
            Shape::Error(message) => self.error(text, message),
            shape => {
                self.marks.remember(text);
                let begins = matches!(shape, Shape::Task(..));
                let is_banner = begins || matches!(shape, Shape::Play(_) | Shape::Recap);
                self.line(number, line, shape);
                if is_banner {
                    self.clock(line, begins);
                }
            }
        }
    }

    /// Takes the time of a banner.
    fn clock(&mut self, line: &Line<'_>, begins: bool) {
        let draft = self.runs.current();
        let task = draft.at.task.as_ref().filter(|_| begins);
        if !self.marks.in_doubt() {
            draft.tally.banner(line.stamp().and_then(tally::millis), task);
        }
        self.runs.seal(self.marks.oldest());
    }

    /// All runs; `None` when a raw output has no end and the text must be read with less caution.
    pub(super) fn finish(mut self) -> Option<Kept> {
        match std::mem::replace(&mut self.mode, Mode::Lines) {
            Mode::Lines => {}
            Mode::Payload(open, form) => self.close(open, form, Heard::Cut),
            Mode::Raw(raw) if raw.waits(self.trust) => return None,
            Mode::Raw(raw) => self.amend(&raw),
        }
        let complete = self.runs.current().at.recap_from.is_some();
        if !complete && let Some(point) = self.marks.unsettled() {
            self.runs.back_to(point);
        }
        Some(self.runs.finish())
    }

    /// Whether the line is part of the payload or raw output before it.
    fn belongs(&mut self, text: &str, record: Record) -> bool {
        if matches!(self.mode, Mode::Lines) {
            return false;
        }
        let starts = matches!(record, Record::Start(_));
        match std::mem::replace(&mut self.mode, Mode::Lines) {
            Mode::Lines => false,
            Mode::Payload(mut open, form) => {
                let last = form == Form::Json && text.starts_with('}');
                let inside = text.starts_with("  ") || text.trim().is_empty() || last;
                if inside && !starts {
                    if open.text.len() + text.len() < PAYLOAD_CAP {
                        open.text.push_str(text);
                        open.text.push('\n');
                    }
                    if last {
                        self.close(open, form, Heard::Whole);
                    } else {
                        self.mode = Mode::Payload(open, form);
                    }
                    return true;
                }
                self.close(open, form, Heard::Whole);
                false
            }
            Mode::Raw(mut raw) => {
                if !starts && raw.takes(text, &self.marks, self.trust) {
                    self.mode = Mode::Raw(raw);
                    return true;
                }
                self.amend(&raw);
                self.runs.current().at.after_raw = true;
                false
            }
        }
    }

    fn line(&mut self, number: usize, line: &Line<'_>, shape: Shape<'_>) {
        let text = &*line.text;
        let closer = std::mem::replace(&mut self.closer, Closer::None);
        if self.recap_line(text) {
            return;
        }
        if shape != Shape::Text && !matches!(shape, Shape::Origin(_)) {
            self.runs.current().at.note = Note::None;
        }
        match shape {
            Shape::Text => {
                self.command(text);
                self.text(text, closer);
            }
            Shape::Failed(failed) => self.failed(Open::new(number, line.stamp(), &failed)),
            Shape::Passed(host, effect) => self.passed(text, host, effect),
            Shape::Ignoring => self.ignore(),
            Shape::Task(name, section) => self.task(name, section),
            Shape::TaskPath(path) => self.runs.current().at.task_place = grammar::location(path),
            Shape::Origin(place) => self.origin(text, place),
            Shape::Warning(text) if explains(text) => self.runs.current().warn(text),
            Shape::Error(_) | Shape::Warning(_) | Shape::Banner => {}
            Shape::Play(_)
            | Shape::Recap
            | Shape::Playbook(_)
            | Shape::NoHosts
            | Shape::Stop(_)
            | Shape::Usage(_)
            | Shape::Preamble
            | Shape::Exit(_)
            | Shape::Cancelled
            | Shape::Step => self.frame(&shape),
        }
    }

    /// Lines that begin, end or stop a run.
    fn frame(&mut self, shape: &Shape<'_>) {
        match shape {
            Shape::Play(name) => self.play(name),
            Shape::Recap => {
                let draft = self.runs.enter();
                draft.at.recap_from = Some(draft.hosts.len());
            }
            Shape::Playbook(name) => {
                if self.runs.current().is_used() {
                    self.runs.begin();
                }
                self.runs.current().playbook = Some(name_of(name));
            }
            Shape::NoHosts => {
                let draft = self.runs.enter();
                draft.at.no_hosts = true;
                let play = draft.at.play.clone();
                draft.warn(&format!("play \"{play}\" matched no hosts"));
                draft.at.note = Note::None;
            }
            Shape::Stop(text) => self.halt(text, HaltKind::Old),
            Shape::Usage(text) => self.halt(text, HaltKind::Usage),
            Shape::Preamble => self.runs.begin(),
            Shape::Exit(code) => self.end(Ending::Closed, Some(*code)),
            Shape::Cancelled => self.end(Ending::Interrupted, None),
            Shape::Step => {
                self.inventory = None;
                self.end(Ending::Closed, None);
            }
            Shape::Task(..)
            | Shape::Banner
            | Shape::Failed(_)
            | Shape::Passed(..)
            | Shape::Ignoring
            | Shape::TaskPath(_)
            | Shape::Origin(_)
            | Shape::Error(_)
            | Shape::Warning(_)
            | Shape::Text => {}
        }
    }

    fn end(&mut self, ending: Ending, code: Option<i64>) {
        let draft = self.runs.current();
        if !draft.is_used() || draft.at.ending == Ending::Closed {
            return;
        }
        if draft.at.ending == Ending::Open {
            draft.at.ending = ending;
        }
        draft.at.exit_code = draft.at.exit_code.or(code);
    }

    fn play(&mut self, name: &str) {
        if self.runs.current().at.recap_from.is_some() {
            self.runs.begin();
        }
        let draft = self.runs.enter();
        draft.inventory.clone_from(&self.inventory);
        let from = draft.failures.len();
        let at = &mut draft.at;
        *at = At {
            task_from: from,
            play: name_of(name).into(),
            task_no: at.task_no + 1,
            play_from: at.task_no + 1,
            no_hosts: at.no_hosts,
            ending: at.ending,
            exit_code: at.exit_code,
            ..At::default()
        };
    }

    fn task(&mut self, name: &str, section: Section) {
        let draft = self.runs.enter();
        let from = draft.failures.len();
        let at = &mut draft.at;
        at.task_from = from;
        at.task = Some(name_of(name).into());
        at.section = Some(section);
        at.task_no += 1;
        (at.task_place, at.origins, at.recap_from) = (None, None, None);
        (at.ignorable, at.after_raw) = (None, false);
    }

    fn recap_line(&mut self, text: &str) -> bool {
        let draft = self.runs.current();
        let host = draft.at.recap_from.and_then(|_| recap::host(text));
        let found = host.is_some();
        if let Some(host) = host {
            draft.recap(host);
        }
        found
    }

    fn passed(&mut self, text: &str, host: &str, effect: Effect) {
        let draft = self.runs.enter();
        (draft.at.recap_from, draft.at.ignorable) = (None, None);
        match (effect, self.marks.in_doubt()) {
            (Effect::Skipped, true) => {}
            (Effect::Done | Effect::Changed, true) => draft.tally.ways.passed_in_doubt(host),
            (Effect::Done | Effect::Changed | Effect::Skipped, false) => draft.pass(host, effect),
        }
        if text.ends_with("{}") {
            self.closer = Closer::Result(None);
        }
    }

    /// Looks for the inventory, in front of a run only.
    fn command(&mut self, text: &str) {
        let draft = self.runs.current();
        let between = draft.at.recap_from.is_some() || draft.at.ending != Ending::Open;
        if (between || !draft.is_started())
            && let Some(found) = grammar::inventories(text)
        {
            self.inventory = match (found.as_slice(), self.inventory.take()) {
                ([one], None) => Some(name_of(one)),
                // Said twice, by the command and by Ansible; two different ones are one of too many.
                ([one], Some(known)) if one.ends_with(&known) => Some(known),
                _ => Some(String::new()),
            };
        }
    }

    fn text(&mut self, text: &str, closer: Closer) {
        self.closer = match closer {
            _ if text.trim_end() == "}" => Closer::Result(None),
            Closer::Result(target) if text.is_empty() => Closer::Blank(target),
            Closer::Blank(target) => {
                if let Some(raw) = Raw::begin(text, target) {
                    self.mode = Mode::Raw(raw);
                    return;
                }
                Closer::None
            }
            Closer::Result(_) | Closer::None => Closer::None,
        };
        let draft = self.runs.current();
        draft.note(text);
        if !self.marks.in_doubt() {
            draft.tally.remark(text, draft.at.recap_from.is_some());
        }
    }

    fn origin(&mut self, line: &str, place: &str) {
        let draft = self.runs.current();
        draft.note(line);
        let place = grammar::location(place);
        draft.at.last_origin = place.clone().or_else(|| draft.at.last_origin.take());
        if let Some((first, last)) = &mut draft.at.origins {
            *first = first.take().or_else(|| place.clone());
            *last = place.or_else(|| last.take());
        }
    }

    /// `[ERROR]: message` stands before a result, or stops the run.
    fn error(&mut self, line: &str, message: &str) {
        self.closer = Closer::None;
        let of_task = message.starts_with("Task failed");
        let (over, started) = {
            let draft = self.runs.current();
            (draft.at.recap_from.is_some() || draft.at.ending != Ending::Open, draft.is_used())
        };
        if over && of_task && started {
            return self.marks.remember(line);
        }
        if over {
            self.runs.begin();
        }
        let point = self.runs.point();
        if of_task {
            self.marks.set(line, point);
        } else {
            self.marks.remember(line);
        }
        let draft = self.runs.current();
        draft.at.ignorable = None;
        draft.at.origins = Some((None, None));
        draft.at.note = Note::None;
        if message.starts_with("User interrupted execution") {
            draft.at.ending = Ending::Interrupted;
        } else if !of_task {
            draft.halt(message, HaltKind::New);
        }
    }

    fn halt(&mut self, text: &str, kind: HaltKind) {
        let at = &self.runs.current().at;
        if at.recap_from.is_some() || at.ending != Ending::Open {
            self.runs.begin();
        }
        if text.starts_with("User interrupted execution") {
            self.runs.current().at.ending = Ending::Interrupted;
        } else {
            self.runs.current().halt(text, kind);
        }
    }

    fn failed(&mut self, (mut open, rest): (Open, &str)) {
        match rest.find('{') {
            Some(0) if rest.trim_end() != "{" => {
                rest.clone_into(&mut open.text);
                self.close(open, Form::Json, Heard::Whole);
            }
            // The yaml callback prints `changed=true` before the block; a brace after it is one-line JSON all the same.
            Some(at) => {
                open.text.push_str(rest.get(at..).unwrap_or_default());
                open.text.push('\n');
                self.mode = Mode::Payload(open, Form::Json);
            }
            None => self.mode = Mode::Payload(open, Form::Yaml),
        }
    }

    /// Records a failed result whose payload is complete.
    fn close(&mut self, open: Open, form: Form, heard: Heard) {
        let mut payload = match form {
            Form::Json => payload::json(&open.text),
            Form::Yaml => payload::yaml(&open.dedented()),
        };
        payload.damaged |= heard == Heard::Cut;
        let heard = if payload.damaged { Heard::Cut } else { heard };
        let at = &self.runs.current().at;
        let (last, placed) = (at.last_origin.clone(), matches!(at.origins, Some((Some(_), _))));
        if let Some(point) = self.marks.settle(&payload.msg, heard) {
            self.runs.back_to(point);
            self.runs.current().at.origins = Some((last.clone(), last));
        } else if placed {
            self.marks.settle_last();
        }
        let draft = self.runs.enter();
        draft.at.recap_from = None;
        if draft.at.origins.is_some()
            && draft.errors.last().is_some_and(|h| h.kind == HaltKind::New)
        {
            draft.errors.pop();
        }
        let expects_message = !(payload.failed_when && draft.at.origins.is_none());
        let bare = payload.bare;
        let number = record(draft, open, payload);
        if bare {
            let target = number.map(|number| Target { number, expects_message });
            self.closer = Closer::Result(target);
        }
    }

    /// The results of a loop come host by host in any order, but `...ignoring` comes once for all items of a host: it is taken to
    /// mean every failed item of the task.
    fn ignore(&mut self) {
        let draft = self.runs.current();
        let Some(from) = draft.at.ignorable.take() else { return };
        let looped = draft.failures.last().is_some_and(|e| e.failure.item.is_some());
        for entry in draft.failures.iter_mut().skip(from) {
            if entry.failure.item.is_some() == looped {
                entry.failure.kind = Kind::Ignored;
            }
        }
    }

    /// Completes a failure with its raw output; only then its message is known, and whether it was printed before the result.
    fn amend(&mut self, raw: &Raw) {
        let Some(target) = raw.target() else { return };
        let draft = self.runs.current();
        let Some(entry) = draft.failures.get_mut(target.number) else { return };
        raw.amend(&mut entry.failure);
        entry.failure.class = class::of(&entry.failure);
        let place = draft.at.last_origin.clone();
        let Some(point) = self.marks.settle(&entry.failure.msg, Heard::Whole) else { return };
        let entry = self.runs.current().failures.pop();
        self.runs.back_to(point);
        if let Some(entry) = entry {
            move_here(self.runs.current(), entry.failure, place);
        }
    }
}

/// In a log file a line without a head belongs to the record before it: whatever it looks like, it is no header.
fn continued(text: &str) -> Shape<'_> {
    match grammar::shape(text) {
        Shape::Origin(place) => Shape::Origin(place),
        _ => Shape::Text,
    }
}

/// Warnings that explain why a run did less than it should.
fn explains(warning: &str) -> bool {
    const WORDS: [&str; 5] = [
        "Unable to parse ",
        "No inventory was parsed",
        "provided hosts list is empty",
        "Could not match supplied host pattern",
        "Failed to parse inventory",
    ];
    let warning = warning.trim_start_matches("* ");
    WORDS.iter().any(|w| warning.starts_with(w))
}
