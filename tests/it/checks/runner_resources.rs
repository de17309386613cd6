//! Cases of `runner-resources`.

use serde_json::Value;

use super::{row, says};
use crate::support::http::{Behaviour, exporter_page, serve};
use crate::support::scripted::{Scripted, vector};

const ID: &str = "runner-resources";
const GIB: f64 = 1_073_741_824.0;

/// A host with this much free of 100 GiB at /w and this much memory available of 8 GiB.
fn page(free: f64, memory: f64) -> String {
    let disk = "purpose=\"work\",mountpoint=\"/w\"";
    format!(
        "runner_status{{runner=\"a\",hostname=\"h\"}} 1\nrunner_host_filesystem_size_bytes{{{disk}}} {}\n\
         runner_host_filesystem_avail_bytes{{{disk}}} {}\nrunner_host_memory_total_bytes {}\n\
         runner_host_memory_available_bytes {}\nrunner_host_cpus 2\nrunner_host_load1 1\n",
        100.0 * GIB,
        free * GIB,
        8.0 * GIB,
        memory * GIB
    )
}

fn exporter(page: &str) -> String {
    let at = serve(Behaviour::Answer(200, "text/plain", page.to_owned()));
    format!("timeout: 5s\nrunners: [{{name: a, exporter: 'http://{at}/metrics'}}]\n")
}

fn direct(free: f64, memory: f64, options: &str) -> Value {
    let options = format!("checks: {{runner-resources: {{{options}}}}}\n");
    row(ID, &format!("{}{options}", exporter(&page(free, memory))))
}

/// A Prometheus that has the runner on the host `h` and one number of that host; the memory stood still for this share of the time.
fn through(stalled: f64, age: f64) -> String {
    let runner = r#""runner":"a","hostname":"h""#;
    let memory = r#""__name__":"runner_host_memory_available_bytes","hostname":"h""#;
    let prometheus = Scripted::start(&[
        ("query=timestamp(runner_status", vector(&[(runner, 1000, 1000.0 - age)])),
        ("query=runner_status", vector(&[(runner, 1000, 1.0)])),
        (
            "query={__name__=~\"runner_host_.+\",hostname=\"h\"}",
            vector(&[(memory, 1000, 4.0 * GIB)]),
        ),
        (
            "rate(runner_host_pressure_stalled_seconds_total{hostname=\"h\"}[5m])",
            vector(&[(r#""resource":"memory""#, 1000, stalled)]),
        ),
    ]);
    format!("timeout: 5s\nprometheus: {{url: '{}'}}\nrunners: [{{name: a}}]\n", prometheus.url())
}

#[test]
fn the_host_is_held_against_its_limits_and_the_mount_is_named() {
    says("roomy", &direct(50.0, 4.0, ""), ("pass", "50.0 GiB free at /w", ""));
    says(
        "full",
        &direct(1.0, 4.0, ""),
        ("fail", "/w (work): 1.0 GiB free of 100.0 GiB (1 %)", "docker system prune"),
    );
    let few = direct(1.0, 4.0, "min-free-percent: 1");
    says("one limit kept", &few, ("warn", "limit 2.0 GiB or 1 %", "docker system prune"));
    let memory = direct(50.0, 0.1, "");
    says("memory", &memory, ("fail", "memory: 102.4 MiB available of 8.0 GiB", "ps aux"));
    let modest = direct(50.0, 0.1, "min-memory: 64 MiB");
    says("modest", &modest, ("pass", "102.4 MiB of memory available", ""));
    let load = direct(50.0, 4.0, "max-load-per-cpu: 0");
    says("load", &load, ("warn", "load: 0.5 for each of 2 processors (limit 0)", "pcpu"));
}

#[test]
fn prometheus_knows_the_host_by_its_name_and_how_long_it_stood_still() {
    says("air", &row(ID, &through(0.1, 9.0)), ("pass", "4.0 GiB of memory available", ""));
    let still = (
        "fail",
        "memory pressure: 90 % of the last 5 min everything stood still (limit 60 %)",
        "ps aux",
    );
    says("still", &row(ID, &through(0.9, 9.0)), still);
    let wide = format!("{}checks: {{runner-resources: {{max-pressure: 95}}}}\n", through(0.9, 9.0));
    says("wide", &row(ID, &wide), ("pass", "room, memory and air", ""));
}

#[test]
fn samples_that_are_old_or_missing_are_no_answer() {
    let unknown = ("unknown", "no current sample about the host", "/targets");
    says("old", &row(ID, &through(0.1, 299.0)), unknown);
    let login = exporter("<html>Login</html>");
    says("login", &row(ID, &login), ("unknown", "scrape", "/metrics"));
}

#[test]
fn what_does_not_apply_is_skipped() {
    let Behaviour::Answer(_, _, bare) = exporter_page("a", 1, "true") else { unreachable!() };
    let not_shown = ("skipped", "shows no runner_host_ metrics", "runner-guard exporter");
    says("another exporter", &row(ID, &exporter(&bare)), not_shown);
    let config = exporter(&page(0.0, 0.0)).replace("name: a,", "name: a, expect: ephemeral,");
    says("ephemeral", &row(ID, &config), ("skipped", "is made for one job", ""));
    says("none", &row(ID, "runners: [{name: a}]\n"), ("skipped", "neither", "runners[].exporter"));
}
