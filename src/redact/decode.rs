//! Bytes of a stream as text: UTF-8, or UTF-16 when a byte order mark says so. What is neither becomes U+FFFD.
//!
//! UTF-16 without a mark is left as it is: its NULs are invisible to the searches, which see the ASCII between them.

/// Turns the bytes of a stream into text, piece by piece.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    /// Nothing until the first two bytes were seen.
    encoding: Option<Encoding>,
    /// Bytes of a character that is not complete.
    carry: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
}

impl Decoder {
    /// Adds to `text` what these bytes say; what may go on in the next ones is kept.
    pub(super) fn push(&mut self, bytes: &[u8], text: &mut String) {
        if self.encoding.is_some() && self.carry.is_empty() {
            return self.decode(bytes, text);
        }
        let mut all = std::mem::take(&mut self.carry);
        all.extend_from_slice(bytes);
        let skipped = match (self.encoding, all.as_slice()) {
            (None, [] | [_]) => {
                self.carry = all;
                return;
            }
            (None, start) => self.recognise(start),
            (Some(_), _) => 0,
        };
        self.decode(all.get(skipped..).unwrap_or_default(), text);
    }

    /// Adds what is left when the stream has ended.
    pub(super) fn finish(&mut self, text: &mut String) {
        let rest = std::mem::take(&mut self.carry);
        match self.encoding {
            None => text.push_str(&String::from_utf8_lossy(&rest)),
            Some(_) if rest.is_empty() => {}
            Some(_) => text.push(char::REPLACEMENT_CHARACTER),
        }
    }

    /// Reads the byte order mark; returns its width.
    fn recognise(&mut self, start: &[u8]) -> usize {
        let (encoding, width) = match start {
            [0xff, 0xfe, ..] => (Encoding::Utf16Le, 2),
            [0xfe, 0xff, ..] => (Encoding::Utf16Be, 2),
            _ => (Encoding::Utf8, 0),
        };
        self.encoding = Some(encoding);
        width
    }

    fn decode(&mut self, bytes: &[u8], text: &mut String) {
        self.carry = match self.encoding {
            Some(Encoding::Utf16Le) => utf16(bytes, u16::from_le_bytes, text),
            Some(Encoding::Utf16Be) => utf16(bytes, u16::from_be_bytes, text),
            Some(Encoding::Utf8) | None => utf8(bytes, text),
        }
        .to_vec();
    }
}

/// Returns the bytes at the end that may be the start of a character.
fn utf8<'b>(mut bytes: &'b [u8], text: &mut String) -> &'b [u8] {
    loop {
        let error = match std::str::from_utf8(bytes) {
            Ok(all) => {
                text.push_str(all);
                return &[];
            }
            Err(error) => error,
        };
        let (valid, rest) = bytes.split_at(error.valid_up_to());
        text.push_str(std::str::from_utf8(valid).unwrap_or_default());
        let Some(width) = error.error_len() else { return rest };
        text.push(char::REPLACEMENT_CHARACTER);
        bytes = rest.get(width..).unwrap_or_default();
    }
}

fn utf16<'b>(bytes: &'b [u8], unit: fn([u8; 2]) -> u16, text: &mut String) -> &'b [u8] {
    let (pairs, odd) = bytes.as_chunks::<2>();
    let opens = pairs.last().is_some_and(|pair| (0xd800..0xdc00).contains(&unit(*pair)));
    let whole = pairs.len() - usize::from(opens);
    let units = pairs.iter().take(whole).map(|pair| unit(*pair));
    text.extend(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)));
    if opens { bytes.get(2 * whole..).unwrap_or_default() } else { odd }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(bytes: &[u8], size: usize) -> String {
        let mut decoder = Decoder::default();
        let mut text = String::new();
        bytes.chunks(size).for_each(|part| decoder.push(part, &mut text));
        decoder.finish(&mut text);
        text
    }

    proptest! {
        #[test]
        fn text_is_the_same_in_each_encoding_and_in_parts_of_each_size(text in any::<String>(), size in 1_usize..9) {
            prop_assert_eq!(&decoded(text.as_bytes(), size), &text);
            for (mark, unit) in [([0xff, 0xfe], u16::to_le_bytes as fn(u16) -> [u8; 2]), ([0xfe, 0xff], u16::to_be_bytes)] {
                let bytes: Vec<u8> = mark.into_iter().chain(text.encode_utf16().flat_map(unit)).collect();
                prop_assert_eq!(&decoded(&bytes, size), &text);
            }
        }

        #[test]
        fn bytes_that_are_no_text_become_replacement_characters(bytes in prop::collection::vec(any::<u8>(), 0..40), size in 1_usize..9) {
            prop_assume!(!bytes.starts_with(&[0xff, 0xfe]) && !bytes.starts_with(&[0xfe, 0xff]));
            prop_assert_eq!(decoded(&bytes, size), String::from_utf8_lossy(&bytes));
        }
    }

    #[test]
    fn half_a_character_at_the_end_is_one_replacement() {
        assert_eq!(decoded(b"a\xe2\x82", 1), "a\u{fffd}");
        assert_eq!(decoded(b"\xff\xfea\0\x3d\xd8", 3), "a\u{fffd}");
    }
}
