//! The machine that this process runs on, from the files of the kernel and from `statvfs`.
//!
//! Whether a number is good is not decided here. In a container, memory, load and pressure are those of the host (the kernel does not
//! virtualise them), and a disk is the host's only where a mount brings it in: [`Disk::from_host`] says so. The name of the host and
//! its processes stay out of sight there.

mod disk;
mod kernel;
mod memory;
mod mounts;
mod places;
mod processes;
mod throttle;
mod usage;
mod vantage;

use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::error::{Cause, Error};
use super::files::{self, Keep};

pub use disk::Disk;
pub use kernel::{Kernel, Load, Pressure, Resource, Stall};
pub use memory::Memory;
pub use places::{Look, Seen, Wanted};
pub use processes::Process;
pub use throttle::Throttle;
pub use vantage::{Place, Vantage};

/// The most that is read of one file of the kernel, in bytes; `/proc/stat` of a large machine has some hundred thousand.
const CAP: usize = 4 * 1024 * 1024;

/// The readers of one machine.
#[derive(Debug, Clone)]
pub struct Host {
    root: PathBuf,
}

/// The clock of this machine in seconds since 1970: what is asked about when the question is whether it is right.
pub fn clock() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "the clock itself is what is looked at")]
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

impl Default for Host {
    fn default() -> Self {
        Self::at("/")
    }
}

impl Host {
    /// The machine whose root folder is here: `/`, or where a container has the host's root, or where a test has built one.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The place of an absolute path below the root folder.
    pub fn inside(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The name of the host; in a container that of the container.
    pub fn name(&self) -> Result<String, Error> {
        Ok(self.text("/proc/sys/kernel/hostname")?.trim().to_owned())
    }

    fn text(&self, path: &str) -> Result<String, Error> {
        let path = self.inside(Path::new(path));
        files::read_capped(&path, CAP).map(|read| read.text())
    }

    /// As [`Self::text`]; `None` when this kernel does not have the file or has the feature switched off.
    fn text_if_there(&self, path: &str) -> Result<Option<String>, Error> {
        let path = self.inside(Path::new(path));
        match files::attempt(&path, CAP, Keep::Head) {
            Ok(read) => Ok(Some(read.text())),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::OPNOTSUPP) => Ok(None),
            Err(errno) => Err(files::refused(format!("read {}", path.display()), errno)),
        }
    }

    fn malformed(&self, path: &str, what: &str) -> Error {
        let path = self.inside(Path::new(path));
        Error::new(format!("read {}", path.display()), Cause::Parse(what.to_owned()))
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests build the machine that they look at")]
mod fake {
    use super::*;

    /// A machine with these files.
    pub(super) fn host(files: &[(&str, &str)]) -> (tempfile::TempDir, Host) {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let host = Host::at(root.path());
        (root, host)
    }

    #[test]
    fn the_name_is_read_without_its_line_end() {
        let (_root, host) = host(&[("proc/sys/kernel/hostname", "deploy-1\n")]);
        assert_eq!(host.name().unwrap(), "deploy-1");
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

        #[test]
        fn no_text_in_the_files_of_the_kernel_makes_it_panic(
            text in "((some |full |cpu0|btime |oom_kill |MemTotal:|avg10=|total=|0::/|4:memory:| - |\\\\)|[0-9 /.:\n-]|(?s).){0,60}"
        ) {
            let files = ["stat", "loadavg", "meminfo", "vmstat", "self/cgroup", "self/mountinfo", "1/cgroup", "pressure/cpu"];
            let files = files.map(|name| format!("proc/{name}"));
            let (_root, host) = host(&files.each_ref().map(|path| (path.as_str(), text.as_str())));
            let _ = (host.memory(), host.kernel(), host.load(), host.pressure(Resource::Cpu), host.oom_kills());
            let _ = (host.vantage(), host.disk(Path::new("/proc")));
        }
    }

    #[test]
    fn this_machine_can_be_read() {
        let host = Host::default();
        assert!(host.memory().unwrap().total > 0);
        assert!(host.kernel().unwrap().cpus > 0);
        assert!(host.load().unwrap().one >= 0.0);
        assert!(host.disk(Path::new("/")).unwrap().total > 0);
        host.pressure(Resource::Memory).unwrap();
        host.oom_kills().unwrap();
        assert!(!host.vantage().told_by.is_empty());
    }
}
