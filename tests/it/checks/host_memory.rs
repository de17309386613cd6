//! Cases of `host-memory`.

use super::{Machine, tells};

const ID: &str = "host-memory";
const EIGHT_GIB: &str = "MemTotal: 8388608 kB\nMemAvailable: 102400 kB\nSwapFree: 0 kB\n";

#[tokio::test]
async fn what_is_available_is_held_against_the_limit() {
    let machine = Machine::with(&[("proc/meminfo", EIGHT_GIB)]);
    let low = ("fail", "100.0 MiB available of 8.0 GiB on this host", "ps aux");
    tells("low", &machine.asked(ID, "").await, low);
    let modest = "checks: {host-memory: {min-available: 64 MiB}}\n";
    tells("modest", &machine.asked(ID, modest).await, ("pass", "100.0 MiB available", ""));
}

#[tokio::test]
async fn in_a_container_it_is_said_whose_memory_it_is() {
    let machine = Machine::with(&[("proc/meminfo", EIGHT_GIB), (".dockerenv", "")]);
    tells("whose", &machine.asked(ID, "").await, ("fail", "on the host of this container", "ps"));
}

#[tokio::test]
async fn a_kernel_that_does_not_say_is_no_answer() {
    let lines = [("proc/meminfo", "MemTotal: 1 kB\n")];
    let without = Machine::with(&lines).asked(ID, "").await;
    tells("line", &without, ("unknown", "no line `MemAvailable", "/proc is mounted"));
    let nothing = Machine::with(&[]).asked(ID, "").await;
    tells("file", &nothing, ("unknown", "proc/meminfo", "/proc is mounted"));
}
