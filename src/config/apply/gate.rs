//! How findings become a verdict.

use std::time::Duration;

use super::super::load::not_one_of;
use super::super::raw::{RawGate, Text};
use super::super::value::parse_duration;
use super::super::{Gate, Level, Mode, is_production};
use super::Build;

const POLL: Duration = Duration::from_secs(15);
const SHORTEST_POLL: Duration = Duration::from_secs(1);
const STABLE_FOR: Duration = Duration::from_mins(10);
/// Longest time that a job may wait for a runner to heal.
const LONGEST_SPAN: Duration = Duration::from_hours(6);
const MIN_SCORE: u8 = 50;

impl Build<'_> {
    pub(super) fn gate(&mut self, raw: RawGate, environment: &str) -> Gate {
        let production = is_production(environment);
        Gate {
            mode: self.mode(raw.mode.as_deref()),
            on_unknown: self.gate_unknown(raw.on_unknown, production),
            require_authorized: raw.require_authorized.unwrap_or(production),
            wait: self.span("wait", "gate.wait", raw.wait, Duration::ZERO),
            poll: self.poll(raw.poll),
            stable_for: self.span("", "gate.stable-for", raw.stable_for, STABLE_FOR),
            min_score: self.min_score(raw.min_score),
            min_idle: usize::try_from(raw.min_idle.unwrap_or(0)).unwrap_or(usize::MAX),
            distinct_hosts: raw.distinct_hosts.unwrap_or(true),
            state_file: self.text("", "gate.state-file", raw.state_file),
        }
    }

    fn mode(&mut self, raw: Option<&str>) -> Mode {
        let mode = match raw {
            None | Some("enforce") => Mode::Enforce,
            Some("shadow") => Mode::Shadow,
            Some(other) => {
                let (message, help) = not_one_of(other, "a mode", &["enforce", "shadow"]);
                self.wrong("gate.mode", message, help);
                Mode::Enforce
            }
        };
        let shadow = self.boolean("shadow", "gate.mode", Some(mode == Mode::Shadow), false);
        if shadow { Mode::Shadow } else { Mode::Enforce }
    }

    fn gate_unknown(&mut self, raw: Option<String>, production: bool) -> Level {
        let default = if production { Level::Deny } else { Level::Warn };
        let path = "gate.on-unknown";
        let Some(word) = self.text("on-unknown", path, raw) else { return default };
        Level::parse(&word).unwrap_or_else(|| {
            let (message, help) = not_one_of(&word, "a level", &Level::WORDS);
            self.wrong_value("on-unknown", path, message, help);
            default
        })
    }

    fn poll(&mut self, raw: Option<Text>) -> Duration {
        let poll = self.span("", "gate.poll", raw, POLL);
        if poll < SHORTEST_POLL {
            self.wrong(
                "gate.poll",
                "the time between two looks is shorter than 1s",
                "write for example 15s",
            );
        }
        poll.max(SHORTEST_POLL)
    }

    fn min_score(&mut self, raw: Option<u64>) -> u8 {
        match raw.map(u8::try_from) {
            None => MIN_SCORE,
            Some(Ok(score)) if score <= 100 => score,
            Some(_) => {
                let message = "a score is a number from 0 to 100";
                self.wrong("gate.min-score", message, "the default is 50");
                MIN_SCORE
            }
        }
    }

    /// A time that may be zero and may be longer than a run.
    fn span(
        &mut self,
        input: &str,
        path: &str,
        from_file: Option<Text>,
        default: Duration,
    ) -> Duration {
        let Some(text) = self.text(input, path, from_file.map(|t| t.0)) else { return default };
        let (problem, help) = match parse_duration(&text) {
            Ok(time) if time <= LONGEST_SPAN => return time,
            Ok(_) => (format!("{text} is longer than the limit of 6h"), "the longest is 6h"),
            Err(problem) => (problem, "write for example 10m"),
        };
        self.wrong_value(input, path, problem, help);
        default
    }
}
