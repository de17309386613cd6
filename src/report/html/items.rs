//! The entries of the bundle: what each is, its checksum, what was removed from it, and its text as far as there is room, with its end
//! rather than its beginning.

use super::parts::{missing, rows};
use super::writer::Html;
use super::{BUDGET, Item, Page};
use crate::report::{escape, units};

/// Most bytes that the text of one entry takes on the page.
const TEXT: usize = 256 << 10;

/// Room for what comes behind the entries.
const RESERVE: usize = 32 << 10;

/// Room for what an entry says besides its text, in bytes.
const ABOUT: usize = 1 << 10;

/// What of its text every entry shows, however many there are, in bytes.
const LEAST: usize = 2 << 10;

/// The longest line of an entry, in characters.
const LINE: usize = 2000;

/// The place of an entry on the page.
pub(super) fn anchor(at: usize) -> String {
    format!("entry-{at}")
}

pub(super) fn section(html: &mut Html, page: &Page<'_>) {
    if page.items.is_empty() {
        return;
    }
    let (files, secrets) = (page.items.len(), page.items.iter().map(replaced).sum::<usize>());
    html.leaf("h2", "", &format!("The bundle: {files} entries, {secrets} secrets replaced"));
    html.start("div", &[("class", "find"), ("id", "bar"), ("hidden", "")]);
    html.start(
        "input",
        &[
            ("id", "find"),
            ("type", "search"),
            ("placeholder", "Search in all entries ( / )"),
            ("aria-label", "Search in all entries"),
            ("autocomplete", "off"),
        ],
    );
    html.start("span", &[("id", "found"), ("class", "soft"), ("aria-live", "polite")]);
    html.end();
    html.end();
    html.leaf(
        "p",
        "soft",
        "Texts are untrusted output of the job; long ones are cut, the whole is in the bundle.",
    );
    let mut left = files;
    let all = page.items.iter().enumerate();
    let most = BUDGET.saturating_sub(html.len() + RESERVE);
    let more = rows(html, most, all, |html, (at, one)| {
        let room = BUDGET.saturating_sub(html.len() + RESERVE) / left.max(1);
        left = left.saturating_sub(1);
        item(html, at, one, room.saturating_sub(ABOUT).clamp(LEAST, TEXT));
    });
    missing(html, more, "the bundle");
}

fn replaced(item: &Item<'_>) -> usize {
    item.redactions.values().sum()
}

fn item(html: &mut Html, at: usize, item: &Item<'_>, room: usize) {
    html.start("details", &[("class", "item"), ("id", &anchor(at))]);
    html.start("summary", &[]);
    html.leaf("strong", "", &escape::one_line(item.path, LINE));
    let size = units::bytes(item.size);
    html.text(&format!(" · {} · {size}", item.kind));
    html.end();
    html.start("div", &[("class", "in")]);
    html.start("dl", &[]);
    let redactions: Vec<_> =
        item.redactions.iter().map(|(rule, n)| format!("{rule} {n}")).collect();
    let cut = if item.truncated { "yes: the source was larger than the cap" } else { "" };
    for (name, value) in [
        ("from", item.origin),
        ("SHA-256", item.sha256),
        ("secrets replaced", &redactions.join(", ")),
        ("cut when collected", cut),
    ] {
        if !value.is_empty() {
            html.leaf("dt", "", name);
            html.leaf("dd", "", &escape::one_line(value, 400));
        }
    }
    html.end();
    let (shown, left_out) = tail(item.text, room);
    let more = if item.size > item.text.len() as u64 {
        Some("Only the end is shown here.".to_owned())
    } else {
        let lines = units::count(left_out, "line");
        (left_out > 0).then(|| format!("The first {lines} are not shown here."))
    };
    if let Some(more) = more {
        html.leaf("p", "soft", &more);
    }
    html.pre(&shown);
    html.end();
    html.end();
}

/// The last lines that take at most `room` bytes on the page, and how many lines before them are left out.
fn tail(text: &str, room: usize) -> (String, usize) {
    let mut kept: Vec<String> = Vec::new();
    let mut used = 0;
    let mut lines = text.trim_end_matches(['\n', '\r']).rsplit('\n');
    for line in lines.by_ref() {
        let line = escape::block(line, 3, 3);
        used += escape::html(&line).len() + 1;
        if used > room {
            kept.reverse();
            return (kept.join("\n"), lines.count() + 1);
        }
        kept.push(line);
    }
    kept.reverse();
    (kept.join("\n"), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_text_is_kept_and_the_rest_is_counted() {
        assert_eq!(tail("one\ntwo\nthree\n", 100), ("one\ntwo\nthree".to_owned(), 0));
        assert_eq!(tail("one\ntwo\nthree\n", 10), ("two\nthree".to_owned(), 1));
        assert_eq!(tail("<<<<<<<<<<\n  x", 10), ("  x".to_owned(), 1));
        assert_eq!(tail("x\ny", 0), (String::new(), 2));
        assert_eq!(tail("", 10), (String::new(), 0));
    }
}
