//! What the callbacks `minimal` and `oneline` print: hosts and results, without plays, tasks and a recap.

use super::super::finish;
use super::super::grammar::{Effect, Section};
use super::super::model::{Failure, Form, Kind, Run};
use super::super::payload::{self, Payload, tail};
use super::super::record::name_of;
use super::super::state::Draft;

const TEXT_CAP: usize = 256 << 10;

/// Reads results; everything else is passed over.
#[derive(Default)]
pub(super) struct Adhoc {
    draft: Draft,
    open: Option<Open>,
    seen: bool,
}

/// A failed result whose text goes on in the next lines.
struct Open {
    host: String,
    unreachable: bool,
    rc: Option<i64>,
    line: usize,
    text: String,
}

/// A result's head: `web1 | FAILED | rc=5 >>`, `web1 | UNREACHABLE! => {`.
struct Head<'a> {
    host: &'a str,
    word: &'a str,
    rc: Option<i64>,
    rest: &'a str,
}

impl Adhoc {
    /// Whether no result is open.
    pub(super) fn is_between(&self) -> bool {
        self.open.is_none()
    }

    pub(super) fn line(&mut self, number: usize, line: &str) {
        let Some(head) = head(line) else {
            if let Some(open) = self.open.as_mut().filter(|o| o.text.len() < TEXT_CAP) {
                open.text.push_str(line);
                open.text.push('\n');
            }
            return;
        };
        self.seen = true;
        // Core 2.19 and later prints the result of `oneline` a second time, whole.
        let repeats = |o: &Open| o.host == head.host && o.rc.is_some() && o.line + 1 == number;
        if self.open.as_ref().is_some_and(repeats) && head.rest.starts_with('{') {
            self.open = None;
        }
        self.close();
        let (draft, host) = (&mut self.draft, name_of(head.host));
        draft.form = Form::Minimal;
        draft.at.task.get_or_insert_with(|| "".into());
        draft.at.section = Some(Section::Task);
        draft.at.task_no += 1;
        match head.word {
            "FAILED" | "FAILED!" | "UNREACHABLE!" => {
                let unreachable = head.word == "UNREACHABLE!";
                let text = format!("{}\n", head.rest);
                self.open = Some(Open { host, unreachable, rc: head.rc, line: number, text });
            }
            word => {
                let effect = match word {
                    "CHANGED" => Effect::Changed,
                    "SKIPPED" => Effect::Skipped,
                    _ => Effect::Done,
                };
                draft.pass(&host, effect);
            }
        }
    }

    fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        let payload = match open.rc {
            None => payload::json(object(&open.text)),
            Some(_) => raw(&open),
        };
        self.draft.push(Failure {
            host: open.host,
            kind: if open.unreachable { Kind::Unreachable } else { Kind::Failed },
            unreachable: open.unreachable,
            rc: payload.rc.or(open.rc),
            msg: payload.msg,
            cmd: payload.cmd,
            stdout_tail: payload.stdout,
            stderr_tail: payload.stderr,
            no_log: payload.censored,
            attempts: payload.attempts,
            time: payload.end,
            class: payload.told,
            line: open.line,
            ..Failure::default()
        });
    }

    /// The run, when there was a result.
    pub(super) fn finish(mut self) -> Option<Run> {
        self.close();
        if self.seen { finish::run(self.draft) } else { None }
    }
}

/// The object at the beginning: it ends with a brace at column 0, or with its line.
fn object(text: &str) -> &str {
    let first = text.lines().next().unwrap_or_default();
    if first.trim_end() != "{" {
        return first;
    }
    text.find("\n}").and_then(|at| text.get(..at + 2)).unwrap_or(text)
}

/// Output of a command as it is; the last line is Ansible's own message.
fn raw(open: &Open) -> Payload {
    if let Some(rest) = open.text.strip_prefix("(stdout) ") {
        let line = rest.lines().next().unwrap_or_default();
        let (stdout, stderr) = line.split_once(" (stderr) ").unwrap_or((line, ""));
        let lines = |text: &str| tail(&text.replace("\\n", "\n").replace("\\r", "")).to_owned();
        return Payload { stdout: lines(stdout), stderr: lines(stderr), ..Payload::default() };
    }
    let text = open.text.trim();
    let (output, last) = text.rsplit_once('\n').unwrap_or(("", text));
    let own = last.contains("non-zero return code");
    let (output, msg) = if own { (output, last) } else { (text, "") };
    Payload { msg: msg.to_owned(), stdout: tail(output).to_owned(), ..Payload::default() }
}

fn head(line: &str) -> Option<Head<'_>> {
    let (host, rest) = line.split_once(" | ")?;
    let known = !host.is_empty() && host.len() < 256 && !host.starts_with([' ', '\t', '|']);
    let end = rest.find(' ').unwrap_or(rest.len());
    let (word, rest) = rest.split_at(end);
    let result = |rest| Head { host, word, rc: None, rest };
    let found = match word {
        "FAILED!" | "UNREACHABLE!" | "SUCCESS" | "CHANGED" | "FAILED"
            if rest.starts_with(" => {") =>
        {
            result(rest.get(4..).unwrap_or_default())
        }
        "SKIPPED" if rest.trim().is_empty() => result(""),
        "FAILED" | "CHANGED" | "SUCCESS" => {
            let rest = rest.strip_prefix(" | rc=")?;
            let (code, rest) = rest.split_once(' ')?;
            let rest = rest.strip_prefix(">>").or_else(|| rest.strip_prefix("| "))?;
            Head { host, word, rc: Some(code.parse().ok()?), rest: rest.trim_start() }
        }
        _ => return None,
    };
    known.then_some(found)
}

#[cfg(test)]
mod tests {
    use super::super::super::{Form, Verdict, digest};

    #[test]
    fn minimal_gives_hosts_codes_and_words_and_says_what_it_can_not() {
        let text = "web1 | CHANGED | rc=0 >>\ndone\nweb1 | FAILED | rc=5 >>\nout\nno such unitnon-zero return code\n\
            web2 | UNREACHABLE! => {\n    \"msg\": \"refused\",\n    \"unreachable\": true\n}\nweb3 | SKIPPED\n";
        let run = digest(text).runs.remove(0);
        let told: Vec<_> =
            run.failures.iter().map(|f| (f.host.as_str(), f.rc, f.msg.as_str(), f.line)).collect();
        assert_eq!(
            told,
            [
                ("web1", Some(5), "no such unitnon-zero return code", 3),
                ("web2", None, "refused", 6)
            ]
        );
        assert_eq!((run.verdict, run.form, run.complete), (Verdict::Failed, Form::Minimal, false));
        assert!(run.warnings.iter().any(|w| w.contains("can not be known")), "{:?}", run.warnings);
    }

    #[test]
    fn oneline_is_read_once_also_where_it_repeats_itself() {
        let text = "a | FAILED | rc=9 | (stdout) one\\ntwo (stderr) corrupt\na | FAILED! => {\"msg\": \"no\", \"rc\": 9, \"stderr\": \"corrupt\"}\nb | FAILED | rc=1 | (stdout) \n";
        let run = digest(text).runs.remove(0);
        let told: Vec<_> =
            run.failures.iter().map(|f| (f.host.as_str(), f.rc, f.stderr_tail.as_str())).collect();
        assert_eq!(told, [("a", Some(9), "corrupt"), ("b", Some(1), "")]);
    }

    #[test]
    fn a_table_and_a_run_of_the_default_callback_are_no_such_output() {
        assert!(!digest("name | FAILED | 3 tests\nCPU | SUCCESS\n").is_ansible());
        let text = "PLAY [p] ***\nTASK [t] ***\nx | FAILED | rc=1 >>\n";
        assert!(digest(text).runs[0].failures.is_empty());
    }
}
