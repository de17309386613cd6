//! The machine of the job at the time of the failure: load, memory, pressure, disks and kills; on the host itself also its largest
//! processes, and what the kernel complains about.

mod kernel_log;
mod page;

use std::collections::HashMap;
use std::time::Duration;

use super::{Collector, Ctx, Harvest};
use crate::report::{BundlePath, Evidence, EvidenceKind};
use crate::source::host::{self, Disk, Place, Process, Resource, Vantage};
use crate::source::{Cause, Error};
use crate::task::{self, BoxFuture};

pub(super) struct Host;

/// Longest time of all readings together.
const LIMIT: Duration = Duration::from_secs(8);
/// Time between two looks at the processes, to tell how busy each is now.
const BETWEEN: Duration = Duration::from_millis(100);
/// Processes that are named in each list.
const TOP: usize = 10;

/// What was seen of a machine.
struct Seen {
    vantage: Vantage,
    kernel: Result<host::Kernel, Error>,
    load: Result<host::Load, Error>,
    memory: Result<host::Memory, Error>,
    pressure: Vec<(Resource, host::Pressure)>,
    oom_kills: Option<u64>,
    disks: Vec<Disk>,
    /// Mounts that were not asked about since they may hang.
    remote: usize,
    /// Empty in a container.
    processes: Vec<Busy>,
}

/// A process, and the share of one processor that it takes now.
struct Busy {
    process: Process,
    share: f64,
}

impl Collector for Host {
    fn id(&self) -> &'static str {
        "host"
    }

    fn explain(&self) -> &'static str {
        "Load, memory, pressure, disks, kills for want of memory and uptime of the machine. Started on the host itself (not in a container) also \
         the processes with the most memory and processor time, by name and without arguments, and what the kernel's log says about memory and \
         disks since the job's start. In a container, memory, load and pressure are the host's, and disks only those that are mounted into it."
    }

    fn about(&self) -> &'static [&'static str] {
        &[
            "disk-space",
            "disk-inodes",
            "host-memory",
            "cpu-pressure",
            "runner-resources",
            "clock-skew",
        ]
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Harvest, Error>> {
        Box::pin(async move {
            let deadline = ctx.deadline.at_most(LIMIT);
            let machine = ctx.sources.host.clone();
            let look = task::blocking(move || look(&machine));
            let looked = tokio::time::timeout_at(deadline.instant(), look).await;
            let stopped = |why: Cause| Error::new("look at this machine", why);
            let mut seen = looked
                .map_err(|_| stopped(Cause::Timeout(LIMIT)))?
                .ok_or_else(|| stopped(Cause::Other("the reader stopped".to_owned())))?;
            let mut note = format!("seen from {}", page::vantage(&seen.vantage));
            let mut entries = Vec::new();
            match seen.vantage.place {
                Place::Host => {
                    seen.processes = processes(ctx).await;
                    match kernel_log::read(ctx, deadline).await {
                        Ok(lines) if lines.is_empty() => {
                            note.push_str("; the kernel's log has no complaint");
                        }
                        Ok(lines) => {
                            note.push_str("; the kernel complains");
                            let path = BundlePath::new("host", "kernel.log");
                            let origin = "journalctl -k";
                            entries.push(Evidence::new(
                                path,
                                EvidenceKind::RunnerLog,
                                origin,
                                lines,
                            ));
                        }
                        Err(why) => {
                            note.push_str("; no kernel log: ");
                            note.push_str(&why);
                        }
                    }
                }
                Place::Container => {
                    note.push_str("; processes and the kernel's log are out of sight there");
                }
            }
            let path = BundlePath::new("host", "state.md");
            let text = page::page(&seen, ctx.sources.now);
            entries.insert(0, Evidence::new(path, EvidenceKind::Context, "this machine", text));
            Ok(Harvest::Found { note, entries })
        })
    }
}

/// May block for as long as a disk does.
fn look(machine: &host::Host) -> Seen {
    let pressure = |resource: Resource| Some((resource, machine.pressure(resource).ok()??));
    let (disks, remote) = machine.disks();
    Seen {
        vantage: machine.vantage(),
        kernel: machine.kernel(),
        load: machine.load(),
        memory: machine.memory(),
        pressure: Resource::ALL.into_iter().filter_map(pressure).collect(),
        oom_kills: machine.oom_kills().ok().flatten(),
        disks,
        remote,
        processes: Vec::new(),
    }
}

/// Two looks at the processes; none when the list can not be read.
async fn processes(ctx: &Ctx<'_>) -> Vec<Busy> {
    let list = || {
        let machine = ctx.sources.host.clone();
        task::blocking(move || machine.processes().unwrap_or_default())
    };
    let Some(first) = list().await else { return Vec::new() };
    tokio::time::sleep(BETWEEN).await;
    let second = list().await.unwrap_or_default();
    busy(first, second)
}

/// The processes of the second look with what they did since the first. A number that was given to another process counts as new.
fn busy(first: Vec<Process>, second: Vec<Process>) -> Vec<Busy> {
    let before: HashMap<u32, Process> = first.into_iter().map(|p| (p.pid, p)).collect();
    let share = |process: Process| {
        let earlier = before.get(&process.pid).filter(|p| p.name == process.name);
        let ran = earlier.map_or(Duration::ZERO, |p| process.ran.saturating_sub(p.ran));
        Busy { share: ran.as_secs_f64() / BETWEEN.as_secs_f64(), process }
    };
    second.into_iter().map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_as_busy_as_it_was_between_two_looks() {
        let process = |pid, name: &str, ms| Process {
            pid,
            name: name.to_owned(),
            resident: 0,
            ran: Duration::from_millis(ms),
        };
        let first = vec![process(1, "a", 1000), process(2, "gone", 0), process(3, "old", 0)];
        let second = vec![process(1, "a", 1050), process(3, "new", 900), process(4, "b", 100)];
        let shares: Vec<(u32, f64)> =
            busy(first, second).iter().map(|b| (b.process.pid, b.share)).collect();
        assert_eq!(shares, [(1, 0.5), (3, 0.0), (4, 0.0)]);
    }
}
