//! A large file goes out in blocks: it is never in memory as a whole.
#![expect(
    clippy::disallowed_methods,
    reason = "the memory of a process can be measured only in a process of its own"
)]

use std::io::Read as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use ring::digest::{Context, SHA256};
use runner_guard::actions::artifact::{Kind, Pace, Service, Upload, upload};

use super::{UUIDS, token};
use crate::support::client;
use crate::support::fake_github::{FakeGitHub, Script};

const SIZE: u64 = 200 << 20;
const MOST_KIB: u64 = 48 << 10;
const TO: &str = "RUNNER_GUARD_TEST_UPLOAD_TO";

/// The test starts itself once more, as the process that uploads.
#[test]
fn two_hundred_mib_take_less_than_48_mib_of_memory() {
    if let Some(url) = std::env::var_os(TO) {
        return send(&url.to_string_lossy());
    }
    let server = FakeGitHub::start(Script::default());
    let output = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "--nocapture"])
        .arg("artifact_upload::streaming::two_hundred_mib_take_less_than_48_mib_of_memory")
        .env(TO, server.url())
        .output()
        .expect("start");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}{output:?}");
    assert_eq!(server.artifact("box").map(|stored| stored.len() as u64), Some(SIZE));
}

fn send(url: &str) {
    let file = tempfile::NamedTempFile::new().expect("file");
    file.as_file().set_len(SIZE).expect("length");
    let sha256 = summed(file.path());
    let service = Service::from_parts(url, &token(UUIDS), "https://github.test", "octo/app", "77")
        .expect("service");
    let request = Upload {
        name: "box",
        kind: Kind::Zip,
        file: file.path(),
        sha256: &sha256,
        size: SIZE,
        retention_days: None,
        now: Timestamp::UNIX_EPOCH,
        deadline: Instant::now() + Duration::from_mins(5),
        pace: Pace::default(),
        mask: &|_| {},
    };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    let client = client();
    let before = peak();
    runtime
        .block_on(upload(&client, &service, &request))
        .unwrap_or_else(|e| panic!("{}", e.chain()));
    let more = peak() - before;
    assert!(more < MOST_KIB, "{more} KiB");
}

fn summed(path: &Path) -> String {
    let mut file = std::fs::File::open(path).expect("open");
    let (mut sum, mut piece) = (Context::new(&SHA256), vec![0; 1 << 20]);
    while let Some(read) = file.read(&mut piece).ok().filter(|read| *read > 0) {
        sum.update(&piece[..read]);
    }
    format!("{:?}", sum.finish()).trim_start_matches("SHA256:").to_owned()
}

/// The most memory that this process ever had, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
    line.trim().trim_end_matches(" kB").parse().expect("number")
}
