//! Secrets of every shape in which people keep them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::draw::Draw;

/// A secret of some shape.
#[derive(Debug, Clone)]
pub(super) struct Secret {
    pub(super) shape: &'static str,
    pub(super) value: String,
    /// What is a secret when it stands alone.
    pub(super) parts: Vec<String>,
}

const SIGNS: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
const FOREIGN: &str = "äöüßéñçøåπλжяש中文字日本語한글€→😀🔑";

/// A secret of the shape with this number, whatever the number.
pub(super) fn secret(shape: usize, draw: &mut Draw) -> Secret {
    let length = if draw.below(4) == 0 { 40 + draw.below(260) } else { 8 + draw.below(40) };
    let of = |shape, value: String| Secret { shape, value, parts: Vec::new() };
    match shape % 10 {
        0 => of("letters", letters(draw, length)),
        1 => of("short", letters(draw, 6)),
        2 => of("signs", mixed(draw, SIGNS, length)),
        3 => of("foreign", mixed(draw, FOREIGN, length.min(90))),
        4 => of("passphrase", passphrase(draw)),
        5 => json(draw, length),
        6 => lines(draw),
        7 => pem(draw),
        8 => url(draw),
        _ => encoded(draw),
    }
}

/// Letters, of which one is a digit and one is not: four digits are no secret.
fn letters(draw: &mut Draw, length: usize) -> String {
    format!("{}q7{}", draw.word(length / 2 - 1), draw.word(length - length / 2 - 1))
}

fn mixed(draw: &mut Draw, signs: &str, length: usize) -> String {
    let signs: Vec<char> = signs.chars().collect();
    let mut value = draw.word(2);
    while value.chars().count() < length {
        let (some, word) = (1 + draw.below(3), 1 + draw.below(4));
        value.push_str(&draw.chars(&signs, some));
        value.push_str(&draw.word(word));
    }
    value
}

fn passphrase(draw: &mut Draw) -> String {
    let count = 3 + draw.below(4);
    (0..count).map(|n| draw.word(3 + n % 5)).collect::<Vec<_>>().join(" ")
}

fn json(draw: &mut Draw, length: usize) -> Secret {
    let (token, nested) = (letters(draw, length.max(8)), mixed(draw, SIGNS, 16));
    let value = serde_json::json!({"kind": "robot", "token": token, "more": {"key": nested}});
    let text = if draw.below(2) == 0 { value.to_string() } else { format!("{value:#}") };
    Secret { shape: "json", value: text, parts: vec![token, nested] }
}

fn lines(draw: &mut Draw) -> Secret {
    let count = 2 + draw.below(4);
    let lines: Vec<String> = (0..count).map(|n| letters(draw, 12 + 9 * n)).collect();
    Secret { shape: "lines", value: lines.join("\n"), parts: lines }
}

fn pem(draw: &mut Draw) -> Secret {
    let lines: Vec<String> = (0..3 + draw.below(4)).map(|_| draw.word(64)).collect();
    let name = draw.of(&["FUZZ KEY", "PRIVATE KEY", "OPENSSH PRIVATE KEY"]);
    let value = format!("-----BEGIN {name}-----\n{}\n-----END {name}-----\n", lines.join("\n"));
    Secret { shape: "pem", value, parts: lines }
}

fn url(draw: &mut Draw) -> Secret {
    let password = format!("{}%40{}", letters(draw, 8), draw.word(6));
    let value = format!("postgres://ann:{password}@db.example.test:5432/{}", draw.word(5));
    let plain = password.replace("%40", "@");
    Secret { shape: "url", value, parts: vec![password, plain] }
}

fn encoded(draw: &mut Draw) -> Secret {
    if draw.below(2) == 0 {
        let bytes: Vec<u8> = (0..32).map(|_| u8::try_from(draw.below(256)).unwrap_or(7)).collect();
        return Secret {
            shape: "base64 of bytes",
            value: STANDARD.encode(bytes),
            parts: Vec::new(),
        };
    }
    let plain = format!("ann:{}", letters(draw, 20));
    Secret { shape: "base64 of text", value: STANDARD.encode(&plain), parts: vec![plain] }
}
