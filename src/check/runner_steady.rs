//! Has the runner been healthy for long enough? A runner that comes and goes is no place for a deploy, and one that has just come back
//! proves itself first.

use std::time::Duration;

use super::runner_online::{between_jobs, subject};
use super::{Check, Ctx, Need, Scope};
use crate::config::Level;
use crate::report::Outcome;
use crate::source::Error;
use crate::source::runner_status::{history, server_time};
use crate::task::BoxFuture;

pub(super) struct RunnerSteady;

/// Gap that is tolerated while the scrape interval can not be seen: Prometheus itself repeats a sample for so long.
const LONGEST_GAP: f64 = 300.0;

/// Fewest samples that show the scrape interval.
const ENOUGH: usize = 4;

impl Check for RunnerSteady {
    fn id(&self) -> &'static str {
        "runner-steady"
    }

    fn question(&self) -> &'static str {
        "Has the runner been healthy without a break for long enough?"
    }

    fn runbook(&self) -> &'static str {
        "runner-offline-restore"
    }

    fn scope(&self) -> Scope {
        Scope::Runner
    }

    fn explain(&self) -> &'static str {
        "Reads every sample of runner_status of the last gate.stable-for, and as many before, from Prometheus. Pass: all are 1 and two scrapes in \
         a row never failed. Warn: it was offline, its samples have a gap, or it is known for a shorter time; the gate then prefers another \
         candidate, and this one again once the time has passed. Unknown: Prometheus has no sample. Skipped: no Prometheus, gate.stable-for is 0, \
         or the runner is made for one job. Needs prometheus.url; without Prometheus gate.state-file remembers what the gate itself saw."
    }

    fn level(&self) -> Level {
        Level::Warn
    }

    fn needs(&self) -> &'static [Need] {
        const { &[Need::Metric("runner_status")] }
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            if let Some(skipped) = between_jobs(ctx) {
                return Ok(skipped);
            }
            let wanted = ctx.config.gate.stable_for;
            if wanted.is_zero() {
                return Ok(Outcome::skipped("gate.stable-for is 0: nobody has to prove itself"));
            }
            let subject = subject(ctx).filter(|subject| !subject.name.is_empty());
            let (Some(prometheus), Some(subject)) = (&ctx.sources.prometheus, subject) else {
                return Ok(Outcome::skipped("there is no Prometheus that knows the past")
                    .help("set the input prometheus-url, or gate.state-file to remember what the gate itself saw"));
            };
            // Twice the time, and some: enough to tell the scrape interval, and what was before.
            let span = wanted.saturating_mul(2).saturating_add(Duration::from_secs(30));
            let (samples, now) = futures_util::join!(
                history(prometheus, &subject, span, ctx.deadline),
                server_time(prometheus, &subject, ctx.deadline)
            );
            #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit")]
            let now = now?.unwrap_or(ctx.sources.now as f64);
            Ok(judge(&subject.name, &samples?, now, wanted)
                .saw("source", format!("prometheus {}", prometheus.url())))
        })
    }
}

fn judge(name: &str, samples: &[(f64, f64)], now: f64, wanted: Duration) -> Outcome {
    let limit = wanted.as_secs_f64();
    let run = Run::back_from(now, samples);
    let Some(run) = run else {
        return Outcome::unknown(format!("Prometheus has no sample of runner_status for `{name}`"))
            .help("query runner_status without a name: the runner may have another name there, or its exporter is not scraped");
    };
    let text = |why: String| {
        Outcome::warn(format!("{name} {why}; it must be healthy for {}", words(limit)))
            .help("the gate prefers a steady candidate until the time has passed; if it comes and goes, read its service's journal. gate.stable-for sets the time")
    };
    let outcome = match run.broken_by {
        _ if run.lasted >= limit => Outcome::pass(format!(
            "{name} has been healthy without a break for at least {}",
            words(run.lasted)
        )),
        Some(Break::Offline) if run.lasted <= 0.0 => text("is offline now".to_owned()),
        Some(Break::Silent) if run.lasted <= 0.0 => {
            text(format!("has been silent for {}", words(run.gap)))
        }
        Some(Break::Offline) => text(format!("was offline {} ago", words(run.lasted))),
        Some(Break::Silent) => {
            text(format!("was silent for {} until {} ago", words(run.gap), words(run.lasted)))
        }
        None => text(format!("is known for only {}", words(run.lasted))),
    };
    outcome
        .saw("steady", (run.lasted >= limit).to_string())
        .saw_limit("healthy for", words(run.lasted), words(limit))
        .saw("changes", changes(samples).to_string())
        .saw("samples", samples.len().to_string())
}

/// What ended the time before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Break {
    /// A sample that is not 1.
    Offline,
    /// No sample for too long.
    Silent,
}

/// The unbroken time of health that ends now.
#[derive(Debug, PartialEq)]
struct Run {
    /// Seconds.
    lasted: f64,
    /// What was before it, when anything is known.
    broken_by: Option<Break>,
    /// Seconds of silence, when it was that.
    gap: f64,
}

impl Run {
    /// Walks back from now; `None` without a sample.
    fn back_from(now: f64, samples: &[(f64, f64)]) -> Option<Self> {
        let longest = longest_gap(samples);
        samples.last()?;
        let mut after = now;
        let broken = |after: f64, by, gap| Self { lasted: now - after, broken_by: Some(by), gap };
        for (time, value) in samples.iter().rev() {
            if after - time > longest {
                return Some(broken(after, Break::Silent, after - time));
            }
            if (value - 1.0).abs() > f64::EPSILON {
                return Some(broken(after, Break::Offline, 0.0));
            }
            after = *time;
        }
        Some(Self { lasted: now - after, broken_by: None, gap: 0.0 })
    }
}

/// Two scrapes in a row may not be missing: one is lost now and then.
fn longest_gap(samples: &[(f64, f64)]) -> f64 {
    let mut steps: Vec<f64> = samples
        .windows(2)
        .filter_map(|pair| match pair {
            [(before, _), (after, _)] => Some(after - before),
            _ => None,
        })
        .filter(|step| *step > 0.0)
        .collect();
    steps.sort_by(f64::total_cmp);
    match steps.get(steps.len() / 2) {
        Some(usual) if samples.len() >= ENOUGH => (usual * 2.5 + 1.0).min(LONGEST_GAP),
        Some(_) | None => LONGEST_GAP,
    }
}

fn changes(samples: &[(f64, f64)]) -> usize {
    let differ = |pair: &&[(f64, f64)]| matches!(pair, [(_, a), (_, b)] if (a - b).abs() > 0.5);
    samples.windows(2).filter(differ).count()
}

/// `45 s`, `12 min`, `3 h 5 min`.
pub(super) fn words(seconds: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a time of hours, cut to whole seconds"
    )]
    let whole = seconds.clamp(0.0, 1e9) as u64;
    match whole {
        0..120 => format!("{whole} s"),
        120..7200 => format!("{} min", whole / 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples every 15 s up to second 1200, changed where the test says so.
    fn past(change: impl Fn(f64) -> Option<f64>) -> Vec<(f64, f64)> {
        (0..=80).map(|n| f64::from(n) * 15.0).filter_map(|t| Some((t, change(t)?))).collect()
    }

    fn asked(samples: &[(f64, f64)]) -> (&'static str, String) {
        let outcome = judge("a", samples, 1205.0, Duration::from_mins(10));
        let steady = outcome.observations.iter().find(|o| o.name == "steady");
        let steady = steady.map(|o| o.value == "true");
        assert!(steady.is_none_or(|steady| steady == (outcome.status.word() == "pass")));
        (outcome.status.word(), outcome.summary)
    }

    #[test]
    fn health_without_a_break_is_steady_and_says_since_when_at_least() {
        let (status, text) = asked(&past(|_| Some(1.0)));
        assert_eq!(
            (status, text.as_str()),
            ("pass", "a has been healthy without a break for at least 20 min")
        );
    }

    #[test]
    fn one_lost_scrape_is_nothing_and_three_are_a_break() {
        let lost = |from: f64, to: f64| asked(&past(|t| (t < from || t > to).then_some(1.0)));
        assert_eq!(lost(900.0, 900.0).0, "pass");
        let (status, text) = lost(900.0, 930.0);
        assert_eq!(status, "warn");
        assert!(text.starts_with("a was silent for 60 s until 4 min ago"), "{text}");
        assert!(lost(1150.0, 1205.0).1.starts_with("a has been silent for 65 s"));
    }

    #[test]
    fn a_runner_that_was_down_proves_itself_first() {
        let down = |from: f64, to: f64| {
            asked(&past(|t| Some(f64::from(u8::from(!(from..=to).contains(&t))))))
        };
        let (status, text) = down(600.0, 900.0);
        assert_eq!(status, "warn");
        assert!(
            text.starts_with("a was offline 4 min ago; it must be healthy for 10 min"),
            "{text}"
        );
        assert_eq!(down(300.0, 570.0).0, "pass");
        assert!(down(1200.0, 1200.0).1.starts_with("a is offline now"));
    }

    #[test]
    fn a_short_past_is_no_proof_and_none_is_no_answer() {
        let (status, text) = asked(&past(|t| (t > 1000.0).then_some(1.0)));
        assert_eq!(status, "warn");
        assert!(text.starts_with("a is known for only 3 min"), "{text}");
        assert_eq!(asked(&[]).0, "unknown");
    }
}
