//! Finds short words, in any case, all at once and at two bytes a step.
//!
//! Every second place of a text is looked at. A bit map of stretches of three bytes says for nearly all of them that no word is there;
//! a word of two or three bytes that begins at an odd place shows in a stretch with any byte in front of it or behind. It knows nothing
//! of what the words are for.

/// Bits of a hash; two to the power of this bits are the map.
const HASH_BITS: u32 = 18;
/// How many hashes share a list of entries, as a power of two.
const SHARED_BITS: u32 = 3;

/// Words that are ready to be searched.
pub(super) struct Keywords {
    words: Vec<&'static str>,
    map: Vec<u8>,
    /// For each bucket where its entries begin.
    starts: Vec<u32>,
    entries: Vec<Entry>,
}

/// Where a word may be when a stretch of three bytes is seen.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    bucket: u16,
    word: u16,
    gram: u32,
    /// How far before the stretch the word begins; minus one when it begins behind its first byte.
    back: i8,
}

/// A word in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    /// Offset of its first byte.
    pub(super) start: usize,
    /// Its index.
    pub(super) word: usize,
    /// Offset of the byte after it.
    pub(super) end: usize,
}

impl Keywords {
    /// The words are in lower case, in ASCII, and have at least two bytes.
    pub(super) fn new(words: Vec<&'static str>) -> Self {
        let mut map = vec![0; 1 << (HASH_BITS - 3)];
        let mut entries = Vec::new();
        for (word, text) in (0_u16..).zip(&words) {
            for (back, gram) in stretches(text.as_bytes()) {
                let hash = hash(gram);
                if let Some(byte) = map.get_mut((hash >> 3) as usize) {
                    *byte |= 1 << (hash & 7);
                }
                entries.push(Entry { bucket: bucket(gram), word, gram, back });
            }
        }
        entries.sort_unstable();
        entries.dedup();
        let start = |bucket| entries.partition_point(|entry| u32::from(entry.bucket) < bucket);
        let buckets = 1_u32 << (HASH_BITS - SHARED_BITS);
        let starts = (0..=buckets).map(|b| u32::try_from(start(b)).unwrap_or(u32::MAX)).collect();
        Self { words, map, starts, entries }
    }

    /// All words in a text, line by line; those of one line in no order.
    pub(super) fn find(&self, text: &[u8], found: &mut Vec<Found>) {
        let mut rest = text;
        while let Some(head) = rest.first_chunk::<4>() {
            let gram = u32::from_le_bytes(*head);
            self.look(text, text.len() - rest.len(), gram, found);
            rest = rest.get(2..).unwrap_or_default();
        }
        // The text goes on with line ends, which no word holds.
        for at in (text.len() - rest.len()..text.len()).step_by(2) {
            let byte = |i: usize| text.get(at + i).copied().unwrap_or(b'\n');
            self.look(text, at, u32::from_le_bytes([byte(0), byte(1), byte(2), 0]), found);
        }
    }

    #[inline]
    fn look(&self, text: &[u8], at: usize, gram: u32, found: &mut Vec<Found>) {
        let gram = folded(gram);
        let hash = hash(gram);
        if self.map.get((hash >> 3) as usize).is_some_and(|byte| byte >> (hash & 7) & 1 == 1) {
            self.verify(text, at, gram, found);
        }
    }

    #[inline(never)]
    fn verify(&self, text: &[u8], at: usize, gram: u32, found: &mut Vec<Found>) {
        let bucket = usize::from(bucket(gram));
        let (Some(from), Some(to)) = (self.starts.get(bucket), self.starts.get(bucket + 1)) else {
            return;
        };
        for entry in self.entries.get(*from as usize..*to as usize).unwrap_or_default() {
            if entry.gram != gram {
                continue;
            }
            let Some(start) = at.checked_add_signed(-isize::from(entry.back)) else { continue };
            let word = usize::from(entry.word);
            let Some(text_of) = self.words.get(word).map(|w| w.as_bytes()) else { continue };
            let end = start + text_of.len();
            if text.get(start..end).is_some_and(|found| same(found, text_of)) {
                found.push(Found { start, word, end });
            }
        }
    }
}

/// Whether text is a word that is in lower case.
fn same(text: &[u8], word: &[u8]) -> bool {
    text.iter().zip(word).all(|(a, b)| a.to_ascii_lowercase() == *b)
}

/// Two neighbouring places, relative to a word, with all stretches of three bytes that can stand there when the word is there.
///
/// Of all neighbours those are taken that show least often where the word is not.
fn stretches(word: &[u8]) -> Vec<(i8, u32)> {
    let last = i8::try_from(word.len().saturating_sub(2)).unwrap_or(i8::MAX - 1);
    let rarity = |back: i8| -> u32 { (0..3).map(|i| at(word, back, i).map_or(0, rarity)).sum() };
    let pair = |back: &i8| rarity(*back).min(rarity(*back + 1));
    let first = (-1..last).rev().max_by_key(pair).unwrap_or(-1);
    [first, first + 1].into_iter().flat_map(|back| all_at(word, back)).collect()
}

fn at(word: &[u8], back: i8, index: i8) -> Option<u8> {
    usize::try_from(back + index).ok().and_then(|i| word.get(i)).copied()
}

/// How much a byte of a word tells, in bits.
const fn rarity(byte: u8) -> u32 {
    match byte {
        b'0'..=b'9' => 3,
        b'a' | b'b' | b'c' | b'd' | b'e' | b'f' | b'i' | b'n' | b'o' | b'r' | b's' | b't'
        | b' ' => 4,
        b'l' | b'u' | b'p' | b'm' | b'g' => 5,
        b'h' | b'w' | b'v' | b'y' | b'-' | b'.' | b':' | b'/' | b'"' => 6,
        b'k' => 7,
        _ => 9,
    }
}

fn all_at(word: &[u8], back: i8) -> Vec<(i8, u32)> {
    let choices = |index: i8| match at(word, back, index) {
        Some(byte) => byte..=byte,
        None => 0..=u8::MAX,
    };
    let mut out = Vec::new();
    for a in choices(0) {
        for b in choices(1) {
            out.extend(choices(2).map(|c| (back, folded(u32::from_le_bytes([a, b, c, 0])))));
        }
    }
    out
}

/// Upper and lower case are one; some punctuation and control characters become one as well, which the comparison sorts out.
const fn folded(bytes: u32) -> u32 {
    bytes & 0x00ff_ffff | 0x0020_2020
}

const fn hash(gram: u32) -> u32 {
    gram.wrapping_mul(0x9E37_79B1) >> (32 - HASH_BITS)
}

/// 15 bits.
const fn bucket(gram: u32) -> u16 {
    ((hash(gram) >> SHARED_BITS) & 0xffff) as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WORDS: &[&str] = &["x-", "key", "a-a", "pass", "password", "aaa", "q~", "-----b"];

    proptest! {
        #[test]
        fn exactly_the_places_of_the_words_are_found(text in "[aA\\-xkeyKEY~qpsword]{0,40}") {
            let lower = text.to_ascii_lowercase();
            let mut expected = Vec::new();
            for (word, name) in WORDS.iter().enumerate() {
                for (start, window) in lower.as_bytes().windows(name.len()).enumerate() {
                    if window == name.as_bytes() {
                        expected.push(Found { start, word, end: start + name.len() });
                    }
                }
            }
            expected.sort_unstable();
            let mut found = Vec::new();
            Keywords::new(WORDS.to_vec()).find(text.as_bytes(), &mut found);
            found.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}
