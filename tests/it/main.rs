//! Behaviour tests: one file for every behaviour that a user sees, `support` for everything that is started or faked.

mod artifact_upload;
mod bundle;
mod github_contract;
mod support;
