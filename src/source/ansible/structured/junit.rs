//! What the callback `junit` writes: one test case for every task of every host that could be reached.

use serde_json::{Map, Value};

use super::{Named, Reader, place};
use crate::source::ansible::grammar::Section;
use crate::source::ansible::model::Form;

const CASE_CAP: usize = 4 << 20;

/// A test case whose end has not come yet, and the line where it began.
pub(super) type Open = Option<(usize, String)>;

impl Reader {
    /// Takes a line of XML; other lines are passed over.
    pub(super) fn junit_line(&mut self, number: usize, line: &str) {
        let mut rest = line;
        loop {
            match self.case.take() {
                None => {
                    let Some(at) = rest.find("<testcase ") else {
                        if rest.contains("<testsuites") && self.draft.form == Form::Junit {
                            self.end();
                        }
                        return;
                    };
                    self.case = Some((number, String::new()));
                    rest = rest.get(at..).unwrap_or_default();
                }
                Some((from, mut text)) => {
                    let (taken, after) = until_end(&text, rest);
                    text.push_str(taken);
                    let Some(after) = after else {
                        text.push('\n');
                        self.case = (text.len() < CASE_CAP).then_some((from, text));
                        return;
                    };
                    self.junit_case(from, &text);
                    rest = after;
                }
            }
        }
    }

    fn junit_case(&mut self, number: usize, text: &str) {
        let attribute = |name: &str| attribute(text, name);
        let Some(location) = attribute("classname").filter(|p| place(p).is_some()) else { return };
        let Some(name) = attribute("name") else { return };
        let Some((host, rest)) = name.strip_prefix('[').and_then(|n| n.split_once("] ")) else {
            return;
        };
        let (play, task) = rest.split_once(": ").unwrap_or(("", rest));
        self.draft.form = Form::Junit;
        if &*self.draft.at.play != play {
            self.play(&Named { name: play.to_owned(), path: None });
        }
        let name = without_arguments(task).to_owned();
        self.task(&Named { name, path: Some(location) }, Section::Task);
        let body = ["<failure", "<error"].iter().find_map(|tag| text.split_once(tag));
        let result = body.map_or_else(Map::new, |(_, body)| result(body));
        self.result(number, host, &result);
    }
}

/// What of `rest` belongs to the case that begins with `text`, and what follows after its end.
fn until_end<'a>(text: &str, rest: &'a str) -> (&'a str, Option<&'a str>) {
    let whole = "</testcase>";
    let single = if text.is_empty() {
        // The values of attributes hold no `>`: it is escaped.
        rest.find('>').filter(|at| rest.get(..*at).is_some_and(|tag| tag.ends_with('/')))
    } else {
        None
    };
    let end = single.map(|at| at + 1).or_else(|| rest.find(whole).map(|at| at + whole.len()));
    match end {
        Some(end) => (rest.get(..end).unwrap_or_default(), rest.get(end..)),
        None => (rest, None),
    }
}

/// The failed result: its JSON where the file holds it, else its message.
fn result(body: &str) -> Map<String, Value> {
    let text = body.split_once('>').map_or("", |(_, text)| text);
    let text = unescaped(text.split("</").next().unwrap_or_default());
    let mut result = match serde_json::from_str(text.trim()) {
        Ok(Value::Object(result)) => result,
        Ok(_) | Err(_) => Map::new(),
    };
    if let Some(message) = attribute(body, "message").filter(|_| !result.contains_key("msg")) {
        result.insert("msg".to_owned(), message.into());
    }
    result.insert("failed".to_owned(), true.into());
    result
}

fn attribute(text: &str, name: &str) -> Option<String> {
    let tag = text.split('>').next()?;
    let from = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    Some(unescaped(tag.get(from..)?.split('"').next()?))
}

fn unescaped(text: &str) -> String {
    let known = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#10;", "\n")];
    known.iter().fold(text.to_owned(), |t, (from, to)| t.replace(from, to)).replace("&amp;", "&")
}

/// The name of a task is followed by its arguments (`_raw_params=…`), which may hold anything.
fn without_arguments(task: &str) -> &str {
    let is_key = |word: &str| {
        word.split_once('=').is_some_and(|(key, _)| {
            !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        })
    };
    let mut at = 0;
    for word in task.split(' ') {
        if at > 0 && is_key(word) {
            return task.get(..at - 1).unwrap_or(task);
        }
        at += word.len() + 1;
    }
    task
}

#[cfg(test)]
mod tests {
    use super::super::super::{Form, Verdict, digest};

    const FILE: &str = "<?xml version=\"1.0\" ?>\n<testsuites>\n\t<testsuite name=\"site\">\n\
        \t\t<testcase classname=\"site.yml:4\" name=\"[a] Deploy: Gathering Facts\" time=\"0.8\"/>\n\
        \t\t<testcase classname=\"roles/app/tasks/main.yml:6\" name=\"[a] Deploy: app : Copy _raw_params=sh -c 'exit 3'\" time=\"0.8\">\n\
        \t\t\t<failure message=\"no\" type=\"failure\">{\n&quot;msg&quot;: &quot;a &lt; b&quot;,\n&quot;rc&quot;: 3\n}</failure>\n\
        \t\t</testcase>\n\
        \t\t<testcase classname=\"site.yml:9\" name=\"[b] Deploy: Probe\" time=\"0.1\"><failure message=\"refused\" type=\"failure\">(traceback missing)</failure></testcase>\n\
        \t</testsuite>\n</testsuites>\n";

    #[test]
    fn failed_cases_are_failures_with_their_place_and_the_limits_are_said() {
        let run = digest(FILE).runs.remove(0);
        let told: Vec<_> = run
            .failures
            .iter()
            .map(|f| (f.host.as_str(), f.task.as_str(), f.rc, f.msg.as_str()))
            .collect();
        assert_eq!(told, [("a", "app : Copy", Some(3), "a < b"), ("b", "Probe", None, "refused")]);
        assert_eq!(
            run.failures[0].location.as_ref().map(|l| (l.file.as_str(), l.line)),
            Some(("roles/app/tasks/main.yml", 6))
        );
        assert_eq!((run.verdict, run.form), (Verdict::Failed, Form::Junit));
        assert!(run.warnings.iter().any(|w| w.contains("unreachable hosts")), "{:?}", run.warnings);
    }

    #[test]
    fn test_cases_of_other_programs_are_no_run() {
        let other = "<testsuites><testcase classname=\"tests.test_x\" name=\"test_y[a] b\"><failure>no</failure></testcase></testsuites>\n";
        assert!(!digest(other).is_ansible());
    }
}
