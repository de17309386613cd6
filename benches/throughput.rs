//! How fast the parts are that read foreign text, each beside something that everybody knows, measured in the same run.
//!
//! Prints a table. No statistics beyond the best of five: ratios from one run say more than times from two machines.
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a benchmark prints its table, stops at what is impossible, and divides sizes by times"
)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Write as _;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use runner_guard::collect::log_evidence;
use runner_guard::diagnose::{Signatures, diagnose};
use runner_guard::redact::{Known, Redactor};
use runner_guard::report::BundlePath;
use runner_guard::source::{ansible, exposition};

const MIB: usize = 1 << 20;
const ROUNDS: usize = 5;
const SAMPLES: usize = 100_000;

fn main() {
    let job = job_log(64 * MIB);
    let play = ansible_log(32 * MIB);
    let page = metrics_page();
    let redactor = Redactor::new(&secrets());
    let signatures = Signatures::builtin().expect("the built-in signatures are tested");
    let evidence = [log_evidence(BundlePath::new("", "play"), "play", &play).redact(&redactor)];
    let plain = [log_evidence(BundlePath::new("", "job"), "job", &job).redact(&redactor)];

    let copy = best(|| job.as_bytes().to_vec());
    let redact = best(|| redactor.redact(&job));
    let fast = best(|| gzip(job.as_bytes(), 3));
    let usual = best(|| gzip(job.as_bytes(), 6));
    let parse = best(|| exposition::parse(&page).expect("the page is in the format"));
    let digest = best(|| ansible::digest(&play));
    let cause = best(|| diagnose(&evidence, &signatures));
    let search = best(|| diagnose(&plain, &signatures));

    println!("{:<44}{:>9}{:>9}{:>9}{:>14}", "what", "MiB", "ms", "MiB/s", "time : copy");
    let row = |what: &str, bytes: usize, time: Duration| {
        let (mib, speed) = (bytes as f64 / MIB as f64, rate(bytes, time));
        let ratio = rate(job.len(), copy) / speed;
        println!("{what:<44}{mib:>9.1}{:>9.1}{speed:>9.0}{ratio:>14.1}", millis(time));
    };
    row("copy in memory, job log", job.len(), copy);
    row("redact, job log", job.len(), redact);
    row("gzip level 3, job log", job.len(), fast);
    row("gzip level 6, job log", job.len(), usual);
    row("parse a metrics page of 100,000 samples", page.len(), parse);
    row("digest, Ansible log", play.len(), digest);
    row("diagnose, Ansible log after the digest", play.len(), cause);
    row("diagnose, job log without structure", job.len(), search);
    println!();
    println!("redact : gzip 3 = {:.2}", redact.as_secs_f64() / fast.as_secs_f64());
    println!("redact : gzip 6 = {:.2}", redact.as_secs_f64() / usual.as_secs_f64());
}

/// The shortest of some rounds.
fn best<T>(work: impl Fn() -> T) -> Duration {
    let once = || {
        let start = Instant::now();
        black_box(work());
        start.elapsed()
    };
    (0..ROUNDS).map(|_| once()).min().unwrap_or_default()
}

fn rate(bytes: usize, time: Duration) -> f64 {
    bytes as f64 / MIB as f64 / time.as_secs_f64()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn gzip(bytes: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(bytes).expect("memory takes every byte");
    encoder.finish().expect("memory takes every byte")
}

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }
}

fn secrets() -> Vec<Known> {
    let mut dice = Dice(7);
    let value =
        |dice: &mut Dice| format!("{:08x}{:08x}{:08x}", dice.roll(), dice.roll(), dice.roll());
    (0..12).map(|n| Known::new(format!("SECRET_{n}"), value(&mut dice))).collect()
}

/// The log of a deploy: packages, layers, copied files; one line in a thousand holds a key with a value.
fn job_log(size: usize) -> String {
    let mut dice = Dice(1);
    let mut log = String::with_capacity(size + 256);
    while log.len() < size {
        let (n, m) = (dice.roll(), dice.roll());
        let second = n % 60;
        let _ = write!(log, "2026-01-02T03:{:02}:{second:02}.{:07}Z ", m % 60, n % 10_000_000);
        let _ = match m % 1000 {
            0 => writeln!(
                log,
                "connecting with password={n:08x}{m:08x} to db-{}.example:5432",
                n % 9
            ),
            1..300 => writeln!(
                log,
                "Get:{} http://mirror.example/pool/lib{m:x}_{}.deb [{} kB]",
                n % 500,
                n % 99,
                m % 4000
            ),
            300..600 => {
                writeln!(log, "{n:012x}: Layer already exists, digest sha256:{n:016x}{m:016x}")
            }
            _ => writeln!(
                log,
                "copied release/assets/{m:x}/index-{n:x}.js to /srv/app/releases/{}",
                n % 40
            ),
        };
    }
    log
}

/// The log of a playbook on forty hosts; the last task fails on one of them.
fn ansible_log(size: usize) -> String {
    let stars = "*".repeat(40);
    let mut dice = Dice(2);
    let mut log = format!("PLAY [production] {stars}\n\n");
    while log.len() < size {
        let _ = writeln!(log, "TASK [app : step {}] {stars}", dice.roll() % 10_000);
        for host in 1..=40 {
            let word = if dice.roll() % 3 == 0 { "changed" } else { "ok" };
            let _ = writeln!(log, "{word}: [web{host}]");
        }
        log.push('\n');
    }
    let _ = writeln!(log, "TASK [app : unpack] {stars}");
    log.push_str("fatal: [web7]: FAILED! => {\"changed\": false, \"msg\": \"No space left on device\", \"rc\": 1}\n\n");
    let _ = writeln!(log, "PLAY RECAP {stars}");
    for host in 1..=40 {
        let failed = u8::from(host == 7);
        let _ = writeln!(
            log,
            "web{host:<20} : ok=9    changed=3    unreachable=0    failed={failed}    skipped=0    rescued=0    ignored=0"
        );
    }
    log
}

fn metrics_page() -> String {
    let mut dice = Dice(3);
    let mut page = String::from("# HELP requests_total Requests.\n# TYPE requests_total counter\n");
    for n in 0..SAMPLES {
        let _ = writeln!(
            page,
            "requests_total{{instance=\"web{}:9101\",path=\"/v1/items/{n}\",code=\"{}\"}} {}",
            n % 40,
            200 + n % 5,
            dice.roll()
        );
    }
    page
}
