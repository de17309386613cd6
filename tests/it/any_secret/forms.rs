//! The ways in which tools write a value, put down here on their own: a form that the redactor forgot must not be forgotten here.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use super::draw::Draw;

/// A value as a tool writes it.
#[derive(Debug, Clone)]
pub(super) struct Form {
    pub(super) name: String,
    /// What stands in the log.
    pub(super) text: String,
    /// What may not survive, in the order of the text: without the colours and line breaks that were put in between.
    pub(super) visible: Vec<String>,
    /// What was put between.
    pub(super) gaps: Vec<String>,
}

impl Form {
    fn plain(name: impl Into<String>, text: String) -> Self {
        Self { name: name.into(), visible: vec![text.clone()], text, gaps: Vec::new() }
    }
}

/// Every form of a value in one line or as the value has them.
pub(super) fn of(value: &str, draw: &mut Draw) -> Vec<Form> {
    let mut forms = vec![Form::plain("raw", value.to_owned())];
    forms.extend(json(value));
    forms.extend(markup(value));
    forms.extend(percent(value));
    forms.extend(base64(value, draw));
    forms.extend(hex(value));
    forms.extend(shell(value));
    if value.len() >= 12 {
        forms.push(Form::plain("upper case", value.to_ascii_uppercase()));
        forms.push(Form::plain("lower case", value.to_ascii_lowercase()));
    }
    let broken: Vec<Form> = forms
        .iter()
        .filter(|form| !form.text.contains('\n'))
        .flat_map(|form| broken(form, value.len() >= 8, draw))
        .collect();
    forms.extend(broken);
    forms
}

fn json_with(value: &str, escape: &dyn Fn(char) -> bool, upper: bool) -> String {
    let one = |c: char| match c {
        _ if escape(c) => c.encode_utf16(&mut [0; 2]).iter().fold(String::new(), |text, unit| {
            if upper { format!("{text}\\u{unit:04X}") } else { format!("{text}\\u{unit:04x}") }
        }),
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        c => c.to_string(),
    };
    value.chars().map(one).collect()
}

fn json(value: &str) -> Vec<Form> {
    let plain = json_with(value, &|_| false, false);
    let html = |c: char| matches!(c, '<' | '>' | '&') || !c.is_ascii();
    vec![
        Form::plain("json", plain.clone()),
        Form::plain("json with \\/", plain.replace('/', "\\/")),
        Form::plain("json in json", json_with(&plain, &|_| false, false)),
        Form::plain("json, ascii", json_with(value, &|c| !c.is_ascii(), false)),
        Form::plain("json, ascii, upper", json_with(value, &|c| !c.is_ascii(), true)),
        Form::plain("json, html-safe", json_with(value, &html, false)),
        Form::plain("json, all escaped", json_with(value, &|_| true, false)),
        Form::plain("json, all escaped, upper", json_with(value, &|_| true, true)),
    ]
}

fn markup(value: &str) -> Vec<Form> {
    let text = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let quoted = text.replace('"', "&quot;");
    vec![
        Form::plain("xml text", text.clone()),
        Form::plain("xml, &#39;", quoted.replace('\'', "&#39;")),
        Form::plain("xml, &#x27;", quoted.replace('\'', "&#x27;")),
        Form::plain("xml, &apos;", quoted.replace('\'', "&apos;")),
        Form::plain("html of Go", text.replace('"', "&#34;").replace('\'', "&#39;")),
    ]
}

fn percent(value: &str) -> Vec<Form> {
    let with = |kept: &str| -> String {
        let one = |b: u8| {
            let keep = b.is_ascii_alphanumeric() || kept.as_bytes().contains(&b);
            if keep { char::from(b).to_string() } else { format!("%{b:02X}") }
        };
        value.bytes().map(one).collect()
    };
    let lower = |text: &str| -> String {
        let mut parts = text.split('%');
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (code, rest) = part.split_at(2);
            out.extend(["%", &code.to_ascii_lowercase(), rest]);
        }
        out
    };
    let (all, query) = (with("-._~"), with("-._ ").replace(' ', "+"));
    let every: Vec<String> = value.bytes().map(|b| format!("%{b:02x}")).collect();
    vec![
        Form::plain("percent lower", lower(&all)),
        Form::plain("percent twice", all.replace('%', "%25")),
        Form::plain("percent, path", with("-._~/")),
        Form::plain("percent, of a browser", with("-_.!~*'()")),
        Form::plain("form lower", lower(&query)),
        Form::plain("form", query),
        Form::plain("percent", all),
        Form::plain("percent, every byte", every.concat()),
    ]
}

fn base64(value: &str, draw: &mut Draw) -> Vec<Form> {
    let mut forms = Vec::new();
    for shift in 0..3 {
        let (before, after) = (draw.word(shift), draw.word(shift));
        let inside = format!("{before}{value}{after}");
        let own = own(&(shift..shift + value.len()));
        for (name, engine) in [
            ("base64", &STANDARD),
            ("base64 without padding", &STANDARD_NO_PAD),
            ("base64url", &URL_SAFE),
            ("base64url without padding", &URL_SAFE_NO_PAD),
        ] {
            forms.push(encoded(format!("{name} behind {shift}"), engine.encode(&inside), &own));
        }
        let line = STANDARD.encode(format!("{before}{value}\n"));
        forms.push(encoded(format!("base64 of a line behind {shift}"), line, &own));
        for outer in 0..3 {
            let once = format!("{}{}", draw.word(outer), STANDARD.encode(&inside));
            let own = self::own(&(outer + own.start..outer + own.end));
            let name = format!("base64 behind {shift}, in base64 behind {outer}");
            forms.push(encoded(name, STANDARD.encode(once), &own));
        }
    }
    forms
}

/// The characters of base64 that depend on nothing but these bytes.
fn own(bytes: &Range<usize>) -> Range<usize> {
    (8 * bytes.start).div_ceil(6)..8 * bytes.end / 6
}

fn encoded(name: String, text: String, own: &Range<usize>) -> Form {
    let visible = vec![text[own.clone()].to_owned()];
    Form { name, text, visible, gaps: Vec::new() }
}

fn hex(value: &str) -> Vec<Form> {
    let with = |between: &str, upper: bool| {
        let one = |b: u8| if upper { format!("{b:02X}") } else { format!("{b:02x}") };
        value.bytes().map(one).collect::<Vec<_>>().join(between)
    };
    vec![
        Form::plain("hex", with("", false)),
        Form::plain("hex upper", with("", true)),
        Form::plain("hex with spaces", with(" ", false)),
        Form::plain("hex with colons", with(":", true)),
        Form::plain("hex with \\x", format!("\\x{}", with("\\x", false))),
    ]
}

fn shell(value: &str) -> Vec<Form> {
    let behind = |special: &str| -> String {
        let one = |c: char| if special.contains(c) { format!("\\{c}") } else { c.to_string() };
        value.chars().map(one).collect()
    };
    let mut forms = vec![
        Form::plain("in single quotes", value.replace('\'', r"'\''")),
        Form::plain("in single quotes of Python", value.replace('\'', "'\"'\"'")),
        Form::plain("in double quotes", behind("\"\\$`")),
        Form::plain("escaped quotes alone", behind("\"")),
    ];
    if !value.contains('\n') {
        forms.push(Form::plain("behind backslashes", behind(" !\"#$&'()*;<>?[\\]^`{|}~")));
    }
    forms
}

/// What stands at a line end and behind it when something was wrapped.
const BREAKS: [&str; 10] = [
    "\n",
    "\r\n",
    "\n    ",
    "\n\t",
    "\n2026-11-20T10:11:12.1234567Z ",
    "\n> ",
    "\nstderr: ",
    "\n[pod/web-1] ",
    "\n#12 3.456 ",
    "\nNov 20 10:11:12 build-3 unit[77]: ",
];
const COLOURS: [&str; 5] =
    ["\u{1b}[0m", "\u{1b}[1;31m", "\u{1b}[K", "\u{1b}[38;5;208m", "\u{200b}"];

/// The form with colours in it, and wrapped.
fn broken(form: &Form, long: bool, draw: &mut Draw) -> Vec<Form> {
    let chars: Vec<char> = form.text.chars().collect();
    let mut out = Vec::new();
    let colour = draw.of(&COLOURS);
    let every = 1 + draw.below(chars.len().min(40));
    let pieces: Vec<String> = chars.chunks(every).map(|piece| piece.iter().collect()).collect();
    out.push(with_gaps(form, &format!("with colours at {every}"), &pieces, colour));
    // A shorter text is not searched across line ends.
    if long && chars.len() >= 12 {
        let line = draw.of(&BREAKS);
        let width = if draw.below(3) == 0 { 76 } else { 1 + draw.below(chars.len()) };
        let pieces = wrapped(&chars, width, line);
        out.push(with_gaps(form, &format!("wrapped at {width}"), &pieces, line));
    }
    out
}

/// The text in lines. What stands around a line in a log is no part of it, so that no line ends or begins with what looks the same.
fn wrapped(chars: &[char], width: usize, line: &str) -> Vec<String> {
    let bare = matches!(line, "\n" | "\r\n");
    let may_cut = |before: char, after: char| {
        bare || (!" \t\"',\\".contains(before) && !" \t\"'[#>|+".contains(after))
    };
    let mut pieces = vec![String::new()];
    for (at, c) in chars.iter().enumerate() {
        let piece = pieces.last().map_or(0, |piece| piece.chars().count());
        if piece >= width && may_cut(chars[at - 1], *c) {
            pieces.push(String::new());
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(*c);
        }
    }
    pieces
}

fn with_gaps(form: &Form, how: &str, pieces: &[String], gap: &str) -> Form {
    Form {
        name: format!("{}, {how} by {gap:?}", form.name),
        text: pieces.join(gap),
        visible: form.visible.clone(),
        gaps: vec![gap.to_owned()],
    }
}
