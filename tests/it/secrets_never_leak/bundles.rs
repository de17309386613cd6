//! `redact --bundle`: a bundle that was made before, for another reader; and the black box with rules and a profile of the user.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::command::{Ended, Guard};

const LOG: &str = "PLAY [Deploy] ****\n\nTASK [ping web-eu-7] ****\nfatal: [web-eu-7]: FAILED! => {\"changed\": false, \"msg\": \"Initech: no route to 10.20.30.40, word sesame-street-42\"}\n\nPLAY RECAP ****\nweb-eu-7 : ok=0 changed=0 unreachable=0 failed=1 skipped=0 rescued=0 ignored=0\n";
const RULES: &str = "version: 1\nredact:\n  rules:\n    - {name: customer, literal: Initech}\n";

/// A finished run of the black box that knew no secret, in a place that outlives it.
fn bundle() -> TempDir {
    let guard =
        Guard::plain(&["diagnose", "--ansible-log", "ansible.log"]).file("ansible.log", LOG);
    let from = guard.path("runner-guard-out");
    let ended = guard.run();
    let kept = tempfile::tempdir().expect("folder");
    for (name, to) in
        [("runner-guard-bundle.tar.gz", "old.tar.gz"), ("runner-guard-bundle.zip", "old.zip")]
    {
        copy(&from.join(name), &kept.path().join(to), &ended);
    }
    unpack(&kept.path().join("old.tar.gz"), &kept.path().join("old"));
    kept
}

fn copy(from: &Path, to: &Path, ended: &Ended) {
    std::fs::copy(from, to).unwrap_or_else(|e| panic!("{e}: {}", ended.stderr));
}

#[expect(clippy::disallowed_methods, reason = "the test's own archive")]
fn unpack(from: &Path, to: &Path) {
    let file = std::fs::File::open(from).expect("bundle");
    tar::Archive::new(flate2::read::MultiGzDecoder::new(file)).unpack(to).expect("unpacked");
}

/// All texts of a bundle, by path.
fn texts(bundle: &Path) -> Vec<(String, String)> {
    let opened = runner_guard::collect::bundle::read::read(bundle).expect("a bundle");
    assert_eq!(opened.problems, Vec::<String>::new(), "every entry is what the manifest says");
    let mut all: Vec<(String, String)> = opened
        .entries
        .iter()
        .map(|(path, bytes)| (path.clone(), String::from_utf8_lossy(bytes).into_owned()))
        .collect();
    let manifest = opened.manifest.expect("a manifest");
    all.push(("manifest.json".to_owned(), manifest.to_string()));
    all
}

fn redact(old: &Path, new: &Path, args: &[&str]) -> Guard {
    let (old, new) = (old.display().to_string(), new.display().to_string());
    let all = [&["redact", "--bundle", old.as_str(), "--out", new.as_str()], args].concat();
    Guard::plain(&all).env("RUNNER_GUARD_SECRET_LATE", "sesame-street-42")
}

#[test]
fn a_bundle_of_every_form_is_redacted_once_more_into_one_of_the_same_form() {
    let kept = bundle();
    for (old, new) in [("old.tar.gz", "new.tar.gz"), ("old.zip", "new.zip"), ("old", "new")] {
        let (old, new) = (kept.path().join(old), kept.path().join(new));
        let before = texts(&old);
        assert!(before.iter().any(|(_, text)| text.contains("sesame-street-42")), "{before:?}");
        let args = ["--config", "c.yml", "--profile", "public"];
        let ended = redact(&old, &new, &args).file("c.yml", RULES).run();
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        let after = texts(&new);
        for (path, text) in &after {
            for gone in ["sesame-street-42", "Initech", "web-eu-7", "10.20.30.40"] {
                assert!(!text.contains(gone), "{path} holds {gone}: {text}");
            }
        }
        let paths = |all: &[(String, String)]| -> Vec<String> {
            let own = |path: &&String| *path != "redaction-report.json";
            all.iter().map(|(path, _)| path).filter(own).cloned().collect()
        };
        assert_eq!(paths(&before), paths(&after));
        assert_eq!(texts(&old), before, "the old bundle stays as it is");
        let report = after.iter().find(|(path, _)| path == "redaction-report.json");
        let report: Value = serde_json::from_str(&report.expect("a report").1).expect("JSON");
        assert_eq!(report["profile"], "public");
        assert_eq!(report["canary"]["result"], "passed");
        assert!(report["replaced"].to_string().contains("customer"), "{report}");
    }
}

#[test]
fn a_redacted_bundle_is_diagnosed_like_the_old_one() {
    let kept = bundle();
    let (old, new) = (kept.path().join("old.tar.gz"), kept.path().join("new.tar.gz"));
    assert_eq!(redact(&old, &new, &[]).run().code, 0);
    let causes = |path: &PathBuf| {
        let bundle = path.display().to_string();
        let report =
            Guard::plain(&["diagnose", "--bundle", &bundle, "--format", "json"]).run().report();
        let all = report["diagnoses"].as_array().cloned().unwrap_or_default();
        all.into_iter().map(|d| d["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(causes(&old), causes(&new));
}

#[test]
fn a_bundle_is_never_written_over_and_a_link_to_one_is_refused() {
    let kept = bundle();
    let old = kept.path().join("old.tar.gz");
    let before = texts(&old);
    let link = kept.path().join("link.tar.gz");
    std::os::unix::fs::symlink(&old, &link).expect("link");
    let inside = kept.path().join("old/new");
    let folder = kept.path().join("old");
    let new = kept.path().join("new.tar.gz");
    for (from, to, said) in [
        (&old, &old, "is there already"),
        (&link, &new, "is a symbolic link"),
        (&folder, &inside, "lies inside of the bundle"),
    ] {
        let ended = redact(from, to, &[]).run();
        assert_eq!(ended.code, 2, "{}", ended.stderr);
        assert!(ended.stderr.contains(said) && ended.stderr.contains("help:"), "{}", ended.stderr);
    }
    assert_eq!(texts(&old), before);
    assert!(!new.exists());
}

/// The black box of an action, with this configuration.
fn black_box(config: &str) -> Ended {
    let guard = Guard::action("runner-guard");
    let at = guard.path("temp").display().to_string();
    let ended = guard
        .file("ws/.github/runner-guard.yml", config)
        .file("ws/ansible.log", LOG)
        .env("INPUT_MODE", "diagnose")
        .env("INPUT_ANSIBLE-LOG", "ansible.log")
        .env("INPUT_UPLOAD-ARTIFACT", "false")
        .env("RUNNER_GUARD_SECRET_LATE", "sesame-street-42")
        .run();
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    let output = ended.left("commands/output");
    assert!(output.contains(&at), "the path of the bundle is for programs: {output}");
    ended
}

#[test]
fn rules_and_profile_hold_for_the_black_box_and_stars_stand_where_people_read() {
    let ended = black_box(
        "version: 1\nredact:\n  profile: share-with-vendor\n  rules:\n    - {name: customer, literal: Initech}\n",
    );
    let summary = ended.left("commands/summary");
    for text in [&summary, &ended.stdout] {
        for gone in ["sesame-street-42", "Initech", "web-eu-7", "10.20.30.40", "[redacted:"] {
            assert!(!text.contains(gone), "{gone}: {text}");
        }
        assert!(text.contains("***") && text.contains("host-") && text.contains("ip-"), "{text}");
    }
    let bundle = ended.left("temp/runner-guard/report.html");
    assert!(bundle.contains("[redacted:customer#") && bundle.contains("[redacted:known-value#1]"));
}

#[test]
fn a_mistake_elsewhere_in_the_configuration_opens_nothing_that_it_closes() {
    let ended = black_box(
        "version: 1\ntimeout: never\nredact:\n  profile: share-with-vendor\n  rules:\n    - {name: customer, literal: Initech}\n",
    );
    let summary = ended.left("commands/summary");
    for gone in ["sesame-street-42", "Initech", "web-eu-7", "10.20.30.40"] {
        assert!(!summary.contains(gone), "{gone}: {summary}");
    }
    assert!(summary.contains("the configuration could not be used"), "{summary}");
}
