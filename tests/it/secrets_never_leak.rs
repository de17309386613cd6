//! A secret that lies in every source, in every form in which tools write it, is in nothing that the program gives away.

mod bundles;
mod command;
mod forms;
mod world;

use std::collections::BTreeMap;

use forms::Secret;
use world::World;

#[test]
fn the_gate_gives_no_form_of_a_secret_away() {
    let secret = Secret::generated();
    let world = World::with(&secret);
    let given = world.main();
    world.was_read(&["/metrics", "/api/v1/query", "/actions/runners"]);
    for needed in ["stdout", "summary", "outputs", "preflight.json"] {
        assert!(given.get(needed).is_some_and(|b| !b.is_empty()), "{needed} is missing");
    }
    repeats(&given, "stdout", "***");
    repeats(&given, "summary", "***");
    repeats(&given, "preflight.json", "[redacted:known-value#");
    holds_nothing_of(&secret, &given);
}

#[test]
fn the_gate_gives_no_label_of_an_exporter_away_that_holds_a_secret() {
    let secret = Secret::generated();
    let mut world = World::with(&secret);
    let given = world.main_without_prometheus();
    world.was_read(&["/metrics"]);
    repeats(&given, "preflight.json", "[redacted:known-value#");
    holds_nothing_of(&secret, &given);
}

#[test]
fn the_black_box_gives_no_form_of_a_secret_away() {
    let secret = Secret::generated();
    let world = World::with(&secret);
    world.main();
    let given = world.post();
    world.was_read(&["/api/v1/query"]);
    for needed in [
        "stdout",
        "summary",
        "outputs",
        "tar.gz: ansible/",
        "tar.gz: runner-logs/",
        "artifact: ansible/",
        "artifact: runner-logs/",
        "artifact: report.json",
        "artifact: preflight.json",
    ] {
        assert!(given.keys().any(|k| k.starts_with(needed)), "{needed}: {:?}", given.keys());
    }
    repeats(&given, "summary", "***");
    for place in ["runner-logs/Worker_20261122-120000-utc.log", "ansible/ansible.log"] {
        repeats(&given, &format!("artifact: {place}"), "[redacted:known-value#");
    }
    holds_nothing_of(&secret, &given);
}

#[test]
fn the_black_box_gives_no_form_of_a_secret_away_that_only_a_file_of_the_machine_holds() {
    let secret = Secret::generated();
    let given = World::with(&secret).post_with_a_file();
    repeats(&given, "summary", "***");
    repeats(&given, "artifact: ansible/ansible.log", "[redacted:known-value#");
    holds_nothing_of(&secret, &given);
}

#[test]
fn no_output_gives_a_secret_of_any_shape_away() {
    for (shape, secret) in Secret::of_other_shapes() {
        let world = World::with(&secret);
        let mut given = world.main();
        repeats(&given, "stdout", "***");
        repeats(&given, "preflight.json", "[redacted:known-value#");
        holds_nothing_of(&secret, &given);
        given = world.post();
        let place = "ansible/ansible.log";
        repeats(&given, &format!("artifact: {place}"), "[redacted:known-value#");
        assert!(given.keys().any(|k| k.starts_with("artifact: report.html")), "{shape}");
        holds_nothing_of(&secret, &given);
    }
}

/// The words around the secret are there, so the source was read and shown, not left out.
fn repeats(given: &BTreeMap<String, Vec<u8>>, place: &str, stands_for: &str) {
    let text = String::from_utf8_lossy(&given[place]);
    assert!(text.contains(&format!("before raw {stands_for}")), "{place}: {text}");
}

fn holds_nothing_of(secret: &Secret, given: &BTreeMap<String, Vec<u8>>) {
    let mut leaks = Vec::new();
    for (place, bytes) in given {
        let text = String::from_utf8_lossy(bytes);
        let found = secret.found_in(&text).into_iter();
        leaks.extend(found.map(|(form, line)| format!("{place}: {form}: {line}")));
    }
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}
