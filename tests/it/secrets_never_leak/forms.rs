//! One secret, and the forms in which logs show it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use ring::rand::{SecureRandom as _, SystemRandom};

/// Characters of a form that must not be seen in a row.
const PIECE: usize = 14;

/// A secret that nobody knew before the test.
pub(super) struct Secret {
    pub(super) value: String,
}

impl Secret {
    /// Random letters and digits, and between them signs that each encoding writes in its own way.
    pub(super) fn generated() -> Self {
        let mut random = [0_u8; 24];
        SystemRandom::new().fill(&mut random).expect("randomness");
        let letters = STANDARD.encode(random).replace(['+', '/'], "x");
        let signs = ["\"", "/", " ", "\\", "+", "&", "%", ""];
        let parts = letters.as_bytes().chunks(4).zip(signs);
        let value = parts.map(|(four, sign)| format!("{}{sign}", String::from_utf8_lossy(four)));
        Self { value: value.collect() }
    }

    /// Secrets of other shapes, each with random parts and with the name of the shape.
    pub(super) fn of_other_shapes() -> Vec<(&'static str, Self)> {
        let word = |length: usize| {
            let mut random = [0_u8; 48];
            SystemRandom::new().fill(&mut random).expect("randomness");
            STANDARD.encode(random).replace(['+', '/'], "x")[..length].to_owned()
        };
        let long = || word(40);
        [
            ("lines", format!("{}\n{}\n{}", long(), long(), long())),
            ("json", format!("{{\"token\": \"{}\", \"more\": [\"{}\"]}}", long(), long())),
            ("foreign", format!("{}ä中{}€ß{}日", word(8), word(8), word(9))),
            ("passphrase", [word(9), word(8), word(9), word(8)].join(" ")),
            ("address", format!("https://{}:{}@db.example.test/{}", word(14), long(), word(20))),
            ("base64", STANDARD.encode(format!("{}:{}", word(14), long()))),
        ]
        .map(|(shape, value)| (shape, Self { value }))
        .into()
    }

    /// Every form with its name.
    pub(super) fn forms(&self) -> Vec<(&'static str, String)> {
        let value = &self.value;
        let once = STANDARD.encode(value);
        let json = serde_json::to_string(value).expect("JSON");
        let hex = value.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        let (head, tail) = value.split_at(value.floor_char_boundary(value.len() / 2));
        vec![
            ("raw", value.clone()),
            ("double base64", STANDARD.encode(&once)),
            ("base64", once),
            ("url-encoded", utf8_percent_encode(value, NON_ALPHANUMERIC).to_string()),
            ("json-escaped", json.trim_matches('"').to_owned()),
            ("hex", hex),
            ("split by colours", format!("{head}\x1b[1;31m{tail}\x1b[0m")),
        ]
    }

    /// One line for every form.
    pub(super) fn lines(&self) -> String {
        let line = |(name, form): (&str, String)| format!("before {name} {form} after {name}\n");
        self.forms().into_iter().map(line).collect()
    }

    /// Forms of which a piece is in the text, and the line where.
    pub(super) fn found_in(&self, text: &str) -> Vec<(&'static str, String)> {
        let text = without_colours(text);
        let seen = |form: &str| {
            let piece = pieces(form).find(|piece| text.contains(piece.as_str()))?;
            Some(text.lines().find(|line| line.contains(&piece)).unwrap_or_default().to_owned())
        };
        let plain = self.forms().into_iter().filter(|(name, _)| *name != "split by colours");
        plain.filter_map(|(name, form)| Some((name, seen(&form)?))).collect()
    }
}

fn pieces(form: &str) -> impl Iterator<Item = String> + '_ {
    let all: Vec<char> = form.chars().collect();
    let pieces: Vec<String> = all.windows(PIECE).map(|w| w.iter().collect()).collect();
    pieces.into_iter()
}

/// The text as a terminal shows it, and as an escaped form of the same colours reads.
fn without_colours(text: &str) -> String {
    let colours = regex::Regex::new(r"(\x1b|\\u001b|\\x1b|␛)?\[[0-9;]{1,8}m").expect("regex");
    colours.replace_all(text, "").into_owned()
}

#[test]
fn every_form_is_found_where_it_is_and_nowhere_else() {
    let (secret, other) = (Secret::generated(), Secret::generated());
    let found: Vec<&str> =
        secret.found_in(&secret.lines()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(found, ["raw", "double base64", "base64", "url-encoded", "json-escaped", "hex"]);
    assert_eq!(secret.found_in(&other.lines()), []);
    let coloured = secret.forms().pop().expect("a form").1;
    assert_eq!(secret.found_in(&coloured)[0].0, "raw");
}
