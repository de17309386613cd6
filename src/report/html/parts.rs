//! The parts of the page in the order in which somebody who was woken up needs them.

use super::writer::Html;
use super::{Page, is_gate, items};
use crate::redact::Redacted;
use crate::report::play::RECAP;
use crate::report::story::{self, Mark, Piece};
use crate::report::{
    BundlePath, Collected, CollectedRow, Diagnosis, EvidenceLine, Excerpt, Play, Report, escape,
    units,
};

/// Most bytes of a part; the rest is in `report.json`.
const PART: usize = 128 << 10;

/// Most bytes of the failures.
const FAILURES: usize = 384 << 10;

/// Failures that are shown open.
const OPEN: usize = 3;

/// Writes rows until the part is full, and says how many are missing.
pub(super) fn rows<T>(
    html: &mut Html,
    most: usize,
    all: impl ExactSizeIterator<Item = T>,
    mut row: impl FnMut(&mut Html, T),
) -> usize {
    let (start, total) = (html.len(), all.len());
    for (at, one) in all.enumerate() {
        if html.len() - start > most {
            return total - at;
        }
        row(html, one);
    }
    0
}

/// Says what [`rows`] left out.
pub(super) fn missing(html: &mut Html, more: usize, place: &str) {
    if more > 0 {
        html.leaf("p", "soft", &format!("{more} more are in {place}."));
    }
}

/// A table in a box that scrolls by itself; `class` is more than `rows` for one that looks otherwise on a phone.
pub(super) fn table<T>(
    html: &mut Html,
    class: &'static str,
    heads: &[&'static str],
    all: impl ExactSizeIterator<Item = T>,
    row: impl FnMut(&mut Html, T),
) {
    html.start("div", &[("class", "wide")]);
    html.start("table", &[("class", class)]);
    html.start("thead", &[]);
    html.start("tr", &[]);
    for head in heads {
        html.leaf("th", "", head);
    }
    html.end();
    html.end();
    html.start("tbody", &[]);
    let more = rows(html, PART, all, row);
    html.end();
    html.end();
    html.end();
    missing(html, more, "report.json");
}

/// A cell that carries the name of its column for narrow screens.
pub(super) fn cell(html: &mut Html, column: &'static str, class: &'static str, text: &str) {
    html.start("td", &[("title", column), ("class", class)]);
    html.text(&escape::cut(text, escape::LINE));
    html.end();
}

pub(super) fn headline(html: &mut Html, page: &Page<'_>) {
    let report = page.report;
    let headline = story::headline(report);
    let (class, sign) = match headline.mark {
        Mark::Good => ("good", "✔ "),
        Mark::Look => ("look", "⚠ "),
        Mark::Shut => ("bad", "⛔ "),
        Mark::Bad => ("bad", "✖ "),
        Mark::Open => ("open", "? "),
    };
    html.start("header", &[("class", class)]);
    html.start("h1", &[]);
    html.text(sign);
    pieces(html, &headline.pieces);
    html.end();
    let context = story::context(report);
    if !context.is_empty() {
        html.start("p", &[]);
        pieces(html, &context);
        html.end();
    }
    html.start("p", &[("class", "soft")]);
    html.text(&format!("{}, took {}", page.created, units::duration(report.took)));
    if let Some(status) = &report.job_status {
        html.text(&format!(", job status {status}"));
    }
    if !report.job.run_url.is_empty() {
        html.text(" · ");
        html.link("the run", &report.job.run_url);
    }
    html.end();
    if report.partial {
        html.leaf(
            "p",
            "",
            "Partial report: the run was stopped by a signal; what is missing was not collected.",
        );
    }
    html.end();
}

pub(super) fn steps(html: &mut Html, report: &Report) {
    let steps = story::steps(report);
    if steps.is_empty() {
        return;
    }
    html.leaf("h2", "", "What to do now");
    html.start("ol", &[("class", "now")]);
    for step in steps {
        html.start("li", &[]);
        pieces(html, &step.pieces);
        if let Some(stem) = &step.runbook {
            html.text(" → ");
            runbook(html, report, stem);
        }
        html.end();
    }
    html.end();
}

pub(super) fn causes(html: &mut Html, page: &Page<'_>) {
    let report = page.report;
    let Some((best, others)) = report.diagnoses.split_first() else {
        if !is_gate(report) && !story::is_quiet(report) {
            html.leaf("h2", "", "Why");
            html.leaf(
                "p",
                "",
                "No known cause matched: no signature describes this failure. That is an answer; nothing was guessed.",
            );
        }
        return;
    };
    html.leaf("h2", "", "Why");
    cause(html, page, best);
    if !others.is_empty() {
        html.start("details", &[]);
        html.leaf(
            "summary",
            "",
            &format!("Also possible: {}", units::count(others.len(), "cause")),
        );
        html.start("div", &[("class", "in")]);
        let more = rows(html, PART, others.iter(), |html, other| cause(html, page, other));
        missing(html, more, "report.json");
        html.end();
        html.end();
    }
}

fn cause(html: &mut Html, page: &Page<'_>, diagnosis: &Diagnosis) {
    html.start("h3", &[]);
    html.text(&diagnosis.title);
    html.end();
    if let Some(subject) = &diagnosis.subject {
        html.start("p", &[]);
        html.leaf("code", "", &escape::cut(subject.as_str(), escape::LINE));
        html.end();
    }
    html.start("p", &[("class", "soft")]);
    html.text(&format!(
        "{} ({} %) · signature {} · {} · {} · ",
        diagnosis.certainty().word(),
        story::percent(diagnosis.confidence),
        diagnosis.id,
        diagnosis.category,
        story::retry_advice(diagnosis)
    ));
    let stem = story::place(&diagnosis.runbook, &diagnosis.id).unwrap_or_default();
    runbook(html, page.report, &stem);
    html.end();
    html.leaf("p", "soft", "Evidence (untrusted output of the job):");
    html.start("ul", &[("class", "ev")]);
    let more = rows(html, PART, diagnosis.evidence.iter(), |html, line| evidence(html, page, line));
    html.end();
    missing(html, more, "report.json");
}

fn evidence(html: &mut Html, page: &Page<'_>, line: &EvidenceLine) {
    html.start("li", &[]);
    html.start("span", &[("class", "soft")]);
    place(html, page, &line.path, line.line);
    html.end();
    html.leaf("span", "mono", &escape::one_line(line.text.as_str(), escape::LINE));
    html.end();
}

/// `path:line`, as a link to the entry when the page holds it.
fn place(html: &mut Html, page: &Page<'_>, path: &BundlePath, line: usize) {
    let label = format!("{path}:{line}");
    match page.items.iter().position(|item| item.path == path.as_str()) {
        Some(at) => html.jump(&label, &items::anchor(at)),
        None => html.text(&label),
    }
}

pub(super) fn failures(html: &mut Html, report: &Report) {
    if report.failures.is_empty() {
        return;
    }
    let all = story::merged(&report.failures);
    html.leaf("h2", "", &format!("Failures ({})", all.len()));
    html.leaf("p", "soft", "Log excerpts (untrusted output of the job); root failures first.");
    let numbered = all.into_iter().enumerate();
    let more = rows(html, FAILURES, numbered, |html, (at, (one, seen))| {
        failure(html, one, seen, at);
    });
    missing(html, more, "report.json");
}

fn failure(html: &mut Html, failure: &Excerpt<Redacted>, seen: usize, at: usize) {
    html.start("details", if at < OPEN { &[("open", "")] } else { &[] });
    html.start("summary", &[]);
    let (class, word) = if failure.root { ("bad", "root") } else { ("off", "follows") };
    html.leaf("strong", class, word);
    html.text(&format!(
        " {} · line {}",
        escape::one_line(failure.label.as_str(), escape::LINE),
        failure.line
    ));
    if seen > 1 {
        html.text(" · ");
        html.leaf("strong", "", &format!("seen {seen} times"));
    }
    html.end();
    html.start("div", &[("class", "in")]);
    html.pre(&escape::cut(failure.text.as_str(), escape::BLOCK));
    html.end();
    html.end();
}

pub(super) fn plays(html: &mut Html, plays: &[Play]) {
    if plays.is_empty() {
        return;
    }
    html.leaf("h2", "", "Ansible, host by host");
    for play in plays {
        html.leaf("h3", "", play.verdict.as_str());
        html.leaf("p", "soft", &play.entry);
        if play.hosts.is_empty() {
            html.leaf("p", "", "No recap: the run ended before it, or the log is not whole.");
            continue;
        }
        let mut hosts: Vec<_> = play.hosts.iter().collect();
        hosts.sort_by_key(|host| !host.is_bad());
        let heads: Vec<&'static str> = [&["host"], &RECAP[..]].concat();
        table(html, "rows recap", &heads, hosts.into_iter(), |html, host| {
            html.start("tr", &[]);
            let class = if host.is_bad() { "bad w" } else { "good w" };
            cell(html, "host", class, host.name.as_str());
            for (place, (word, n)) in RECAP.into_iter().zip(host.counts).enumerate() {
                let bad = n > 0 && crate::report::play::TROUBLE.contains(&place);
                let text = if n == 0 { "·".to_owned() } else { n.to_string() };
                let class = if bad { "n bad" } else { "n" };
                cell(html, word, if n == 0 { "n zero" } else { class }, &text);
            }
            html.end();
        });
    }
}

pub(super) fn collectors(html: &mut Html, page: &Page<'_>) {
    let rows = &page.report.collected;
    if rows.is_empty() {
        return;
    }
    html.leaf("h2", "", "What was collected");
    let heads = ["collector", "status", "entries", "size", "time", "from where, or why not"];
    let sizes = sizes(page);
    let all: Vec<_> = rows.iter().zip(sizes).collect();
    table(html, "rows", &heads, all.into_iter(), collector);
}

/// How many bytes each collector brought: the entries lie in the order of the collectors. Blank when the numbers do not agree.
fn sizes(page: &Page<'_>) -> Vec<String> {
    let brought = |row: &CollectedRow| match &row.collected {
        Collected::Ok { entries, .. } => *entries,
        Collected::Skipped(_) | Collected::Failed(_) | Collected::TimedOut => 0,
    };
    let counts: Vec<usize> = page.report.collected.iter().map(brought).collect();
    if counts.iter().sum::<usize>() != page.items.len() {
        return vec![String::new(); counts.len()];
    }
    let mut items = page.items.iter();
    let size = |n: &usize| {
        let bytes: u64 = items.by_ref().take(*n).map(|item| item.size).sum();
        let shown = units::bytes(bytes);
        if *n == 0 { String::new() } else { shown }
    };
    counts.iter().map(size).collect()
}

fn collector(html: &mut Html, (row, size): (&CollectedRow, String)) {
    let (class, word, entries, detail) = match &row.collected {
        Collected::Ok { note, entries } => ("good w", "ok", entries.to_string(), note.as_str()),
        Collected::Skipped(reason) => ("off w", "skipped", String::new(), reason.as_str()),
        Collected::Failed(chain) => ("bad w", "failed", String::new(), chain.as_str()),
        Collected::TimedOut => {
            ("look w", "timed out", String::new(), "it was stopped at its time limit")
        }
    };
    html.start("tr", &[]);
    cell(html, "collector", "w", row.collector);
    cell(html, "status", class, word);
    cell(html, "entries", "n", &entries);
    cell(html, "size", "n", &size);
    cell(html, "time", "n", &units::duration(row.took));
    cell(html, "detail", "", detail);
    html.end();
}

pub(super) fn notes(html: &mut Html, report: &Report) {
    if report.notes.is_empty() {
        return;
    }
    html.leaf("h2", "", "Notes");
    html.start("ul", &[]);
    let more = rows(html, PART, report.notes.iter(), |html, note| {
        html.leaf("li", "", &escape::cut(note.as_str(), escape::LINE));
    });
    html.end();
    missing(html, more, "report.json");
}

pub(super) fn footer(html: &mut Html, page: &Page<'_>) {
    html.start("footer", &[("class", "soft")]);
    html.text(concat!("Made by runner-guard ", env!("CARGO_PKG_VERSION"), ", "));
    html.text(page.created);
    html.text(". This page asks no server for anything. Read the bundle again with the signatures of today: ");
    html.leaf("code", "", "runner-guard diagnose --bundle FILE");
    html.text(", compare it with another one: ");
    html.leaf("code", "", "runner-guard diff OLD NEW");
    html.end();
}

/// A link to a section of a runbook, or its path.
fn runbook(html: &mut Html, report: &Report, stem: &str) {
    let hosts: Vec<_> = escape::host(&report.runbooks).into_iter().collect();
    match escape::runbook(&report.runbooks, stem, &hosts) {
        escape::Place::Address(address) => html.link("runbook", &address),
        escape::Place::Path(path) => {
            html.text("runbook ");
            html.leaf("code", "", &path);
        }
    }
}

fn pieces(html: &mut Html, all: &[Piece<'_>]) {
    for piece in all {
        match piece {
            Piece::Own(words) => html.text(words),
            Piece::Id(words) => html.leaf("strong", "", words),
            Piece::Prose(words) => html.text(&escape::one_line(words, escape::LINE)),
            Piece::Foreign(words) => html.leaf("code", "", &escape::one_line(words, escape::LINE)),
        }
    }
}
