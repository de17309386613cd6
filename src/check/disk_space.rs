//! Is there room on the disks that the deploy writes to? Only file systems of the host count: the container's own layer is not one.

use std::path::PathBuf;
use std::time::Duration;

use super::{Check, Ctx, Need, Scope};
use crate::config::{OptionKind, OptionSpec, bytes_text};
use crate::report::{Outcome, Status};
use crate::source::docker::Docker;
use crate::source::host::{Disk, Look, Place, Seen, Wanted};
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
const PATHS: OptionSpec = OptionSpec {
    name: "paths",
    kind: OptionKind::List,
    default: "",
    help: "More absolute paths to look at; one that can not be seen leaves the question open.",
};

/// Where the engine keeps its data unless it says otherwise.
const ENGINE_DATA: &str = "/var/lib/docker";
/// Longest time that the engine may take to say where its data lies: the disks do not wait for it.
const ENGINE_WAIT: Duration = Duration::from_secs(1);

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
        "Asks the file systems of the workspace, of the runner's temporary folder and of `paths`, and on the host itself also of `/`, `/tmp` \
         and the Docker engine's data. Pass: more free than min-free. Warn: less than min-free but more than min-free-percent. Fail: less \
         than both, or mounted read-only. Unknown: this container sees no file system of the host, or a path that was named can not be seen. \
         Inodes are asked by disk-inodes."
    }

    fn needs(&self) -> &'static [Need] {
        &[Need::Mount("/github/workspace")]
    }

    fn options(&self) -> &'static [OptionSpec] {
        const { &[MIN_FREE, MIN_FREE_PERCENT, PATHS] }
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            let settings = ctx.config.check(self.id());
            let limits = Limits {
                bytes: settings.bytes(&MIN_FREE),
                percent: u64::from(settings.percent(&MIN_FREE_PERCENT)),
            };
            let looked = Looked::at(ctx, &settings.list(&PATHS)).await?;
            let limit = format!("{} or {} %", bytes_text(limits.bytes), limits.percent);
            let rows = looked.rows(&limit, |disk| one(disk, &limits));
            Ok(looked.judge(
                &rows,
                "free space on the runner: remove old work folders, `docker system prune`, `journalctl --vacuum-size=500M`",
            ))
        })
    }
}

struct Limits {
    bytes: u64,
    percent: u64,
}

fn one(disk: &Disk, limits: &Limits) -> (Status, String) {
    let percent = disk.available.saturating_mul(100).checked_div(disk.total).unwrap_or(0);
    let place = disk.path.display();
    if disk.read_only {
        return (Status::Fail, format!("{place} is mounted read-only"));
    }
    let status = match (disk.available < limits.bytes, percent < limits.percent) {
        (false, _) => Status::Pass,
        (true, false) => Status::Warn,
        (true, true) => Status::Fail,
    };
    (status, room(disk))
}

fn room(disk: &Disk) -> String {
    let percent = disk.available.saturating_mul(100).checked_div(disk.total).unwrap_or(0);
    let (free, all) = (bytes_text(disk.available), bytes_text(disk.total));
    format!("{free} free of {all} at {} ({percent} %)", disk.path.display())
}

/// The disks that the deploy writes to, as this check and its neighbour about inodes see them.
pub(super) struct Looked {
    seen: Seen,
    /// Where the engine's data lies on the host, when only the host can see it.
    engine_data: Option<String>,
}

/// What one disk is judged to be.
pub(super) struct Row {
    name: String,
    status: Status,
    text: String,
    limit: String,
}

impl Looked {
    pub(super) async fn at(ctx: &Ctx<'_>, more: &[&str]) -> Result<Self, Error> {
        let wanted = |name: &str, path: PathBuf, look| {
            // An empty path stays one: nobody named a place.
            let path = std::path::absolute(&path).unwrap_or(path);
            Wanted { name: name.to_owned(), path, look }
        };
        let mut places = vec![
            wanted("work folder", ctx.job.workspace.clone(), Look::Must),
            wanted("temporary folder", ctx.job.temp.clone(), Look::Must),
            wanted("root", PathBuf::from("/"), Look::May),
            wanted("shared temporary folder", PathBuf::from("/tmp"), Look::May),
        ];
        places.extend(more.iter().map(|path| wanted("named", PathBuf::from(path), Look::Must)));
        let engine = engine_data(ctx).await;
        let host = ctx.sources.host.clone();
        let read = task::blocking(move || {
            let in_container = host.vantage().place == Place::Container;
            let engine_data = engine.clone().filter(|_| in_container);
            if !in_container {
                let data = engine.unwrap_or_else(|| ENGINE_DATA.to_owned());
                places.push(wanted("Docker's data", PathBuf::from(data), Look::May));
            }
            Self { seen: host.look_at(&places), engine_data }
        });
        let stopped =
            || Error::new("read the disks", Cause::Other("the reader stopped".to_owned()));
        read.await.ok_or_else(stopped)
    }

    pub(super) fn rows(&self, limit: &str, one: impl Fn(&Disk) -> (Status, String)) -> Vec<Row> {
        let row = |(name, disk): &(String, Disk)| {
            let (status, text) = one(disk);
            Row { name: name.clone(), status, text, limit: limit.to_owned() }
        };
        self.seen.disks.iter().map(row).collect()
    }

    /// The worst disk decides; a place that could not be seen leaves the question open unless a disk is bad anyway.
    pub(super) fn judge(&self, rows: &[Row], help: &str) -> Outcome {
        let worst = rows.iter().rev().max_by_key(|row| weight(row.status));
        let open = self.open();
        let mut outcome = match (worst, open) {
            (Some(row), _) if weight(row.status) > weight(Status::Pass) => {
                Outcome::new(row.status, row.text.clone()).help(help)
            }
            (_, Some(open)) => open,
            (Some(row), None) => Outcome::pass(row.text.clone()),
            (None, None) => Outcome::unknown("this container sees no file system of the host").help(
                "read the host's disks from its exporter, or use the binary variant of the action on the host",
            ),
        };
        for row in rows {
            outcome = outcome.saw_limit(&row.name, &row.text, &row.limit);
        }
        if let Some((names, disk)) = &self.seen.own_layer {
            let text = format!("{}: the container's own layer, not the host's disk", room(disk));
            outcome = outcome.saw(format!("not judged: {names}"), text);
        }
        if let Some(path) = &self.engine_data {
            outcome = outcome.saw("not seen: Docker's data", format!("{path} on the host"));
        }
        outcome
    }

    /// What could not be seen and should have been.
    fn open(&self) -> Option<Outcome> {
        if let Some((name, error)) = self.seen.unseen.first() {
            let text = format!("{name} can not be seen: {}", error.chain());
            return Some(Outcome::unknown(text).help(
                "check that the path exists and that this user may enter it; in a container only what is mounted can be seen",
            ));
        }
        // Without any disk the sentence about the container says more than one about a folder.
        let hidden = self.seen.hidden.first().filter(|_| !self.seen.disks.is_empty())?;
        let text =
            format!("{hidden} lies in the container's own layer: the host's disk is not seen");
        Some(Outcome::unknown(text).help(
            "mount it into the container, or use the binary variant of the action on the host",
        ))
    }
}

async fn engine_data(ctx: &Ctx<'_>) -> Option<String> {
    let docker = Docker::at(&ctx.sources.docker_socket).ok()?;
    let info = docker.info(ctx.deadline.at_most(ENGINE_WAIT)).await.ok()?;
    Some(info.docker_root_dir).filter(|path| path.starts_with('/'))
}

fn weight(status: Status) -> u8 {
    match status {
        Status::Fail => 3,
        Status::Warn => 2,
        Status::Pass => 1,
        Status::Unknown | Status::Skipped => 0,
    }
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
            inodes_free: 0,
            read_only: false,
            from_host: true,
        }
    }

    const LIMITS: Limits = Limits { bytes: 2 << 30, percent: 5 };

    fn judged(disks: Vec<Disk>) -> Outcome {
        let disks = disks.into_iter().map(|d| ("x".to_owned(), d)).collect();
        let looked = Looked { seen: Seen { disks, ..Seen::default() }, engine_data: None };
        looked.judge(&looked.rows("", |disk| one(disk, &LIMITS)), "help")
    }

    #[test]
    fn a_nearly_full_disk_fails_and_names_the_numbers() {
        let outcome = judged(vec![disk(1 << 30, 100 << 30)]);
        assert_eq!(outcome.status, Status::Fail);
        assert_eq!(outcome.summary, "1.0 GiB free of 100.0 GiB at /w (1 %)");
        assert!(outcome.help.is_some());
    }

    #[test]
    fn a_small_disk_with_a_fair_share_free_warns_and_a_roomy_one_passes() {
        assert_eq!(judged(vec![disk(1 << 30, 4 << 30)]).status, Status::Warn);
        assert_eq!(judged(vec![disk(50 << 30, 100 << 30)]).status, Status::Pass);
    }

    #[test]
    fn the_worst_disk_decides_and_a_read_only_one_fails() {
        let full = Disk { path: PathBuf::from("/tmp"), ..disk(0, 1 << 40) };
        let outcome = judged(vec![disk(50 << 30, 100 << 30), full]);
        assert!(outcome.summary.contains("at /tmp"), "{}", outcome.summary);
        let read_only = Disk { read_only: true, ..disk(50 << 30, 100 << 30) };
        assert_eq!(judged(vec![read_only]).status, Status::Fail);
    }
}
