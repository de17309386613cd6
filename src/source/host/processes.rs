//! The processes of a machine: name, memory and time on a processor. Never their arguments or environments, which may hold secrets.

use std::path::Path;
use std::time::Duration;

use super::Host;
use crate::source::Error;
use crate::source::files;

/// The most processes that are looked at.
const LIMIT: usize = 20_000;
/// Ticks of a second in the files of the kernel: 100 on every architecture that Linux runs on today.
const TICKS: u32 = 100;

/// One process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its name, cut at 15 bytes by the kernel.
    pub name: String,
    /// Memory that it occupies, in bytes.
    pub resident: u64,
    /// Time that it was on a processor since its start.
    pub ran: Duration,
}

impl Host {
    /// Every process that can be seen. Those that end meanwhile are passed over.
    ///
    /// # Errors
    /// There is no list of processes.
    pub fn processes(&self) -> Result<Vec<Process>, Error> {
        let proc = self.inside(Path::new("/proc"));
        #[expect(
            clippy::disallowed_methods,
            reason = "source::files does not enter the folders of the kernel"
        )]
        let entries = std::fs::read_dir(&proc).map_err(|error| {
            let errno = rustix::io::Errno::from_io_error(&error).unwrap_or(rustix::io::Errno::IO);
            files::refused(format!("list the processes in {}", proc.display()), errno)
        })?;
        Ok(entries
            .take(LIMIT)
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter_map(|pid: u32| process(pid, &proc.join(pid.to_string())))
            .collect())
    }
}

fn process(pid: u32, place: &Path) -> Option<Process> {
    let text = |name: &str| Some(files::read_capped(&place.join(name), 8 * 1024).ok()?.text());
    let stat = text("stat")?;
    let (name, ran) = name_and_time(&stat)?;
    // A thread of the kernel has no memory of its own.
    let status = text("status").unwrap_or_default();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let resident = resident.and_then(|kib| kib.trim().trim_end_matches("kB").trim().parse().ok());
    let resident = resident.and_then(|kib: u64| kib.checked_mul(1024)).unwrap_or(0);
    Some(Process { pid, name, resident, ran })
}

/// `42 (name that may hold ) and blanks) S …`: the name ends at the last bracket; the times are the 14th and 15th field.
fn name_and_time(stat: &str) -> Option<(String, Duration)> {
    let (before, after) = stat.rsplit_once(')')?;
    let (_, name) = before.split_once('(')?;
    let mut ticks = after.split_ascii_whitespace().skip(11).map_while(|field| field.parse().ok());
    let ticks: u64 = ticks.next().and_then(|user: u64| user.checked_add(ticks.next()?))?;
    Some((name.to_owned(), Duration::from_millis(ticks.saturating_mul(1000 / u64::from(TICKS)))))
}

#[cfg(test)]
mod tests {
    use super::super::fake::host;
    use super::*;

    #[test]
    fn a_process_is_read_whatever_its_name_is() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 100 0 0 0 150 50 0 0 20 0 1 0 9 0 0\n";
        let (_root, host) = host(&[
            ("proc/42/stat", stat),
            ("proc/42/status", "Name:\ta) b (c\nVmRSS:\t    2048 kB\n"),
            ("proc/7/stat", "7 (kthreadd) S 0 0 0 0 -1 0 0 0 0 0 0 3 0 0\n"),
            ("proc/8/stat", "nonsense"),
            ("proc/stat", "cpu 1"),
        ]);
        let mut found = host.processes().unwrap();
        found.sort_by_key(|p| p.pid);
        let process = |pid, name: &str, resident, ms| Process {
            pid,
            name: name.to_owned(),
            resident,
            ran: Duration::from_millis(ms),
        };
        assert_eq!(found, [process(7, "kthreadd", 0, 30), process(42, "a) b (c", 2 << 20, 2000)]);
    }

    #[test]
    fn this_process_is_among_those_of_this_machine() {
        let own = std::process::id();
        assert!(
            Host::default().processes().unwrap().iter().any(|p| p.pid == own && p.resident > 0)
        );
    }
}
