//! Cases of `disk-inodes`. What a full table is stands in the check itself: no test can fill one.

use super::{Machine, tells};

const ID: &str = "disk-inodes";

fn limits(least: u64, percent: u8) -> String {
    format!("checks: {{disk-inodes: {{min-free: {least}, min-free-percent: {percent}}}}}\n")
}

#[tokio::test]
async fn what_is_free_is_held_against_both_limits() {
    let machine = Machine::with(&[]);
    tells("both kept", &machine.asked(ID, &limits(0, 0)).await, ("pass", "inodes", ""));
    let number = machine.asked(ID, &limits(0, 100)).await;
    tells("number kept", &number, ("warn", "inodes free at", "du --inodes"));
    let neither = machine.asked(ID, &limits(u64::MAX, 100)).await;
    tells("neither kept", &neither, ("fail", "inodes free at", "du --inodes"));
}

#[tokio::test]
async fn a_named_path_that_is_not_there_leaves_the_question_open() {
    let config = "checks: {disk-inodes: {paths: [/srv/data]}}\n";
    let missing = Machine::with(&[]).asked(ID, config).await;
    tells("missing", &missing, ("unknown", "named (/srv/data) can not be seen", "path exists"));
    let there = Machine::with(&[("srv/data/x", "")]).asked(ID, config).await;
    tells("there", &there, ("pass", "inodes", ""));
}

#[tokio::test]
async fn a_container_that_sees_no_disk_of_the_host_has_no_answer() {
    let mounts = "1 0 0:1 / / rw - overlay overlay rw\n";
    let machine = Machine::with(&[(".dockerenv", ""), ("proc/self/mountinfo", mounts)]);
    let outcome = machine.asked(ID, "").await;
    tells("own layer", &outcome, ("unknown", "sees no file system of the host", "exporter"));
}
