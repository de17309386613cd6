//! The only way by which text from outside becomes text that may be shown.
//!
//! A [`Redactor`] knows secret values (in all their encodings) and patterns of secrets; [`Redacted`] has a private field, so nothing
//! else can make one. This module does not read the environment, does not escape for a place (Markdown, terminal), and does not log.
//!
//! A text passes through two searches. `known` looks for the values of the user in the encodings of `encode`; `patterns` looks for
//! shapes (`rules`), values behind keys (`keyed`) and blocks over lines (`blocks`), on lines with a keyword only. Both see `view`s of
//! the text, so that colour codes hide nothing; `span` replaces what they found, and `stream` does all this in bounded memory.

mod blocks;
mod canary;
mod encode;
mod glob;
mod json;
mod judge;
mod keyed;
mod known;
mod number;
mod path;
mod patterns;
mod pseudonym;
mod redacted;
mod redactor;
mod rules;
mod span;
mod stream;
#[cfg(test)]
mod tests;
mod user;
mod verify;
mod view;
mod words;

pub use pseudonym::Profile;
pub use redacted::{Counts, Known, Redacted};
pub use redactor::{Proof, Redactor};
pub use user::{Find, RULES_MAX, RuleError, UserRule};
pub use verify::Verifier;
