//! Are there inodes left on the disks that the deploy writes to? A disk with room can still refuse every new file.

use super::disk_space::Looked;
use super::{Check, Ctx, Need, Scope};
use crate::config::{Level, OptionKind, OptionSpec};
use crate::report::{Outcome, Status};
use crate::source::Error;
use crate::source::host::Disk;
use crate::task::BoxFuture;

pub(super) struct DiskInodes;

const MIN_FREE: OptionSpec = OptionSpec {
    name: "min-free",
    kind: OptionKind::Number,
    default: "20000",
    help: "Least number of free inodes of a file system that the deploy writes to.",
};
const MIN_FREE_PERCENT: OptionSpec = OptionSpec {
    name: "min-free-percent",
    kind: OptionKind::Percent,
    default: "5",
    help: "Least free share of inodes; the deploy is stopped only below both.",
};
const PATHS: OptionSpec = OptionSpec {
    name: "paths",
    kind: OptionKind::List,
    default: "",
    help: "More absolute paths to look at; one that can not be seen leaves the question open.",
};

impl Check for DiskInodes {
    fn id(&self) -> &'static str {
        "disk-inodes"
    }

    fn question(&self) -> &'static str {
        "Are there inodes left on the disks that the deploy writes to?"
    }

    fn runbook(&self) -> &'static str {
        "runner-degraded-resources"
    }

    fn scope(&self) -> Scope {
        Scope::Run
    }

    fn explain(&self) -> &'static str {
        "Asks the same file systems as disk-space for free inodes, one of which every new file takes. Pass: a larger share free than \
         min-free-percent, or a file system that has no such limit. Warn: a smaller share but more than min-free inodes. Fail: less than \
         both, or none. Unknown: this container sees no file system of the host, or a path that was named can not be seen."
    }

    /// Who sees no disk is told so by `disk-space`.
    fn on_unknown(&self) -> Option<Level> {
        Some(Level::Warn)
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
            let least = settings.number(&MIN_FREE);
            let percent = u64::from(settings.percent(&MIN_FREE_PERCENT));
            let looked = Looked::at(ctx, &settings.list(&PATHS)).await?;
            let rows =
                looked.rows(&format!("{percent} % or {least}"), |disk| one(disk, least, percent));
            Ok(looked.judge(
                &rows,
                "many small files hold them: find the folder with `du --inodes -x / | sort -n | tail`, then remove old work folders, caches and unused images",
            ))
        })
    }
}

fn one(disk: &Disk, least: u64, percent: u64) -> (Status, String) {
    let place = disk.path.display();
    let (free, all) = (disk.inodes_free, disk.inodes_total);
    let Some(share) = free.saturating_mul(100).checked_div(all) else {
        return (Status::Pass, format!("{place} has no limit of inodes"));
    };
    if free == 0 {
        return (Status::Fail, format!("no inode is free at {place} (0 of {all})"));
    }
    let status = match (share < percent, free < least) {
        (false, _) => Status::Pass,
        (true, false) => Status::Warn,
        (true, true) => Status::Fail,
    };
    (status, format!("{free} of {all} inodes free at {place} ({share} %)"))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn disk(inodes_free: u64, inodes_total: u64) -> Disk {
        Disk {
            path: PathBuf::from("/w"),
            mount: PathBuf::from("/w"),
            total: 1 << 40,
            available: 1 << 39,
            inodes_total,
            inodes_free,
            read_only: false,
            from_host: true,
        }
    }

    #[test]
    fn a_share_and_a_number_are_both_needed_to_stop_a_deploy() {
        let status = |free, all| one(&disk(free, all), 20_000, 5).0;
        assert_eq!(status(600_000, 1_000_000), Status::Pass);
        assert_eq!(status(30_000, 1_000_000), Status::Warn);
        assert_eq!(status(10_000, 1_000_000), Status::Fail);
        assert_eq!(status(9_000, 10_000), Status::Pass);
    }

    #[test]
    fn a_full_table_fails_and_a_file_system_without_one_passes() {
        assert_eq!(
            one(&disk(0, 65_536), 0, 0),
            (Status::Fail, "no inode is free at /w (0 of 65536)".to_owned())
        );
        assert_eq!(one(&disk(0, 0), 20_000, 5).0, Status::Pass);
    }
}
