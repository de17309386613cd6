//! Finds many byte strings at once, without regard to the case of ASCII letters, at several bytes a step.
//!
//! Of each string one stretch of `STEP + 3` bytes is its anchor: wherever the string stands, one of the places that a search with steps of
//! `STEP` looks at holds four bytes of the anchor. A bit map says that these four bytes belong to no anchor, which is nearly always so. What
//! is left is compared byte by byte. It knows nothing of secrets, and costs a few bytes of memory for each byte of the strings.

/// Bytes that are looked up at once.
const GRAM: usize = 4;
/// Bits of a hash; two to the power of this bits are the map.
const HASH_BITS: u32 = 18;
/// How many hashes share a list of entries, as a power of two.
const SHARED_BITS: u32 = 4;

/// Strings that are ready to be searched.
pub(super) struct Anchors {
    step: Step,
    map: Vec<u8>,
    /// For each bucket where its entries begin.
    starts: Vec<u32>,
    entries: Vec<Entry>,
}

/// How far apart the looked-up places are: the longer the shortest string, the further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    One,
    Five,
    Nine,
}

impl Step {
    const fn bytes(self) -> usize {
        match self {
            Self::One => 1,
            Self::Five => 5,
            Self::Nine => 9,
        }
    }
}

#[derive(Clone, Copy)]
struct Entry {
    gram: u32,
    string: u32,
    /// Where in the string the four bytes stand.
    offset: u32,
}

impl Anchors {
    /// The longest step for these strings; each has at least four bytes, shorter ones are never found.
    pub(super) fn new(strings: &[&[u8]]) -> Self {
        let shortest = strings.iter().map(|s| s.len()).min().unwrap_or_default();
        let step = match shortest {
            0..8 => Step::One,
            8..12 => Step::Five,
            _ => Step::Nine,
        };
        let mut entries = entries(strings, step.bytes());
        entries.sort_by_key(|entry| (bucket(entry.gram), entry.gram, entry.string));
        let mut map = vec![0; 1 << (HASH_BITS - 3)];
        let mut starts = vec![0; (1 << (HASH_BITS - SHARED_BITS)) + 1];
        for entry in &entries {
            let hash = hash(entry.gram);
            if let Some(byte) = map.get_mut((hash >> 3) as usize) {
                *byte |= 1 << (hash & 7);
            }
            if let Some(count) = starts.get_mut(bucket(entry.gram) + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        Self { step, map, starts, entries }
    }

    /// Calls `each` with the index and the start of every string that stands in the text, in whatever case its letters are.
    pub(super) fn search(
        &self,
        strings: &Strings<'_>,
        text: &[u8],
        each: &mut dyn FnMut(usize, usize),
    ) {
        match self.step {
            Step::One => self.walk::<1>(strings, text, each),
            Step::Five => self.walk::<5>(strings, text, each),
            Step::Nine => self.walk::<9>(strings, text, each),
        }
    }

    fn walk<const STEP: usize>(
        &self,
        strings: &Strings<'_>,
        text: &[u8],
        each: &mut dyn FnMut(usize, usize),
    ) {
        let mut rest = text;
        while let Some(head) = rest.first_chunk::<GRAM>() {
            let gram = folded(*head);
            if is_set(&self.map, hash(gram)) {
                self.verify(strings, text, text.len() - rest.len(), gram, each);
            }
            rest = rest.get(STEP..).unwrap_or_default();
        }
    }

    #[inline(never)]
    fn verify(
        &self,
        strings: &Strings<'_>,
        text: &[u8],
        at: usize,
        gram: u32,
        each: &mut dyn FnMut(usize, usize),
    ) {
        let bucket = bucket(gram);
        let (Some(from), Some(to)) = (self.starts.get(bucket), self.starts.get(bucket + 1)) else {
            return;
        };
        for entry in self.entries.get(*from as usize..*to as usize).unwrap_or_default() {
            if entry.gram != gram {
                continue;
            }
            let Some(start) = at.checked_sub(entry.offset as usize) else { continue };
            let string = strings(entry.string as usize);
            let found = text.get(start..start + string.len());
            if found.is_some_and(|found| found.eq_ignore_ascii_case(string)) {
                each(entry.string as usize, start);
            }
        }
    }
}

/// The strings by their index, as they were given to [`Anchors::new`].
pub(super) type Strings<'s> = dyn Fn(usize) -> &'s [u8] + 's;

/// A set of all stretches of four bytes of some strings; it may say yes to others, never no to one of them.
pub(super) struct Grams {
    map: Vec<u8>,
    shift: u32,
}

impl Grams {
    pub(super) fn new<'s>(strings: impl Iterator<Item = &'s [u8]> + Clone) -> Self {
        let count: usize = strings.clone().map(<[u8]>::len).sum();
        let bits = (count * 16).next_power_of_two().trailing_zeros().clamp(12, 22);
        let mut grams = Self { map: vec![0; 1 << (bits - 3)], shift: 32 - bits };
        for gram in
            strings.flat_map(|s| s.array_windows::<GRAM>().copied().map(folded).collect::<Vec<_>>())
        {
            let hash = grams.hash(gram);
            if let Some(byte) = grams.map.get_mut((hash >> 3) as usize) {
                *byte |= 1 << (hash & 7);
            }
        }
        grams
    }

    pub(super) fn may_hold(&self, bytes: [u8; GRAM]) -> bool {
        is_set(&self.map, self.hash(folded(bytes)))
    }

    const fn hash(&self, gram: u32) -> u32 {
        gram.wrapping_mul(MIX) >> self.shift
    }
}

/// Spreads the bits of four bytes.
const MIX: u32 = 0x9E37_79B1;

const fn hash(gram: u32) -> u32 {
    gram.wrapping_mul(MIX) >> (32 - HASH_BITS)
}

const fn bucket(gram: u32) -> usize {
    (hash(gram) >> SHARED_BITS) as usize
}

fn is_set(map: &[u8], hash: u32) -> bool {
    map.get((hash >> 3) as usize).is_some_and(|byte| byte >> (hash & 7) & 1 == 1)
}

/// Upper and lower case are one; some punctuation and control characters become one as well, which the comparison sorts out.
const fn folded(bytes: [u8; GRAM]) -> u32 {
    u32::from_le_bytes(bytes) | 0x2020_2020
}

/// The entries of the anchors: of each string the stretch whose bytes are the rarest among all strings.
fn entries(strings: &[&[u8]], step: usize) -> Vec<Entry> {
    let mut popular = vec![0_u32; 1 << (HASH_BITS - SHARED_BITS)];
    let grams = |string: &[u8]| -> Vec<u32> {
        string.array_windows::<GRAM>().copied().map(folded).collect()
    };
    for gram in strings.iter().flat_map(|s| grams(s)) {
        if let Some(count) = popular.get_mut(bucket(gram)) {
            *count += 1;
        }
    }
    let count = |gram: &u32| popular.get(bucket(*gram)).copied().unwrap_or_default();
    let mut out = Vec::with_capacity(strings.len() * step);
    for (string, bytes) in (0_u32..).zip(strings) {
        let grams = grams(bytes);
        let cost = |w: &[u32]| w.iter().map(count).max();
        let Some((offset, anchor)) =
            (0_u32..).zip(grams.windows(step)).min_by_key(|(_, w)| cost(w))
        else {
            continue;
        };
        let places = (offset..).zip(anchor);
        out.extend(places.map(|(offset, gram)| Entry { gram: *gram, string, offset }));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(strings: &[&[u8]], text: &[u8]) -> Vec<(usize, usize)> {
        let mut out = Vec::new();
        let strings = strings.to_vec();
        let get = |i: usize| strings[i];
        Anchors::new(&strings).search(&get, text, &mut |string, at| out.push((string, at)));
        out.sort_unstable();
        out
    }

    proptest! {
        #[test]
        fn exactly_the_places_of_the_strings_are_found(
            strings in prop::collection::vec(prop_oneof!["[abAB]{4,20}", "[ab]{12,30}", "[ab]{8,9}"], 1..6),
            text in "[abAB]{0,120}",
        ) {
            let strings: Vec<&[u8]> = strings.iter().map(String::as_bytes).collect();
            let mut expected = Vec::new();
            for (index, string) in strings.iter().enumerate() {
                for (at, window) in text.as_bytes().windows(string.len()).enumerate() {
                    if window.eq_ignore_ascii_case(string) {
                        expected.push((index, at));
                    }
                }
            }
            prop_assert_eq!(found(&strings, text.as_bytes()), expected);
        }
    }

    #[test]
    fn a_set_of_grams_holds_those_of_its_strings_in_any_case() {
        let grams = Grams::new([b"Swordfish".as_slice()].into_iter());
        assert!(grams.may_hold(*b"FISH"));
        assert!(!grams.may_hold(*b"cold"));
    }
}
