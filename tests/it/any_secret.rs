//! Any secret, in any encoding, at any place of a text, in pieces of any size: of what a tool wrote of it nothing comes out.

mod draw;
mod forms;
mod secrets;

use std::collections::HashSet;
use std::io::BufReader;

use draw::Draw;
use forms::Form;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use runner_guard::redact::{Known, Packing, Redactor, Store};
use secrets::Secret;

/// Characters of a form that may not be seen in a row, unless the text around holds them by chance.
const RUN: usize = 6;

/// The same cases in every run; `PROPTEST_RNG_SEED` asks for others.
fn cases(count: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    let rng_seed = match default.rng_seed {
        RngSeed::Random => RngSeed::Fixed(20_261_124),
        fixed @ RngSeed::Fixed(_) => fixed,
    };
    ProptestConfig {
        cases: count,
        rng_seed,
        failure_persistence: None,
        max_shrink_iters: 40,
        ..default
    }
}

/// A redactor that knows the secret and some others; `None` when it says that it can not hide it.
fn redactor(secret: &Secret) -> Option<Redactor> {
    let others =
        (0..3).map(|n| Known::new(format!("OTHER{n}"), format!("other-{n}-wq7Zk{}", n * 7)));
    let mut known: Vec<Known> = others.collect();
    known.push(Known::new("S", format!("{}\n", secret.value)));
    let redactor = Redactor::new(&known);
    redactor.unmaskable().is_empty().then_some(redactor)
}

/// All forms of the secret and of its parts.
fn all_forms(secret: &Secret, draw: &mut Draw) -> Vec<Form> {
    let mut all = forms::of(secret.value.trim(), draw);
    for (at, part) in secret.parts.iter().enumerate() {
        let mut forms = forms::of(part, draw);
        for form in &mut forms {
            form.name = format!("part {at}, {}", form.name);
        }
        all.extend(forms);
    }
    all
}

/// The runs of a form that are in `out` and not `around`.
fn survives(form: &Form, out: &str, around: &str) -> Option<String> {
    let mut seen = out.to_owned();
    form.gaps.iter().for_each(|gap| seen = seen.replace(gap.as_str(), ""));
    let seen: HashSet<Vec<char>> = runs(&seen).collect();
    let around: HashSet<Vec<char>> = runs(around).collect();
    // What frames a key is no secret, and everyone has it.
    let lines = form.visible.iter().flat_map(|text| text.lines());
    let mut all = lines.filter(|line| !line.starts_with("-----")).flat_map(runs);
    all.find(|run| seen.contains(run) && !around.contains(run)).map(|run| run.iter().collect())
}

fn runs(text: &str) -> impl Iterator<Item = Vec<char>> + use<> {
    let chars: Vec<char> = text.chars().collect();
    let count = (chars.len() + 1).saturating_sub(RUN);
    (0..count).map(move |at| chars[at..at + RUN].to_vec())
}

/// Where a form stands in a log; none of the words belongs to a secret.
const PLACES: [(&str, &str); 8] = [
    ("so it was ", " and no more"),
    ("", ""),
    ("{\"changed\": true, \"stdout\": \"", "\", \"rc\": 0}"),
    ("2026-11-20T10:11:12.1234567Z ##[debug]", ""),
    ("+ tool --with='", "' --now"),
    ("name=", "&other=1"),
    ("<a title=\"", "\">"),
    ("\u{1b}[36;1m", "\u{1b}[0m"),
];
/// Stands between two places.
const CALM: &str = "nothing of the kind here, and this is long enough for it\n";

/// Every form on lines of its own: the text, and for each form the lines where it stands.
fn text_of(forms: &[Form], draw: &mut Draw) -> (String, Vec<(usize, usize)>) {
    let (mut text, mut places, mut line) = (String::new(), Vec::new(), 0);
    for form in forms {
        let (before, after) = PLACES[draw.below(PLACES.len())];
        let block = format!("{before}{}{after}\n", form.text);
        let height = block.matches('\n').count();
        places.push((line, line + height));
        line += height + 1;
        text.push_str(&block);
        text.push_str(CALM);
    }
    (text, places)
}

/// Names of the forms of which something is in the output, each at its place.
fn survivors(out: &str, forms: &[Form], places: &[(usize, usize)]) -> Vec<String> {
    let around: String = PLACES.iter().flat_map(|(a, b)| [*a, *b, "\n"]).collect();
    let around = format!("{around}{CALM}[redacted:known-value#1][redacted:keyed-value#");
    let lines: Vec<&str> = out.split('\n').collect();
    let mut left = Vec::new();
    for (form, (from, to)) in forms.iter().zip(places) {
        let here = lines.get(*from..*to).unwrap_or_default().join("\n");
        if let Some(run) = survives(form, &here, &around) {
            left.push(format!("{}: {run:?} of {:?} in {here:?}", form.name, form.text));
        }
    }
    left
}

fn copied(redactor: &Redactor, text: &str, part: usize) -> String {
    let mut out = Vec::new();
    let mut reader = BufReader::with_capacity(part, text.as_bytes());
    redactor.copy(&mut reader, &mut out).expect("memory can be written to");
    String::from_utf8(out).expect("text")
}

fn sealed(redactor: &Redactor, text: &str) -> String {
    let most = (text.len() as u64, Packing::Quick);
    let store = Store::in_memory();
    let sealed = redactor.seal("logs/a.log", &mut text.as_bytes(), most, &store);
    let mut out = String::new();
    let read = sealed.expect("it fits").0.read(|reader| reader.read_to_string(&mut out));
    read.expect("text");
    out
}

proptest! {
    #![proptest_config(cases(30))]

    #[test]
    fn nothing_of_any_secret_survives_in_any_encoding(shape in 0_usize..10, seed: u64, part in 1_usize..4096) {
        let mut draw = Draw::new(seed);
        let secret = secrets::secret(shape, &mut draw);
        let Some(redactor) = redactor(&secret) else { return Ok(()) };
        let forms = all_forms(&secret, &mut draw);
        let (text, places) = text_of(&forms, &mut draw);
        let out = redactor.redact(&text).into_string();
        let left = survivors(&out, &forms, &places);
        prop_assert!(left.is_empty(), "{}: {:?}\n{}", secret.shape, secret.value, left.join("\n"));
        prop_assert_eq!(redactor.leaks(out.as_bytes()), Vec::<String>::new());
        prop_assert_eq!(&copied(&redactor, &text, part), &out, "in parts of {}", part);
        prop_assert_eq!(&sealed(&redactor, &text), &out);
    }
    #[test]
    fn nothing_of_any_secret_survives_where_a_buffer_ends(shape in 0_usize..10, seed: u64, part in 1_usize..128 << 10, way in 0_usize..4) {
        let mut draw = Draw::new(seed);
        let secret = secrets::secret(shape, &mut draw);
        let Some(redactor) = redactor(&secret) else { return Ok(()) };
        let forms = all_forms(&secret, &mut draw);
        let form = &forms[draw.below(forms.len())];
        let around = Around::new(form, way, part, &mut draw);
        let text = format!("{}{}{}", around.head, form.text, around.tail);
        let out = if around.copies { copied(&redactor, &text, part) } else { redactor.redact(&text).into_string() };
        prop_assert!(out.starts_with(&around.head) && out.ends_with(&around.tail), "{} changed the text around", form.name);
        let here = &out[around.head.len()..out.len() - around.tail.len()];
        let left = survives(form, here, "[redacted:known-value#1][redacted:keyed-value#");
        prop_assert_eq!(left, None, "{}: {:?} -> {:?}", form.name, form.text, here);
        prop_assert_eq!(redactor.leaks(out.as_bytes()), Vec::<String>::new());
    }
}

/// What stands around a form so that it lies where the buffer of the redactor is cut.
struct Around {
    head: String,
    tail: String,
    copies: bool,
}

/// The redactor works its buffer off when it holds so many bytes.
const FULL: usize = (512 + 32) << 10;
/// So many bytes stay behind the cut.
const KEPT: usize = 32 << 10;
/// How far from the cut a form may begin or end, in bytes.
const NEAR: usize = 300;

impl Around {
    fn new(form: &Form, way: usize, part: usize, draw: &mut Draw) -> Self {
        let copies = way.is_multiple_of(2);
        let cut = if copies { FULL.div_ceil(part) * part - KEPT } else { (1 << 20) - KEPT };
        let filler = if way < 2 { "a line of a log, and the same once more.\n" } else { "word " };
        let length = form.text.len();
        let begins = cut + NEAR - draw.below(2 * NEAR + length);
        let mut head = filler.repeat(begins / filler.len());
        head.push_str(&" ".repeat(begins - head.len()));
        let tail = format!(" . {}", filler.repeat((KEPT + 4 * NEAR) / filler.len()));
        Self { head, tail, copies }
    }
}
