//! A real Prometheus that scrapes the real exporter of a runner whose listener really lives, and then really dies.
#![expect(clippy::disallowed_methods, reason = "the test writes the rules of Prometheus")]

use tempfile::TempDir;

use crate::support::command::Guard;
use crate::support::fleet::{exporter, free, listener, prometheus, until};
use crate::support::http::{Behaviour, serve};

#[test]
fn a_listener_that_dies_is_noticed_and_the_secondary_takes_over() {
    let folder = TempDir::new().expect("folder");
    let (root_a, root_b) = (folder.path().join("a"), folder.path().join("b"));
    let (at_a, at_b, at) = (free(), free(), free());
    let dies = listener(&root_a, "prod-a");
    let _lives = listener(&root_b, "prod-b");
    let _exporters = [exporter(&root_a, "host-a", at_a), exporter(&root_b, "host-b", at_b)];
    let _prometheus = prometheus(folder.path(), at, &[at_a, at_b]);
    let config = format!(
        "environment: production\ntimeout: 10s\nprometheus: {{url: 'http://{at}'}}\nchecks: {{docker-daemon: allow, disk-space: allow}}\n\
         runners:\n  - {{name: prod-a, labels: [self-hosted, a]}}\n  - {{name: prod-b, labels: [self-hosted, b]}}\n"
    );
    let gate = || Guard::preflight(&config).run();

    let healthy = until("the primary is chosen", gate, |e| {
        e.code == 0 && e.report()["selection"]["chosen"] == "prod-a"
    });
    assert_eq!(healthy.finding("exporter-fresh")["status"], "pass", "{}", healthy.stdout);

    drop(dies);
    let over = until("the secondary is chosen", gate, |e| {
        e.code == 0 && e.report()["selection"]["chosen"] == "prod-b"
    });
    assert!(over.stdout.contains("prod-a is offline"), "{}", over.stdout);

    let only = config.replace("  - {name: prod-b, labels: [self-hosted, b]}\n", "");
    let blocked = Guard::preflight(&only).run();
    assert_eq!(blocked.code, 12, "{}", blocked.stdout);

    let snapshot = Guard::plain(&["diagnose", "--config", "c.yml", "--format", "json"])
        .file("c.yml", &config)
        .run();
    let rows = snapshot.report()["collected"].clone();
    let row =
        rows.as_array().and_then(|all| all.iter().find(|r| r["collector"] == "metrics").cloned());
    assert_eq!(row.map(|r| r["status"].clone()), Some("ok".into()), "{rows:#}");
}

/// A host with a runner, and the listener of a scale set.
const PAGE: &str = "# TYPE runner_status gauge
runner_status{runner=\"a\",hostname=\"h\",authorized_for_prod=\"true\"} 1
runner_host_memory_total_bytes{hostname=\"h\"} 8589934592
runner_host_memory_available_bytes{hostname=\"h\"} 4294967296
# TYPE runner_host_pressure_waiting_seconds_total counter
runner_host_pressure_waiting_seconds_total{hostname=\"h\",resource=\"cpu\"} 7
# TYPE runner_host_pressure_stalled_seconds_total counter
runner_host_pressure_stalled_seconds_total{hostname=\"h\",resource=\"memory\"} 7
gha_registered_runners{name=\"set\"} 2
gha_busy_runners{name=\"set\"} 2
gha_max_runners{name=\"set\"} 5
";

const RULES: &str = "groups:
  - name: all
    rules:
      - alert: DiskFull
        expr: runner_host_memory_available_bytes > 1
        labels: {severity: critical}
        annotations: {runbook_url: 'https://r.example/disk'}
";

#[test]
fn a_real_prometheus_understands_what_is_asked_about_hosts_scale_sets_and_alerts() {
    let folder = TempDir::new().expect("folder");
    std::fs::write(folder.path().join("rules.yml"), RULES).expect("rules");
    let page = serve(Behaviour::Answer(200, "text/plain; version=0.0.4", PAGE.to_owned()));
    let at = free();
    let running = prometheus(folder.path(), at, &[page]);
    let gate = |runner: &str| {
        Guard::preflight(&format!(
            "timeout: 10s\nprometheus: {{url: 'http://{at}'}}\nrunners: [{runner}]\n"
        ))
        .run()
    };

    let host = until(
        "the host and its pressure are known",
        || gate("{name: a}"),
        |e| e.finding("runner-resources").to_string().contains("memory pressure"),
    );
    let resources = host.finding("runner-resources");
    assert_eq!(resources["status"], "pass", "{resources:#}");
    assert!(resources.to_string().contains("0 % of the last 5 min"), "{resources:#}");

    let set = gate("{name: arc, scale-set: set}").finding("runner-online");
    assert_eq!(set["summary"], "the scale set set has room: 2 of 5 runners are busy", "{set:#}");

    let alerts = until(
        "the alert fires",
        || gate("{name: a}"),
        |e| e.finding("firing-alerts")["status"] == "fail",
    );
    let alerts = alerts.finding("firing-alerts");
    let summary = alerts["summary"].to_string();
    assert!(summary.contains(&format!("firing: DiskFull on {page} for ")), "{alerts:#}");
    assert!(alerts["help"].to_string().contains("https://r.example/disk"), "{alerts:#}");

    drop(running);
    let gone = gate("{name: arc, scale-set: set}").finding("runner-online");
    assert_eq!(gone["status"], "unknown", "{gone:#}");
}
