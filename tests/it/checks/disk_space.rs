//! Cases of `disk-space`.

use super::{Machine, tells};

const ID: &str = "disk-space";
/// More than any disk has.
const EVERYTHING: &str = "8000000 GiB";

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
