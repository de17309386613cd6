//! From a failed result and its payload to the failure that is kept.

use super::grammar::{self, Failed, Section};
use super::model::{Failure, Kind, Location};
use super::payload::{self, Payload};
use super::prefix::cut;
use super::state::Draft;

const NAME_CAP: usize = 1 << 10;

/// A failed result whose payload is not complete.
#[derive(Debug, Default)]
pub(super) struct Open {
    host: String,
    delegate_to: Option<String>,
    unreachable: bool,
    looped: bool,
    label: String,
    line: usize,
    time: Option<String>,
    /// The payload as far as it was read.
    pub(super) text: String,
}

impl Open {
    /// The result on this line, and its payload as far as it stands there.
    pub(super) fn new<'a>(line: usize, time: Option<&str>, failed: &Failed<'a>) -> (Self, &'a str) {
        let (label, rest) = if failed.looped { item_label(failed.rest) } else { ("", failed.rest) };
        let open = Self {
            host: name_of(failed.host),
            delegate_to: failed.delegate_to.map(name_of),
            unreachable: failed.unreachable,
            looped: failed.looped,
            label: name_of(label),
            line,
            time: time.map(str::to_owned),
            text: String::new(),
        };
        (open, rest)
    }

    /// The payload of a YAML block without the indentation of its first line.
    pub(super) fn dedented(&self) -> String {
        let text = &self.text;
        let first = text.lines().find(|l| !l.trim().is_empty()).unwrap_or_default();
        let indent = first.len() - first.trim_start().len();
        let mut out = String::with_capacity(text.len());
        for line in text.trim_end().lines() {
            out.push_str(line.get(indent..).unwrap_or_default());
            out.push('\n');
        }
        out
    }
}

/// Adds the failure to the draft; `None` when it only repeats the items before it, which `no_log` does before core 2.19.
pub(super) fn record(draft: &mut Draft, open: Open, payload: Payload) -> Option<usize> {
    let task = draft.at.task.clone().unwrap_or_default();
    if !open.looped && (payload.censored || payload.damaged) && repeats_items(draft, &open.host) {
        draft.at.ignorable = Some(draft.at.task_from);
        return None;
    }
    let (first, last) = draft.at.origins.take().unwrap_or_default();
    let embedded = grammar::embedded_location(&payload.msg);
    let location = draft.at.task_place.clone().or(first).or_else(|| embedded.clone());
    draft.at.task_place.clone_from(&location);
    let origin = last.or(embedded).filter(|o| location.as_ref() != Some(o));
    let kind = kind(open.unreachable, &payload);
    let item = payload.item.or_else(|| (!open.label.is_empty()).then(|| open.label.into()));
    let failure = Failure {
        play: draft.at.play.to_string(),
        role: role(&task),
        task: task.to_string(),
        host: open.host,
        delegate_to: open.delegate_to,
        item: item.filter(|_| open.looped),
        kind,
        unreachable: open.unreachable,
        rc: payload.rc,
        msg: payload.msg,
        cmd: payload.cmd,
        stdout_tail: payload.stdout,
        stderr_tail: payload.stderr,
        handler: draft.at.section == Some(Section::Handler),
        no_log: payload.censored,
        attempts: payload.attempts,
        location,
        origin,
        line: open.line,
        time: open.time.or(payload.end),
        class: payload.told,
        ..Failure::default()
    };
    let number = draft.push(failure)?;
    draft.at.ignorable = Some(if open.looped { draft.at.task_from } else { number });
    Some(number)
}

/// Takes up a failure again whose play and task turned out to be forged: it belongs to the ones that the draft was set back to.
pub(super) fn move_here(draft: &mut Draft, failure: Failure, place: Option<Location>) {
    let task = draft.at.task.clone().unwrap_or_default();
    let looped = failure.item.is_some();
    let number = draft.push(Failure {
        play: draft.at.play.to_string(),
        role: role(&task),
        task: task.to_string(),
        handler: draft.at.section == Some(Section::Handler),
        location: draft.at.task_place.clone().or(place),
        origin: None,
        ..failure
    });
    draft.at.ignorable = if looped { Some(draft.at.task_from) } else { number };
}

/// Whether the task has failed items of this host that `no_log` hides.
fn repeats_items(draft: &Draft, host: &str) -> bool {
    let of_task = draft.failures.get(draft.at.task_from..).unwrap_or_default();
    of_task
        .iter()
        .rev()
        .take(256)
        .any(|e| e.failure.host == host && e.failure.item.is_some() && e.failure.no_log)
}

/// Core 2.9 prints no `...ignoring` for an ignored unreachable host, but gives the result a reason to skip.
fn kind(unreachable: bool, payload: &Payload) -> Kind {
    match (unreachable, payload.skipped) {
        (true, true) => Kind::Ignored,
        (true, false) => Kind::Unreachable,
        (false, _) => Kind::Failed,
    }
}

/// The role in `role : task`; role names hold no blanks.
pub(super) fn role(task: &str) -> Option<String> {
    let (role, _) = task.split_once(" : ")?;
    (!role.is_empty() && !role.contains(char::is_whitespace)).then(|| role.to_owned())
}

/// Splits `LABEL) => payload`: the label may itself hold `) => `, so the first place after which a payload begins counts.
fn item_label(rest: &str) -> (&str, &str) {
    let split = |at: usize| {
        (rest.get(..at).unwrap_or_default(), rest.get(at + 4..).unwrap_or_default().trim_start())
    };
    let places = || rest.match_indices(") =>").map(|(at, _)| at).take(64);
    let whole = places().find(|at| {
        let payload = split(*at).1.trim_end();
        payload.is_empty() || payload == "{" || payload::is_json(payload)
    });
    whole
        .or_else(|| places().find(|at| split(*at).1.starts_with('{')))
        .or_else(|| places().last())
        .map_or((rest, ""), split)
}

/// A name, cut at 1 KiB.
pub(super) fn name_of(name: &str) -> String {
    cut(name, NAME_CAP).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_may_hold_what_ends_it() {
        let rest = r#"{'a': 'x) => {y'}) => {"msg": "no"}"#;
        assert_eq!(item_label(rest), ("{'a': 'x) => {y'}", r#"{"msg": "no"}"#));
        assert_eq!(item_label("a) => b) => "), ("a) => b", ""));
        assert_eq!(item_label(r#"a) => {"msg": ***}"#), ("a", r#"{"msg": ***}"#));
    }

    #[test]
    fn a_role_has_no_blanks() {
        assert_eq!(role("ns.coll.app : Restart : now").as_deref(), Some("ns.coll.app"));
        assert_eq!(role("Restart the app : now"), None);
    }
}
