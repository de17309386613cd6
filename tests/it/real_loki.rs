//! The black box asks a real Loki, with its own parser of queries and its own form of answers.
#![expect(clippy::disallowed_methods, reason = "the test writes a configuration")]

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::bundle::unpacked;
use crate::support::client;
use crate::support::command::Guard;
use crate::support::fleet::{Running, free, needed, start};

/// Everything in one process, on the disk, in a ring of one.
fn loki(folder: &Path, at: SocketAddr) -> Running {
    let (data, port, grpc) = (folder.join("data"), at.port(), free().port());
    let data = data.display();
    let config = format!(
        "auth_enabled: false\nanalytics: {{reporting_enabled: false}}\n\
         server: {{http_listen_address: 127.0.0.1, http_listen_port: {port}, grpc_listen_address: 127.0.0.1, grpc_listen_port: {grpc}, log_level: error}}\n\
         common: {{instance_addr: 127.0.0.1, path_prefix: '{data}', replication_factor: 1, ring: {{kvstore: {{store: inmemory}}}},\n\
         \x20 storage: {{filesystem: {{chunks_directory: '{data}/chunks', rules_directory: '{data}/rules'}}}}}}\n\
         ingester: {{lifecycler: {{min_ready_duration: 0s, final_sleep: 0s, join_after: 0s}}}}\n\
         schema_config: {{configs: [{{from: 2024-01-01, store: tsdb, object_store: filesystem, schema: v13, index: {{prefix: index_, period: 24h}}}}]}}\n"
    );
    std::fs::write(folder.join("loki.yml"), config).expect("configuration");
    let mut command = needed("RUNNER_GUARD_LOKI");
    command.arg(format!("-config.file={}", folder.join("loki.yml").display()));
    start(command)
}

/// Pushes the lines until they are taken, at most 25 s: the server may just have begun.
async fn push(at: SocketAddr, body: &Value) {
    let limit = Instant::now() + Duration::from_secs(25);
    loop {
        let request = client().post(format!("http://{at}/loki/api/v1/push"));
        let sent = request.header("content-type", "application/json").body(body.to_string()).send();
        match sent.await {
            Ok(answer) if answer.status().as_u16() == 204 => return,
            other => assert!(Instant::now() < limit, "{other:?}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn lines_of_a_real_loki_reach_the_bundle_redacted_and_its_complaint_is_told() {
    let (folder, at) = (TempDir::new().expect("folder"), free());
    let _server = loki(folder.path(), at);
    #[expect(clippy::disallowed_methods, reason = "Loki refuses lines of another time")]
    let now = jiff::Timestamp::now().as_nanosecond();
    let at_second = |back: i128| (now - back * 1_000_000_000).to_string();
    let value = "kX9-not-to-be-shown-7Qz";
    let lines = json!({ "streams": [{
        "stream": { "job": "gha-runner", "runner": "prod-a" },
        "values": [
            [at_second(30), "started", {}],
            [at_second(20), format!("error: refused, password {value}"), { "trace_id": "7f" }],
            [at_second(10), "error: No space left on device"],
        ],
    }]});
    push(at, &lines).await;
    let config = format!(
        "loki:\n  url: 'http://{at}'\n  queries:\n    - '{{job=\"gha-runner\"}} |= \"error\"'\n    - '{{job=\"gha-runner\"}} |= nonsense'\n"
    );
    let limit = Instant::now() + Duration::from_secs(25);
    let (row, log) = loop {
        let guard =
            Guard::plain(&["diagnose", "--config", "c.yml", "--format", "json", "--out", "out"])
                .env("RUNNER_GUARD_SECRET_DEPLOY_KEY", value)
                .file("c.yml", &config);
        let ended = guard.run();
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        let rows = ended.report()["collected"].as_array().cloned().unwrap_or_default();
        let row = rows.into_iter().find(|row| row["collector"] == "loki").expect("a row");
        if let Some(log) =
            unpacked(&ended.bytes("out/runner-guard-bundle.tar.gz")).remove("loki/query-1.log")
        {
            break (row["detail"].to_string(), log);
        }
        assert!(Instant::now() < limit, "not within 25 s: {row:#}");
    };
    assert!(row.contains("1 of 2 queries answered"), "{row}");
    assert!(row.contains("parse error at line 1, col "), "{row}");
    let told: Vec<&str> = log.lines().filter(|line| line.contains("error: ")).collect();
    assert_eq!(told.len(), 2, "{log}");
    assert!(told[0].contains("error: refused, password ") && !log.contains(value), "{log}");
    assert!(told[1].ends_with("error: No space left on device"), "{log}");
    assert!(log.contains("runner=\"prod-a\""), "{log}");
}
