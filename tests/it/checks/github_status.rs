//! Cases of `github-status`.

use serde_json::{Value, json};

use super::{row, says};
use crate::support::command::Guard;
use crate::support::http::{Behaviour, serve};

const ID: &str = "github-status";
const PARTS: [&str; 3] = ["br0l2tvcx85d", "brv1bkgrwx7q", "8l4ygp009s5s"];

fn page(components: &Value) -> Behaviour {
    let body = json!({ "page": { "name": "GitHub" }, "components": components });
    Behaviour::Answer(200, "application/json", body.to_string())
}

/// A page on which these words stand for Actions, API Requests and Git Operations, under names that nobody knows.
fn words(actions: &str, api: &str, git: &str) -> Behaviour {
    let part = |(id, word): (&str, &str)| json!({ "id": id, "name": "Renamed", "status": word });
    let mut parts: Vec<Value> = PARTS.into_iter().zip([actions, api, git]).map(part).collect();
    parts.push(json!({ "id": "vg70hn9s2tyj", "name": "Pages", "status": "major_outage" }));
    page(&json!(parts))
}

fn asked(behaviour: Behaviour) -> Value {
    row(ID, &format!("timeout: 5s\ngithub: {{status-page: 'http://{}'}}\n", serve(behaviour)))
}

#[test]
fn the_parts_that_a_deploy_needs_are_judged_by_their_ids() {
    let works = asked(words("operational", "operational", "operational"));
    says("works", &works, ("pass", "are operational", ""));
    for word in ["degraded_performance", "partial_outage", "under_maintenance"] {
        let limps = asked(words(word, "operational", "operational"));
        let text = format!("Actions: {}", word.replace('_', " "));
        says(word, &limps, ("warn", &text, "may run into it half way"));
    }
    let down = asked(words("partial_outage", "operational", "major_outage"));
    let said = "Git Operations: major outage, Actions: partial outage";
    says("down", &down, ("fail", said, "another runner does not help"));
}

#[test]
fn what_the_page_does_not_say_is_not_known() {
    let odd = asked(words("sleepy", "operational", "operational"));
    says("word", &odd, ("unknown", "Actions: sleepy", "yourself"));
    let gone = asked(page(&json!([])));
    says("gone", &gone, ("unknown", "API Requests: not on the page", "yourself"));
    let worse = asked(words("sleepy", "major_outage", "operational"));
    says("worse", &worse, ("fail", "API Requests: major outage", "wait until it is over"));
}

#[test]
fn a_page_that_does_not_answer_is_no_answer_and_never_blocks() {
    let html = Behaviour::Answer(200, "text/html", "<html>".to_owned());
    let moved = Behaviour::Answer(302, "text/html", String::new());
    for (case, behaviour) in
        [("hangs", Behaviour::Hang), ("html", html), ("moved", moved), ("cut", Behaviour::Reset)]
    {
        says(case, &asked(behaviour), ("unknown", "read the status page", "open this address"));
    }
}

#[test]
fn a_major_outage_warns_and_stops_a_deploy_only_where_that_is_configured() {
    let down = || serve(words("operational", "major_outage", "operational"));
    let run = |settings: &str| {
        let github = format!("github: {{status-page: 'http://{}'}}", down());
        let config = format!("timeout: 5s\n{github}\nchecks: {{github-status: {{{settings}}}}}\n");
        Guard::preflight(&config).run().code
    };
    assert_eq!((run(""), run("level: deny")), (0, 10));
}

#[test]
fn a_server_of_ones_own_has_no_public_page() {
    says("own", &row(ID, ""), ("skipped", "no public status page", "github.status-page"));
}
