//! What programs read of a run: the callbacks `json` (one document at the end) and `jsonl` (one event a line), ansible-runner, JUnit, the
//! last results of the hosts.
//!
//! None but ansible-runner says which failures were ignored, none which were rescued; only their counts do.

mod adhoc;
mod document;
mod json;
mod junit;
mod runner;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::finish;
use super::grammar::{Effect, Section};
use super::kept::Kept;
use super::model::{Failure, Form, Host, Kind, Location, Run};
use super::payload::Payload;
use super::prefix::holds;
use super::record::{name_of, role};
use super::slim::Slim;
use super::state::Draft;
use document::Document;

#[derive(Deserialize, Default)]
struct Named {
    #[serde(default)]
    name: String,
    #[serde(default)]
    path: Option<String>,
}

/// One line of the callback `jsonl`.
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "_event")]
    name: String,
    #[serde(default)]
    play: Option<Named>,
    #[serde(default)]
    task: Option<Named>,
    #[serde(default)]
    hosts: BTreeMap<String, Slim>,
    #[serde(default)]
    stats: Option<Map<String, Value>>,
}

/// Reads lines; what is in neither form is passed over.
#[derive(Default)]
pub(super) struct Reader {
    done: Kept,
    draft: Draft,
    /// A document whose end has not come yet, and the line where it began.
    open: Option<(usize, Document)>,
    /// A test case of JUnit.
    case: junit::Open,
    adhoc: adhoc::Adhoc,
}

/// The last result of a host.
#[derive(Deserialize)]
struct Last {
    #[serde(rename = "_tree")]
    host: String,
    result: Slim,
}

impl Reader {
    /// Takes a line without its wrappers.
    pub(super) fn line(&mut self, number: usize, line: &str) {
        let brace = line.starts_with('{');
        // Nearly every line of a text that is none of these forms ends here.
        if self.is_between() && !brace && !holds(line, b'<') && !holds(line, b'|') {
            return;
        }
        if self.document_line(line) {
            return;
        }
        let xml = || line.contains("<testcase ") || line.contains("<testsuites");
        if line.starts_with("{\"_event\"") {
            self.event(number, line);
        } else if line.starts_with("{\"_tree\"") {
            self.last(number, line);
        } else if line.starts_with("{\"_runner\"") {
            self.runner_end(line);
        } else if brace && runner::is_event(line) {
            self.runner_event(number, line);
        } else if self.case.is_some() || (holds(line, b'<') && xml()) {
            self.junit_line(number, line);
        } else if line == "{" {
            self.adhoc.line(number, line);
            self.open = Some((number, Document::opened()));
        } else if brace && line.get(1..).is_some_and(document::begins) {
            self.document(number, Document::default(), line);
        } else {
            self.adhoc.line(number, line);
        }
    }

    /// Whether nothing is open that a line could belong to.
    fn is_between(&self) -> bool {
        self.open.is_none() && self.case.is_none() && self.adhoc.is_between()
    }

    /// The callback `tree` keeps the last result of every host, and not of which task it is.
    fn last(&mut self, number: usize, line: &str) {
        let Some(Last { host, result: Slim(mut result) }) = parse::<Last>(line) else { return };
        // The callback writes no mark of a failure; what is in the result tells.
        let refuted = result.get("evaluated_to") == Some(&Value::Bool(false));
        if item_failed(&result) || refuted {
            result.insert("failed".to_owned(), true.into());
        }
        self.draft.form = Form::Tree;
        self.draft.at.task.get_or_insert_with(|| "".into());
        self.draft.at.task_no += 1;
        self.result(number, &host, &result);
    }

    fn event(&mut self, line: usize, text: &str) {
        let Some(event) = parse::<Event>(text) else { return };
        self.draft.form = Form::Jsonl;
        if let (true, Some(play)) = (event.name.ends_with("_play_start"), &event.play) {
            self.play(play);
        }
        if let Some(task) = event.task.as_ref().filter(|_| event.name.ends_with("_task_start")) {
            let handler = event.name.contains("handler");
            self.task(task, if handler { Section::Handler } else { Section::Task });
        } else if let Some(task) = &event.task {
            // Hosts that run free name their task with every result.
            if self.draft.at.task.as_deref() != Some(task.name.as_str()) {
                self.task(task, self.draft.at.section.unwrap_or(Section::Task));
            }
        }
        if event.name.starts_with("v2_runner_on_") && !event.name.ends_with("_start") {
            for (host, Slim(result)) in &event.hosts {
                self.result(line, host, result);
            }
        }
        if let Some(stats) = &event.stats {
            self.stats(stats);
            self.end();
        }
    }

    fn play(&mut self, play: &Named) {
        self.draft.at.play = Rc::from(play.name.as_str());
        self.draft.at.task_no += 1;
        self.draft.at.play_from = self.draft.at.task_no;
    }

    fn task(&mut self, task: &Named, section: Section) {
        let draft = &mut self.draft;
        draft.at.task = Some(Rc::from(task.name.as_str()));
        draft.at.section = Some(section);
        draft.at.task_no += 1;
        draft.at.task_from = draft.failures.len();
        draft.at.task_place = task.path.as_deref().and_then(place);
    }

    fn result(&mut self, line: usize, host: &str, result: &Map<String, Value>) {
        let unreachable = is_true(result, "unreachable");
        if !unreachable && !is_true(result, "failed") {
            let changed = is_true(result, "changed");
            self.draft.pass(host, if changed { Effect::Changed } else { Effect::Done });
            return;
        }
        let items = result.get("results").and_then(Value::as_array);
        let failed: Vec<&Map<String, Value>> = items
            .into_iter()
            .flatten()
            .filter_map(Value::as_object)
            .filter(|item| item_failed(item))
            .collect();
        if failed.is_empty() {
            let failure = self.failure(line, host, result, result);
            self.draft.push(failure);
        }
        for item in failed {
            let mut failure = self.failure(line, host, item, result);
            failure.item = Payload::of(item).item;
            self.draft.push(failure);
        }
    }

    /// The failure that `result` describes; `whole` is the result of the task, which an item does not repeat.
    fn failure(
        &self,
        line: usize,
        host: &str,
        result: &Map<String, Value>,
        whole: &Map<String, Value>,
    ) -> Failure {
        let (at, payload) = (&self.draft.at, Payload::of(result));
        let task = at.task.as_deref().unwrap_or_default();
        let unreachable = is_true(result, "unreachable") || is_true(whole, "unreachable");
        let delegated =
            result.get("_ansible_delegated_vars").or(whole.get("_ansible_delegated_vars"));
        let delegate =
            delegated.and_then(|v| v.get("ansible_delegated_host")).and_then(Value::as_str);
        Failure {
            play: at.play.to_string(),
            role: role(task),
            task: task.to_owned(),
            host: name_of(host),
            delegate_to: delegate.map(name_of),
            kind: if unreachable { Kind::Unreachable } else { Kind::Failed },
            unreachable,
            rc: payload.rc,
            msg: payload.msg,
            cmd: payload.cmd,
            stdout_tail: payload.stdout,
            stderr_tail: payload.stderr,
            handler: at.section == Some(Section::Handler),
            no_log: payload.censored,
            attempts: payload.attempts,
            time: payload.end,
            class: payload.told,
            location: at.task_place.clone(),
            line,
            ..Failure::default()
        }
    }

    fn stats(&mut self, stats: &Map<String, Value>) {
        self.draft.at.recap_from = Some(self.draft.hosts.len());
        self.draft.hosts.extend(stats.iter().map(|(name, counts)| host(name, counts)));
        self.draft.at.no_hosts |= stats.is_empty();
    }

    /// Ends the run that is being read.
    fn end(&mut self) {
        let mut draft = std::mem::take(&mut self.draft);
        mark_ignored(&mut draft);
        if let Some(run) = finish::run(draft) {
            self.done.add(run);
        }
    }

    /// The runs in their order; and what may be a run of the callbacks `minimal` or `oneline`, if the text holds nothing else.
    pub(super) fn finish(mut self) -> (Kept, Option<Run>) {
        if self.open.take().is_some_and(|(_, document)| !document.is_new()) {
            self.abandon();
        }
        self.end();
        (self.done, self.adhoc.finish())
    }
}

/// Only the counts say that failures of a host were ignored, and not which: the first ones are taken, then those that were rescued.
/// Neither kind counts as a failure.
fn mark_ignored(draft: &mut Draft) {
    let from = draft.at.recap_from.unwrap_or(draft.hosts.len());
    let hosts = draft.hosts.get(from..).unwrap_or_default();
    for host in hosts.iter().filter(|host| host.ignored > 0) {
        let own = || draft.failures.iter().filter(|e| e.failure.host == host.name);
        let mut known: Vec<usize> =
            own().filter(|e| e.failure.kind == Kind::Ignored).map(|e| e.task_no).collect();
        known.dedup();
        let known = u64::try_from(known.len()).unwrap_or(u64::MAX);
        let (mut ignored, mut task) = (host.ignored.saturating_sub(known), None);
        for entry in draft.failures.iter_mut().filter(|e| e.failure.host == host.name) {
            if task == Some(entry.task_no) {
                entry.failure.kind = Kind::Ignored;
                continue;
            }
            // What counts as unreachable was not ignored.
            let counts = entry.failure.kind == Kind::Unreachable && host.unreachable > 0;
            if counts || ignored == 0 {
                continue;
            }
            ignored -= 1;
            task = Some(entry.task_no);
            entry.failure.kind = Kind::Ignored;
        }
    }
}

/// Reads JSON; bytes that are no text stand in it as halves of surrogate pairs, which no parser takes.
fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
    let read = serde_json::from_str(text).ok();
    read.or_else(|| match mended(text) {
        Cow::Borrowed(_) => None,
        Cow::Owned(text) => serde_json::from_str(&text).ok(),
    })
}

/// JSON without halves of surrogate pairs.
fn mended(text: &str) -> Cow<'_, str> {
    if text.contains("\\ud") {
        Cow::Owned(without_lone_surrogates(text))
    } else {
        Cow::Borrowed(text)
    }
}

/// The text with every escaped half of a surrogate pair replaced.
fn without_lone_surrogates(text: &str) -> String {
    let half = |at: usize, high: bool| {
        let digits = text.get(at..at + 6).and_then(|t| t.strip_prefix("\\u"));
        let value = digits.and_then(|d| u32::from_str_radix(d, 16).ok()).unwrap_or(0);
        if high { (0xd800..0xdc00).contains(&value) } else { (0xdc00..0xe000).contains(&value) }
    };
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find('\\')).map(|n| at + n) {
        out.push_str(text.get(at..found).unwrap_or_default());
        let step = match (half(found, true), half(found + 6, false)) {
            (true, true) => 12,
            (true, false) => 6,
            (false, _) if half(found, false) => 6,
            // Whatever is escaped belongs to its backslash.
            (false, _) => {
                1 + text.get(found + 1..).and_then(|t| t.chars().next()).map_or(0, char::len_utf8)
            }
        };
        let lone = step == 6;
        out.push_str(if lone {
            "\\ufffd"
        } else {
            text.get(found..found + step).unwrap_or_default()
        });
        at = found + step;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

/// A failed item of a loop does not always say so: the exit code or the traceback does.
fn item_failed(item: &Map<String, Value>) -> bool {
    let skipped = is_true(item, "skipped");
    let says = ["failed", "unreachable", "failed_when_result"].iter().any(|key| is_true(item, key));
    let rc = item.get("rc").and_then(Value::as_i64).is_some_and(|rc| rc != 0);
    let judged = item.contains_key("failed_when_result");
    says || (!skipped && (item.contains_key("exception") || (rc && !judged)))
}

fn is_true(map: &Map<String, Value>, key: &str) -> bool {
    map.get(key).and_then(Value::as_bool) == Some(true)
}

/// `path:line`
fn place(path: &str) -> Option<Location> {
    let (file, line) = path.rsplit_once(':')?;
    Some(Location { file: file.to_owned(), line: line.parse().ok()?, col: None })
}

fn host(name: &str, counts: &Value) -> Host {
    let count = |key: &str| counts.get(key).and_then(Value::as_u64).unwrap_or(0);
    Host {
        name: name_of(name),
        ok: count("ok"),
        changed: count("changed"),
        unreachable: count("unreachable"),
        failed: count("failures"),
        skipped: count("skipped"),
        rescued: count("rescued"),
        ignored: count("ignored"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Verdict, digest};
    use super::*;

    const RESULT: &str = r#"{"failed": true, "msg": "no", "rc": 3, "stderr": "full"}"#;

    fn document(result: &str, counts: &str) -> String {
        let task = format!(
            r#"{{"task": {{"name": "app : Copy", "path": "/srv/site.yml:7"}}, "hosts": {{"web1": {result}}}}}"#
        );
        format!(
            "{{\n\"plays\": [{{\"play\": {{\"name\": \"P\"}}, \"tasks\": [{task}]}}],\n\"stats\": {{\"web1\": {counts}}}\n}}"
        )
    }

    #[test]
    fn a_document_is_a_run_also_behind_the_time_stamps_of_a_job_log() {
        let plain = document(RESULT, r#"{"failures": 1, "ok": 2}"#);
        let stamp = "2026-11-24T11:00:00.0000000Z ";
        let wrapped =
            format!("{stamp}[WARNING]: old\n{stamp}{}", plain.replace('\n', &format!("\n{stamp}")));
        for text in [plain, wrapped] {
            let read = digest(&text);
            let run = &read.runs[0];
            let failure = &run.failures[0];
            assert_eq!((failure.host.as_str(), failure.rc), ("web1", Some(3)), "{text}");
            assert_eq!(
                (failure.task.as_str(), failure.role.as_deref()),
                ("app : Copy", Some("app"))
            );
            assert_eq!(failure.location.as_ref().map(|l| l.line), Some(7));
            assert_eq!((run.verdict, run.hosts[0].ok), (Verdict::Failed, 2));
        }
    }

    #[test]
    fn events_that_end_in_the_middle_are_a_run_that_was_killed() {
        let text = format!(
            "{}\n{}\n{}\n{{\"_event\": \"v2_runner",
            r#"{"_event":"v2_playbook_on_play_start","play":{"name":"P"}}"#,
            r#"{"_event":"v2_playbook_on_handler_task_start","task":{"name":"Restart"}}"#,
            format_args!(r#"{{"_event":"v2_runner_on_failed","hosts":{{"web1":{RESULT}}}}}"#),
        );
        let run = &digest(&text).runs[0];
        assert_eq!((run.verdict, run.complete), (Verdict::Killed, false));
        assert!(run.failures[0].handler);
    }

    #[test]
    fn only_the_failed_items_of_a_loop_are_failures() {
        let items = r#"{"failed": true, "msg": "One or more items failed", "results": [
            {"item": "a", "rc": 0}, {"item": "b", "rc": 1, "msg": "no"}, {"item": "c", "skipped": true, "rc": 1}]}"#;
        let run = digest(&document(items, r#"{"failures": 1}"#)).runs.remove(0);
        let items: Vec<_> = run.failures.iter().map(|f| f.item.clone()).collect();
        assert_eq!(items, [Some(Value::from("b"))]);
    }

    #[test]
    fn counts_alone_say_that_a_failure_was_ignored() {
        let run = digest(&document(RESULT, r#"{"ok": 3, "ignored": 1}"#)).runs.remove(0);
        assert_eq!((run.failures[0].kind, run.failed()), (Kind::Ignored, false));
    }

    #[test]
    fn bytes_that_are_no_text_do_not_hide_a_document() {
        let result = r#"{"failed": true, "msg": "a\udcff \\udcff \ud83d\ude00 \ud83d"}"#;
        let run = digest(&document(result, r#"{"failures": 1}"#)).runs.remove(0);
        assert_eq!(run.failures[0].msg, "a\u{fffd} \\udcff \u{1f600} \u{fffd}");
    }

    #[test]
    fn a_document_that_a_task_prints_is_not_a_run() {
        let quoted = document(RESULT, r#"{"failures": 1}"#);
        let text = format!(
            "PLAY [p] ***\nTASK [t] ***\nok: [a] => {{\n    \"msg\": \"x\"\n}}\n{quoted}\nPLAY RECAP ***\na : ok=1 changed=0 unreachable=0 failed=0\n"
        );
        let read = digest(&text);
        assert_eq!((read.runs.len(), read.failed()), (1, false));
    }
}
