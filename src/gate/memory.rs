//! What the gate remembers between runs, so that a runner that comes and goes is not chosen again at once.
//!
//! A small JSON document. One that is damaged or of another version counts as empty: forgetting costs a little steadiness, never safety.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::report::Selection;

const VERSION: u32 = 1;

/// Most runners that are remembered; a file cannot grow without end.
const MOST: usize = 1000;

/// What was seen before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    version: u32,
    /// The runner that was chosen last.
    chosen: Option<String>,
    /// How often the choice moved away from the preferred runner.
    fail_overs: u64,
    /// When it last did, in seconds since 1970.
    last_fail_over: Option<i64>,
    /// When each runner was last seen in a state in which it could not be used, in seconds since 1970.
    unusable_at: BTreeMap<String, i64>,
}

impl Memory {
    /// Reads what [`Memory::text`] wrote.
    pub fn read(text: &str) -> Self {
        let read: Option<Self> = serde_json::from_str(text).ok();
        read.filter(|memory| memory.version == VERSION).unwrap_or_default()
    }

    /// The document to keep.
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// How often the choice moved away from the preferred runner, and when last.
    pub fn fail_overs(&self) -> (u64, Option<i64>) {
        (self.fail_overs, self.last_fail_over)
    }

    /// For how long a runner was not seen unusable, when that is shorter than `wanted`: it has not proved to be steady.
    pub(super) fn unsteady(&self, runner: &str, now: i64, wanted: Duration) -> Option<Duration> {
        let since = now.saturating_sub(*self.unusable_at.get(runner)?);
        // A time in the future is a clock that was wrong: the runner proves itself from now on.
        let since = Duration::from_secs(u64::try_from(since).unwrap_or(0));
        (since < wanted).then_some(since)
    }

    /// What is remembered after this choice.
    pub(super) fn after(&self, selection: Option<&Selection>, now: i64) -> Self {
        let mut next = Self { version: VERSION, ..self.clone() };
        let Some(selection) = selection else { return next };
        for candidate in selection.candidates.iter().filter(|c| c.score.is_none()).take(MOST) {
            next.unusable_at.insert(candidate.name.as_str().to_owned(), now);
        }
        let chosen = selection.chosen().map(|c| c.name.as_str().to_owned());
        if selection.failed_over() && chosen != self.chosen {
            next.fail_overs += 1;
            next.last_fail_over = Some(now);
        }
        if next.unusable_at.len() > MOST {
            let oldest = next.unusable_at.values().copied().min().unwrap_or_default();
            next.unusable_at.retain(|_, at| *at > oldest);
        }
        next.chosen = chosen.or(next.chosen);
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_document_is_an_empty_memory() {
        for text in ["", "{", "[]", "null", r#"{"version":2,"fail_overs":7}"#] {
            assert_eq!(Memory::read(text), Memory::default(), "{text}");
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let mut memory = Memory { version: VERSION, fail_overs: 3, ..Memory::default() };
        memory.unusable_at.insert("a".to_owned(), 100);
        assert_eq!(Memory::read(&memory.text()), memory);
    }

    #[test]
    fn a_runner_is_unsteady_until_the_time_has_passed_and_one_of_the_future_is_not_trusted() {
        let mut memory = Memory::default();
        memory.unusable_at.insert("a".to_owned(), 100);
        let wanted = Duration::from_mins(1);
        assert_eq!(memory.unsteady("a", 130, wanted), Some(Duration::from_secs(30)));
        assert_eq!(memory.unsteady("a", 160, wanted), None);
        assert_eq!(memory.unsteady("a", 90, wanted), Some(Duration::ZERO));
        assert_eq!(memory.unsteady("b", 130, wanted), None);
    }
}
