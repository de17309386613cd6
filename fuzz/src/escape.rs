//! Foreign text in the places where it lands: a terminal, a page, a table of Markdown, a link, a path of a bundle.

use runner_guard::report::BundlePath;
use runner_guard::report::escape::{
    CELL, address, block, cell, clean, code_span, cut, cut_bytes, fence, host, html, one_line,
    plain, pre, prose, prose_cell, terminal_block, terminal_line,
};

/// Panics when a text gets out of its place.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let max = data.first().map_or(0, |byte| usize::from(*byte));
    cleaned(&text, max);
    on_a_page(&text);
    in_markdown(&text);
    on_a_terminal(&text, max);
    as_an_address(&text);
    let path = BundlePath::new("logs", &text);
    let odd = |part: &str| matches!(part, "" | "." | "..");
    assert!(!path.as_str().split('/').any(odd), "{path:?}");
    assert!(!path.as_str().chars().any(|c| c.is_control() || c == '\\'), "{path:?}");
}

fn cleaned(text: &str, max: usize) {
    let once = clean(text);
    assert!(!once.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')), "{once:?}");
    assert_eq!(clean(&once), once, "cleaning twice changed it");
    let line = one_line(text, max);
    assert!(!line.contains('\n') && line.chars().count() <= max, "{max}: {line:?}");
    assert!(cut(text, max).chars().count() <= max);
    assert!(cut_bytes(text, max).len() <= max && text.starts_with(cut_bytes(text, max)));
    assert!(block(text, 3, 4).lines().count() <= 8);
}

fn on_a_page(text: &str) {
    let shown = html(text);
    assert!(!shown.contains(['<', '>', '"', '\'']), "{shown:?}");
    let shown = pre(text);
    let body = shown.strip_prefix("<pre>").and_then(|rest| rest.trim_end().strip_suffix("</pre>"));
    assert!(body.is_some_and(|body| !body.contains('<')), "{shown:?}");
}

fn in_markdown(text: &str) {
    for shown in [cell(text), prose_cell(text)] {
        assert!(!shown.contains('\n'), "{shown:?}");
        let mut before = ' ';
        for c in shown.chars() {
            assert!(c != '|' || before == '\\', "a cell ends: {shown:?}");
            before = c;
        }
    }
    let span = code_span(text);
    assert!(!span.contains('\n') && span.chars().count() <= 2 * CELL, "{span:?}");
    plain(text);
    prose(text);
    let shown = fence(text);
    // Nothing to show is shown as nothing.
    if !shown.is_empty() && !shown.starts_with("<pre>") {
        let ticks = shown.bytes().take_while(|byte| *byte == b'`').count();
        let closes =
            |line: &&str| line.trim_start().bytes().take_while(|b| *b == b'`').count() >= ticks;
        assert_eq!(shown.lines().filter(closes).count(), 2, "{shown:?}");
    }
}

fn on_a_terminal(text: &str, max: usize) {
    let line = terminal_line(text, max);
    assert!(!line.chars().any(char::is_control), "{line:?}");
    for line in terminal_block(text, "  ").lines() {
        assert!(line.starts_with("  │"), "{line:?}");
        assert!(!line.chars().any(|c| c.is_control() && c != '\t'), "{line:?}");
    }
}

fn as_an_address(text: &str) {
    let hosts = ["example.com".to_owned(), "db.example:8080".to_owned()];
    for to in [text.to_owned(), format!("https://example.com/{text}")] {
        if let Some(safe) = address(&to, &hosts) {
            assert!(host(&safe).is_some_and(|host| hosts.contains(&host)), "{safe:?}");
            assert!(
                safe.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"'()[]`|\\".contains(&b)),
                "{safe:?}"
            );
        }
    }
}
