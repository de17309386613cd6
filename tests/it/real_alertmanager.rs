//! The gate asks a real Alertmanager, which knows what is silenced.
#![expect(clippy::disallowed_methods, reason = "the test writes a configuration")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::client;
use crate::support::command::Guard;
use crate::support::fleet::{Running, free, needed, start};

fn alertmanager(folder: &TempDir, at: SocketAddr) -> Running {
    let config = folder.path().join("alertmanager.yml");
    std::fs::write(&config, "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
        .expect("configuration");
    let mut command = needed("RUNNER_GUARD_ALERTMANAGER");
    command.arg(format!("--config.file={}", config.display()));
    command.arg(format!("--storage.path={}", folder.path().join("data").display()));
    command.arg(format!("--web.listen-address={at}")).arg("--cluster.listen-address=");
    start(command)
}

/// Sends it until it is taken, at most 20 s: the server may just have begun.
async fn post(at: SocketAddr, path: &str, body: &Value) {
    let limit = Instant::now() + Duration::from_secs(20);
    loop {
        let request = client().post(format!("http://{at}/api/v2/{path}"));
        let sent = request.header("content-type", "application/json").body(body.to_string()).send();
        match sent.await {
            Ok(answer) if answer.status().is_success() => return,
            other => assert!(Instant::now() < limit, "{path}: {other:?}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The row of the check, with this among its options.
fn asked(at: SocketAddr, options: &str) -> Value {
    let config = format!(
        "alertmanager: {{url: 'http://{at}'}}\nchecks: {{firing-alerts: {{level: deny{options}}}}}\n"
    );
    Guard::preflight(&config).run().finding("firing-alerts")
}

#[tokio::test]
async fn an_alert_of_a_real_alertmanager_blocks_until_it_is_silenced() {
    let (folder, at) = (TempDir::new().expect("folder"), free());
    let _server = alertmanager(&folder, at);
    let alert = json!([{
        "labels": { "alertname": "DiskFull", "severity": "critical", "instance": "prod-a:9101", "environment": "production" },
        "annotations": { "summary": "no | space\n## left", "runbook_url": "https://runbooks.example/disk" },
    }, { "labels": { "alertname": "Watchdog", "severity": "critical" } }]);
    post(at, "alerts", &alert).await;
    let firing = asked(at, "");
    assert_eq!(firing["status"], "fail", "{firing:#}");
    let summary = firing["summary"].as_str().unwrap_or_default();
    assert!(summary.starts_with("firing: DiskFull on prod-a:9101 for "), "{summary}");
    let help = firing["help"].as_str().unwrap_or_default();
    assert!(help.starts_with("follow https://runbooks.example/disk; "), "{help}");
    assert_eq!(asked(at, ", match: environment=production")["status"], "fail");
    assert_eq!(asked(at, ", match: environment=staging")["status"], "pass");

    let matcher =
        json!({ "name": "alertname", "value": "DiskFull", "isRegex": false, "isEqual": true });
    let silence = json!({
        "matchers": [matcher], "startsAt": "2020-01-01T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z",
        "createdBy": "on-call", "comment": "this deploy is the repair",
    });
    post(at, "silences", &silence).await;
    let limit = Instant::now() + Duration::from_secs(10);
    while asked(at, "")["status"] != "pass" {
        assert!(Instant::now() < limit, "the silence is not seen: {:#}", asked(at, ""));
    }
}
