//! What docs/performance.md is measured with: each part against a yardstick of the same run, so that the figures are ratios.
#![expect(clippy::print_stdout, reason = "the table is the result")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Write as _;
use std::time::Instant;

use runner_guard::diagnose::{Signatures, diagnose};
use runner_guard::redact::{Known, Redactor};
use runner_guard::report::{BundlePath, Evidence, EvidenceKind};
use runner_guard::source::{ansible, exposition};

const LOG_BYTES: usize = 32 << 20;
/// Spreads small numbers over all digits, so that the known values look like tokens.
const SCATTER: u128 = 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835;

fn main() {
    let log = deploy_log(LOG_BYTES);
    let page = metrics_page(100_000);
    println!("{} MiB of log, {} MiB of metrics", log.len() >> 20, page.len() >> 20);
    let yardstick = row("gzip, level 3 (yardstick)", log.len(), None, || compress(&log, 3));
    row("copy in memory", log.len(), Some(yardstick), || black_box(log.as_bytes().to_vec()).len());
    row("gzip, level 6", log.len(), Some(yardstick), || compress(&log, 6));
    let plain = Redactor::new(&[]);
    row("redact, no known value", log.len(), Some(yardstick), || plain.redact(&log).as_str().len());
    let known: Vec<Known> = (1..=10_u128)
        .map(|i| Known::new(format!("S{i}"), format!("{:032x}", i.wrapping_mul(SCATTER))))
        .collect();
    let knowing = Redactor::new(&known);
    row("redact, 10 known values", log.len(), Some(yardstick), || {
        knowing.redact(&log).as_str().len()
    });
    row("Ansible digest", log.len(), Some(yardstick), || ansible::digest(&log).runs.len());
    if let Ok(signatures) = Signatures::builtin() {
        let path = BundlePath::new("", "job.log");
        let raw = Evidence::new(path, EvidenceKind::JobLog, "bench", &*log);
        let Ok(sealed) = raw.redact(&plain) else { return };
        let evidence = [sealed];
        row("diagnose, whole text", log.len(), Some(yardstick), || {
            diagnose(&evidence, &signatures).len()
        });
    }
    row("exposition parser, 100,000 samples", page.len(), Some(yardstick), || {
        exposition::parse(&page).map_or(0, |e| e.samples.len())
    });
}

/// Prints MB/s and the ratio to the yardstick; the best of three.
fn row(name: &str, bytes: usize, yardstick: Option<f64>, work: impl Fn() -> usize) -> f64 {
    let once = || {
        let start = Instant::now();
        black_box(work());
        start.elapsed().as_secs_f64()
    };
    let best = (0..3).map(|_| once()).fold(f64::MAX, f64::min);
    #[expect(clippy::cast_precision_loss, reason = "sizes of some MiB")]
    let speed = bytes as f64 / best / 1e6;
    let ratio = yardstick.map_or_else(|| "1.00".to_owned(), |y| format!("{:.2}", speed / y));
    println!("{name:<36} {speed:>9.0} MB/s   {ratio:>6} x");
    speed
}

fn compress(text: &str, level: u32) -> usize {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(level));
    drop(encoder.write_all(text.as_bytes()));
    encoder.finish().map_or(0, |bytes| bytes.len())
}

/// Lines as a deploy prints them, with an Ansible run at the end; the same on every machine.
fn deploy_log(bytes: usize) -> String {
    let mut log = String::with_capacity(bytes + 4096);
    let mut n: u64 = 1;
    log.push_str(
        "\nPLAY [Deploy] ******************************************************************\n",
    );
    while log.len() < bytes {
        n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let host = n % 40;
        let _ = writeln!(
            log,
            "\nTASK [app : Copy part {}] ***************************************************",
            n % 1000
        );
        let _ = writeln!(log, "changed: [web{host}]");
        let _ = writeln!(
            log,
            "ok: [web{}] => {{\"changed\": false, \"checksum\": \"{n:016x}{:016x}\", \"dest\": \"/srv/app/{host}/config.yml\"}}",
            host + 1,
            n.rotate_left(9)
        );
        let _ = writeln!(
            log,
            "2026-11-24T10:00:00.{:07}Z Step {}/20 : pull layer sha256:{n:016x}{n:016x} done in {} ms",
            n % 10_000_000,
            n % 20,
            n % 900
        );
    }
    log.push_str("fatal: [web1]: FAILED! => {\"changed\": false, \"msg\": \"No space left on device\", \"rc\": 1}\n");
    log.push_str(
        "\nPLAY RECAP *********************************************************************\n",
    );
    log.push_str("web1                       : ok=1    changed=1    unreachable=0    failed=1    skipped=0    rescued=0    ignored=0\n");
    log
}

fn metrics_page(samples: usize) -> String {
    let mut page = String::from("# TYPE node_cpu_seconds_total counter\n");
    for n in 0..samples {
        let _ = writeln!(
            page,
            "node_cpu_seconds_total{{cpu=\"{}\",mode=\"m{}\",host=\"web-{n}.example.com\"}} {n}.{}",
            n % 64,
            n % 8,
            n % 100
        );
    }
    page
}
