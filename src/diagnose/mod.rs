//! From redacted evidence and known failures to ranked causes. Pure: the same evidence gives the same answer, without a clock.
//!
//! What a failure looks like is data: `signatures/*.yaml`, each entry with the example lines that are its tests. This module reads no
//! file, decides nothing about the job, and says nothing when nothing is known.

mod lines;
mod pattern;
mod quote;
mod rank;
mod scan;
mod signature;
mod signatures;
mod worded;

#[cfg(test)]
mod catalogue_tests;
#[cfg(test)]
mod rank_tests;
#[cfg(test)]
mod redaction_tests;

pub use rank::diagnose;
pub use signature::Signature;
pub use signatures::{SignatureError, Signatures};
