//! Processors, start, load, pressure and kills of the machine.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::Host;
use crate::source::Error;

/// What `/proc/stat` tells about the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kernel {
    /// Processors that are online.
    pub cpus: usize,
    /// When the machine was started.
    pub boot: SystemTime,
}

/// Mean number of tasks that run or wait, over one, five and fifteen minutes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// Over one minute.
    pub one: f64,
    /// Over five minutes.
    pub five: f64,
    /// Over fifteen minutes.
    pub fifteen: f64,
}

/// What tasks can wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// A processor.
    Cpu,
    /// Memory.
    Memory,
    /// Disks.
    Io,
}

/// Time lost by waiting (the kernel's pressure stall information).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pressure {
    /// At least one task waited.
    pub some: Stall,
    /// Every task that could run waited; `None` for the processor on kernels before 5.13.
    pub full: Option<Stall>,
}

/// One line of pressure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stall {
    /// Share of the last ten seconds, from 0 to 1.
    pub last_10s: f64,
    /// Share of the last minute, from 0 to 1.
    pub last_60s: f64,
    /// Share of the last five minutes, from 0 to 1.
    pub last_300s: f64,
    /// Total time since the start of the machine.
    pub total: Duration,
}

impl Resource {
    /// Every resource.
    pub const ALL: [Self; 3] = [Self::Cpu, Self::Memory, Self::Io];

    /// The name of the kernel's file, and of the metric label.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Io => "io",
        }
    }
}

impl Host {
    /// Reads `/proc/stat`.
    pub fn kernel(&self) -> Result<Kernel, Error> {
        let text = self.text("/proc/stat")?;
        let cpus = text.lines().filter(|line| is_processor(line)).count();
        let boot = text.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok());
        let boot = boot.and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds)));
        match boot {
            Some(boot) if cpus > 0 => Ok(Kernel { cpus, boot }),
            Some(_) => Err(self.malformed("/proc/stat", "no line `cpu0 …`")),
            None => Err(self.malformed("/proc/stat", "no line `btime <seconds>`")),
        }
    }

    /// Reads `/proc/loadavg`.
    pub fn load(&self) -> Result<Load, Error> {
        let text = self.text("/proc/loadavg")?;
        let mut numbers = text.split_ascii_whitespace().map_while(|word| word.parse().ok());
        match (numbers.next(), numbers.next(), numbers.next()) {
            (Some(one), Some(five), Some(fifteen)) => Ok(Load { one, five, fifteen }),
            _ => Err(self.malformed("/proc/loadavg", "not three numbers at its start")),
        }
    }

    /// Reads `/proc/pressure/…`; `None` when the kernel keeps no such account.
    pub fn pressure(&self, resource: Resource) -> Result<Option<Pressure>, Error> {
        let path = format!("/proc/pressure/{}", resource.name());
        let Some(text) = self.text_if_there(&path)? else { return Ok(None) };
        let line =
            |kind: &str| text.lines().find_map(|line| line.strip_prefix(kind)).and_then(stall);
        let some =
            line("some ").ok_or_else(|| self.malformed(&path, "no line `some avg10=… total=…`"))?;
        Ok(Some(Pressure { some, full: line("full ") }))
    }

    /// Processes that the kernel killed for want of memory since the start of the machine (`/proc/vmstat`); `None` on kernels
    /// before 4.13.
    pub fn oom_kills(&self) -> Result<Option<u64>, Error> {
        let text = self.text("/proc/vmstat")?;
        Ok(text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok()))
    }
}

fn is_processor(line: &str) -> bool {
    line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

fn stall(line: &str) -> Option<Stall> {
    let field = |name: &str| line.split_ascii_whitespace().find_map(|word| word.strip_prefix(name));
    let share = |name: &str| field(name)?.parse::<f64>().ok().map(|percent| percent / 100.0);
    Some(Stall {
        last_10s: share("avg10=")?,
        last_60s: share("avg60=")?,
        last_300s: share("avg300=")?,
        total: Duration::from_micros(field("total=")?.parse().ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::super::fake::host;
    use super::*;

    #[test]
    fn processors_are_counted_and_the_start_is_read() {
        let stat = "cpu  1 2 3\ncpu0 1 2 3\ncpu1 1 2 3\nintr 9 9\nbtime 1700000000\n";
        let (_root, host) = host(&[("proc/stat", stat)]);
        let kernel = host.kernel().unwrap();
        assert_eq!(kernel.cpus, 2);
        assert_eq!(kernel.boot, UNIX_EPOCH + Duration::from_secs(1_700_000_000));
    }

    #[test]
    fn load_is_three_numbers() {
        let (_root, host) = host(&[("proc/loadavg", "0.50 1.25 2.00 1/200 4242\n")]);
        assert_eq!(host.load().unwrap(), Load { one: 0.5, five: 1.25, fifteen: 2.0 });
    }

    #[test]
    fn pressure_is_a_share_and_a_total() {
        let text = "some avg10=25.00 avg60=50.00 avg300=75.00 total=1500000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=2\n";
        let (_root, host) = host(&[("proc/pressure/io", text), ("proc/pressure/cpu", "")]);
        let pressure = host.pressure(Resource::Io).unwrap().unwrap();
        let some = Stall {
            last_10s: 0.25,
            last_60s: 0.5,
            last_300s: 0.75,
            total: Duration::from_millis(1500),
        };
        assert_eq!(pressure.some, some);
        assert_eq!(pressure.full.unwrap().total, Duration::from_micros(2));
        assert_eq!(host.pressure(Resource::Memory).unwrap(), None);
        assert!(host.pressure(Resource::Cpu).is_err());
    }

    #[test]
    fn kills_are_counted_where_the_kernel_counts_them() {
        let (_root, host) = host(&[("proc/vmstat", "oom_kill_x 9\noom_kill 3\n")]);
        assert_eq!(host.oom_kills().unwrap(), Some(3));
    }

    #[test]
    fn what_is_not_in_the_form_is_an_error_and_not_a_zero() {
        let (_root, host) =
            host(&[("proc/stat", "cpu 1\n"), ("proc/loadavg", "a b c"), ("proc/vmstat", "\0")]);
        assert!(host.kernel().unwrap_err().chain().contains("no line `btime <seconds>`"));
        assert!(host.load().unwrap_err().chain().contains("not three numbers"));
        assert_eq!(host.oom_kills().unwrap(), None);
    }
}
