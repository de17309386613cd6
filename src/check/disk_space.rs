//! Is there room on the disks that the deploy writes to? Only file systems of the host count: the container's own layer is not one.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::{Check, Ctx, Scope};
use crate::config::{OptionKind, OptionSpec, bytes_text};
use crate::report::{Observation, Outcome, Status};
use crate::source::host::{Disk, Host, Place};
use crate::source::{Cause, Error};
use crate::task::{self, BoxFuture};

pub(super) struct DiskSpace;

const MIN_FREE: OptionSpec = OptionSpec {
    name: "min-free",
    kind: OptionKind::Bytes,
    default: "2 GiB",
    help: "Least free space of a file system that the deploy writes to.",
};
const MIN_FREE_PERCENT: OptionSpec = OptionSpec {
    name: "min-free-percent",
    kind: OptionKind::Percent,
    default: "5",
    help: "Least free share; the deploy is stopped only below both.",
};

impl Check for DiskSpace {
    fn id(&self) -> &'static str {
        "disk-space"
    }

    fn question(&self) -> &'static str {
        "Is there room on the disks that the deploy writes to?"
    }

    fn runbook(&self) -> &'static str {
        "runner-degraded-resources"
    }

    fn scope(&self) -> Scope {
        Scope::Run
    }

    fn explain(&self) -> &'static str {
        "Asks the file systems of the workspace, of the runner's temporary folder and, on the host itself, of `/`. Pass: more free than min-free. \
         Warn: less than min-free but more than min-free-percent. Fail: less than both, no inode left, or mounted read-only. Unknown: this \
         container sees no file system of the host."
    }

    fn options(&self) -> &'static [OptionSpec] {
        const { &[MIN_FREE, MIN_FREE_PERCENT] }
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            let host = ctx.sources.host.clone();
            let paths = vec![ctx.job.workspace.clone(), ctx.job.temp.clone(), PathBuf::from("/")];
            let read = task::blocking(move || read(&host, &paths)).await;
            let (disks, hidden) = read.ok_or_else(|| {
                Error::new("read the free space", Cause::Other("the reader stopped".to_owned()))
            })??;
            let settings = ctx.config.check(self.id());
            let limits = Limits {
                bytes: settings.bytes(&MIN_FREE),
                percent: u64::from(settings.percent(&MIN_FREE_PERCENT)),
            };
            Ok(judge(&disks, &hidden, &limits))
        })
    }
}

/// The distinct file systems of the host below these paths, and the paths that lie on the container's own layer.
fn read(host: &Host, paths: &[PathBuf]) -> Result<(Vec<Disk>, Vec<String>), Error> {
    let (mut disks, mut hidden, mut mounts) = (Vec::new(), Vec::new(), BTreeSet::new());
    let in_container = host.vantage().place == Place::Container;
    for path in paths.iter().filter(|p| !p.as_os_str().is_empty()) {
        let path = path.canonicalize().unwrap_or_else(|_| path.clone());
        let disk = host.disk(&path)?;
        if in_container && !disk.from_host {
            hidden.push(path.display().to_string());
        } else if mounts.insert((disk.mount.clone(), disk.total)) {
            disks.push(disk);
        }
    }
    Ok((disks, hidden))
}

struct Limits {
    bytes: u64,
    percent: u64,
}

fn judge(disks: &[Disk], hidden: &[String], limits: &Limits) -> Outcome {
    let limit = format!("{} or {} %", bytes_text(limits.bytes), limits.percent);
    let rows: Vec<(Status, String, &Disk)> = disks.iter().map(|disk| one(disk, limits)).collect();
    let worst = rows
        .iter()
        .rev()
        .max_by_key(|(status, _, disk)| (weight(*status), u64::MAX - disk.available));
    let mut outcome = match worst {
        None => Outcome::unknown("this container sees no file system of the host")
            .help("read the host's disks from its exporter, or use the binary variant of the action on the host"),
        Some((Status::Pass, text, _)) => Outcome::pass(text.clone()),
        Some((status, text, _)) => Outcome::new(*status, text.clone())
            .help("free space on the runner: remove old work folders, `docker system prune`, `journalctl --vacuum-size=500M`"),
    };
    let seen = |(_, text, disk): &(Status, String, &Disk)| Observation {
        name: disk.mount.display().to_string(),
        value: text.clone(),
        limit: Some(limit.clone()),
    };
    outcome.observations = rows.iter().map(seen).collect();
    if !hidden.is_empty() {
        outcome = outcome.saw(
            "not looked at",
            format!("{} (the container's own layer, not the host's disk)", hidden.join(", ")),
        );
    }
    outcome
}

fn weight(status: Status) -> u8 {
    match status {
        Status::Fail => 3,
        Status::Warn => 2,
        Status::Pass => 1,
        Status::Unknown | Status::Skipped => 0,
    }
}

fn one<'a>(disk: &'a Disk, limits: &Limits) -> (Status, String, &'a Disk) {
    let percent = disk.available.saturating_mul(100).checked_div(disk.total).unwrap_or(0);
    let place = disk.path.display();
    let text = format!(
        "{} free of {} at {place} ({percent} %)",
        bytes_text(disk.available),
        bytes_text(disk.total)
    );
    if disk.read_only {
        return (Status::Fail, format!("{place} is mounted read-only"), disk);
    }
    if disk.inodes_total > 0 && disk.inodes_free == 0 {
        return (Status::Fail, format!("no inode is free at {place}"), disk);
    }
    let status = match (disk.available < limits.bytes, percent < limits.percent) {
        (false, _) => Status::Pass,
        (true, false) => Status::Warn,
        (true, true) => Status::Fail,
    };
    (status, text, disk)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(available: u64, total: u64) -> Disk {
        Disk {
            path: PathBuf::from("/w"),
            mount: PathBuf::from("/w"),
            total,
            available,
            inodes_total: 10,
            inodes_free: 5,
            read_only: false,
            from_host: true,
        }
    }

    const LIMITS: Limits = Limits { bytes: 2 << 30, percent: 5 };

    #[test]
    fn a_nearly_full_disk_fails_and_names_the_numbers() {
        let outcome = judge(&[disk(1 << 30, 100 << 30)], &[], &LIMITS);
        assert_eq!(outcome.status, Status::Fail);
        assert_eq!(outcome.summary, "1.0 GiB free of 100.0 GiB at /w (1 %)");
        assert!(outcome.help.is_some());
    }

    #[test]
    fn a_small_disk_with_a_fair_share_free_warns_and_a_roomy_one_passes() {
        assert_eq!(judge(&[disk(1 << 30, 4 << 30)], &[], &LIMITS).status, Status::Warn);
        assert_eq!(judge(&[disk(50 << 30, 100 << 30)], &[], &LIMITS).status, Status::Pass);
    }

    #[test]
    fn the_worst_disk_decides() {
        let full =
            Disk { path: PathBuf::from("/tmp"), mount: PathBuf::from("/tmp"), ..disk(0, 1 << 40) };
        let outcome = judge(&[disk(50 << 30, 100 << 30), full], &[], &LIMITS);
        assert!(outcome.summary.contains("at /tmp"), "{}", outcome.summary);
    }

    #[test]
    fn a_read_only_disk_and_one_without_inodes_fail() {
        assert_eq!(
            judge(&[Disk { read_only: true, ..disk(50 << 30, 100 << 30) }], &[], &LIMITS).status,
            Status::Fail
        );
        assert_eq!(
            judge(&[Disk { inodes_free: 0, ..disk(50 << 30, 100 << 30) }], &[], &LIMITS).status,
            Status::Fail
        );
    }

    #[test]
    fn the_containers_own_layer_is_never_sold_as_the_hosts_disk() {
        let outcome = judge(&[], &["/".to_owned()], &LIMITS);
        assert_eq!(outcome.status, Status::Unknown);
        assert!(outcome.observations[0].value.contains("not the host's disk"));
    }
}
