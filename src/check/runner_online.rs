//! Is the runner online? Asked of its own exporter, through Prometheus or directly; a scale set is asked of its listener.

use super::exporter_fresh::max_age;
use super::{Check, Ctx, Need, Scope};
use crate::config::Expect;
use crate::report::Outcome;
use crate::source::Error;
use crate::source::arc::{self, Known, ScaleSet};
use crate::source::runner_status::{self, Reading, Subject};
use crate::task::BoxFuture;

pub(super) struct RunnerOnline;

impl Check for RunnerOnline {
    fn id(&self) -> &'static str {
        "runner-online"
    }

    fn question(&self) -> &'static str {
        "Is the runner online?"
    }

    fn runbook(&self) -> &'static str {
        "runner-offline-restore"
    }

    fn scope(&self) -> Scope {
        Scope::Runner
    }

    fn explain(&self) -> &'static str {
        "Reads runner_status of the runner from Prometheus, else from its exporter; of a scale set, the gha_ metrics of its listener. Pass: 1; of \
         a scale set, fewer runners are busy than there may be. Warn: a scale set is full, the deploy would wait. Fail: 0, the runner's listener \
         does not run; or a scale set may have no runner at all. Unknown: no sample that is younger than max-age of exporter-fresh, so the host \
         may be dead or the name is not the exporter's. Skipped: neither Prometheus nor an exporter is named, or a runner that is made for one \
         job is not there now. Needs prometheus.url, or runners[].exporter."
    }

    fn needs(&self) -> &'static [Need] {
        const { &[Need::Metric("runner_status"), Need::Metric("gha_registered_runners")] }
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            if let Some(set) = ctx.runner.and_then(|r| r.scale_set.as_deref()) {
                return scale_set(ctx, set).await;
            }
            let Some(subject) = subject(ctx) else { return Ok(no_source()) };
            let reading = runner_status::read(ctx.sources, &subject, ctx.deadline).await?;
            Ok(match (reading, between_jobs(ctx)) {
                (Some(reading), Some(absent)) if !reading.online => seen(absent, &reading),
                (Some(reading), _) => judge(&subject, &reading),
                (None, Some(absent)) => absent,
                (None, None) => silent(&subject),
            })
        })
    }
}

/// Whom to ask about and where; `None` when there is nowhere to ask.
pub(super) fn subject(ctx: &Ctx<'_>) -> Option<Subject> {
    let name = ctx.runner.map_or(ctx.job.runner_name.as_str(), |r| r.name.as_str());
    let exporter = ctx.runner.map_or(ctx.config.exporter.clone(), |r| r.exporter.clone());
    let known = !name.is_empty() || exporter.is_some();
    let somewhere = ctx.sources.prometheus.is_some() || exporter.is_some();
    let name = name.to_owned();
    (known && somewhere).then(|| Subject { name, exporter, max_age: max_age(ctx) })
}

pub(super) fn no_source() -> Outcome {
    Outcome::skipped("neither Prometheus nor an exporter is configured for this runner")
        .help("set the input prometheus-url, or runners[].exporter in the configuration")
}

/// Why metrics of a runner that is made for one job say nothing between jobs; `None` for a runner that stays.
pub(super) fn between_jobs(ctx: &Ctx<'_>) -> Option<Outcome> {
    let runner = ctx.runner?;
    let made = runner.expect == Expect::Ephemeral || runner.scale_set.is_some();
    made.then(|| {
        Outcome::skipped(format!("`{}` is made for one job: none has to be there now", runner.name))
    })
}

fn silent(subject: &Subject) -> Outcome {
    Outcome::unknown(format!("no current sample of runner_status for `{}`", subject.name))
        .help("the host or its exporter may be down, or the runner has another name there: query runner_status without a name")
}

fn judge(subject: &Subject, reading: &Reading) -> Outcome {
    let name = if subject.name.is_empty() { "the runner" } else { &subject.name };
    let outcome = if !reading.is_fresh(subject.max_age) {
        stale(name, subject, reading)
    } else if reading.online {
        Outcome::pass(format!("{name} is online"))
    } else {
        Outcome::fail(format!("{name} is offline: its exporter reports runner_status 0"))
            .help("start the runner's service on its host: `systemctl restart 'actions.runner.*'`")
    };
    seen(outcome, reading)
}

/// An old sample is no answer, whatever it says: Prometheus repeats it for five minutes.
fn stale(name: &str, subject: &Subject, reading: &Reading) -> Outcome {
    let age = reading.age.map_or("of unknown age".to_owned(), |age| format!("{age:.0} s old"));
    let limit = subject.max_age.as_secs();
    Outcome::unknown(format!(
        "the newest runner_status of {name} is {age}, older than the limit of {limit} s"
    ))
    .help("see whether Prometheus still scrapes the exporter (its page /targets); checks.exporter-fresh.max-age is the limit")
}

fn seen(outcome: Outcome, reading: &Reading) -> Outcome {
    let outcome = outcome
        .saw_limit("runner_status", if reading.online { "1" } else { "0" }, "1")
        .saw("source", &reading.via);
    let labels =
        [("authorized_for_prod", &reading.authorized_for_prod), ("hostname", &reading.hostname)];
    labels.into_iter().fold(outcome, |outcome, (name, word)| match word {
        Some(word) => outcome.saw(name, word),
        None => outcome,
    })
}

async fn scale_set(ctx: &Ctx<'_>, set: &str) -> Result<Outcome, Error> {
    let listener = ctx.runner.and_then(|r| r.exporter.as_deref());
    if ctx.sources.prometheus.is_none() && listener.is_none() {
        return Ok(Outcome::skipped(format!("nobody can be asked about the scale set {set}"))
            .help("set the input prometheus-url, or runners[].exporter to the /metrics of the scale set's listener"));
    }
    let help = "look at the listener's pod in the controller's namespace; its metrics are on only when the chart sets `metrics`, and runners[].scale-set must be the label `name`";
    let unknown = |text: String| Ok(Outcome::unknown(text).help(help));
    match arc::read(ctx.sources, set, listener, ctx.deadline).await? {
        Known::Never => {
            unknown(format!("no sample of gha_registered_runners for the scale set {set}"))
        }
        Known::Before(age) => unknown(format!(
            "the listener of the scale set {set} is silent: its newest sample is {age:.0} s old"
        )),
        Known::Now(found) if found.age.is_none_or(|age| age > max_age(ctx).as_secs_f64()) => {
            unknown(format!(
                "the samples of the scale set {set} are {}, the limit is {} s",
                found.age.map_or("of unknown age".to_owned(), |age| format!("{age:.0} s old")),
                max_age(ctx).as_secs()
            ))
        }
        Known::Now(found) => Ok(room(set, &found).unwrap_or_else(|| {
            Outcome::unknown(format!(
                "the listener of the scale set {set} shows no gha_busy_runners or gha_max_runners"
            ))
            .help(help)
        })),
    }
}

/// Whether the scale set can take one more job; `None` when it does not say.
fn room(set: &str, found: &ScaleSet) -> Option<Outcome> {
    let (busy, max) = (found.busy?, found.max?);
    let full = busy >= max;
    let outcome = if max < 1.0 {
        Outcome::fail(format!("the scale set {set} may have no runner: its maximum is {max:.0}"))
            .help("raise maxRunners of the scale set, or choose another one")
    } else if full {
        Outcome::warn(format!(
            "the scale set {set} is full, {busy:.0} of {max:.0} runners are busy: the deploy would wait"
        ))
        .help("wait, or raise maxRunners of the scale set")
    } else {
        Outcome::pass(format!(
            "the scale set {set} has room: {busy:.0} of {max:.0} runners are busy"
        ))
    };
    let outcome = outcome.saw("busy", full.to_string()).saw_limit(
        "busy runners",
        format!("{busy:.0}"),
        format!("below {max:.0}"),
    );
    let counts = [
        ("registered", found.registered),
        ("max", found.max),
        ("desired", found.desired),
        ("idle", found.idle),
    ];
    let outcome = counts.into_iter().fold(outcome, |outcome, (name, count)| match count {
        Some(count) => outcome.saw(name, format!("{count:.0}")),
        None => outcome,
    });
    Some(outcome.saw("source", &found.via))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Status;

    fn set(busy: f64, max: f64) -> ScaleSet {
        ScaleSet {
            registered: Some(3.0),
            busy: Some(busy),
            max: Some(max),
            desired: None,
            idle: None,
            age: Some(1.0),
            via: "here".to_owned(),
        }
    }

    #[test]
    fn a_scale_set_has_room_is_full_or_may_have_nothing() {
        let status = |busy, max| room("s", &set(busy, max)).unwrap().status;
        assert_eq!(status(2.0, 3.0), Status::Pass);
        assert_eq!(status(3.0, 3.0), Status::Warn);
        assert_eq!(status(0.0, 0.0), Status::Fail);
        assert_eq!(room("s", &ScaleSet { max: None, ..set(0.0, 1.0) }), None);
    }
}
