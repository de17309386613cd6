//! The schema says the same as the program: what stands in the documents is right for both, what is wrong is wrong for both.
#![expect(clippy::disallowed_methods, reason = "the tests read the documents")]

use std::path::{Path, PathBuf};

use jsonschema::Validator;
use runner_guard::check;
use runner_guard::config::{self, Inputs};
use serde_json::Value;

use crate::support::command::Guard;

const FILE: &str = "schema/runner-guard.schema.json";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn validator() -> Validator {
    let schema: Value = serde_json::from_str(&read(&root().join(FILE))).expect("JSON");
    jsonschema::draft202012::new(&schema).expect("a schema")
}

fn value(yaml: &str) -> Value {
    serde_yaml::from_str(yaml).unwrap_or_else(|e| panic!("{e}\n{yaml}"))
}

fn accepted(yaml: &str) -> bool {
    config::load(Some(("c.yml", yaml)), &Inputs::default(), &check::known()).is_ok()
}

#[test]
fn the_committed_schema_is_what_the_program_prints() {
    let printed = Guard::plain(&["config", "schema"]).run().stdout;
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(root().join(FILE), &printed).expect("the schema");
    }
    assert!(
        read(&root().join(FILE)) == printed,
        "run UPDATE_DOCS=1 cargo test --test it config::schema"
    );
}

/// The YAML blocks of a page.
fn blocks(text: &str) -> Vec<String> {
    let after = text.split("```yaml\n").skip(1);
    after.filter_map(|rest| rest.split("\n```").next()).map(|b| format!("{b}\n")).collect()
}

/// Whether a block is a configuration: a map with a key that no workflow and no rule file has.
fn is_configuration(yaml: &str) -> bool {
    const OURS: [&str; 8] = [
        "runners",
        "gate",
        "checks",
        "secrets",
        "collect",
        "prometheus",
        "network",
        "environments",
    ];
    let Ok(serde_yaml::Value::Mapping(map)) = serde_yaml::from_str(yaml) else { return false };
    let has = |key: &&str| map.contains_key(*key);
    OURS.iter().any(has) && !["jobs", "on", "runs", "groups", "scrape_configs"].iter().any(has)
}

fn pages() -> Vec<PathBuf> {
    let mut pages = vec![root().join("README.md")];
    for folder in ["docs", "docs/runbooks"] {
        let entries = std::fs::read_dir(root().join(folder)).expect("folder").flatten();
        pages
            .extend(entries.map(|e| e.path()).filter(|p| p.extension().is_some_and(|x| x == "md")));
    }
    pages
}

#[test]
fn every_configuration_in_the_documents_is_right_for_the_schema_and_for_the_program() {
    let mut all = vec![("the example".to_owned(), read(&root().join("examples/runner-guard.yml")))];
    for page in pages() {
        let name = page.display().to_string();
        let found = blocks(&read(&page)).into_iter().filter(|b| is_configuration(b));
        all.extend(found.map(|block| (name.clone(), block)));
    }
    assert!(all.len() > 3, "{} configurations", all.len());
    let validator = validator();
    for (name, yaml) in all {
        let wrong: Vec<String> = validator
            .iter_errors(&value(&yaml))
            .map(|e| format!("{} {e}", e.instance_path()))
            .collect();
        assert_eq!(wrong, Vec::<String>::new(), "{name}\n{yaml}");
        let loaded = config::load(Some(("c.yml", &yaml)), &Inputs::default(), &check::known());
        assert!(loaded.is_ok(), "{name}\n{yaml}\n{}", loaded.expect_err("wrong"));
    }
}

#[test]
fn what_is_right_is_right_for_both() {
    let validator = validator();
    for yaml in [
        "version: 1",
        "timeout: 90",
        "gate: {wait: 1h 30m}",
        "secrets: [a, {name: B, kind: jwt, required: false, max-age: 90d, pair: a}]",
        "checks: {disk-space: warn, disk-inodes: {level: deny, on-unknown: allow}}",
        "checks: {disk-space: {min-free: 1.5GiB, min-free-percent: 7%}}",
        "runners: [{name: a, expect: ephemeral, scale-set: s, authorized-for-prod: false}]",
        "environments: {qa: {gate: {mode: shadow}, tools: [ansible >= 2.15]}}",
        "network: {endpoints: ['db:5432', 'tcp://[::1]:22', 'https://x.example/y?z']}",
        "github: {app-id: 12345}",
    ] {
        assert!(validator.is_valid(&value(yaml)), "the schema refuses {yaml}");
        assert!(accepted(yaml), "the program refuses {yaml}");
    }
}

#[test]
fn what_is_wrong_is_wrong_for_both() {
    let validator = validator();
    for yaml in [
        "version: 2",
        "chekcs: {}",
        "timeout: soon",
        "timeout: -1",
        "timeout: [1s]",
        "environment: [production]",
        "environments: [qa]",
        "environments: {qa: {environment: qa}}",
        "environments: {qa: {version: 1}}",
        "environments: {qa: {environments: {}}}",
        "environments: {qa: {gate: {mode: shadw}}}",
        "environments: {qa: {checks: {disk-spce: deny}}}",
        "prometheus: http://prom:9090",
        "prometheus: {url: prom}",
        "prometheus: {url: 'http://user:pw@prom'}",
        "runners: {name: a}",
        "runners: [a]",
        "runners: [{role: primary}]",
        "runners: [{name: ''}]",
        "runners: [{name: a, expect: sometimes}]",
        "runners: [{name: a, authorized-for-prod: maybe}]",
        "runners: [{name: a, labels: x}]",
        "network: {endpoints: [nonsense]}",
        "secrets: ['not a name']",
        "secrets: [{kind: jwt}]",
        "secrets: [{name: A, kind: jot}]",
        "secrets: [{name: A, value: x}]",
        "secrets: [{name: A, max-age: old}]",
        "variables: ['not a name']",
        "tools: ['-x']",
        "tools: ['ansible >= new']",
        "gate: {on-unknown: maybe}",
        "gate: {min-score: 101}",
        "gate: {min-score: 5.5}",
        "gate: {min-idle: -1}",
        "gate: {wait: x}",
        "checks: {disk-spce: deny}",
        "checks: {disk-space: denied}",
        "checks: {disk-space: 5}",
        "checks: {disk-space: {level: denied}}",
        "checks: {disk-space: {min-fre: 1}}",
        "checks: {disk-space: {min-free: lots}}",
        "checks: {disk-space: {min-free: [1]}}",
        "checks: {disk-space: {min-free-percent: 101}}",
        "collect: {timeout: x}",
        "collect: {runner-logs: {docker-socket: 'true'}}",
        "artifact: {retention-days: 401}",
        "artifact: {upload: 1}",
        "runbooks: docs/runbooks",
    ] {
        assert!(!validator.is_valid(&value(yaml)), "the schema accepts {yaml}");
        assert!(!accepted(yaml), "the program accepts {yaml}");
    }
}

/// Editors show it: no key without words.
#[test]
fn every_key_is_described() {
    let schema: Value = serde_json::from_str(&read(&root().join(FILE))).expect("JSON");
    let mut silent = Vec::new();
    described(&schema, "", &mut silent);
    assert_eq!(silent, Vec::<String>::new());
}

fn described(schema: &Value, path: &str, silent: &mut Vec<String>) {
    for (key, of_key) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{key}");
        if of_key["description"].as_str().unwrap_or_default().len() < 10 {
            silent.push(path.clone());
        }
        described(of_key, &path, silent);
        for branch in of_key["anyOf"].as_array().into_iter().flatten() {
            described(branch, &path, silent);
        }
    }
    for (name, definition) in schema["$defs"].as_object().into_iter().flatten() {
        described(definition, &format!("{path}#{name}"), silent);
    }
}
