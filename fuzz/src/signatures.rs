//! Signatures of failures as somebody wrote them: refused with a reason, or usable on any text.
//!
//! An input is the text of a file of signatures; after a NUL, a text that is searched with them.

use std::error::Error as _;

use runner_guard::diagnose::{SignatureError, Signatures};

use super::diagnose::search;

/// Most examples of one input that are searched.
const EXAMPLES: usize = 8;

/// Panics when the reader of signatures breaks a promise on this input.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (yaml, log) = text.split_once('\0').unwrap_or((&text, ""));
    match Signatures::parse("mine.yaml", yaml) {
        Err(error) => has_a_reason(&error),
        Ok(signatures) => {
            let examples =
                signatures.iter().flat_map(|s| s.examples.iter().chain(&s.counter_examples));
            for example in examples.take(EXAMPLES) {
                search(0, example, &signatures);
                search(u8::MAX, example, &signatures);
            }
            search(0, log, &signatures);
            assert!(signatures.iter().all(|s| signatures.get(&s.id).is_some()));
        }
    }
}

fn has_a_reason(error: &SignatureError) {
    let said = error.to_string();
    assert!(
        !said.is_empty() && said.contains("mine.yaml")
            || matches!(error, SignatureError::Search { .. }),
        "{said}"
    );
    if let SignatureError::Yaml { .. } = error {
        assert!(error.source().is_some(), "{said}");
    }
}
