//! The commands that a workflow or a person starts by hand, with the hostile text in a file, in its name, in the configuration, in an input
//! and in an argument.

use serde_json::Value;

use super::judge;
use crate::support::command::{Ended, Guard};

/// What they print, each under what was asked.
fn printed(text: &str) -> Vec<(&'static str, Ended)> {
    // The kernel keeps NUL out of arguments and names, and a slash out of names.
    let argument: String = text.replace('\0', "").chars().take(2000).collect();
    let part: String = argument.replace('/', "_").chars().take(40).collect();
    let name = format!("{part}.log");
    let quoted = serde_json::to_string(&argument).expect("JSON");
    let strings = format!(
        "environment: {quoted}\nrunners:\n  - {{name: {quoted}, labels: [self-hosted, {quoted}], group: {quoted}}}\ncollect: {{files: [{quoted}]}}\n"
    );
    let wrong =
        format!("{quoted}: 1\nsecrets: [{quoted}]\nchecks: {{{quoted}: {{level: {quoted}}}}}\n");
    let world = |guard: Guard| {
        guard
            .file(&name, &super::world::ansible(text))
            .file("strings.yml", &strings)
            .file("wrong.yml", &wrong)
            .file("raw.yml", text)
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_SERVER_URL", "https://github.test")
    };
    let plain = |args: &[&str]| world(Guard::plain(args)).run();
    let mut all = Vec::new();
    for (what, form) in
        [("digest as text", "text"), ("digest as JSON", "json"), ("digest as Markdown", "markdown")]
    {
        all.push((what, plain(&["digest", "--format", form, "--", &name])));
    }
    for file in ["strings.yml", "wrong.yml", "raw.yml"] {
        all.push(("config check", plain(&["config", "check", file])));
    }
    all.push((
        "config check as JSON",
        plain(&["config", "check", "wrong.yml", "--format", "json"]),
    ));
    all.push(("config print", plain(&["config", "print", "strings.yml"])));
    all.push(("config requirements", plain(&["config", "requirements", "strings.yml"])));
    all.push(("an unknown command", plain(&[&argument])));
    all.push(("explain", plain(&["explain", "--", &argument])));
    all.push(("a log that is not there", plain(&["diagnose", &format!("--log={argument}")])));
    all.push(("a bundle that is not there", plain(&["diagnose", &format!("--bundle={argument}")])));
    for (what, input) in [
        ("the input mode", "INPUT_MODE"),
        ("the input config", "INPUT_CONFIG"),
        ("the input ca-bundle", "INPUT_CA-BUNDLE"),
    ] {
        all.push((what, world(Guard::action("runner-guard")).env(input, &argument).run()));
    }
    all
}

#[test]
fn the_commands_show_the_calm_text() {
    for (what, ended) in printed("calm") {
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(said.contains("calm") || what.starts_with("config"), "{what}: {said}");
    }
}

#[test]
fn no_text_in_a_file_a_configuration_an_input_or_an_argument_leaves_its_place() {
    let escapes = super::in_parallel(&super::hostile::all(), |text| {
        let mut found = Vec::new();
        for (what, ended) in printed(&text.text) {
            let told = |found: Vec<String>| {
                found.into_iter().map(|f| format!("{what}: {f}")).collect::<Vec<_>>()
            };
            assert!((0..=12).contains(&ended.code), "{what}: {} {}", ended.code, ended.stderr);
            for (place, words) in [("stdout", &ended.stdout), ("stderr", &ended.stderr)] {
                found.extend(told(judge::commands(words)));
                found.extend(told(judge::hidden(place, words)));
            }
            if what.ends_with("JSON") && !ended.stdout.is_empty() {
                let read = serde_json::from_str::<Value>(&ended.stdout).err();
                found.extend(read.map(|e| format!("{what}: no JSON: {e}")));
            }
            if what.ends_with("Markdown") {
                found.extend(told(judge::digest(&ended.stdout)));
            }
        }
        found.into_iter().map(|what| format!("{} {}: {what}", text.rule, text.name)).collect()
    });
    assert!(escapes.is_empty(), "{} escapes\n{}", escapes.len(), escapes.join("\n"));
}
