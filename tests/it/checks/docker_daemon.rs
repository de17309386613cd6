//! Cases of `docker-daemon`. A socket that may not be used is a case of the check itself: root may use every socket.

use std::os::unix::net::UnixListener;

use super::{Machine, tells};

const ID: &str = "docker-daemon";
const VERSION: (&str, u16, &str) =
    ("/version", 200, r#"{"Version": "28.1.0", "ApiVersion": "1.49"}"#);
const PING: (&str, u16, &str) = ("/_ping", 200, "OK");
const INFO: (&str, u16, &str) = (
    "/info",
    200,
    r#"{"DockerRootDir": "/data", "Driver": "overlay2", "CgroupDriver": "systemd", "CgroupVersion": "2",
        "SecurityOptions": ["name=rootless"], "Warnings": ["WARNING: No swap limit support"]}"#,
);

/// A machine whose engine answers these paths; none means never.
fn engine(answers: &[(&str, u16, &str)]) -> Machine {
    let machine = Machine::with(&[]);
    machine.engine(answers);
    machine
}

#[tokio::test]
async fn an_engine_that_answers_passes_and_shows_its_state() {
    let outcome = engine(&[PING, VERSION, INFO]).asked(ID, "").await;
    tells("there", &outcome, ("pass", "version 28.1.0", ""));
    let seen: Vec<(&str, &str)> =
        outcome.observations.iter().map(|o| (o.name.as_str(), o.value.as_str())).collect();
    for wanted in [
        ("api", "1.49"),
        ("data", "/data"),
        ("storage driver", "overlay2"),
        ("control groups", "systemd (version 2)"),
        ("rootless", "yes"),
        ("the engine warns", "WARNING: No swap limit support"),
    ] {
        assert!(seen.contains(&wanted), "{wanted:?} in {seen:?}");
    }
}

#[tokio::test]
async fn an_engine_without_a_state_is_usable_and_an_old_one_warns() {
    tells(
        "no state",
        &engine(&[PING, VERSION]).asked(ID, "").await,
        ("pass", "version 28.1.0", ""),
    );
    let newer = "checks: {docker-daemon: {min-version: '28.2'}}\n";
    let old = engine(&[PING, VERSION]).asked(ID, newer).await;
    tells("old", &old, ("warn", "version 28.1.0, older than 28.2", "min-version"));
}

#[tokio::test]
async fn without_a_socket_it_depends_on_whether_the_job_needs_one() {
    let machine = Machine::with(&[]);
    let nobody = machine.asked(ID, "").await;
    tells(
        "nobody",
        &nobody,
        ("skipped", "nobody said that the job needs Docker", "docker in tools"),
    );
    let deny = machine.asked(ID, "checks: {docker-daemon: deny}\n").await;
    tells("deny", &deny, ("fail", "no such socket", "start the engine"));
    let tool = machine.asked(ID, "tools: [docker]\n").await;
    tells("tool", &tool, ("fail", "the job needs Docker", "mount its socket"));
}

#[tokio::test]
async fn a_socket_without_a_listener_and_an_engine_that_is_not_well_fail() {
    let machine = Machine::with(&[]);
    drop(UnixListener::bind(&machine.socket).expect("socket"));
    let dead = machine.asked(ID, "").await;
    tells("dead", &dead, ("fail", "nobody listens behind", "systemctl status docker"));
    let unwell = engine(&[("/_ping", 500, "boom")]).asked(ID, "").await;
    tells("unwell", &unwell, ("fail", "status 500", "journalctl -u docker"));
}

#[tokio::test]
async fn an_engine_that_hangs_or_talks_nonsense_is_no_answer() {
    let hangs = engine(&[]).asked(ID, "").await;
    assert_eq!(hangs.status.word(), "unknown", "{hangs:?}");
    assert!(hangs.help.is_some(), "{hangs:?}");
    let page = engine(&[PING, ("/version", 200, "<html>")]).asked(ID, "").await;
    tells("page", &page, ("unknown", "unexpected answer", "docker info"));
}
