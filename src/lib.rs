//! runner-guard: a gate before a deploy and a black box after it, for jobs on self-hosted GitHub Actions runners.
//!
//! The map, in reading order. Arrows of import point down only (`tests/it/architecture.rs` checks it):
//!
//! | layer | modules |
//! |---|---|
//! | 4 the programs | [`cli`] |
//! | 3 what they do | [`check`], [`gate`], [`collect`], [`diagnose`], [`exporter`] |
//! | 2 edges and model | [`actions`] (the runner's protocol), [`report`] (plain data and its renderings), [`source`] (readers of the world outside) |
//! | 1 leaves | [`redact`], [`task`], [`config`] |
//!
//! Text from outside becomes visible only as [`redact::Redacted`]; [`source`] alone reads the outside, [`actions`] alone reads the
//! environment and writes to stdout and to the runner's files; [`gate`] and [`diagnose`] are pure.

pub mod cli;

pub mod check;
pub mod collect;
pub mod diagnose;
pub mod exporter;
pub mod gate;

pub mod actions;
pub mod report;
pub mod source;

pub mod config;
pub mod redact;
pub mod task;
