//! Reads line after line and keeps what they say. It looks only back, never ahead, so that its memory does not grow with the text.

use super::grammar::{self, Effect, Failed, Section, Shape};
use super::marks::Marks;
use super::model::{Failure, Kind};
use super::payload::{self, Payload};
use super::prefix::{Line, Record};
use super::raw::{Raw, Trust};
use super::recap;
use super::state::{At, Draft, Ending, HaltKind, Point, Runs};

/// Longest payload in several lines.
const PAYLOAD_CAP: usize = 1 << 20;
const NAME_CAP: usize = 1 << 10;

/// Reads the output of one process.
#[derive(Debug)]
pub(super) struct Machine {
    runs: Runs,
    marks: Marks<Point>,
    mode: Mode,
    closer: Closer,
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

/// A failed result whose payload is not complete.
#[derive(Debug, Default)]
struct Open {
    host: String,
    delegate_to: Option<String>,
    unreachable: bool,
    looped: bool,
    label: String,
    line: usize,
    text: String,
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
    pub(super) fn new(trust: Trust) -> Self {
        Self {
            runs: Runs::default(),
            marks: Marks::default(),
            mode: Mode::Lines,
            closer: Closer::None,
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
                self.line(number, text, shape);
            }
        }
    }

    /// The drafts of all runs; `None` when a raw output has no end and the text must be read with less caution.
    pub(super) fn finish(mut self) -> Option<Vec<Draft>> {
        match std::mem::replace(&mut self.mode, Mode::Lines) {
            Mode::Lines => {}
            Mode::Payload(open, form) => self.close(open, form),
            Mode::Raw(raw) if raw.waits(self.trust) => return None,
            Mode::Raw(raw) => self.amend(&raw),
        }
        let complete = self.runs.current().at.recap_from.is_some();
        if !complete && let Some(point) = self.marks.unsettled() {
            self.runs.back_to(point);
        }
        Some(self.runs.into_drafts().collect())
    }

    /// Whether the line is part of the payload or raw output before it.
    fn belongs(&mut self, text: &str, record: Record) -> bool {
        let starts = matches!(record, Record::Start(_));
        match std::mem::replace(&mut self.mode, Mode::Lines) {
            Mode::Lines => false,
            Mode::Payload(mut open, form) => {
                let last = form == Form::Json && text.starts_with('}');
                let inside = text.starts_with("  ") || text.is_empty() || last;
                if inside && !starts {
                    if open.text.len() + text.len() < PAYLOAD_CAP {
                        open.text.push_str(text);
                        open.text.push('\n');
                    }
                    if last {
                        self.close(open, form)
                    } else {
                        self.mode = Mode::Payload(open, form)
                    }
                    return true;
                }
                self.close(open, form);
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

    fn line(&mut self, number: usize, text: &str, shape: Shape<'_>) {
        let closer = std::mem::replace(&mut self.closer, Closer::None);
        if self.recap_line(text) {
            return;
        }
        if shape != Shape::Text && !matches!(shape, Shape::Origin(_)) {
            let at = &mut self.runs.current().at;
            (at.halt_open, at.warning_open) = (false, false);
        }
        match shape {
            Shape::Text => self.text(text, closer),
            Shape::Failed(failed) => self.failed(number, &failed),
            Shape::Passed(host, effect) => self.passed(number, text, host, effect),
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
            | Shape::Step => self.frame(shape),
        }
    }

    /// Lines that begin, end or stop a run.
    fn frame(&mut self, shape: Shape<'_>) {
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
                self.runs.current().playbook = Some(payload_name(name));
            }
            Shape::NoHosts => {
                let draft = self.runs.enter();
                draft.at.no_hosts = true;
                let play = draft.at.play.clone();
                draft.warn(&format!("play \"{play}\" matched no hosts"));
                draft.at.warning_open = false;
            }
            Shape::Stop(text) => self.halt(text, HaltKind::Old),
            Shape::Usage(text) => self.halt(text, HaltKind::Usage),
            Shape::Preamble => self.runs.begin(),
            Shape::Exit(code) => self.end(Ending::Closed, Some(code)),
            Shape::Cancelled => self.end(Ending::Interrupted, None),
            Shape::Step => self.end(Ending::Closed, None),
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
        let at = &mut self.runs.enter().at;
        *at = At {
            play: payload_name(name).into(),
            task_no: at.task_no + 1,
            no_hosts: at.no_hosts,
            ending: at.ending,
            exit_code: at.exit_code,
            ..At::default()
        };
    }

    fn task(&mut self, name: &str, section: Section) {
        let at = &mut self.runs.enter().at;
        at.task = Some(payload_name(name).into());
        at.section = Some(section);
        at.task_no += 1;
        (at.task_place, at.origins, at.recap_from) = (None, None, None);
        (at.ignorable, at.after_raw) = (None, false);
    }

    fn recap_line(&mut self, text: &str) -> bool {
        let draft = self.runs.current();
        let host = draft.at.recap_from.and_then(|_| recap::host(text));
        let found = host.is_some();
        draft.hosts.extend(host);
        found
    }

    fn passed(&mut self, number: usize, text: &str, host: &str, effect: Effect) {
        let draft = self.runs.enter();
        (draft.at.recap_from, draft.at.ignorable) = (None, None);
        match effect {
            Effect::Done => drop(draft.passed.insert(host.to_owned(), number)),
            Effect::Skipped => {}
        }
        if text.ends_with("{}") {
            self.closer = Closer::Result(None);
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
        self.runs.current().note(text);
    }

    fn origin(&mut self, line: &str, place: &str) {
        let draft = self.runs.current();
        draft.note(line);
        let place = grammar::location(place);
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
            self.marks.set(line, point)
        } else {
            self.marks.remember(line)
        }
        let draft = self.runs.current();
        draft.at.ignorable = None;
        draft.at.origins = Some((None, None));
        (draft.at.halt_open, draft.at.warning_open) = (false, false);
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

    fn failed(&mut self, number: usize, failed: &Failed<'_>) {
        let (label, rest) = if failed.looped { item_label(failed.rest) } else { ("", failed.rest) };
        let mut open = Open {
            host: payload_name(failed.host),
            delegate_to: failed.delegate_to.map(payload_name),
            unreachable: failed.unreachable,
            looped: failed.looped,
            label: payload_name(label),
            line: number,
            text: String::new(),
        };
        match rest.find('{') {
            Some(0) if rest.trim_end() != "{" => {
                open.text = rest.to_owned();
                self.close(open, Form::Json);
            }
            // The yaml callback prints `changed=true` before the block; a brace after it is one-line JSON all the same.
            Some(at) => {
                open.text = rest.get(at..).unwrap_or_default().to_owned();
                open.text.push('\n');
                self.mode = Mode::Payload(open, Form::Json);
            }
            None => self.mode = Mode::Payload(open, Form::Yaml),
        }
    }

    /// Records a failed result whose payload is complete.
    fn close(&mut self, open: Open, form: Form) {
        let payload = match form {
            Form::Json => payload::json(&open.text),
            Form::Yaml => payload::yaml(&dedented(&open.text)),
        };
        let draft = self.runs.current();
        let origins = draft.at.origins.clone();
        let origin_seen = origins.as_ref().is_some_and(|(first, _)| first.is_some());
        if let Some(point) = self.marks.settle(&payload.msg, origin_seen) {
            self.runs.back_to(point);
            self.runs.current().at.origins = origins;
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

    fn ignore(&mut self) {
        let draft = self.runs.current();
        let from = draft.at.ignorable.unwrap_or(usize::MAX);
        for entry in draft.failures.iter_mut().skip(from) {
            entry.failure.kind = Kind::Ignored;
        }
    }

    fn amend(&mut self, raw: &Raw) {
        let Some(target) = raw.target() else { return };
        if let Some(entry) = self.runs.current().failures.get_mut(target.number) {
            raw.amend(&mut entry.failure);
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

/// Adds the failure to the draft; `None` when it only repeats the items before it, which `no_log` does before core 2.19.
fn record(draft: &mut Draft, open: Open, payload: Payload) -> Option<usize> {
    let at = &draft.at;
    let task = at.task.clone().unwrap_or_default();
    let same = |e: &super::state::Entry| {
        e.failure.host == open.host && e.failure.task == *task && e.failure.play == *at.play
    };
    let items = draft
        .failures
        .iter()
        .rposition(|e| !(same(e) && e.failure.item.is_some()))
        .map_or(0, |n| n + 1);
    let has_items = items < draft.failures.len();
    if !open.looped && payload.censored && has_items {
        draft.at.ignorable = Some(items);
        return None;
    }
    let (first, last) = draft.at.origins.take().unwrap_or_default();
    let embedded = grammar::embedded_location(&payload.msg);
    let location = draft.at.task_place.clone().or(first).or_else(|| embedded.clone());
    draft.at.task_place.clone_from(&location);
    let origin = last.or(embedded).filter(|o| location.as_ref() != Some(o));
    let item = payload.item.or_else(|| (!open.label.is_empty()).then(|| open.label.into()));
    let failure = Failure {
        play: draft.at.play.to_string(),
        role: role(&task),
        task: task.to_string(),
        host: open.host,
        delegate_to: open.delegate_to,
        item: item.filter(|_| open.looped),
        kind: if open.unreachable { Kind::Unreachable } else { Kind::Failed },
        rc: payload.rc,
        msg: payload.msg,
        cmd: payload.cmd,
        stdout_tail: payload.stdout,
        stderr_tail: payload.stderr,
        handler: draft.at.section == Some(Section::Handler),
        no_log: payload.censored,
        attempts: payload.attempts,
        root_cause: false,
        location,
        origin,
        line: open.line,
    };
    let number = draft.push(failure)?;
    draft.at.ignorable = Some(if open.looped && has_items { items } else { number });
    Some(number)
}

/// The role in `role : task`; role names hold no blanks.
fn role(task: &str) -> Option<String> {
    let (role, _) = task.split_once(" : ")?;
    (!role.is_empty() && !role.contains(char::is_whitespace)).then(|| role.to_owned())
}

/// Splits `LABEL) => payload`: the label may itself hold `) => `, so the first place after which a payload begins counts.
fn item_label(rest: &str) -> (&str, &str) {
    let cut = |at: usize| {
        (rest.get(..at).unwrap_or_default(), rest.get(at + 4..).unwrap_or_default().trim_start())
    };
    let places = || rest.match_indices(") =>").map(|(at, _)| at).take(64);
    let whole = places().find(|at| {
        let payload = cut(*at).1.trim_end();
        payload.is_empty() || payload == "{" || payload::is_json(payload)
    });
    whole
        .or_else(|| places().find(|at| cut(*at).1.starts_with('{')))
        .or_else(|| places().last())
        .map_or((rest, ""), cut)
}

/// A YAML block without the indentation of its first line.
fn dedented(text: &str) -> String {
    let first = text.lines().find(|l| !l.trim().is_empty()).unwrap_or_default();
    let indent = first.len() - first.trim_start().len();
    let mut out = String::with_capacity(text.len());
    for line in text.trim_end().lines() {
        out.push_str(line.get(indent..).unwrap_or_default());
        out.push('\n');
    }
    out
}

fn payload_name(name: &str) -> String {
    super::prefix::cut(name, NAME_CAP).to_owned()
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
