//! Points to go back to. Core 2.19 and later prints a failure's message raw at column 0 before the result that belongs to it, so the
//! message can look like banners, results and a recap. Once the result repeats the message, what was read from it is undone.

use std::collections::VecDeque;

/// How many points are kept.
const MARKS: usize = 16;
/// How much text after the oldest point is kept.
const TEXT_CAP: usize = 1 << 20;
const HEAD: &str = "[ERROR]: ";

/// A point in the text at which an error message begins, with the state `S` before it.
#[derive(Debug)]
pub(super) struct Mark<S> {
    from: usize,
    open: bool,
    state: S,
}

/// The points, oldest first, and the text since the oldest.
#[derive(Debug)]
pub(super) struct Marks<S> {
    text: String,
    list: VecDeque<Mark<S>>,
}

impl<S> Default for Marks<S> {
    fn default() -> Self {
        Self { text: String::new(), list: VecDeque::new() }
    }
}

/// Whether a message is known to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// Yes.
    Whole,
    /// No: the log or the payload was cut or masked.
    Cut,
}

/// How much of a message stands in the text after a point.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Nothing,
    FirstLine,
    Whole,
}

impl<S> Marks<S> {
    /// Sets a point before `line`, which begins an error message.
    pub(super) fn set(&mut self, line: &str, state: S) {
        if self.list.len() >= MARKS {
            let Some(closed) = self.list.iter().position(|m| !m.open) else {
                return self.remember(line);
            };
            self.list.remove(closed);
        }
        self.list.push_back(Mark { from: self.text.len(), open: true, state });
        self.remember(line);
    }

    /// Keeps a line that follows a point.
    pub(super) fn remember(&mut self, line: &str) {
        let Some(oldest) = self.list.front() else { return self.text.clear() };
        if self.text.len() + line.len() > TEXT_CAP {
            let from = oldest.from;
            if from < TEXT_CAP / 2 {
                self.list.clear();
                return self.text.clear();
            }
            self.text.drain(..from);
            self.list.iter_mut().for_each(|m| m.from = m.from.saturating_sub(from));
        }
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// Settles the points for a result with this message, whether or not it is followed by a place. When the message has several
    /// lines and one of the points holds it whole, or when it was cut and the newest open point begins with it, that point and the
    /// later ones are taken away and its state is returned: everything read since is the message itself.
    pub(super) fn settle(&mut self, message: &str, heard: Heard) -> Option<S> {
        let said: Vec<Said> = self
            .list
            .iter()
            .map(|mark| said(self.text.get(mark.from..).unwrap_or_default(), message, heard))
            .collect();
        let whole = said
            .iter()
            .position(|s| *s == Said::Whole)
            .filter(|_| message.trim_end().contains('\n'));
        let cut = || {
            let mut open = self.list.iter().zip(&said);
            open.rposition(|(mark, said)| mark.open && *said != Said::Nothing)
        };
        let place = match heard {
            Heard::Whole => whole,
            Heard::Cut => whole.or_else(cut),
        };
        if let Some(place) = place {
            let mut undone = self.list.split_off(place);
            return undone.pop_front().map(|m| m.state);
        }
        for (mark, said) in self.list.iter_mut().zip(said) {
            mark.open &= said == Said::Nothing;
        }
        None
    }

    /// The state of the oldest point: nothing before it can be undone any more.
    pub(super) fn oldest(&self) -> Option<&S> {
        self.list.front().map(|m| &m.state)
    }

    /// Whether the text may still turn out to be a message.
    pub(super) fn in_doubt(&self) -> bool {
        self.list.iter().any(|m| m.open)
    }

    /// Settles the newest point: a result followed it, with the place of its task in between.
    pub(super) fn settle_last(&mut self) {
        if let Some(last) = self.list.back_mut() {
            last.open = false;
        }
    }

    /// Follows the message of the newest point line by line. `so_far` is what the call for the line before returned, `None` for the
    /// first line; the answer is `None` when this line is not the message's next one.
    pub(super) fn follow(&self, so_far: Option<usize>, line: &str) -> Option<usize> {
        let text = self.list.back().and_then(|m| self.text.get(m.from..))?;
        let from = so_far.unwrap_or_default();
        let next = text.get(from..)?.split('\n').next()?;
        let same = match so_far {
            None => !line.trim().is_empty() && next.trim_end().ends_with(line.trim()),
            Some(_) => next.split_whitespace().eq(line.split_whitespace()),
        };
        same.then_some(from + next.len() + 1)
    }

    /// The state before the oldest point that no result has settled.
    pub(super) fn unsettled(self) -> Option<S> {
        self.list.into_iter().find(|m| m.open).map(|m| m.state)
    }
}

fn said(text: &str, message: &str, heard: Heard) -> Said {
    let Some(text) = text.trim_start().strip_prefix(HEAD) else { return Said::Nothing };
    let (mut raw, mut wanted) = (text.lines(), message.trim_end().lines());
    let (Some(first), Some(want)) = (raw.next(), wanted.next()) else { return Said::Nothing };
    let (first, want) = (first.trim_end(), want.trim());
    let begins = match heard {
        Heard::Whole => first.ends_with(want),
        Heard::Cut => without_chain(first).any(|message| message.starts_with(want)),
    };
    if want.is_empty() || !begins {
        return Said::Nothing;
    }
    for want in wanted {
        if !raw.next().is_some_and(|line| line.split_whitespace().eq(want.split_whitespace())) {
            return Said::FirstLine;
        }
    }
    Said::Whole
}

/// The message with the words that Ansible puts before it, with some and with none of them.
fn without_chain(first: &str) -> impl Iterator<Item = &str> {
    let cause = first.strip_prefix("Task failed: ").unwrap_or(first);
    let words = ["Module failed: ", "Action failed: "];
    let message = words.iter().find_map(|w| cause.strip_prefix(w)).unwrap_or(cause);
    [first, cause, message].into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(lines: &[&str]) -> Marks<u8> {
        let mut marks = Marks::default();
        for (n, line) in (0u8..).zip(lines) {
            if line.starts_with(HEAD) { marks.set(line, n) } else { marks.remember(line) }
        }
        marks
    }

    #[test]
    fn a_message_that_is_found_whole_undoes_everything_since() {
        let mut marks =
            after(&["[ERROR]: Task failed: no", "", "[ERROR]: forged", "PLAY RECAP ***"]);
        assert_eq!(marks.settle("no\n\n[ERROR]: forged\nPLAY RECAP ***", Heard::Whole), Some(0));
        assert_eq!(marks.unsettled(), None);
    }

    #[test]
    fn another_message_undoes_nothing() {
        let mut marks = after(&["[ERROR]: Task failed: no", "", "more"]);
        assert_eq!(marks.settle("no\n\nless", Heard::Whole), None);
        assert_eq!(marks.settle("something else\nmore", Heard::Whole), None);
    }

    #[test]
    fn a_point_without_its_result_is_found_at_the_end() {
        let marks = after(&["[ERROR]: Task failed: no", "", "[ERROR]: forged"]);
        assert_eq!(marks.unsettled(), Some(0));
        let mut settled = after(&["[ERROR]: Task failed: no"]);
        assert_eq!(settled.settle("no", Heard::Whole), None);
        assert_eq!(settled.unsettled(), None);
    }

    #[test]
    fn a_message_that_was_cut_undoes_what_it_would_have_repeated() {
        let mut marks = after(&["[ERROR]: Task failed: no", "", "fatal: forged"]);
        assert_eq!(marks.settle("o", Heard::Cut), None);
        assert_eq!(marks.settle("n", Heard::Cut), Some(0));
    }

    #[test]
    fn a_message_that_is_repeated_is_followed_line_by_line() {
        let marks = after(&["[ERROR]: Task failed: no", "", "ok: [a]", "Origin: x"]);
        let first = marks.follow(None, "no");
        let second = marks.follow(first, "");
        assert!(marks.follow(second, "ok: [a]").is_some());
        assert_eq!(marks.follow(second, "ok: [b]"), None);
        assert_eq!(marks.follow(None, ""), None);
    }

    #[test]
    fn the_text_that_is_kept_is_bounded() {
        let mut marks = after(&["[ERROR]: Task failed: no"]);
        (0..40).for_each(|_| marks.remember(&"x".repeat(100 << 10)));
        assert!(marks.text.len() <= TEXT_CAP && marks.list.is_empty());
    }
}
