//! Behaviour tests: one file for every behaviour that a user sees, `support` for everything that is started or faked.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can not go on fails where it stands"
)]

mod act;
mod ansible_digest;
mod any_secret;
mod architecture;
mod artifact_upload;
mod black_box;
mod bundle;
mod checks;
mod config;
mod container;
mod credential;
mod diagnosis_survives;
mod docs;
mod examples;
mod fail_over;
mod fault_matrix;
mod file_opening;
mod fuzz_corpus;
mod gate;
mod github_contract;
mod policy;
mod presentation;
mod prometheus;
mod real_alertmanager;
mod real_docker;
mod real_loki;
mod real_mermaid;
mod report_page;
mod runner_evidence;
mod scale;
mod secrets_never_leak;
mod summary_render;
mod support;
mod tokens;
mod untrusted;
