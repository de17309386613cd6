//! What ansible-runner leaves: one event a file, the only form that says which failures were ignored.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Named, Reader, parse};
use crate::source::ansible::grammar::Section;
use crate::source::ansible::model::{Form, Kind};
use crate::source::ansible::record::name_of;
use crate::source::ansible::slim::Slim;
use crate::source::ansible::state::{Ending, HaltKind};

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "event")]
    name: String,
    #[serde(default)]
    stdout: String,
    #[serde(default, rename = "event_data")]
    data: Data,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Data {
    play: Option<String>,
    name: Option<String>,
    task: Option<String>,
    task_path: Option<String>,
    role: Option<String>,
    host: Option<String>,
    res: Slim,
    ignore_errors: Option<bool>,
    processed: Map<String, Value>,
    ok: Map<String, Value>,
    changed: Map<String, Value>,
    dark: Map<String, Value>,
    failures: Map<String, Value>,
    skipped: Map<String, Value>,
    rescued: Map<String, Value>,
    ignored: Map<String, Value>,
}

/// What stands beside the events: exit code and status.
#[derive(Deserialize)]
struct End {
    #[serde(rename = "_runner")]
    end: Status,
}

#[derive(Deserialize)]
struct Status {
    rc: Option<i64>,
    status: String,
}

/// Whether the line may be an event.
pub(super) fn is_event(line: &str) -> bool {
    line.starts_with("{\"") && line.contains("\"event_data\"") && line.contains("\"counter\"")
}

impl Reader {
    pub(super) fn runner_event(&mut self, number: usize, line: &str) {
        let Some(Event { name: event, stdout, data }) = parse::<Event>(line) else { return };
        if event == "playbook_on_start" && self.draft.is_used() {
            self.end();
        }
        self.draft.form = Form::Runner;
        match event.as_str() {
            "playbook_on_play_start" => {
                let name = data.name.or(data.play).unwrap_or_default();
                self.play(&Named { name, path: None });
            }
            "playbook_on_task_start" => self.runner_task(&data, Section::Task),
            "playbook_on_handler_task_start" => self.runner_task(&data, Section::Handler),
            "playbook_on_no_hosts_matched" => self.draft.at.no_hosts = true,
            "runner_retry" => {
                self.draft
                    .tally
                    .tried(data.host.as_deref(), data.task.as_deref().unwrap_or_default());
            }
            "playbook_on_stats" => self.runner_stats(&data),
            "verbose" | "error" => self.runner_error(&stdout),
            name if name.starts_with("runner_on_") && !name.ends_with("_start") => {
                self.runner_result(number, name, data);
            }
            _ => {}
        }
    }

    fn runner_task(&mut self, data: &Data, section: Section) {
        let name = data.task.clone().unwrap_or_default();
        let name = match &data.role {
            Some(role) if !name.contains(" : ") => format!("{role} : {name}"),
            Some(_) | None => name,
        };
        if self.draft.at.task.as_deref() != Some(name.as_str())
            || self.draft.at.section != Some(section)
        {
            self.task(&Named { name, path: data.task_path.clone() }, section);
        }
    }

    fn runner_result(&mut self, number: usize, event: &str, data: Data) {
        self.runner_task(&data, self.draft.at.section.unwrap_or(Section::Task));
        let from = self.draft.failures.len();
        let Slim(mut result) = data.res;
        match event {
            "runner_on_failed" => drop(result.insert("failed".to_owned(), true.into())),
            "runner_on_unreachable" => drop(result.insert("unreachable".to_owned(), true.into())),
            _ => {
                result.remove("failed");
            }
        }
        self.result(number, &data.host.unwrap_or_default(), &result);
        if data.ignore_errors == Some(true) {
            for entry in self.draft.failures.iter_mut().skip(from) {
                entry.failure.kind = Kind::Ignored;
            }
        }
    }

    fn runner_stats(&mut self, data: &Data) {
        let mut names: Vec<&String> = [&data.processed, &data.ok, &data.dark, &data.failures]
            .into_iter()
            .flat_map(Map::keys)
            .collect();
        names.sort();
        names.dedup();
        let of = |name: &String| {
            let counts = json!({
                "ok": data.ok.get(name), "changed": data.changed.get(name), "unreachable": data.dark.get(name),
                "failures": data.failures.get(name), "skipped": data.skipped.get(name),
                "rescued": data.rescued.get(name), "ignored": data.ignored.get(name),
            });
            (name_of(name), counts)
        };
        let stats: Map<String, Value> = names.into_iter().map(of).collect();
        self.stats(&stats);
    }

    /// An error that stopped the run stands in the output alone.
    fn runner_error(&mut self, stdout: &str) {
        // Where the escape characters are written as `\u001b`, the cleaning of the line may have taken the rest of a sequence.
        let text: String = stdout
            .replace("\u{1b}[0;31m", "")
            .replace("\u{1b}[0m", "")
            .chars()
            .filter(|c| *c == '\n' || !c.is_control())
            .collect();
        let text = text.trim();
        let usage =
            text.split_once("ansible-playbook: error: ").map(|(_, why)| (why, HaltKind::Usage));
        let stop = text.strip_prefix("ERROR! ").map(|why| (why, HaltKind::Old));
        let new = text.strip_prefix("[ERROR]: ").filter(|why| !why.starts_with("Task failed"));
        if let Some((why, kind)) = usage.or(stop).or(new.map(|why| (why, HaltKind::New))) {
            self.draft.halt(why.trim_end(), kind);
        }
    }

    /// The note about exit code and status ends a run.
    pub(super) fn runner_end(&mut self, line: &str) {
        let Some(End { end }) = parse::<End>(line) else { return };
        self.draft.form = Form::Runner;
        self.draft.at.exit_code = end.rc;
        if matches!(end.status.as_str(), "canceled" | "timeout") {
            self.draft.at.ending = Ending::Interrupted;
        }
        let silent = !self.draft.is_used() && end.rc.is_some_and(|rc| rc != 0);
        if silent {
            let why = "ansible-runner says that the run failed, and left no event of it";
            self.draft.halt(why, HaltKind::Old);
        }
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{Form, Kind, Verdict, digest};

    fn event(name: &str, data: &str) -> String {
        format!(
            "{{\"uuid\": \"u\", \"counter\": 1, \"stdout\": \"\", \"event\": \"{name}\", \"event_data\": {data}}}\n"
        )
    }

    #[test]
    fn events_say_which_failure_was_ignored_and_the_note_gives_the_exit_code() {
        let task =
            r#""task": "Copy", "role": "app", "task_path": "/srv/roles/app/tasks/main.yml:7""#;
        let failed = |host: &str, ignored: &str| {
            format!(
                "{{{task}, \"host\": \"{host}\", \"res\": {{\"rc\": 3, \"msg\": \"no\"}}, \"ignore_errors\": {ignored}}}"
            )
        };
        let text = [
            event("playbook_on_start", "{}"),
            event("playbook_on_play_start", r#"{"name": "Deploy"}"#),
            event("playbook_on_task_start", &format!("{{{task}}}")),
            event("runner_on_failed", &failed("a", "true")),
            event("runner_on_failed", &failed("b", "null")),
            event("playbook_on_stats", r#"{"ok": {"a": 1}, "failures": {"b": 1}, "ignored": {"a": 1}, "processed": {"a": 1, "b": 1}}"#),
            "{\"_runner\":{\"rc\":2,\"status\":\"failed\"}}\n".to_owned(),
        ]
        .concat();
        let run = digest(&text).runs.remove(0);
        let kinds: Vec<_> = run.failures.iter().map(|f| (f.host.as_str(), f.kind)).collect();
        assert_eq!(kinds, [("a", Kind::Ignored), ("b", Kind::Failed)]);
        assert_eq!(
            (run.verdict, run.exit_code, run.form),
            (Verdict::Failed, Some(2), Form::Runner)
        );
        assert_eq!(run.failures[1].task, "app : Copy");
        assert_eq!(run.failures[1].location.as_ref().map(|l| l.line), Some(7));
        assert_eq!(run.totals.failed, 1);
    }

    #[test]
    fn a_run_that_never_began_says_why() {
        let output = r#"{"uuid": "u", "counter": 1, "stdout": "\u001b[0;31mERROR! the playbook: x.yml could not be found\u001b[0m", "event": "verbose", "event_data": {}}"#;
        let text = format!("{output}\n{{\"_runner\":{{\"rc\":1,\"status\":\"failed\"}}}}\n");
        let read = digest(&text);
        assert_eq!(read.runs[0].verdict, Verdict::ParseError);
        assert_eq!(read.errors, ["the playbook: x.yml could not be found"]);
    }
}
