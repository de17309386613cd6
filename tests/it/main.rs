//! Behaviour tests: one file for every behaviour that a user sees, `support` for everything that is started or faked.

mod act;
mod artifact_upload;
mod bundle;
mod examples;
mod github_contract;
mod summary_render;
mod support;
