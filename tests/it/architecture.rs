//! The walls of the house: who may import whom, how large a thing may be, and what may not be called.
#![expect(clippy::disallowed_methods, reason = "the test reads the sources and starts clippy")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Module -> what it may import from the crate. ARCHITECTURE.md says why.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("redact", &[]),
    ("task", &[]),
    ("config", &[]),
    ("actions", &["redact"]),
    ("report", &["redact", "config"]),
    ("source", &["config", "task"]),
    ("check", &["report", "source", "task", "config"]),
    ("collect", &["report", "source", "task", "config", "redact"]),
    ("gate", &["report", "config", "redact"]),
    ("diagnose", &["report", "redact"]),
    ("exporter", &["source", "config", "task"]),
    (
        "cli",
        &[
            "redact", "task", "config", "actions", "report", "source", "check", "collect", "gate",
            "diagnose", "exporter",
        ],
    ),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below a folder, with its text.
fn files(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = std::fs::read_to_string(&path).expect("text");
                found.push((path, text));
            }
        }
    }
    found
}

/// The crate's modules that this text names; of a group every first word, over as many lines as it takes.
fn imports(text: &str) -> Vec<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code: Vec<&str> = code.collect();
    let code = code.join("\n");
    let mut names = Vec::new();
    for (_, after) in code.match_indices("crate::").map(|(at, _)| code.split_at(at + 7)) {
        match after.strip_prefix('{') {
            Some(group) => names.extend(heads(group)),
            None => names.push(word(after)),
        }
    }
    names
}

/// The first word of each path of a group, up to the brace that closes it.
fn heads(group: &str) -> Vec<String> {
    let mut depth = 0;
    let mut names = vec![word(group.trim_start())];
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(word(group.get(at + 1..).unwrap_or_default().trim_start()));
            }
            _ => {}
        }
    }
    names
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect()
}

/// Imports of a module that the table does not allow.
fn violations(module: &str, text: &str) -> Vec<String> {
    let (_, allowed) =
        MAY_IMPORT.iter().find(|(name, _)| *name == module).expect("a module of the table");
    let known = |name: &String| MAY_IMPORT.iter().any(|(m, _)| m == name);
    imports(text)
        .into_iter()
        .filter(known)
        .filter(|name| name != module && !allowed.contains(&name.as_str()))
        .collect()
}

fn module_of(path: &Path) -> String {
    let inside = path.strip_prefix(root().join("src")).expect("below src");
    let first =
        inside.components().next().expect("a name").as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

#[test]
fn every_module_imports_only_what_lies_below_it() {
    for (path, text) in files("src") {
        let module = module_of(&path);
        if module == "lib" || module == "main" {
            continue;
        }
        assert_eq!(violations(&module, &text), Vec::<String>::new(), "{}", path.display());
    }
}

#[test]
fn a_planted_import_is_caught() {
    assert_eq!(violations("gate", "use crate::source::Error;\n"), ["source"]);
    assert_eq!(violations("source", "    let x = crate::report::Status::Pass;\n"), ["report"]);
    assert_eq!(violations("redact", "use crate::{task};\n"), ["task"]);
    assert_eq!(
        violations("redact", "use crate::{\n    redact::{Redacted, view},\n    task,\n};\n"),
        ["task"]
    );
    assert_eq!(violations("check", "use crate::source::Error; // crate::cli\n").len(), 1);
    assert!(violations("check", "//! crate::cli\nuse crate::report::Answer;\n").is_empty());
}

#[test]
fn files_and_functions_keep_their_budgets() {
    let mut over = Vec::new();
    for (path, text) in files("src").into_iter().chain(files("tests")) {
        let lines: Vec<&str> = text.lines().collect();
        if lines.len() > 500 {
            over.push(format!("{}: {} lines", path.display(), lines.len()));
        }
        over.extend(long_functions(&lines).into_iter().map(|f| format!("{}: {f}", path.display())));
    }
    assert_eq!(over, Vec::<String>::new());
    let main = std::fs::read_to_string(root().join("src/main.rs")).expect("main");
    assert!(main.lines().count() <= 15);
}

fn long_functions(lines: &[&str]) -> Vec<String> {
    let mut open: Option<(usize, usize, String)> = None;
    let mut long = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let head = line.trim_start();
        if open.is_none() && is_function(head) && !head.ends_with(';') {
            open = Some((at, indent, head.to_owned()));
        } else if let Some((start, _, name)) =
            open.take_if(|(_, depth, _)| *line == format!("{}}}", " ".repeat(*depth)))
            && at - start + 1 > 60
        {
            long.push(format!("{name} has {} lines", at - start + 1));
        }
    }
    long
}

/// Whether a line opens a function: `fn` after nothing but its visibility and its qualifiers.
fn is_function(head: &str) -> bool {
    let before = head.split("fn ").next().unwrap_or_default();
    let qualifier = |word: &str| {
        matches!(word, "async" | "const" | "unsafe" | "extern") || word.starts_with("pub")
    };
    before.len() < head.len() && before.split_whitespace().all(qualifier)
}

#[test]
fn a_planted_long_function_is_caught_whatever_stands_before_it() {
    for head in ["fn f() {", "pub(super) async fn f() {", "pub(crate) const fn f() {"] {
        let body = |lines: usize| [vec![head], vec!["    x();"; lines], vec!["}"]].concat();
        assert_eq!(long_functions(&body(59)), [format!("{head} has 61 lines")]);
        assert!(long_functions(&body(58)).is_empty(), "{head}");
    }
}

#[test]
fn no_test_is_ignored_and_nothing_panics_outside_of_tests() {
    let mut found = Vec::new();
    for (path, text) in files("src") {
        let is_test =
            ["/tests", "_tests.rs"].iter().any(|part| path.to_string_lossy().contains(part))
                || path.ends_with("sample.rs");
        let words = if is_test { Vec::new() } else { panics(&text) };
        found.extend(words.into_iter().map(|word| format!("{}: {word}", path.display())));
    }
    let ignored = format!("#[{}]", "ignore");
    found.extend(
        files("tests")
            .iter()
            .chain(&files("src"))
            .filter(|(_, t)| t.contains(&ignored))
            .map(|(p, _)| p.display().to_string()),
    );
    assert_eq!(found, Vec::<String>::new());
}

/// What may panic in this text before its tests begin.
fn panics(text: &str) -> Vec<&'static str> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let words = [".unwrap()", ".expect(\"", "panic!(", "todo!(", "unimplemented!("];
    words.into_iter().filter(|word| code.contains(word)).collect()
}

#[test]
fn a_planted_panic_is_caught_and_one_in_a_test_is_not() {
    assert_eq!(panics("let a = b.unwrap();\n#[cfg(test)]\n"), [".unwrap()"]);
    assert!(panics("let a = b.unwrap_or(1);\n#[cfg(test)]\nmod tests { x.unwrap() }\n").is_empty());
}

/// One owner for each door to the outside; a rule that is lost here is lost silently.
#[test]
fn the_linter_knows_every_door_that_has_one_owner() {
    let rules = std::fs::read_to_string(root().join("clippy.toml")).expect("clippy.toml");
    for method in [
        "std::env::var",
        "std::env::var_os",
        "std::env::vars",
        "std::io::stdout",
        "std::fs::read",
        "std::fs::read_to_string",
        "std::fs::write",
        "std::fs::File::open",
        "std::process::Command::new",
        "tokio::process::Command::new",
        "std::process::exit",
        "reqwest::Client::new",
        "reqwest::Response::bytes",
        "reqwest::Response::text",
        "tokio::spawn",
        "std::time::SystemTime::now",
    ] {
        let rule = format!("{{ path = \"{method}\", reason = \"");
        assert!(rules.contains(&rule), "clippy.toml has no rule with a reason for {method}");
    }
}

/// Runs the real linter with our rules on a planted call.
#[test]
fn clippy_catches_a_planted_read_of_the_environment() {
    let folder = tempfile::tempdir().expect("folder");
    let planted = folder.path().join("planted.rs");
    std::fs::write(&planted, "#![deny(clippy::disallowed_methods)]\npub fn leak() -> Option<String> { std::env::var(\"HOME\").ok() }\n").expect("file");
    let sysroot = Command::new("rustc")
        .args(["--print", "sysroot"])
        .current_dir(root())
        .output()
        .expect("rustc");
    let sysroot = String::from_utf8_lossy(&sysroot.stdout).trim().to_owned();
    let output = Command::new("clippy-driver")
        .arg(&planted)
        .args([
            "--crate-type",
            "lib",
            "--edition",
            "2024",
            "--emit",
            "metadata",
            "--sysroot",
            &sysroot,
            "--out-dir",
        ])
        .arg(folder.path())
        .env("CLIPPY_CONF_DIR", root())
        .current_dir(root())
        .output()
        .expect("clippy-driver");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "clippy let it pass\n{said}");
    assert!(said.contains("only actions::env reads the environment"), "{said}");
}

#[test]
fn every_module_of_the_crate_stands_in_the_table() {
    let lib = std::fs::read_to_string(root().join("src/lib.rs")).expect("lib");
    let declared = lib.lines().filter_map(|l| l.strip_prefix("pub mod ")?.strip_suffix(';'));
    let table: BTreeMap<&str, &[&str]> = MAY_IMPORT.iter().copied().collect();
    for module in declared {
        assert!(table.contains_key(module), "{module} has no row");
    }
}

#[test]
fn what_a_collector_is_about_are_checks_that_exist() {
    let known: Vec<&str> = runner_guard::check::ALL.iter().map(|check| check.id()).collect();
    let about = runner_guard::collect::ALL.iter().flat_map(|one| one.about());
    let mut seen = 0;
    for id in about {
        assert!(known.contains(id), "{id} is no check");
        seen += 1;
    }
    assert!(seen > 0);
}
