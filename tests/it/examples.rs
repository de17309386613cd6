//! The examples and the action describe the same thing: what an example sets or reads, action.yml declares.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test reads the files of the project, and panics to fail"
)]

use std::path::{Path, PathBuf};

use serde_yaml::Value;

const WORKFLOWS: [&str; 2] = ["examples/deploy.yml", "examples/deploy-two-jobs.yml"];

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
    }
}

#[test]
fn every_output_that_an_example_reads_is_declared() {
    let outputs = names(&yaml("action.yml")["outputs"]);
    let mut read = 0;
    for file in WORKFLOWS {
        for part in text(file).split("steps.guard.outputs.").skip(1) {
            let name: String =
                part.chars().take_while(|c| c.is_alphanumeric() || *c == '-').collect();
            assert!(
                outputs.contains(&name),
                "{file} reads {name}, which action.yml does not declare"
            );
            read += 1;
        }
    }
    assert!(read > 0, "no example reads an output");
}

#[test]
fn a_deploy_step_has_the_shell_that_does_not_hide_a_failure_in_a_pipe() {
    for file in WORKFLOWS {
        for step in steps(file).iter().filter(|step| step["run"].as_str().is_some()) {
            assert_eq!(step["shell"].as_str(), Some("bash"), "{file}: {step:?}");
        }
    }
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

fn guard_steps() -> Vec<(&'static str, Value)> {
    let ours = |step: &Value| step["uses"].as_str() == Some("ORG/runner-guard@v1");
    let found: Vec<_> = WORKFLOWS
        .into_iter()
        .flat_map(|file| steps(file).into_iter().filter(ours).map(move |step| (file, step)))
        .collect();
    assert_eq!(found.len(), 3, "one in the short form, two in the long one");
    found
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
