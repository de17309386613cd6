//! The disk is full, really full, or the workspace is read-only: what can still be written is whole, nothing lies half-written under its
//! name, the step does not fail, and what had no room is said in the log.
#![expect(
    clippy::disallowed_methods,
    reason = "the program runs with a disk of its own, and its files are read"
)]

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::survival::{BUNDLE, archives_are_whole, is_whole, names, post, refusing, with};
use crate::support::command::Guard;
use crate::support::fake_github::FakeGitHub;

/// What is left after a run: a copy of its folders.
struct Left {
    folder: TempDir,
    said: String,
}

impl Left {
    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn summary(&self) -> String {
        std::fs::read_to_string(self.path("commands/summary")).unwrap_or_default()
    }

    fn warns(&self, title: &str) -> bool {
        self.said.contains(&format!("::warning title={title}::"))
    }

    /// Fails when something is half-written, or a step would be failed.
    fn is_whole(&self, what: &str) {
        let summary = self.summary();
        assert!(summary.starts_with("# Of another step\n"), "{what}: {summary}");
        is_whole(&summary);
        for folder in ["temp/runner-guard", "ws/runner-guard-evidence", "commands"] {
            let folder = self.path(folder);
            archives_are_whole(&folder);
            let hidden = names(&folder).into_iter().find(|name| name.starts_with('.'));
            assert_eq!(hidden, None, "{what}: half of a file stays");
        }
    }
}

/// The end of a failed job whose log does not compress, and a summary to which another step has written.
fn prepared(server: &FakeGitHub) -> Guard {
    let noise = (0..8_000_u64).map(|n| {
        let at = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (n << 7);
        format!("ok: [web1] => {at:016x} {:016x}\n", at.wrapping_mul(0xd134_2543_de82_ef95))
    });
    let log = super::survival::LOG.to_owned() + &noise.collect::<String>();
    post(server).file("ws/ansible.log", &log).file("commands/summary", "# Of another step\n")
}

/// Runs the program after `script`, in a space of mounts of its own, where it may mount over `$ROOT`, which holds the folders of the
/// run: `ws`, `temp`, `commands`.
fn after(guard: &Guard, script: &str) -> Left {
    let folder = TempDir::new().expect("folder");
    let whole = format!(
        "set -e\n{script}\nset +e\n(exec -a /runner-guard-post \"$PROGRAM\")\ncode=$?\ncp -a \"$ROOT/.\" \"$KEPT\" || exit 99\nexit $code"
    );
    let own = guard.command();
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "bash", "-c", &whole])
        .env_clear()
        .envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .env("ROOT", guard.path(""))
        .env("KEPT", folder.path())
        .env("PROGRAM", env!("CARGO_BIN_EXE_runner-guard"))
        .output()
        .expect("unshare");
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    Left { folder, said }
}

/// All folders of the run on one disk that has this much room left.
fn on_a_disk_with(room: &str) -> String {
    format!(
        "staged=$(mktemp -d)\ncp -a \"$ROOT/.\" \"$staged\"\n\
         mount -t tmpfs -o size=2m tmpfs \"$ROOT\"\ncp -a \"$staged/.\" \"$ROOT\"\nrm -rf \"$staged\"\n\
         dd if=/dev/zero of=\"$ROOT/room\" bs=1k count={room} status=none\n\
         dd if=/dev/zero of=\"$ROOT/filler\" bs=4k status=none 2>/dev/null && exit 98\nrm \"$ROOT/room\""
    )
}

#[test]
fn a_disk_that_is_full_costs_what_has_no_room_and_leaves_nothing_half_written() {
    let server = with(vec![]);
    let mut bundles = Vec::new();
    for room in ["0", "4", "8", "16", "32", "64", "128", "256", "512", "1024"] {
        let left = after(&prepared(&server), &on_a_disk_with(room));
        let what = format!("{room} KiB are free");
        left.is_whole(&what);
        let summary = left.summary();
        let told = if left.warns("Summary not written") { &left.said } else { &summary };
        assert!(told.contains("No space left on device"), "{what}: {}", left.said);
        assert!(!summary.contains("still at work") || left.warns("Summary not written"), "{what}");
        let kept = names(&left.path("temp/runner-guard")).iter().any(|name| name == BUNDLE);
        assert_ne!(kept, left.warns("No bundle of the evidence"), "{what}: {}", left.said);
        bundles.push(kept);
    }
    assert!(!bundles[0] && bundles[9], "the disks were not full, or never empty: {bundles:?}");
}

#[test]
fn a_full_folder_for_temporary_files_costs_the_bundle_and_not_the_summary() {
    let server = with(vec![]);
    let full = "mount -t tmpfs -o size=16k tmpfs \"$ROOT/temp\"";
    let left = after(&prepared(&server), full);
    left.is_whole("a full folder");
    assert!(left.warns("No bundle of the evidence"), "{}", left.said);
    assert!(left.said.contains("os error 28"), "{}", left.said);
    let summary = left.summary();
    assert!(!summary.contains("still at work") && summary.contains("No space left on device"));
    assert!(server.artifact("box").is_none());
}

#[test]
fn a_workspace_that_is_read_only_costs_the_copy_of_a_bundle_that_was_refused() {
    let read_only = "mount --bind \"$ROOT/ws\" \"$ROOT/ws\"\nmount -o remount,bind,ro \"$ROOT/ws\"";
    let server = with(vec![]);
    let left = after(&prepared(&server), read_only);
    left.is_whole("read-only");
    assert!(server.artifact("box").is_some(), "{}", left.said);
    assert!(!left.said.contains("::warning title=No "), "{}", left.said);

    let left = after(&prepared(&refusing()), read_only);
    left.is_whole("read-only and refused");
    assert!(left.warns("Evidence was not uploaded"), "{}", left.said);
    assert!(left.said.contains("the bundle does not outlive the job"), "{}", left.said);
    assert!(names(&left.path("temp/runner-guard")).iter().any(|name| name == BUNDLE));
}
