//! A job whose folders others write to, a marker outside of them, and everything that the program left.
#![expect(clippy::disallowed_methods, reason = "the tests plant files and read all that is left")]

use std::fs;
use std::io::Read as _;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::command::{Ended, Guard};
use rustix::fs::OFlags;

/// Stands in every file that is not to be read.
pub(super) const MARKER: &str = "OUTSIDE-OF-THE-FOLDER";

/// Longest time of one run; its own deadline is shorter.
const LIMIT: Duration = Duration::from_mins(1);

/// A log that is worth reading: it begins like Ansible and ends with a failure.
pub(super) fn log(word: &str) -> String {
    format!(
        "PLAY [{word}] ****\n\nTASK [{word}] ****\nfatal: [web1]: FAILED! => {{\"msg\": \"{word}\"}}\n\n\
         PLAY RECAP ****\nweb1 : ok=0 changed=0 unreachable=0 failed=1 skipped=0 rescued=0 ignored=0\n"
    )
}

/// A job, and a folder outside of its folders.
pub(super) struct Place {
    guard: Guard,
    outside: TempDir,
}

impl Place {
    /// With a log of the marker outside, in the forms in which something could look for it.
    pub(super) fn new() -> Self {
        let outside = TempDir::new().expect("folder");
        for name in ["deploy.log", "ansible.log", "Worker_20261122-120000-utc.log", "x.xml"] {
            fs::write(outside.path().join(name), log(MARKER)).expect("file");
        }
        // What the program itself would look for, so that a link to its folder leads to something.
        fs::create_dir_all(outside.path().join("sub")).expect("folder");
        for (name, text) in [
            ("runner-guard.yml", format!("environment: {MARKER}\n")),
            (
                "preflight.json",
                format!(
                    r#"{{"stage":"preflight","verdict":"warn","reason":"{MARKER}","findings":[{{"check":"{MARKER}","status":"fail","summary":"{MARKER}"}}]}}"#
                ),
            ),
            ("sub/deep.log", log(MARKER)),
        ] {
            fs::write(outside.path().join(name), text).expect("file");
        }
        let events = outside.path().join("1/job_events");
        fs::create_dir_all(&events).expect("folder");
        let event = format!(r#"{{"event":"playbook_on_start","stdout":"{MARKER}"}}"#);
        fs::write(events.join(format!("1-{}.json", "a".repeat(36))), event).expect("file");
        let guard = Guard::action("runner-guard-post")
            .env("INPUT_JOB-STATUS", "failure")
            .env("INPUT_TIMEOUT", "20s")
            .env("INPUT_UPLOAD-ARTIFACT", "false")
            .file("diag/notes.txt", "");
        let diag = guard.path("diag").display().to_string();
        Self { guard: guard.env("INPUT_RUNNER-LOGS", &diag), outside }
    }

    pub(super) fn outside(&self) -> &Path {
        self.outside.path()
    }

    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.guard.path(path)
    }

    pub(super) fn file(self, path: &str, text: &str) -> Self {
        Self { guard: self.guard.file(path, text), outside: self.outside }
    }

    pub(super) fn env(self, name: &str, value: &str) -> Self {
        Self { guard: self.guard.env(name, value), outside: self.outside }
    }

    /// A symbolic link from a place of the job to one outside.
    pub(super) fn link(self, from: &str, to: &str) -> Self {
        let target = self.outside().join(to);
        std::os::unix::fs::symlink(target, self.path(from)).expect("link");
        self
    }

    /// Runs the black box again in the same place.
    pub(super) fn again(&self) {
        let output = self.guard.command().output().expect("the program starts");
        assert_eq!(output.status.code(), Some(0));
        for text in [&output.stdout, &output.stderr] {
            assert!(!String::from_utf8_lossy(text).contains(MARKER));
        }
        holds_no_marker(&self.path(""));
    }

    /// As [`Place::run`], with so many bytes of address space at the most.
    pub(super) fn run_within(self, bytes: u64) -> Ended {
        let program = self.path("runner-guard-post");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_runner-guard"), &program).expect("link");
        let (limit, program) = (format!("--as={bytes}"), program.display().to_string());
        let ended = self.guard.through(Path::new("/usr/bin/prlimit"), &[&limit, &program]);
        assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
        ended
    }

    /// Runs the black box; it ends well and in time, and nothing that it left holds the marker.
    pub(super) fn run(self) -> Ended {
        let (root, began) = (self.path(""), Instant::now());
        let ended = self.guard.run();
        assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
        assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
        for text in [&ended.stdout, &ended.stderr] {
            assert!(!text.contains(MARKER), "{text}");
        }
        holds_no_marker(&root);
        ended
    }
}

const NO_LINK: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW);

fn open(path: &Path, how: OFlags) -> rustix::io::Result<rustix::fd::OwnedFd> {
    rustix::fs::open(path, how, rustix::fs::Mode::empty())
}

/// Looks into every file below, and into archives; what was planted is a link or has a second name.
pub(super) fn holds_no_marker(folder: &Path) {
    let mut looked_at = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        // A race may have put a link in the place of a folder or a file that was just seen.
        let Ok(held) = open(&folder, NO_LINK | OFlags::DIRECTORY) else { continue };
        let inside_it = format!("/proc/self/fd/{}", held.as_raw_fd());
        for entry in fs::read_dir(inside_it).expect("folder").flatten() {
            let Ok(about) = entry.metadata() else { continue };
            let path = folder.join(entry.file_name());
            if about.is_dir() {
                folders.push(path);
            } else if about.is_file() && about.nlink() == 1 {
                looked_at += 1;
                let Ok(file) = open(&entry.path(), NO_LINK) else { continue };
                let mut bytes = Vec::new();
                fs::File::from(file).read_to_end(&mut bytes).expect("file");
                for (name, text) in inside(&path, bytes) {
                    assert!(!text.contains(MARKER), "{} {name}: {text}", path.display());
                }
            }
        }
    }
    assert!(looked_at > 3, "the program left nothing in {}", folder.display());
}

fn inside(path: &Path, bytes: Vec<u8>) -> Vec<(String, String)> {
    let text = |mut from: &mut dyn std::io::Read| {
        let mut bytes = Vec::new();
        (&mut from).read_to_end(&mut bytes).expect("entry");
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let name = path.to_string_lossy();
    if name.ends_with(".tar.gz") {
        let mut tar = tar::Archive::new(flate2::read::MultiGzDecoder::new(&*bytes));
        let entries = tar.entries().expect("tar").map(|e| e.expect("entry"));
        return entries
            .map(|mut e| (e.path().expect("path").display().to_string(), text(&mut e)))
            .collect();
    }
    if name.ends_with(".zip") {
        let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("zip");
        return (0..zip.len())
            .map(|at| (at.to_string(), text(&mut zip.by_index(at).expect("entry"))))
            .collect();
    }
    vec![(String::new(), String::from_utf8_lossy(&bytes).into_owned())]
}
