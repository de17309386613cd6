//! Values that a redactor knows, and the ways in which tools write them. Made up, and in no form of a real token.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use runner_guard::redact::{Known, Redactor};

/// One value of each shape that the redactor takes apart.
const VALUES: [&str; 6] = [
    "Sw0rd/fish+\"chips\" & more",
    "orange-Kettle-41",
    "{\"kind\": \"fuzz\", \"key\": \"tin-Whistle-77\"}",
    "http://deploy:p%40sture-88@db.example:5432/shop",
    "-----BEGIN THING-----\nfirst-Line-Of-It-1\nsecond-Line-Of-It-2\n-----END THING-----\n",
    "naïve 'Café' \\ 9 $HOME",
];

/// How many ways [`written`] knows.
pub const WAYS: u8 = 17;

/// A value and a redactor that knows it.
pub struct Secret {
    /// The value.
    pub value: String,
    /// The redactor.
    pub redactor: Redactor,
}

impl Secret {
    /// A value of somebody's own; `None` when the redactor says that it can not hide it.
    pub fn of(value: &str) -> Option<Self> {
        let redactor = Redactor::new(&[Known::new("A", value)]);
        let usable = redactor.unmaskable().is_empty() && !value.is_empty();
        usable.then(|| Self { value: value.to_owned(), redactor })
    }

    /// The fixed value with this number, whatever the number.
    pub fn fixed(number: u8) -> &'static Self {
        static ALL: OnceLock<Vec<Secret>> = OnceLock::new();
        let all = ALL.get_or_init(|| VALUES.iter().filter_map(|value| Self::of(value)).collect());
        assert_eq!(all.len(), VALUES.len(), "every fixed value can be hidden");
        &all[usize::from(number) % all.len()]
    }
}

/// The value as a tool writes it; what the result holds of it must not survive.
pub fn written(value: &str, way: u8) -> String {
    let json = serde_json::Value::from(value).to_string();
    let each = |one: &dyn Fn(u8) -> String| value.bytes().map(one).collect::<String>();
    match way % WAYS {
        0 => value.to_owned(),
        1 => json,
        2 => serde_json::Value::from(json).to_string(),
        3 => each(&|b| format!("{b:02x}")),
        4 => each(&|b| format!("{b:02X}")),
        5 => each(&|b| format!("%{b:02x}")),
        6 => value.encode_utf16().fold(String::new(), |text, unit| format!("{text}\\u{unit:04X}")),
        7 => STANDARD.encode(value),
        8 => STANDARD.encode(format!("x{value}\n")),
        9 => URL_SAFE_NO_PAD.encode(format!("user:{value}")),
        10 => STANDARD.encode(STANDARD.encode(format!("ab{value}"))),
        11 => ["&amp;", "&lt;", "&gt;", "&quot;"]
            .iter()
            .zip(['&', '<', '>', '"'])
            .fold(value.to_owned(), |text, (entity, plain)| text.replace(plain, entity)),
        12 => value.replace('\'', "'\\''"),
        13 => percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC)
            .to_string(),
        14 => with_gap(value, "\u{1b}[0;1m"),
        15 => with_gap(value, "\u{200b}"),
        _ => with_gap(value, "\n"),
    }
}

/// The value with something in the middle of it.
fn with_gap(value: &str, gap: &str) -> String {
    let middle = value.floor_char_boundary(value.len() / 2);
    format!("{}{gap}{}", &value[..middle], &value[middle..])
}
