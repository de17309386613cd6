//! Does work get the processor when it needs it? Inside a container these are the numbers of the host: the kernel does not virtualise them.

use super::{Check, Ctx, Scope};
use crate::config::{Level, OptionKind, OptionSpec};
use crate::report::Outcome;
use crate::source::host::{Host, Pressure, Resource, Throttle};
use crate::source::{Cause, Error};
use crate::task::{self, BoxFuture};

pub(super) struct CpuPressure;

const MAX_WAITING: OptionSpec = OptionSpec {
    name: "max-waiting",
    kind: OptionKind::Percent,
    default: "60",
    help: "Largest share of the last minute in which a task waited for a processor.",
};
const MAX_LOAD: OptionSpec = OptionSpec {
    name: "max-load",
    kind: OptionKind::Number,
    default: "300",
    help: "Largest load over five minutes in percent of the processors, where the kernel does not count waiting.",
};

impl Check for CpuPressure {
    fn id(&self) -> &'static str {
        "cpu-pressure"
    }

    fn question(&self) -> &'static str {
        "Does work get the processor when it needs it?"
    }

    fn runbook(&self) -> &'static str {
        "runner-degraded-resources"
    }

    fn scope(&self) -> Scope {
        Scope::Run
    }

    fn explain(&self) -> &'static str {
        "Reads how long tasks waited for a processor (/proc/pressure/cpu), and where the kernel does not count that, the load for each \
         processor. Pass: below max-waiting (or max-load). Warn: above; the deploy will be slow and may run into its time limits. Unknown: \
         neither can be read. What tasks wait for memory and disks, and how often a quota stops our own group, is shown beside it. It warns \
         by default."
    }

    fn level(&self) -> Level {
        Level::Warn
    }

    fn options(&self) -> &'static [OptionSpec] {
        const { &[MAX_WAITING, MAX_LOAD] }
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            let host = ctx.sources.host.clone();
            let settings = ctx.config.check(self.id());
            let waiting = f64::from(settings.percent(&MAX_WAITING));
            let load = settings.number(&MAX_LOAD);
            let read = task::blocking(move || asked(&host, waiting, load)).await;
            let stopped =
                || Error::new("read the pressure", Cause::Other("the reader stopped".to_owned()));
            read.ok_or_else(stopped)?
        })
    }
}

fn asked(host: &Host, waiting: f64, load: u64) -> Result<Outcome, Error> {
    let outcome = match host.pressure(Resource::Cpu) {
        Ok(Some(pressure)) => by_pressure(&pressure, waiting),
        // No account of waiting, or one that this kernel refuses to show: the load says less, but something.
        Ok(None) | Err(_) => by_load(host, load).map_err(|e| {
            e.with_help("check that /proc is mounted: `cat /proc/loadavg /proc/stat`")
        })?,
    };
    let others = [Resource::Memory, Resource::Io].into_iter().filter_map(|resource| {
        let full = host.pressure(resource).ok()??.full?;
        let text = format!("{} of the last minute", percent(full.last_60s));
        Some((format!("everything waited for {}", resource.name()), text))
    });
    let outcome = others.fold(outcome, |outcome, (name, text)| outcome.saw(name, text));
    Ok(match host.throttle() {
        Some(Throttle { periods, throttled }) => outcome.saw(
            "our own group stopped by its quota",
            format!("in {throttled} of {periods} periods since it was made"),
        ),
        None => outcome,
    })
}

fn by_pressure(pressure: &Pressure, limit: f64) -> Outcome {
    let some = pressure.some;
    let text = format!(
        "tasks waited for a processor in {} of the last minute ({} of five)",
        percent(some.last_60s),
        percent(some.last_300s)
    );
    let outcome = if some.last_60s * 100.0 > limit { slow(text) } else { Outcome::pass(text) };
    outcome.saw_limit("waiting, last minute", percent(some.last_60s), format!("{limit} %"))
}

fn by_load(host: &Host, limit: u64) -> Result<Outcome, Error> {
    let (load, cpus) = (host.load()?, host.kernel()?.cpus);
    #[expect(clippy::cast_precision_loss, reason = "one digit is shown")]
    let (share, limit) = (load.five / cpus as f64 * 100.0, limit as f64);
    let text =
        format!("load {:.1} over five minutes on {cpus} processors ({share:.0} %)", load.five);
    let outcome = if share > limit { slow(text) } else { Outcome::pass(text) };
    let outcome =
        outcome.saw_limit("load for each processor", format!("{share:.0} %"), format!("{limit} %"));
    Ok(outcome.saw("waiting", "not counted by this kernel"))
}

fn slow(text: String) -> Outcome {
    Outcome::warn(text).help(
        "see what runs: `ps aux --sort=-pcpu | head`; wait until other jobs on this host end, or choose another runner",
    )
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}
