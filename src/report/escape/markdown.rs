//! Text in GitHub's Markdown. Foreign text stands in code spans, fences or `<pre>`, where Markdown has no power.
//!
//! Makes no links (see `link`), and no headings: those are the templates' own.

use super::clean::{block, clean, one_line};

/// The longest text in a table cell or inside a sentence, in characters.
pub const CELL: usize = 200;

/// The longest sentence in a table cell, in characters.
const PROSE: usize = 400;

/// The longest sentence of our own, in characters.
const SENTENCE: usize = 1000;

/// The longest run of backticks that a fence is made longer for; beyond it a hostile text would blow up its own fence.
const RUN: usize = 16;

/// Lines of a block that are shown: its first ones and its last ones.
const LINES: (usize, usize) = (40, 80);

/// The text as a code span of at most [`CELL`] characters, for sentences and headings; empty text is a dash.
pub fn code_span(text: &str) -> String {
    span(&one_line(text, CELL))
}

/// The text as a code span for a table cell: a pipe can not end the cell.
pub fn cell(text: &str) -> String {
    // A backslash before the pipe would escape our backslash instead, so a space parts them.
    span(&one_line(text, CELL).replace("\\|", "\\ |")).replace('|', "\\|")
}

/// The text as a fenced block; it ends with the fence, without a line end. Stands after an empty line.
pub fn fence(text: &str) -> String {
    let body = block(text, LINES.0, LINES.1);
    let run = longest_run(&body);
    if run > RUN {
        return pre_of(&body);
    }
    let ticks = "`".repeat(run.max(2) + 1);
    format!("{ticks}text\n{body}\n{ticks}")
}

/// The text as a `<pre>` element. Stands after an empty line, else an empty line inside would end it.
pub fn pre(text: &str) -> String {
    pre_of(&block(text, LINES.0, LINES.1))
}

/// The cleaned text for HTML, outside of tags or inside of quoted attributes.
pub fn html(text: &str) -> String {
    entities(&clean(text))
}

/// A whole text as it is when Markdown gives none of its characters a meaning, else as a code span
/// that is safe in a table cell too. The templates' `{{x}}` does this.
pub fn plain(text: &str) -> String {
    if text.len() > SENTENCE {
        return cell(text);
    }
    let shown = clean(text);
    if shown.lines().count() <= 1 && shown.split([' ', '\n']).all(is_plain) {
        shown.trim_end_matches('\n').to_owned()
    } else {
        cell(text)
    }
}

/// A sentence of ours in which foreign words may stand: each word that Markdown could read as more than a word becomes a code span, and so
/// does what stands between backticks.
pub fn prose(text: &str) -> String {
    let line = one_line(text, SENTENCE);
    let parts: Vec<&str> = line.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return words(&line, String::new());
    }
    parts.iter().enumerate().fold(String::new(), |mut out, (place, part)| {
        if place % 2 == 0 {
            return words(part, out);
        }
        push_span(part, &mut out);
        out
    })
}

/// A sentence of ours as [`prose`], of at most 400 characters, for a table cell: a pipe can not end the cell.
pub fn prose_cell(text: &str) -> String {
    if text.trim().is_empty() {
        return "–".to_owned();
    }
    prose(&one_line(text, PROSE).replace("\\|", "\\ |")).replace('|', "\\|")
}

fn words(text: &str, mut out: String) -> String {
    for (place, word) in text.split(' ').enumerate() {
        if place > 0 {
            out.push(' ');
        }
        let begins = out.trim().is_empty();
        if word.is_empty() || is_prose(word) && !(begins && is_list_mark(word)) {
            out.push_str(word);
        } else {
            // What ends a clause belongs to the sentence, not to the address before it.
            let address = word.starts_with("https://") || word.starts_with("http://");
            let ends = |c: char| address && matches!(c, ':' | ',' | ';' | '.');
            let body = word.trim_end_matches(ends);
            push_span(body, &mut out);
            out.push_str(word.get(body.len()..).unwrap_or_default());
        }
    }
    out
}

/// Two code spans side by side would become another one.
fn push_span(text: &str, out: &mut String) {
    if out.ends_with('`') {
        out.push(' ');
    }
    if !text.trim().is_empty() {
        out.push_str(&span(text.trim()));
    }
}

/// A plain word without signs and pictures: a forged tick would look like ours.
fn is_prose(word: &str) -> bool {
    let letter = |c: char| c.is_ascii() || c.is_alphanumeric() || "–—…’“”·→°×".contains(c);
    is_plain(word) && word.chars().all(letter)
}

fn is_plain(word: &str) -> bool {
    let punctuation = |c: char| {
        matches!(
            c,
            '.' | ',' | ';' | ':' | '\'' | '"' | '(' | ')' | '%' | '/' | '=' | '+' | '-' | '?'
        )
    };
    let harmless = |c: char| c.is_ascii_alphanumeric() || punctuation(c) || !c.is_ascii();
    word.chars().all(harmless)
        && !word.contains("://")
        && word.matches(':').count() < 2
        && !word.to_ascii_lowercase().contains("www.")
        && !is_reference(word)
}

/// What GitHub links by itself: `GH-1` and commit ids.
fn is_reference(word: &str) -> bool {
    let bare = word.trim_matches(|c: char| c.is_ascii_punctuation());
    let issue = bare.get(..3).is_some_and(|p| p.eq_ignore_ascii_case("gh-"));
    // No English word of these letters alone has more than eight.
    let letters = bare.len() < 9 && !bare.contains(|c: char| c.is_ascii_digit());
    issue || (bare.len() >= 7 && !letters && bare.chars().all(|c| c.is_ascii_hexdigit()))
}

/// What would start a list when it stands first: `-`, `+`, `1.`, `1)`.
fn is_list_mark(word: &str) -> bool {
    let digits = word.trim_start_matches(|c: char| c.is_ascii_digit());
    word.starts_with(['-', '+', '=']) || (digits.len() < word.len() && matches!(digits, "." | ")"))
}

/// `line` has neither line ends nor spaces at its ends.
fn span(line: &str) -> String {
    if line.is_empty() {
        return "–".to_owned();
    }
    let line = clamp(line);
    let run = longest_run(&line);
    let ticks = "`".repeat(run + 1);
    let pad = if line.starts_with('`') || line.ends_with('`') { " " } else { "" };
    format!("{ticks}{pad}{line}{pad}{ticks}")
}

/// Shortens runs of backticks beyond [`RUN`].
fn clamp(line: &str) -> String {
    let mut run = 0;
    let keep = |c: char| {
        run = if c == '`' { run + 1 } else { 0 };
        match run {
            0..=RUN => Some(c),
            17 => Some('…'),
            _ => None,
        }
    };
    line.chars().filter_map(keep).collect()
}

fn longest_run(text: &str) -> usize {
    let count = |(longest, run): (usize, usize), c| {
        let run = if c == '`' { run + 1 } else { 0 };
        (longest.max(run), run)
    };
    text.chars().fold((0, 0), count).0
}

fn pre_of(body: &str) -> String {
    format!("<pre>\n{}\n</pre>", entities(body))
}

fn entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::{BLOCK, LINE};
    use super::*;

    #[test]
    fn a_code_span_is_longer_than_every_run_inside() {
        assert_eq!(code_span("disk full"), "`disk full`");
        assert_eq!(code_span("a ` b `` c"), "```a ` b `` c```");
        assert_eq!(code_span("`x`"), "`` `x` ``");
        assert_eq!(code_span(" a\n# b\t"), "`a # b`");
        assert_eq!(code_span(" \n"), "–");
        assert!(code_span(&"`".repeat(100_000)).len() < 150);
    }

    #[test]
    fn a_pipe_ends_no_cell() {
        assert_eq!(cell("a|b"), "`a\\|b`");
        assert_eq!(cell("a\\|b"), "`a\\ \\|b`");
        assert!(cell(&"|".repeat(1000)).len() < 500);
    }

    #[test]
    fn a_fence_is_longer_than_every_run_inside_up_to_a_limit() {
        assert_eq!(fence("ok\n```\n# x\n"), "````text\nok\n```\n# x\n````");
        assert_eq!(fence("a\r```\r# x"), "````text\na\n```\n# x\n````");
        assert!(fence(&format!("{}\n</pre><h1>", "`".repeat(17))).starts_with("<pre>\n````"));
        assert!(fence(&"`".repeat(100_000)).len() < 5000);
        assert!(!fence(&format!("{}</pre>", "`".repeat(17))).contains("</pre><"));
    }

    #[test]
    fn a_huge_block_is_cut() {
        assert!(fence(&"x\n".repeat(1_000_000)).lines().count() <= 123);
        assert!(fence(&"ä".repeat(1_000_000)).chars().count() <= LINE + 20);
        assert!(
            fence(&format!("{}\n", "x".repeat(4000)).repeat(100)).chars().count() <= BLOCK + 20
        );
    }

    #[test]
    fn html_is_escaped_once() {
        assert_eq!(html("<b a='\"'>&lt;"), "&lt;b a=&#39;&quot;&#39;&gt;&amp;lt;");
        assert_eq!(pre("</pre>\n\n# x"), "<pre>\n&lt;/pre&gt;\n\n# x\n</pre>");
    }

    #[test]
    fn words_with_a_meaning_become_code_in_prose() {
        assert_eq!(
            prose("raise checks.disk-space.min_free to 5 GiB"),
            "raise `checks.disk-space.min_free` to 5 GiB"
        );
        assert_eq!(prose("run `docker system prune` first"), "run `docker system prune` first");
        assert_eq!(prose("x_y`b`"), "`x_y` `b`");
        assert_eq!(
            prose("cc @octocat, see www.evil.example"),
            "cc `@octocat,` see `www.evil.example`"
        );
        assert_eq!(prose("fixes GH-1 and 1234abc :ship:"), "fixes `GH-1` and `1234abc` `:ship:`");
        assert_eq!(
            prose("effaced deadbeefcafe (ABCDEFABCDEF),"),
            "effaced `deadbeefcafe` `(ABCDEFABCDEF),`"
        );
        assert_eq!(prose("at https://a.b:1: no"), "at `https://a.b:1`: no");
        assert_eq!(prose("✅ größer"), "`✅` größer");
        assert_eq!(prose("# x"), "`#` x");
        assert_eq!(prose("1. x"), "`1.` x");
        assert_eq!(prose("- x"), "`-` x");
        assert_eq!(prose("it's 80 % (limit: 90 %)"), "it's 80 % (limit: 90 %)");
        assert_eq!(prose("odd ` tick"), "odd `` ` `` tick");
    }

    #[test]
    fn plain_text_with_any_meaning_becomes_code_as_a_whole() {
        assert_eq!(plain(": disk-space on "), ": disk-space on ");
        assert_eq!(plain("✅ pass"), "✅ pass");
        assert_eq!(plain("a <b>"), "`a <b>`");
        assert_eq!(plain("a\n# b"), "`a # b`");
    }
}
