//! Does the runner's host have room, memory and air? Asked of the candidate's exporter or of Prometheus, so that a candidate other than this
//! host is judged before the deploy is sent there.

use super::runner_online::{between_jobs, no_source, subject};
use super::{Check, Ctx, Need, Scope};
use crate::config::{Level, OptionKind, OptionSpec, bytes_text};
use crate::report::{Outcome, Status};
use crate::source::Error;
use crate::source::host_metrics::{self, DiskMetrics, HostMetrics, PressureMetrics};
use crate::source::prometheus::Prometheus;
use crate::source::runner_status::{self, Subject};
use crate::task::BoxFuture;

pub(super) struct RunnerResources;

const MIN_FREE: OptionSpec = OptionSpec {
    name: "min-free",
    kind: OptionKind::Bytes,
    default: "2 GiB",
    help: "Least free space of a file system of the host.",
};
const MIN_FREE_PERCENT: OptionSpec = OptionSpec {
    name: "min-free-percent",
    kind: OptionKind::Percent,
    default: "5",
    help: "Least free share; the deploy is stopped only below both.",
};
const MIN_INODES_PERCENT: OptionSpec = OptionSpec {
    name: "min-inodes-percent",
    kind: OptionKind::Percent,
    default: "5",
    help: "Least free share of the inodes; below it warns, none left fails.",
};
const MIN_MEMORY: OptionSpec = OptionSpec {
    name: "min-memory",
    kind: OptionKind::Bytes,
    default: "512 MiB",
    help: "Least memory that programs can still get.",
};
const MIN_MEMORY_PERCENT: OptionSpec = OptionSpec {
    name: "min-memory-percent",
    kind: OptionKind::Percent,
    default: "5",
    help: "Least available share of the memory; the deploy is stopped only below both.",
};
const MAX_LOAD: OptionSpec = OptionSpec {
    name: "max-load-per-cpu",
    kind: OptionKind::Number,
    default: "8",
    help: "Most tasks that run or wait for each processor, over one minute; above it warns.",
};
const MAX_PRESSURE: OptionSpec = OptionSpec {
    name: "max-pressure",
    kind: OptionKind::Percent,
    default: "60",
    help: "Largest share of the last five minutes in which work waited for the processor (above it warns) or stood still for memory or disk (above it fails).",
};

impl Check for RunnerResources {
    fn id(&self) -> &'static str {
        "runner-resources"
    }

    fn question(&self) -> &'static str {
        "Does the runner's host have room, memory and air?"
    }

    fn runbook(&self) -> &'static str {
        "runner-degraded-resources"
    }

    fn scope(&self) -> Scope {
        Scope::Runner
    }

    fn explain(&self) -> &'static str {
        "Reads the host of the runner from its exporter, else from Prometheus by the label hostname; pressure comes from Prometheus only. Pass: all \
         limits are kept. Warn: below one of a pair of limits, few inodes, or the processor is short. Fail: below both limits of a disk or of the \
         memory, no inode left, a file system that jobs write to is mounted read-only, or the host stands still for memory or disk. Unknown: no \
         current sample; it warns, since runner-online says the same. Skipped: neither an exporter nor Prometheus is named, the exporter shows \
         no host, or the runner is made for one job. Needs runners[].exporter, or prometheus.url."
    }

    fn on_unknown(&self) -> Option<Level> {
        Some(Level::Warn)
    }

    fn needs(&self) -> &'static [Need] {
        const { &[Need::Metric("runner_host_")] }
    }

    fn options(&self) -> &'static [OptionSpec] {
        const {
            &[
                MIN_FREE,
                MIN_FREE_PERCENT,
                MIN_INODES_PERCENT,
                MIN_MEMORY,
                MIN_MEMORY_PERCENT,
                MAX_LOAD,
                MAX_PRESSURE,
            ]
        }
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            if let Some(skipped) = between_jobs(ctx) {
                return Ok(skipped);
            }
            let Some(subject) = subject(ctx) else { return Ok(no_source()) };
            let host = match read(ctx, &subject).await? {
                Found::Host(host) => host,
                Found::NotShown => return Ok(not_shown(&subject)),
                Found::Silent => return Ok(silent(&subject)),
            };
            let settings = ctx.config.check(self.id());
            let limits = Limits {
                free: Pair {
                    bytes: settings.bytes(&MIN_FREE),
                    percent: settings.percent(&MIN_FREE_PERCENT),
                },
                inodes: settings.percent(&MIN_INODES_PERCENT),
                memory: Pair {
                    bytes: settings.bytes(&MIN_MEMORY),
                    percent: settings.percent(&MIN_MEMORY_PERCENT),
                },
                load: settings.number(&MAX_LOAD),
                pressure: settings.percent(&MAX_PRESSURE),
            };
            Ok(judge(&host, &limits))
        })
    }
}

fn silent(subject: &Subject) -> Outcome {
    Outcome::unknown(format!("no current sample about the host of `{}`", subject.name))
        .help("the host or its exporter may be down: look at the page /targets of Prometheus")
}

fn not_shown(subject: &Subject) -> Outcome {
    Outcome::skipped(format!("the exporter of `{}` shows no runner_host_ metrics", subject.name))
        .help("serve them with `runner-guard exporter` on that host; runners[].host must be the label hostname of its metrics")
}

/// What could be learnt about the host.
enum Found {
    Host(HostMetrics),
    /// The exporter answers, and shows no host: it is another exporter, or its host part is off.
    NotShown,
    /// Nobody has a current word.
    Silent,
}

/// The exporter itself is the fresher witness; what it does not have, and the pressure, comes from Prometheus.
async fn read(ctx: &Ctx<'_>, subject: &Subject) -> Result<Found, Error> {
    let direct = match &subject.exporter {
        Some(url) => Some(host_metrics::from_exporter(ctx.sources, url, ctx.deadline).await),
        None => None,
    };
    let hostname = match &ctx.sources.prometheus {
        Some(prometheus) => hostname(ctx, prometheus, subject).await,
        None => Ok(None),
    };
    let host = match (direct, &hostname) {
        (Some(Ok(Some(host))), _) => host,
        (Some(Ok(None)), _) => return Ok(Found::NotShown),
        (Some(Err(error)), Ok(None) | Err(_)) => return Err(error),
        (None, Err(error)) => return Err(error.clone()),
        (None, Ok(None)) => return Ok(Found::Silent),
        (Some(Err(_)) | None, Ok(Some(name))) => match through(ctx, name).await? {
            Some(host) => host,
            None => return Ok(Found::NotShown),
        },
    };
    let pressure = match (&hostname, &ctx.sources.prometheus) {
        (Ok(Some(name)), Some(prometheus)) if !name.is_empty() => {
            host_metrics::pressure(prometheus, name, ctx.deadline).await.unwrap_or_default()
        }
        _ => Vec::new(),
    };
    Ok(Found::Host(HostMetrics { pressure, ..host }))
}

async fn through(ctx: &Ctx<'_>, hostname: &str) -> Result<Option<HostMetrics>, Error> {
    match &ctx.sources.prometheus {
        // Without a name every host that has none would match.
        Some(prometheus) if !hostname.is_empty() => {
            host_metrics::from_prometheus(prometheus, hostname, ctx.deadline).await
        }
        Some(_) | None => Ok(None),
    }
}

/// The host of the runner, when Prometheus has a current sample of it: samples of the host are as old as those, both come from one scrape.
async fn hostname(
    ctx: &Ctx<'_>,
    prometheus: &Prometheus,
    subject: &Subject,
) -> Result<Option<String>, Error> {
    let reading = runner_status::from_prometheus(prometheus, subject, ctx.deadline).await?;
    let current = reading.filter(|reading| reading.is_fresh(subject.max_age));
    let configured = || ctx.runner.and_then(|r| r.host.clone());
    // A runner without the label is looked up by what the configuration calls its host; without both nothing can be found.
    Ok(current.map(|reading| reading.hostname.or_else(configured).unwrap_or_default()))
}

#[derive(Clone, Copy)]
struct Pair {
    bytes: u64,
    percent: u8,
}

struct Limits {
    free: Pair,
    inodes: u8,
    memory: Pair,
    load: u64,
    pressure: u8,
}

/// One thing that was looked at.
struct Row {
    status: Status,
    name: String,
    value: String,
    limit: String,
    help: &'static str,
}

const FREE_SPACE: &str = "free space on the host: remove old work folders, `docker system prune`, `journalctl --vacuum-size=500M`";
const FREE_MEMORY: &str = "find what holds it: `ps aux --sort=-rss | head`; end left-overs of old jobs, or choose another runner";
const FREE_CPU: &str = "see what runs: `ps aux --sort=-pcpu | head`; wait until it has ended, or choose another runner";
const FREE_INODES: &str = "find the folder with most files: `du --inodes -xd2 / | sort -n | tail`; remove old work folders and caches";
const WRITABLE: &str = "look for disk errors: `journalctl -k | grep -iE 'i/o error|remount'`; take the runner out of service";

fn judge(host: &HostMetrics, limits: &Limits) -> Outcome {
    let mut rows: Vec<Row> = host.disks.iter().flat_map(|d| disk(d, limits)).collect();
    rows.extend(memory(host, limits));
    rows.extend(load(host, limits));
    rows.extend(host.pressure.iter().filter_map(|p| pressure(p, limits)));
    let worst = rows.iter().map(|row| severity(row.status)).max();
    let mut outcome = match worst {
        None => Outcome::unknown("the exporter shows neither disks nor memory of the host")
            .help("read the exporter's own log; runner_exporter_collector_success names what it could not read"),
        Some(0) => Outcome::pass(format!("the host has room, memory and air: {}", tightest(host))),
        Some(worst) => {
            let bad: Vec<&Row> = rows.iter().filter(|r| severity(r.status) == worst).collect();
            let said = |row: &&Row| format!("{}: {} (limit {})", row.name, row.value, row.limit);
            let text = bad.iter().map(said).collect::<Vec<_>>().join("; ");
            let first = bad.first();
            Outcome::new(first.map_or(Status::Unknown, |row| row.status), text)
                .help(first.map_or("", |row| row.help))
        }
    };
    for row in rows {
        outcome = outcome.saw_limit(row.name, row.value, row.limit);
    }
    outcome.saw("source", &host.via)
}

/// What a passing row shows: the numbers that people ask for first.
fn tightest(host: &HostMetrics) -> String {
    let share = |d: &&DiskMetrics| d.available / d.size;
    let tight = host.disks.iter().min_by(|a, b| share(a).total_cmp(&share(b)));
    let disk = tight.map(|d| format!("{} free at {}", bytes_text(whole(d.available)), d.mount));
    let memory =
        host.memory_available.map(|m| format!("{} of memory available", bytes_text(whole(m))));
    disk.into_iter().chain(memory).collect::<Vec<_>>().join(", ")
}

fn severity(status: Status) -> u8 {
    match status {
        Status::Fail => 2,
        Status::Warn => 1,
        Status::Pass | Status::Unknown | Status::Skipped => 0,
    }
}

/// Below one limit is a warning, below both stops: a small disk with a fair share and a large one with few percent both work.
fn below(value: f64, total: f64, limit: Pair) -> Status {
    let percent = if total > 0.0 { value / total * 100.0 } else { 100.0 };
    match (whole(value) < limit.bytes, percent < f64::from(limit.percent)) {
        (false, _) => Status::Pass,
        (true, false) => Status::Warn,
        (true, true) => Status::Fail,
    }
}

fn disk(disk: &DiskMetrics, limits: &Limits) -> Vec<Row> {
    let purposes = disk.purposes.iter().map(String::as_str).collect::<Vec<_>>();
    let name = format!("{} ({})", disk.mount, purposes.join(", "));
    if disk.read_only {
        // The system's own disk is read-only by design on many hosts; jobs do not write there.
        let jobs_write = purposes.iter().any(|p| matches!(*p, "work" | "tmp" | "diag"));
        let row = Row {
            status: Status::Fail,
            name,
            value: "mounted read-only".to_owned(),
            limit: "writable".to_owned(),
            help: WRITABLE,
        };
        return jobs_write.then_some(row).into_iter().collect();
    }
    let share = disk.available / disk.size * 100.0;
    let space = Row {
        status: below(disk.available, disk.size, limits.free),
        name: name.clone(),
        value: format!(
            "{} free of {} ({:.0} %)",
            bytes_text(whole(disk.available)),
            bytes_text(whole(disk.size)),
            share.floor()
        ),
        limit: pair(limits.free),
        help: FREE_SPACE,
    };
    std::iter::once(space).chain(inodes(disk, &name, limits.inodes)).collect()
}

fn inodes(disk: &DiskMetrics, name: &str, limit: u8) -> Option<Row> {
    let share = (disk.files > 0.0).then(|| disk.files_free / disk.files * 100.0)?;
    let status = match (disk.files_free < 1.0, share < f64::from(limit)) {
        (true, _) => Status::Fail,
        (false, true) => Status::Warn,
        (false, false) => Status::Pass,
    };
    Some(Row {
        status,
        name: format!("inodes of {name}"),
        value: format!("{:.0} free of {:.0} ({:.0} %)", disk.files_free, disk.files, share.floor()),
        limit: format!("{limit} %"),
        help: FREE_INODES,
    })
}

fn pair(limit: Pair) -> String {
    format!("{} or {} %", bytes_text(limit.bytes), limit.percent)
}

fn memory(host: &HostMetrics, limits: &Limits) -> Option<Row> {
    let available = host.memory_available?;
    let total = host.memory_total.unwrap_or(available);
    Some(Row {
        status: below(available, total, limits.memory),
        name: "memory".to_owned(),
        value: format!(
            "{} available of {}",
            bytes_text(whole(available)),
            bytes_text(whole(total))
        ),
        limit: pair(limits.memory),
        help: FREE_MEMORY,
    })
}

fn load(host: &HostMetrics, limits: &Limits) -> Option<Row> {
    let cpus = host.cpus.filter(|cpus| *cpus >= 1.0)?;
    let each = host.load? / cpus;
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let limit = limits.load as f64;
    Some(Row {
        status: if each > limit { Status::Warn } else { Status::Pass },
        name: "load".to_owned(),
        value: format!("{each:.1} for each of {cpus:.0} processors"),
        limit: limits.load.to_string(),
        help: FREE_CPU,
    })
}

/// Everything waits for the processor at times, so only the waiting of something is told there; memory and disk are bad when all stands still.
fn pressure(pressure: &PressureMetrics, limits: &Limits) -> Option<Row> {
    let cpu = pressure.resource == "cpu";
    if pressure.stalled == cpu {
        return None;
    }
    let percent = pressure.share * 100.0;
    let over = percent > f64::from(limits.pressure);
    let (status, what, help) = match (over, cpu) {
        (false, _) => (Status::Pass, "of the last 5 min", FREE_CPU),
        (true, true) => (Status::Warn, "of the last 5 min something waited", FREE_CPU),
        (true, false) => (Status::Fail, "of the last 5 min everything stood still", FREE_MEMORY),
    };
    Some(Row {
        status,
        name: format!("{} pressure", pressure.resource),
        value: format!("{percent:.0} % {what}"),
        limit: format!("{} %", limits.pressure),
        help,
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes below 2^53 bytes"
)]
fn whole(value: f64) -> u64 {
    value.max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: f64 = 1_073_741_824.0;
    const LIMITS: Limits = Limits {
        free: Pair { bytes: 2 << 30, percent: 5 },
        inodes: 5,
        memory: Pair { bytes: 512 << 20, percent: 5 },
        load: 8,
        pressure: 60,
    };

    fn disk_of(available: f64, size: f64) -> DiskMetrics {
        let (purposes, mount) = (["work".to_owned()].into(), "/w".to_owned());
        DiskMetrics {
            purposes,
            mount,
            size,
            available,
            files: 100.0,
            files_free: 50.0,
            read_only: false,
        }
    }

    fn host() -> HostMetrics {
        HostMetrics {
            memory_total: Some(8.0 * GIB),
            memory_available: Some(4.0 * GIB),
            load: Some(2.0),
            cpus: Some(4.0),
            disks: vec![disk_of(50.0 * GIB, 100.0 * GIB)],
            pressure: Vec::new(),
            via: "here".to_owned(),
        }
    }

    fn with(change: impl FnOnce(&mut HostMetrics)) -> (Status, String) {
        let mut host = host();
        change(&mut host);
        let outcome = judge(&host, &LIMITS);
        assert_eq!(outcome.help.is_some(), outcome.status != Status::Pass, "{outcome:?}");
        (outcome.status, outcome.summary)
    }

    #[test]
    fn a_roomy_host_passes_and_shows_its_numbers() {
        let text =
            "the host has room, memory and air: 50.0 GiB free at /w, 4.0 GiB of memory available";
        assert_eq!(with(|_| {}), (Status::Pass, text.to_owned()));
    }

    #[test]
    fn disks_are_held_against_both_limits_and_their_mounts_are_named() {
        let disk = |disk: DiskMetrics| with(|h| h.disks = vec![disk]);
        let text = "/w (work): 1.0 GiB free of 100.0 GiB (1 %) (limit 2.0 GiB or 5 %)";
        assert_eq!(disk(disk_of(GIB, 100.0 * GIB)), (Status::Fail, text.to_owned()));
        assert_eq!(disk(disk_of(GIB, 4.0 * GIB)).0, Status::Warn);
        let usual = disk_of(50.0 * GIB, 100.0 * GIB);
        assert_eq!(disk(DiskMetrics { files_free: 0.0, ..usual.clone() }).0, Status::Fail);
        assert_eq!(disk(DiskMetrics { files_free: 3.0, ..usual.clone() }).0, Status::Warn);
        assert_eq!(
            disk(DiskMetrics { files: 0.0, files_free: 0.0, ..usual.clone() }).0,
            Status::Pass
        );
        let locked = DiskMetrics { read_only: true, ..usual };
        assert_eq!(disk(locked.clone()).0, Status::Fail);
        assert_eq!(
            disk(DiskMetrics { purposes: ["root".to_owned()].into(), ..locked }).0,
            Status::Pass
        );
    }

    #[test]
    fn memory_is_held_against_both_limits_and_load_only_warns() {
        assert_eq!(with(|h| h.memory_available = Some(0.2 * GIB)).0, Status::Fail);
        let small = with(|h| (h.memory_total, h.memory_available) = (Some(GIB), Some(0.4 * GIB)));
        assert_eq!(small.0, Status::Warn);
        let (status, text) = with(|h| h.load = Some(40.0));
        assert_eq!(
            (status, text.as_str()),
            (Status::Warn, "load: 10.0 for each of 4 processors (limit 8)")
        );
    }

    #[test]
    fn a_host_that_stands_still_fails_and_a_busy_processor_warns() {
        let pressed = |resource: &str, stalled, share| {
            let one = PressureMetrics { resource: resource.to_owned(), stalled, share };
            with(|h| h.pressure = vec![one]).0
        };
        assert_eq!(pressed("cpu", false, 0.9), Status::Warn);
        assert_eq!(pressed("memory", true, 0.7), Status::Fail);
        assert_eq!(pressed("io", true, 0.5), Status::Pass);
        assert_eq!(pressed("io", false, 0.9), Status::Pass);
    }
}
