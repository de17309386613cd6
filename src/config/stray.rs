//! Where a mistake stands that the YAML parser names without a place: a second document, a merge of what is no map.

use serde::Deserialize as _;
use serde_yaml::{Deserializer, Error, Value};

const SECOND: &str = "more than one document";

/// What is wrong with the second document, when the parser only says that there is one: mostly text that belongs to nothing.
pub(super) fn error_of_second_document(text: &str, error: &Error) -> Option<Error> {
    if !error.to_string().contains(SECOND) {
        return None;
    }
    Value::deserialize(Deserializer::from_str(text).nth(1)?).err()
}

/// Line and column of what the message is about.
pub(super) fn place(text: &str, message: &str) -> Option<(usize, usize)> {
    let line = if message.contains(SECOND) {
        second_document(text)
    } else if message.contains("merg") {
        text.lines().position(|line| line.contains("<<"))
    } else {
        None
    };
    line.map(|line| (line + 1, 1))
}

/// The line, from 0, that begins the second document.
fn second_document(text: &str) -> Option<usize> {
    let mut begun = false;
    for (number, line) in text.lines().enumerate() {
        let rest = line.strip_prefix("---");
        let marks = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']));
        if marks && begun {
            return Some(number);
        }
        let says_nothing = line.trim().is_empty() || line.starts_with(['#', '%']);
        begun |= marks || !says_nothing;
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::config::{Inputs, load};

    fn refused(text: &str) -> String {
        load(Some(("c.yml", text)), &Inputs::default(), &[]).unwrap_err().to_string()
    }

    #[test]
    fn a_second_document_is_named_with_its_line() {
        for (text, line) in [
            ("a: b\n---\nc: d\n", 2),
            ("# c\n---\ntimeout: 5s\n--- \n", 4),
            ("timeout: 5s\n...\n\n# c\n---\ngate: {}\n", 5),
        ] {
            let said = refused(text);
            assert!(
                said.starts_with(&format!("c.yml:{line}:1: ")) && said.contains("`---`"),
                "{said}"
            );
        }
    }

    #[test]
    fn a_file_that_is_no_map_is_named_with_the_line_where_it_begins() {
        for text in ["# c\n---\ntimeout\n", "\n\n- a: b\n"] {
            let said = refused(text);
            assert!(said.starts_with("c.yml:3:1: the file takes a map"), "{said}");
        }
    }

    #[test]
    fn text_after_the_end_is_named_with_its_line_and_not_as_a_document() {
        let said = refused("timeout\n#\nsecrets []\n");
        assert!(said.starts_with("c.yml:3:1: did not find expected"), "{said}");
    }

    #[test]
    fn a_merge_of_what_is_no_map_is_named_with_its_line() {
        let said = refused("gate:\n  <<: 5\n");
        assert!(said.starts_with("c.yml:2:"), "{said}");
    }
}
