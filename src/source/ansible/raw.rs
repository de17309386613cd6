//! The raw, unindented output that the `debug` callback prints behind a result: `STDOUT:`, `STDERR:`, `MSG:` and the module's own.

use super::grammar::{self, Shape};
use super::machine::Target;
use super::marks::Marks;
use super::model::Failure;
use super::payload::tail;

const KEYS: [&str; 5] = ["STDOUT:", "STDERR:", "MSG:", "MODULE_STDOUT:", "MODULE_STDERR:"];
const MSG: usize = 2;
const CAP: usize = 256 << 10;

/// Whether lines in raw output that look like headers end it before the message that must follow has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// No: a command may print anything, and its result ends with its message.
    Message,
    /// Yes: the text holds a result whose message never comes.
    Header,
}

/// Raw output while it is read.
#[derive(Debug)]
pub(super) struct Raw {
    target: Option<Target>,
    key: usize,
    blanks: usize,
    texts: [String; 5],
    /// How far the message has repeated the one that was printed before the result.
    repeated: Option<usize>,
}

impl Raw {
    /// Begins if the line is one of the headings.
    pub(super) fn begin(line: &str, target: Option<Target>) -> Option<Self> {
        let key = key(line)?;
        Some(Self { target, key, blanks: 0, texts: Default::default(), repeated: None })
    }

    /// The failure that it belongs to.
    pub(super) fn target(&self) -> Option<Target> {
        self.target
    }

    /// Whether the message that must come has not come.
    pub(super) fn waits(&self, trust: Trust) -> bool {
        trust == Trust::Message && self.key < MSG && self.target.is_some_and(|t| t.expects_message)
    }

    /// Takes the line unless it ends the output.
    pub(super) fn takes<S>(&mut self, line: &str, marks: &Marks<S>, trust: Trust) -> bool {
        if self.blanks >= 2
            && let Some(key) = key(line).filter(|k| *k > self.key)
        {
            (self.key, self.blanks) = (key, 0);
            return true;
        }
        let repeats = self.repeats_error(line, marks);
        if is_header(line) && !self.waits(trust) && !repeats {
            return false;
        }
        self.blanks = if line.is_empty() { self.blanks + 1 } else { 0 };
        if let Some(text) = self.texts.get_mut(self.key)
            && (!text.is_empty() || !line.is_empty())
        {
            if text.len() + line.len() > CAP {
                *text = tail(text).to_owned();
            }
            text.push_str(line);
            text.push('\n');
        }
        true
    }

    /// Core 2.19 and later has printed the same message before the result: while it repeats that one, nothing ends it.
    fn repeats_error<S>(&mut self, line: &str, marks: &Marks<S>) -> bool {
        let Some(message) = self.texts.get(MSG).filter(|_| self.key == MSG) else { return false };
        if message.is_empty() || self.repeated.is_some() {
            self.repeated = marks.follow(self.repeated, line);
        }
        self.repeated.is_some()
    }

    /// Puts what was read into the failure.
    pub(super) fn amend(&self, failure: &mut Failure) {
        let [stdout, stderr, msg, module_stdout, module_stderr] = &self.texts;
        let either =
            |a: &'_ String, b: &'_ String| tail(if a.is_empty() { b } else { a }).to_owned();
        failure.stdout_tail = either(stdout, module_stdout);
        failure.stderr_tail = either(stderr, module_stderr);
        msg.trim_end().clone_into(&mut failure.msg);
    }
}

fn key(line: &str) -> Option<usize> {
    KEYS.iter().position(|k| *k == line)
}

fn is_header(line: &str) -> bool {
    match grammar::shape(line) {
        Shape::Text | Shape::Origin(_) | Shape::TaskPath(_) | Shape::Warning(_) => false,
        Shape::Play(_)
        | Shape::Task(..)
        | Shape::Recap
        | Shape::Playbook(_)
        | Shape::Banner
        | Shape::Failed(_)
        | Shape::Passed(..)
        | Shape::Ignoring
        | Shape::NoHosts
        | Shape::Error(_)
        | Shape::Stop(_)
        | Shape::Usage(_)
        | Shape::Preamble
        | Shape::Exit(_)
        | Shape::Cancelled
        | Shape::Step => true,
    }
}
