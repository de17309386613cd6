//! A real Prometheus that scrapes the real exporter of a runner whose listener really lives, and then really dies.

use tempfile::TempDir;

use crate::support::command::Guard;
use crate::support::fleet::{exporter, free, listener, prometheus, until};

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
