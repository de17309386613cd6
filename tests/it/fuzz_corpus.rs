//! Every input that the fuzzers keep, through the same functions as there: what was once found stays found.

#![expect(clippy::disallowed_methods, reason = "the tests read the kept inputs")]

use std::path::Path;

#[path = "../../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "the fuzz targets use them from another crate")]
mod properties;

/// Most of all kept inputs together, in bytes: they are copied with every clone.
const MOST: u64 = 1 << 20;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

/// Every kept input of a target through its function.
fn hold(target: &str, check: fn(&[u8])) {
    let kept = std::fs::read_dir(folder().join(target)).expect("the target keeps inputs");
    let mut seen = 0;
    for entry in kept {
        let path = entry.expect("an entry").path();
        let input = std::fs::read(&path).expect("an input");
        let held = std::panic::catch_unwind(|| check(&input));
        assert!(held.is_ok(), "{} breaks a promise", path.display());
        seen += 1;
    }
    assert!(seen > 0, "no input is kept for {target}");
}

macro_rules! targets {
    ($($target:ident: $promise:ident),* $(,)?) => {
        const TARGETS: &[&str] = &[$(stringify!($target)),*];

        $(#[test]
        fn $promise() {
            hold(stringify!($target), properties::$target::check);
        })*
    };
}

targets! {
    ansible: output_of_ansible_is_read_the_same_in_whatever_pieces_it_comes,
    bundle: a_bundle_from_anybody_holds_plain_names_within_the_limits,
    config: every_mistake_of_a_configuration_has_a_place_and_the_rest_can_be_printed_and_read,
    credential: a_value_of_a_secret_is_read_whatever_it_is,
    diag: logs_of_a_runner_are_read_within_the_limits,
    diagnose: causes_are_sound_and_the_same_twice,
    escape: foreign_text_stays_in_its_place,
    exposition: metrics_that_were_read_can_be_written_and_read_again,
    redactor: no_value_survives_in_any_encoding_and_twice_is_once,
    redactor_stream: where_the_buffer_is_cut_changes_nothing,
    signatures: signatures_are_refused_with_a_reason_or_work_on_any_text,
}

#[test]
fn each_fuzz_target_is_checked_here_and_has_its_dictionary() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let names = |folder: &str| {
        let entries = std::fs::read_dir(fuzz.join(folder)).expect("a folder of fuzz");
        let stem = |e: std::io::Result<std::fs::DirEntry>| {
            let path = e.expect("an entry").path();
            path.file_stem().expect("a name").to_string_lossy().into_owned()
        };
        let mut names: Vec<String> = entries.map(stem).collect();
        names.sort();
        names
    };
    for folder in ["targets", "dicts", "corpus"] {
        assert_eq!(names(folder), TARGETS, "{folder}");
    }
    let manifest = std::fs::read_to_string(fuzz.join("Cargo.toml")).expect("its manifest");
    for target in TARGETS {
        assert!(manifest.contains(&format!("path = \"targets/{target}.rs\"")), "{target}");
    }
}

#[test]
fn the_kept_inputs_stay_small() {
    let mut sum = 0;
    for target in TARGETS {
        for entry in std::fs::read_dir(folder().join(target)).expect("its inputs") {
            sum += entry.expect("an entry").metadata().expect("its size").len();
        }
    }
    assert!(sum <= MOST, "{sum} bytes, at most {MOST}: scripts/fuzz.sh --keep makes them fewer");
}
