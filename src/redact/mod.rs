//! The only way by which text from outside becomes text that may be shown.
//!
//! A [`Redactor`] knows secret values (in all their encodings) and patterns of secrets; [`Redacted`] has a private field, so nothing
//! else can make one. This module does not read the environment, does not escape for a place (Markdown, terminal), and does not log.
//!
//! A text passes through two searches. `known` looks for the values of the user in the encodings of `encode`; `patterns` looks for
//! shapes (`rules`), values behind keys (`keyed`) and blocks over lines (`blocks`), on lines with a keyword only. Both see `view`s of
//! the text, so that colour codes hide nothing; `span` replaces what they found, and `stream` does all this in bounded memory.
//!
//! Nearly all of a log is clean, so both searches first ask cheaply where a secret can be at all: `anchors` looks at every fifth or ninth
//! byte for values, `keywords` at every second for words, and `seams` names the few line ends over which a value may have been wrapped.

mod anchors;
pub mod at_rest;
mod blocks;
mod canary;
mod chunk;
mod commands;
mod crew;
mod decode;
mod encode;
#[cfg(test)]
mod every_rule_tests;
pub mod glob;
mod json;
mod judge;
mod keyed;
mod keywords;
mod known;
mod manifest;
mod number;
mod path;
mod patterns;
mod pseudonym;
mod redacted;
mod redactor;
mod rules;
mod sealed;
mod seams;
mod span;
mod spool;
mod stream;
#[cfg(test)]
mod tests;
pub mod unseen;
mod user;
mod verify;
mod view;
mod words;

pub use json::visible as visible_json;
pub use pseudonym::Profile;
pub use redacted::{Counts, Known, Redacted};
pub use redactor::{Proof, Redactor};
pub use sealed::{Packed, Packing, Sealed, TAIL};
pub use spool::Store;
pub use user::{Find, RULES_MAX, RuleError, UserRule};
pub use verify::Verifier;
