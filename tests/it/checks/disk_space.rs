//! Cases of `disk-space`.

use super::{Machine, row, tells};

const ID: &str = "disk-space";
/// More than any disk has.
const EVERYTHING: &str = "8000000 GiB";
const ONE_DISK: (&str, &str) = ("proc/self/mountinfo", "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n");

fn limits(bytes: &str, percent: u8) -> String {
    format!("checks: {{disk-space: {{min-free: {bytes}, min-free-percent: {percent}}}}}\n")
}

#[tokio::test]
async fn what_is_free_is_held_against_both_limits() {
    let machine = Machine::with(&[]);
    tells("both kept", &machine.asked(ID, &limits("1 KiB", 0)).await, ("pass", "free of", ""));
    let share = machine.asked(ID, &limits(EVERYTHING, 0)).await;
    tells("share kept", &share, ("warn", "free of", "docker system prune"));
    let neither = machine.asked(ID, &limits(EVERYTHING, 100)).await;
    tells("neither kept", &neither, ("fail", "free of", "docker system prune"));
}

#[tokio::test]
async fn a_container_that_sees_no_disk_of_the_host_has_no_answer() {
    let mounts = "1 0 0:1 / / rw - overlay overlay rw\n";
    let machine = Machine::with(&[(".dockerenv", ""), ("proc/self/mountinfo", mounts)]);
    let outcome = machine.asked(ID, "").await;
    tells("own layer", &outcome, ("unknown", "sees no file system of the host", "exporter"));
}

#[tokio::test]
async fn a_full_table_of_inodes_is_left_to_its_own_check() {
    let outcome = Machine::with(&[]).asked(ID, &limits("1 KiB", 0)).await;
    assert!(!outcome.summary.contains("inode"), "{outcome:?}");
}

#[tokio::test]
async fn a_named_path_is_looked_at_and_one_that_can_not_be_seen_leaves_the_question_open() {
    let config =
        "checks: {disk-space: {min-free: 1 KiB, min-free-percent: 0, paths: [/srv/data, /srv]}}\n";
    let there = Machine::with(&[ONE_DISK, ("srv/data/x", "")]).asked(ID, config).await;
    tells("there", &there, ("pass", "free of", ""));
    assert!(there.observations[0].name.contains("named (/srv/data), named (/srv)"), "{there:?}");
    let missing = Machine::with(&[("srv/x", "")]).asked(ID, config).await;
    tells("missing", &missing, ("unknown", "named (/srv/data) can not be seen", "path exists"));
}

#[tokio::test]
async fn in_a_container_a_named_path_on_its_own_layer_leaves_the_question_open() {
    let mounts = "1 0 0:1 / / rw - overlay overlay rw\n2 1 8:1 / /data rw - ext4 /dev/sda1 rw\n";
    let machine = Machine::with(&[
        (".dockerenv", ""),
        ("proc/self/mountinfo", mounts),
        ("data/x", ""),
        ("srv/x", ""),
    ]);
    let paths = |paths: &str| {
        format!(
            "checks: {{disk-space: {{min-free: 1 KiB, min-free-percent: 0, paths: [{paths}]}}}}\n"
        )
    };
    tells("mounted", &machine.asked(ID, &paths("/data")).await, ("pass", "at /data", ""));
    let hidden = machine.asked(ID, &paths("/data, /srv")).await;
    tells(
        "hidden",
        &hidden,
        ("unknown", "named (/srv) lies in the container's own layer", "mount it"),
    );
    let said = hidden
        .observations
        .iter()
        .any(|o| o.name.starts_with("not judged: ") && o.value.contains("not the host's disk"));
    assert!(said, "{hidden:?}");
}

#[tokio::test]
async fn the_data_of_the_engine_is_looked_at_where_the_engine_says_it_lies() {
    let info = r#"{"DockerRootDir": "/srv/docker"}"#;
    let machine = Machine::with(&[ONE_DISK, ("srv/docker/x", "")]);
    machine.engine(&[("/info", 200, info)]);
    let outcome = machine.asked(ID, &limits("1 KiB", 0)).await;
    assert!(outcome.observations[0].name.contains("Docker's data (/srv/docker)"), "{outcome:?}");
    let container = Machine::with(&[(".dockerenv", "")]);
    container.engine(&[("/info", 200, info)]);
    let outcome = container.asked(ID, "").await;
    let said = outcome.observations.iter().find(|o| o.name == "not seen: Docker's data");
    assert_eq!(said.map(|o| o.value.as_str()), Some("/srv/docker on the host"), "{outcome:?}");
}

#[test]
fn a_place_is_named_by_its_whole_path() {
    let summary = row(ID, "")["summary"].as_str().map(str::to_owned).unwrap_or_default();
    assert!(summary.contains(" at /"), "{summary}");
}
