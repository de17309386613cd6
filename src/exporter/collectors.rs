//! What is read in a scrape, in parts that fail by themselves.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::metrics::{self, Metric};
use crate::source::Error;
use crate::source::host::{Host, Resource};
use crate::source::runner_files::{self, Registration};

/// One part of a scrape. It may block, but only briefly.
pub(super) struct Collector {
    /// Value of the label `collector`.
    pub(super) name: &'static str,
    /// Reads its part.
    pub(super) run: fn(&Sources) -> Collected,
}

/// Every part.
pub(super) static ALL: &[Collector] = &[
    Collector { name: "runner", run: runner },
    Collector { name: "memory", run: memory },
    Collector { name: "load", run: load },
    Collector { name: "kernel", run: kernel },
    Collector { name: "pressure", run: pressure },
    Collector { name: "filesystem", run: filesystem },
];

/// What one part read; what could not be read is among the errors and does not hide the rest.
#[derive(Default)]
pub(super) struct Collected {
    pub(super) rows: Vec<Row>,
    pub(super) errors: Vec<Error>,
}

/// One series, without the labels that come from the settings.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) metric: &'static Metric,
    /// The runner, for metrics about one; empty for the others.
    pub(super) runner: String,
    /// The values of [`Metric::labels`].
    pub(super) labels: Vec<String>,
    pub(super) value: f64,
}

/// Where the parts read from.
pub(super) struct Sources {
    host: Host,
    roots: Vec<PathBuf>,
    /// The last name of the runner of each root: a runner that loses its registration must not become another series.
    names: Mutex<Vec<Option<String>>>,
}

impl Sources {
    pub(super) fn new(host: Host, roots: Vec<PathBuf>) -> Self {
        let names = Mutex::new(vec![None; roots.len()]);
        Self { host, roots, names }
    }

    /// The name of a runner, from its registration, or as it was before, or that of its folder.
    fn name(&self, place: usize, root: &Path, registration: Option<&Registration>) -> String {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(last) = names.get_mut(place) else { return String::new() };
        if let Some(registration) = registration {
            *last = Some(registration.name.clone());
        }
        let folder = || root.file_name().unwrap_or(root.as_os_str()).to_string_lossy().into_owned();
        last.clone().unwrap_or_else(folder)
    }
}

impl Collected {
    fn push(&mut self, metric: &'static Metric, labels: &[&str], value: f64) {
        self.push_of("", metric, labels, value);
    }

    fn push_of(&mut self, runner: &str, metric: &'static Metric, labels: &[&str], value: f64) {
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        self.rows.push(Row { metric, runner: runner.to_owned(), labels, value });
    }

    /// The value, or `None` and the error noted.
    fn take<T>(&mut self, read: Result<T, Error>) -> Option<T> {
        read.map_err(|error| self.errors.push(error)).ok()
    }
}

fn runner(sources: &Sources) -> Collected {
    let mut collected = Collected::default();
    let proc = sources.host.inside(Path::new("/proc"));
    let listeners = collected.take(runner_files::listeners(&proc));
    let mut used = HashSet::new();
    for (place, root) in sources.roots.iter().enumerate() {
        let read = collected.take(runner_files::registration(root));
        let registration = read.as_ref().and_then(Option::as_ref);
        let mut name = sources.name(place, root, registration);
        if !used.insert(name.clone()) {
            name = format!("{name} ({})", root.display());
        }
        let up = listeners.as_ref().map(|all| all.iter().any(|listener| listener.belongs_to(root)));
        if let Some(up) = up {
            collected.push_of(&name, &metrics::RUNNER_LISTENER_UP, &[], yes(up));
        }
        if let Some(Some(at)) = collected.take(runner_files::listener_wrote(&root.join("_diag"))) {
            let at = since_epoch(at);
            collected.push_of(&name, &metrics::RUNNER_LISTENER_LAST_LOG, &[], at);
        }
        // A registration that cannot be read is no answer, and no answer is not "offline".
        if let (Some(up), Some(read)) = (up, &read) {
            collected.push_of(&name, &metrics::RUNNER_STATUS, &[], yes(up && read.is_some()));
        }
        if let Some(registration) = registration {
            push_info(&mut collected, &name, registration);
        }
    }
    collected
}

fn push_info(collected: &mut Collected, name: &str, registration: &Registration) {
    let labels = [
        registration.version.as_deref().unwrap_or_default(),
        std::env::consts::OS,
        std::env::consts::ARCH,
        if registration.ephemeral { "true" } else { "false" },
        &registration.github_host,
    ];
    collected.push_of(name, &metrics::RUNNER_INFO, &labels, 1.0);
}

fn memory(sources: &Sources) -> Collected {
    let mut collected = Collected::default();
    if let Some(memory) = collected.take(sources.host.memory()) {
        collected.push(&metrics::MEMORY_TOTAL, &[], number(memory.total));
        collected.push(&metrics::MEMORY_AVAILABLE, &[], number(memory.available));
        collected.push(&metrics::SWAP_FREE, &[], number(memory.swap_free));
    }
    if let Some(Some(kills)) = collected.take(sources.host.oom_kills()) {
        collected.push(&metrics::OOM_KILLS, &[], number(kills));
    }
    collected
}

fn load(sources: &Sources) -> Collected {
    let mut collected = Collected::default();
    if let Some(load) = collected.take(sources.host.load()) {
        collected.push(&metrics::LOAD_1, &[], load.one);
        collected.push(&metrics::LOAD_5, &[], load.five);
        collected.push(&metrics::LOAD_15, &[], load.fifteen);
    }
    collected
}

fn kernel(sources: &Sources) -> Collected {
    let mut collected = Collected::default();
    if let Some(kernel) = collected.take(sources.host.kernel()) {
        collected.push(&metrics::CPUS, &[], number(kernel.cpus as u64));
        collected.push(&metrics::BOOT, &[], since_epoch(kernel.boot));
    }
    collected
}

fn pressure(sources: &Sources) -> Collected {
    let mut collected = Collected::default();
    for resource in Resource::ALL {
        let Some(Some(pressure)) = collected.take(sources.host.pressure(resource)) else {
            continue;
        };
        let label = [resource.name()];
        collected.push(&metrics::PRESSURE_WAITING, &label, pressure.some.total.as_secs_f64());
        if let Some(full) = pressure.full {
            collected.push(&metrics::PRESSURE_STALLED, &label, full.total.as_secs_f64());
        }
    }
    collected
}

fn filesystem(sources: &Sources) -> Collected {
    let mut collected = Collected::default();
    let mut places = vec![("root", PathBuf::from("/")), ("tmp", PathBuf::from("/tmp"))];
    for root in &sources.roots {
        places.push(("diag", root.join("_diag")));
        // That it cannot be read is told by the collector of the runners.
        if let Ok(Some(registration)) = runner_files::registration(root) {
            places.push(("work", registration.work_folder));
        }
    }
    let mut seen = HashSet::new();
    for (purpose, path) in places {
        let Some(disk) = collected.take(sources.host.disk(existing(&sources.host, &path))) else {
            continue;
        };
        let mount = disk.mount.to_string_lossy().into_owned();
        if seen.insert((purpose, mount.clone())) {
            let labels = [purpose, &mount];
            collected.push(&metrics::FILESYSTEM_SIZE, &labels, number(disk.total));
            collected.push(&metrics::FILESYSTEM_AVAIL, &labels, number(disk.available));
            collected.push(&metrics::FILESYSTEM_FILES, &labels, number(disk.inodes_total));
            collected.push(&metrics::FILESYSTEM_FILES_FREE, &labels, number(disk.inodes_free));
            collected.push(&metrics::FILESYSTEM_READONLY, &labels, yes(disk.read_only));
        }
    }
    collected
}

/// The folder itself, or the nearest one above it: a runner makes its folders with its first job.
fn existing<'a>(host: &Host, path: &'a Path) -> &'a Path {
    path.ancestors().find(|path| host.inside(path).exists()).unwrap_or(path)
}

fn yes(is: bool) -> f64 {
    f64::from(u8::from(is))
}

/// Seconds since the epoch; 0 before it.
pub(super) fn since_epoch(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "the format knows only this type; exact up to 2^53")]
fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
