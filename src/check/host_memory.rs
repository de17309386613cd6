//! Is there memory left? The kernel shows the host's memory inside a container too; a limit of the container's own is said apart.

use super::{Check, Ctx, Scope};
use crate::config::{Level, OptionKind, OptionSpec, bytes_text};
use crate::report::Outcome;
use crate::source::host::{Memory, Place};
use crate::source::{Cause, Error};
use crate::task::{self, BoxFuture};

pub(super) struct HostMemory;

const MIN_AVAILABLE: OptionSpec = OptionSpec {
    name: "min-available",
    kind: OptionKind::Bytes,
    default: "512 MiB",
    help: "Least memory that programs can still get.",
};

impl Check for HostMemory {
    fn id(&self) -> &'static str {
        "host-memory"
    }

    fn question(&self) -> &'static str {
        "Is there memory left on the host?"
    }

    fn runbook(&self) -> &'static str {
        "runner-degraded-resources"
    }

    fn scope(&self) -> Scope {
        Scope::Run
    }

    fn explain(&self) -> &'static str {
        "Reads MemAvailable of the kernel that runs this process; inside a container that is the host's (or the virtual machine's that runs the \
         engine). Pass: above min-available. Fail: below. Unknown: /proc/meminfo can not be read. A limit of this process's own control \
         group is shown beside it. It warns by default."
    }

    fn level(&self) -> Level {
        Level::Warn
    }

    fn options(&self) -> &'static [OptionSpec] {
        const { &[MIN_AVAILABLE] }
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            let host = ctx.sources.host.clone();
            let read = task::blocking(move || (host.memory(), host.vantage().place)).await;
            let (memory, place) = read.ok_or_else(|| {
                Error::new("read the memory", Cause::Other("the reader stopped".to_owned()))
            })?;
            Ok(judge(&memory?, place, ctx.config.check(self.id()).bytes(&MIN_AVAILABLE)))
        })
    }
}

fn judge(memory: &Memory, place: Place, limit: u64) -> Outcome {
    let whose = match place {
        Place::Host => "on this host",
        Place::Container => "on the host of this container",
    };
    let text = format!(
        "{} available of {} {whose}",
        bytes_text(memory.available),
        bytes_text(memory.total)
    );
    let outcome = if memory.available < limit {
        Outcome::fail(text).help("find what holds it: `ps aux --sort=-rss | head`; restart or move the largest, or choose another runner")
    } else {
        Outcome::pass(text)
    };
    let outcome = outcome
        .saw_limit("available", bytes_text(memory.available), bytes_text(limit))
        .saw("swap free", bytes_text(memory.swap_free));
    match memory.cgroup_limit {
        Some(limit) => outcome.saw("limit of this process's own group", bytes_text(limit)),
        None => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Status;

    fn memory(available: u64) -> Memory {
        Memory { total: 8 << 30, available, swap_free: 0, cgroup_limit: None }
    }

    #[test]
    fn too_little_memory_fails_and_says_whose_it_is() {
        let outcome = judge(&memory(100 << 20), Place::Container, 512 << 20);
        assert_eq!(outcome.status, Status::Fail);
        assert_eq!(outcome.summary, "100.0 MiB available of 8.0 GiB on the host of this container");
    }

    #[test]
    fn enough_memory_passes() {
        assert_eq!(judge(&memory(4 << 30), Place::Host, 512 << 20).status, Status::Pass);
    }
}
