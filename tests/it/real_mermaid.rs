//! The charts of a real summary are read by the parser that draws them.
#![expect(clippy::disallowed_methods, reason = "the test starts the parser")]

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::support::bundle::unpacked;
use crate::support::command::Guard;
use crate::support::fleet::{exporter, free, listener, prometheus, until};
use crate::support::needed_folder;

/// The kinds of the charts of a page, or what the parser says against one.
fn parsed(markdown: &str) -> Result<Vec<String>, String> {
    let folder = TempDir::new().expect("folder");
    let peers = needed_folder("RUNNER_GUARD_MERMAID_DIR", "node_modules of tests/peers/mermaid");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/mermaid/parse.mjs");
    std::fs::copy(script, folder.path().join("parse.mjs")).expect("copy");
    symlink(peers.join("node_modules"), folder.path().join("node_modules")).expect("link");
    std::fs::write(folder.path().join("page.md"), markdown).expect("page");
    let output = Command::new("node")
        .args(["parse.mjs", "page.md"])
        .current_dir(folder.path())
        .output()
        .expect("node");
    if output.status.success() {
        Ok(serde_json::from_slice(&output.stdout).expect("a list of kinds"))
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

#[test]
fn every_chart_of_a_real_summary_and_of_its_bundle_is_understood_by_mermaid() {
    let folder = TempDir::new().expect("folder");
    let root = folder.path().join("a");
    let (at_exporter, at) = (free(), free());
    let _lives = listener(&root, "prod-a");
    let _exporter = exporter(&root, "host-a", at_exporter);
    let _prometheus = prometheus(folder.path(), at, &[at_exporter]);
    // What a user asks is the title of its chart: quotes, brackets, comments and lines of Mermaid's own.
    let hostile = r#"up{job=~".+"} * 2 # "] %%{init: {}}%% end; x-axis [a"#;
    let config = format!(
        "prometheus: {{url: 'http://{at}'}}\ncollect: {{metrics: {{queries: ['{hostile}']}}}}\n"
    );
    let black_box = || {
        Guard::plain(&["diagnose", "--config", "c.yml", "--format", "json", "--out", "out"])
            .env("RUNNER_NAME", "prod-a")
            .file("c.yml", &config)
            .run()
    };
    let ended = until("charts that can be drawn", black_box, |ended| {
        ended.left("out/summary.md").matches("```mermaid").count() >= 3
    });
    let summary = ended.left("out/summary.md");
    let kinds = parsed(&summary).unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(kinds, vec!["xychart"; summary.matches("```mermaid").count()], "{summary}");
    let bundle = unpacked(&ended.bytes("out/runner-guard-bundle.tar.gz"));
    let page = &bundle["metrics/charts.md"];
    let kinds = parsed(page).unwrap_or_else(|why| panic!("{why}"));
    assert!(kinds.len() >= 4 && page.contains("x-axis _a"), "{page}");

    let broken = summary.replacen("  line [", "  line [x ", 1);
    assert!(parsed(&broken).is_err(), "the parser takes anything");
}
