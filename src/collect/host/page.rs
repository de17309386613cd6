//! What was seen of a machine, as a page of Markdown.

use std::time::UNIX_EPOCH;

use super::{Busy, Seen, TOP};
use crate::report::chart::{Unit, humanised};
use crate::report::escape;
use crate::source::host::{Disk, Place, Stall, Vantage};

/// The page; `now` in seconds since 1970.
pub(super) fn page(seen: &Seen, now: i64) -> String {
    let mut parts = vec![format!("# This machine, seen from {}", vantage(&seen.vantage))];
    if seen.vantage.place == Place::Container {
        parts.push(
            "Memory, load and pressure are the host's: the kernel shows them in every container. Of disks, only those that are mounted \
             into this container are the host's. The host's processes and the kernel's log are out of sight."
                .to_owned(),
        );
    }
    parts.push(facts(seen, now).join("\n"));
    parts.push("## Disks".to_owned());
    parts.push(disks(&seen.disks));
    if seen.remote > 0 {
        parts.push(format!("{} network mounts were not asked: they can hang.", seen.remote));
    }
    parts.extend(top("the most memory", &seen.processes, memory_of));
    parts.extend(top("the most processor time now", &seen.processes, |b| b.share));
    parts.join("\n\n") + "\n"
}

/// `the host (no mark of a container was found)`.
pub(super) fn vantage(vantage: &Vantage) -> String {
    let place = match vantage.place {
        Place::Host => "the host",
        Place::Container => "a container",
    };
    format!("{place} ({})", vantage.told_by)
}

fn facts(seen: &Seen, now: i64) -> Vec<String> {
    let bytes = |n: u64| humanised(Some(float(n)), Unit::Bytes);
    let mut facts = Vec::new();
    match &seen.kernel {
        Ok(kernel) => {
            let boot = kernel.boot.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            let up = now.saturating_sub(i64::try_from(boot).unwrap_or(now)).max(0);
            let (days, hours, minutes) = (up / 86_400, up % 86_400 / 3600, up % 3600 / 60);
            facts.push(format!(
                "- up for {days} d {hours} h {minutes} min, {} processors",
                kernel.cpus
            ));
        }
        Err(error) => facts.push(unknown("uptime", &error.chain())),
    }
    match &seen.load {
        Ok(l) => facts.push(format!(
            "- load {:.2} {:.2} {:.2} (tasks that run or wait, over 1, 5 and 15 minutes)",
            l.one, l.five, l.fifteen
        )),
        Err(error) => facts.push(unknown("load", &error.chain())),
    }
    match &seen.memory {
        Ok(m) => {
            let limit = m
                .cgroup_limit
                .map(|l| format!(", limit of this process's control group {}", bytes(l)));
            facts.push(format!(
                "- memory: {} of {} available, {} of swap free{}",
                bytes(m.available),
                bytes(m.total),
                bytes(m.swap_free),
                limit.unwrap_or_default()
            ));
        }
        Err(error) => facts.push(unknown("memory", &error.chain())),
    }
    if let Some(kills) = seen.oom_kills {
        facts.push(format!("- kills for want of memory since the start of the machine: {kills}"));
    }
    for (resource, pressure) in &seen.pressure {
        let full = pressure.full.map(|f| format!("; everything stood still {}", stall(f)));
        facts.push(format!(
            "- pressure of {}: something waited {}{}",
            resource.name(),
            stall(pressure.some),
            full.unwrap_or_default()
        ));
    }
    facts
}

fn unknown(what: &str, why: &str) -> String {
    format!("- {what} not known: {}", escape::prose(why))
}

fn stall(s: Stall) -> String {
    let share = |v| humanised(Some(v), Unit::Share);
    format!(
        "{} of 10 s, {} of 1 min, {} of 5 min",
        share(s.last_10s),
        share(s.last_60s),
        share(s.last_300s)
    )
}

fn disks(disks: &[Disk]) -> String {
    let mut lines = vec![
        "| Mounted at | Size | Available | Inodes free | |".to_owned(),
        "| :-- | --: | --: | --: | :-- |".to_owned(),
    ];
    lines.extend(disks.iter().map(|disk| {
        let inodes = if disk.inodes_total == 0 {
            "no limit".to_owned()
        } else {
            share(disk.inodes_free, disk.inodes_total)
        };
        let kind = if disk.from_host { "" } else { "this container's own" };
        format!(
            "| {} | {} | {} ({}) | {inodes} | {kind}{} |",
            escape::cell(&disk.mount.display().to_string()),
            humanised(Some(float(disk.total)), Unit::Bytes),
            humanised(Some(float(disk.available)), Unit::Bytes),
            share(disk.available, disk.total),
            if disk.read_only { " read-only" } else { "" }
        )
    }));
    lines.join("\n")
}

fn top(what: &str, all: &[Busy], of: impl Fn(&Busy) -> f64) -> Vec<String> {
    let mut sorted: Vec<&Busy> = all.iter().filter(|b| of(b) > 0.0).collect();
    if sorted.is_empty() {
        return Vec::new();
    }
    sorted.sort_by(|a, b| of(b).total_cmp(&of(a)).then(a.process.pid.cmp(&b.process.pid)));
    let mut lines = vec![
        "| Process | Number | Memory | Processor |".to_owned(),
        "| :-- | --: | --: | --: |".to_owned(),
    ];
    lines.extend(sorted.iter().take(TOP).map(|b| {
        format!(
            "| {} | {} | {} | {} |",
            escape::cell(&b.process.name),
            b.process.pid,
            humanised(Some(memory_of(b)), Unit::Bytes),
            humanised(Some(b.share), Unit::Share)
        )
    }));
    vec![format!("## Processes with {what}"), lines.join("\n")]
}

fn memory_of(busy: &Busy) -> f64 {
    float(busy.process.resident)
}

fn share(part: u64, whole: u64) -> String {
    humanised(Some(float(part) / float(whole.max(1))), Unit::Share)
}

#[expect(clippy::cast_precision_loss, reason = "a size for people")]
fn float(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;
    use crate::source::host::{Kernel, Load, Memory, Process};

    fn seen(place: Place) -> Seen {
        let disk = Disk {
            path: PathBuf::from("/"),
            mount: PathBuf::from("/srv|x"),
            total: 100 << 30,
            available: 5 << 30,
            inodes_total: 0,
            inodes_free: 0,
            read_only: true,
            from_host: true,
        };
        let process = Process {
            pid: 42,
            name: "java|<b>".to_owned(),
            resident: 3 << 30,
            ran: Duration::ZERO,
        };
        Seen {
            vantage: Vantage { place, told_by: "a sign".to_owned() },
            kernel: Ok(Kernel { cpus: 4, boot: UNIX_EPOCH + Duration::from_secs(1000) }),
            load: Ok(Load { one: 0.5, five: 1.0, fifteen: 2.0 }),
            memory: Ok(Memory {
                total: 8 << 30,
                available: 1 << 30,
                swap_free: 0,
                cgroup_limit: None,
            }),
            pressure: Vec::new(),
            oom_kills: Some(2),
            disks: vec![disk],
            remote: 1,
            processes: vec![Busy { process, share: 0.0 }],
        }
    }

    #[test]
    fn a_page_has_every_fact_and_names_can_not_break_its_tables() {
        let page = page(&seen(Place::Host), 94_600);
        for wanted in [
            "# This machine, seen from the host (a sign)",
            "- up for 1 d 2 h 0 min, 4 processors",
            "- memory: 1.0 GiB of 8.0 GiB available, 0 B of swap free",
            "since the start of the machine: 2",
            "| 100.0 GiB | 5.0 GiB (5.0 %) | no limit |  read-only |",
            "1 network mounts were not asked",
            "## Processes with the most memory",
            "| `java\\|<b>` | 42 | 3.0 GiB | 0.0 % |",
        ] {
            assert!(page.contains(wanted), "{wanted}\n{page}");
        }
    }

    #[test]
    fn a_container_says_what_it_does_not_see() {
        let seen = Seen { processes: Vec::new(), ..seen(Place::Container) };
        let page = page(&seen, 0);
        assert!(page.contains("out of sight") && !page.contains("## Processes"), "{page}");
    }
}
