//! The examples and the action describe the same thing: what an example sets or reads, action.yml declares.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test reads the files of the project, and panics to fail"
)]

use std::path::{Path, PathBuf};

use serde_yaml::Value;

use crate::support::command::Guard;

const OURS: &str = "ORG/runner-guard@v1";

#[test]
fn every_input_that_an_example_sets_is_declared() {
    let inputs = names(&yaml("action.yml")["inputs"]);
    for (file, step) in guard_steps() {
        for name in names(&step["with"]) {
            assert!(
                inputs.contains(&name),
                "{file} sets {name}, which action.yml does not declare"
            );
        }
        // Each of the two is useless without the other.
        let given = |name: &str| step["with"][name].as_str().is_some();
        assert_eq!(given("app-id"), given("app-private-key"), "{file}");
    }
}

#[test]
fn every_output_that_an_example_reads_is_declared() {
    let outputs = names(&yaml("action.yml")["outputs"]);
    let mut read = 0;
    for file in workflows() {
        for name in after(&text(&file), "steps.guard.outputs.") {
            assert!(
                outputs.contains(&name),
                "{file} reads {name}, which action.yml does not declare"
            );
            read += 1;
        }
        for name in after(&text(&file), "needs.gate.outputs.") {
            let handed_on = names(&yaml(&file)["jobs"]["gate"]["outputs"]);
            assert!(handed_on.contains(&name), "{file}: the gate does not hand on {name}");
        }
    }
    assert!(read > 0, "no example reads an output");
}

#[test]
fn a_deploy_step_has_the_shell_that_does_not_hide_a_failure_in_a_pipe() {
    for file in workflows() {
        for step in steps(&file).iter().filter(|step| step["run"].as_str().is_some()) {
            assert_eq!(step["shell"].as_str(), Some("bash"), "{file}: {step:?}");
            // What other systems say must not become a command.
            assert!(!step["run"].as_str().unwrap().contains("${{"), "{file}: {step:?}");
        }
    }
}

#[test]
fn every_example_names_its_permissions_its_times_and_its_versions() {
    for file in workflows() {
        let workflow = yaml(&file);
        let permissions = names(&workflow["permissions"]);
        assert!(permissions.contains(&"contents".to_owned()), "{file}: checkout needs contents");
        for name in permissions {
            assert_eq!(workflow["permissions"][name.as_str()].as_str(), Some("read"), "{file}");
        }
        for (name, job) in workflow["jobs"].as_mapping().unwrap() {
            assert!(
                job["timeout-minutes"].as_u64().is_some(),
                "{file}: {name:?} may hang for hours"
            );
        }
        for step in steps(&file) {
            let Some(uses) = step["uses"].as_str() else { continue };
            let pinned = uses.split_once('@').is_some_and(|(_, at)| at.len() == 40);
            assert!(uses == OURS || pinned, "{file}: {uses}");
        }
    }
}

#[test]
fn every_example_uses_the_guard_and_says_in_its_first_line_what_for() {
    let used: Vec<String> = guard_steps().into_iter().map(|(file, _)| file).collect();
    let all = workflows();
    assert!(all.len() >= 8, "{all:?}");
    for file in all {
        assert!(used.contains(&file), "{file} has no step with {OURS}");
        assert!(text(&file).starts_with("# "), "{file}");
        assert!(text(&file).lines().count() <= 80, "{file} is too long for an example");
    }
}

#[test]
fn a_secret_that_is_handed_in_is_asked_for_and_the_other_way_round() {
    let mut found = 0;
    for (file, step) in guard_steps() {
        for (prefix, input) in [
            ("RUNNER_GUARD_SECRET_", "required-secrets"),
            ("RUNNER_GUARD_VARIABLE_", "required-variables"),
        ] {
            let mut given: Vec<String> = names(&step["env"])
                .iter()
                .filter_map(|name| name.strip_prefix(prefix).map(str::to_owned))
                .collect();
            let asked = step["with"][input].as_str().unwrap_or_default();
            let mut asked: Vec<String> = asked.split_whitespace().map(str::to_owned).collect();
            given.sort();
            asked.sort();
            assert_eq!(given, asked, "{file}: {input}");
            found += given.len();
        }
    }
    assert!(found > 0, "no example hands in a secret");
}

#[test]
fn every_configuration_that_an_example_shows_is_a_right_one() {
    let mut shown = 0;
    for file in workflows() {
        for (name, snippet) in configurations(&text(&file)) {
            let ended = Guard::plain(&["config", "check", "c.yml"]).file("c.yml", &snippet).run();
            assert_eq!(
                ended.code, 0,
                "{file}: {name}\n{}{}\n{snippet}",
                ended.stdout, ended.stderr
            );
            shown += 1;
        }
    }
    assert!(shown >= 6, "{shown} configurations are shown");
}

/// The configurations in the comments of an example: below `# .github/NAME.yml:`, each line after `#   `.
fn configurations(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let marker = line.strip_prefix("# .github/").and_then(|line| line.strip_suffix(".yml:"));
        if let Some(name) = marker {
            found.push((name.to_owned(), String::new()));
            inside = true;
        } else if let (true, Some(code)) = (inside, line.strip_prefix("#   ")) {
            let (_, snippet) = found.last_mut().unwrap();
            snippet.push_str(code);
            snippet.push('\n');
        } else {
            inside = false;
        }
    }
    found
}

/// The names that stand directly behind a text.
fn after(text: &str, before: &str) -> Vec<String> {
    let name = |part: &str| part.chars().take_while(|c| c.is_alphanumeric() || *c == '-').collect();
    text.split(before).skip(1).map(name).collect()
}

#[test]
fn the_action_keeps_what_both_runners_need() {
    let action = yaml("action.yml");
    let runs = &action["runs"];
    assert_eq!(names(runs), ["using", "image", "entrypoint", "post-entrypoint"]);
    assert_eq!(action["inputs"]["job-status"]["default"].as_str(), Some("${{ job.status }}"));
    // An expression in a description is refused by act, and by the runner.
    for part in ["inputs", "outputs"] {
        for name in names(&action[part]) {
            let description =
                action[part][name.as_str()]["description"].as_str().unwrap_or_default();
            assert!(
                !description.is_empty() && !description.contains("${{"),
                "{part}.{name}: {description}"
            );
        }
    }
}

#[test]
fn the_names_in_the_image_are_the_entry_points_of_the_action() {
    let runs = &yaml("action.yml")["runs"];
    let layout = text("scripts/rootfs.sh");
    for name in ["entrypoint", "post-entrypoint"] {
        let path = runs[name].as_str().unwrap();
        assert!(
            layout.contains(&format!("\"$2{path}\"")),
            "scripts/rootfs.sh does not make {path}"
        );
    }
}

/// The files of the examples that are workflows.
fn workflows() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let names = std::fs::read_dir(folder).unwrap().flatten();
    let files = names.map(|entry| format!("examples/{}", entry.file_name().to_string_lossy()));
    let mut files: Vec<String> = files.filter(|file| text(file).contains("\njobs:\n")).collect();
    files.sort();
    files
}

fn guard_steps() -> Vec<(String, Value)> {
    let ours = |step: &Value| step["uses"].as_str() == Some(OURS);
    workflows()
        .into_iter()
        .flat_map(|file| {
            steps(&file).into_iter().filter(ours).map(move |step| (file.clone(), step))
        })
        .collect()
}

fn steps(file: &str) -> Vec<Value> {
    let workflow = yaml(file);
    let jobs = workflow["jobs"].as_mapping().unwrap().values();
    jobs.flat_map(|job| job["steps"].as_sequence().unwrap().clone()).collect()
}

fn names(mapping: &Value) -> Vec<String> {
    let keys = mapping.as_mapping().into_iter().flat_map(|mapping| mapping.keys());
    keys.map(|key| key.as_str().unwrap().to_owned()).collect()
}

fn yaml(file: &str) -> Value {
    serde_yaml::from_str(&text(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn text(file: &str) -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
