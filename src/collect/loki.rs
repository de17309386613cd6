//! Log lines of the job's time from Loki: one entry for every query that found some.

use std::time::Duration;

use futures_util::future::join_all;

use super::{Collector, Ctx, Harvest};
use crate::report::{BundlePath, Evidence, EvidenceKind, Raw, Truncation};
use crate::source::Error;
use crate::source::loki::{self, Found};
use crate::task::BoxFuture;

pub(super) struct Loki;

/// Longest time of all queries together.
const LIMIT: Duration = Duration::from_secs(8);
/// Largest entry in bytes; the oldest lines are given up.
const CAP: usize = 1 << 20;
/// Seconds before the job's start that are looked at too, and what is looked at when the start is not known.
const BEFORE_JOB: i64 = 5 * 60;
const BEFORE_NOW: i64 = 30 * 60;
/// The longest span in seconds.
const LONGEST: i64 = 24 * 60 * 60;

impl Collector for Loki {
    fn id(&self) -> &'static str {
        "loki"
    }

    fn explain(&self) -> &'static str {
        "Asks Loki (loki.url) each log query of loki.queries for the time from five minutes before the job's start until now: the newest 500 \
         lines of each."
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Harvest, Error>> {
        Box::pin(async move {
            let Some(server) = &ctx.config.loki else {
                return Ok(Harvest::Nothing(
                    "no Loki is configured; add `loki: {url: 'http://…'}` to .github/runner-guard.yml"
                        .to_owned(),
                ));
            };
            let deadline = ctx.deadline.at_most(LIMIT);
            let span = span(ctx.sources.now, ctx.job.started);
            let ask = |query| loki::newest(&ctx.sources.http, &server.url, query, span, deadline);
            let answers = join_all(server.queries.iter().map(|query| ask(query))).await;
            let failed: Vec<&Error> = answers.iter().filter_map(|a| a.as_ref().err()).collect();
            if let Some(first) = failed.first().filter(|_| failed.len() == answers.len()) {
                return Err((*first).clone());
            }
            let origin = format!("loki {}", server.url);
            let mut note = format!(
                "{} of {} queries answered by {origin}",
                answers.len() - failed.len(),
                answers.len()
            );
            for error in &failed {
                note.push_str("; ");
                note.push_str(&error.chain());
            }
            let found = answers.iter().zip(&server.queries).enumerate();
            let entries: Vec<Evidence<Raw>> = found
                .filter_map(|(at, (answer, query))| {
                    let found = answer.as_ref().ok().filter(|found| !found.lines.is_empty())?;
                    Some(entry(at + 1, query, found, &origin))
                })
                .collect();
            if entries.is_empty() {
                note.push_str("; no query found a line");
            }
            Ok(Harvest::Found { note, entries })
        })
    }
}

/// The time of the job and a little before it, in seconds since 1970.
fn span(now: i64, started: i64) -> (i64, i64) {
    let since = if started > 0 { now - started + BEFORE_JOB } else { BEFORE_NOW };
    // A line of the very second of the failure is still one of it.
    (now - since.clamp(BEFORE_JOB, LONGEST), now + 1)
}

fn entry(number: usize, query: &str, found: &Found, origin: &str) -> Evidence<Raw> {
    let mut head = vec![format!("# {query}\n")];
    for (place, labels) in found.streams.iter().enumerate().take(100) {
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        head.push(format!("# stream {}: {{{}}}\n", place + 1, labels.join(", ")));
    }
    if found.lines.len() >= found.limit {
        head.push(format!("# the newest {} lines; there may be older ones\n", found.limit));
    }
    let head = head.concat();
    let mut lines = Vec::new();
    let mut room = CAP.saturating_sub(head.len());
    for line in found.lines.iter().rev() {
        let at = jiff::Timestamp::from_nanosecond(i128::from(line.at)).unwrap_or_default();
        let text = format!("{at:.3} [{}] {}\n", line.stream + 1, line.text.trim_end());
        let Some(left) = room.checked_sub(text.len()) else { break };
        room = left;
        lines.push(text);
    }
    let is_cut = lines.len() < found.lines.len();
    lines.reverse();
    let path = BundlePath::new("loki", &format!("query-{number}.log"));
    let origin = format!("{origin}, query {number}");
    let text = head + &lines.concat();
    Evidence {
        truncated: is_cut.then_some(Truncation { original: None, cap: CAP as u64 }),
        ..Evidence::new(path, EvidenceKind::RunnerLog, origin, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::loki::Line;

    #[test]
    fn the_span_is_that_of_the_job() {
        assert_eq!(span(100_000, 99_000), (98_700, 100_001));
        assert_eq!(span(100_000, 0), (98_200, 100_001));
        assert_eq!(span(100_000, 200_000), (99_700, 100_001), "a start in the future");
    }

    #[test]
    fn of_too_much_text_the_newest_lines_are_kept() {
        let line = |at| Line { at, stream: 0, text: "x".repeat(CAP / 4) };
        let found = Found { lines: (0..6).map(line).collect(), limit: 6, ..Found::default() };
        let entry = entry(1, "{a=\"b\"}", &found, "loki");
        assert!(entry.truncated.is_some());
        let kept = entry.redact(&crate::redact::Redactor::new(&[])).unwrap().text.text(usize::MAX);
        assert!(kept.as_str().len() <= CAP && kept.as_str().contains("the newest 6 lines"));
        assert_eq!(kept.as_str().lines().filter(|l| l.contains("[1] x")).count(), 3);
    }
}
