//! Cases of `runner-labels`.

use super::runner_registered::{asking, row_with, with};
use super::says;
use crate::support::fake_github::{Denial, Runner, Script};

const ID: &str = "runner-labels";
const NEEDS: &str = "timeout: 5s\nrunners: [{name: a, labels: [self-hosted, ' GPU ', x64]}]\n";

#[test]
fn every_label_that_the_job_needs_is_looked_for() {
    let row = |labels: &[&str]| row_with(ID, NEEDS, with(Runner::online("a", labels)));
    let all = row(&["Self-Hosted", "Linux", "X64", "gpu"]);
    says("all", &all, ("pass", "has every label of self-hosted, GPU, x64", ""));
    let some = row(&["self-hosted", "Linux"]);
    says("some", &some, ("fail", "lacks the labels GPU, x64", "runners[].labels"));
}

#[test]
fn a_runner_without_its_labels_is_not_chosen() {
    let ended = asking(NEEDS, with(Runner::online("a", &["self-hosted"])));
    assert_eq!(ended.code, 12, "{}", ended.stdout);
}

#[test]
fn without_labels_there_is_no_question_and_without_a_list_no_answer() {
    let none = row_with(ID, "timeout: 5s\nrunners: [{name: a}]\n", with(Runner::online("a", &[])));
    says("none", &none, ("skipped", "no labels are configured", "runs-on"));
    let absent = row_with(ID, NEEDS, Script::default());
    says("absent", &absent, ("skipped", "lists no runner `a`", "runner-registered"));
    let denied = Script::default().deny("/actions/runners", Denial::Integration("x=read"));
    says("denied", &row_with(ID, NEEDS, denied), ("unknown", "needs x=read", "x=read"));
}
