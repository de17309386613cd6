//! Documents that can rot: the inputs and outputs of action.yml and of the README, the page of checks, the links to runbooks.
#![expect(clippy::disallowed_methods, reason = "the tests read the documents")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use runner_guard::check::{ALL, Check};
use runner_guard::config::INPUTS;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn action() -> serde_yaml::Value {
    serde_yaml::from_str(&read("action.yml")).expect("action.yml is YAML")
}

fn keys(of: &serde_yaml::Value) -> Vec<String> {
    let map = of.as_mapping().expect("a map");
    map.keys().filter_map(|k| k.as_str().map(str::to_owned)).collect()
}

#[test]
fn the_inputs_of_the_action_are_those_of_the_table() {
    let action = action();
    let inputs = &action["inputs"];
    let table: Vec<&str> = INPUTS.iter().map(|i| i.name).collect();
    let mut named = keys(inputs);
    let mut expected: Vec<String> = table.iter().map(|&n| n.to_owned()).collect();
    named.sort();
    expected.sort();
    assert_eq!(named, expected);
    for input in INPUTS {
        let default = inputs[input.name]["default"].as_str().unwrap_or_default();
        assert_eq!(default, input.default, "default of {}", input.name);
    }
}

#[test]
fn the_readme_lists_every_input_and_output_with_its_default() {
    let readme = read("README.md");
    for input in INPUTS {
        let default =
            if input.default.is_empty() { String::new() } else { format!("`{}`", input.default) };
        let row = format!("| `{}` | {default} |", input.name);
        assert!(readme.contains(&row), "the README has no row {row}");
    }
    for output in keys(&action()["outputs"]) {
        assert!(
            readme.contains(&format!("| `{output}` |")),
            "the README does not list the output {output}"
        );
    }
}

#[test]
fn the_outputs_of_the_action_are_those_that_are_written() {
    let source = read("src/cli/publish.rs");
    let names = source.lines().filter_map(|line| {
        let (name, _) = line.trim_start().strip_prefix("(\"")?.split_once("\",")?;
        Some(name.to_owned())
    });
    let written: BTreeSet<String> = names.collect();
    let declared: BTreeSet<String> = keys(&action()["outputs"]).into_iter().collect();
    assert_eq!(declared, written, "left: action.yml, right: what is written");
}

#[test]
fn the_page_of_checks_is_the_table_in_words() {
    let path = root().join("docs/checks.md");
    let expected = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &expected).expect("docs/checks.md");
    }
    assert_eq!(read("docs/checks.md"), expected, "run UPDATE_DOCS=1 cargo test --test it docs");
}

fn page() -> String {
    let mut page = "# Checks\n\nGenerated from the table in the code; do not edit.\n".to_owned();
    for check in ALL {
        page.push('\n');
        page.push_str(&section(*check));
    }
    page
}

fn section(check: &dyn Check) -> String {
    let unknown = check.on_unknown().map_or("as gate.on-unknown says", |level| level.word());
    let mut text = format!(
        "## {}\n\n{}\n\nLevel: {}. Without an answer: {unknown}.\n\n{}\n",
        check.id(),
        check.question(),
        check.level().word(),
        check.explain()
    );
    if !check.options().is_empty() {
        text.push_str("\n| option | default | meaning |\n| --- | --- | --- |\n");
        for option in check.options() {
            let _ = writeln!(text, "| {} | {} | {} |", option.name, option.default, option.help);
        }
    }
    let _ = write!(text, "\nRunbook: [{0}](runbooks/{0}.md#{1})\n", check.runbook(), check.id());
    text
}

#[test]
fn every_check_has_its_section_in_its_runbook() {
    for check in ALL {
        let runbook = read(&format!("docs/runbooks/{}.md", check.runbook()));
        assert!(
            runbook.contains(&format!("\n## {}\n", check.id())),
            "{} has no section ## {}",
            check.runbook(),
            check.id()
        );
    }
}

#[test]
fn the_first_look_of_a_runbook_links_every_check_that_leads_to_it() {
    for check in ALL {
        let runbook = read(&format!("docs/runbooks/{}.md", check.runbook()));
        let links = runbook.lines().find(|line| line.starts_with("Checks of the gate: "));
        let link = format!("[{0}](#{0})", check.id());
        assert!(links.is_some_and(|l| l.contains(&link)), "{} lacks {link}", check.runbook());
    }
}

#[test]
fn the_page_of_checks_has_one_section_for_each_check_and_no_other() {
    let page = read("docs/checks.md");
    let sections: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let ids: Vec<&str> = ALL.iter().map(|check| check.id()).collect();
    assert_eq!(sections, ids);
}

#[test]
fn links_between_documents_lead_somewhere() {
    for page in [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "CHANGELOG.md",
        "docs/configuration.md",
        "docs/checks.md",
        "docs/performance.md",
        "docs/quick-reference.md",
        "docs/runbooks/README.md",
    ] {
        let text = read(page);
        let folder = root().join(page).parent().map(PathBuf::from).unwrap_or_default();
        for (_, rest) in text.match_indices("](").map(|(at, _)| text.split_at(at + 2)) {
            let target = rest.split(')').next().unwrap_or_default();
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") {
                continue;
            }
            assert!(folder.join(file).exists(), "{page} links to {target}, which is not there");
        }
    }
}
