//! What a place must not hold, read as the reader of that place reads it: GitHub's Markdown, the Actions runner, a terminal.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

/// Commands that the program itself gives.
const OWN: [&str; 6] = ["error", "warning", "notice", "group", "endgroup", "add-mask"];

/// What is wrong with a summary, beside the one of the calm job.
pub(super) fn summary(markdown: &str, calm: &str) -> Vec<String> {
    let (html, calm) = (html_of(markdown), html_of(calm));
    let mut found = Vec::new();
    let (outside, calm_outside) = (without_code(&html), without_code(&calm));
    // Rows may be fewer, but what there is must be what the templates write.
    let known: BTreeSet<String> = tags(&calm_outside).into_iter().collect();
    found.extend(
        tags(&outside).into_iter().filter(|t| !known.contains(t)).map(|t| format!("<{t}>")),
    );
    let count = |html: &str, name: &str| tags(html).iter().filter(|tag| *tag == name).count();
    for name in ["h1", "h2", "h3", "blockquote", "hr", "img", "input"] {
        let (here, wanted) = (count(&outside, name), count(&calm_outside, name));
        if here > wanted {
            found.push(format!("{here} <{name}>, {wanted} in the calm one"));
        }
    }
    for name in &known {
        let (open, shut) = (count(&outside, name), outside.matches(&format!("</{name}>")).count());
        if open != shut {
            found.push(format!("<{name}> opened {open} times, closed {shut} times"));
        }
    }
    for title in between(&outside, "<summary>", "</summary>") {
        if !TITLES.iter().any(|own| title.starts_with(own)) {
            found.push(format!("a fold {title:?}"));
        }
    }
    for title in between(&outside, "<h4>", "</h4>") {
        if !HEADINGS.contains(&title) {
            found.push(format!("a heading {title:?}"));
        }
    }
    for address in between(&outside, "href=\"", "\"") {
        if !["https://github.test/", "http://127.0.0.1:", "docs/"]
            .iter()
            .any(|own| address.starts_with(own))
        {
            found.push(format!("a link to {address}"));
        }
    }
    found.extend(linked(&outside));
    for heading in between(&outside, "<h3>", "</h3>").filter(|heading| heading.contains("OWNED")) {
        found.push(format!("a heading {heading:?}"));
    }
    found
}

/// Blocks of foreign text without the sentence over them; charts are drawn by the program.
pub(super) fn excerpts(markdown: &str) -> Vec<String> {
    const SENTENCE: &str = "Log excerpt (untrusted output of the job):</p>\n";
    let html = html_of(markdown);
    let (before, rest) =
        html.split_once("<summary>Metrics around the failure").unwrap_or((&html, ""));
    let html = format!("{before}{}", rest.split_once("</details>").map_or("", |(_, after)| after));
    let blocks = html.match_indices("<pre").map(|(at, _)| html.split_at(at));
    let bare = blocks.filter(|(before, _)| !before.ends_with(SENTENCE));
    bare.map(|(_, block)| format!("a block without its sentence: {block:.80}")).collect()
}

/// What is wrong with the Markdown of a digest: only its own elements, and no link or heading that the text made.
pub(super) fn digest(markdown: &str) -> Vec<String> {
    const OWN: [&str; 18] = [
        "h3", "h4", "p", "pre", "code", "details", "summary", "table", "thead", "tbody", "tr",
        "td", "th", "sub", "strong", "ul", "li", "br",
    ];
    let outside = without_code(&html_of(markdown));
    let strange = tags(&outside).into_iter().filter(|tag| !OWN.contains(&tag.as_str()));
    let mut found: Vec<String> = strange.map(|tag| format!("<{tag}>")).collect();
    for name in ["details", "table", "h3", "h4"] {
        let open = outside.matches(&format!("<{name}>")).count();
        if open != outside.matches(&format!("</{name}>")).count() {
            found.push(format!("<{name}> is not closed"));
        }
    }
    for heading in between(&outside, "<h3>", "</h3>").chain(between(&outside, "<h4>", "</h4>")) {
        if heading.contains("OWNED") {
            found.push(format!("a heading {heading:?}"));
        }
    }
    found.extend(linked(&outside));
    found
}

/// What GitHub itself would make a link, a picture or a formula of, in the words that stand outside of code.
fn linked(outside: &str) -> Vec<String> {
    let mut text = String::new();
    for piece in outside.split('<') {
        text.push_str(piece.split_once('>').map_or(piece, |(_, text)| text));
        text.push(' ');
    }
    let mut found = Vec::new();
    for word in text.split_whitespace() {
        let bare = word.trim_matches(|c: char| {
            c.is_ascii_punctuation() && !matches!(c, '@' | '#' | '$' | ':')
        });
        let hex = bare.len() >= 9
            && bare.chars().all(|c| c.is_ascii_hexdigit())
            && bare.contains(|c: char| c.is_ascii_alphabetic());
        let follows = |sign: char, wanted: fn(char) -> bool| {
            bare.split(sign).skip(1).any(|rest| rest.starts_with(wanted))
        };
        let emoji = bare.len() > 3 && bare.starts_with(':') && bare.ends_with(':');
        if hex
            || emoji
            || bare.contains("://")
            || bare.contains("www.")
            || bare.to_ascii_uppercase().starts_with("GH-")
            || follows('@', |c| c.is_ascii_alphanumeric())
            || follows('#', |c| c.is_ascii_digit())
            || bare.contains('$')
        {
            found.push(format!("{word:?} outside of code"));
        }
    }
    found.truncate(5);
    found
}

/// What the templates write over a fold; a number follows.
const TITLES: [&str; 10] = [
    "When what happened (",
    "Runner candidates (",
    "Metrics around the failure (",
    "What was collected (",
    "All failures in order (",
    "What was seen (",
    "Other possible causes (",
    "Passed and skipped (",
    "Secrets (",
    "How long each question took (",
];

/// What the templates write over a part.
const HEADINGS: [&str; 8] = [
    "What to do now",
    "Findings",
    "Runner candidates",
    "Why",
    "Notes",
    "Secrets",
    "Would have blocked",
    "Evidence",
];

fn between<'a>(html: &'a str, from: &'a str, to: &'a str) -> impl Iterator<Item = &'a str> {
    html.split(from).skip(1).filter_map(move |rest| rest.split(to).next())
}

/// The names of all elements that begin, in order.
fn tags(html: &str) -> Vec<String> {
    let name = |tag: &str| tag.split(['>', ' ', '\n', '/']).next().unwrap_or_default().to_owned();
    html.split('<').skip(1).filter(|tag| !tag.starts_with('/')).map(name).collect()
}

/// The page without what stands in code, where every text is only text. The renderer escapes it, so an end of code is our own.
fn without_code(html: &str) -> String {
    let mut out = String::new();
    let mut rest = html;
    while let Some(at) = ["<pre", "<code"].iter().filter_map(|tag| rest.find(tag)).min() {
        let (before, inside) = rest.split_at(at);
        out.push_str(before);
        let end = if inside.starts_with("<pre") { "</pre>" } else { "</code>" };
        rest = inside.split_once(end).map_or("", |(_, after)| after);
    }
    out + rest
}

/// What GitHub's renderer makes of it, with raw HTML let through: the worst case.
#[expect(clippy::disallowed_methods, reason = "the renderer is a tool of the test")]
fn html_of(markdown: &str) -> String {
    let mut renderer = Command::new("cmark-gfm")
        .arg("--unsafe")
        .args(
            ["table", "autolink", "strikethrough", "tagfilter", "tasklist", "footnotes"]
                .iter()
                .flat_map(|e| ["-e", *e]),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("cmark-gfm is installed (Debian package cmark-gfm)");
    let mut input = renderer.stdin.take().expect("stdin");
    let output = std::thread::scope(|scope| {
        scope.spawn(move || input.write_all(markdown.as_bytes()).expect("written"));
        renderer.wait_with_output()
    });
    String::from_utf8(output.expect("rendered").stdout).expect("UTF-8")
}

/// Commands that the runner would obey and the program does not give; and what is odd about those that it gives.
pub(super) fn commands(stdout: &str) -> Vec<String> {
    let mut found = Vec::new();
    // The runner ends a line at a bare carriage return too, trims every Unicode blank, and looks for the old form anywhere.
    for line in stdout.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']) {
        if line.contains("##[") {
            found.push(format!("the old form: {line:?}"));
        }
        let Some(command) = line.trim_start().strip_prefix("::") else { continue };
        let (head, data) = command.split_once("::").unwrap_or((command, ""));
        let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
        if !OWN.contains(&name) || line.starts_with(char::is_whitespace) {
            found.push(format!("a command: {line:?}"));
        }
        if properties.split(',').any(|p| !p.is_empty() && !p.starts_with("title=")) {
            found.push(format!("a property: {line:?}"));
        }
        if name == "add-mask" && data.chars().count() < 6 {
            found.push(format!("a mask: {line:?}"));
        }
        if matches!(name, "error" | "warning" | "notice") && data.chars().count() > 4096 {
            found.push(format!("an annotation of {} characters", data.chars().count()));
        }
    }
    found
}

/// What is wrong with the outputs, read as the runner reads them.
pub(super) fn outputs(file: &str, calm: &str) -> Vec<String> {
    let (read, wanted) = (parsed(file), parsed(calm));
    let names =
        |all: &[(String, String)]| all.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let mut found = Vec::new();
    if names(&read) != names(&wanted) {
        found.push(format!("other outputs: {:?}", names(&read)));
    }
    let value =
        |name: &str| read.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
    for (name, text) in &read {
        if text.contains(['\n', '\r']) {
            found.push(format!("{name} has more than one line: {text:?}"));
        }
    }
    if value("verdict").is_some_and(|v| !["pass", "warn", "block"].contains(&v)) {
        found.push(format!("the verdict {:?}", value("verdict")));
    }
    for name in ["reasons", "runs-on"] {
        if value(name).is_some_and(|v| serde_json::from_str::<Vec<String>>(v).is_err()) {
            found.push(format!("{name} is no list: {:?}", value(name)));
        }
    }
    found
}

/// `name=value` and `name<<end`, whichever comes first.
fn parsed(file: &str) -> Vec<(String, String)> {
    let mut lines = file.split('\n');
    let mut all = Vec::new();
    while let Some(line) = lines.next().filter(|line| !line.is_empty()) {
        let (equals, heredoc) = (line.find('='), line.find("<<"));
        match heredoc.filter(|at| equals.is_none_or(|e| *at < e)) {
            Some(at) => {
                let end = &line[at + 2..];
                let value: Vec<&str> = lines.by_ref().take_while(|line| *line != end).collect();
                all.push((line[..at].to_owned(), value.join("\n")));
            }
            None => all.push((line.to_owned(), "an assignment that is not ours".to_owned())),
        }
    }
    all
}

/// Characters that a terminal obeys or that show nothing.
pub(super) fn hidden(place: &str, text: &str) -> Vec<String> {
    let bad = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c,
                '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{fdd0}'..='\u{fdef}'
                | '\u{fe00}'..='\u{fe0e}' | '\u{e0000}'..='\u{e01ef}')
            || u32::from(c) & 0xfffe == 0xfffe
    };
    let seen: BTreeSet<char> = text.chars().filter(|c| bad(*c)).collect();
    let around = |c: char| {
        text.lines()
            .find(|line| line.contains(c))
            .unwrap_or_default()
            .chars()
            .take(160)
            .collect::<String>()
    };
    seen.into_iter()
        .take(5)
        .map(|c| format!("{place}: U+{:04X} in {:?}", u32::from(c), around(c)))
        .collect()
}
