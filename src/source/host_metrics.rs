//! What the exporter of a host tells about it: memory, load, file systems and pressure. Which numbers are bad is not decided here.

use std::collections::{BTreeMap, BTreeSet};

use super::Sources;
use super::error::Error;
use super::exposition::Sample;
use super::http::shown;
use super::prometheus::{Prometheus, Series, quote};
use crate::task::Deadline;

/// A host as its exporter shows it; what it does not show is `None` or missing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HostMetrics {
    /// Bytes of memory.
    pub memory_total: Option<f64>,
    /// Bytes that new programs can have.
    pub memory_available: Option<f64>,
    /// Mean number of tasks that run or wait, over one minute.
    pub load: Option<f64>,
    /// Processors that are online.
    pub cpus: Option<f64>,
    /// The file systems.
    pub disks: Vec<DiskMetrics>,
    /// Share of the time, 0 to 1, in which something waited (`some`) or everything stood still (`full`) for a resource.
    pub pressure: Vec<PressureMetrics>,
    /// Which source was read.
    pub via: String,
}

/// One file system.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DiskMetrics {
    /// What it serves: `work`, `root`, `tmp`, `diag`.
    pub purposes: BTreeSet<String>,
    /// Where it is mounted.
    pub mount: String,
    /// Bytes in all.
    pub size: f64,
    /// Bytes that can still be written.
    pub available: f64,
    /// Inodes; 0 when there is no such limit.
    pub files: f64,
    /// Inodes that can still be used.
    pub files_free: f64,
    /// Whether it is mounted read-only.
    pub read_only: bool,
}

/// How much of the last minutes a resource was short.
#[derive(Debug, Clone, PartialEq)]
pub struct PressureMetrics {
    /// `cpu`, `memory` or `io`.
    pub resource: String,
    /// Whether everything stood still, or only something waited.
    pub stalled: bool,
    /// Share of the time, 0 to 1.
    pub share: f64,
}

/// The host on the page of its exporter; `None` when the page shows no host.
///
/// # Errors
/// The exporter could not be read.
pub async fn from_exporter(
    sources: &Sources,
    url: &str,
    deadline: Deadline,
) -> Result<Option<HostMetrics>, Error> {
    let page = sources.pages.get(&sources.http, url, deadline).await?;
    Ok(collect(&page.samples)
        .map(|host| HostMetrics { via: format!("exporter {}", shown(url)), ..host }))
}

/// The host of this label as Prometheus has it now; `None` when it has no such series.
///
/// # Errors
/// Prometheus could not be read.
pub async fn from_prometheus(
    prometheus: &Prometheus,
    hostname: &str,
    deadline: Deadline,
) -> Result<Option<HostMetrics>, Error> {
    let query = format!("{{__name__=~\"runner_host_.+\",hostname=\"{}\"}}", quote(hostname));
    let found = prometheus.query(&query, deadline).await?;
    let samples: Vec<Sample> = found.iter().filter_map(sample).collect();
    let via = format!("prometheus {}", prometheus.url());
    Ok(collect(&samples).map(|host| HostMetrics { via, ..host }))
}

/// How much of the last five minutes the resources of the host were short; empty when Prometheus has too few samples.
///
/// # Errors
/// Prometheus could not be read.
pub async fn pressure(
    prometheus: &Prometheus,
    hostname: &str,
    deadline: Deadline,
) -> Result<Vec<PressureMetrics>, Error> {
    let rate = |what: &str| {
        let metric = format!("runner_host_pressure_{what}_seconds_total");
        format!("rate({metric}{{hostname=\"{}\"}}[5m])", quote(hostname))
    };
    let (waiting, stalled) = (rate("waiting"), rate("stalled"));
    let (waiting, stalled) = futures_util::join!(
        prometheus.query(&waiting, deadline),
        prometheus.query(&stalled, deadline)
    );
    let mut all = Vec::new();
    for (series, stalled) in [(waiting?, false), (stalled?, true)] {
        all.extend(series.iter().filter_map(|s| {
            let resource = s.label("resource")?.to_owned();
            let (_, share) = s.last().filter(|(_, share)| share.is_finite())?;
            Some(PressureMetrics { resource, stalled, share })
        }));
    }
    Ok(all)
}

fn sample(series: &Series) -> Option<Sample> {
    let (_, value) = series.last()?;
    let name = series.label("__name__")?.to_owned();
    Some(Sample { name, labels: series.labels.clone(), value, timestamp_ms: None })
}

fn collect(samples: &[Sample]) -> Option<HostMetrics> {
    let mut host = HostMetrics::default();
    let mut disks: BTreeMap<String, DiskMetrics> = BTreeMap::new();
    for sample in samples {
        let Some(what) = sample.name.strip_prefix("runner_host_") else { continue };
        let value = sample.value;
        match what {
            "memory_total_bytes" => host.memory_total = Some(value),
            "memory_available_bytes" => host.memory_available = Some(value),
            "load1" => host.load = Some(value),
            "cpus" => host.cpus = Some(value),
            other => {
                if let Some(what) = other.strip_prefix("filesystem_") {
                    fill(&mut disks, sample, what);
                }
            }
        }
    }
    host.disks = disks.into_values().filter(|disk| disk.size > 0.0).collect();
    let shown = host.memory_available.is_some() || host.load.is_some() || !host.disks.is_empty();
    shown.then_some(host)
}

fn fill(disks: &mut BTreeMap<String, DiskMetrics>, sample: &Sample, what: &str) {
    let label = |name| sample.label(name).unwrap_or_default().to_owned();
    let disk = disks.entry(label("mountpoint")).or_default();
    disk.mount = label("mountpoint");
    disk.purposes.insert(label("purpose"));
    match what {
        "size_bytes" => disk.size = sample.value,
        "avail_bytes" => disk.available = sample.value,
        "files" => disk.files = sample.value,
        "files_free" => disk.files_free = sample.value,
        "readonly" => disk.read_only = sample.value > 0.0,
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::exposition;

    #[test]
    fn a_page_becomes_a_host_and_what_is_not_shown_stays_open() {
        let page = exposition::parse(
            "runner_host_load1 3\nrunner_host_cpus 2\nrunner_host_filesystem_size_bytes{purpose=\"work\",mountpoint=\"/w\"} 10\n\
             runner_host_filesystem_avail_bytes{purpose=\"work\",mountpoint=\"/w\"} 4\nrunner_host_filesystem_readonly{purpose=\"work\",mountpoint=\"/w\"} 1\n",
        )
        .unwrap();
        let host = collect(&page.samples).unwrap();
        assert_eq!((host.load, host.cpus, host.memory_total), (Some(3.0), Some(2.0), None));
        let disk = &host.disks[0];
        assert!(disk.purposes.contains("work") && disk.mount == "/w");
        assert!(disk.read_only && disk.available < disk.size);
    }

    #[test]
    fn a_page_without_a_host_is_no_host() {
        let page = exposition::parse("runner_status{runner=\"a\"} 1\n").unwrap();
        assert_eq!(collect(&page.samples), None);
    }
}
