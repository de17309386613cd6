//! Redaction beside other programs, all in one run on one log: ripgrep with the same literals, gitleaks, and deflate.
//!
//! `cargo bench --bench redaction [-- LOG]` makes a log of 256 MiB (`MIB` says how many), or takes the one that is named. `rg` and
//! `gitleaks` are taken from the path; a row without its program says so. Best of three rounds, the rows one after the other.
#![expect(clippy::print_stdout, reason = "the table is the result")]
#![expect(clippy::disallowed_methods, reason = "a bench starts other programs and reads files")]

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read as _, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Instant;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use runner_guard::redact::{Known, Redactor};

/// gitleaks is slow: it gets this much of the log.
const GITLEAKS_BYTES: u64 = 8 << 20;
const VALUES: usize = 50;
const ROUNDS: usize = 3;

type Failure = Box<dyn std::error::Error>;
type Work<'w> = Box<dyn Fn(&Path) -> Result<(), Failure> + 'w>;

fn main() -> Result<(), Failure> {
    let folder = std::env::temp_dir().join(format!("redaction-bench-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let measured = measure(&folder);
    fs::remove_dir_all(&folder)?;
    measured
}

fn measure(folder: &Path) -> Result<(), Failure> {
    let mut random = Random(7);
    let values: Vec<String> = (0..VALUES).map(|n| random.value(n)).collect();
    let log = match std::env::args().skip(1).find(|argument| !argument.starts_with('-')) {
        Some(path) => PathBuf::from(path),
        None => generated(folder, &values, &mut random)?,
    };
    let literals = folder.join("values");
    fs::write(&literals, values.join("\n"))?;
    let part = folder.join("part");
    io::copy(&mut File::open(&log)?.take(GITLEAKS_BYTES), &mut File::create(&part)?)?;
    let known = |(n, value): (usize, &String)| Known::new(format!("S{n}"), value);
    let knowing = Redactor::new(&values.iter().enumerate().map(known).collect::<Vec<_>>());
    let plain = Redactor::new(&[]);
    let literals = literals.display().to_string();
    let rows: Vec<(&str, &Path, Work<'_>)> = vec![
        (
            "rg -F -c, the same 50 literals",
            &log,
            Box::new(|p| run("rg", &["-F", "-c", "-f", &literals], p)),
        ),
        ("redact, 50 known values", &log, Box::new(|p| redact(&knowing, p, &mut io::sink()))),
        ("redact, none", &log, Box::new(|p| redact(&plain, p, &mut io::sink()))),
        ("gitleaks, first 8 MiB", &part, Box::new(|p| run("gitleaks", GITLEAKS, p))),
        ("deflate, level 6", &log, Box::new(deflate)),
        (
            "redact, 50 known values, then deflate",
            &log,
            Box::new(|p| redact_and_deflate(&knowing, p)),
        ),
    ];
    let mut best = vec![None::<f64>; rows.len()];
    for _ in 0..ROUNDS {
        for ((_, path, work), best) in rows.iter().zip(&mut best) {
            let start = Instant::now();
            if work(path).is_ok() {
                #[expect(clippy::cast_precision_loss, reason = "sizes of some MiB")]
                let speed = fs::metadata(path)?.len() as f64 / start.elapsed().as_secs_f64() / 1e6;
                *best = Some(best.unwrap_or_default().max(speed));
            }
        }
    }
    for ((name, ..), best) in rows.iter().zip(&best) {
        let text = best.map_or_else(|| "not found".to_owned(), |b| format!("{b:.1} MB/s"));
        println!("{name:<40} {text:>14}");
    }
    ratio("redact / rg", &best, 1, 0);
    ratio("redact / gitleaks", &best, 1, 3);
    ratio("redact and deflate / deflate", &best, 5, 4);
    Ok(())
}

const GITLEAKS: &[&str] = &["dir", "--no-banner", "--log-level", "error", "--exit-code", "0"];

fn ratio(name: &str, best: &[Option<f64>], of: usize, to: usize) {
    if let (Some(Some(of)), Some(Some(to))) = (best.get(of), best.get(to)) {
        println!("{name:<40} {:>12.2} x", of / to);
    }
}

fn run(program: &str, arguments: &[&str], path: &Path) -> Result<(), Failure> {
    let mut command = Command::new(program);
    command.args(arguments).arg(path).stdin(Stdio::null()).stdout(Stdio::null());
    // ripgrep says 1 when nothing matches.
    match command.stderr(Stdio::null()).status()?.code() {
        Some(0 | 1) => Ok(()),
        code => Err(format!("{program} ended with {code:?}").into()),
    }
}

fn open(path: &Path) -> io::Result<BufReader<File>> {
    Ok(BufReader::with_capacity(1 << 20, File::open(path)?))
}

fn redact(redactor: &Redactor, path: &Path, to: &mut dyn Write) -> Result<(), Failure> {
    redactor.copy(&mut open(path)?, to)?;
    Ok(())
}

fn deflate(path: &Path) -> Result<(), Failure> {
    let mut encoder = DeflateEncoder::new(io::sink(), Compression::new(6));
    io::copy(&mut open(path)?, &mut encoder)?;
    encoder.finish()?;
    Ok(())
}

/// Two threads, a short queue between them.
fn redact_and_deflate(redactor: &Redactor, path: &Path) -> Result<(), Failure> {
    let (sender, receiver) = sync_channel::<Vec<u8>>(4);
    std::thread::scope(|scope| {
        let deflating = scope.spawn(move || {
            let mut encoder = DeflateEncoder::new(io::sink(), Compression::new(6));
            receiver.into_iter().try_for_each(|part| encoder.write_all(&part))?;
            encoder.finish().map(drop)
        });
        redact(redactor, path, &mut Queue(sender))?;
        deflating.join().map_err(|_| "the thread that compresses ended early")??;
        Ok(())
    })
}

struct Queue(SyncSender<Vec<u8>>);

impl Write for Queue {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.0.send(part.to_vec()).map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Numbers that are the same on every machine.
struct Random(u64);

const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/!@#$";

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 20).unwrap_or_default() % end.max(1)
    }

    fn of(&mut self, alphabet: &[u8], width: usize) -> String {
        let one = |_| alphabet.get(self.below(alphabet.len())).copied().map_or('x', char::from);
        (0..width).map(one).collect()
    }

    /// A value as tokens, keys and passwords are.
    fn value(&mut self, n: usize) -> String {
        match n % 4 {
            0 => self.of(b"0123456789abcdef", 32),
            1 => self.of(LETTERS.get(..62).unwrap_or_default(), 40),
            2 => self.of(LETTERS.get(..64).unwrap_or_default(), 44),
            _ => self.of(LETTERS, 20),
        }
    }

    fn words(&mut self, count: usize) -> String {
        let word = |_| WORDS.get(self.below(WORDS.len())).copied().unwrap_or_default();
        (0..count).map(word).collect::<Vec<_>>().join(" ")
    }
}

#[rustfmt::skip]
const WORDS: &[&str] = &[
    "starting", "finished", "resolving", "downloading", "linking", "checking", "copying", "removing", "waiting", "healthy",
    "deploying", "restart", "service", "container", "image", "layer", "cache", "module", "package", "version", "target", "unit",
    "playbook", "role", "task", "host", "template", "file", "directory", "owner", "skipped", "retry", "timeout", "connection",
    "response", "status", "worker", "runner", "job", "step",
];

fn generated(folder: &Path, values: &[String], random: &mut Random) -> io::Result<PathBuf> {
    let size = std::env::var("MIB").ok().and_then(|m| m.parse().ok()).unwrap_or(256_usize) << 20;
    let path = folder.join("log");
    let mut file = BufWriter::new(File::create(&path)?);
    let mut written = 0;
    let mut n = 0;
    while written < size {
        let mut lines = String::new();
        for _ in 0..2000 {
            n += 1;
            line(&mut lines, n, random);
        }
        // A leak of each kind for every quarter of a megabyte: a known value, and one that only its key tells.
        let value = values.get(n % values.len()).map_or("", String::as_str);
        let _ = writeln!(lines, "connecting as deploy with {value}");
        let _ = writeln!(lines, "db_password: {}", random.of(LETTERS, 14));
        file.write_all(lines.as_bytes())?;
        written += lines.len();
    }
    file.flush()?;
    Ok(path)
}

/// One line as runners, Ansible, package managers, containers and web servers print them.
fn line(out: &mut String, n: usize, random: &mut Random) {
    let stamp = format!(
        "2026-11-20T10:{:02}:{:02}.{:07}Z",
        n / 6000 % 60,
        n / 100 % 60,
        random.below(10_000_000)
    );
    let word = random.words(1);
    let _ = match random.below(10) {
        0 => writeln!(
            out,
            "{stamp} npm http fetch GET 200 https://registry.npmjs.org/{word}-{} {}ms (cache miss)",
            random.words(1),
            random.below(900)
        ),
        1 => writeln!(out, "{stamp} {}: Pull complete", random.of(b"0123456789abcdef", 12)),
        2 => writeln!(
            out,
            "{stamp} \u{1b}[36;1m{} --{word} \"$WORKDIR/{word}.sh\"\u{1b}[0m",
            random.words(5)
        ),
        3 => writeln!(
            out,
            "ok: [app-{:02}] => {{\"changed\": false, \"checksum\": \"{}\", \"dest\": \"/etc/{word}.conf\", \"mode\": \"0644\", \"size\": {}}}",
            random.below(40),
            random.of(b"0123456789abcdef", 40),
            random.below(99_999)
        ),
        4 => writeln!(
            out,
            "TASK [{word} : {}] {}",
            random.words(4),
            "*".repeat(20 + random.below(60))
        ),
        5 => writeln!(
            out,
            "10.20.{}.{} - - [20/Nov/2026:10:00:00 +0000] \"GET /{word}?page={} HTTP/1.1\" 200 {} \"-\" \"kube-probe/1.31\"",
            random.below(255),
            random.below(255),
            random.below(99),
            random.below(99_999)
        ),
        6 => writeln!(
            out,
            "{{\"level\":\"info\",\"ts\":\"{stamp}\",\"caller\":\"{word}.go:{}\",\"msg\":\"{}\",\"trace_id\":\"{}\"}}",
            random.below(900),
            random.words(7),
            random.of(b"0123456789abcdef", 32)
        ),
        7 => writeln!(
            out,
            "{stamp} \"integrity\": \"sha512-{}==\"",
            random.of(LETTERS.get(..64).unwrap_or_default(), 86)
        ),
        _ => writeln!(out, "{stamp} {}", random.words(12)),
    };
}
