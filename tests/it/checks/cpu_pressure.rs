//! Cases of `cpu-pressure`.

use super::{Machine, tells};

const ID: &str = "cpu-pressure";
const STAT: (&str, &str) = ("proc/stat", "cpu 1\ncpu0 1\ncpu1 1\nbtime 1700000000\n");

fn pressure(avg60: u8) -> String {
    format!(
        "some avg10=1.00 avg60={avg60}.00 avg300=12.00 total=5\nfull avg10=0.00 avg60=3.00 avg300=0.00 total=5\n"
    )
}

#[tokio::test]
async fn what_tasks_waited_is_held_against_the_limit() {
    let machine = Machine::with(&[("proc/pressure/cpu", &pressure(70))]);
    let high = machine.asked(ID, "").await;
    tells("high", &high, ("warn", "in 70 % of the last minute (12 % of five)", "ps aux"));
    let modest = machine.asked(ID, "checks: {cpu-pressure: {max-waiting: 80}}\n").await;
    tells("modest", &modest, ("pass", "in 70 % of the last minute", ""));
}

#[tokio::test]
async fn a_kernel_that_does_not_count_waiting_is_judged_by_its_load() {
    let load = |load: &'static str| {
        let machine = Machine::with(&[STAT, ("proc/loadavg", load)]);
        async move { machine.asked(ID, "").await }
    };
    tells(
        "busy",
        &load("9 7.00 3 1/2 3\n").await,
        ("warn", "load 7.0 over five minutes on 2", "ps aux"),
    );
    tells("calm", &load("9 1.00 3 1/2 3\n").await, ("pass", "on 2 processors (50 %)", ""));
}

#[tokio::test]
async fn waiting_for_memory_and_disks_and_the_own_quota_are_shown_beside_it() {
    let machine = Machine::with(&[
        ("proc/pressure/cpu", &pressure(1)),
        ("proc/pressure/io", &pressure(1)),
        ("proc/self/cgroup", "0::/\n"),
        ("sys/fs/cgroup/cpu.stat", "nr_periods 100\nnr_throttled 40\n"),
    ]);
    let outcome = machine.asked(ID, "").await;
    tells("beside", &outcome, ("pass", "in 1 % of the last minute", ""));
    let seen = |name: &str| {
        let found = outcome.observations.iter().find(|o| o.name == name);
        found.map(|o| o.value.as_str()).unwrap_or_default()
    };
    assert_eq!(seen("everything waited for io"), "3 % of the last minute");
    assert!(seen("our own group stopped by its quota").starts_with("in 40 of 100 periods"));
}

#[tokio::test]
async fn a_kernel_that_says_nothing_is_no_answer() {
    let nothing = Machine::with(&[]).asked(ID, "").await;
    tells("nothing", &nothing, ("unknown", "proc/loadavg", "check that /proc is mounted"));
}
