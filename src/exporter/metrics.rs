//! The one table of all metrics. What is served, its documentation and its tests are made from it.
//!
//! Names, types and labels never change their meaning.

use crate::source::exposition::Kind;

/// One metric family.
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// The unit of its value.
    pub unit: Unit,
    /// What one of its series is about.
    pub about: About,
    /// The labels that it has besides those of [`About`].
    pub labels: &'static [&'static str],
    /// Its help text.
    pub help: &'static str,
}

/// The unit of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// 1 for yes, 0 for no.
    YesNo,
    /// Always 1; the labels are what counts.
    Info,
    /// Bytes.
    Bytes,
    /// Seconds, or seconds since the epoch.
    Seconds,
    /// A number of things.
    Count,
}

/// What a series is about, which says its common labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// A runner.
    Runner,
    /// The host.
    Host,
    /// The exporter itself.
    Exporter,
}

impl Unit {
    /// The word for it in the documentation.
    pub fn word(self) -> &'static str {
        match self {
            Self::YesNo => "1 or 0",
            Self::Info => "always 1",
            Self::Bytes => "bytes",
            Self::Seconds => "seconds",
            Self::Count => "number",
        }
    }
}

impl About {
    /// The labels that every series about it has.
    pub fn labels(self) -> &'static [&'static str] {
        match self {
            Self::Runner => &["hostname", "environment", "authorized_for_prod", "runner"],
            Self::Host => &["hostname", "environment", "authorized_for_prod"],
            Self::Exporter => &[],
        }
    }
}

macro_rules! metrics {
    ($($id:ident: $name:literal, $kind:ident, $unit:ident, $about:ident [$($label:literal),*], $help:literal;)*) => {
        $(
            #[doc = $help]
            pub static $id: Metric = Metric {
                name: $name,
                kind: Kind::$kind,
                unit: Unit::$unit,
                about: About::$about,
                labels: &[$($label),*],
                help: $help,
            };
        )*

        /// Every metric, in the order in which they are served.
        pub static ALL: &[&Metric] = &[$(&$id),*];
    };
}

metrics! {
    RUNNER_STATUS: "runner_status", Gauge, YesNo, Runner [],
        "Whether the runner can take jobs: 1 when it is registered and its listener runs, 0 otherwise.";
    RUNNER_LISTENER_UP: "runner_listener_up", Gauge, YesNo, Runner [],
        "Whether a Runner.Listener process of this runner exists.";
    RUNNER_LISTENER_LAST_LOG: "runner_listener_last_log_timestamp_seconds", Gauge, Seconds, Runner [],
        "When the listener last wrote to its log; an idle one may be quiet for half an hour.";
    RUNNER_INFO: "runner_info", Gauge, Info, Runner ["version", "os", "arch", "ephemeral", "github_host"],
        "Static facts about a registered runner; the version is empty before its first self-update.";
    MEMORY_TOTAL: "runner_host_memory_total_bytes", Gauge, Bytes, Host [],
        "Memory of the host.";
    MEMORY_AVAILABLE: "runner_host_memory_available_bytes", Gauge, Bytes, Host [],
        "Memory that new programs can have without swapping.";
    SWAP_FREE: "runner_host_swap_free_bytes", Gauge, Bytes, Host [],
        "Free swap; 0 when there is no swap.";
    OOM_KILLS: "runner_host_oom_kills_total", Counter, Count, Host [],
        "Processes that the kernel killed for want of memory since the start of the host.";
    LOAD_1: "runner_host_load1", Gauge, Count, Host [],
        "Mean number of tasks that run or wait, over one minute.";
    LOAD_5: "runner_host_load5", Gauge, Count, Host [],
        "Mean number of tasks that run or wait, over five minutes.";
    LOAD_15: "runner_host_load15", Gauge, Count, Host [],
        "Mean number of tasks that run or wait, over fifteen minutes.";
    CPUS: "runner_host_cpus", Gauge, Count, Host [],
        "Processors that are online.";
    BOOT: "runner_host_boot_timestamp_seconds", Gauge, Seconds, Host [],
        "When the host was started.";
    PRESSURE_WAITING: "runner_host_pressure_waiting_seconds_total", Counter, Seconds, Host ["resource"],
        "Time in which at least one task waited for the resource (kernel PSI some).";
    PRESSURE_STALLED: "runner_host_pressure_stalled_seconds_total", Counter, Seconds, Host ["resource"],
        "Time in which all tasks waited for the resource (kernel PSI full).";
    FILESYSTEM_SIZE: "runner_host_filesystem_size_bytes", Gauge, Bytes, Host ["purpose", "mountpoint"],
        "Size of the file system that serves the purpose: root, tmp, work (of a runner) or diag (its logs).";
    FILESYSTEM_AVAIL: "runner_host_filesystem_avail_bytes", Gauge, Bytes, Host ["purpose", "mountpoint"],
        "Bytes that a user other than root can still write there.";
    FILESYSTEM_FILES: "runner_host_filesystem_files", Gauge, Count, Host ["purpose", "mountpoint"],
        "Inodes of the file system; 0 when it has no such limit.";
    FILESYSTEM_FILES_FREE: "runner_host_filesystem_files_free", Gauge, Count, Host ["purpose", "mountpoint"],
        "Inodes that a user other than root can still use there.";
    FILESYSTEM_READONLY: "runner_host_filesystem_readonly", Gauge, YesNo, Host ["purpose", "mountpoint"],
        "Whether the file system is mounted read-only.";
    BUILD_INFO: "runner_exporter_build_info", Gauge, Info, Exporter ["version"],
        "The version of the exporter.";
    COLLECTOR_SUCCESS: "runner_exporter_collector_success", Gauge, YesNo, Exporter ["collector"],
        "Whether the collector read everything in this scrape.";
    COLLECTOR_DURATION: "runner_exporter_collector_duration_seconds", Gauge, Seconds, Exporter ["collector"],
        "How long the collector took in this scrape.";
    SCRAPE_TIMESTAMP: "runner_exporter_scrape_timestamp_seconds", Gauge, Seconds, Exporter [],
        "The time of the host's clock at this scrape.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_say_type_and_unit() {
        let mut names: Vec<_> = ALL.iter().map(|metric| metric.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
        for metric in ALL {
            assert!(metric.name.starts_with("runner_"), "{metric:?}");
            assert_eq!(metric.kind == Kind::Counter, metric.name.ends_with("_total"), "{metric:?}");
            assert_eq!(metric.unit == Unit::Bytes, metric.name.ends_with("_bytes"), "{metric:?}");
            assert_eq!(
                metric.unit == Unit::Seconds,
                metric.name.contains("_seconds"),
                "{metric:?}"
            );
            assert_eq!(metric.unit == Unit::Info, metric.name.ends_with("_info"), "{metric:?}");
            assert!(metric.help.ends_with('.') && !metric.help.contains('|'), "{metric:?}");
        }
    }
}
